import assert from "node:assert/strict"
import { test } from "node:test"

import { fit } from "../../playground/ui/components/tensor_lab/equation.js"

const room = { width: 700, height: 320, rem: 16, smallest: 0.8125 }
const operand = (shown, letters = 1) => ({ shown, letters })
const product = [operand([2, 3]), operand([3, 2]), operand([2, 2], 2)]

test("cells fill the room, all with the same height", () => {
  const sizes = fit(product, room)
  assert.equal(new Set(sizes.map(({ height }) => height)).size, 1)
  assert.ok(sizes[0].height >= 48 && sizes.every(({ dense }) => !dense))
  assert.ok(fit(product, { ...room, width: 500 })[0].height < sizes[0].height)
})

test("where the text of the page is larger, cells are too", () => {
  assert.ok(fit(product, { ...room, width: 1400, height: 640, rem: 32 })[0].height === 2 * fit(product, room)[0].height)
})

test("no number is smaller than the smallest text", () => {
  const fonts = (smallest) => fit([operand([2, 12]), operand([2, 2])], { ...room, width: 440, smallest }).map(({ font }) => font)
  assert.deepEqual([fonts(0.8125), fonts(0.875)], [[13, 13], [14, 14]])
})

test("cells shrink to 24 pixels and no further: then they lose their numbers", () => {
  assert.deepEqual([330, 300].map((width) => fit([operand([2, 12])], { ...room, width })[0].dense), [false, true])
  assert.equal(fit([operand([2, 12])], { ...room, width: 330 })[0].height, 24)
})

test("in a room that can be scrolled an equation may be taller than its room, and keeps its numbers", () => {
  assert.deepEqual([0, 15].map((tall) => fit([operand([8, 2])], { ...room, height: 200 }, { tall })[0].dense), [true, false])
})

test("a long number widens its own operand alone", () => {
  const [first, second] = fit([operand([9, 2], 7), operand([9, 2], 1)], room)
  assert.equal(first.height, second.height)
  assert.ok(first.width > second.width)
})

test("what has too many cells for the room loses its numbers", () => {
  assert.deepEqual(fit([operand([3, 40]), operand([2, 2])], room).map(({ dense }) => dense), [true, false])
  assert.ok(fit([operand([25, 40])], room)[0].dense)
})

test("grids stand beneath one another as far as the height allows", () => {
  assert.equal(fit([operand([2, 2, 3])], { ...room, width: 200 })[0].down, 2)
  assert.equal(fit([operand([2, 2, 3])], { ...room, height: 120 })[0].down, 1)
})

test("where an equation does not fit, one input after another loses its numbers, and the result only where all fits then", () => {
  const wide = [operand([4, 6], 5), operand([2, 6], 5), operand([4, 2], 5)]
  const dense = (width) => fit(wide, { ...room, width, height: 176 }, { largest: 2 }).map((size) => size.dense)
  assert.deepEqual([900, 600, 440, 300, 200].map(dense), [[false, false, false], [true, false, false], [true, true, false], [true, true, true], [true, true, false]])
})
