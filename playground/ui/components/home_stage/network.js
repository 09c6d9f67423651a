// A small network in the browser: convolutions with ReLU and max pooling, then one linear layer. It computes what PyTorch computes, and what each
// feature map contributes; tests/components/test_home_stage.py compares both with PyTorch.

/**
 * @import { Recording } from "./documents.js"
 * @import { Picture, PictureColumn } from "../shared/stage.js"
 */
/** @typedef {{ values: Float32Array, channels: number, rows: number, columns: number }} Maps feature maps, or features: then with one row and one column */
/** @typedef {{ weight: Float32Array, bias: Float32Array, shape: number[], padding: number, pool: number, layers: [number, number], types: string[] }} Block a layer with weights and the layers that follow it */

const MOST_EDGES = 6

export class Network {
  /** @param {Pick<Recording, "network" | "parameters" | "scale" | "shift">} recording */
  constructor({ network, parameters, scale, shift }) {
    this.scale = scale
    this.shift = shift
    const [, rows, columns] = network.input_shape
    this.input = { channels: 1, rows, columns }
    this.sizes = parameters.map(([, shape]) => shape.reduce((product, size) => product * size, 1))
    /** @type {Block[]} */
    this.blocks = []
    network.layers.forEach((layer, index) => {
      const type = String(layer.type)
      if (type === "Conv2d" || type === "Linear") {
        const [, shape] = parameters[2 * this.blocks.length]
        const before = this.blocks[this.blocks.length - 1]?.layers[1] ?? 0
        const first = type === "Linear" ? before : index
        this.blocks.push({ weight: new Float32Array(), bias: new Float32Array(), shape, padding: Number(layer.padding ?? 0), pool: 1, layers: [first, index + 1], types: network.layers.slice(first, index + 1).map((each) => String(each.type)) })
      } else if (type !== "Flatten") {
        const block = this.blocks[this.blocks.length - 1]
        if (type === "MaxPool2d") block.pool = Number(layer.kernel_size)
        block.layers = [block.layers[0], index + 1]
        block.types.push(type)
      }
    })
  }

  /**
   * Take the weights of all parameters, one behind another.
   * @param {Float32Array} weights
   */
  load(weights) {
    let at = 0
    this.blocks.forEach((block, index) => {
      const [weight, bias] = this.sizes.slice(2 * index, 2 * index + 2)
      block.weight = weights.subarray(at, at + weight)
      block.bias = weights.subarray(at + weight, at + weight + bias)
      at += weight + bias
    })
  }

  /**
   * Classify an image, and say what every feature map contributes to the next ones.
   * @param {Uint8Array} image a byte for each pixel
   * @returns {Picture}
   */
  run(image) {
    /** @type {Maps} */
    let maps = { ...this.input, values: Float32Array.from(image, (byte) => byte * this.scale + this.shift) }
    /** @type {PictureColumn[]} */
    const columns = [{ layers: [0, 0], types: [], blocks: 0, shape: [1, maps.rows, maps.columns], units: [0], size: [maps.rows, maps.columns], values: Int8Array.from(image, (byte) => byte >> 1), edges: new Int8Array() }]
    for (const block of this.blocks) {
      const { output, contributions } = block.shape.length === 4 ? convolve(maps, block) : combine(maps, block)
      const { channels, rows, columns: wide, values } = output
      columns.push({
        layers: block.layers, types: block.types, blocks: 1, shape: block.shape.length === 4 ? [channels, rows, wide] : [channels],
        units: Array.from({ length: channels }, (_, unit) => unit), size: [rows, wide], values: shares(values), edges: strongest(contributions, channels),
      })
      maps = output
    }
    return { view: "values", columns, probabilities: softmax(maps.values) }
  }
}

/**
 * Convolution, ReLU and max pooling.
 * @param {Maps} input
 * @param {Block} block
 * @returns {{ output: Maps, contributions: Float32Array }} a row for each output map: what each input map adds to its sum
 */
