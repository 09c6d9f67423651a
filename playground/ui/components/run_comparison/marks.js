// How a run is marked and described: its slot in the palette, its state, its durations.

import { colourOf, drawnShape, optimizerSlot } from "../shared/palette.js"
import { t } from "../shared/text.js"

/**
 * @import { Look } from "../shared/plot.js"
 * @import { State } from "./types.js"
 */

/**
 * The slot of the run's optimizer; the lowest that no run has, if that one is taken.
 * @param {Map<string, number>} chosen
 * @param {string} [optimizer]
 */
export function freeSlot(chosen, optimizer = "") {
  const taken = new Set(chosen.values())
  const own = optimizerSlot(optimizer)
  if (own !== undefined && !taken.has(own)) return own
  let slot = 0
  while (taken.has(slot)) slot++
  return slot
}

/**
 * A piece of the run's line with its shape, as SVG.
 * @param {Look} look
 * @param {number} [slot] none for a run that is not selected
 */
export function drawnLine(look, slot) {
  if (slot === undefined) return ""
  const colour = colourOf(look, slot)
  return `<svg viewBox="0 0 28 16" fill="${colour}" stroke="${colour}"><path d="M0 8H28" stroke-width="2"/><g stroke="none">${drawnShape(slot)}</g></svg>`
}

/**
 * A name that does not begin with the network, where all runs have the same.
 * @param {string} name
 * @param {string} [network]
 */
export const withoutNetwork = (name, network) => (network && name.startsWith(`${network}, `) ? name.slice(network.length + 2) : name)

/** @param {number} seconds */
export function duration(seconds) {
  if (!seconds) return "–"
  if (seconds < 59.5) return t("{seconds} s", { seconds: seconds.toFixed(seconds < 9.95 ? 1 : 0) })
  const whole = Math.round(seconds)
  const minutes = Math.floor(whole / 60)
  if (minutes < 60) return t("{minutes} min {seconds} s", { minutes, seconds: whole % 60 })
  return t("{hours} h {minutes} min", { hours: Math.floor(minutes / 60), minutes: minutes % 60 })
}

/**
 * Compare two values for `sort`; texts come before numbers.
 * @param {string | number} one
 * @param {string | number} other
 */
export function compare(one, other) {
  if (typeof one !== typeof other) return typeof one === "string" ? -1 : 1
  return one < other ? -1 : one > other ? 1 : 0
}

/** @type {Record<State, string>} */
export const STATES = {
  queued: t("queued"), running: t("running"), paused: t("paused"), finished: t("finished"),
  stopped: t("stopped"), failed: t("failed"), interrupted: t("interrupted"),
}

/**
 * Whether a run has or needs a worker.
 * @param {State | undefined} state
 */
export const isActive = (state) => state === "queued" || state === "running" || state === "paused"
