import assert from "node:assert/strict"
import { test } from "node:test"

import { statistics } from "../../playground/ui/components/network_builder/inside.js"
import { picture } from "../../playground/ui/components/network_builder/picture.js"
import { bytes, explained, fieldSize, layerFacts, number, settings, sizesIn } from "../../playground/ui/components/network_builder/texts.js"
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
  assert.equal(fieldSize(field(5, 2)), "5×5 pixels of the input, effective stride 2")
  assert.equal(fieldSize(field(5, null)), "5×5 pixels of the input")
  assert.equal(fieldSize(field(1, 1)), "1×1 pixels of the input")
})

test("blocks are explained with their numbers", () => {
  const text = (type, in_shape, out_shape, params = {}) => explained({ type, in_shape, out_shape, params })
  assert.match(text("ResidualBlock", [8, 4, 4], [8, 4, 4]), /^A shortcut connection/)
  assert.match(text("ResidualBlock", [8, 4, 4], [16, 2, 2]), /^A 1×1 projection shortcut/)
  assert.match(text("PatchEmbedding", [1, 28, 28], [49, 64], { patch_size: 4 }), /49 squares of 4×4 pixels\. Each becomes a token of 64 numbers/)
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
  assert.deepEqual(layerFacts(on, step), [["Shape", "(4,) → (2,)"], ["Parameters", "4 × 2 + 2 = 10"], ["Multiply-adds", "8,000"], ["Activations", "8 B per sample"]])
  assert.deepEqual(layerFacts(on, { ...step, arithmetic: "", multiply_arithmetic: "2 · 4" }).slice(1, 3), [["Parameters", "0: this layer has no parameters"], ["Multiply-adds", "2 · 4"]])
  assert.deepEqual(layerFacts(on, { ...step, out_shape: null, arithmetic: "", multiply_adds: 0, bytes: 0 }), [["Shape", "(4,) → ?"]])
  assert.deepEqual(layerFacts({ off: true }), [["Switched off", "The network skips this layer."]])
})

test("a card shows the first parameter and those that differ from their defaults", () => {
  const params = [{ name: "kernel_size", default: 3 }, { name: "stride", default: 1 }, { name: "bias", default: true }]
  assert.equal(settings({ params: {} }, params), "kernel_size 3")
  assert.equal(settings({ params: { kernel_size: 5, stride: 1, bias: false } }, params), "kernel_size 5, bias false")
  assert.equal(settings({ params: {} }, []), "")
})

test("the activations of a layer in words", () => {
  assert.equal(statistics({ mean: 0.123, std: 1, zeros: 0.5 }), "mean 0.12, std 1.0, 50\u202f% zeros")
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

const step = (index, type, group, out_shape, error = "") => ({ index, type, group, out_shape, error, parameters: 1000 })

test("the picture has a piece for each layer, and its shape where that changes", () => {
  const svg = picture([1, 28, 28], [
    step(0, "Conv2d", "Convolution", [8, 26, 26]), step(1, "ReLU", "Activation", [8, 26, 26]), step(2, "PatchEmbedding", "Block", [49, 64]),
    step(3, "TokenMean", "Unknown", [64]), step(4, "ReLU", "Activation", [64]),
  ], { chosen: 2, lit: "#ABC" })
  assert.deepEqual([...svg.matchAll(/data-index="(-?\d+)"/g)].map(([, index]) => Number(index)), [-1, 0, 1, 2, 3, 4])
  assert.deepEqual([...svg.matchAll(/text-anchor="middle">([^<]*)</g)].map(([, text]) => text), ["1×28×28", "8×26×26", "49×64", "64"])
  assert.match(svg, /<title>Conv2d: 1×28×28 → 8×26×26, 1,000 parameters<\/title>/)
  assert.match(svg, /data-index="2"[^>]*stroke="#ABC"/)
  assert.doesNotMatch(svg, /NaN|undefined|Shortcut/)
})

test("the picture shows a shortcut connection, and layers that do not fit", () => {
  const svg = picture([8], [step(0, "ResidualBlock", "Block", [8]), step(1, "Conv2d", "Convolution", null, 'It takes <images> & "no" vectors.'), step(2, "ReLU", "Activation", null)])
  assert.match(svg, /Shortcut connection/)
  assert.match(svg, /<title>It takes &lt;images> &amp; &quot;no&quot; vectors\.<\/title>/)
  assert.match(svg, /<title>An earlier layer does not fit\.<\/title>/)
})
