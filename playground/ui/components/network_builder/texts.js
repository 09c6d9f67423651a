// What the builder says about a layer and its sizes.

import { shapeText } from "../shared/format.js"
import { t } from "../shared/text.js"

/**
 * @import { LayerAnalysis, LayerField, LayerParam } from "./documents.js"
 * @import { Layer, Value } from "./stack.js"
 */

/** @param {number} value */
export const number = (value) => value.toLocaleString("en")

/** @param {number} count */
export const bytes = (count) => (count < 1024 ? `${count} B` : count < 2 ** 20 ? `${(count / 1024).toFixed(1)} KiB` : `${(count / 2 ** 20).toFixed(1)} MiB`) // no text: units

/** @param {number[] | null} sizes */
const shape = (sizes) => (sizes ? shapeText(sizes) : "?")

/** @param {LayerField | null} field */
export function fieldSize(field) {
  if (!field) return ""
  if (field.covers_image) return t("the whole image")
  const sizes = { height: field.height.size, width: field.width.size }
  const stride = field.height.effective_stride
  if (stride === null || sizes.height === 1) return t("{height}×{width} pixels of the input", sizes)
  return t("{height}×{width} pixels of the input, effective stride {stride}", { ...sizes, stride })
}

/**
 * How a block of several layers works, with its numbers.
 * @param {Pick<LayerAnalysis, "type" | "in_shape" | "out_shape" | "params">} step
 */
export function explained({ type, in_shape: before, out_shape: after, params }) {
  if (!before || !after) return ""
  if (type === "ResidualBlock" && String(before) === String(after)) return t("A shortcut connection adds the input to the output of the two convolutions, so gradients can bypass them.")
  if (type === "ResidualBlock") return t("A 1×1 projection shortcut carries the input past the two convolutions and is added to their output. It is needed because the shape changes.")
  if (type === "PatchEmbedding") return t("The image is cut into {tokens} squares of {side}×{side} pixels. Each becomes a token of {features} numbers, and a learned position embedding is added.", { tokens: after[0], side: params.patch_size, features: after[1] })
  if (type === "TransformerEncoderLayer") return t("Self-attention: each of the {tokens} tokens attends to all others, in {heads} heads of {features} numbers each. Then each token passes through two linear layers. Both parts have a shortcut connection.", { tokens: before[0], heads: params.nhead, features: before[1] / Number(params.nhead) })
  return type === "TokenMean" ? t("The {tokens} tokens are averaged into one.", { tokens: before[0] }) : ""
}

/**
 * The facts about a layer, as names and texts.
 * @param {{ off: boolean }} layer
 * @param {LayerAnalysis} [step]
 */
export function layerFacts(layer, step) {
  const off = [[t("Switched off"), layer.off ? t("The network skips this layer.") : ""]]
  const facts = !step ? [] : [
    [t("Shape"), `${shape(step.in_shape)} → ${shape(step.out_shape)}`],
    [t("Output size"), step.size_formula],
    [t("Parameters"), step.arithmetic || (step.out_shape ? t("0: this layer has no parameters") : "")],
    [t("Multiply-adds"), step.multiply_adds ? step.multiply_arithmetic || number(step.multiply_adds) : ""],
    [t("Activations"), step.bytes ? t("{size} per sample", { size: bytes(step.bytes) }) : ""],
    [t("Receptive field"), fieldSize(step.receptive_field)],
    [t("How it works"), explained(step)],
  ]
  return [...off, ...facts].filter(([, text]) => text)
}

/**
 * What a card says of a layer's parameters: the first one, and those that differ from their defaults.
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
