// A slider with its value in a bubble while it is moved. A logarithmic one stops at 1, 1.5, 2, 3, 5 and 7 of each power of ten.

import { Base, element } from "./dom.js"
import { exact } from "./format.js"

const STOPS = [1, 1.5, 2, 3, 5, 7, 10]
const PAGE = 10 // steps of one press on Page up, or a tenth of the way, whatever is more

/**
 * What a slider can be set to.
 * @typedef {{ min: number, max: number, step: number, log: boolean }} Range `step` counts on a linear scale only; 0 for any value
 */

/**
 * Where a value stands, from 0 to 1.
 * @param {number} value
 * @param {Range} range
 */
export function shareOf(value, { min, max, log }) {
  if (max <= min) return 0
  const share = log ? Math.log(value / min) / Math.log(max / min) : (value - min) / (max - min)
  return Math.min(1, Math.max(0, Number.isNaN(share) ? 0 : share))
}

/**
 * The value at a place, from 0 to 1, rounded to what the range allows.
 * @param {number} share
 * @param {Range} range
 */
export function valueAt(share, range) {
  const { min, max, log } = range
  const place = Math.min(1, Math.max(0, share))
  return rounded(log ? min * (max / min) ** place : min + place * (max - min), range)
}

/**
 * @param {number} value
 * @param {Range} range
 */
export function rounded(value, { min, max, step, log }) {
  const near = log ? nearest(value) : step ? tidy(min + Math.round((value - min) / step) * step, step) : value
  return Math.min(max, Math.max(min, near))
}

/**
 * The value a few steps further.
 * @param {number} value
 * @param {number} steps
 * @param {Range} range
 */
export function moved(value, steps, range) {
  const { min, max, step, log } = range
  if (!log) return rounded(value + steps * (step || (max - min) / 100), range)
  let result = value
  for (let count = 0; count < Math.abs(steps); count++) result = beside(result, steps < 0)
  return Math.min(max, Math.max(min, result))
}

/** @param {number} value */
const stops = (value) => { const power = Math.floor(Math.log10(value) + 1e-9); return STOPS.map((stop) => Number(`${stop}e${power}`)) }

/** @param {number} value */
const nearest = (value) => stops(value).reduce((best, stop) => (Math.abs(Math.log(stop / value)) < Math.abs(Math.log(best / value)) ? stop : best))

/**
 * The next stop above a value, or below it.
 * @param {number} value
 * @param {boolean} below
 */
function beside(value, below) {
  const near = [...stops(value / 10), ...stops(value)]
  const others = near.filter((stop) => Math.abs(Math.log(stop / value)) > 1e-6 && (below ? stop < value : stop > value))
  return below ? Math.max(...others) : Math.min(...others)
}

/**
 * A sum of steps without the last digits that floating point adds.
 * @param {number} value
 * @param {number} step
 */
const tidy = (value, step) => Number(value.toFixed(Math.min(12, Math.max(0, 2 - Math.floor(Math.log10(step))))))

/** @type {Record<string, (page: number) => number>} how many steps a key makes */
const KEYS = {
  ArrowRight: () => 1, ArrowUp: () => 1, ArrowLeft: () => -1, ArrowDown: () => -1,
  PageUp: (page) => page, PageDown: (page) => -page, Home: () => -Infinity, End: () => Infinity,
}

export class SlideBar extends Base {
  static observedAttributes = ["min", "max", "step", "value", "label", "scale", "disabled"]

  constructor() {
    super()
    this.current = NaN // until a value is set
    this.isDragged = false
    this.start = NaN // the value when it was grabbed
    /** @type {(value: number) => string} how a value is written */
    this.text = (value) => exact(value, 4)
    this.thumb = element("span", "slide-thumb")
    this.bubble = element("span", "slide-bubble")
    this.thumb.append(this.bubble)
    this.addEventListener("pointerdown", (event) => this.grab(event))
    this.addEventListener("pointermove", (event) => { if (this.isDragged) this.follow(event) })
    this.addEventListener("pointerup", () => this.release())
    this.addEventListener("pointercancel", () => this.release())
    this.addEventListener("keydown", (event) => this.press(event))
    this.addEventListener("blur", () => this.classList.remove("moving"))
  }

