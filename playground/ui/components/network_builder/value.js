// One value of a layer for the image in the picture: the feature map that it lies in, and the sum behind it.

import { pixel } from "../shared/colour.js"
import { element } from "../shared/dom.js"
import { html } from "../shared/templates.js"
import { t } from "../shared/text.js"
import { where, WrittenOut } from "../shared/written.js"

/**
 * @import { BatchValue } from "./documents.js"
 * @import { Failure } from "./forward.js"
 */

const CELL = 0.75, SIDE = 8 // largest sizes of a cell and of the whole map, in rem
/** @type {Record<string, [rows: number, columns: number]>} */
const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }

export class BatchValuePanel {
  /**
   * @param {(request: { layer: number, place: number[] }) => Promise<BatchValue | Failure>} ask
   * @param {() => void} draw called when there is something else to show
   */
  constructor(ask, draw) {
    this.ask = ask
    this.draw = draw
    this.layer = -1 // whose value is shown
    this.wanted = "" // identifies the value that was asked for last
    this.error = ""
    /** @type {BatchValue | null} */
    this.value = null
    this.written = new WrittenOut()
    this.canvas = element("canvas")
    this.frame = element("span", "frame")
    this.map = element("div", "map")
    this.map.append(this.canvas, this.frame)
    Object.assign(this.map, { tabIndex: 0, role: "application" })
    this.map.onclick = (event) => this.click(event)
    this.map.onkeydown = (event) => this.key(event)
  }

  clear() {
    this.layer = -1
    this.wanted = this.error = ""
    this.value = null
  }

  /**
   * Show a value, or the strongest one where only a feature map is named.
   * @param {number} layer its index
   * @param {number[]} place
   */
  async show(layer, place) {
    const wanted = (this.wanted = `${layer} ${place}`)
    const answer = await this.ask({ layer, place })
    if (wanted !== this.wanted) return
    this.layer = layer
    this.error = "error" in answer ? answer.error : ""
    this.value = "error" in answer ? null : answer
    if (this.value) this.written.show(this.value.calculation, where(this.value.place))
    this.repaint()
    this.draw()
    this.written.box.closest(".value")?.scrollIntoView({ block: "nearest" })
  }

  /**
   * What the panel of a layer shows.
   * @param {number} layer its index
   */
  section(layer) {
    if (layer !== this.layer) return html`<button type="button" class="write-out" @click=${() => this.show(layer, [0])}>${t("Show the sum behind a value")}</button>`
    if (!this.value) return html`<p class="help">${this.error}</p>`
    return html`<section class="value">${this.value.map ? html`<figure>${this.map}<figcaption class="help">${t("Click a value, or use the arrow keys.")}</figcaption></figure>` : ""}${this.written.box}</section>`
  }

  /** Draw the map in the colours of the theme of now. */
  repaint() {
    const { map: rows, place: [unit, row, column] } = this.value ?? { map: null, place: [] }
    if (!rows) return
    const [height, width] = [rows.length, rows[0].length]
    const most = Math.max(...rows.flat().map(Math.abs), 1e-12)
    const cell = Math.min(CELL, SIDE / Math.max(height, width))
    Object.assign(this.canvas, { width, height })
    const page = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d"))
    const image = page.createImageData(width, height)
    rows.flat().forEach((value, place) => image.data.set(pixel(value / most), 4 * place))
    page.putImageData(image, 0, 0)
    Object.assign(this.map.style, { width: `${width * cell}rem`, height: `${height * cell}rem` })
    for (const [name, number] of Object.entries({ row, column, height, width })) this.frame.style.setProperty(`--${name}`, String(number))
    this.map.setAttribute("aria-label", t("Feature map {map}, the value in row {row} and column {column} is chosen", { map: unit, row, column }))
  }

  /** @param {MouseEvent} event */
  click({ clientX, clientY }) {
    const { left, top, width, height } = this.canvas.getBoundingClientRect()
    this.move((rows, columns) => [Math.floor(((clientY - top) / height) * rows), Math.floor(((clientX - left) / width) * columns)])
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const step = STEPS[event.key]
    if (!step || !this.value) return
    event.preventDefault()
    const [, row, column] = this.value.place
    this.move(() => [row + step[0], column + step[1]])
  }

  /** @param {(rows: number, columns: number) => [row: number, column: number]} to where in the map */
  move(to) {
    if (!this.value?.map) return
    const { map, place: [unit] } = this.value
    const [row, column] = to(map.length, map[0].length)
    if (row >= 0 && column >= 0 && row < map.length && column < map[0].length) this.show(this.layer, [unit, row, column])
  }
}
