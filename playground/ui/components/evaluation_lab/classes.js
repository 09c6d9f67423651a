// Precision, recall and F1 of each class.

import { element } from "../shared/dom.js"
import { grouped } from "../shared/format.js"
import { term } from "../shared/term.js"
import { t } from "../shared/text.js"

/** @import { Average, ClassScores, Summary } from "./documents.js" */

/** @param {number | null} value */
const digits = (value) => (value === null ? "–" : value.toFixed(4))

export class Classes {
  constructor() {
    this.box = element("div")
    this.table = element("table", "evaluation-table")
    const scroll = element("div", "evaluation-scroll")
    scroll.append(this.table)
    this.box.append(scroll)
  }

  /** @param {Summary} evaluation */
  take({ table, macro, weighted, images }) {
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
    const cell = element("td", "evaluation-bar", digits(value))
    cell.style.setProperty("--share", String(value ?? 0))
    return cell
  }

  show() {}
}
