// Animates a convolution or pooling: its window, with dilation, slides over the padded input and computes one output cell at a time.

import { button, element, svg } from "../shared/dom.js"
import { t } from "../shared/text.js"

/** @import { Value } from "./stack.js" */

const CELL = 22, SIDE = 190, REM = 16 // largest sizes of a cell and of all cells in a row, and what a rem is, in units of the drawing
const PACE = 500 // milliseconds a place
const MOST = 12 // cells of a side that are drawn; of a larger input its upper left corner

/**
 * What is drawn of a window: `size` cells of the input's side, without the padding, and `count` of the output's.
 * @typedef {{ kernel: number, stride: number, padding: number, dilation: number, size: number, count: number }} Plan
 */

/**
 * @param {number} size the height of the layer's input; of a wide image the rows tell enough
 * @param {Record<string, Value>} settings the parameters of the layer
 * @returns {Plan}
 */
export function plan(size, settings) {
  const kernel = Number(settings.kernel_size), stride = Number(settings.stride ?? kernel)
  const padding = Number(settings.padding ?? 0), dilation = Number(settings.dilation ?? 1)
  const span = dilation * (kernel - 1) + 1
  const drawn = Math.min(size, Math.max(MOST - 2 * padding, span - 2 * padding, 1))
  return { kernel, stride, padding, dilation, size: drawn, count: Math.floor((drawn + 2 * padding - span) / stride) + 1 }
}

/**
 * Whether an output cell is computed from a cell of the padded input.
 * @param {Plan} plan
 * @param {number} output the output cell, counted row by row
 * @param {number} y
 * @param {number} x
 */
export function covers({ kernel, stride, dilation, count }, output, y, x) {
  const inside = (/** @type {number} */ offset) => offset >= 0 && offset % dilation === 0 && offset / dilation < kernel
  return inside(y - Math.floor(output / count) * stride) && inside(x - (output % count) * stride)
}

export class Window {
  constructor() {
    /** @type {Plan} */
    this.plan = { kernel: 1, stride: 1, padding: 0, dilation: 1, size: 1, count: 1 }
    this.at = 0 // the output cell that is computed
    /** @type {number | undefined} the timer of the animation */
    this.sliding = undefined
    this.box = element("figure", "window")
    this.caption = element("figcaption", "fact")
    this.input = svg("svg")
    this.output = svg("svg")
    this.button = button(t("▶ Slide"), () => (this.sliding === undefined ? this.slide() : this.stop()), { name: "slide" })
    const row = element("div", "grids")
    row.append(this.input, element("span", "arrow", "→"), this.output)
    this.box.append(this.caption, row, this.button)
  }

  /**
   * @param {number} size the height of the layer's input
   * @param {Record<string, Value>} settings the parameters of the layer
   */
  show(size, settings) {
    this.stop()
    this.plan = plan(size, settings)
    const { size: drawn, count } = this.plan
    this.caption.textContent = drawn < size ? t("The upper left corner, {drawn}×{drawn} of {size}×{size} pixels. The window computes one output cell, then moves by the stride.", { drawn, size }) : t("The window computes one output cell, then moves by the stride.")
    this.box.hidden = count < 1
    if (count >= 1) this.draw(0)
  }

  /** @param {number} at */
  draw(at) {
    const { kernel, padding, size, count } = this.plan
    this.at = at % (count * count)
    const whole = size + 2 * padding
    const padded = (/** @type {number} */ place) => place < padding || place >= whole - padding
    this.grid(this.input, whole, (y, x) => `${padded(y) || padded(x) ? "pad" : "pixel"}${covers(this.plan, this.at, y, x) ? " seen" : ""}`)
    this.grid(this.output, count, (y, x) => (y * count + x === this.at ? "made" : y * count + x < this.at ? "done" : "pixel"), (place) => { if (place === this.at) return; this.stop(); this.draw(place) }) // drawn again under the pointer, the cell would be entered again
    this.input.setAttribute("aria-label", t("Input of {size} by {size} cells with its padding; the window covers {kernel} by {kernel} of them", { size: whole, kernel }))
    this.output.setAttribute("aria-label", t("Output of {size} by {size} cells", { size: count }))
  }

  /**
   * @param {SVGElement} drawing
   * @param {number} side in cells
   * @param {(y: number, x: number) => string} look the class of a cell
   * @param {(place: number) => void} [point] called with the cell that the pointer enters
   */
  grid(drawing, side, look, point) {
    const cell = Math.min(CELL, SIDE / side)
    drawing.setAttribute("viewBox", `0 0 ${side * cell} ${side * cell}`)
    drawing.style.width = `${(side * cell) / REM}rem`
    drawing.setAttribute("role", "img")
    const cells = []
    for (let y = 0; y < side; y++) {
      for (let x = 0; x < side; x++) {
        const drawn = svg("rect", { x: x * cell + 1, y: y * cell + 1, width: cell - 2, height: cell - 2, rx: 2, class: look(y, x) })
        if (point) drawn.onpointerenter = () => point(y * side + x)
        cells.push(drawn)
      }
    }
    drawing.replaceChildren(...cells)
  }

  slide() {
    this.sliding = setInterval(() => this.draw(this.at + 1), PACE)
    this.button.textContent = t("❙❙ Stop")
  }

  stop() {
    clearInterval(this.sliding)
    this.sliding = undefined
    this.button.textContent = t("▶ Slide")
  }
}
