// What the X-ray reads out of the report on a script.

import { exact } from "../shared/format.js"
import { t } from "../shared/text.js"
import { hue, indexOf, largest, shade, slotOf } from "../shared/tile.js"

/**
 * @import { Value } from "../shared/format.js"
 * @import { ArrayFacts, Output, Picture, Report, Step, StepOperation, Tile } from "./documents.js"
 */

/** @typedef {{ name: string, tile: number, key: string }} Input links have it under its `key` */
/** @typedef {Output["from"]} Links */

/**
 * A whole statement, or one operation in it.
 * @typedef {object} View
 * @property {Step} step
 * @property {StepOperation[]} inner the operations that can be viewed
 * @property {Input[]} inputs
 * @property {Output[]} outputs
 * @property {Pick<Picture, "word" | "stretched"> & { kind: Picture["kind"] | "whole" }} picture
 */

/** @typedef {{ shown: number[], from: number[][], first: boolean[] }} Stretch a shape, the one cell behind each of its cells, and whether that is shown first */

const TERMS = 6 // of a written-out sum

/** @type {Report} before the first run */
export const NO_REPORT = { names: {}, output: "", warnings: [], error: null, steps: [], tiles: [] }

/**
 * The tile of a variable; none where it holds something else.
 * @param {Report} report
 * @param {string} name
 */
export function tileOf({ names, tiles }, name) {
  const facts = names[name]
  return facts && facts.kind !== "value" ? tiles[facts.tile] : undefined
}

/**
 * The names of the variables that hold a tensor or an array.
 * @param {Report} report
 */
export const arrayNames = (report) => Object.keys(report.names).filter((name) => tileOf(report, name))

/**
 * The tensor to predict: the last one that the script created.
 * @param {Report} report
 */
export const newest = (report) => report.steps.flatMap((step) => step.outputs.map((output) => output.name)).filter((name) => tileOf(report, name)).at(-1)

/**
 * The statement that computed a variable last, or one operation inside it; null for a variable that was given.
 * @param {Report} report
 * @param {string} chosen
 * @param {number | null} place of the operation; null for the whole statement, unless all of it is one operation
 * @returns {View | null}
 */
export function viewOf(report, chosen, place) {
  const step = report.steps.findLast((each) => each.outputs.some((output) => output.name === chosen))
  if (!step) return null
  const inner = step.operations.filter((operation) => operation.outputs.length && operation.inputs.length)
  const single = inner.length === 1 && step.outputs.every((output) => inner[0].outputs.some((other) => other.tile === output.tile))
  const operation = place !== null ? inner[place] : single ? inner[0] : null
  if (operation) {
    const named = new Map(step.outputs.map((output) => [output.tile, output.name]))
    const inputs = operation.inputs.map((input, index) => ({ ...input, key: String(index) }))
    const outputs = operation.outputs.map((output) => ({ ...output, name: named.get(output.tile) ?? operation.source }))
    return { step, inner, inputs, outputs, picture: operation.picture }
  }
  const inputs = step.inputs.map((input) => ({ ...input, key: input.name }))
  return { step, inner, inputs, outputs: step.outputs, picture: { kind: "whole", word: "" } }
}

/**
 * Cells that only move keep their colour; where several feed one, they share its colour; else a colour is a value.
 * @param {Pick<View, "inputs" | "outputs">} view
 * @param {Tile[]} tiles
 * @returns {{ input: (input: Input, cell: number) => string, output: (output: Output, cell: number) => string }}
 */
export function colouring({ inputs, outputs }, tiles) {
  const most = new Map([...inputs, ...outputs].map(({ tile }) => [tile, largest([tiles[tile]])]))
  /** @type {(part: { tile: number }, cell: number) => string} */
  const byValue = ({ tile }, cell) => shade(tiles[tile].values[cell], most.get(tile) ?? 0)
  const values = { input: byValue, output: byValue }
  const [output] = outputs
  const links = Object.entries(output?.from ?? {})
  if (outputs.length !== 1 || links.length !== 1) return values
  const [key, from] = links[0]
  const source = inputs.find((input) => input.key === key)
  if (!source) return values
  const [before, after] = [tiles[source.tile], tiles[output.tile]]
  const count = before.values.length
  const moves = from.every((cells) => cells.length === 1) && same(before, after, from)
  if (moves && !identity(before, after, from)) {
    const taken = new Set(from.flat())
    const colour = (/** @type {number} */ cell) => (taken.has(cell) ? hue(count > 1 ? cell / (count - 1) : 0.5) : "transparent")
    return { input: (input, cell) => (input === source ? colour(cell) : byValue(input, cell)), output: (_, cell) => colour(from[cell][0]) }
  }
  const feeds = from.length > 1 && !moves ? feedsOne(from, count) : null
  if (!feeds) return values
  const colour = (/** @type {number | undefined} */ cell) => (cell === undefined ? "transparent" : hue(cell / (from.length - 1)))
  return { input: (input, cell) => (input === source ? colour(feeds.get(cell)) : byValue(input, cell)), output: (_, cell) => colour(cell) }
}

