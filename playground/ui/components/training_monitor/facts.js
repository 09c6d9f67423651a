// The numbers of a run as texts, and what happened to it as marks on its curves.

import { t } from "../shared/text.js"

/**
 * @import { LiveRun, MonitorData, ReportedFinding, RunSettings } from "./documents.js"
 * @import { Mark, State } from "./types.js"
 */

/** @type {Record<Exclude<State, "running" | "finished" | "queued">, string>} */
const STATES = { paused: t("Paused"), stopped: t("Stopped"), failed: t("Failed"), interrupted: t("Interrupted") }

/** @param {number} value */
export const learningRate = (value) => (value >= 0.0001 ? String(Number(value.toPrecision(2))) : value.toExponential(0))

/** @param {number} value */
const duration = (value) => (value < 90 ? t("{seconds} s", { seconds: Math.ceil(value) }) : t("{minutes} min", { minutes: Math.ceil(value / 60) }))

/**
 * The state of a run in a few words.
 * @param {Pick<LiveRun, "state" | "queue" | "seconds" | "seconds_left">} run
 */
export function status({ state, queue, seconds, seconds_left: left }) {
  if (state === "queued") return queue ? t("Queued · position {place}", { place: queue }) : t("Queued")
  if (state === "running") return left === null ? t("Learning") : t("Learning · {time} left", { time: duration(left) })
  if (state === "finished") return t("Done in {time}", { time: duration(seconds) })
  return STATES[state]
}

/**
 * The learning rate and the optimizer as the learner set them last; with a schedule the learning rate is its peak.
 * @param {Pick<LiveRun, "changes" | "optimizer">} run
 * @param {Pick<RunSettings, "learning_rate" | "optimizer">} config
 */
export function current({ changes, optimizer }, config) {
  const changed = changes.findLast((change) => "learning_rate" in change)
  return { peak: changed && "learning_rate" in changed ? changed.learning_rate : config.learning_rate, optimizer: optimizer || config.optimizer }
}

/**
 * Step, loss and test accuracy as they were at a step; as they are now without one.
 * @param {Pick<LiveRun, "step" | "batches" | "tests" | "test_accuracy">} run
 * @param {number | null} at
 * @returns {{ step: number, loss: number | undefined, accuracy: number | null | undefined }}
 */
export function figures({ step: now, batches: { step = [], loss = [] }, tests, test_accuracy: accuracy }, at) {
  if (at === null) return { step: now, loss: loss.at(-1), accuracy }
  const last = (/** @type {number[]} */ steps) => steps.findLastIndex((step) => step <= at)
  return { step: at, loss: loss[last(step)], accuracy: tests.accuracy[last(tests.step)] }
}

/**
 * Marks on the curves: changes to the run, and findings of the coach.
 * @param {Pick<LiveRun, "changes" | "parent">} run
 * @param {Pick<ReportedFinding, "step" | "severity" | "mark">[]} findings
 * @param {MonitorData["optimizers"]} optimizers
 */
export function marks({ changes, parent }, findings, optimizers) {
  const titles = Object.fromEntries(optimizers)
  /** @type {Mark[]} */
  const fork = parent ? [{ step: parent.step, kind: "fork", text: t("forked here") }] : []
  /** @type {Mark[]} */
  const changed = changes.map((change) => ({
    step: change.step, kind: "change",
    text: "optimizer" in change ? titles[change.optimizer] : t("learning rate {rate}", { rate: learningRate(change.learning_rate) }),
  }))
  /** @type {Mark[]} */
  const found = findings.filter(({ step, severity }) => step > 0 && severity === "problem").map(({ step, mark }) => ({ step, kind: "coach", text: mark }))
  return [...fork, ...changed, ...found]
}
