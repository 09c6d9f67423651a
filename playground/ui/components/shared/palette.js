// The colour and the mark of each line that shares a plot, by its slot. Optimizers have slots of their own, the same on every page.

/** @import { Look } from "./plot.js" */

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

/** The slots of optimizers, in their order. */
export const OPTIMIZERS = ["adam", "sgd", "rmsprop", "adamw", "muon", "sgd with momentum", "nesterov"]

/**
 * The slot of an optimizer; none for one without a colour of its own.
 * @param {string} name or its title
 */
export function optimizerSlot(name) {
  const slot = OPTIMIZERS.indexOf(name.toLowerCase())
  return slot < 0 ? undefined : slot
}

/**
 * @param {Pick<Look, "colours">} look
 * @param {number} slot
 */
export const colourOf = (look, slot) => look.colours[slot % COLOURS]

/**
 * The shape as Plotly calls it.
 * @param {number} slot
 */
export const shapeOf = (slot) => SHAPES[slot % SHAPES.length][0]

/**
 * The shape as SVG, 28×16.
 * @param {number} slot
 */
export const drawnShape = (slot) => SHAPES[slot % SHAPES.length][1]
