// A grid of test images with true and predicted class, to be filtered; at first the mistakes with the highest confidence.

import { element } from "../shared/dom.js"
import { cards } from "./cards.js"

const ANSWERS = { wrong: "misclassified", right: "correctly classified", all: "all" }
const ORDERS = { "most-certain": "highest confidence first", "least-certain": "lowest confidence first", "in-order": "as in the data set" }

export class Images {
  constructor(ask) {
    this.ask = ask
    this.box = element("div")
    const tools = element("div", "evaluation-tools")
    this.answers = this.select("Images", ANSWERS)
    this.true = element("select")
    this.predicted = element("select")
    this.order = this.select("Order", ORDERS)
    const label = (text, input) => { const box = element("label"); input.setAttribute("aria-label", text); box.append(text, input); return box }
    tools.append(label("Images", this.answers), label("True class", this.true), label("Predicted class", this.predicted), label("", this.order))
    for (const input of [this.answers, this.true, this.predicted, this.order]) input.onchange = () => this.load(0)
    this.order.setAttribute("aria-label", "Order")
    this.status = element("p", "evaluation-hint")
    this.grid = element("div", "evaluation-cards")
    this.more = element("button", "", "Show more")
    this.more.type = "button"
    this.more.onclick = () => this.load(this.count)
    this.more.hidden = true
    this.box.append(tools, this.status, this.grid, this.more)
  }

  select(name, choices) {
    const box = element("select")
    box.append(...Object.entries(choices).map(([value, text]) => new Option(text, value)))
    return box
  }

  take(evaluation) {
    this.evaluation = evaluation
    for (const box of [this.true, this.predicted]) box.replaceChildren(new Option("any", ""), ...evaluation.classes.map((name, index) => new Option(name, index)))
    this.fresh = true
  }

  show() {
    if (this.fresh) this.load(0)
  }

  async load(offset) {
    this.fresh = false
    const query = { outcome: this.answers.value, true: this.true.value, predicted: this.predicted.value, order: this.order.value, offset }
    this.request = JSON.stringify(query)
    const answer = await this.ask("/pictures", query)
    if (!answer || this.request !== JSON.stringify(query)) return
    this.count = offset + answer.index.length
    const made = cards(answer, this.evaluation.classes)
    if (offset) this.grid.append(...made)
    else this.grid.replaceChildren(...made)
    this.status.textContent = answer.total ? `${this.count.toLocaleString("en")} of ${answer.total.toLocaleString("en")} images` : "No image matches these filters."
    this.more.hidden = this.count >= answer.total
  }
}
