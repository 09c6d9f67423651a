// One column of the network picture, opened: all activations of its layers for one drawing, the receptive field of each value, and the sum behind it.

import { bytesOf } from "../shared/bytes.js"
import { pixel } from "../shared/colour.js"
import { button, element } from "../shared/dom.js"
import { exact } from "../shared/format.js"
import { t } from "../shared/text.js"
import { tokens } from "../shared/tokens.js"
import { where, WrittenOut } from "../shared/written.js"

const MAP = 64 // pixels on the screen that a feature map should have, about
const SMALL = 48 // … one of many
const MANY = 16
const BEFORE = 28 // … one of the layer before
const INPUT = 112 // … and the input
const CELL = 12 // … and a number of a vector
const ROW = 24 // numbers of a vector in a row
const PACE = 400 // milliseconds that a window stays at a place
const TILE = "rgb(127 127 127 / .1)" // behind each map, so that its edges are seen where it is zero
const FOLLOWS = new Set(["BatchNorm1d", "BatchNorm2d", "LayerNorm", "ReLU", "LeakyReLU", "GELU", "SiLU", "Sigmoid", "Tanh", "Dropout"])
const ALONE = new Set([...FOLLOWS, "MaxPool2d", "AvgPool2d", "AdaptiveAvgPool2d"].filter((type) => type !== "LayerNorm")) // whose output maps depend on one input map only

/**
 * @import { Layer, Output, TermJson } from "./documents.js"
 * @import { Ask, Place } from "./types.js"
 */
