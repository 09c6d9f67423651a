import assert from "node:assert/strict"
import { test } from "node:test"
import { followTheme, inked, pixel, tint } from "../../playground/ui/components/shared/colour.js"

test("pixels are orange above zero, blue below, transparent at it", () => {
  assert.deepEqual(pixel(1), [224, 122, 31, 255])
  assert.deepEqual(pixel(-2), [59, 130, 196, 255])
  assert.equal(pixel(0)[3], 0)
})

test("a number stands on the same colours, and stays readable", () => {
  assert.equal(tint(1), "rgb(224 122 31 / 0.450)")
  assert.equal(tint(-2), "rgb(59 130 196 / 0.450)")
  assert.equal(tint(0), "rgb(224 122 31 / 0.000)")
  assert.equal(tint(0.5), "rgb(224 122 31 / 0.277)")
})

test("the colours are those of the theme", (context) => {
  const dark = { "--above": "rgb(255, 176, 102)", "--below": "rgb(111, 177, 255)" }
  globalThis.getComputedStyle = () => ({ color: "rgb(232, 233, 237)", getPropertyValue: (name) => dark[name] ?? "rgb(0, 0, 0)" })
  context.after(() => { delete globalThis.getComputedStyle })
  followTheme(null)
  assert.deepEqual(pixel(1), [255, 176, 102, 255])
  assert.deepEqual(pixel(-1), [111, 177, 255, 255])
  assert.deepEqual(inked(7), [232, 233, 237, 7])
})
