// The colour and shape of a run, by its slot, the same on every plot.

import { t } from "../shared/text.js"

/**
 * @import { Look } from "../shared/plot.js"
 * @import { State } from "./types.js"
 */

const COLOURS = 6 // of the theme's seven: the last, yellow, cannot be seen on white
const SHAPES = [
  ["circle", '<circle cx="14" cy="8" r="4.5"/>'],
  ["square", '<rect x="10" y="4" width="8" height="8"/>'],
  ["diamond", '<path d="M14 2.5 19.5 8 14 13.5 8.5 8z"/>'],
  ["triangle-up", '<path d="M14 3 19 12H9z"/>'],
  ["cross", '<path d="M12.2 3h3.6v3.2H19v3.6h-3.2V13h-3.6V9.8H9V6.2h3.2z"/>'],
  ["triangle-down", '<path d="M14 13 9 4h10z"/>'],
  ["pentagon", '<path d="M14 2.8 19 6.5 17 12.5H11L9 6.5z"/>'],
]

/**
 * @param {Look} look
 * @param {number} slot
 */
export const colourOf = (look, slot) => look.colours[slot % COLOURS]

/** @param {number} slot */
export const shapeOf = (slot) => SHAPES[slot % SHAPES.length][0]

/**
 * The shape as SVG, 28×16.
 * @param {number} slot
 */
export const drawnShape = (slot) => SHAPES[slot % SHAPES.length][1]

/**
 * The lowest slot that no run has.
 * @param {Map<string, number>} chosen
 */
export function freeSlot(chosen) {
  const taken = new Set(chosen.values())
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
  return `<svg width="28" height="16" viewBox="0 0 28 16" fill="${colour}" stroke="${colour}"><path d="M0 8H28" stroke-width="2"/><g stroke="none">${drawnShape(slot)}</g></svg>`
}

/**
 * @param {Look} look
 * @param {number} slot
 */
export function swatch(look, slot) {
  const made = document.createElement("span")
  made.className = "comparison-swatch"
  made.setAttribute("aria-hidden", "true")
  made.innerHTML = drawnLine(look, slot)
  return made
}

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
