import assert from "node:assert/strict"
import { test } from "node:test"

import { WHOLE, arrayNames, colouring, newest, originText, slotsOf, stepOf, storedValues, stretching, subject, sumOf, tileOf, viewOf } from "../../playground/ui/components/tensor_lab/report.js"

/** A contiguous tile with the values. */
const tile = (shape, values, more = {}) => ({
  shape, shown: shape, strides: shape.map((_, axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1)), first: 0, offset: 0, itemsize: 4, values, ...more,
})
const array = (index) => ({ kind: "tensor", storage: `s${index}`, tile: index, origin: "new", of: "" })
const step = (source, inputs, outputs, operations = []) => ({ source, inputs, outputs, operations, notes: [] })

const a = tile([2, 2], [1, 2, 3, 4])
const report = {
  names: { a: array(0), b: array(1), n: { kind: "value", text: "3" } },
  tiles: [a, tile([2, 2], [1, 3, 2, 4]), tile([], [10])],
  steps: [
    step("n = a", [], [{ name: "n", tile: 0, from: {} }]),
    step("b = a.T", [{ name: "a", tile: 0 }], [{ name: "b", tile: 1, from: { a: [[0], [2], [1], [3]] } }], [
      { source: "a.T", inputs: [{ name: "a", tile: 0 }], outputs: [{ tile: 1, from: { 0: [[0], [2], [1], [3]] } }], picture: { kind: "call", word: "T" } },
      { source: "seed()", inputs: [], outputs: [], picture: { kind: "call", word: "seed" } },
    ]),
    step("a", [{ name: "b", tile: 1 }, { name: "b", tile: 1 }], [{ name: "a", tile: 0, from: {} }], ["b * 2", "b.T + 1"].map((source, place) => (
      { source, inputs: [{ name: "b", tile: 1 }], outputs: [{ tile: place ? 0 : 2, from: {} }], picture: { kind: "sign", word: "*" } }
    ))),
    step("a > 0", [], [{ name: "lost", tile: 2, from: {} }]),
  ],
}

test("a tile belongs to each variable that holds a tensor", () => {
  assert.equal(tileOf(report, "a"), a)
  assert.equal(tileOf(report, "n"), undefined)
  assert.equal(tileOf(report, "missing"), undefined)
  assert.deepEqual(arrayNames(report), ["a", "b"])
})

test("the shape to predict is that of a tensor that is still there", () => {
  assert.equal(newest(report), "a")
  assert.equal(newest({ ...report, steps: report.steps.slice(0, 2) }), "b")
  assert.equal(newest({ ...report, steps: report.steps.slice(0, 1) }), undefined, "n holds a number now")
})

test("a statement of one operation is viewed as that operation", () => {
  const { step: { source }, inner, at, inputs, outputs, picture } = viewOf(report.steps[1], "b", null)
  assert.equal(source, "b = a.T")
  assert.equal(at, 0)
  assert.deepEqual(inner.map((operation) => operation.source), ["a.T"], "an operation without tensors cannot be viewed")
  assert.deepEqual(inputs, [{ name: "a", tile: 0, key: "0" }])
  assert.equal(outputs[0].name, "b", "the result has the name that the statement gives it")
  assert.equal(picture.word, "T")
})

test("a statement of several operations is viewed as the one that computed the variable, as another, or as a whole", () => {
  const computed = viewOf(report.steps[2], "a", null)
  assert.deepEqual([computed.at, computed.picture.kind, computed.outputs[0].name], [1, "sign", "a"])
  assert.equal(viewOf(report.steps[2], "a", 0).outputs[0].name, "b * 2", "an intermediate result is called by its source")
  const whole = viewOf(report.steps[2], "a", WHOLE)
  assert.deepEqual([whole.at, whole.picture.kind], [WHOLE, "whole"])
  assert.deepEqual(whole.inputs.map(({ key }) => key), ["b", "b"])
})

test("what is changed in place is viewed without the others that share its memory", () => {
  const output = (name, tile) => ({ name, tile, changed: true, from: { a: [[0], [1]] } })
  const operation = { source: "a.add_(1)", inputs: [{ name: "a", tile: 0 }], outputs: [{ tile: 1, from: {} }, { tile: 1, from: {} }], picture: { kind: "call", word: "add_" } }
  const changed = { ...step("a.add_(1)", [{ name: "a", tile: 0 }], [output("a", 1), output("b", 2)]), operations: [operation] }
  assert.deepEqual(viewOf(changed, "a", null).outputs.map(({ name, tile }) => [name, tile]), [["a", 1]], "the result is the operand itself")
  assert.deepEqual(viewOf(changed, "b", WHOLE).outputs.map(({ name }) => name), ["b"])
})

