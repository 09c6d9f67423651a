// Precision, recall and F1 of each class, as numbers and as bars.

import { element } from "../shared/dom.js"
import { grouped, percent } from "../shared/format.js"
import { draw } from "../shared/templates.js"
import { marked, term } from "../shared/term.js"
import { t } from "../shared/text.js"

/** @import { Average, ClassScores, Summary } from "./documents.js" */

export class Classes {
  constructor() {
    this.box = element("div", "evaluation-classes")
    this.summary = element("p", "evaluation-summary")
    this.table = element("table", "evaluation-table")
    const scroll = element("div", "evaluation-scroll")
    scroll.append(this.table)
    this.box.append(this.summary, scroll)
  }

  /** @param {Summary} evaluation */
  take({ table, macro, weighted, images }) {
    draw(this.summary, marked(lowest(table)))
    const head = element("tr")
    const titles = [t("Class"), term("precision", t("Precision")), term("recall", t("Recall")), term("F1"), t("Images")]
    head.append(...titles.map((title) => { const cell = element("th"); cell.append(title); return cell }))
    /** @type {(name: string | HTMLElement, scores: Average | ClassScores, count: number, kind?: string) => HTMLElement} */
    const row = (name, { precision, recall, f1 }, count, kind = "") => {
      const line = element("tr", kind)
      const title = element("th")
      title.append(name)
      line.append(title, ...[precision, recall, f1].map((value) => this.bar(value)), element("td", "", grouped(count)))
      return line
    }
    this.table.replaceChildren(
      head,
      ...table.map((one) => row(one.class, one, one.support)),
      row(term("macro average", t("Macro average")), macro, images, "mean"),
      row(term("weighted average", t("Weighted average")), weighted, images, "mean"),
    )
  }

  /** @param {number | null} value */
  bar(value) {
    const cell = element("td", "evaluation-score")
    const bar = element("span", "evaluation-bar")
    bar.style.setProperty("--share", String(value ?? 0))
    cell.append(bar, element("span", "", percent(value)))
    return cell
  }

  show() {}
}

/**
 * Which class is the hardest; terms are in double brackets.
 * @param {ClassScores[]} table
 */
export function lowest(table) {
  const { class: name, f1, precision, recall } = table.reduce((least, each) => ((each.f1 ?? 1) < (least.f1 ?? 1) ? each : least))
  return t("Class {class} has the lowest [[F1]], {f1}: its [[precision]] is {precision}, its [[recall]] {recall}.", { class: name, f1: percent(f1), precision: percent(precision), recall: percent(recall) })
}
