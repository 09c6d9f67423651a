// Attribution: which pixels are evidence for the predicted class and for the runner-up, by one of several methods.

import { element } from "../shared/dom.js"
import { evidence } from "../shared/evidence.js"
import { withTerms } from "../shared/term.js"
import { t } from "../shared/text.js"

const SIDE = "10.5rem" // the width of a picture

/**
 * @import { Answer, Method } from "./documents.js"
 * @import { Ask } from "./types.js"
 */

export class Why {
  /**
   * @param {Ask} ask
   * @param {string} first what a learner has to do before there is something to explain
   */
  constructor(ask, first) {
    this.ask = ask
    this.first = first
    /** @type {Method[]} */
    this.methods = []
    this.again = () => {} // shows the same with another method
    this.request = {} // the newest one
    this.box = element("section", "why")
    this.choice = element("pick-one")
    this.choice.label = t("Method")
    this.choice.value = "integrated-gradients" // which separates evidence for from evidence against
    this.choice.onchange = () => this.again()
    const label = withTerms("div", "choice", t("[[Method|attribution]]"))
    label.append(" ", this.choice)
    this.explains = element("p", "note")
    this.pictures = element("div", "pictures")
    this.note = element("p", "note")
    this.box.append(label, this.explains, this.pictures, this.note)
  }

  /** @param {Method[]} methods by which this network can be explained */
  offer(methods) {
    this.methods = methods
    this.choice.options = methods.map(({ name, title }) => ({ value: name, title }))
  }

  /**
   * @param {string} model
   * @param {Answer | undefined} answer the network's prediction; none where nothing is drawn
   * @param {string[]} classes the names of its classes
   */
  async show(model, answer, classes) {
    this.again = () => this.show(model, answer, classes)
    const method = this.choice.value
    this.explains.textContent = this.methods.find(({ name }) => name === method)?.explains ?? ""
    if (!answer) return this.pictures.replaceChildren(element("p", "note", this.first))
    const [first, second] = ranking(answer.probabilities)
    /** @type {[title: string, query: Record<string, number>][]} */
    const questions = [
      [t("Evidence for {label}", { label: classes[first] }), { target: first }],
      [t("Evidence for {label}", { label: classes[second] }), { target: second }],
      [t("Evidence for {label} over {other}", { label: classes[first], other: classes[second] }), { target: first, versus: second }],
    ]
    const request = (this.request = {})
    if (!this.pictures.querySelector("canvas")) this.pictures.replaceChildren(element("p", "note", t("Computing the evidence…")))
    const pictures = []
    for (const [title, query] of questions) {
      const one = await this.ask("attribution", { model, method, ...query }, true)
      if (request !== this.request) return
      if (!one) return this.pictures.replaceChildren()
      pictures.push(evidence(title, one, SIDE))
      if (query.versus === undefined && query.target === first) this.note.textContent = one.note
    }
    this.pictures.replaceChildren(...pictures)
  }
}

/**
 * The indices of some numbers, that of the largest first.
 * @param {number[]} shares
 */
export const ranking = (shares) => [...shares.keys()].sort((one, other) => shares[other] - shares[one])
