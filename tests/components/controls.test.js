import assert from "node:assert/strict"
import { test } from "node:test"

import "../../playground/ui/components/shared/controls.js" // which can be imported without a page
import { draggedTo } from "../../playground/ui/components/shared/drag.js"
import { stepped, typedAt } from "../../playground/ui/components/shared/pick.js"
import { placed } from "../../playground/ui/components/shared/placing.js"
import { moved, rounded, shareOf, valueAt } from "../../playground/ui/components/shared/slider.js"

const CHOICES = ["Adam", "AdamW", "SGD", "RMSprop", "Muon"].map((title) => ({ value: title, title }))
const LINEAR = { min: 0, max: 1, step: 0.02, log: false }
const LOG = { min: 1e-5, max: 1, step: 0, log: true }

test("arrow keys stop at the ends of a list", () => {
  assert.deepEqual(["ArrowDown", "ArrowUp", "Home", "End", "PageDown", "PageUp", "x"].map((key) => stepped(key, 2, CHOICES)), [3, 1, 0, 4, 4, 0, 2])
  assert.equal(stepped("ArrowDown", 4, CHOICES), 4)
  assert.equal(stepped("ArrowUp", 0, CHOICES), 0)
})

test("arrow keys pass over what is disabled", () => {
  const some = CHOICES.map((choice, place) => ({ ...choice, disabled: [0, 2, 4].includes(place) }))
  assert.deepEqual(["ArrowDown", "Home", "End"].map((key) => stepped(key, 1, some)), [3, 1, 3])
  assert.equal(stepped("ArrowDown", 3, some), 3)
  assert.equal(stepped("ArrowUp", 1, some), 1)
})

test("typing finds the next title that begins so, around the end", () => {
  assert.equal(typedAt("s", 0, CHOICES), 2)
  assert.equal(typedAt("a", 0, CHOICES), 1)
  assert.equal(typedAt("aa", 1, CHOICES), 0)
  assert.equal(typedAt("ada", 0, CHOICES), 0)
  assert.equal(typedAt("adamw", 0, CHOICES), 1)
  assert.equal(typedAt("x", 0, CHOICES), -1)
})

test("a value and its place on a slider belong to each other", () => {
  for (const [value, range] of [[0.36, LINEAR], [0.003, LOG], [1, LOG], [1e-5, LOG]]) assert.equal(valueAt(shareOf(value, range), range), value)
  assert.equal(shareOf(0.01, LOG), 0.6)
  assert.equal(shareOf(7, { ...LINEAR, max: 0 }), 0)
  assert.deepEqual([-1, 2].map((share) => valueAt(share, LINEAR)), [0, 1])
})

test("values are rounded to steps, without the digits of floating point", () => {
  assert.equal(rounded(0.294, LINEAR), 0.3)
  assert.equal(moved(0.28, 1, LINEAR), 0.3)
  assert.equal(moved(0.1, 2, { ...LINEAR, step: 0.1 }), 0.3)
  assert.equal(rounded(1.02, { min: 1, max: 4, step: 0.05, log: false }), 1)
  assert.equal(rounded(0.123, { ...LINEAR, step: 0 }), 0.123)
  assert.equal(moved(0.5, 1, { ...LINEAR, step: 0 }), 0.51)
})

test("a logarithmic slider stops at 1, 1.5, 2, 3, 5 and 7", () => {
  const stops = [0.001]
  while (stops.length < 8) stops.push(moved(stops.at(-1), 1, LOG))
  assert.deepEqual(stops, [0.001, 0.0015, 0.002, 0.003, 0.005, 0.007, 0.01, 0.015])
  assert.deepEqual([moved(0.01, -1, LOG), moved(0.01, 6, LOG), moved(0.01, -6, LOG)], [0.007, 0.1, 0.001])
  assert.deepEqual([moved(0.0004, 1, LOG), moved(0.0004, -1, LOG)], [0.0005, 0.0003])
  assert.deepEqual([moved(1, 1, LOG), moved(1e-5, -1, LOG)], [1, 1e-5])
})

test("a list stands beneath its button, above it where there is more room, and within the window", () => {
  const room = { width: 400, height: 300 }
  const size = { width: 100, height: 120 }
  assert.deepEqual(placed({ top: 10, bottom: 50, left: 20, width: 80 }, size, room), { left: 20, top: 54, height: 120 })
  assert.deepEqual(placed({ top: 240, bottom: 280, left: 390, width: 80 }, size, room), { left: 292, top: 116, height: 120 })
  assert.deepEqual(placed({ top: 60, bottom: 100, left: 20, width: 80 }, { width: 100, height: 900 }, room), { left: 20, top: 104, height: 188 })
  assert.deepEqual(placed({ top: 200, bottom: 220, left: 100, width: 200 }, size, room, { gap: 0, centred: true, above: true }), { left: 150, top: 80, height: 120 })
})

test("a dragged number moves by a step for each pixel, and by a tenth of it with Shift", () => {
  assert.equal(draggedTo(1.54, 10, 0.01), 1.64)
  assert.equal(draggedTo(1.54, -3, 0.01, true), 1.537)
  assert.equal(draggedTo(0.1, 2.4, 0.1), 0.3)
  assert.equal(draggedTo(5, 3, 1), 8)
})
