import assert from "node:assert/strict"
import { test } from "node:test"

import { origins } from "../../playground/ui/components/tensor_lab/motion.js"

const side = (role, values, more = {}) => ({ role, key: "", from: {}, stretch: null, tile: { values }, cells: values.map((value) => ({ value })), ...more })
const source = side("input", [1, 2, 3], { key: "0" })
const cells = (found, of) => found.get(of).map((origin) => origin && origin.side.cells[origin.cell].value)

test("a cell of the result comes from its only source, if it has its value", () => {
  const flipped = side("output", [3, 2, 1], { from: { 0: [[2], [1], [0]] } })
  assert.deepEqual(cells(origins([source, flipped], []), flipped), [3, 2, 1])
  const expanded = side("output", [1, 1], { from: { 0: [[0], [0]] } })
  assert.deepEqual(cells(origins([source, expanded], []), expanded), [1, 1])
  const computed = side("output", [3, 4, 9], { from: { 0: [[0, 1], [1], []] } })
  assert.deepEqual(cells(origins([source, computed], []), computed), [null, null, null])
})

test("what is joined comes from several inputs", () => {
  const other = side("input", [7], { key: "1" })
  const joined = side("output", [1, 2, 3, 7], { from: { 0: [[0], [1], [2], []], 1: [[], [], [], [0]] } })
  assert.deepEqual(cells(origins([source, other, joined], []), joined), [1, 2, 3, 7])
})

test("an input comes from where the same tensor stood before", () => {
  const before = { ...source, cells: ["a", "b", "c"].map((value) => ({ value })) }
  assert.deepEqual(cells(origins([source], [before]), source), ["a", "b", "c"])
  assert.deepEqual(cells(origins([source], [side("output", [1, 2, 3])]), source), [null, null, null])
})
