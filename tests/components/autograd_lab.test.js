import assert from "node:assert/strict"
import { test } from "node:test"

import { lossAt, slopeAt } from "../../playground/ui/components/autograd_lab/loss_plot.js"

const places = Array.from({ length: 41 }, (_, place) => -2 + place / 10)
const SQUARE = { places, losses: places.map((place) => place ** 2) }

test("between the points of a curve the loss is on a straight line", () => {
  assert.ok(Math.abs(lossAt(SQUARE, 1.5) - 2.25) < 1e-9)
  assert.ok(Math.abs(lossAt(SQUARE, 1.55) - (1.5 ** 2 + 1.6 ** 2) / 2) < 1e-9)
})

test("the slope of a curve is that of its chord", () => {
  assert.ok(Math.abs(slopeAt(SQUARE, 1) - 2) < 1e-9)
})

test("beyond the ends of a curve and in its gaps nothing is known", () => {
  const gap = { places, losses: SQUARE.losses.map((loss, place) => (place === 20 ? null : loss)) }
  assert.equal(lossAt(SQUARE, 2.5), null)
  assert.equal(lossAt(SQUARE, -2.1), null)
  assert.equal(lossAt(gap, 0.05), null)
  assert.equal(slopeAt(gap, 0.05), null)
  assert.equal(slopeAt(SQUARE, 2), null)
})
