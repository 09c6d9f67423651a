// What the builder says about a layer and its sizes.

import { t } from "../shared/text.js"

/**
 * @import { LayerAnalysis, LayerField, LayerParam } from "./documents.js"
 * @import { Layer, Value } from "./stack.js"
 */

/** @param {number} value */
export const number = (value) => value.toLocaleString("en")

/** @param {number} count */
export const bytes = (count) => (count < 1024 ? `${count} B` : count < 2 ** 20 ? `${(count / 1024).toFixed(1)} KiB` : `${(count / 2 ** 20).toFixed(1)} MiB`) // no text: units

/** @param {LayerField | null} field */
export function fieldSize(field) {
  if (!field) return ""
  if (field.covers_image) return t("the whole image")
  const sizes = { height: field.height.size, width: field.width.size }
  const stride = field.height.effective_stride
  if (stride === null || sizes.height === 1) return t("{height}×{width} pixels of the input", sizes)
  return t("{height}×{width} pixels of the input, [[effective stride]] {stride}", { ...sizes, stride })
}

/**
 * How a block of several layers works, with its numbers.
 * @param {Pick<LayerAnalysis, "type" | "in_shape" | "out_shape" | "params">} step
 */
export function explained({ type, in_shape: before, out_shape: after, params }) {
  if (!before || !after) return ""
  if (type === "ResidualBlock" && String(before) === String(after)) return t("A [[shortcut connection]] adds the input to the output of the two convolutions, so gradients can bypass them.")
  if (type === "ResidualBlock") return t("A 1×1 projection [[shortcut|shortcut connection]] carries the input past the two convolutions and is added to their output. It is needed because the shape changes.")
  if (type === "PatchEmbedding") return t("The image is cut into {tokens} squares of {side}×{side} pixels. Each becomes a [[token]] of {features} numbers, and a learned position embedding is added.", { tokens: after[0], side: params.patch_size, features: after[1] })
  if (type === "TransformerEncoderLayer") return t("[[Self-attention|self-attention]]: each of the {tokens} tokens attends to all others, in {heads} heads of {features} numbers each. Then each token passes through two linear layers. Both parts have a shortcut connection.", { tokens: before[0], heads: params.nhead, features: before[1] / Number(params.nhead) })
  return type === "TokenMean" ? t("The {tokens} tokens are averaged into one.", { tokens: before[0] }) : ""
}

/**
 * The facts about a layer: names and texts, with their terms, and for a formula its kind.
 * @param {{ off: boolean }} layer
 * @param {LayerAnalysis} [step]
 * @returns {{ name: string, text: string, formula?: string }[]}
 */
export function layerFacts(layer, step) {
  if (layer.off) return [{ name: t("Switched off"), text: t("The network skips this layer.") }]
  if (!step) return []
  return [
    { name: t("Output size"), text: step.size_formula, formula: "size" },
    { name: t("[[Parameters|parameter]]"), text: step.arithmetic || (step.out_shape ? t("0: this layer has no parameters") : ""), formula: step.type },
    { name: t("[[Multiply-adds|multiply-add]]"), text: step.multiply_adds ? step.multiply_arithmetic || number(step.multiply_adds) : "" },
    { name: t("[[Activations|activation]]"), text: step.bytes ? t("{size} per sample", { size: bytes(step.bytes) }) : "" },
    { name: t("[[Receptive field|receptive field]]"), text: fieldSize(step.receptive_field) },
    { name: t("How it works"), text: explained(step) },
  ].filter(({ text }) => text)
}

/** @type {Record<string, string>} what the parameter of a layer says about it: one part of a formula */
export const PARTS = { out_channels: "output", out_features: "output", kernel_size: "kernel", stride: "stride", padding: "padding", dilation: "dilation" }

/** @type {Record<string, string>} what a part is called */
export const PART_TITLES = { input: t("From the input"), output: t("From the output"), kernel: "kernel_size", stride: "stride", padding: "padding", dilation: "dilation" } // no text: the last four are names of PyTorch

/**
 * The parts that the numbers of a formula stand for, in their order; by the kind of formula and how many numbers it has. Those of the output size are PyTorch's,
 * with dilation and without; those of the parameters, with bias and without.
 * @type {Record<string, string[]>}
 */
const FORMULAS = {
  "size 10": ["input", "", "padding", "dilation", "kernel", "", "", "stride", "", "output"],
  "size 7": ["input", "", "padding", "kernel", "stride", "", "output"],
  "Conv2d 6": ["kernel", "kernel", "input", "", "output", ""],
  "Conv2d 5": ["kernel", "kernel", "input", "output", ""],
  "Linear 4": ["input", "", "output", ""],
  "Linear 3": ["input", "output", ""],
}

/**
 * A formula in pieces: each number with the part of the layer that it comes from, where that is known.
 * @param {string} text one line
 * @param {string} kind `size`, or the type of the layer
 * @returns {{ text: string, part: string }[]}
 */
export function inParts(text, kind) {
  const pieces = text.split(/(\d[\d,]*)/)
  const parts = FORMULAS[`${kind} ${(pieces.length - 1) / 2}`] ?? []
  return pieces.map((piece, place) => ({ text: piece, part: place % 2 ? parts[(place - 1) / 2] ?? "" : "" }))
}

/**
 * What a row says of a layer's parameters: the first one, and those that differ from their defaults.
 * @param {Pick<Layer, "params">} layer
 * @param {Pick<LayerParam, "name" | "default">[]} params of its type
 */
export function settings(layer, params) {
  /** @type {(param: Pick<LayerParam, "name" | "default">) => Value} */
  const value = (param) => layer.params[param.name] ?? param.default
  return params.filter((param, place) => place === 0 || value(param) !== param.default).map((param) => `${param.name} ${value(param)}`).join(", ")
}

/**
 * The sizes in a text, such as “1, 28, 28”; none where it has no number.
 * @param {string} text
 */
export const sizesIn = (text) => text.match(/\d+/g)?.map(Number)
