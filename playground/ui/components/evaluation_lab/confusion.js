// The confusion matrix. It is one stop of the Tab key: the arrow keys walk from cell to cell, and each cell opens the images behind it.

import { element } from "../shared/dom.js"
import { grouped, percent } from "../shared/format.js"
import { draw } from "../shared/templates.js"
import { marked, withTerms } from "../shared/term.js"
import { plural, t } from "../shared/text.js"
import { cards } from "./cards.js"

/**
 * @import { Summary } from "./documents.js"
 * @import { Ask } from "./types.js"
 */

/** @typedef {{ label: number, predicted: number }} Place the row and the column of a cell */

/** @type {Record<string, (place: Place, last: number) => Place>} */
const STEPS = {
  ArrowLeft: ({ label, predicted }) => ({ label, predicted: Math.max(0, predicted - 1) }),
  ArrowRight: ({ label, predicted }, last) => ({ label, predicted: Math.min(last, predicted + 1) }),
  ArrowUp: ({ label, predicted }) => ({ label: Math.max(0, label - 1), predicted }),
  ArrowDown: ({ label, predicted }, last) => ({ label: Math.min(last, label + 1), predicted }),
  Home: ({ label }) => ({ label, predicted: 0 }),
  End: ({ label }, last) => ({ label, predicted: last }),
}

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
    /** @type {HTMLElement[][]} */
    this.cells = []
    /** @type {Place} */
    this.chosen = { label: 0, predicted: 0 }
    this.box = element("div", "evaluation-confusion")
    this.table = element("table", "evaluation-matrix")
    this.table.role = "grid"
    this.table.setAttribute("aria-label", t("Confusion matrix"))
    this.table.onpointerleave = () => this.tell(this.chosen)
    this.scroll = element("div", "evaluation-scroll") // a phone has no room for all classes
    this.scroll.append(this.table)
    this.sentence = element("p", "evaluation-sentence")
    const hint = withTerms("p", "evaluation-hint", t("The diagonal of a [[confusion matrix]] counts the correct [[predictions|prediction]]. Choose a number to see its images."))
    const figure = element("div", "evaluation-figure")
    figure.append(withTerms("span", "evaluation-across", t("[[Predicted class|predicted class]] →")), element("span", "evaluation-down", t("True class →")), this.scroll)
    const left = element("div", "evaluation-left")
    left.append(figure, this.sentence, hint)
    this.caption = element("h2")
    this.caption.setAttribute("aria-live", "polite")
    this.images = element("div", "evaluation-cards")
    const right = element("div", "evaluation-right")
    right.append(this.caption, this.images)
    this.box.append(left, right)
  }

  /** @param {Summary} evaluation */
  take({ classes, confusion }) {
    this.classes = classes
    this.counts = confusion
    const head = element("tr")
    head.append(element("td"), ...classes.map((name) => heading(name, "col")))
    this.cells = confusion.map((counts, label) => counts.map((_, predicted) => this.cell({ label, predicted })))
    this.table.replaceChildren(head, ...this.cells.map((cells, label) => { const row = element("tr"); row.append(heading(classes[label], "row"), ...cells); return row }))
    this.table.style.setProperty("--classes", String(classes.length))
    this.table.classList.toggle("named", classes.some((name) => name.length > 2))
    this.choose(worst(confusion))
  }

  /** @param {Place} place */
  cell(place) {
    const { label, predicted } = place
    const right = label === predicted
    const count = this.counts[label][predicted]
    const share = count / (sum(this.counts[label]) || 1)
    const cell = element("td", right ? "right" : count ? "wrong" : "none", grouped(count))
    cell.role = "gridcell"
    cell.setAttribute("aria-label", t("True class {class}, predicted class {predicted}: {count}", { class: this.classes[label], predicted: this.classes[predicted], count }))
    cell.style.setProperty("--share", String(right ? share : Math.sqrt(share))) // mistakes are few: the square root makes them visible
    cell.onclick = () => this.choose(place)
    cell.onpointerenter = cell.onfocus = () => this.tell(place)
    cell.onblur = () => this.tell(this.chosen)
    cell.onkeydown = (event) => this.press(event, place)
    return cell
  }

  /**
   * @param {KeyboardEvent} event
   * @param {Place} place
   */
  press(event, place) {
    const opens = event.key === "Enter" || event.key === " "
    const next = step(event.key, place, this.classes.length - 1)
    if (!opens && !next) return
    event.preventDefault()
    if (opens) return this.choose(place)
    this.reach(next)
    this.cells[next.label][next.predicted].focus()
  }

  /**
   * Let the Tab key come to this cell.
   * @param {Place} place
   */
  reach(place) {
    for (const [label, row] of this.cells.entries()) for (const [predicted, cell] of row.entries()) cell.tabIndex = label === place.label && predicted === place.predicted ? 0 : -1
  }

  /**
   * Scroll the matrix sideways until a cell stands in it, beside the names of the rows.
   * @param {HTMLElement} cell
   */
  bring({ offsetLeft, offsetWidth }) {
    const names = this.cells[0][0].offsetLeft
    this.scroll.scrollLeft = Math.min(offsetLeft - names, Math.max(this.scroll.scrollLeft, offsetLeft + offsetWidth - this.scroll.clientWidth))
  }

  /** @param {Place} place */
  tell({ label, predicted }) {
    draw(this.sentence, marked(sentence(this.classes, this.counts, { label, predicted })))
  }

  /** @param {Place} place */
  async choose(place) {
    const { label, predicted } = (this.chosen = place)
    this.reach(place)
    for (const [row, cells] of this.cells.entries()) for (const [column, cell] of cells.entries()) cell.ariaSelected = String(row === label && column === predicted)
    this.bring(this.cells[label][predicted])
    this.tell(place)
    const count = this.counts[label][predicted]
    const answer = count ? await this.ask("/pictures", { true: label, predicted, order: "most-certain" }) : null
    if (this.chosen !== place || (count && !answer)) return
    const shown = answer?.index.length ?? 0
    draw(this.caption, marked(!count ? "" : shown < count
      ? t("The {shown} images with the highest [[confidence]], of {count}", { shown, count: grouped(count) })
      : plural("{n} image, the highest [[confidence]] first", "{n} images, the highest [[confidence]] first", count)))
    this.images.replaceChildren(...(answer ? cards(answer, this.classes, this.open) : []))
  }

  show() {}
}

