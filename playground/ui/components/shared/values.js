// The values of one layer on one canvas: its maps beside each other, or its numbers in rows.

import { bytesOf } from "./bytes.js"
import { pixel } from "./colour.js"
import { element } from "./dom.js"
import { exact } from "./format.js"
import { t } from "./text.js"
import { tokens } from "./tokens.js"

/** About how many pixels of the screen a feature map has: one of few or of many, one of the layer before, and the input. */
export const SIDES = { few: 64, many: 48, before: 28, input: 112 }
const CELL = 12 // … and a number of a vector
const ROW = 24 // numbers of a vector in a row
const TILE = "rgb(127 127 127 / .1)" // behind each map, so that its edges are seen where it is zero

/**
 * @import { Output } from "./documents.js"
 * @import { Place } from "./layers.js"
 */
/** @typedef {[top: number, bottom: number, left: number, right: number]} Frame rows and columns of a layer; `bottom` and `right` are not included */

export class Values {
  /**
   * @param {object} layer
   * @param {string} layer.name
   * @param {string} layer.settings
   * @param {(place: Place | null) => void} layer.hover called with the value under the pointer
   * @param {(place: Place) => void} layer.click
   */
  constructor({ name, settings, hover, click }) {
    this.name = name
    this.side = SIDES.few
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
    this.zoom = Math.max(1, Math.floor(unit * (output.shape.length === 3 ? Math.min(24, this.side / Math.max(rows, columns)) : (output.shape.length === 2 ? 5 : CELL) * (this.side === SIDES.before ? 1 / 3 : 1))))
    this.rows = rows
    this.columns = columns
    if (!this.box.isConnected) return
    this.facts.textContent = t("{shape} · {low} to {high}", { shape: output.shape.join("×"), low: exact(output.low, 2), high: exact(output.high, 2) })
    this.across = Math.max(1, Math.min(this.count, Math.floor(Math.max(SIDES.input, this.box.clientWidth - 4) / (columns * this.zoom + 3))))
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
