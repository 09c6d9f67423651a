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
/** @typedef {{ width: number, height: number, rem: number, smallest: number }} Room in pixels; the smallest text in rem */
/** @typedef {{ width: number, height: number, tall: number, smallest: number }} Inside the room of the cells, in rem; `tall` where it can be scrolled */

// In rem; view.css has the same gaps.
const LARGEST = 5
const SMALLEST = 1.5
const STEP = 0.125
const LEAST_DENSE = 0.25 // of a cell without its number
const MOST_DENSE = 1.25
const GAP = 0.125
const DENSE_GAP = 0.0625
const GRIDS = 0.75 // between the grids of a tile
const LEAD = 1.35 // the index above a grid
const CAPTION = 2.75 // the name and the shape above a tile
const NARROWEST = 4.5 // a figure, because of its caption
const SIGN = 2.5 // with the space around it
const SIZES = [1, 1.25] // of the numbers, in rem, where there is room for more than the smallest: those of controls.css
const LETTER = 0.56 // the width of a digit, as a share of its font size

const MANY = 400 // cells, of which no number is read

/**
 * The sizes of the cells of each operand. All have the largest height with which the equation fits. Where even the smallest does not, one
 * input after the other loses its numbers, and at last the result, if it fits then; else the equation is larger than its room.
 * @param {Operand[]} operands
 * @param {Room} room
 * @param {{ largest?: number, tall?: number, sign?: number }} [options] in rem: the largest height of a cell; how tall the equation may be where its room can be scrolled; the width of a sign
 * @returns {CellSize[]}
 */
export function fit(operands, room, { largest = LARGEST, tall = 0, sign = SIGN } = {}) {
  const width = room.width / room.rem - sign * Math.max(0, operands.length - 1), height = room.height / room.rem - CAPTION
  const inside = { width, height, tall: Math.max(height, tall), smallest: room.smallest }
  const dense = operands.map((operand) => isDense(operand, inside))
  let best = grown(operands, dense, inside, largest)
  for (let next = largestInput(operands, dense); !best.fits && next >= 0; next = largestInput(operands, dense)) {
    dense[next] = true
    best = grown(operands, dense, inside, largest)
  }
  const bare = best.fits ? best : grown(operands, dense.map(() => true), inside, largest)
  return (bare.fits ? bare : best).sizes.map((size) => inPixels(size, room.rem))
}

/**
 * The sizes with the largest height of a cell that fits, or with the smallest.
 * @param {Operand[]} operands
 * @param {boolean[]} dense which of them are drawn without numbers
 * @param {Inside} inside
 * @param {number} largest
 */
function grown(operands, dense, { width, height, tall, smallest }, largest) {
  for (let side = largest; ; side -= STEP) {
    const sizes = operands.map((operand, place) => (dense[place] ? denseSize(operand.shown, width / operands.length, height) : plainSize(operand, side, height, smallest)))
    const total = operands.reduce((sum, { shown }, place) => sum + widthOf(shown, sizes[place]), 0)
    const fits = total <= width && operands.every(({ shown }, place) => heightOf(shown, sizes[place]) <= (side <= SMALLEST ? tall : height))
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
 * Whether an operand is too large for its numbers.
 * @param {Operand} operand
 * @param {Inside} inside
 */
function isDense(operand, { width, height, tall, smallest }) {
  const { shown } = operand, size = plainSize(operand, SMALLEST, height, smallest)
  return count(shown) > MANY || widthOf(shown, size) > width || heightOf(shown, size) > tall
}

/**
 * @param {Operand} operand
 * @param {number} side in rem
 * @param {number} height of the room
 * @param {number} smallest text
 * @returns {Required<CellSize>}
 */
function plainSize(operand, side, height, smallest) {
  const font = SIZES.findLast((size) => size <= side * 0.42) ?? smallest
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
 * Write long names out where there is room.
 * @param {HTMLElement} row
 * @param {HTMLElement} box in which it stands
 */
export function spaced(row, box) {
  row.classList.add("roomy")
  if (box.scrollWidth > box.clientWidth) row.classList.remove("roomy")
}

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
