// The confusion matrix; each cell opens the images behind it.

import { element } from "../shared/dom.js"
import { grouped } from "../shared/format.js"
import { withTerms } from "../shared/term.js"
import { t } from "../shared/text.js"
import { cards } from "./cards.js"

/**
 * @import { Summary } from "./documents.js"
 * @import { Ask } from "./types.js"
 */

export class Confusion {
  /**
   * @param {Ask} ask
   * @param {(index: number, title: string) => void} open called with an image that was clicked
   */
  constructor(ask, open) {
    this.ask = ask
    this.open = open
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
    const hint = withTerms("p", "evaluation-hint", t("This [[confusion matrix]] has the true class in rows and the predicted class in columns. The diagonal counts the correct predictions. Click a number to see its images."))
    left.append(scroll, hint)
    this.caption = element("h2")
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
    head.append(element("td"), ...classes.map((name) => { const cell = element("th", "", name); cell.scope = "col"; cell.title = name; return cell }))
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
    const values = { class: this.classes[label], predicted: this.classes[predicted], count }
    button.setAttribute("aria-label", t("True class {class}, predicted class {predicted}: {count}", values))
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
      this.caption.textContent = t("Every image is correctly classified.")
      return this.images.replaceChildren()
    }
    const answer = await this.ask("/pictures", { true: label, predicted, order: "most-certain" })
    if (!answer || this.chosen.label !== label || this.chosen.predicted !== predicted) return
    const names = { class: classes[label], predicted: classes[predicted] }
    const which = label === predicted ? t("Class {class}, correctly classified", names) : t("True class {class}, predicted class {predicted}", names)
    this.caption.textContent = answer.total > answer.index.length
      ? t("{which} (the {shown} most certain of {total})", { which, shown: answer.index.length, total: grouped(answer.total) })
      : `${which} (${answer.total})`
    this.images.replaceChildren(...cards(answer, classes, this.open))
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
