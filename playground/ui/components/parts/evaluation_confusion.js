// The confusion matrix; each cell opens the images behind it.

import { cards } from "./evaluation_cards.js"
import { element } from "./tile.js"

export class Confusion {
  constructor(ask) {
    this.ask = ask
    this.box = element("div", "evaluation-confusion")
    this.table = element("table", "evaluation-matrix")
    const scroll = element("div", "evaluation-scroll")
    scroll.append(this.table)
    const left = element("div")
    left.append(scroll, element("p", "evaluation-hint", "A row for each true class, a column for each answer: the diagonal is right. Press a number to see its images."))
    this.told = element("h4")
    this.images = element("div", "evaluation-cards")
    const right = element("div")
    right.append(this.told, this.images)
    this.box.append(left, right)
  }

  take(found) {
    this.found = found
    const { classes, confusion } = found
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
      row.append(name, ...counts.map((count, named) => this.cell(label, named, count, total)))
      return row
    })
    this.table.replaceChildren(head, ...rows)
    const wrong = confusion.flatMap((counts, label) => counts.map((count, named) => ({ label, named, count }))).filter(({ label, named }) => label !== named)
    const worst = wrong.reduce((most, each) => (each.count > most.count ? each : most), { count: 0, label: 0, named: 0 })
    this.choose(worst.label, worst.named)
  }

  cell(label, named, count, total) {
    const cell = element("td", label === named ? "right" : "wrong")
    const button = element("button", count ? "" : "none", String(count))
    button.type = "button"
    button.disabled = !count
    const { classes } = this.found
    button.setAttribute("aria-label", `${count} images of ${classes[label]} named ${classes[named]}`)
    // Mistakes are few: the root makes them visible.
    cell.style.setProperty("--share", label === named ? (total ? count / total : 0) : Math.sqrt(total ? count / total : 0))
    button.onclick = () => this.choose(label, named)
    this.buttons.push({ label, named, button })
    cell.append(button)
    return cell
  }

  async choose(label, named) {
    this.chosen = { label, named }
    for (const one of this.buttons) one.button.setAttribute("aria-pressed", one.label === label && one.named === named)
    const { classes, confusion } = this.found
    const count = confusion[label][named]
    if (!count) {
      this.told.textContent = "Every image was named rightly."
      return this.images.replaceChildren()
    }
    const answer = await this.ask("/pictures", { true: label, predicted: named, order: "most-certain" })
    if (!answer || this.chosen.label !== label || this.chosen.named !== named) return
    const which = label === named ? `${classes[label]}, named rightly` : `${classes[label]}, taken for ${classes[named]}`
    this.told.textContent = answer.total > answer.index.length ? `${which}: the ${answer.index.length} most certain of ${answer.total.toLocaleString("en")}` : `${which}: ${answer.total}`
    this.images.replaceChildren(...cards(answer, classes))
  }

  show() {}
}
