// Shows how a network classifies every test image. The numbers are fetched once, images when they are opened.

import { address, request } from "../shared/client.js"
import { element } from "../shared/dom.js"
import { percent } from "../shared/format.js"
import { mounting } from "../shared/mounting.js"
import { Calibration } from "./calibration.js"
import { Classes } from "./classes.js"
import { Confusion } from "./confusion.js"
import { Features } from "./features.js"
import { Images } from "./images.js"

const VIEWS = { confusion: "Confusion matrix", classes: "By class", images: "Images", calibration: "Calibration", features: "Features" }

class Evaluation {
  constructor(root) {
    this.root = root.querySelector(".evaluation")
    this.find = (name) => this.root.querySelector(name)
    const ask = (path, query) => this.ask(path, query)
    const sheet = () => address("api/evaluation/sheet", this.data)
    this.parts = { confusion: new Confusion(ask), classes: new Classes(), images: new Images(ask), calibration: new Calibration(), features: new Features(ask, sheet) }
    this.find(".evaluation-views").append(...Object.entries(VIEWS).map(([name, title]) => {
      const button = element("button", "", title)
      Object.assign(button, { type: "button", role: "tab", onclick: () => this.open(name) })
      button.dataset.view = name
      return button
    }))
    this.view = "confusion"
  }

  update({ data }) {
    const requested = `${data.model} ${data.dataset}`
    this.data = data
    if (requested !== this.requested) {
      this.requested = requested
      this.look(requested)
    } else if (this.evaluation) this.open(this.view) // the theme may have changed
  }

  async ask(path, query = {}) {
    const requested = this.requested
    const answer = await request(`api/evaluation${path}`, { query: { ...this.data, ...query } })
    if (requested !== this.requested || this.closed) return null
    return answer.error ? this.showMessage(answer.error) : answer
  }

  showMessage(message) {
    this.root.setAttribute("aria-busy", "false")
    this.find(".evaluation-status").textContent = message
    return null
  }

  async look(requested) {
    this.root.setAttribute("aria-busy", "true")
    this.find(".evaluation-status").textContent = "Evaluating the network on all test images…"
    const evaluation = await this.ask("")
    if (!evaluation || requested !== this.requested) return
    this.evaluation = evaluation
    this.showMessage("")
    this.find(".evaluation-facts").hidden = this.find(".evaluation-views").hidden = false
    const right = evaluation.confusion.reduce((sum, row, index) => sum + row[index], 0)
    this.fact("accuracy", percent(evaluation.accuracy, 2))
    this.fact("right", `${right.toLocaleString("en")} of ${evaluation.images.toLocaleString("en")}`)
    this.fact("loss", evaluation.loss.toPrecision(3))
    this.fact("f1", evaluation.macro.f1.toFixed(4))
    this.fact("calibration", percent(evaluation.calibration.expected_error, 2))
    this.find(".evaluation-honesty").textContent = evaluation.leakage
    Object.values(this.parts).forEach((one) => one.take(evaluation))
    this.open(this.view)
  }

  fact(name, text) {
    this.find(`[data-fact="${name}"]`).textContent = text
  }

  open(name) {
    this.view = name
    this.root.querySelectorAll("[data-view]").forEach((button) => button.setAttribute("aria-selected", button.dataset.view === name))
    this.find(".evaluation-view").replaceChildren(this.parts[name].box)
    this.parts[name].show()
  }

  close() {
    this.closed = true
    Object.values(this.parts).forEach((one) => one.close?.())
  }
}

export default mounting(Evaluation)
