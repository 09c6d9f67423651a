// The loss as a landscape: the higher the darker, with contour lines.

import { tokens } from "../shared/tokens.js"

/** @typedef {{ x: number[], y: number[], z: number[][] }} Grid losses on a grid: a row for each y */
/** @typedef {{ x: number[], y: number[], loss: (x: number, y: number) => number }} Area the limits along each axis, and the loss within */

const LEVELS = 20
const GRAIN = 1.5 // pixels of the screen for one of the picture
const SHADE = 0.3 // how opaque the highest place is
const LINE = 0.4 // … and a line

/**
 * The loss between the points of a grid.
 * @param {Grid} grid
 * @returns {(x: number, y: number) => number}
 */
export function interpolated({ x, y, z }) {
  const place = (/** @type {number[]} */ axis, /** @type {number} */ value) => {
    const at = Math.min(axis.length - 1.000001, Math.max(0, ((value - axis[0]) / (axis[axis.length - 1] - axis[0])) * (axis.length - 1)))
    return [Math.floor(at), at % 1]
  }
  return (across, up) => {
    const [column, right] = place(x, across), [row, above] = place(y, up)
    const between = (/** @type {number[]} */ line) => line[column] * (1 - right) + line[column + 1] * right
    return between(z[row]) * (1 - above) + between(z[row + 1]) * above
  }
}

/**
 * The lowest loss of an area.
 * @param {Area} area
 */
export function lowestOf({ x: [left, right], y: [bottom, top], loss }) {
  let lowest = Infinity
  for (let row = 0; row <= 100; row++) for (let column = 0; column <= 100; column++) {
    const value = loss(left + ((right - left) * column) / 100, bottom + ((top - bottom) * row) / 100)
    if (value < lowest) lowest = value
  }
  return lowest
}

/**
 * The height at which a loss is drawn: so the floor of a valley has lines as well.
 * @param {number} loss
 * @param {number} lowest
 */
export const heightOf = (loss, lowest) => Math.log1p(Math.max(0, loss - lowest))

/**
 * Paint an area into a canvas that fills its box.
 * @param {HTMLCanvasElement} canvas
 * @param {Area} area
 * @param {number} lowest
 */
export function paintGround(canvas, { x: [left, right], y: [bottom, top], loss }, lowest) {
  const width = Math.max(1, Math.round(canvas.clientWidth / GRAIN)), height = Math.max(1, Math.round(canvas.clientHeight / GRAIN))
  const heights = new Float64Array(width * height)
  for (let row = 0; row < height; row++) {
    const y = top - ((top - bottom) * (row + 0.5)) / height
    for (let column = 0; column < width; column++) heights[row * width + column] = heightOf(loss(left + ((right - left) * (column + 0.5)) / width, y), lowest)
  }
  const highest = heights.reduce((most, each) => (each > most && each < Infinity ? each : most), 1e-9)
  const level = (/** @type {number} */ place) => (Math.min(heights[place], highest) / highest) * LEVELS
  const [red, green, blue] = tokens(canvas).soft.match(/\d+/g)?.map(Number) ?? []
  const image = new ImageData(width, height)
  for (let place = 0; place < heights.length; place++) {
    const here = level(place)
    const beside = level(place % width < width - 1 ? place + 1 : place - 1), beneath = level(place + width < heights.length ? place + width : place - width)
    const away = Math.abs(here - Math.round(here)) / (Math.hypot(beside - here, beneath - here) || Infinity) // pixels to the nearest line
    const strength = Number.isFinite(here) ? SHADE * (here / LEVELS) + LINE * Math.max(0, 1 - away) : 0
    image.data.set([red, green, blue, Math.round(255 * strength)], 4 * place)
  }
  canvas.width = width
  canvas.height = height
  canvas.getContext("2d")?.putImageData(image, 0, 0)
}
