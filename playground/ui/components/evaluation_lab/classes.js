// Precision, recall and F1 of each class.

import { element } from "../shared/dom.js"
import { grouped } from "../shared/format.js"
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
    const terms = element("dl", "evaluation-terms")
    const explanations = [
      [t("Precision"), t("Of the images predicted as this class, the share that belongs to it.")],
      [t("Recall"), t("Of the images of this class, the share predicted as it.")],
      ["F1", t("Their harmonic mean: 2 · precision · recall ÷ (precision + recall). It is high only if both are.")],
      [t("Images"), t("Number of test images of this class.")],
      [t("Macro average"), t("The mean over the classes: each class counts the same.")],
      [t("Weighted average"), t("The mean weighted by the number of images of each class.")],
    ]
    terms.append(...explanations.flatMap(([name, text]) => [element("dt", "", name), element("dd", "", text)]))
    this.box.append(scroll, terms)
  }

  /** @param {Summary} evaluation */
  take({ table, macro, weighted, images }) {
    const head = element("tr")
    head.append(...[t("Class"), t("Precision"), t("Recall"), "F1", t("Images")].map((text) => element("th", "", text)))
    /** @type {(name: string, scores: Average | ClassScores, count: number, kind?: string) => HTMLElement} */
    const row = (name, { precision, recall, f1 }, count, kind = "") => {
      const line = element("tr", kind)
      line.append(element("th", "", name), ...[precision, recall, f1].map((value) => this.bar(value)), element("td", "", grouped(count)))
      return line
    }
    this.table.replaceChildren(
      head,
      ...table.map((one) => row(one.class, one, one.support)),
      row(t("Macro average"), macro, images, "mean"),
      row(t("Weighted average"), weighted, images, "mean"),
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
