// A dozen fixed test images and their predictions during training.

import { bytesOf, paint } from "../shared/bytes.js"
import { element } from "../shared/dom.js"
import { percent } from "../shared/format.js"
import { t } from "../shared/text.js"
import { Timeline } from "./timeline.js"

/** @import { Inside } from "./documents.js" */

const TOP = 3

export class Images {
  constructor() {
    /** @type {Inside | null} */
    this.seen = null
    this.box = element("div", "monitor-images")
    this.timeline = new Timeline(() => this.draw())
    this.status = element("p", "monitor-hint")
    this.cards = element("div", "monitor-cards")
    this.box.append(this.status, this.timeline.box, this.cards)
  }

  /** @param {Inside | null} seen */
  show(seen) {
    this.seen = seen
    this.timeline.show(seen?.snapshots ?? [])
    this.draw()
  }

  draw() {
    const { seen } = this
    if (!seen?.snapshots.length) {
      this.status.textContent = t("Images appear here after the first training steps.")
      return this.cards.replaceChildren()
    }
    const { shape, pixels, labels, classes, predictions } = seen.gallery
    const bytes = bytesOf(pixels)
    const answer = predictions[this.timeline.at]
    const right = answer.filter((each, index) => ranking(each)[0] === labels[index]).length
    this.status.textContent = t("The same {n} test images throughout, never used for training. At this step, {right} of {n} are correctly classified.", {
      n: labels.length, right,
    })
    this.cards.replaceChildren(...labels.map((label, index) => {
      const ranked = ranking(answer[index])
      const good = ranked[0] === label
      const card = element("figure", `monitor-card ${good ? "right" : "wrong"}`)
      const caption = element("figcaption", "", `${good ? "✓" : "✗"} ${classes[label]}`)
      const bars = element("div", "monitor-bars")
      for (const one of ranked.slice(0, TOP)) {
        const bar = element("div", one === label ? "true" : "")
        const share = answer[index][one] / 1000
        bar.style.setProperty("--share", String(share))
        bar.append(element("span", "", classes[one]), element("b", "", percent(share, 0)))
        bars.append(bar)
      }
      card.append(paint(bytes, index, shape.slice(1), 64 / shape[3], { label: classes[label] }), caption, bars)
      return card
    }))
  }
}

/**
 * Classes, the most probable first.
 * @param {number[]} answer the probability of each
 */
export const ranking = (answer) => answer.map((_, index) => index).sort((one, other) => answer[other] - answer[one])
