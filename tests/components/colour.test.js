import assert from "node:assert/strict"
import { test } from "node:test"
import { pixel, tint } from "../../playground/ui/components/shared/colour.js"

test("pixels are orange above zero, blue below, white at it", () => {
  assert.deepEqual(pixel(1), [217, 95, 2, 255])
  assert.deepEqual(pixel(-2), [33, 102, 172, 255])
  assert.deepEqual(pixel(0), [247, 247, 247, 255])
})

test("a number stands on the same colours, and stays readable", () => {
  assert.equal(tint(1), "rgb(217 95 2 / 0.600)")
  assert.equal(tint(-2), "rgb(33 102 172 / 0.600)")
  assert.equal(tint(0), "rgb(217 95 2 / 0.000)")
  assert.equal(tint(0.5), "rgb(217 95 2 / 0.369)")
})