test("a variable is shown with the statement that made it, not with one that changed it", () => {
  const made = step("x = torch.ones(2)", [], [{ name: "x", tile: 0, changed: false, from: {} }])
  const changed = step("x += 1", [{ name: "x", tile: 0 }], [{ name: "a", tile: 0, changed: true, from: {} }, { name: "x", tile: 0, changed: true, from: {} }])
  const held = { names: { a: array(0), x: array(0) }, tiles: [a], steps: [made, changed] }
  assert.deepEqual(["x", "a", "given"].map((name) => stepOf(held, name)), [0, 1, -1])
  assert.equal(subject(held, changed), "x", "the one that the statement reads")
  assert.equal(subject({ ...held, names: {} }, made), "")
})

/** The colours of one input's cells and of the result's. */
function colours(before, after, from) {
  const input = { name: "a", tile: 0, key: "a" }, output = { name: "b", tile: 1, from }
  const { input: one, output: other } = colouring({ inputs: [input, { name: "c", tile: 0, key: "c" }], outputs: [output] }, [before, after])
  return {
    input: before.values.map((_, cell) => one(input, cell)), output: after.values.map((_, cell) => other(output, cell)),
    bystander: one({ name: "c", tile: 0, key: "c" }, 0),
  }
}
const isValue = (colour) => colour.includes("rgb(224 122 31")

test("cells that move have the colour of their place in memory", () => {
  const { input, output, bystander } = colours(a, report.tiles[1], { a: [[0], [2], [1], [3]] })
  assert.equal(new Set(input).size, 4)
  assert.deepEqual(output, [0, 2, 1, 3].map((cell) => input[cell]))
  assert.ok(isValue(bystander), "another input is coloured by its values")
  const picked = colours(a, tile([1], [3]), { a: [[2]] })
  assert.deepEqual(picked.input.map((colour) => colour === "transparent"), [true, true, false, true])
  assert.equal(picked.output[0], picked.input[2])
  assert.equal(colours(tile([1], [5]), tile([2], [5, 5]), { a: [[0], [0]] }).output[1], colours(tile([1], [5]), tile([2], [5, 5]), { a: [[0], [0]] }).input[0])
})

test("a place in memory has the same colour in every view of it", () => {
  const view = { inputs: [{ name: "t", tile: 0, key: "t" }], outputs: [{ name: "flat", tile: 1, from: { t: [[0], [2], [1], [3]] } }] }
  const { meaning, slot, input } = colouring(view, [tile([2, 2], [1, 3, 2, 4], { strides: [1, 2] }), tile([4], [1, 2, 3, 4])])
  assert.equal(meaning, "place")
  assert.deepEqual([0, 1, 2, 3].map((cell) => input(view.inputs[0], cell)), [0, 2, 1, 3].map(slot))
})

test("cells that feed one result share its colour", () => {
  const { input, output, bystander } = colours(tile([5], [1, 2, 3, 4, 9]), tile([2], [3, 7]), { a: [[0, 1], [2, 3]] })
  assert.equal(input[0], input[1])
  assert.deepEqual([input[0], input[2], input[4]], [output[0], output[1], "transparent"])
  assert.ok(isValue(bystander))
})

test("all other cells are coloured by their values", () => {
  for (const [after, from] of [
    [a, { a: [[0], [1], [2], [3]] }], // they stay where they are
    [tile([2], [3, 3]), { a: [[0, 1], [1, 2]] }], // one cell feeds two
    [tile([2], [3, 3]), { a: [[0], [1]] }], // another value from one cell
    [tile([], [10]), { a: [[0, 1, 2, 3]] }], // a single result
    [a, { a: [[0]], c: [[0]] }], // two inputs
    [a, { other: [[0], [1], [2], [3]] }], // an input that is not shown
    [a, {}],
  ]) assert.ok(isValue(colours(a, after, from).output[0]) && isValue(colours(a, after, from).input[0]), JSON.stringify(from))
  const { input } = colouring({ inputs: [{ name: "a", tile: 0, key: "a" }], outputs: [] }, [a])
  assert.ok(isValue(input({ name: "a", tile: 0, key: "a" }, 3)))
})

