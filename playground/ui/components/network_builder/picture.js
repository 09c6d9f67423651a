// The picture of the network in its box, which it fills.

import { picture } from "./blocks.js"

/**
 * @import { Look, Step } from "./blocks.js"
 */
/**
 * What is shown; `chosen` and `wrong` are indices of layers, −1 of the input.
 * @typedef {{ input: number[], steps: Step[], chosen?: number, wrong?: number }} Shown
 */

const NARROW = 600, WIDE_LAYER = 72 // pixels: below this width of the box the picture is scrolled, with so many for a layer

export class Picture {
  /**
   * @param {HTMLElement} box
   * @param {(index: number) => void} choose called with the layer that is clicked
   */
  constructor(box, choose) {
    this.box = box
    /** @type {Shown} */
    this.shown = { input: [], steps: [] }
    this.drawn = "" // the svg in the box
    /** @type {Map<number, number>} the middle of each layer in pixels */
    this.centres = new Map()
    box.onclick = ({ target }) => {
      const piece = target instanceof Element ? target.closest(".piece") : null
      if (piece instanceof SVGElement) choose(Number(piece.dataset.index))
    }
    this.observer = new ResizeObserver(() => this.draw())
    this.observer.observe(box)
  }

  /** @param {Shown} shown */
  show(shown) {
    this.shown = shown
    this.draw()
  }

  draw() {
    const { input, steps, chosen, wrong } = this.shown
    const { clientWidth, clientHeight } = this.box
    if (!clientWidth || !input.length) return
    const size = parseFloat(getComputedStyle(this.box).getPropertyValue("--size-small")) * parseFloat(getComputedStyle(document.documentElement).fontSize)
    const least = clientWidth < NARROW ? WIDE_LAYER : undefined
    const look = { width: clientWidth, height: clientHeight, least, size, chosen, wrong, lit: "var(--accent)", red: "var(--wrong)", font: "inherit" }
    const { svg, centres } = picture(input, steps, look)
    this.centres = centres
    if (svg === this.drawn) return
    this.drawn = svg
    this.box.innerHTML = svg
    if (this.box.scrollWidth > clientWidth) this.box.tabIndex = 0 // so that the arrow keys scroll it
    else this.box.removeAttribute("tabindex")
  }

  /** The same as a document of its own, on white. */
  saved() {
    const { input, steps } = this.shown
    return picture(input, steps, { width: Math.max(this.box.clientWidth, 600), height: 300, text: "#1F2126" }).svg
  }

  close() {
    this.observer.disconnect()
  }
}
