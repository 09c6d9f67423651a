import assert from "node:assert/strict"
import { test } from "node:test"

import { Stack } from "../../playground/ui/components/network_builder/stack.js"

const types = (stack) => stack.layers.map(({ type, off }) => (off ? `(${type})` : type)).join(" ")

function stacked(...layers) {
  const stack = new Stack(() => { stack.changes = (stack.changes ?? 0) + 1 })
  stack.open({ name: "mine", input_shape: [4], layers: layers.map((type) => ({ type })) })
  return stack
}

test("layers are added behind the chosen one, moved, copied and removed", () => {
  const stack = stacked("A", "B")
  stack.add("C")
  assert.equal(types(stack), "A C B")
  assert.equal(stack.chosen.type, "C")
  stack.move(1, 2)
  assert.equal(types(stack), "A B C")
  stack.move(2, 9)
  stack.copy(0)
  assert.equal(types(stack), "A A B C")
  assert.notEqual(stack.layers[0].id, stack.layers[1].id)
  stack.remove(3)
  assert.equal(types(stack), "A A B")
  assert.equal(stack.state.chosen, 1)
})

test("each change can be undone and redone", () => {
  const stack = stacked("A", "B")
  stack.remove(0)
  stack.remove(0)
  assert.equal(types(stack), "")
  stack.undo()
  stack.undo()
  assert.equal(types(stack), "A B")
  stack.redo()
  assert.equal(types(stack), "B")
  stack.add("C")
  stack.redo()
  assert.equal(types(stack), "B C", "a new change ends what could be redone")
})

test("changes of one parameter are undone together", () => {
  const stack = stacked("Linear", "Linear")
  for (const width of [1, 12, 128]) stack.set(0, "out_features", width)
  stack.set(1, "out_features", 10)
  stack.undo()
  assert.deepEqual(stack.layers.map(({ params }) => params), [{ out_features: 128 }, {}])
  stack.undo()
  assert.deepEqual(stack.layers[0].params, {})
})

test("a change that changes nothing is no change", () => {
  const stack = stacked("A")
  const before = stack.changes
  stack.change(() => {})
  stack.move(0, 5)
  assert.equal(stack.changes, before)
  stack.undo()
  stack.undo()
  assert.equal(types(stack), "")
  stack.undo()
  assert.equal(types(stack), "", "nothing is left to undo")
})

test("layers that are off are not sent", () => {
  const stack = stacked("A", "B", "C")
  stack.toggle(1)
  const { places, network } = stack.document()
  assert.deepEqual(places, [0, 2])
  assert.deepEqual(network.layers, [{ type: "A" }, { type: "C" }])
})

test("a fix replaces only what differs, and leaves what is off where it is", () => {
  const stack = stacked("A", "B", "C", "D")
  stack.toggle(1)
  const ids = Object.fromEntries(stack.layers.map(({ type, id }) => [type, id]))
  stack.fix({ layers: [{ type: "A" }, { type: "Flatten" }, { type: "C" }, { type: "D" }] })
  assert.equal(types(stack), "A (B) Flatten C D")
  assert.equal(stack.layers[3].id, ids.C)
  stack.fix({ layers: [{ type: "A" }, { type: "Flatten" }, { type: "C", width: 3 }, { type: "D" }] })
  assert.deepEqual(stack.layers[3], { id: ids.C, type: "C", params: { width: 3 }, off: false }, "the layer stays the same with another parameter")
  stack.fix({ layers: [{ type: "A" }] })
  assert.equal(types(stack), "A (B)")
  stack.fix({ layers: [{ type: "A" }, { type: "E" }] })
  assert.equal(types(stack), "A (B) E")
})

test("a fix may change the input shape, and is undone with it", () => {
  const stack = stacked("A")
  stack.fix({ layers: [{ type: "A", padding: 2 }], input_shape: [1, 28, 28] })
  assert.deepEqual(stack.state.input_shape, [1, 28, 28])
  stack.undo()
  assert.deepEqual([stack.state.input_shape, stack.layers[0].params], [[4], {}])
  stack.fix({ layers: [{ type: "B" }], input_shape: null })
  assert.deepEqual(stack.state.input_shape, [4])
})

test("a saved network keeps its parameters and what is off", () => {
  const stack = stacked()
  stack.open({ name: "", title: "My network", input_shape: [784], layers: [{ type: "Linear", out_features: 10, off: true }] })
  assert.deepEqual(stack.state, { name: "mine", title: "My network", input_shape: [784], layers: [{ id: 1, type: "Linear", params: { out_features: 10 }, off: true }], chosen: 0 })
})

test("the first layer of an empty network", () => {
  const stack = stacked()
  assert.equal(stack.chosen, undefined)
  stack.add("A")
  assert.equal(types(stack), "A")
  assert.equal(stack.state.chosen, 0)
})
