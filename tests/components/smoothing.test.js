import assert from "node:assert/strict"
import { test } from "node:test"

import { smooth } from "../../playground/ui/components/shared/smoothing.js"

const curve = (count, end, value) => {
  const x = Array.from({ length: count }, (_, index) => ((index + 1) * end) / count)
  return { x, y: x.map(value) }
}

test("no smoothing leaves a curve as it is, and a constant stays constant", () => {
  const noise = curve(50, 10, Math.sin)
  assert.equal(smooth(noise, 0, 10), noise.y)
  for (const value of smooth(curve(50, 10, () => 3), 1, 10)) assert.ok(Math.abs(value - 3) < 1e-12)
})

test("smoothing depends on the axis, not on how densely the points lie", () => {
  const ramp = (x) => x
  const sparse = smooth(curve(500, 10, ramp), 0.6, 10)
  const dense = smooth(curve(5000, 10, ramp), 0.6, 10)
  assert.ok(Math.abs(sparse.at(-1) - dense.at(-1)) < 0.02)
  assert.ok(sparse.at(-1) < 10 - 0.02, "the mean lags behind")
})

test("a point counts half after 8 % of the axis at the strongest", () => {
  const step = { x: [50, 58], y: [0, 1] }
  assert.ok(Math.abs(smooth(step, 1, 100)[1] - 0.5 / (1 - 0.5 ** (58 / 8))) < 1e-12)
})

test("gaps stay gaps", () => {
  assert.deepEqual(smooth({ x: [1, 2, 3], y: [1, null, 1] }, 0.5, 3), [1, null, 1])
})

test("no point counts beyond a cut", () => {
  const jump = { x: [1, 2, 3, 4], y: [1, 1, 9, 9] }
  assert.deepEqual(smooth(jump, 0.5, 4, [2]), [1, 1, 9, 9])
  assert.ok(smooth(jump, 0.5, 4)[2] < 9)
})
