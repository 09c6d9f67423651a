// A grid of test images with true and predicted class, to be filtered; at first the mistakes with the highest confidence.

import { element } from "../shared/dom.js"
import { grouped } from "../shared/format.js"
import { plural, t } from "../shared/text.js"
import { cards } from "./cards.js"

/**
 * @import { Summary } from "./documents.js"
 * @import { Ask } from "./types.js"
 */

const ANSWERS = { wrong: t("misclassified"), right: t("correctly classified"), all: t("all") }
const ORDERS = { "most-certain": t("highest confidence first"), "least-certain": t("lowest confidence first"), "in-order": t("as in the data set") }

export class Images {
  /** @param {Ask} ask */
  constructor(ask) {
    this.ask = ask
    /** @type {string[]} */
    this.classes = []
    this.fresh = false // whether the images are still to be requested
    this.request = "" // the last one
    this.count = 0 // of images that are shown
    this.box = element("div")
    const tools = element("div", "evaluation-tools")
    this.answers = this.select(ANSWERS)
    this.true = element("select")
    this.predicted = element("select")
    this.order = this.select(ORDERS)
    /** @type {(text: string, input: HTMLElement) => HTMLElement} */
    const label = (text, input) => { const box = element("label"); input.setAttribute("aria-label", text); box.append(text, input); return box }
    tools.append(label(t("Images"), this.answers), label(t("True class"), this.true), label(t("Predicted class"), this.predicted), label("", this.order))
    for (const input of [this.answers, this.true, this.predicted, this.order]) input.onchange = () => this.load(0)
    this.order.setAttribute("aria-label", t("Order"))
    this.status = element("p", "evaluation-hint")
    this.grid = element("div", "evaluation-cards")
    this.more = element("button", "", t("Show more"))
    this.more.type = "button"
    this.more.onclick = () => this.load(this.count)
    this.more.hidden = true
    this.box.append(tools, this.status, this.grid, this.more)
  }

  /** @param {Record<string, string>} choices a text for each value */
  select(choices) {
    const box = element("select")
    box.append(...Object.entries(choices).map(([value, text]) => new Option(text, value)))
    return box
  }

  /** @param {Summary} evaluation */
  take({ classes }) {
    this.classes = classes
    for (const box of [this.true, this.predicted]) box.replaceChildren(new Option(t("any"), ""), ...classes.map((name, index) => new Option(name, String(index))))
    this.fresh = true
  }

  show() {
    if (this.fresh) this.load(0)
  }

  /** @param {number} offset how many images are shown already */
  async load(offset) {
    this.fresh = false
    const query = { outcome: this.answers.value, true: this.true.value, predicted: this.predicted.value, order: this.order.value, offset }
    this.request = JSON.stringify(query)
    const answer = await this.ask("/pictures", query)
    if (!answer || this.request !== JSON.stringify(query)) return
    this.count = offset + answer.index.length
    const made = cards(answer, this.classes)
    if (offset) this.grid.append(...made)
    else this.grid.replaceChildren(...made)
    this.status.textContent = answer.total
      ? plural("{shown} of {n} image", "{shown} of {n} images", answer.total, { shown: grouped(this.count), n: grouped(answer.total) })
      : t("No image matches these filters.")
    this.more.hidden = this.count >= answer.total
  }
}
