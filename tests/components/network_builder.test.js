import assert from "node:assert/strict"
import { test } from "node:test"

import { grouped, picture } from "../../playground/ui/components/network_builder/blocks.js"
import { statistics } from "../../playground/ui/components/network_builder/forward.js"
import { matching } from "../../playground/ui/components/network_builder/palette.js"
import { findProblems } from "../../playground/ui/components/network_builder/problems.js"
import { bytes, explained, fieldSize, inParts, layerFacts, number, settings, sizesIn } from "../../playground/ui/components/network_builder/texts.js"
import { covers, plan } from "../../playground/ui/components/network_builder/window.js"

test("numbers and sizes", () => {
  assert.equal(number(1234567), "1,234,567")
  assert.deepEqual([1023, 1536, 3 * 2 ** 20].map(bytes), ["1023 B", "1.5 KiB", "3.0 MiB"])
  assert.deepEqual(sizesIn("(1, 28, 28)"), [1, 28, 28])
  assert.equal(sizesIn("none"), undefined)
})

test("the receptive field of a layer", () => {
  const field = (size, effective_stride, covers_image = false) => ({ height: { size, effective_stride, start: 0 }, width: { size, effective_stride, start: 0 }, covers_image })
  assert.equal(fieldSize(null), "")
  assert.equal(fieldSize(field(28, 0, true)), "the whole image")
  assert.equal(fieldSize(field(5, 2)), "5×5 pixels of the input, [[effective stride]] 2")
  assert.equal(fieldSize(field(5, null)), "5×5 pixels of the input")
  assert.equal(fieldSize(field(1, 1)), "1×1 pixels of the input")
})

