// Inside the network now: the size of each layer's gradient, and the filters of the first layer.

import { bytesOf, paint } from "../shared/bytes.js"
import { button, element } from "../shared/dom.js"
import { withTerms } from "../shared/term.js"
import { t } from "../shared/text.js"

/** @import { Filters, Moment } from "./documents.js" */

/** @param {number | null | undefined} value */
export const digits = (value) => (value === null || value === undefined ? "" : value === 0 || (Math.abs(value) >= 0.001 && Math.abs(value) < 1000) ? String(Number(value.toPrecision(3))) : value.toExponential(1).replace("-", "−"))

/**
 * Whether a layer is shown among the few that fit: one that only scales has a small gradient of its own, which the list beneath the first screen shows.
 * @param {string} title
 */
export const isWeighing = (title) => !title.includes("Norm")

export class InsideNow {
  /**
   * @param {HTMLElement} box
   * @param {(title: string, layer: number | null) => void} look called when the network is to be shown at work, perhaps with the index of a layer
   */
  constructor(box, look) {
    this.look = look
    this.whole = button(t("The whole network at work"), () => look(t("The network at work"), null), { name: "monitor-small monitor-whole" })
    const header = element("header")
    header.append(element("h2", "", t("Inside the network")), withTerms("span", "monitor-note", t("[[gradient]] size by [[layer]]")), this.whole)
    this.rows = element("div", "monitor-rows")
    this.grid = element("div", "monitor-filters")
    this.grid.title = t("The filters of the first layer: orange weights are positive, blue ones negative.")
    box.append(header, this.rows, this.grid)
    this.drawn = "" // the filters
    /** @type {string[]} */
    this.layers = []
    this.isEnabled = false
  }

  /** @param {boolean} isEnabled whether the network can be looked at */
  enable(isEnabled) {
    this.isEnabled = isEnabled
    for (const each of [this.whole, ...this.rows.querySelectorAll("button")]) each.disabled = !isEnabled
  }

  /** @param {string[]} layers their titles */
  clear(layers) {
    this.layers = layers
    this.drawn = ""
    this.grid.replaceChildren()
    this.rows.replaceChildren(element("p", "monitor-note", t("Bars appear here with the first training steps.")))
  }

  /** @param {Moment} moment */
  show({ gradients, filters }) {
    this.bars(gradients)
    if (filters) this.filters(filters)
  }

  /** @param {(number | null)[]} gradients */
  bars(gradients) {
    const learning = gradients.flatMap((size, index) => (size === null || !isWeighing(this.layers[index]) ? [] : [{ size, index, title: this.layers[index] }]))
    if (!learning.length) return
    const most = Math.max(...learning.map(({ size }) => size))
    if (this.rows.children.length !== learning.length || this.rows.firstElementChild?.tagName === "P") this.rows.replaceChildren(...learning.map(({ title, index }) => this.row(title, index)))
    this.rows.tabIndex = this.rows.scrollHeight > this.rows.clientHeight + 1 ? 0 : -1
    learning.forEach(({ size }, index) => {
      const [, bar, number] = /** @type {HTMLElement[]} */ ([...this.rows.children[index].children])
      bar.style.setProperty("--share", String(most ? size / most : 0))
      number.textContent = digits(size)
    })
  }

  /**
   * @param {string} title
   * @param {number} layer
   */
  row(title, layer) {
    const made = button("", () => this.look(t("{layer} at work", { layer: title }), layer), { name: "monitor-row" })
    made.disabled = !this.isEnabled
    made.append(Object.assign(element("span", "", title), { translate: false }), element("i"), element("b"))
    return made
  }

  /** @param {Filters} filters */
  filters({ step, shape: [count, ...shape], pixels }) {
    const key = `${step} ${getComputedStyle(this.grid).color}` // and the theme
    if (key === this.drawn) return
    this.drawn = key
    const bytes = bytesOf(pixels)
    this.grid.replaceChildren(...Array.from({ length: count }, (_, index) => paint(bytes, index, shape, 1, { signed: true, label: t("Filter {index}", { index }) })))
  }
}