/**
 * How an operand is stretched to the result's shape; null where it is not.
 * @param {Pick<View, "outputs" | "picture">} view
 * @param {Input} input
 * @param {number} place of the operand
 * @param {Tile[]} tiles
 * @returns {Stretch | null}
 */
export function stretching({ outputs, picture }, input, place, tiles) {
  if (!picture.stretched?.[place]?.some((dimension) => dimension.stretched)) return null
  const from = outputs[0].from[input.key]
  if (!from || from.some((cells) => cells.length !== 1)) return null
  const seen = new Set()
  const first = from.map(([cell]) => !seen.has(cell) && Boolean(seen.add(cell)))
  return { shown: tiles[outputs[0].tile].shown, from, first }
}

/**
 * How a cell of an output was computed, written out; empty where it is unknown.
 * @param {Pick<View, "inputs" | "picture">} view
 * @param {Tile[]} tiles
 * @param {{ tile: Tile, from: Links }} output
 * @param {number} cell
 */
export function written({ picture, inputs }, tiles, output, cell) {
  if (!Object.keys(output.from).length) return ""
  const parts = inputs.map(({ name, tile, key }) => {
    const cells = output.from[key]?.[cell] ?? []
    return { numbers: cells.map((each) => exact(tiles[tile].values[each])), places: cells.map((each) => `${name}[${indexOf(tiles[tile].shown, each).join(", ")}]`) }
  })
  const numbers = parts.flatMap((part) => part.numbers), places = parts.flatMap((part) => part.places)
  const result = exact(output.tile.values[cell])
  const pair = parts.length === 2 && parts[0].numbers.length === parts[1].numbers.length
  if (picture.kind === "products" && pair) return `${cut(parts[0].numbers.map((number, term) => `${number}·${parts[1].numbers[term]}`), " + ")} = ${result}`
  if (picture.kind === "sign" && pair && numbers.length === 2) return `${numbers[0]} ${picture.word} ${numbers[1]} = ${result}`
  if (!places.length) return t("This cell does not depend on any input cell.")
  if (picture.kind === "call" && places.length > 1) return `${picture.word}(${cut(numbers, ", ")}) = ${result}`
  return t("from {cells}", { cells: cut(places, ", ") })
}

/**
 * The values in the slots of a storage, as far as tensors that lie in it show them.
 * @param {Tile[]} sharing
 * @param {number} itemsize of the slots; a tensor with another one is left out
 */
export function storedValues(sharing, itemsize) {
  /** @type {Map<number, Value>} */
  const values = new Map()
  for (const tile of sharing) if (tile.itemsize === itemsize) tile.values.forEach((value, cell) => values.set(slotOf(tile, indexOf(tile.shown, cell)), value))
  return values
}

/**
 * The cells of a tile that lie in a slot of its storage.
 * @param {Tile} tile
 * @param {number} slot
 */
export const cellsIn = (tile, slot) => [...tile.values.keys()].filter((cell) => slotOf(tile, indexOf(tile.shown, cell)) === slot)

/** @param {Pick<ArrayFacts, "origin" | "of">} facts */
export function originText({ origin, of }) {
  if (!of && ["view", "same", "shared"].includes(origin)) return t("view of an earlier tensor")
  return {
    view: t("view of {name}", { name: of }), copy: t("copy of {name}", { name: of }), same: t("the same as {name}", { name: of }),
    shared: t("shares memory with {name}", { name: of }), uninitialised: t("uninitialised memory"), given: t("given"), new: "",
  }[origin]
}

/**
 * @param {string[]} terms
 * @param {string} joint
 */
function cut(terms, joint) {
  if (terms.length <= TERMS) return terms.join(joint)
  return t("{terms} ({total} in total)", { terms: [...terms.slice(0, TERMS), "…"].join(joint), total: terms.length })
}

/**
 * Whether each cell has the value of its one source.
 * @param {Tile} source
 * @param {Tile} result
 * @param {number[][]} from
 */
const same = (source, result, from) => from.every(([cell], place) => Object.is(source.values[cell], result.values[place]))

/**
 * Whether each cell stands where its one source does.
 * @param {Tile} source
 * @param {Tile} result
 * @param {number[][]} from
 */
const identity = (source, result, from) => source.shown.join() === result.shown.join() && from.every(([cell], place) => cell === place)

/**
 * Which one output each input cell feeds; null where one feeds several.
 * @param {number[][]} from
 * @param {number} count of the input's cells
 */
function feedsOne(from, count) {
  /** @type {Map<number, number>} */
  const feeds = new Map()
  for (const [place, cells] of from.entries()) {
    if (cells.length < 2 && count > 1) return null
    for (const cell of cells) {
      if (feeds.has(cell)) return null
      feeds.set(cell, place)
    }
  }
  return feeds
}