test("blocks are explained with their numbers", () => {
  const text = (type, in_shape, out_shape, params = {}) => explained({ type, in_shape, out_shape, params })
  assert.match(text("ResidualBlock", [8, 4, 4], [8, 4, 4]), /^A \[\[shortcut connection\]\]/)
  assert.match(text("ResidualBlock", [8, 4, 4], [16, 2, 2]), /^A 1×1 projection \[\[shortcut/)
  assert.match(text("PatchEmbedding", [1, 28, 28], [49, 64], { patch_size: 4 }), /49 squares of 4×4 pixels\. Each becomes a \[\[token\]\] of 64 numbers/)
  assert.match(text("TransformerEncoderLayer", [49, 64], [49, 64], { nhead: 4 }), /49 tokens .* 4 heads of 16 numbers/)
  assert.equal(text("TokenMean", [49, 64], [64]), "The 49 tokens are averaged into one.")
  assert.equal(text("Linear", [4], [2]), "")
  assert.equal(text("TokenMean", null, null), "")
  assert.equal(text("TokenMean", [4], null), "")
})

test("the facts about a layer", () => {
  const step = {
    type: "Linear", in_shape: [4], out_shape: [2], params: {}, parameters: 10, arithmetic: "4 × 2 + 2 = 10", multiply_adds: 8000, multiply_arithmetic: "", size_formula: "", bytes: 8, receptive_field: null,
  }
  const on = { off: false }
  assert.deepEqual(layerFacts(on, step), [{ name: "[[Parameters|parameter]]", text: "4 × 2 + 2 = 10", formula: "Linear" }, { name: "[[Multiply-adds|multiply-add]]", text: "8,000" }, { name: "[[Activations|activation]]", text: "8 B per sample" }])
  assert.deepEqual(layerFacts(on, { ...step, arithmetic: "", multiply_arithmetic: "2 · 4" }).slice(0, 2), [{ name: "[[Parameters|parameter]]", text: "0: this layer has no parameters", formula: "Linear" }, { name: "[[Multiply-adds|multiply-add]]", text: "2 · 4" }])
  assert.deepEqual(layerFacts(on, { ...step, out_shape: null, arithmetic: "", multiply_adds: 0, bytes: 0 }), [])
  assert.deepEqual(layerFacts(on), [])
  assert.deepEqual(layerFacts({ off: true }, step), [{ name: "Switched off", text: "The network skips this layer." }])
})

test("the numbers of a formula have the parts of the layer that they come from", () => {
  const parts = (text, kind) => inParts(text, kind).filter(({ part }) => part).map(({ text: number, part }) => `${part} ${number}`)
  assert.deepEqual(parts("⌊(28 + 2·1 − 4·(3 − 1) − 1) / 2⌋ + 1 = 12", "size"), ["input 28", "padding 1", "dilation 4", "kernel 3", "stride 2", "output 12"])
  assert.deepEqual(parts("height: ⌊(28 + 2·0 − 2) / 2⌋ + 1 = 14", "size"), ["input 28", "padding 0", "kernel 2", "stride 2", "output 14"])
  assert.deepEqual(parts("(3·3·1 + 1)·16 = 160", "Conv2d"), ["kernel 3", "kernel 3", "input 1", "output 16"])
  assert.deepEqual(parts("3·3·1·16 = 144", "Conv2d"), ["kernel 3", "kernel 3", "input 1", "output 16"])
  assert.deepEqual(parts("(800 + 1)·128 = 102,528", "Linear"), ["input 800", "output 128"])
  assert.deepEqual(parts("800·10 = 8,000", "Linear"), ["input 800", "output 10"])
  assert.deepEqual(parts("2·64 = 128", "BatchNorm1d"), [], "a formula that is not known stays without")
  assert.equal(inParts("(800 + 1)·128 = 102,528", "Linear").map(({ text }) => text).join(""), "(800 + 1)·128 = 102,528")
})

test("a row shows the first parameter and those that differ from their defaults", () => {
  const params = [{ name: "kernel_size", default: 3 }, { name: "stride", default: 1 }, { name: "bias", default: true }]
  assert.equal(settings({ params: {} }, params), "kernel_size 3")
  assert.equal(settings({ params: { kernel_size: 5, stride: 1, bias: false } }, params), "kernel_size 5, bias false")
  assert.equal(settings({ params: {} }, []), "")
})

test("the activations of a layer in words", () => {
  assert.equal(statistics({ mean: 0.123, std: 1, zeros: 0.5 }), "mean 0.12, std 1, 50\u202f% zeros")
  assert.equal(statistics({ mean: null, std: null, zeros: 0 }), "only non-finite values")
})

test("a small input is drawn whole, of a large one the upper left corner", () => {
  assert.deepEqual(plan(8, { kernel_size: 3, stride: 1, padding: 1, dilation: 1 }), { kernel: 3, stride: 1, padding: 1, dilation: 1, size: 8, count: 8 })
  assert.deepEqual(plan(28, { kernel_size: 2 }), { kernel: 2, stride: 2, padding: 0, dilation: 1, size: 12, count: 6 })
  assert.equal(plan(28, { kernel_size: 7, stride: 1, dilation: 3 }).size, 19, "the window fits into the corner")
  assert.ok(plan(2, { kernel_size: 5, stride: 1 }).count < 1, "a window that does not fit has no output")
})

test("an output cell is computed from the cells under its window", () => {
  const seen = (settings, output, size = 8) => {
    const { count, ...rest } = plan(size, settings)
    return [...Array(size).keys()].filter((x) => covers({ count, ...rest }, output, 0, x))
  }
  assert.deepEqual(seen({ kernel_size: 3, stride: 1 }, 0), [0, 1, 2])
  assert.deepEqual(seen({ kernel_size: 3, stride: 2 }, 1), [2, 3, 4])
  assert.deepEqual(seen({ kernel_size: 3, stride: 1, dilation: 2 }, 1), [1, 3, 5])
  assert.deepEqual(seen({ kernel_size: 3, stride: 1 }, 6), [], "the second row of the output does not see the first of the input")
})

const step = (index, type, group, out_shape, error = "") => ({ index, type, group, out_shape, error, parameters: 1000, fixes: [] })

test("activations and the like stand close behind the layer before, other layers alone", () => {
  const groups = grouped([1, 28, 28], [step(0, "Dropout", "Regularisation", [1, 28, 28]), step(1, "Conv2d", "Convolution", [1, 28, 28]), step(2, "ReLU", "Activation", [1, 28, 28]), step(3, "Conv2d", "Convolution", null, "No."), step(4, "ReLU", "Activation", null)])
  assert.deepEqual(groups.map((group) => group.map(({ index }) => index)), [[-1, 0], [1, 2], [3], [4]])
  assert.deepEqual(groups.map(([{ summary }]) => summary).slice(1), ["Conv2d: 1×28×28 → 1×28×28, 1,000 parameters", "No.", "An earlier layer does not fit."])
})

test("the picture has a piece for each layer, and its shape", () => {
  const { svg, centres } = picture([1, 28, 28], [
    step(0, "Conv2d", "Convolution", [8, 26, 26]), step(1, "ReLU", "Activation", [8, 26, 26]), step(2, "PatchEmbedding", "Block", [49, 64]),
    step(3, "TokenMean", "Unknown", [64]), step(4, "ReLU", "Activation", [64]),
  ], { width: 800, height: 160, chosen: 2, lit: "#ABC" })
  assert.deepEqual([...centres.keys()], [-1, 0, 1, 2, 3, 4])
  const places = [...centres.values()]
  assert.ok(places.every((x, place) => x < 800 && x > (places[place - 1] ?? 0)), "from left to right")
  for (const text of ["input", "1×28×28", "Conv2d", "8×26×26", "ReLU", "PatchEmbedding", "49×64", "TokenMean", "64"]) assert.match(svg, new RegExp(`>${text}</text>`))
  assert.match(svg, /<title>Conv2d: 1×28×28 → 8×26×26, 1,000 parameters<\/title>/)
  assert.match(svg, /data-index="2"[^>]*stroke="#ABC"/)
  assert.match(svg, /^<svg [^>]*width="800" height="160"/)
  assert.doesNotMatch(svg, /NaN|undefined|Shortcut/)
})

test("the picture shows a shortcut connection, and layers that do not fit", () => {
  const { svg } = picture([8, 4, 4], [step(0, "ResidualBlock", "Block", [8, 4, 4]), step(1, "Conv2d", "Convolution", null, 'It takes <images> & "no" vectors.'), step(2, "ReLU", "Activation", null)], { width: 800, height: 160, red: "#F00" })
  assert.match(svg, /Shortcut connection/)
  assert.match(svg, /<title>It takes &lt;images> &amp; &quot;no&quot; vectors\.<\/title>/)
  assert.match(svg, /fill="#F00"[^>]*>!</)
})

test("a picture of many layers is wider than its box and names only the chosen one", () => {
  const steps = Array.from({ length: 60 }, (_, index) => step(index, "Linear", "Linear", [8]))
  const { svg, centres } = picture([8], steps, { width: 800, height: 160, chosen: 30 })
  assert.match(svg, new RegExp(`width="${61 * 18}"`))
  assert.equal(svg.match(/>Linear</g).length, 1)
  assert.equal(centres.get(59), 60.5 * 18)
})

const DATA = [{ name: "mnist", title: "MNIST", input_shape: [1, 28, 28], classes: 10 }, { name: "shapes", title: "Shapes", input_shape: [3, 32, 32], classes: 10 }]
const hint = (kind, layer = null) => ({ kind, layer, text: `${kind}.`, reason: "", fixes: [] })
const problems = (answer, more = {}) => findProblems(answer && { problems: [], refusal: "", steps: [], advice: [], ...answer }, { failure: "", notes: "", places: [0, 2], input: [3, 32, 32], datasets: DATA, dataset: "mnist", ...more })

test("the most serious problem comes first, and says why the network cannot be trained", () => {
  const blocks = (answer, more) => problems(answer, more).map(({ text, blocks }) => `${text} ${blocks}`)
  assert.deepEqual(blocks({}), [])
  assert.deepEqual(blocks({ steps: [step(0, "A", "", [4]), step(1, "B", "", null, "Too small.")], advice: [hint("bias-before-batch-norm"), hint("wrong-input")], refusal: "Layer 1: Too small." }, { notes: "Left out." }),
    ["Too small. Layer 2 does not fit", "wrong-input. The data is 1×28×28", "Left out. ", "bias-before-batch-norm. "])
  assert.deepEqual(blocks({ refusal: "Too many." }), ["Too many. Too large to train"])
  assert.deepEqual(blocks({ advice: [hint("wrong-output", 1), hint("nothing-to-learn")] }), ["wrong-output. Needs 10 outputs", "nothing-to-learn. Nothing to train"])
  assert.deepEqual(blocks({ problems: ["A network needs layers."] }), ["A network needs layers. Not a network yet"])
  assert.deepEqual(problems({ problems: ["From 1 to 200 layers."] }, { places: [] }).map(({ fixes, blocks }) => [fixes[0].layers.at(-1).out_features, blocks]), [[10, "No layers yet"]])
  assert.deepEqual(blocks(null, { failure: "The server does not answer." }), ["The server does not answer. Not checked yet"])
  assert.deepEqual(blocks({}, { failure: "This is not JSON." }), ["This is not JSON. "], "the network is still the one from before")
})

test("for images of another shape, the data set that has them is offered", () => {
  assert.deepEqual(problems({ advice: [hint("wrong-input")] }).map(({ index, dataset }) => [index, dataset?.name]), [[-1, "shapes"]])
  assert.equal(problems({ advice: [hint("wrong-input")] }, { input: [9] })[0].dataset, undefined)
})

test("layers are found by their name, title, group and description", () => {
  const kind = (name, title, group_title, summary) => ({ name, title, group_title, summary })
  const kinds = [kind("MaxPool2d", "Max pooling", "Pooling", "Keeps the largest value."), kind("ReLU", "ReLU", "Activation", "Negative values become zero."), kind("PReLU", "Parametric ReLU", "Activation", "")]
  const found = (search) => matching(kinds, search).map(({ name }) => name)
  assert.deepEqual(found("pool"), ["MaxPool2d"])
  assert.deepEqual(found("relu"), ["ReLU", "PReLU"])
  assert.deepEqual(found("activation neg"), ["ReLU"])
  assert.deepEqual(found("lstm"), [])
  assert.deepEqual(found("  "), ["MaxPool2d", "ReLU", "PReLU"])
})
