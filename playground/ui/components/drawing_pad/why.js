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
   * @param {() => void} changed called when another method is chosen
   * @param {string} first what a learner has to do before there is something to explain
   */
  constructor(ask, changed, first) {
    this.ask = ask
    this.first = first
    /** @type {Method[]} */
    this.methods = []
    this.request = {} // the newest one
    this.box = element("section", "why")
    this.choice = element("pick-one")
    this.choice.label = t("Method")
    this.choice.value = "integrated-gradients" // which separates evidence for from evidence against
    this.choice.onchange = () => {
      this.drop()
      this.describe()
      changed()
    }
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
    this.describe()
  }

  /** Say how the method works. */
  describe() {
    this.explains.textContent = this.methods.find(({ name }) => name === this.choice.value)?.explains ?? ""
  }

  /** What is shown, or on its way, is about another drawing, or of another method. */
  drop() {
    this.request = {}
    this.box.classList.add("old")
  }

  /**
   * @param {string} model
   * @param {Answer | undefined} answer the network's prediction; none where nothing is drawn, without probabilities for a sign
   * @param {string[]} classes the names of its classes
   */
  async show(model, answer, classes) {
    const method = this.choice.value
    if (!answer?.probabilities.length) {
      this.note.textContent = ""
      return this.pictures.replaceChildren(element("p", "note", this.first))
    }
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
      if (request !== this.request) return // the drawing has changed meanwhile
      if (!one) return this.pictures.replaceChildren()
      pictures.push(evidence(title, one, SIDE))
      if (query.versus === undefined && query.target === first) this.note.textContent = one.note
    }
    this.pictures.replaceChildren(...pictures)
    this.box.classList.remove("old")
  }
}

/**
 * The indices of some numbers, that of the largest first.
 * @param {number[]} shares
 */
export const ranking = (shares) => [...shares.keys()].sort((one, other) => shares[other] - shares[one])