function convolve(input, { weight, bias, shape: [channels, , side], padding, pool }) {
  const { values, rows, columns } = input
  const [high, wide] = [rows + 2 * padding - side + 1, columns + 2 * padding - side + 1]
  const output = { channels, rows: Math.floor(high / pool), columns: Math.floor(wide / pool), values: new Float32Array(channels * Math.floor(high / pool) * Math.floor(wide / pool)) }
  const contributions = new Float32Array(channels * input.channels)
  const sum = new Float32Array(high * wide)
  for (let channel = 0; channel < channels; channel++) {
    sum.fill(bias[channel])
    for (let source = 0; source < input.channels; source++) {
      const kernel = weight.subarray((channel * input.channels + source) * side * side)
      for (let row = 0; row < high; row++) for (let column = 0; column < wide; column++) sum[row * wide + column] += window(values, source * rows * columns, rows, columns, row - padding, column - padding, kernel, side)
    }
    for (let row = 0; row < output.rows; row++) {
      for (let column = 0; column < output.columns; column++) {
        const at = largest(sum, wide, row * pool, column * pool, pool)
        if (sum[at] <= 0) continue // ReLU
        output.values[(channel * output.rows + row) * output.columns + column] = sum[at]
        for (let source = 0; source < input.channels; source++) {
          const kernel = weight.subarray((channel * input.channels + source) * side * side)
          contributions[channel * input.channels + source] += window(values, source * rows * columns, rows, columns, Math.floor(at / wide) - padding, (at % wide) - padding, kernel, side)
        }
      }
    }
  }
  return { output, contributions }
}

/**
 * The sum over one window of one map; outside of the map there are zeros.
 * @param {Float32Array} values
 * @param {number} start of the map
 * @param {number} rows
 * @param {number} columns
 * @param {number} top
 * @param {number} left
 * @param {Float32Array} kernel
 * @param {number} side of the window
 */
function window(values, start, rows, columns, top, left, kernel, side) {
  let sum = 0
  for (let row = Math.max(0, -top); row < Math.min(side, rows - top); row++) {
    const line = start + (top + row) * columns + left
    for (let column = Math.max(0, -left); column < Math.min(side, columns - left); column++) sum += values[line + column] * kernel[row * side + column]
  }
  return sum
}

/**
 * The place of the largest value of a square.
 * @param {Float32Array} values
 * @param {number} wide
 * @param {number} top
 * @param {number} left
 * @param {number} side
 */
function largest(values, wide, top, left, side) {
  let best = top * wide + left
  for (let row = top; row < top + side; row++) for (let column = left; column < left + side; column++) if (values[row * wide + column] > values[best]) best = row * wide + column
  return best
}

/**
 * A linear layer on all values.
 * @param {Maps} input
 * @param {Block} block
 * @returns {{ output: Maps, contributions: Float32Array }}
 */
function combine(input, { weight, bias, shape: [outputs, inputs] }) {
  const each = input.rows * input.columns
  const values = new Float32Array(outputs)
  const contributions = new Float32Array(outputs * input.channels)
  for (let output = 0; output < outputs; output++) {
    for (let at = 0; at < inputs; at++) contributions[output * input.channels + Math.floor(at / each)] += weight[output * inputs + at] * input.values[at]
    values[output] = contributions.subarray(output * input.channels, (output + 1) * input.channels).reduce((sum, part) => sum + part, bias[output])
  }
  return { output: { channels: outputs, rows: 1, columns: 1, values }, contributions }
}

/**
 * Values in shares of the largest absolute one, 127 being the whole.
 * @param {Float32Array} values
 */
function shares(values) {
  const most = values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1e-12)
  return Int8Array.from(values, (value) => Math.round((value / most) * 127))
}

/**
 * The strongest contributions to each unit, as the picture has its edges.
 * @param {Float32Array} contributions
 * @param {number} outputs
 */
function strongest(contributions, outputs) {
  const inputs = contributions.length / outputs
  const bytes = shares(contributions)
  const triples = []
  for (let to = 0; to < outputs; to++) {
    const row = [...bytes.subarray(to * inputs, (to + 1) * inputs)].map((share, from) => [from, to, share])
    triples.push(...row.filter(([, , share]) => Math.abs(share) > 1).sort((one, other) => Math.abs(other[2]) - Math.abs(one[2])).slice(0, MOST_EDGES))
  }
  return Int8Array.from(triples.flat())
}

/** @param {Float32Array} scores */
function softmax(scores) {
  const most = Math.max(...scores)
  const powers = [...scores].map((score) => Math.exp(score - most))
  const sum = powers.reduce((total, power) => total + power, 0)
  return powers.map((power) => power / sum)
}
