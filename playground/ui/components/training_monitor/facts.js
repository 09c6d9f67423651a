// The numbers of a run as texts, and what happened to it as marks on its curves.

import { t } from "../shared/text.js"

/**
 * @import { LiveRun, MonitorData, ReportedFinding } from "./documents.js"
 * @import { Mark } from "./types.js"
 */

/** @param {number} value */
export const learningRate = (value) => (value >= 0.0001 ? String(Number(value.toPrecision(2))) : value.toExponential(0))

/** @param {number} value */
const duration = (value) => (value < 90 ? t("{seconds} s", { seconds: Math.ceil(value) }) : t("{minutes} min", { minutes: Math.ceil(value / 60) }))

/**
 * The time left; of a finished run, the time that training took.
 * @param {Pick<LiveRun, "state" | "seconds" | "seconds_left">} run
 */
export function timeLeft({ state, seconds, seconds_left: left }) {
  if (state === "finished") return duration(seconds)
  return left === null || !["running", "paused"].includes(state) ? "–" : duration(left)
}

/**
 * Marks on the curves: changes to the run, and findings of the coach.
 * @param {Pick<LiveRun, "changes" | "parent">} run
 * @param {Pick<ReportedFinding, "step" | "severity" | "title">[]} findings
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
  const found = findings.filter(({ step, severity }) => step > 0 && severity === "problem").map(({ step, title }) => ({ step, kind: "coach", text: title }))
  return [...fork, ...changed, ...found]
}
