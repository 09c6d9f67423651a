// The horizontal axis of a run's curves: its steps, epochs or seconds of training.

/** @import { Batches, LiveRun } from "./documents.js" */

/** @typedef {"epoch" | "step" | "seconds"} Axis */

/**
 * The places of steps on the axis.
 * @param {Axis} axis
 * @param {Pick<Batches, "step" | "seconds">} columns
 * @param {number} perEpoch steps of an epoch; 0 where they are not known yet
 */
export function places(axis, { step = [], seconds = [] }, perEpoch) {
  return axis === "seconds" ? seconds : axis === "step" ? step : step.map((value) => value / (perEpoch || 1))
}

/**
 * Where the run ends on the axis; before its start is known, where its curves end.
 * @param {Axis} axis
 * @param {Pick<LiveRun, "total_steps" | "per_epoch" | "seconds" | "seconds_left" | "batches">} run
 */
export function endOf(axis, { total_steps: total, per_epoch: each, seconds, seconds_left: left, batches }) {
  const steps = total || (batches.step?.at(-1) ?? 0)
  return Math.max({ epoch: steps / (each || 1), step: steps, seconds: seconds + (left ?? 0) }[axis], 0.01)
}

/**
 * Where a step lies on the axis; null where that is not known yet.
 * @param {Axis} axis
 * @param {number} at
 * @param {Pick<LiveRun, "per_epoch" | "batches">} run
 */
export function placeOf(axis, at, { per_epoch: each, batches: { step = [], seconds = [] } }) {
  if (axis === "step") return at
  if (axis === "epoch") return at / (each || 1)
  const index = step.findIndex((value) => value >= at)
  return index < 0 ? null : seconds[index]
}

/**
 * The step that lies around a place of the axis.
 * @param {Axis} axis
 * @param {number} place
 * @param {Pick<LiveRun, "per_epoch" | "batches">} run
 */
export function stepAt(axis, place, { per_epoch: each, batches: { step = [], seconds = [] } }) {
  if (axis === "step") return place
  if (axis === "epoch") return place * (each || 1)
  const index = seconds.findIndex((value) => value >= place)
  return index < 0 ? (step.at(-1) ?? 0) : step[index]
}
