// What the network says now: a few fixed test images with the predicted classes.

import { bytesOf, paint } from "../shared/bytes.js"
import { button, element } from "../shared/dom.js"
import { percent } from "../shared/format.js"
import { t } from "../shared/text.js"

/** @import { Gallery, Moment } from "./documents.js" */

const SHOWN = 8

export class Images {
  /**
   * @param {HTMLElement} box
   * @param {HTMLElement} score says how many are right
   * @param {(index: number, name: string) => void} look called with the image that was clicked, and its class
   */
  constructor(box, score, look) {
    this.box = box
    this.score = score
    this.look = look
    /** @type {Gallery | null} */
    this.gallery = null
    this.isEnabled = false
  }

  // Empty frames until the images of another run have come: nothing moves then.
  clear() {
    this.gallery = null
    this.score.textContent = t("No answers yet")
    this.box.replaceChildren(...Array.from({ length: SHOWN }, () => element("span", "monitor-image")))
  }

  /** @param {Gallery} gallery */
  open(gallery) {
    this.gallery = gallery
    const bytes = bytesOf(gallery.pixels)
    this.box.replaceChildren(...gallery.labels.slice(0, SHOWN).map((label, index) => {
      const image = button("", () => this.look(index, gallery.classes[label]), { name: "monitor-image" })
      image.disabled = !this.isEnabled
      image.append(paint(bytes, index, gallery.shape.slice(1), 1, { label: gallery.classes[label] }), element("span", "monitor-caption", "\u00a0"))
      return image
    }))
  }

  /** @param {boolean} isEnabled whether the network can be looked at, at work on an image */
  enable(isEnabled) {
    this.isEnabled = isEnabled
    for (const image of this.box.querySelectorAll("button")) image.disabled = !isEnabled
  }

  /** @param {Moment["predictions"]} predictions */
  show(predictions) {
    const { gallery } = this
    if (!gallery || !predictions.length) return
    let count = 0
    ;[...this.box.children].forEach((figure, index) => {
      const [best] = ranking(predictions[index])
      const isRight = best === gallery.labels[index]
      const chance = percent(predictions[index][best] / 1000, 0)
      count += Number(isRight)
      figure.className = `monitor-image ${isRight ? "right" : "wrong"}`
      const name = element("b", "", isRight ? gallery.classes[best] : t("{class}?", { class: gallery.classes[best] }))
      figure.lastElementChild?.replaceChildren(name, ` ${chance}`)
      figure.setAttribute("title", isRight ? t("Correct: {class}, {probability}", { class: gallery.classes[best], probability: chance })
        : t("Misclassified: {label} was read as {class}, {probability}", { label: gallery.classes[gallery.labels[index]], class: gallery.classes[best], probability: chance }))
    })
    this.score.textContent = t("{right} of {all} correct", { right: count, all: this.box.children.length })
  }
}

/**
 * Classes, the most probable first.
 * @param {number[]} answer the probability of each
 */
export const ranking = (answer) => answer.map((_, index) => index).sort((one, other) => answer[other] - answer[one])