/** @typedef {[top: number, bottom: number, left: number, right: number]} Frame rows and columns of a layer; `bottom` and `right` are not included */

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
    this.box = element("section", "layers")
    this.box.append(head, this.stack, this.before, this.written.box)
    this.pause()
    this.say()
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
    if (this.chosen) await this.write(...this.chosen)
  }

  clear() {
    this.views.forEach((view) => view.take(null))
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
    const input = { name: t("Input"), settings: t("as the network receives it"), side: INPUT }
    this.views = [input, ...layers.map(({ index, type, settings }) => ({ name: `${index} ${type}`, settings, side: MAP }))].map((each, at) => new Values({
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
    this.views.forEach((view, at) => { view.side = at === 0 ? INPUT : at === first ? BEFORE : this.layers[at - 1].shape[0] > MANY ? SMALL : MAP })
    this.stack.replaceChildren(...this.views.slice(first + 1, end + 1).map(({ box }) => box))
    this.before.replaceChildren(this.views[0].box, ...(first ? [this.views[first].box] : []))
    this.player.hidden = this.windowed < 0
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

/** The values of one layer on one canvas: its maps beside each other, or its numbers in rows. */
class Values {
  /**
   * @param {object} layer
   * @param {string} layer.name
   * @param {string} layer.settings
   * @param {number} layer.side pixels on the screen that a map should have, about
   * @param {(place: Place | null) => void} layer.hover called with the value under the pointer
   * @param {(place: Place) => void} layer.click
   */
  constructor({ name, settings, side, hover, click }) {
    this.name = name
    this.side = side
    /** @type {Output | null} none where nothing is drawn */
    this.output = null
    this.values = new Float32Array()
    this.rows = this.columns = 0 // of a map
    this.count = this.across = 0 // maps in all, and beside each other
    this.zoom = 1
    this.canvas = element("canvas")
    this.canvas.role = "img"
    this.frames = element("canvas", "frames")
    this.plane = element("canvas") // one map, a pixel for each value
    const field = element("div", "values")
    field.append(this.canvas, this.frames)
    this.facts = element("span", "fact")
    const title = element("header")
    title.append(element("b", "", name), this.facts)
    title.title = settings
    this.box = element("section", "layer")
    this.box.append(title, field)
    field.onpointermove = (event) => hover(this.placeOf(event))
    field.onpointerleave = () => hover(null)
    field.onclick = (event) => { const place = this.placeOf(event); if (place) click(place) }
  }

  /** @param {Output | null} output */
  take(output) {
    this.output = output
    if (!output) return context(this.canvas).clearRect(0, 0, this.canvas.width, this.canvas.height)
    this.values = halves(output.values)
    const [rows, columns] = output.shape.length === 3 ? output.shape.slice(1) : output.shape.length === 2 ? output.shape : [Math.ceil(this.values.length / ROW), Math.min(ROW, this.values.length)]
    this.count = output.shape.length === 3 ? this.values.length / (rows * columns) : 1
    const unit = parseFloat(getComputedStyle(document.documentElement).fontSize) / 16
    this.zoom = Math.max(1, Math.round(unit * (output.shape.length === 3 ? Math.min(24, this.side / Math.max(rows, columns)) : (output.shape.length === 2 ? 5 : CELL) * (this.side === BEFORE ? 1 / 3 : 1))))
    this.rows = rows
    this.columns = columns
    if (!this.box.isConnected) return
    this.facts.textContent = t("{shape} · {low} to {high}", { shape: output.shape.join("×"), low: exact(output.low, 2), high: exact(output.high, 2) })
    this.across = Math.max(1, Math.min(this.count, Math.floor(Math.max(INPUT, this.box.clientWidth - 4) / (columns * this.zoom + 3))))
    this.draw(output)
  }

  /** @param {Output} output */
  draw(output) {
    const { rows, columns, across, count } = this
    const [wide, high] = [columns * this.zoom + 3, rows * this.zoom + 3]
    const [width, height] = [across * wide - 3, Math.ceil(count / across) * high - 3]
    for (const canvas of [this.canvas, this.frames]) if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height })
    this.canvas.setAttribute("aria-label", t("{layer}: {shape} values", { layer: this.name, shape: output.shape.join("×") }))
    const page = context(this.canvas)
    const image = page.createImageData(columns, rows)
    const most = Math.max(Math.abs(output.low), Math.abs(output.high)) || 1
    Object.assign(this.plane, { width: columns, height: rows })
    page.imageSmoothingEnabled = false
    page.clearRect(0, 0, width, height)
    page.fillStyle = TILE
    for (let map = 0; map < count; map++) {
      for (let cell = 0; cell < rows * columns; cell++) {
        const value = this.values[map * rows * columns + cell]
        image.data.set(value === undefined ? [0, 0, 0, 0] : pixel(value / most), 4 * cell)
      }
      context(this.plane).putImageData(image, 0, 0)
      /** @type {[left: number, top: number, width: number, height: number]} */
      const place = [(map % across) * wide, Math.floor(map / across) * high, columns * this.zoom, rows * this.zoom]
      page.fillRect(...place)
      page.drawImage(this.plane, ...place)
    }
  }

  /**
   * The index of the value under the pointer; null where there is none.
   * @param {MouseEvent} event
   * @returns {Place | null}
   */
  placeOf(event) {
    if (!this.output) return null
    const box = this.canvas.getBoundingClientRect()
    const [x, y] = [event.clientX - box.left, event.clientY - box.top]
    const [wide, high] = [this.columns * this.zoom + 3, this.rows * this.zoom + 3]
    const map = Math.floor(y / high) * this.across + Math.floor(x / wide)
    const [row, column] = [Math.floor((y % high) / this.zoom), Math.floor((x % wide) / this.zoom)]
    if (x < 0 || y < 0 || map >= this.count || row >= this.rows || column >= this.columns || x >= this.across * wide) return null
    if (this.output.shape.length === 3) return [map, row, column]
    const number = row * this.columns + column
    if (number >= this.values.length) return null // the server sends the first values of a large layer
    return this.output.shape.length === 2 ? [row, column] : [number]
  }

  /** @param {Place} place */
  at(place) {
    const [map, row, column] = place.length === 3 ? place : place.length === 2 ? [0, ...place] : [0, 0, place[0]]
    return this.values[(map * this.rows + row) * this.columns + column]
  }

  /**
   * A frame around rows and columns, on every map or on the one that `place` names.
   * @param {Frame | null} box
   * @param {Place | null} [place]
   * @param {boolean} [alone] whether other frames vanish
   */
  mark(box, place, alone = true) {
    const page = context(this.frames)
    if (alone) page.clearRect(0, 0, this.frames.width, this.frames.height)
    if (!box || !this.output) return
    const [wide, high] = [this.columns * this.zoom + 3, this.rows * this.zoom + 3]
    let [top, bottom, left, right] = box
    if (place?.length === 1) [top, bottom, left, right] = [Math.floor(place[0] / ROW), Math.floor(place[0] / ROW) + 1, place[0] % ROW, (place[0] % ROW) + 1]
    page.strokeStyle = tokens(this.box)["accent-ink"]
    page.lineWidth = 2
    for (let map = 0; map < this.count; map++) {
      if (place?.length === 3 && map !== place[0]) continue
      page.strokeRect((map % this.across) * wide + left * this.zoom, Math.floor(map / this.across) * high + top * this.zoom, (right - left) * this.zoom, (bottom - top) * this.zoom)
    }
  }

  /**
   * Hide what the window has not reached yet.
   * @param {Place} place that it has reached
   */
  veil([map, row, column]) {
    const page = context(this.frames)
    const { zoom, rows, columns, across } = this
    const [x, y] = [(map % across) * (columns * zoom + 3), Math.floor(map / across) * (rows * zoom + 3)]
    page.fillStyle = tokens(this.box).stage
    page.fillRect(x + (column + 1) * zoom, y + row * zoom, (columns - column - 1) * zoom, zoom)
    page.fillRect(x, y + (row + 1) * zoom, columns * zoom, (rows - row - 1) * zoom)
  }
}

/** @param {HTMLCanvasElement} canvas */
const context = (canvas) => /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"))

/**
 * Numbers of 16 bits, the least byte first: https://en.wikipedia.org/wiki/Half-precision_floating-point_format
 * @param {string} text in base64
 */
export function halves(text) {
  const bytes = bytesOf(text)
  const view = new DataView(bytes.buffer)
  return Float32Array.from({ length: bytes.length / 2 }, (_, index) => {
    const bits = view.getUint16(2 * index, true)
    const [sign, exponent, fraction] = [bits >> 15 ? -1 : 1, (bits >> 10) & 31, bits & 1023]
    return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -14 * (fraction / 1024))
  })
}
