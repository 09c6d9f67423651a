// The film strip beneath the curves: a handle at the present moment, which can be drawn back to an earlier one, and a frame for each checkpoint.

import { element } from "../shared/dom.js"
import { grouped } from "../shared/format.js"
import { t } from "../shared/text.js"

const REPLAY_MS = 8000 // a replay of the whole run
const FRAME_MS = 80

/** @type {Record<string, (place: number, last: number) => number>} */
const KEYS = {
  ArrowLeft: (place) => place - 1, ArrowDown: (place) => place - 1, ArrowRight: (place) => place + 1, ArrowUp: (place) => place + 1,
  PageDown: (place, last) => place - Math.ceil(last / 10), PageUp: (place, last) => place + Math.ceil(last / 10),
  Home: () => 0, End: (_place, last) => last, Escape: (_place, last) => last,
}

export class Strip {
  /**
   * @param {HTMLElement} box
   * @param {(step: number | null) => void} moved called with the step to which the learner went back; null for the present
   */
  constructor(box, moved) {
    this.moved = moved
    /** @type {number[]} to which one can go back, in their order, and the present one */
    this.steps = []
    /** @type {number | null} */
    this.at = null
    this.now = 0
    /** @type {(step: number) => number} where a step stands, from 0 to 1 */
    this.place = () => 0
    /** @type {number | undefined} while it is replayed */
    this.timer = undefined
    this.frames = element("span", "strip-frames")
    this.handle = element("span", "strip-handle")
    this.track = element("div", "strip-track")
    Object.assign(this.track, { role: "slider", tabIndex: 0, ariaLabel: t("Moment of the training"), ariaValueMin: "0" })
    this.track.append(this.frames, this.handle)
    this.track.onpointerdown = (event) => { this.stop(); this.track.setPointerCapture(event.pointerId); this.follow(event) }
    this.track.onpointermove = (event) => { if (this.track.hasPointerCapture(event.pointerId)) this.follow(event) }
    this.track.onkeydown = (event) => this.press(event)
    box.append(this.track)
  }

  /**
   * @param {object} moments
   * @param {number[]} moments.snapshots steps that have pictures
   * @param {number[]} moments.checkpoints
   * @param {number} moments.now the present step
   * @param {(step: number) => number} moments.place where a step stands, from 0 to 1
   */
  show({ snapshots, checkpoints, now, place }) {
    this.steps = moments(snapshots, checkpoints, now)
    this.now = now
    this.place = place
    if (this.at !== null && !this.steps.includes(this.at)) this.go(null)
    this.frames.replaceChildren(...checkpoints.map((step) => {
      const frame = element("i")
      frame.style.setProperty("--place", String(place(step)))
      return frame
    }))
    this.mark()
  }

  /** @param {number | null} step */
  go(step) {
    if (step === this.at) return
    this.at = step
    this.mark()
    this.moved(step)
  }

  mark() {
    const step = this.at ?? this.now
    this.handle.style.setProperty("--place", String(this.place(step)))
    this.track.ariaValueMax = String(this.now)
    this.track.ariaValueNow = String(step)
    this.track.ariaValueText = this.at === null ? t("now, step {step}", { step: grouped(step) }) : t("step {step}", { step: grouped(step) })
    this.track.classList.toggle("back", this.at !== null)
    this.track.ariaDisabled = String(this.steps.length < 2)
  }

  // The step of a place in the list; the last one is the present.
  /** @param {number} place */
  choose(place) {
    const last = this.steps.length - 1
    const next = Math.min(last, Math.max(0, place))
    if (last > 0) this.go(next === last ? null : this.steps[next])
  }

  /** @param {PointerEvent} event */
  follow(event) {
    const { left, width } = this.track.getBoundingClientRect()
    const share = (event.clientX - left) / width
    if (share >= this.place(this.now)) return this.go(null)
    const far = this.steps.map((step) => Math.abs(this.place(step) - share))
    this.choose(far.indexOf(Math.min(...far)))
  }

  /** @param {KeyboardEvent} event */
  press(event) {
    if (event.key === " ") {
      event.preventDefault()
      return this.timer === undefined ? this.replay() : this.stop()
    }
    const last = this.steps.length - 1
    const next = KEYS[event.key]?.(this.at === null ? last : this.steps.indexOf(this.at), last)
    if (next === undefined) return
    event.preventDefault()
    this.stop()
    this.choose(next)
  }

  // Show every moment again, from the first to the present.
  replay() {
    this.stop()
    const start = performance.now()
    const length = Math.max(1, this.steps.length - 1)
    const step = () => {
      const place = Math.floor(((performance.now() - start) / REPLAY_MS) * length)
      this.choose(place)
      if (place >= length || !this.track.isConnected) this.stop()
    }
    this.timer = setInterval(step, FRAME_MS)
    step()
  }

  stop() {
    clearInterval(this.timer)
    this.timer = undefined
  }
}

/**
 * The steps to which one can go back, and the present one.
 * @param {number[]} snapshots
 * @param {number[]} checkpoints
 * @param {number} now
 */
export const moments = (snapshots, checkpoints, now) => [...new Set([...snapshots, ...checkpoints].filter((step) => step < now)), now].sort((one, other) => one - other)
