// A statement as an equation of tiles on one line: its cells grow until the room is filled, and shrink until it fits.

import { element } from "../shared/dom.js"
import { shapeText } from "../shared/format.js"
import { t } from "../shared/text.js"
import { draw, letters, sides } from "../shared/tile.js"

/**
 * @import { CellSize } from "../shared/tile.js"
 * @import { Tile } from "./documents.js"
 */

/** @typedef {{ shown: number[], letters: number }} Operand the shape that is drawn, and the letters of its longest number */
/** @typedef {{ width: number, height: number, rem: number }} Room in pixels */

// In rem; view.css has the same gaps.
const LARGEST = 5
const SMALLEST = 1.5
const STEP = 0.125
const LEAST_DENSE = 0.375 // of a cell without its number
const MOST_DENSE = 1.25
const GAP = 0.125
const DENSE_GAP = 0.0625
const GRIDS = 0.75 // between the grids of a tile
const LEAD = 1.35 // the index above a grid
const CAPTION = 2.75 // the name and the shape above a tile
const NARROWEST = 4.5 // a figure, because of its caption
const SIGN = 2.5 // with the space around it
const TALL = 15 // a room that is lower can be scrolled
const SIZES = [0.8125, 1, 1.25] // of the numbers, in rem: those of controls.css
const LETTER = 0.56 // the width of a digit, as a share of its font size

const MANY = 400 // cells, of which no number is read

/**
 * The sizes of the cells of each operand. All have the largest height with which the equation fits. Where even the smallest does not, the
 * equation is wider than its room; with `squeeze`, one input after the other loses its numbers before, and the result if it fits then.
 * @param {Operand[]} operands
 * @param {Room} room
 * @param {{ largest?: number, squeeze?: boolean }} [options] the largest height of a cell, in rem
 * @returns {CellSize[]}
 */
export function fit(operands, room, { largest = LARGEST, squeeze = false } = {}) {
  const width = room.width / room.rem - SIGN * Math.max(0, operands.length - 1), height = room.height / room.rem - CAPTION
  const dense = operands.map(({ shown }) => isDense(shown, width, squeeze ? height : Math.max(height, TALL)))
  const grow = (/** @type {boolean[]} */ without) => grown(operands, without, width, height, largest)
  let best = grow(dense)
  for (let next = largestInput(operands, dense); squeeze && !best.fits && next >= 0; next = largestInput(operands, dense)) {
    dense[next] = true
    best = grow(dense)
  }
  const bare = squeeze && !best.fits ? grow(dense.map(() => true)) : best
  return (bare.fits ? bare : best).sizes.map((size) => inPixels(size, room.rem))
}

/**
 * The sizes with the largest height of a cell that fits, or with the smallest.
 * @param {Operand[]} operands
 * @param {boolean[]} dense which of them are drawn without numbers
 * @param {number} width in rem
 * @param {number} height
 * @param {number} largest
 */
function grown(operands, dense, width, height, largest) {
  for (let side = largest; ; side -= STEP) {
    const sizes = operands.map((operand, place) => (dense[place] ? denseSize(operand.shown, width / operands.length, height) : plainSize(operand, side, height)))
    const total = operands.reduce((sum, { shown }, place) => sum + widthOf(shown, sizes[place]), 0)
    const fits = total <= width && operands.every(({ shown }, place) => heightOf(shown, sizes[place]) <= height)
    if (fits || side <= SMALLEST) return { sizes, fits }
  }
}

/**
 * The input with the most cells that has its numbers yet; −1 where none has.
 * @param {Operand[]} operands the last is the result
 * @param {boolean[]} dense
 */
function largestInput(operands, dense) {
  const inputs = [...operands.keys()].filter((place) => !dense[place] && place < operands.length - 1)
  return inputs.sort((one, other) => count(operands[other].shown) - count(operands[one].shown))[0] ?? -1
}

/**
 * @param {number[]} shown
 * @param {number} width in rem
 * @param {number} height
 */
function isDense(shown, width, height) {
  const [rows, columns] = sides(shown)
  return count(shown) > MANY || columns * (SMALLEST + GAP) > width || rows * (SMALLEST + GAP) > height
}

/**
 * @param {Operand} operand
 * @param {number} side in rem
 * @param {number} height of the room
 * @returns {Required<CellSize>}
 */
