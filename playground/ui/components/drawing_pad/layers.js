// One column of the network picture, opened: all activations of its layers for one drawing, the receptive field of each value, and the sum behind it.

import { bytesOf } from "../shared/bytes.js"
import { pixel } from "../shared/colour.js"
import { element } from "../shared/dom.js"
import { exact } from "../shared/format.js"
import { t } from "../shared/text.js"
import { WrittenOut } from "./written.js"

const MAP = 64 // pixels on the screen that a feature map should have, about
const INPUT = 112 // … and the input
const CELL = 12 // … and a number of a vector
const ROW = 32 // numbers of a vector in a row
const TILE = "rgb(127 127 127 / .1)" // behind each map, so that its edges are seen where it is zero
const FOLLOWS = new Set(["BatchNorm1d", "BatchNorm2d", "LayerNorm", "ReLU", "LeakyReLU", "GELU", "SiLU", "Sigmoid", "Tanh", "Dropout"])
const ALONE = new Set([...FOLLOWS, "MaxPool2d", "AvgPool2d", "AdaptiveAvgPool2d"].filter((type) => type !== "LayerNorm")) // whose output maps depend on one input map only

/**
 * @import { Layer, Output } from "./documents.js"
 * @import { Ask, Place } from "./types.js"
 */
/** @typedef {[top: number, bottom: number, left: number, right: number]} Frame rows and columns of a layer; `bottom` and `right` are not included */

export class Layers {
  /** @param {Ask} ask */
  constructor(ask) {
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
    this.written = new WrittenOut()
    this.status = element("p", "status", "")
    this.status.setAttribute("role", "status")
    this.stack = element("div", "stack")
    this.side = element("aside", "side")
    this.box = element("section", "layers")
    this.box.append(element("p", "note", t("Point at a value to see its receptive field in the previous layer and in the input. Click it to see the sum behind it.")), this.stack, this.side)
    this.input = element("div")
    this.side.append(this.input, this.status, this.written.box)
  }

  /**
   * Open some layers.
   * @param {string} model names the network
   * @param {[first: number, last: number]} span
   */
  async open(model, span) {
    this.span = span
    this.chosen = null
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
    if (this.chosen) this.write(...this.chosen)
  }

  clear() {
    this.views.forEach((view) => view.take(null))
    this.written.show(null)
  }

  /** @param {Layer[]} layers */
  build(layers) {
    this.layers = layers
    this.chosen = null
    this.written.show(null)
    const input = { name: t("Input"), settings: t("as the network receives it"), side: INPUT }
    this.views = [input, ...layers.map(({ index, type, settings }) => ({ name: `${index} ${type}`, settings, side: MAP }))].map((each, at) => new Values({
      ...each,
      hover: (place) => this.point(at, place),
      click: (place) => { if (at) this.write(at - 1, place) },
    }))
    this.input.replaceChildren(this.views[0].box)
    this.arrange()
  }

  /** Show the layers that are opened. */
  arrange() {
    this.written.show(null)
    const [first, last] = this.span
    const end = last === this.layers.length - 1 ? last + 1 : last // the softmax belongs to the classes
    this.stack.replaceChildren(...this.views.slice(first + 1, end + 1).map(({ box }) => box))
  }

  /**
   * Frame a value's receptive field.
   * @param {number} at counts the input as 0
   * @param {Place | null} place
   */
  point(at, place) {
    this.views.forEach((view) => view.mark(null))
    if (!place) return
    const value = this.views[at].at(place)
    this.status.textContent = t("{layer}, {place}: {value}", { layer: this.views[at].name, place: where(place), value: exact(value, 3) })
    const [row, column] = place.length > 1 ? place.slice(-2) : [0, place[0]]
    this.views[at].mark([row, row + 1, column, column + 1], place)
    if (!at) return
    const { receptive_field: field, window: before, type } = this.layers[at - 1]
    if (place.length !== 3) return
    if (field) this.views[0].mark([...field.rows[row], ...field.columns[column]])
    if (before && at > 1) this.views[at - 1].mark([...before.rows[row], ...before.columns[column]], ALONE.has(type) ? place : null)
  }

  /**
   * Show the sum behind a value.
   * @param {number} index of the layer
   * @param {Place} place
   */
  async write(index, place) {
    this.chosen = [index, place]
    const answer = await this.ask("calculation", { model: this.model, layer: index, place: place.join(",") }, true)
    if (!answer || String(this.chosen) !== String([index, place])) return
    const beside = getComputedStyle(this.side).position === "sticky" // on a narrow screen it stands beneath the layer
    const host = beside ? this.side : this.views[index + 1].box
    host.append(this.written.box)
    this.written.show(answer.calculation, t("{layer}, {place}", { layer: this.views[index + 1].name, place: where(place) }), this.after(index, place))
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
 * A place in words.
 * @param {Place} place
 */
export function where([first, second, third]) {
  if (second === undefined) return t("number {number}", { number: first })
  if (third === undefined) return t("token {token}, feature {feature}", { token: first, feature: second })
  return t("map {map}, row {row}, column {column}", { map: first, row: second, column: third })
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
    this.zoom = output.shape.length === 3 ? Math.max(1, Math.min(24, Math.round(this.side / Math.max(rows, columns)))) : output.shape.length === 2 ? 5 : CELL
    this.rows = rows
    this.columns = columns
    if (!this.box.isConnected) return
    this.facts.textContent = t("{shape} · {low} to {high}", { shape: output.shape.join("×"), low: exact(output.low, 2), high: exact(output.high, 2) })
    this.across = Math.max(1, Math.min(this.count, Math.floor(Math.max(240, this.box.clientWidth - 4) / (columns * this.zoom + 3))))
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
   */
  mark(box, place) {
    const page = context(this.frames)
    page.clearRect(0, 0, this.frames.width, this.frames.height)
    if (!box || !this.output) return
    const [wide, high] = [this.columns * this.zoom + 3, this.rows * this.zoom + 3]
    let [top, bottom, left, right] = box
    if (place?.length === 1) [top, bottom, left, right] = [Math.floor(place[0] / ROW), Math.floor(place[0] / ROW) + 1, place[0] % ROW, (place[0] % ROW) + 1]
    page.strokeStyle = getComputedStyle(this.box).getPropertyValue("--st-primary-color")
    page.lineWidth = 2
    for (let map = 0; map < this.count; map++) {
      if (place?.length === 3 && map !== place[0]) continue
      page.strokeRect((map % this.across) * wide + left * this.zoom, Math.floor(map / this.across) * high + top * this.zoom, (right - left) * this.zoom, (bottom - top) * this.zoom)
    }
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
