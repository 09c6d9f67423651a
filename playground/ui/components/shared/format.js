// How numbers are written, the same in every view.

/**
 * A value of a tensor as JSON has it: "inf", "-inf" and "nan" are texts.
 * @typedef {number | string | boolean} Value
 */

/**
 * A fraction as a percentage, with a narrow no-break space; a dash for none.
 * @param {number | null | undefined} fraction
 */
export const percent = (fraction, digits = 1) => (fraction === null || fraction === undefined ? "–" : `${(100 * fraction).toFixed(digits)}\u202f%`)

/**
 * A whole number with its thousands set apart.
 * @param {number} value
 */
export const grouped = (value) => value.toLocaleString("en")

/**
 * A number that fits into a cell.
 * @param {Value} value
 */
export function short(value) {
  if (typeof value === "string") return value === "inf" ? "∞" : value === "-inf" ? "−∞" : value
  if (typeof value === "boolean") return value ? "True" : "False"
  if (Number.isInteger(value) && Math.abs(value) < 100000) return sign(String(value))
  const size = Math.abs(value)
  if (size !== 0 && (size < 0.001 || size >= 100000)) return sign(value.toExponential(1).replace("e+", "e"))
  return sign(String(Number(value.toFixed(size < 10 ? 2 : size < 1000 ? 1 : 0))))
}

/**
 * The same, with the digits that a sum needs.
 * @param {Value} value
 */
export function exact(value, digits = 5) {
  if (typeof value !== "number") return short(value)
  if (Number.isInteger(value)) return sign(String(value))
  return sign(String(Number(value.toPrecision(digits))))
}

/**
 * The same with three significant digits, for a text.
 * @param {Value} value
 */
export function brief(value) {
  if (typeof value !== "number" || Number.isInteger(value)) return short(value)
  const size = Math.abs(value)
  if (size < 0.001 || size >= 100000) return sign(value.toExponential(2).replace("e+", "e"))
  return sign(String(Number(size < 1000 ? value.toPrecision(3) : value.toFixed(0))))
}

/**
 * The same with at most six characters and a sign, where it must be: for a column of a node.
 * @param {Value} value
 */
export function narrow(value) {
  const text = brief(value)
  if (typeof value !== "number" || text.length <= 6 + Number(value < 0)) return text
  return text.includes("e") ? sign(value.toExponential(1).replace("e+", "e")) : exact(value, 2)
}

/** @param {string} text */
const sign = (text) => text.replaceAll("-", "−")

/**
 * A text with at most so many letters.
 * @param {string} text
 * @param {number} most
 */
export const shortened = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text)

/**
 * A shape as Python writes it.
 * @param {number[]} sizes
 */
export const shapeText = (sizes) => `(${sizes.join(", ")}${sizes.length === 1 ? "," : ""})`
