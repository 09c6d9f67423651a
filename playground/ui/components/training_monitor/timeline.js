// A slider over the recorded steps. It stays at the newest until it is moved, and can be played.

import { element } from "../shared/dom.js"
import { grouped } from "../shared/format.js"
import { t } from "../shared/text.js"

const FRAME_MS = 180

export class Timeline {
  /** @param {() => void} changed called when the slider has moved */
  constructor(changed) {
    this.changed = changed
    this.follows = true
    this.at = 0
    /** @type {number[]} */
    this.steps = []
    /** @type {number | undefined} while it plays */
    this.timer = undefined
    this.box = element("div", "monitor-timeline")
    this.slider = element("input")
    Object.assign(this.slider, { type: "range", min: 0, max: 0, value: 0 })
    this.slider.setAttribute("aria-label", t("Step"))
    this.slider.oninput = () => { this.stop(); this.go(Number(this.slider.value)) }
    this.button = element("button", "", t("Play"))
    this.button.type = "button"
    this.button.onclick = () => (this.timer ? this.stop() : this.play())
    this.label = element("span", "monitor-at")
    this.box.append(this.button, this.slider, this.label)
  }

  /** @param {number[]} steps */
  show(steps) {
    this.steps = steps
    this.box.hidden = steps.length < 2
    this.slider.max = String(Math.max(0, steps.length - 1))
    if (this.follows || this.at >= steps.length) this.at = Math.max(0, steps.length - 1)
    this.mark()
  }

  /** @param {number} at the index of a step */
  go(at) {
    this.at = at
    this.follows = at === this.steps.length - 1
    this.mark()
    this.changed()
  }

  mark() {
    this.slider.value = String(this.at)
    this.label.textContent = this.steps.length ? t("step {step}", { step: grouped(this.steps[this.at]) }) : ""
    this.slider.setAttribute("aria-valuetext", this.label.textContent)
  }

  play() {
    this.button.textContent = t("Stop")
    if (this.at === this.steps.length - 1) this.go(0)
    this.timer = setInterval(() => {
      if (!this.box.isConnected || this.at >= this.steps.length - 1) return this.stop()
      this.go(this.at + 1)
    }, FRAME_MS)
  }

  stop() {
    clearInterval(this.timer)
    this.timer = undefined
    this.button.textContent = t("Play")
  }
}