function plainSize(operand, side, height) {
  const font = SIZES.findLast((size) => size <= side * 0.42) ?? SIZES[0]
  return { width: Math.max(side, operand.letters * LETTER * font + 0.5), height: side, dense: false, font, down: down(operand.shown, side + GAP, height) }
}

/**
 * @param {number[]} shown
 * @param {number} width of its share of the room, in rem
 * @param {number} height
 * @returns {Required<CellSize>}
 */
function denseSize(shown, width, height) {
  for (let side = MOST_DENSE; ; side -= STEP) {
    const size = { width: side, height: side, dense: true, font: 0.8125, down: down(shown, side + DENSE_GAP, height) }
    const fits = widthOf(shown, size) <= width && heightOf(shown, size) <= height
    if (fits || side <= LEAST_DENSE) return size
  }
}

/**
 * How many grids of a tile stand beneath one another.
 * @param {number[]} shown
 * @param {number} pitch of the rows
 * @param {number} height
 */
function down(shown, pitch, height) {
  return Math.max(1, Math.min(grids(shown), Math.floor((height + GRIDS) / (gridHeight(shown, pitch) + GRIDS))))
}

/** @param {number[]} shown */
const count = (shown) => shown.reduce((product, size) => product * size, 1)

/** @param {number[]} shown */
const grids = (shown) => count(shown.slice(0, -2))

/**
 * @param {number[]} shown
 * @param {number} pitch of the rows
 */
const gridHeight = (shown, pitch) => sides(shown)[0] * pitch + (shown.length > 2 ? LEAD : 0)

/** @param {Required<CellSize>} size */
const gap = ({ dense }) => (dense ? DENSE_GAP : GAP)

/**
 * @param {number[]} shown
 * @param {Required<CellSize>} size
 */
function widthOf(shown, size) {
  const across = Math.ceil(grids(shown) / size.down)
  return Math.max(NARROWEST, across * (sides(shown)[1] * (size.width + gap(size)) + GRIDS) - GRIDS)
}

/**
 * @param {number[]} shown
 * @param {Required<CellSize>} size
 */
const heightOf = (shown, size) => size.down * (gridHeight(shown, size.height + gap(size)) + GRIDS) - GRIDS

/**
 * @param {Required<CellSize>} size
 * @param {number} rem
 * @returns {CellSize}
 */
const inPixels = ({ width, height, font, ...size }, rem) => ({ ...size, width: Math.floor(width * rem), height: Math.floor(height * rem), font: font * rem })

/**
 * One tile of an equation, before its size is known.
 * @typedef {object} Figure
 * @property {string} role
 * @property {string} name
 * @property {Tile} tile
 * @property {(cell: number) => string} colour
 * @property {string} [when] a word after the shape
 * @property {{ shown: number[], from: number[][], first: boolean[] } | null} [stretch] how it is stretched to another shape
 */

/**
 * The operand as `fit` needs it.
 * @param {Figure} figure
 * @returns {Operand}
 */
export const operandOf = ({ tile, stretch }) => ({ shown: stretch?.shown ?? tile.shown, letters: letters(tile.values) })

/**
 * Draw a tile with its name and its shape.
 * @param {Figure} figure
 * @param {CellSize} size
 */
export function drawFigure({ role, name, tile, colour, when, stretch }, size) {
  const shape = shapeText(tile.shape)
  const options = { size, label: t("{name}: shape {shape}, {dtype}", { name, shape, dtype: tile.dtype }) }
  const drawn = stretch
    ? draw(tile, { ...options, shown: stretch.shown, value: (cell) => tile.values[stretch.from[cell][0]], colour: (cell) => colour(stretch.from[cell][0]), ghost: (cell) => !stretch.first[cell] })
    : draw(tile, { ...options, colour })
  const cut = tile.shown.some((extent, axis) => extent < tile.shape[axis])
  const caption = element("figcaption"), title = element("code", "name", name)
  title.title = name
  caption.append(title, element("span", "shape", [shape, when, cut ? t("first {part}", { part: shapeText(tile.shown) }) : ""].filter(Boolean).join(" ")))
  const box = element("figure", `side ${role}`)
  box.append(caption, drawn.box)
  return { ...drawn, figure: box }
}
