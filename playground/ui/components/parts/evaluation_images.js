// A grid of test images with what they are and what they were named, to be filtered; at first the most certain mistakes.

import { cards } from "./evaluation_cards.js"
import { element } from "./tile.js"

const ANSWERS = { wrong: "named wrongly", right: "named rightly", all: "all" }
const ORDERS = { "most-certain": "most certain first", "least-certain": "least certain first", "in-order": "in their order" }

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
    tools.append(label("Images", this.answers), label("that are", this.true), label("named", this.predicted), label("", this.order))
    for (const input of [this.answers, this.true, this.predicted, this.order]) input.onchange = () => this.load(0)
    this.order.setAttribute("aria-label", "Order")
    this.told = element("p", "evaluation-hint")
    this.grid = element("div", "evaluation-cards")
    this.more = element("button", "", "Show more")
    this.more.type = "button"
    this.more.onclick = () => this.load(this.count)
    this.more.hidden = true
    this.box.append(tools, this.told, this.grid, this.more)
  }

  select(name, choices) {
    const box = element("select")
    box.append(...Object.entries(choices).map(([value, text]) => new Option(text, value)))
    return box
  }

  take(found) {
    this.found = found
    for (const box of [this.true, this.predicted]) box.replaceChildren(new Option("of any class", ""), ...found.classes.map((name, index) => new Option(name, index)))
    this.fresh = true
  }

  show() {
    if (this.fresh) this.load(0)
  }

  async load(offset) {
    this.fresh = false
    const query = { answers: this.answers.value, true: this.true.value, predicted: this.predicted.value, order: this.order.value, offset }
    this.asked = JSON.stringify(query)
    const answer = await this.ask("/pictures", query)
    if (!answer || this.asked !== JSON.stringify(query)) return
    this.count = offset + answer.index.length
    const made = cards(answer, this.found.classes)
    if (offset) this.grid.append(...made)
    else this.grid.replaceChildren(...made)
    this.told.textContent = answer.total ? `${this.count.toLocaleString("en")} of ${answer.total.toLocaleString("en")} images` : "There is no such image."
    this.more.hidden = this.count >= answer.total
  }
}
