import assert from "node:assert/strict"
import { test } from "node:test"

import { brief, exact, grouped, narrow, percent, shapeText, short } from "../../playground/ui/components/shared/format.js"
import { duration, freeSlot } from "../../playground/ui/components/run_comparison/marks.js"

function agree(format, cases) {
  for (const [value, text] of cases) assert.equal(format(value), text)
}

test("a number fits into a cell", () => {
  agree(short, [[0, "0"], [-3, "−3"], [99999, "99999"], [123456, "1.2e5"], [0.5, "0.5"], [3.14159, "3.14"], [31.4159, "31.4"], [3141.59, "3142"], [0.00012, "1.2e−4"], [-0.00012, "−1.2e−4"]])
  agree(short, [["inf", "∞"], ["-inf", "−∞"], ["nan", "nan"], [true, "True"], [false, "False"]])
})

test("a number of a sum has five digits", () => {
  agree(exact, [[2 / 3, "0.66667"], [-12345.678, "−12346"], [7, "7"], ["inf", "∞"]])
})

test("a whole number has its thousands set apart", () => {
  agree(grouped, [[0, "0"], [999, "999"], [1234567, "1,234,567"]])
})

test("percentages, shapes and durations", () => {
  agree(percent, [[0.5, "50.0\u202f%"], [null, "–"], [undefined, "–"]])
  assert.equal(percent(0.98765, 2), "98.77\u202f%")
  agree(shapeText, [[[], "()"], [[3], "(3,)"], [[2, 3], "(2, 3)"]])
  agree(duration, [[0, "–"], [4.25, "4.3 s"], [59.4, "59 s"], [59.6, "1 min 0 s"], [119.7, "2 min 0 s"], [3599.6, "1 h 0 min"], [7300, "2 h 1 min"]])
})

test("a run gets the lowest free slot", () => {
  assert.equal(freeSlot(new Map()), 0)
  assert.equal(freeSlot(new Map([["a", 0], ["b", 2]])), 1)
})

test("a text has three significant digits, and a narrow column at most six characters beside the sign", () => {
  agree(brief, [[2 / 3, "0.667"], [-0.07667, "−0.0767"], [1234.56, "1235"], [0.000123456, "1.23e−4"], [234567.8, "2.35e5"], [-2, "−2"], ["nan", "nan"]])
  agree(narrow, [[2 / 3, "0.667"], [-0.07667, "−0.0767"], [0.004761, "0.0048"], [-0.004761, "−0.0048"], [0.000123456, "1.2e−4"], [-1.234e-5, "−1.2e−5"], ["inf", "∞"]])
})