/**
 * @param {string} name of a class
 * @param {"row" | "col"} scope
 */
function heading(name, scope) {
  const cell = element("th", "", name)
  cell.scope = scope
  cell.title = name
  return cell
}

/** @param {number[]} numbers */
const sum = (numbers) => numbers.reduce((total, one) => total + one, 0)

/**
 * What the number in a cell says; terms are in double brackets.
 * @param {string[]} classes
 * @param {number[][]} confusion
 * @param {Place} place
 */
export function sentence(classes, confusion, { label, predicted }) {
  const count = confusion[label][predicted]
  const total = sum(confusion[label])
  const values = { n: grouped(count), total: grouped(total), class: classes[label], predicted: classes[predicted] }
  if (label !== predicted && !count) return t("No image of class {class} was predicted as {predicted}.", values)
  if (label !== predicted) return plural("{n} of {total} images of class {class} was predicted as {predicted}.", "{n} of {total} images of class {class} were predicted as {predicted}.", count, values)
  const share = percent(total ? count / total : null)
  return plural("{n} of {total} images of class {class} was classified correctly: [[recall]] {share}.", "{n} of {total} images of class {class} were classified correctly: [[recall]] {share}.", count, { ...values, share })
}

/**
 * The cell with the most mistakes; the first one of the diagonal where there are none.
 * @param {number[][]} confusion
 * @returns {Place}
 */
export function worst(confusion) {
  const wrong = confusion.flatMap((counts, label) => counts.map((count, predicted) => ({ label, predicted, count }))).filter(({ label, predicted }) => label !== predicted)
  const { label, predicted } = wrong.reduce((most, each) => (each.count > most.count ? each : most), { label: 0, predicted: 0, count: 0 })
  return { label, predicted }
}

/**
 * The cell that a key leads to; undefined for another key.
 * @param {string} key
 * @param {Place} place
 * @param {number} last row and column
 */
export const step = (key, place, last) => STEPS[key]?.(place, last)
