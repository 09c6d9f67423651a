// What the builder says about a layer and its sizes.

import { shapeText } from "../shared/format.js"

/**
 * @import { Layer } from "./stack.js"
 * @import { Param, ReceptiveField, Step, Value } from "./types.js"
 */

/** @param {number} value */
export const number = (value) => value.toLocaleString("en")

/** @param {number} count */
export const bytes = (count) => (count < 1024 ? `${count} B` : count < 2 ** 20 ? `${(count / 1024).toFixed(1)} KiB` : `${(count / 2 ** 20).toFixed(1)} MiB`)

/** @param {number[] | null} sizes */
const shape = (sizes) => (sizes ? shapeText(sizes) : "?")

/** @param {ReceptiveField | null} field */
export function fieldSize(field) {
  if (!field) return ""
  if (field.covers_image) return "the whole image"
  const { height, width } = field
  const size = `${height.size}×${width.size} pixels of the input`
  return height.effective_stride === null || height.size === 1 ? size : `${size}, effective stride ${height.effective_stride}`
}

/**
 * How a block of several layers works, with its numbers.
 * @param {Pick<Step, "type" | "in_shape" | "out_shape" | "params">} step
 */
export function explained({ type, in_shape: before, out_shape: after, params }) {
  if (!before || !after) return ""
  if (type === "ResidualBlock" && String(before) === String(after)) return "A shortcut connection adds the input to the output of the two convolutions, so gradients can bypass them."
  if (type === "ResidualBlock") return "A 1×1 projection shortcut carries the input past the two convolutions and is added to their output. It is needed because the shape changes."
  if (type === "PatchEmbedding") return `The image is cut into ${after[0]} squares of ${params.patch_size}×${params.patch_size} pixels. Each becomes a token of ${after[1]} numbers, and a learned position embedding is added.`
  if (type === "TransformerEncoderLayer") return `Self-attention: each of the ${before[0]} tokens attends to all others, in ${params.nhead} heads of ${before[1] / Number(params.nhead)} numbers each. Then each token passes through two linear layers. Both parts have a shortcut connection.`
  return type === "TokenMean" ? `The ${before[0]} tokens are averaged into one.` : ""
}

/**
 * The facts about a layer, as names and texts.
 * @param {{ off: boolean }} layer
 * @param {Step} [step]
 */
export function layerFacts(layer, step) {
  const off = [["Switched off", layer.off ? "The network skips this layer." : ""]]
  const facts = !step ? [] : [
    ["Shape", `${shape(step.in_shape)} → ${shape(step.out_shape)}`],
    ["Output size", step.size_formula],
    ["Parameters", step.arithmetic || (step.out_shape ? "0: this layer has no parameters" : "")],
    ["Multiply-adds", step.multiply_adds ? step.multiply_arithmetic || number(step.multiply_adds) : ""],
    ["Activations", step.bytes ? `${bytes(step.bytes)} per sample` : ""],
    ["Receptive field", fieldSize(step.receptive_field)],
    ["How it works", explained(step)],
  ]
  return [...off, ...facts].filter(([, text]) => text)
}

/**
 * What a card says of a layer's parameters: the first one, and those that differ from their defaults.
 * @param {Pick<Layer, "params">} layer
 * @param {Pick<Param, "name" | "default">[]} params of its type
 */
export function settings(layer, params) {
  /** @type {(param: Pick<Param, "name" | "default">) => Value} */
  const value = (param) => layer.params[param.name] ?? param.default
  return params.filter((param, place) => place === 0 || value(param) !== param.default).map((param) => `${param.name} ${value(param)}`).join(", ")
}

/**
 * The sizes in a text, such as “1, 28, 28”; none where it has no number.
 * @param {string} text
 */
export const sizesIn = (text) => text.match(/\d+/g)?.map(Number)
