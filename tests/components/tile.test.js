import assert from "node:assert/strict"
import { test } from "node:test"

import { hue, indexOf, largest, letters, shade, slotOf } from "../../playground/ui/components/shared/tile.js"

test("a cell's index counts rows, then columns", () => {
  assert.deepEqual([0, 3, 5].map((cell) => indexOf([2, 3], cell)), [[0, 0], [1, 0], [1, 2]])
  assert.deepEqual(indexOf([], 0), [])
  assert.deepEqual(indexOf([2, 2, 2], 5), [1, 0, 1])
})

test("the slot of an index follows the strides", () => {
  const transposed = { first: 1, strides: [1, 3] }
  assert.equal(slotOf(transposed, [2, 1]), 1 + 2 + 3)
  assert.equal(slotOf({ first: 4, strides: [] }, []), 4)
})

test("positive values are orange, negative blue, zero transparent, NaN striped", () => {
  assert.match(shade(2, 2), /^rgb\(224 122 31 \/ 0\.450\)$/)
  assert.match(shade(-1, 2), /^rgb\(59 130 196 \/ 0\.277\)$/)
  assert.match(shade(0, 2), /\/ 0\.000\)$/)
  assert.equal(shade("inf", 2), shade(2, 2))
  assert.equal(shade(true, 1), shade(1, 1))
  assert.match(shade("nan", 2), /^repeating/)
})

test("the largest value of several tiles", () => {
  assert.equal(largest([{ values: [1, -7, "nan"] }, { values: [true] }]), 7)
  assert.equal(largest([]), 0)
})

test("colours of places differ", () => {
  assert.equal(new Set([0, 0.25, 0.5, 0.75, 1].map(hue)).size, 5)
})

test("the longest number of a tile has so many letters", () => {
  assert.equal(letters([1, -0.25, "inf"]), 5)
  assert.equal(letters([]), 1)
})
