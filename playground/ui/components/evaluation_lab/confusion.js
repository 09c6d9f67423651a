// The confusion matrix; each cell opens the images behind it.

import { element } from "../shared/dom.js"
import { cards } from "./cards.js"

export class Confusion {
  constructor(ask) {
    this.ask = ask
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

  take(evaluation) {
    this.evaluation = evaluation
    const { classes, confusion } = evaluation
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
    const wrong = confusion.flatMap((counts, label) => counts.map((count, predicted) => ({ label, predicted, count }))).filter(({ label, predicted }) => label !== predicted)
    const worst = wrong.reduce((most, each) => (each.count > most.count ? each : most), { count: 0, label: 0, predicted: 0 })
    this.choose(worst.label, worst.predicted)
  }

  cell(label, predicted, count, total) {
    const cell = element("td", label === predicted ? "right" : "wrong")
    const button = element("button", count ? "" : "none", String(count))
    button.type = "button"
    button.disabled = !count
    const { classes } = this.evaluation
    button.setAttribute("aria-label", `True class ${classes[label]}, predicted class ${classes[predicted]}: ${count}`)
    // Mistakes are few: the square root makes them visible.
    cell.style.setProperty("--share", label === predicted ? (total ? count / total : 0) : Math.sqrt(total ? count / total : 0))
    button.onclick = () => this.choose(label, predicted)
    this.buttons.push({ label, predicted, button })
    cell.append(button)
    return cell
  }

  async choose(label, predicted) {
    this.chosen = { label, predicted }
    for (const one of this.buttons) one.button.setAttribute("aria-pressed", one.label === label && one.predicted === predicted)
    const { classes, confusion } = this.evaluation
    const count = confusion[label][predicted]
    if (!count) {
      this.caption.textContent = "Every image is correctly classified."
      return this.images.replaceChildren()
    }
    const answer = await this.ask("/pictures", { true: label, predicted, order: "most-certain" })
    if (!answer || this.chosen.label !== label || this.chosen.predicted !== predicted) return
    const which = label === predicted ? `Class ${classes[label]}, correctly classified` : `True class ${classes[label]}, predicted class ${classes[predicted]}`
    this.caption.textContent = answer.total > answer.index.length ? `${which} (the ${answer.index.length} most certain of ${answer.total.toLocaleString("en")})` : `${which} (${answer.total})`
    this.images.replaceChildren(...cards(answer, classes))
  }

  show() {}
}
