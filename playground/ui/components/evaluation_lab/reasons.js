// Why an image was predicted as it was: the pixels that are evidence for the predicted class, and those for the class that it rivals with.

import { element } from "../shared/dom.js"
import { evidence } from "../shared/evidence.js"
import { withTerms } from "../shared/term.js"
import { t } from "../shared/text.js"

/**
 * @import { Evidence } from "./documents.js"
 * @import { Ask } from "./types.js"
 */

const SIDE = "8rem"

export class Reasons {
  /** @param {Ask} ask */
  constructor(ask) {
    this.ask = ask
    this.index = -1
    this.box = element("section", "evaluation-reasons")
    this.pictures = element("div", "evaluation-evidence")
    this.box.append(this.pictures, withTerms("p", "evaluation-hint", t("[[Attribution|attribution]] by occlusion: one patch after another is covered. Where the score of a class, its [[logit|logits]], drops, the patch was evidence for it.")))
  }

  /**
   * @param {number} index of the test image
   * @param {string[]} classes
   */
  async show(index, classes) {
    this.index = index
    this.pictures.replaceChildren(element("p", "evaluation-hint", t("Computing the evidence…")))
    const answer = await this.ask("/evidence", { index })
    if (this.index !== index) return
    const titles = answer ? titlesOf(answer, classes) : []
    this.pictures.replaceChildren(...titles.map((title, place) => evidence(title, /** @type {Evidence} */ (answer).attributions[place], SIDE)))
  }
}

/**
 * What the two pictures are called.
 * @param {Pick<Evidence, "true" | "classes">} evidence
 * @param {string[]} names of all classes
 */
export function titlesOf({ true: label, classes: [first, second] }, names) {
  const other = second === label ? t("Evidence for {class}, the true class", { class: names[second] }) : t("Evidence for {class}, the second most probable", { class: names[second] })
  return [first === label ? t("Evidence for {class}, predicted and true", { class: names[first] }) : t("Evidence for {class}, the prediction", { class: names[first] }), other]
}
