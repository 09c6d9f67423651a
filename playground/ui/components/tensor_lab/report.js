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
 * @property {number} at which of them is viewed, or `WHOLE`
 * @property {Input[]} inputs
 * @property {Pick<Output, "from" | "name" | "tile">[]} outputs
 * @property {Pick<Picture, "word" | "stretched"> & { kind: Picture["kind"] | "whole" }} picture
 */

/** @typedef {{ shown: number[], from: number[][], first: boolean[] }} Stretch a shape, the one cell behind each of its cells, and whether that is shown first */

/**
 * What the colours of the cells mean, and the colour of each.
 * @typedef {object} Colouring
 * @property {"value" | "place" | "result"} meaning
 * @property {(input: Input, cell: number) => string} input
 * @property {(output: View["outputs"][number], cell: number) => string} output
 * @property {(slot: number) => string} [slot] the colour of a place in the memory of the source
 * @property {Input} [source] whose cells move
 */

/** @typedef {{ text: string, term?: number }} Part of a written sum; a term has its number */
/** @typedef {{ parts: Part[], terms: { key: string, cell: number }[][] }} Sum with the input cells of each term */

export const WHOLE = -1 // in place of an operation: the whole statement

const TERMS = 6 // of a written sum

/** @type {Report} before the first run */
export const NO_REPORT = { names: {}, output: "", figures: [], warnings: [], error: null, steps: [], tiles: [] }

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
 * The statement that made a variable, or else the last one that changed it; −1 for a variable that was given.
 * @param {Report} report
 * @param {string} name
 */
export function stepOf({ steps }, name) {
  const made = steps.findLastIndex((step) => step.outputs.some((output) => output.name === name && !output.changed))
  return made >= 0 ? made : steps.findLastIndex((step) => step.outputs.some((output) => output.name === name))
}

/**
 * The variable that a statement is about; empty where none of its results is there any more.
 * @param {Report} report
 * @param {Step} step
 */
export function subject(report, step) {
  const names = step.outputs.filter(({ name }) => tileOf(report, name))
  const read = (/** @type {Output} */ { name }) => step.inputs.some((input) => input.name === name)
  return (names.find(({ changed }) => !changed) ?? names.find(read) ?? names[0])?.name ?? ""
}

/**
 * A statement, or one operation inside it.
 * @param {Step} step
 * @param {string} chosen the variable that is looked at
 * @param {number | null} place of the operation; `WHOLE` for the whole statement, null for the operation that computed the variable
 * @returns {View}
 */
export function viewOf(step, chosen, place) {
  const result = step.outputs.find((output) => output.name === chosen)
  const inner = step.operations.filter((operation) => operation.outputs.length && operation.inputs.length)
  const at = place ?? inner.findLastIndex((operation) => operation.outputs.some((output) => output.tile === result?.tile))
  const operation = inner[at]
  // What is changed in place changes for everyone who shares its memory: here it is the variable alone, the memory shows the others.
  const its = (/** @type {{ tile: number }} */ { tile }) => !result?.changed || tile === result.tile
  if (operation) {
    const named = new Map(step.outputs.map((output) => [output.tile, output.name]))
    const inputs = operation.inputs.map((input, index) => ({ ...input, key: String(index) }))
    const single = operation.outputs.filter((output, index, all) => all.findIndex((other) => other.tile === output.tile) === index)
    const shown = single.some(its) ? single.filter(its) : single
    return { step, inner, at, inputs, outputs: shown.map((output) => ({ ...output, name: named.get(output.tile) ?? operation.source })), picture: operation.picture }
  }
  const inputs = step.inputs.map((input) => ({ ...input, key: input.name }))
  return { step, inner, at: WHOLE, inputs, outputs: step.outputs.filter(its), picture: { kind: "whole", word: "" } }
}

/**
 * Cells that only move have the colour of their place in memory, so that they keep it; where several feed one, they share its colour;
 * else a colour is a value.
 * @param {Pick<View, "inputs" | "outputs">} view
 * @param {Tile[]} tiles
 * @returns {Colouring}
 */
