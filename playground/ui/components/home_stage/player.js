// Plays a recorded training: at each moment the weights between two snapshots, in a loop.

import { signed } from "../shared/bytes.js"

/** @import { Recording } from "./documents.js" */

const PLAYED_MS = 16_000 // from the first snapshot to the last
const REST_MS = 5_000 // which the trained network then stays

export class Player {
  /** @param {Recording} recording */
  constructor(recording) {
    this.recording = recording
    const sizes = recording.parameters.map(([, shape]) => shape.reduce((product, size) => product * size, 1))
    this.snapshots = recording.snapshots.map(({ weights, scales }) => restored(signed(weights), scales, sizes))
    this.weights = new Float32Array(this.snapshots[0].length)
    this.elapsed = 0
    this.paused = false
  }

  /**
   * Let time pass.
   * @param {number} milliseconds
   * @returns {boolean} whether the weights changed
   */
  advance(milliseconds) {
    if (this.paused) return false
    const before = this.position
    this.elapsed = (this.elapsed + milliseconds) % (PLAYED_MS + REST_MS)
    return this.position !== before
  }

  /** Go to the trained network. */
  finish() {
    this.elapsed = PLAYED_MS
    this.paused = true
  }

  /** Where it is among the snapshots: 1.5 is half way between the second and the third. */
  get position() {
    return Math.min(1, this.elapsed / PLAYED_MS) * (this.snapshots.length - 1)
  }

  /** The weights at this moment, one parameter behind another. */
  current() {
    const [first, share] = [Math.floor(this.position), this.position % 1]
    const [one, other] = [this.snapshots[first], this.snapshots[Math.min(first + 1, this.snapshots.length - 1)]]
    for (let at = 0; at < one.length; at++) this.weights[at] = one[at] + (other[at] - one[at]) * share
    return this.weights
  }

  /** The figures at this moment. */
  get facts() {
    const { snapshots } = this.recording
    const [first, share] = [Math.floor(this.position), this.position % 1]
    const [one, other] = [snapshots[first], snapshots[Math.min(first + 1, snapshots.length - 1)]]
    const between = (/** @type {"images" | "loss" | "accuracy"} */ name) => one[name] + (other[name] - one[name]) * share
    return { images: Math.round(between("images")), loss: between("loss"), accuracy: between("accuracy") }
  }
}

/**
 * @param {Int8Array} bytes of all parameters
 * @param {number[]} scales
 * @param {number[]} sizes
 */
function restored(bytes, scales, sizes) {
  const weights = new Float32Array(bytes.length)
  let at = 0
  sizes.forEach((size, index) => {
    for (const end = at + size; at < end; at++) weights[at] = (bytes[at] / 127) * scales[index]
  })
  return weights
}
