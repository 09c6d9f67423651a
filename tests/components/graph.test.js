import assert from "node:assert/strict"
import { test } from "node:test"

import { far, layersOf, ranksOf } from "../../playground/ui/components/shared/graph_layers.js"

const chain = (...ids) => ids.slice(1).map((to, place) => ({ from: ids[place], to }))

test("a node lies below the lowest that leads to it", () => {
  const layers = layersOf([...chain("a", "b", "c", "d"), { from: "a", to: "d" }])
  assert.deepEqual(Object.fromEntries(layers), { a: 0, b: 1, c: 2, d: 3 })
})

test("what nothing leads to stands right above its first use", () => {
  const layers = layersOf([...chain("a", "b", "c", "d"), { from: "leaf", to: "d" }])
  assert.equal(layers.get("leaf"), 2)
})

test("only lines that pass many layers and hold no node alone are left out", () => {
  const ids = Array.from({ length: 14 }, (_, index) => `n${index}`)
  const long = { from: "n0", to: "n13" }
  const alone = { from: "n0", to: "last" }
  const short = { from: "n0", to: "n5" }
  assert.deepEqual(far([...chain(...ids), long, alone, short]), [long])
})

test("a node keeps the short line that leads to it", () => {
  const ids = Array.from({ length: 14 }, (_, index) => `n${index}`)
  const lines = [...chain(...ids), { from: "n0", to: "end" }, { from: "n1", to: "end" }, ...chain("n13", "before", "end")]
  assert.deepEqual(far(lines), lines.slice(13, 15))
})

test("the ranks of a graph are counted along its longest way", () => {
  assert.equal(ranksOf([...chain("a", "b", "c", "d"), { from: "leaf", to: "d" }]), 4)
  assert.equal(ranksOf([]), 1)
})