  connectedCallback() {
    if (this.thumb.parentNode === this) return
    this.role = "slider"
    this.replaceChildren(element("span", "slide-track"), this.thumb)
    this.draw()
  }

  /**
   * @param {string} name
   * @param {string | null} _old
   * @param {string | null} value
   */
  attributeChangedCallback(name, _old, value) {
    if (name === "value" && value !== null) this.value = Number(value)
    this.draw()
  }

  /** @returns {Range} */
  get range() {
    return { min: this.min, max: this.max, step: this.step, log: this.scale === "log" }
  }

  get value() {
    const { range } = this
    return rounded(Number.isNaN(this.current) ? range.min : this.current, { ...range, step: 0, log: false })
  }

  /** @param {number} value which a learner who is moving the slider does not let through */
  set value(value) {
    if (this.isDragged) return
    this.current = Number(value)
    this.draw()
  }

  get min() { return Number(this.getAttribute("min") ?? 0) }
  set min(min) { this.setAttribute("min", String(min)) }
  get max() { return Number(this.getAttribute("max") ?? 100) }
  set max(max) { this.setAttribute("max", String(max)) }
  get step() { const step = this.getAttribute("step"); return step === "any" ? 0 : Number(step ?? 1) }
  set step(step) { this.setAttribute("step", String(step)) }
  get scale() { return this.getAttribute("scale") ?? "" }
  set scale(scale) { this.setAttribute("scale", scale) }
  get label() { return this.getAttribute("label") ?? "" }
  set label(label) { this.setAttribute("label", label) }
  get disabled() { return this.hasAttribute("disabled") }
  set disabled(disabled) { this.toggleAttribute("disabled", disabled) }

  draw() {
    if (this.thumb.parentNode !== this) return
    const { value, range } = this
    const text = this.text(value)
    this.style.setProperty("--share", String(shareOf(value, range)))
    this.bubble.textContent = text
    this.tabIndex = this.disabled ? -1 : 0
    this.ariaDisabled = String(this.disabled)
    this.ariaLabel = this.label || null
    Object.assign(this, { ariaValueMin: String(range.min), ariaValueMax: String(range.max), ariaValueNow: String(value), ariaValueText: text })
  }

  /** @param {PointerEvent} event */
  grab(event) {
    if (this.disabled || event.button) return
    this.setPointerCapture(event.pointerId)
    this.start = this.value
    this.isDragged = true
    this.classList.add("moving")
    this.follow(event)
  }

  /** @param {PointerEvent} event */
  follow({ clientX }) {
    const { left, width } = this.getBoundingClientRect()
    const thumb = this.thumb.offsetWidth
    this.move(valueAt((clientX - left - thumb / 2) / Math.max(1, width - thumb), this.range))
  }

  release() {
    if (!this.isDragged) return
    this.isDragged = false
    this.classList.remove("moving")
    if (this.value !== this.start) this.dispatchEvent(new Event("change", { bubbles: true }))
  }

  /** @param {KeyboardEvent} event */
  press(event) {
    if (this.disabled || !(event.key in KEYS) || event.ctrlKey || event.metaKey || event.altKey) return
    event.preventDefault()
    event.stopPropagation()
    const { range } = this
    const page = range.log ? STOPS.length - 1 : Math.max(PAGE, Math.round((range.max - range.min) / (range.step || Infinity) / 10))
    const steps = KEYS[event.key](page)
    const value = steps === Infinity ? range.max : steps === -Infinity ? range.min : moved(this.value, steps, range)
    this.classList.add("moving")
    if (this.move(value)) this.dispatchEvent(new Event("change", { bubbles: true }))
  }

  /**
   * @param {number} value
   * @returns whether it is another one
   */
  move(value) {
    if (value === this.value) return false
    this.current = value
    this.draw()
    this.dispatchEvent(new Event("input", { bubbles: true }))
    return true
  }
}