export function colouring({ inputs, outputs }, tiles) {
  const most = new Map([...inputs, ...outputs].map(({ tile }) => [tile, largest([tiles[tile]])]))
  /** @type {(part: { tile: number }, cell: number) => string} */
  const byValue = ({ tile }, cell) => shade(tiles[tile].values[cell], most.get(tile) ?? 0)
  /** @type {Colouring} */
  const values = { meaning: "value", input: byValue, output: byValue }
  const [output] = outputs
  const links = Object.entries(output?.from ?? {})
  if (outputs.length !== 1 || links.length !== 1) return values
  const [key, from] = links[0]
  const source = inputs.find((input) => input.key === key)
  if (!source) return values
  const [before, after] = [tiles[source.tile], tiles[output.tile]]
  const moves = from.every((cells) => cells.length === 1) && same(before, after, from)
  if (moves && !identity(before, after, from)) {
    const taken = new Set(from.flat())
    const slots = slotsOf(before)
    const first = Math.min(...slots), length = Math.max(...slots) - first
    const slot = (/** @type {number} */ at) => hue(length ? (at - first) / length : 0.5)
    const colour = (/** @type {number} */ cell) => (taken.has(cell) ? slot(slots[cell]) : "transparent")
    return { meaning: "place", input: (input, cell) => (input === source ? colour(cell) : byValue(input, cell)), output: (_, cell) => colour(from[cell][0]), slot, source }
  }
  const feeds = from.length > 1 && !moves ? feedsOne(from, before.values.length) : null
  if (!feeds) return values
  const colour = (/** @type {number | undefined} */ cell) => (cell === undefined ? "transparent" : hue(cell / (from.length - 1)))
  return { meaning: "result", input: (input, cell) => (input === source ? colour(feeds.get(cell)) : byValue(input, cell)), output: (_, cell) => colour(cell) }
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
 * How a cell of an output was computed, with its parts; empty where that is unknown.
 * @param {Pick<View, "inputs" | "picture">} view
 * @param {Tile[]} tiles
 * @param {{ tile: Tile, from: Links }} output
 * @param {number} cell
 * @param {number} [digits] of numbers that are not whole
 * @returns {Sum}
 */
export function sumOf({ picture, inputs }, tiles, output, cell, digits = 3) {
  if (!Object.keys(output.from).length) return { parts: [], terms: [] }
  const operands = inputs.map(({ name, tile, key }) => (output.from[key]?.[cell] ?? []).map((each) => ({ key, cell: each, value: tiles[tile].values[each], place: placeOf(name, tiles[tile], each) })))
  const cells = operands.flat()
  if (!cells.length) return { parts: [{ text: t("This cell does not depend on any input cell.") }], terms: [] }
  const number = (/** @type {Value} */ value) => exact(value, digits)
  const result = output.tile.values[cell], single = cells.length === 1
  const pair = operands.length === 2 && operands[0].length === operands[1].length
  /** @type {(text: string) => (terms: Part[]) => Sum["parts"]} */
  const starting = (text) => (terms) => [{ text: number(result) }, { text }, ...terms]
  if (picture.kind === "products" && pair) {
    const factors = operands[0].map((left, term) => [left, operands[1][term]])
    return { parts: starting(" = ")(joined(factors.map(([left, right]) => `${number(left.value)}·${number(right.value)}`), " + ")), terms: factors }
  }
  const terms = cells.map((each) => [each]), numbers = cells.map(({ value }) => number(value))
  if (picture.kind === "sign" && pair && cells.length === 2) return { parts: starting(" = ")(joined(numbers, ` ${operator(picture.word)} `)), terms }
  if (picture.kind === "call" && !single && picture.word === "sum") return { parts: starting(" = ")(joined(numbers, " + ")), terms }
  if (picture.kind === "call" && !single && picture.word === "mean") return { parts: [...starting(" = (")(joined(numbers, " + ")), { text: `) ÷ ${cells.length}` }], terms }
  if (picture.kind === "call" && !single) return { parts: [...starting(` = ${picture.word}(`)(joined(numbers, ", ")), { text: ")" }], terms }
  const copied = single && Object.is(cells[0].value, result)
  return { parts: starting(copied ? " = " : " ← ")(joined(cells.map(({ place }) => place), ", ")), terms }
}

/**
 * An operator with a true minus sign.
 * @param {string} word
 */
export const operator = (word) => word.replace("-", "−")

/**
 * A cell as a script names it, such as `a[0, 2]`.
 * @param {string} name
 * @param {Pick<Tile, "shown">} tile
 * @param {number} cell
 */
export function placeOf(name, { shown }, cell) {
  return shown.length ? `${name}[${indexOf(shown, cell).join(", ")}]` : name
}

/**
 * The values in the slots of a storage, as far as tensors that lie in it show them.
 * @param {Tile[]} sharing
 * @param {number} itemsize of the slots; a tensor with another one is left out
 */
export function storedValues(sharing, itemsize) {
  /** @type {Map<number, Value>} */
  const values = new Map()
  for (const tile of sharing) if (tile.itemsize === itemsize) slotsOf(tile).forEach((slot, cell) => values.set(slot, tile.values[cell]))
  return values
}

/**
 * The slot of each shown cell of a tile.
 * @param {Tile} tile
 */
export const slotsOf = (tile) => tile.values.map((_, cell) => slotOf(tile, indexOf(tile.shown, cell)))

/** @param {Pick<ArrayFacts, "origin" | "of">} facts */
export function originText({ origin, of }) {
  if (!of && ["view", "same", "shared"].includes(origin)) return t("view of an earlier tensor")
  return {
    view: t("view of {name}", { name: of }), copy: t("copy of {name}", { name: of }), same: t("the same as {name}", { name: of }),
    shared: t("shares memory with {name}", { name: of }), uninitialised: t("uninitialised memory"), given: t("given"), new: "",
  }[origin]
}

/**
 * Terms with what stands between them; the first few, where they are many.
 * @param {string[]} terms
 * @param {string} joint
 * @returns {Part[]}
 */
function joined(terms, joint) {
  const parts = terms.slice(0, TERMS).flatMap((text, term) => [...(term ? [{ text: joint }] : []), { text, term }])
  return terms.length > TERMS ? [...parts, { text: joint }, { text: t("… ({total} in total)", { total: terms.length }) }] : parts
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
