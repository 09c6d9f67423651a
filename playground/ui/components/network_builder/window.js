// Animates a convolution or pooling: its window, with dilation, slides over the padded input and computes one output cell at a time.

import { element } from "../shared/dom.js"

const SPACE = "http://www.w3.org/2000/svg"
const PACE = 500 // milliseconds a place
const MOST = 12 // cells of a side that are drawn; of a larger input its upper left corner

const outputs = (size, { kernel, stride, padding, dilation }) => Math.floor((size + 2 * padding - dilation * (kernel - 1) - 1) / stride) + 1

export class Window {
  constructor() {
    this.box = element("figure", "window")
    this.caption = element("figcaption", "fact")
    this.input = document.createElementNS(SPACE, "svg")
    this.output = document.createElementNS(SPACE, "svg")
    this.button = element("button", "slide", "▶ Slide")
    this.button.type = "button"
    this.button.onclick = () => (this.sliding ? this.stop() : this.slide())
    const row = element("div", "grids")
    row.append(this.input, element("span", "arrow", "→"), this.output)
    this.box.append(this.caption, row, this.button)
  }

  // `size` is the height of the layer's input; of a wide image the rows tell enough.
  show(size, settings) {
    this.stop()
    const padding = settings.padding ?? 0, dilation = settings.dilation ?? 1
    this.settings = { kernel: settings.kernel_size, stride: settings.stride ?? settings.kernel_size, padding, dilation }
    const span = dilation * (this.settings.kernel - 1) + 1
    this.size = Math.min(size, Math.max(MOST - 2 * padding, span - 2 * padding, 1))
    this.corner = this.size < size
    this.count = outputs(this.size, this.settings)
    this.caption.textContent = this.corner ? `The upper left corner, ${this.size}×${this.size} of ${size}×${size} pixels. The window computes one output cell, then moves by the stride.` : "The window computes one output cell, then moves by the stride."
    this.box.hidden = this.count < 1
    if (this.count >= 1) this.draw(0)
  }

  draw(at) {
    this.at = at % (this.count * this.count)
    const { kernel, stride, padding, dilation } = this.settings
    const row = Math.floor(this.at / this.count) * stride, column = (this.at % this.count) * stride
    const whole = this.size + 2 * padding
    const seen = (y, x) => { const dy = y - row, dx = x - column; return dy >= 0 && dx >= 0 && dy % dilation === 0 && dx % dilation === 0 && dy / dilation < kernel && dx / dilation < kernel }
    const padded = (y, x) => y < padding || x < padding || y >= whole - padding || x >= whole - padding
    this.grid(this.input, whole, (y, x) => `${padded(y, x) ? "pad" : "pixel"}${seen(y, x) ? " seen" : ""}`)
    this.grid(this.output, this.count, (y, x) => (y * this.count + x === this.at ? "made" : y * this.count + x < this.at ? "done" : "pixel"), (place) => { this.stop(); this.draw(place) })
    this.input.setAttribute("aria-label", `Input of ${whole} by ${whole} cells with its padding; the window covers ${kernel} by ${kernel} of them`)
    this.output.setAttribute("aria-label", `Output of ${this.count} by ${this.count} cells`)
  }

  grid(svg, side, look, point) {
    const cell = Math.min(22, 250 / side)
    svg.setAttribute("viewBox", `0 0 ${side * cell} ${side * cell}`)
    svg.setAttribute("width", side * cell)
    svg.setAttribute("height", side * cell)
    svg.setAttribute("role", "img")
    const cells = []
    for (let y = 0; y < side; y++) {
      for (let x = 0; x < side; x++) {
        const drawn = document.createElementNS(SPACE, "rect")
        for (const [name, value] of Object.entries({ x: x * cell + 1, y: y * cell + 1, width: cell - 2, height: cell - 2, rx: 2, class: look(y, x) })) drawn.setAttribute(name, value)
        if (point) drawn.onpointerenter = () => point(y * side + x)
        cells.push(drawn)
      }
    }
    svg.replaceChildren(...cells)
  }

  slide() {
    this.sliding = setInterval(() => this.draw(this.at + 1), PACE)
    this.button.textContent = "❙❙ Stop"
  }

  stop() {
    clearInterval(this.sliding)
    this.sliding = null
    this.button.textContent = "▶ Slide"
  }
}
