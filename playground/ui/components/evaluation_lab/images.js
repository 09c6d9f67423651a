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
  /**
   * @param {Ask} ask
   * @param {(index: number, title: string) => void} open called with an image that was clicked
   */
  constructor(ask, open) {
    this.ask = ask
    this.open = open
    /** @type {string[]} */
    this.classes = []
    this.fresh = false // whether the images are still to be requested
    this.request = "" // the last one
    this.count = 0 // of images that are shown
    this.box = element("div", "evaluation-images")
    const tools = element("div", "evaluation-tools")
    this.answers = this.list(t("Images"), ANSWERS)
    this.true = this.list(t("True class"))
    this.predicted = this.list(t("Predicted class"))
    this.order = this.list(t("Order"), ORDERS)
    for (const list of [this.answers, this.true, this.predicted, this.order]) {
      const named = element("span", "", list.label)
      named.append(list)
      tools.append(named)
    }
    this.status = element("p", "evaluation-hint")
    this.grid = element("div", "evaluation-cards")
    this.more = element("button", "", t("Show more"))
    this.more.type = "button"
    this.more.onclick = () => this.load(this.count)
    this.more.hidden = true
    this.box.append(tools, this.status, this.grid, this.more)
  }

  /**
   * @param {string} label
   * @param {Record<string, string>} choices a text for each value
   */
  list(label, choices = {}) {
    const list = element("pick-one")
    list.label = label
    list.options = Object.entries(choices).map(([value, title]) => ({ value, title }))
    list.onchange = () => this.load(0)
    return list
  }

  /** @param {Summary} evaluation */
  take({ classes }) {
    this.classes = classes
    for (const list of [this.true, this.predicted]) {
      list.options = [{ value: "", title: t("any") }, ...classes.map((name, index) => ({ value: String(index), title: name }))]
      list.value = ""
    }
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
    const made = cards(answer, this.classes, this.open)
    if (offset) this.grid.append(...made)
    else this.grid.replaceChildren(...made)
    this.status.textContent = answer.total
      ? plural("{shown} of {n} image", "{shown} of {n} images", answer.total, { shown: grouped(this.count), n: grouped(answer.total) })
      : t("No image matches these filters.")
    this.more.hidden = this.count >= answer.total
  }
}
