// Precision, recall and F1 of each class.

import { element } from "./tile.js"

const digits = (value) => (value === null ? "–" : value.toFixed(4))

export class Classes {
  constructor() {
    this.box = element("div")
    this.table = element("table", "evaluation-table")
    const scroll = element("div", "evaluation-scroll")
    scroll.append(this.table)
    const terms = element("dl", "evaluation-terms")
    const told = {
      Precision: "Of the images that were given this class, the share that is of it.",
      Recall: "Of the images of this class, the share that was found.",
      F1: "Their harmonic mean: 2 · precision · recall ÷ (precision + recall). It is high only where both are.",
      Images: "How many test images there are of it.",
    }
    terms.append(...Object.entries(told).flatMap(([name, text]) => [element("dt", "", name), element("dd", "", text)]))
    this.box.append(scroll, terms)
  }

  take({ table, macro, weighted, images }) {
    const head = element("tr")
    head.append(...["Class", "Precision", "Recall", "F1", "Images"].map((text) => element("th", "", text)))
    const row = (name, { precision, recall, f1 }, count, kind = "") => {
      const line = element("tr", kind)
      line.append(element("th", "", name), ...[precision, recall, f1].map((value) => this.bar(value)), element("td", "", count.toLocaleString("en")))
      return line
    }
    this.table.replaceChildren(
      head,
      ...table.map((one) => row(one.class, one, one.support)),
      row("Mean of the classes", macro, images, "mean"),
      row("Mean by number of images", weighted, images, "mean"),
    )
  }

  bar(value) {
    const cell = element("td", "evaluation-bar", digits(value))
    cell.style.setProperty("--share", value ?? 0)
    return cell
  }

  show() {}
}
