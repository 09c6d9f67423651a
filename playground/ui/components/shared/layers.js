// One column of the network picture, opened: all activations of its layers for one drawing, the receptive field of each value, and the sum behind it.

import { button, element } from "./dom.js"
import { exact } from "./format.js"
import { t } from "./text.js"
import { where, WrittenOut } from "./written.js"
import { SIDES, Values } from "./values.js"

const MANY = 16 // more feature maps are drawn smaller
const PACE = 400 // milliseconds that a window stays at a place
const FOLLOWS = new Set(["BatchNorm1d", "BatchNorm2d", "LayerNorm", "ReLU", "LeakyReLU", "GELU", "SiLU", "ELU", "SELU", "ReLU6", "Hardswish", "Mish", "Sigmoid", "Tanh", "Dropout", "Dropout2d"])
const ALONE = new Set([...FOLLOWS, "MaxPool2d", "AvgPool2d", "AdaptiveAvgPool2d"].filter((type) => type !== "LayerNorm")) // whose output maps depend on one input map only

/**
 * @import { Query } from "./client.js"
 * @import { Activations, Layer, NetworkLayers, TermJson, WrittenValue } from "./documents.js"
 */
/** @typedef {number[]} Place index of a value in a layer's output: (map, row, column), (token, feature) or (number) */
/** @typedef {{ network: NetworkLayers, layers: Activations, calculation: WrittenValue }} Inside what routes of server/routes/drawing.py return, by the last part of their path */
/**
 * Asks the server about the network or, with `withImage`, about the image; null where it reports an error, which is shown.
 * @typedef {<Path extends keyof Inside>(path: Path, query: Query, withImage?: boolean) => Promise<Inside[Path] | null>} Ask
 */

export class Layers {
  /**
   * @param {Ask} ask
   * @param {() => void} back called when the whole network is to be shown again
   */
  constructor(ask, back) {
    this.ask = ask
    this.model = ""
    /** @type {Layer[]} */
    this.layers = []
    /** @type {Values[]} the input, and behind it each layer */
    this.views = []
    /** @type {[index: number, place: Place] | null} the value whose sum is shown */
    this.chosen = null
    /** @type {[first: number, last: number]} the layers that are shown: the first, and the one after the last */
    this.span = [0, 0]
    /** @type {object | null} identifies the slide of a window that goes on */
    this.sliding = null
    this.written = new WrittenOut((term) => this.light(term))
    this.back = button(t("Back to the whole network"), back, { name: "whole" })
    this.status = element("p", "status")
    this.status.setAttribute("role", "status")
    this.stack = group("stack", t("Values of the layers"))
    this.before = group("before", t("What they are computed from"))
    this.play = button("", () => (this.sliding ? this.pause() : this.slide()), { name: "play" })
    this.player = element("div", "player")
    this.player.append(
      button("❙◀", () => this.step(-1), { label: t("One place back") }),
      this.play,
      button("▶❙", () => this.step(1), { label: t("One place on") }),
    )
    const head = element("header", "layers-head")
    head.append(this.back, this.status, this.player)
    this.box = element("section", "opened-layers")
    this.box.append(head, this.stack, this.before, this.written.box)
    this.pause()
    this.say()
    this.offer()
  }

  /**
   * Open some layers.
   * @param {string} model names the network
   * @param {[first: number, last: number]} span
   */
  async open(model, span) {
    this.span = span
    this.forget()
    if (this.model === model) this.arrange()
    await this.show(model)
  }

  /** @param {string} model names the network */
  async show(model) {
    if (this.model !== model) {
      const answer = await this.ask("network", { model })
      if (!answer) return
      this.model = model
      this.build(answer.layers)
    }
    const answer = await this.ask("layers", { model }, true)
    if (!answer) return this.clear()
    answer.outputs.forEach((output, index) => this.views[index].take(output))
    this.offer()
    if (this.chosen) await this.write(...this.chosen)
  }

  clear() {
    this.views.forEach((view) => view.take(null))
    this.offer()
    this.forget()
  }

  /** Show no sum any more. */
  forget() {
    this.pause()
    this.chosen = null
    this.written.show(null)
    this.views.forEach((view) => view.mark(null))
    this.say()
  }

  /** @param {Layer[]} layers */
  build(layers) {
    this.layers = layers
    const input = { name: t("Input"), settings: t("as the network receives it") }
    this.views = [input, ...layers.map(({ index, type, settings }) => ({ name: `${index} ${type}`, settings }))].map((each, at) => new Values({
      ...each,
      hover: (place) => this.point(at, place),
      click: (place) => { if (at) this.choose(at - 1, place) },
    }))
    this.arrange()
    this.forget()
  }

  /** Show the layers that are opened, and at the side what they get. */
  arrange() {
    const [first, last] = this.span
    const end = last === this.layers.length - 1 ? last + 1 : last // the softmax belongs to the classes
    this.views.forEach((view, at) => { view.side = SIDES[at === 0 ? "input" : at === first ? "before" : this.layers[at - 1].shape[0] > MANY ? "many" : "few"] })
    this.stack.replaceChildren(...this.views.slice(first + 1, end + 1).map(({ box }) => box))
    this.before.replaceChildren(this.views[0].box, ...(first ? [this.views[first].box] : []))
    this.offer()
  }

