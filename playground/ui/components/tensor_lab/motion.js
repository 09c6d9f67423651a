// Cells fly to their new place when another statement is shown: what `view`, `permute`, `expand` and `cat` do is seen.

/** @import { Side } from "./xray.js" */

const MORPH_MS = 350
const MOST = 600 // cells that fly

/** @typedef {{ side: Side, cell: number }} Origin the cell from which another one comes */

/**
 * Where each cell comes from: one of an output from its only source, if it has its value; one of an input from where it stood before.
 * @param {Side[]} sides
 * @param {Side[]} before those that were shown until now
 * @returns {Map<Side, (Origin | null)[]>}
 */
export function origins(sides, before) {
  /** @type {Map<Side, (Origin | null)[]>} */
  const found = new Map()
  for (const side of sides) {
    const earlier = before.find((other) => other.tile === side.tile && other.cells.length === side.cells.length)
    if (side.role === "input") found.set(side, side.cells.map((_, cell) => (earlier ? { side: earlier, cell } : null)))
    else if (side.role === "output") found.set(side, side.cells.map((_, cell) => source(side, cell, sides)))
  }
  return found
}

/**
 * @param {Side} output
 * @param {number} cell
 * @param {Side[]} sides
 * @returns {Origin | null}
 */
function source(output, cell, sides) {
  const all = Object.entries(output.from).flatMap(([key, links]) => links[cell].map((each) => ({ key, cell: each })))
  if (all.length !== 1) return null
  const [{ key, cell: from }] = all
  const side = sides.find((other) => other.role === "input" && other.key === key)
  if (!side || !Object.is(side.tile.values[from], output.tile.values[cell])) return null
  return { side, cell: side.stretch ? side.stretch.from.findIndex(([each]) => each === from) : from }
}

/**
 * Remember where cells stand, before they are replaced.
 * @param {Side[]} sides
 * @returns {Map<Element, DOMRect>}
 */
export const places = (sides) => new Map(sides.flatMap(({ cells }) => cells.slice(0, MOST).map((cell) => [cell, cell.getBoundingClientRect()])))

/**
 * Let the cells fly to where they now stand, unless motion is not wanted.
 * @param {HTMLElement} box in which they fly; until they have arrived it has the class `flying`
 * @param {Side[]} sides
 * @param {Side[]} before
 * @param {Map<Element, DOMRect>} then where the cells of `before` stood
 */
export function fly(box, sides, before, then) {
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return
  if (sides.reduce((sum, { cells }) => sum + cells.length, 0) > MOST) return
  const now = places(sides)
  const flights = []
  for (const [side, all] of origins(sides, before)) {
    for (const [cell, origin] of all.entries()) {
      const old = origin?.side.cells[origin.cell]
      const from = old && (then.get(old) ?? now.get(old)), to = now.get(side.cells[cell])
      if (!from || !to || (from.x === to.x && from.y === to.y)) continue
      const start = `translate(${from.x - to.x}px, ${from.y - to.y}px) scale(${from.width / to.width}, ${from.height / to.height})`
      flights.push(side.cells[cell].animate([{ transform: start, transformOrigin: "0 0" }, { transform: "none", transformOrigin: "0 0" }], { duration: MORPH_MS, easing: "ease-out" }))
    }
  }
  if (!flights.length) return
  box.classList.add("flying") // a cell on its way would make the box scroll
  const arrive = () => box.classList.toggle("flying", box.getAnimations({ subtree: true }).some(({ playState }) => playState === "running")) // another flight may have begun
  Promise.allSettled(flights.map((flight) => flight.finished)).then(arrive)
}
