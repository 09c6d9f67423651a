// The line of time beneath the plot: up to where the curves are shown. The button above pauses and resumes the runs that train, or a race that was interrupted; else it lets
// their curves grow again.

import { find } from "../shared/dom.js"
import { exact } from "../shared/format.js"
import { t } from "../shared/text.js"

/**
 * @import { SlideBar } from "../shared/slider.js"
 * @import { Selected, State } from "./types.js"
 */

/** @typedef {"pause" | "resume" | "restart"} Steering */

/** @type {Record<Steering, State>} the state of the runs that it is meant for */
export const STEERED = { pause: "running", resume: "paused", restart: "interrupted" }

/** @type {Record<Steering, string>} */
const TEXTS = { pause: t("❚❚ Pause"), resume: t("▶ Resume"), restart: t("▶ Resume all") }

const SECONDS = 6 // of a replay …
const MOST_MS = 100 // … and of one frame of it, so that a busy machine shows it slower, and all of it

export class Player {
  /**
   * @param {HTMLElement} root
   * @param {{ moved: () => void, steer: (command: Steering) => void }} act `moved` is called when another moment is to be shown
   */
  constructor(root, act) {
    this.act = act
    this.moment = Infinity // the place on the axis up to which the curves are shown: all of them, and those to come
    this.now = 0 // where the longest curve ends
    this.frame = 0 // of the replay, the next one; 0 while none is shown
    /** @type {Steering | null} what the button does to the runs that train; null if none does */
    this.steering = null
    /** @type {HTMLButtonElement} */
    this.button = find(root, ".comparison-play")
    this.button.onclick = () => this.press()
    /** @type {SlideBar} */
    this.bar = find(root, ".comparison-time")
    this.bar.text = (value) => exact(value, 2)
    this.bar.oninput = () => this.seek(this.bar.value)
  }

  /**
   * @param {number} now where the longest curve ends on the axis
   * @param {number} end of the axis
   * @param {Steering | null} steering
   * @param {boolean} isWaiting whether runs are queued, so that there will be something to pause
   */
  show(now, end, steering, isWaiting) {
    this.now = now
    this.steering = steering
    this.bar.max = end || 1
    this.bar.value = Math.min(this.moment, now)
    this.bar.disabled = now === 0
    this.button.disabled = isWaiting || now === 0
    const replay = this.frame || isWaiting ? TEXTS.pause : this.moment < now ? t("▶ Play") : t("▶ Replay")
    this.button.textContent = steering ? TEXTS[steering] : replay
    this.button.title = steering === "restart" ? t("Continue all interrupted runs from their last checkpoints") : ""
  }

  press() {
    if (this.steering) this.act.steer(this.steering)
    else if (this.frame) this.seek(this.moment)
    else this.play()
  }

  /** @param {number} moment */
  seek(moment) {
    this.close()
    this.moment = moment < this.now ? moment : Infinity
    this.act.moved()
  }

  /** Let the curves grow, from the moment that is shown or from their beginning. */
  play() {
    let share = this.moment < this.now ? this.moment / this.now : 0
    let last = performance.now()
    const advance = (/** @type {number} */ time) => {
      share += Math.min(Math.max(0, time - last), MOST_MS) / (1000 * SECONDS)
      last = time
      if (share >= 1 || this.steering) return this.seek(Infinity)
      this.moment = share * this.now
      this.frame = requestAnimationFrame(advance)
      this.act.moved()
    }
    advance(last)
  }

  /** Stop the replay. */
  close() {
    cancelAnimationFrame(this.frame)
    this.frame = 0
  }
}

/**
 * What can be done with all runs at once; null if none trains.
 * @param {Pick<Selected, "own" | "state" | "race">[]} runs
 * @returns {Steering | null}
 */
export function steering(runs) {
  const has = (/** @type {State} */ wanted) => runs.some(({ own, state }) => own && state === wanted)
  if (has("running") || has("paused")) return has("running") ? "pause" : "resume"
  return !has("queued") && runs.some(({ own, state, race }) => own && state === "interrupted" && race) ? "restart" : null
}

/**
 * Whether there is nothing to play again, but runs are queued.
 * @param {Pick<Selected, "own" | "state">[]} runs
 */
export const isWaiting = (runs) => runs.some(({ own, state }) => own && state === "queued") && runs.every(({ state }) => state === "queued" || state === "interrupted")