  /** Let a window slide where there is one, and values for it. */
  offer() {
    this.player.hidden = !this.views[this.windowed + 1]?.output || this.windowed < 0
  }

  /**
   * Say which value the pointer is at.
   * @param {number} [at] counts the input as 0
   * @param {Place} [place]
   */
  say(at = 0, place) {
    this.status.textContent = place ? t("{layer}, {place}: {value}", { layer: this.views[at].name, place: where(place), value: exact(this.views[at].at(place), 3) }) : t("Click a value to see the sum behind it.")
  }

  /**
   * Frame a value and what it depends on; without a place the chosen one.
   * @param {number} at counts the input as 0
   * @param {Place | null} place
   */
  point(at, place) {
    this.say(at, place ?? undefined)
    this.views.forEach((view) => view.mark(null))
    if (place) this.frame(at, place)
    else if (this.chosen) this.frame(this.chosen[0] + 1, this.chosen[1])
  }

  /**
   * Frame a value and its receptive fields in the input and in the layer before.
   * @param {number} at counts the input as 0
   * @param {Place} place
   */
  frame(at, place) {
    const [row, column] = place.length > 1 ? place.slice(-2) : [0, place[0]]
    this.views[at].mark([row, row + 1, column, column + 1], place)
    if (this.sliding) this.views[at].veil(place)
    if (!at || place.length !== 3) return
    const { receptive_field: field, window: before, type } = this.layers[at - 1]
    if (field) this.views[0].mark([...field.rows[row], ...field.columns[column]])
    if (before && at > 1) this.views[at - 1].mark([...before.rows[row], ...before.columns[column]], ALONE.has(type) ? place : null)
  }

  /**
   * Light the value that a term of the sum has from the layer before.
   * @param {TermJson | null} term
   */
  light(term) {
    if (!this.chosen) return
    const [index, place] = this.chosen
    this.point(index + 1, null)
    const from = term?.place ?? term?.copied
    if (!from || from.length !== 3 || place.length !== 3) return
    this.views[index].mark([from[1], from[1] + 1, from[2], from[2] + 1], from, false)
  }

  /**
   * Show the sum behind a value.
   * @param {number} index of the layer
   * @param {Place} place
   */
  async choose(index, place) {
    this.pause()
    await this.write(index, place)
  }

  /**
   * @param {number} index
   * @param {Place} place
   */
  async write(index, place) {
    this.chosen = [index, place]
    const answer = await this.ask("calculation", { model: this.model, layer: index, place: place.join(",") }, true)
    if (!answer || String(this.chosen) !== String([index, place])) return
    this.written.show(answer.calculation, t("{layer}, {place}", { layer: this.views[index + 1].name, place: where(place) }), this.after(index, place))
    this.point(index + 1, null)
  }

  /**
   * Move the window by some places, row by row.
   * @param {number} by
   */
  async step(by) {
    this.pause()
    await this.move(by)
  }

  /**
   * @param {number} by
   * @returns {Promise<boolean>} whether there is a place further on
   */
  async move(by) {
    if (!this.chosen) await this.write(this.windowed, [0, 0, 0])
    const [index, [map, row, column]] = /** @type {[number, Place]} */ (this.chosen)
    const { rows, columns } = this.views[index + 1]
    const cell = (row * columns + column + by + rows * columns) % (rows * columns)
    await this.write(index, [map, Math.floor(cell / columns), cell % columns])
    return cell < rows * columns - 1
  }

  /** Let the window slide on from the chosen place; without one, over the first map. */
  async slide() {
    const mine = (this.sliding = {})
    const slides = () => this.sliding === mine && this.box.isConnected
    this.play.textContent = t("❙❙ Pause")
    if (!this.chosen || !this.layers[this.chosen[0]].window) await this.write(this.windowed, [0, 0, 0])
    do await new Promise((resolve) => setTimeout(resolve, PACE))
    while (slides() && (await this.move(1)))
    if (this.sliding === mine) this.pause()
  }

  pause() {
    this.sliding = null
    this.play.textContent = t("▶ Slide the window")
  }

  /** The first of the opened layers that has a window; −1 if none has. */
  get windowed() {
    const [first, last] = this.span
    return this.layers.findIndex(({ window, shape, type }, index) => index >= first && index < last && window && shape.length === 3 && !FOLLOWS.has(type))
  }

  /**
   * The results of the following layers, as long as each depends on this value alone.
   * @param {number} index
   * @param {Place} place
   */
  after(index, place) {
    /** @type {[type: string, result: number][]} */
    const following = []
    for (let at = index + 1; at < this.layers.length && FOLLOWS.has(this.layers[at].type); at++) following.push([this.layers[at].type, this.views[at + 1].at(place)])
    return following
  }
}

/**
 * A part that is scrolled, with the keyboard, too.
 * @param {string} name
 * @param {string} label
 */
function group(name, label) {
  const box = element("div", name)
  Object.assign(box, { tabIndex: 0, role: "group" })
  box.setAttribute("aria-label", label)
  return box
}
