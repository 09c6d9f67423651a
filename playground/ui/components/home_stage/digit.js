// A drawing in the form of MNIST's digits, as playground/inference/preprocessing.py brings it there: cropped, its longer side 20 pixels, its centre of mass in the middle.

const BOX = 20
const FIELD = 28
const MIDDLE = 14.5
const INK = 0.15 // share of the darkest pixel above which a pixel counts as drawn

/**
 * The rows and columns that enclose the ink; null where there is none.
 * @param {Uint8Array} ink a byte for each pixel
 * @param {number} side
 */
export function bounds(ink, side) {
  const least = INK * Math.max(...rowsOf(ink, side).map((row) => Math.max(...row)))
  let [top, bottom, left, right] = [side, -1, side, -1]
  ink.forEach((value, at) => {
    if (value <= least) return
    const [row, column] = [Math.floor(at / side), at % side]
    top = Math.min(top, row)
    bottom = Math.max(bottom, row + 1)
    left = Math.min(left, column)
    right = Math.max(right, column + 1)
  })
  return bottom < 0 ? null : { top, left, height: bottom - top, width: right - left }
}

/**
 * @param {Uint8Array} ink
 * @param {number} side
 */
const rowsOf = (ink, side) => Array.from({ length: side }, (_, row) => ink.subarray(row * side, (row + 1) * side))

/**
 * Average a part of an image over the pixels of a smaller one, and stretch the brightest to 255.
 * @param {Uint8Array} ink
 * @param {number} side
 * @param {{ top: number, left: number, height: number, width: number }} part
 */
export function fit(ink, side, { top, left, height, width }) {
  const factor = BOX / Math.max(height, width)
  const [rows, columns] = [Math.max(1, Math.round(height * factor)), Math.max(1, Math.round(width * factor))]
  const values = new Float32Array(rows * columns)
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const [from, to] = [top + (row * height) / rows, top + ((row + 1) * height) / rows]
      const [start, end] = [left + (column * width) / columns, left + ((column + 1) * width) / columns]
      let [sum, area] = [0, 0]
      for (let y = Math.floor(from); y < to; y++) {
        for (let x = Math.floor(start); x < end; x++) {
          const weight = (Math.min(to, y + 1) - Math.max(from, y)) * (Math.min(end, x + 1) - Math.max(start, x))
          sum += weight * ink[y * side + x]
          area += weight
        }
      }
      values[row * columns + column] = sum / area
    }
  }
  const most = Math.max(...values, 1e-6)
  return { rows, columns, values: values.map((value) => (value * 255) / most) }
}

/**
 * The image that a network gets, 28×28 bytes; null where nothing is drawn.
 * @param {Uint8Array} ink
 * @param {number} side
 */
export function toDigit(ink, side) {
  const part = bounds(ink, side)
  if (!part) return null
  const { rows, columns, values } = fit(ink, side, part)
  let [total, down, across] = [0, 0, 0]
  values.forEach((value, at) => {
    total += value
    down += value * (Math.floor(at / columns) + 0.5)
    across += value * ((at % columns) + 0.5)
  })
  const place = (/** @type {number} */ middle, /** @type {number} */ size) => Math.min(Math.max(Math.round(MIDDLE - middle), 0), FIELD - size)
  const [top, left] = [place(down / total, rows), place(across / total, columns)]
  const image = new Uint8Array(FIELD * FIELD)
  values.forEach((value, at) => { image[(top + Math.floor(at / columns)) * FIELD + left + (at % columns)] = Math.round(value) })
  return image
}
