// The confusion matrix; each cell opens the images behind it.

import { element } from "../shared/dom.js"
import { cards } from "./cards.js"

/** @import { Ask, Pictures, Summary } from "./types.js" */

export class Confusion {
  /** @param {Ask} ask */
  constructor(ask) {
    this.ask = ask
    /** @type {string[]} */
    this.classes = []
    /** @type {number[][]} */
    this.counts = []
    /** @type {{ label: number, predicted: number, button: HTMLButtonElement }[]} */
    this.buttons = []
    this.chosen = { label: 0, predicted: 0 }
    this.box = element("div", "evaluation-confusion")
    this.table = element("table", "evaluation-matrix")
    const scroll = element("div", "evaluation-scroll")
    scroll.append(this.table)
    const left = element("div")
    left.append(scroll, element("p", "evaluation-hint", "Rows: true class. Columns: predicted class. The diagonal counts the correct predictions. Click a number to see its images."))
    this.caption = element("h4")
    this.images = element("div", "evaluation-cards")
    const right = element("div")
    right.append(this.caption, this.images)
    this.box.append(left, right)
  }

  /** @param {Summary} evaluation */
  take({ classes, confusion }) {
    this.classes = classes
    this.counts = confusion
    const head = element("tr")
    head.append(element("th"), ...classes.map((name) => { const cell = element("th", "", name); cell.scope = "col"; cell.title = name; return cell }))
    this.buttons = []
    const longest = Math.max(...classes.map((name) => name.length))
    this.table.style.setProperty("--names", `${Math.min(7, 1.3 + 0.55 * longest)}rem`)
    const rows = confusion.map((counts, label) => {
      const row = element("tr")
      const name = element("th", "", classes[label])
      name.scope = "row"
      const total = counts.reduce((sum, count) => sum + count, 0)
      row.append(name, ...counts.map((count, predicted) => this.cell(label, predicted, count, total)))
      return row
    })
    this.table.replaceChildren(head, ...rows)
    const { label, predicted } = worst(confusion)
    this.choose(label, predicted)
  }

  /**
   * @param {number} label
   * @param {number} predicted
   * @param {number} count
   * @param {number} total of the row
   */
  cell(label, predicted, count, total) {
    const cell = element("td", label === predicted ? "right" : "wrong")
    const button = element("button", count ? "" : "none", String(count))
    button.type = "button"
    button.disabled = !count
    button.setAttribute("aria-label", `True class ${this.classes[label]}, predicted class ${this.classes[predicted]}: ${count}`)
    const share = total ? count / total : 0
    cell.style.setProperty("--share", String(label === predicted ? share : Math.sqrt(share))) // mistakes are few: the square root makes them visible
    button.onclick = () => this.choose(label, predicted)
    this.buttons.push({ label, predicted, button })
    cell.append(button)
    return cell
  }

  /**
   * @param {number} label
   * @param {number} predicted
   */
  async choose(label, predicted) {
    this.chosen = { label, predicted }
    for (const one of this.buttons) one.button.setAttribute("aria-pressed", String(one.label === label && one.predicted === predicted))
    const { classes } = this
    if (!this.counts[label][predicted]) {
      this.caption.textContent = "Every image is correctly classified."
      return this.images.replaceChildren()
    }
    /** @type {Pictures | null} */
    const answer = await this.ask("/pictures", { true: label, predicted, order: "most-certain" })
    if (!answer || this.chosen.label !== label || this.chosen.predicted !== predicted) return
    const which = label === predicted ? `Class ${classes[label]}, correctly classified` : `True class ${classes[label]}, predicted class ${classes[predicted]}`
    this.caption.textContent = answer.total > answer.index.length ? `${which} (the ${answer.index.length} most certain of ${answer.total.toLocaleString("en")})` : `${which} (${answer.total})`
    this.images.replaceChildren(...cards(answer, classes))
  }

  show() {}
}

/**
 * The cell with the most mistakes; the first one of the diagonal where there are none.
 * @param {number[][]} confusion
 */
export function worst(confusion) {
  const wrong = confusion.flatMap((counts, label) => counts.map((count, predicted) => ({ label, predicted, count }))).filter(({ label, predicted }) => label !== predicted)
  return wrong.reduce((most, each) => (each.count > most.count ? each : most), { label: 0, predicted: 0, count: 0 })
}