test("an operand that is broadcast is stretched to the result's shape", () => {
  const input = { name: "row", tile: 0, key: "0" }
  const tiles = [tile([2], [1, 2]), tile([2, 2], [2, 3, 4, 5])]
  const view = (from, stretched) => ({ outputs: [{ name: "sum", tile: 1, from }], picture: { kind: "sign", word: "+", stretched } })
  const sizes = [[{ size: null, stretched: true }, { size: 2, stretched: false }], [{ size: 2, stretched: false }, { size: 2, stretched: false }]]
  const from = [[0], [1], [0], [1]]
  assert.deepEqual(stretching(view({ 0: from }, sizes), input, 0, tiles), { shown: [2, 2], from, first: [true, true, false, false] })
  assert.equal(stretching(view({ 0: from }, sizes), input, 1, tiles), null, "it has the shape already")
  assert.equal(stretching(view({ 0: from }, undefined), input, 0, tiles), null)
  assert.equal(stretching(view({}, sizes), input, 0, tiles), null, "its cells were not traced")
  assert.equal(stretching(view({ 0: [[0], [1], [], [1]] }, sizes), input, 0, tiles), null, "a cell is out of sight")
})

test("a cell's sum is written out, its terms with the cells that they have", () => {
  const tiles = [tile([2], [1, -2]), tile([2], [3, 0.5]), tile([8], [1, 2, 3, 4, 5, 6, 7, 8])]
  const inputs = [{ name: "a", tile: 0, key: "0" }, { name: "b", tile: 1, key: "1" }]
  const sum = (kind, word, from, value, used = inputs) => sumOf({ picture: { kind, word }, inputs: used }, tiles, { tile: tile([1], [value]), from }, 0)
  const write = (...given) => sum(...given).parts.map(({ text }) => text).join("")
  const many = [{ name: "c", tile: 2, key: "0" }]
  assert.equal(write("products", "@", { 0: [[0, 1]], 1: [[0, 1]] }, 2), "2 = 1·3 + −2·0.5")
  assert.equal(write("sign", "-", { 0: [[1]], 1: [[0]] }, -5), "−5 = −2 − 3")
  assert.equal(write("call", "maximum", { 0: [[1]], 1: [[0]] }, 3), "3 = maximum(−2, 3)")
  assert.equal(write("call", "sum", { 0: [[0, 1, 2]] }, 6, many), "6 = 1 + 2 + 3")
  assert.equal(write("call", "mean", { 0: [[0, 1, 2]] }, 2, many), "2 = (1 + 2 + 3) ÷ 3")
  assert.equal(write("call", "prod", { 0: [[0, 1, 2, 3, 4, 5, 6, 7]] }, 40320, many), "40320 = prod(1, 2, 3, 4, 5, 6, … (8 in total))")
  assert.equal(write("call", "exp", { 0: [[1]] }, 0.12345), "0.123 ← a[1]")
  assert.equal(write("pick", "[]", { 0: [[0]] }, 1), "1 = a[0]")
  assert.equal(write("whole", "", { 0: [[0, 1]] }, 9), "9 ← a[0], a[1]")
  assert.equal(write("whole", "", { 0: [[]] }, 2), "This cell does not depend on any input cell.")
  assert.equal(write("whole", "", {}, 2), "")
  const { parts, terms } = sum("products", "@", { 0: [[0, 1]], 1: [[1, 0]] }, 2)
  assert.deepEqual(parts.filter(({ term }) => term !== undefined).map(({ text, term }) => [text, term]), [["1·0.5", 0], ["−2·3", 1]])
  assert.deepEqual(terms[1].map(({ key, cell }) => [key, cell]), [["0", 1], ["1", 0]])
})

test("a storage shows the values of all tensors that lie in it", () => {
  const every = tile([2], [1, 3], { strides: [2] }), other = tile([1], [7], { itemsize: 8 })
  assert.deepEqual([...storedValues([every, tile([1], [2], { first: 1 }), other], 4)], [[0, 1], [2, 3], [1, 2]])
  assert.deepEqual(slotsOf(every), [0, 2])
  assert.deepEqual(slotsOf(tile([2, 2], [5, 5, 5, 5], { strides: [0, 1] })), [0, 1, 0, 1], "stretched rows lie in the same slots")
})

test("a tensor's origin in words", () => {
  assert.equal(originText({ origin: "view", of: "a" }), "view of a")
  assert.equal(originText({ origin: "shared", of: "a" }), "shares memory with a")
  assert.equal(originText({ origin: "same", of: "" }), "view of an earlier tensor")
  assert.equal(originText({ origin: "copy", of: "a" }), "copy of a")
  assert.equal(originText({ origin: "new", of: "" }), "")
})
