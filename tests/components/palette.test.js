import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { test } from "node:test"

import { colourOf, drawnShape, optimizerSlot, shapeOf } from "../../playground/ui/components/shared/palette.js"

const LOOK = { colours: ["blue", "orange", "green", "pink", "red", "sky", "yellow"] }

test("42 slots have different pairs of colour and shape", () => {
  const slots = Array.from({ length: 42 }, (_, slot) => slot)
  assert.equal(new Set(slots.map((slot) => colourOf(LOOK, slot) + shapeOf(slot))).size, 42)
  assert.ok(slots.every((slot) => colourOf(LOOK, slot) !== "yellow" && drawnShape(slot).startsWith("<")))
})

test("an optimizer has the same mark by its name and by its title", () => {
  assert.deepEqual(["adam", "AdamW", "SGD with momentum", "lbfgs"].map(optimizerSlot), [0, 3, 5, undefined])
  assert.deepEqual(["Adam", "SGD", "RMSprop", "AdamW", "Muon"].map((name) => shapeOf(optimizerSlot(name))), ["circle", "square", "diamond", "triangle-up", "cross"])
})

test("the tokens in Python are those of the style sheet", () => {
  const python = readFileSync("playground/ui/shared/palette.py", "utf-8")
  const css = readFileSync("playground/ui/components/shared/controls.css", "utf-8")
  const pairs = [...python.matchAll(/"(\w+)": \("(#\w+)", "(#\w+)"\)/g)]
  assert.ok(pairs.length > 0)
  for (const [, name, light, dark] of pairs) assert.ok(css.includes(`--${name}: light-dark(${light}, ${dark});`), name)
})
