// One tensor drawn as grids of cells: the last two dimensions as rows and columns, the leading ones as one grid each.

import { tint } from "./colour.js"
import { element } from "./dom.js"
import { short } from "./format.js"
import { t } from "./text.js"

/** @import { Value } from "./format.js" */
/** @typedef {import("../tensor_lab/documents.js").Tile} Tile its shown cells are in row-major order */

const STOPS = [[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]] // viridis

/**
 * The colour of a place between 0 and 1; pale enough for text on it, in light and in dark.
 * @param {number} share
 */
export function hue(share) {
  const at = Math.min(share * (STOPS.length - 1), STOPS.length - 1.001)
  const [one, other] = [STOPS[Math.floor(at)], STOPS[Math.floor(at) + 1]]
  const mixed = one.map((part, index) => Math.round(part + (other[index] - part) * (at % 1)))
  return `light-dark(rgb(${mixed.join(" ")} / .5), rgb(${mixed.join(" ")} / .35))`
}

/**
 * The colour of a value; hatched where it is not a number.
 * @param {Value} value
 * @param {number} most the value of the strongest colour
 */
export function shade(value, most) {
  const number = typeof value === "boolean" ? Number(value) : typeof value === "string" ? (value === "inf" ? most : value === "-inf" ? -most : NaN) : value
  if (Number.isNaN(number)) return "repeating-linear-gradient(45deg, transparent 0 4px, rgb(128 128 128 / .35) 4px 6px)"
  return tint(most ? number / most : 0)
}

/** @param {{ values: Value[] }[]} tiles */
export const largest = (tiles) => Math.max(0, ...tiles.flatMap((tile) => tile.values.map((value) => (typeof value === "number" ? Math.abs(value) : typeof value === "boolean" ? 1 : 0))))

/**
 * The index of a shown cell, such as [0, 2].
 * @param {number[]} shown
 * @param {number} cell
 */
export function indexOf(shown, cell) {
  const index = []
  for (let axis = shown.length - 1; axis >= 0; axis--) {
    index.unshift(cell % shown[axis])
    cell = Math.floor(cell / shown[axis])
  }
  return index
}

/**
 * The place in its storage of the element with an index.
 * @param {Pick<Tile, "first" | "strides">} tile
 * @param {number[]} index
 */
export const slotOf = (tile, index) => tile.first + index.reduce((sum, place, axis) => sum + place * tile.strides[axis], 0)

/**
 * The rows and columns of each grid of a tile.
 * @param {number[]} shown
 */
export const sides = (shown) => [shown.at(-2) ?? 1, shown.at(-1) ?? 1]

/**
 * The size of the cells of a tile.
 * @typedef {object} CellSize
 * @property {number} width in pixels
 * @property {number} height
 * @property {boolean} dense whether they are too small for numbers
 * @property {number} [font] the size of the numbers
 * @property {number} [down] how many grids stand beneath one another; without it they wrap
 */

/**
 * The letters of the longest number in a tile.
 * @param {Value[]} values
 */
export const letters = (values) => Math.max(1, ...values.map((value) => short(value).length))

/** One rem in pixels: larger where the page is presented to a class. */
export const rem = () => parseFloat(getComputedStyle(document.documentElement).fontSize)

/** The smallest text, in rem: --size-small of controls.css. */
export const smallest = () => parseFloat(getComputedStyle(document.documentElement).getPropertyValue("--smallest")) || 0.8125

/**
 * The size of cells in a certain width.
 * @param {number[]} shown
 * @param {Value[]} values
 * @param {number} width in pixels
 * @returns {CellSize}
 */
function sizeIn(shown, values, width) {
  const [, columns] = sides(shown), scale = rem() / 16
  const wanted = Math.ceil((Math.max(2, letters(values)) * 8.4 + 9) * scale)
  const dense = wanted * Math.min(columns, 60) > width || values.length > 400
  const side = Math.max(7, Math.min(20 * scale, Math.floor((width - 20) / columns) - 2))
  return dense ? { width: side, height: side, dense } : { width: wanted, height: 30 * scale, dense }
}

/**
 * Draw a tile.
 * @param {Pick<Tile, "shown" | "values">} tile
 * @param {object} options
 * @param {number} [options.width] that there is, in pixels, where the size of the cells is not given
 * @param {CellSize} [options.size] of the cells
 * @param {(cell: number) => string} options.colour
 * @param {(cell: number) => boolean} [options.ghost]
 * @param {string} options.label
 * @param {number[]} [options.shown] where the tile is stretched to another shape
 * @param {(cell: number) => Value} [options.value] then
 * @returns the cells in their order, to be lit, beside the box that holds them
 */
export function draw(tile, { width = 0, size, colour, ghost, label, shown = tile.shown, value = (cell) => tile.values[cell] }) {
  const [rows, columns] = sides(shown)
  const each = rows * columns
  const count = shown.reduce((product, size) => product * size, 1)
  const grids = each ? count / each : 0
  const values = Array.from({ length: count }, (_, cell) => value(cell))
  const { width: wide, height, dense, font, down } = size ?? sizeIn(shown, values, width)
  const box = element("div", dense ? "tile dense" : "tile")
  box.tabIndex = count ? 0 : -1
  box.setAttribute("role", "img")
  box.setAttribute("aria-label", label)
  box.style.setProperty("--cell-height", `${height}px`)
  if (font) box.style.setProperty("--cell-font", `${font}px`)
  if (down) box.style.gridTemplateColumns = `repeat(${Math.ceil(grids / down)}, auto)`
  const cells = []
  for (let grid = 0; grid < grids; grid++) {
    const part = element("div", "part")
    if (shown.length > 2) part.append(element("span", "lead", `[${indexOf(shown.slice(0, -2), grid).join(", ")}]`))
    const table = element("div", "grid")
    table.style.gridTemplateColumns = `repeat(${columns}, ${wide}px)`
    for (let place = 0; place < each; place++) {
      const cell = grid * each + place
      const one = element("span", ghost?.(cell) ? "cell ghost" : "cell", dense ? undefined : short(values[cell]))
      one.style.background = colour(cell)
      if (dense) one.title = short(values[cell])
      one.dataset.cell = String(cell)
      cells.push(one)
      table.append(one)
    }
    part.append(table)
    box.append(part)
  }
  if (!count) box.append(element("span", "none", t("no cells")))
  return { box, cells, columns, shown }
}

/**
 * A picture of a whole tensor in a few pixels, for its card.
 * @param {Tile} tile
 * @param {number} most the value of the strongest colour
 */
export function miniature(tile, most) {
  const canvas = element("canvas", "mini")
  const [rows, columns] = sides(tile.shown)
  const count = Math.min(tile.values.length, rows * columns)
  canvas.width = Math.max(1, columns)
  canvas.height = Math.max(1, rows)
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"))
  for (let cell = 0; cell < count; cell++) {
    const fill = shade(tile.values[cell], most)
    context.fillStyle = fill.startsWith("repeating") ? "rgb(128 128 128 / .4)" : fill
    context.fillRect(cell % columns, Math.floor(cell / columns), 1, 1)
  }
  const scale = Math.min(4.5 / columns, 2.5 / rows, 0.75)
  canvas.style.width = `${Math.max(0.375, columns * scale)}rem`
  canvas.style.height = `${Math.max(0.375, rows * scale)}rem`
  canvas.setAttribute("aria-hidden", "true")
  return canvas
}
