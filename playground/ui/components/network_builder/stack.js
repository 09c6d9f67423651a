// The layers of a network as data: they can be added, moved, copied, switched off and removed; each change can be undone and redone.

/** @import { LayerParam, SavedNetwork } from "./documents.js" */

/** @typedef {LayerParam["default"]} Value the value of a parameter */
/** @typedef {SavedNetwork["layers"][number]} SavedLayer */
/** @typedef {{ id: number, type: string, params: Record<string, Value>, off: boolean }} Layer `params` has the parameters that are set */
/** @typedef {{ name: string, title: string, input_shape: number[], layers: Layer[], chosen: number }} State `chosen` is a position in `layers` */

const KEPT = 200 // changes that can be undone

export class Stack {
  /** @param {() => void} onChange called after each change */
  constructor(onChange) {
    this.onChange = onChange
    /** @type {string[]} states as JSON, the latest last */
    this.past = []
    /** @type {string[]} */
    this.future = []
    /** @type {string | null} what the last change edited */
    this.same = null
    this.next = 1 // the id of the next layer
    /** @type {State} */
    this.state = { name: "mine", title: "", input_shape: [1, 28, 28], layers: [], chosen: 0 }
  }

  get layers() {
    return this.state.layers
  }

  /** @returns {Layer | undefined} none in an empty network */
  get chosen() {
    return this.layers[this.state.chosen]
  }

  /** The network to send, without the layers that are switched off, and for each of its layers the position in the stack. */
  document() {
    const places = this.layers.flatMap((layer, place) => (layer.off ? [] : [place]))
    const layers = places.map((place) => ({ type: this.layers[place].type, ...this.layers[place].params }))
    return { places, network: { name: this.state.name, title: this.state.title, summary: "", source: "", input_shape: this.state.input_shape, layers } }
  }

  /**
   * Take a network as it was saved, as one change.
   * @param {SavedNetwork} network
   */
  open(network, title = network.title || network.name) {
    this.change(() => {
      const layers = network.layers.map(({ type, off = false, ...params }) => ({ id: this.next++, type: String(type), params, off: Boolean(off) }))
      this.state = { name: network.name || "mine", title, input_shape: network.input_shape, layers, chosen: 0 }
    })
  }

  /**
   * @param {() => void} act
   * @param {string | null} [same] names what is edited: changes of the same thing one behind another are undone together
   */
  change(act, same = null) {
    const before = JSON.stringify(this.state)
    act()
    if (JSON.stringify(this.state) === before) return
    if (same === null || same !== this.same) this.past.push(before)
    this.past = this.past.slice(-KEPT)
    this.same = same
    this.future = []
    this.onChange()
  }

  /** @param {string} type */
  add(type, place = this.layers.length ? this.state.chosen + 1 : 0) {
    this.change(() => {
      this.layers.splice(place, 0, { id: this.next++, type, params: {}, off: false })
      this.state.chosen = place
    })
  }

  /** @param {number} place */
  remove(place) {
    this.change(() => {
      this.layers.splice(place, 1)
      this.state.chosen = Math.max(0, Math.min(this.state.chosen, this.layers.length - 1))
    })
  }

  /** @param {number} place */
  copy(place) {
    this.change(() => {
      this.layers.splice(place + 1, 0, { ...structuredClone(this.layers[place]), id: this.next++ })
      this.state.chosen = place + 1
    })
  }

  /**
   * @param {number} from
   * @param {number} to
   */
  move(from, to) {
    const place = Math.max(0, Math.min(this.layers.length - 1, to))
    if (place === from) return
    this.change(() => {
      this.layers.splice(place, 0, ...this.layers.splice(from, 1))
      this.state.chosen = place
    })
  }

  /** @param {number} place */
  toggle(place) {
    this.change(() => { this.layers[place].off = !this.layers[place].off })
  }

  /**
   * @param {number} place
   * @param {string} name of the parameter
   * @param {Value} value
   */
  set(place, name, value) {
    this.change(() => { this.layers[place].params = { ...this.layers[place].params, [name]: value } }, `${this.layers[place].id} ${name}`)
  }

  /**
   * What stays the same before and behind the fix is not touched, and what is off stays where it is: in front of the layer that it stood in front of.
   * @param {{ layers: SavedLayer[], input_shape?: number[] | null }} fix the layers in place of those that are on, and the input shape if it changes
   */
  fix({ layers, input_shape }) {
    this.change(() => {
      this.state.input_shape = input_shape ?? this.state.input_shape
      const on = this.layers.filter((layer) => !layer.off)
      /**
       * @param {Layer} layer
       * @param {SavedLayer} saved
       */
      const same = (layer, { type, ...params }) => layer.type === type && JSON.stringify(layer.params) === JSON.stringify(params)
      const shorter = Math.min(on.length, layers.length)
      let head = 0, tail = 0
      while (head < shorter && same(on[head], layers[head])) head++
      while (tail < shorter - head && same(on[on.length - 1 - tail], layers[layers.length - 1 - tail])) tail++
      const fresh = layers.slice(head, layers.length - tail).map(({ type, ...params }, place) => ({ id: on[head + place]?.type === type && head + place < on.length - tail ? on[head + place].id : this.next++, type: String(type), params, off: false }))
      const replaced = new Set(on.slice(head, on.length - tail))
      const before = on[head] // what is put in goes where the first replaced layer stood, or in front of the first that stays
      const place = before ? this.layers.indexOf(before) : this.layers.length
      this.state.layers = [...this.layers.slice(0, place), ...fresh, ...this.layers.slice(place).filter((layer) => !replaced.has(layer))]
      this.state.chosen = Math.min(this.state.chosen, this.layers.length - 1)
    })
  }

  undo() {
    this.travel(this.past, this.future)
  }

  redo() {
    this.travel(this.future, this.past)
  }

  /**
   * @param {string[]} from
   * @param {string[]} to
   */
  travel(from, to) {
    const state = from.pop()
    if (state === undefined) return
    to.push(JSON.stringify(this.state))
    this.state = JSON.parse(state)
    this.same = null
    this.onChange()
  }
}
