// One batch through the untrained network: the network at work on one image, and what the activations of each layer are like.

import { exact, percent } from "../shared/format.js"
import { pictureOf, Stage } from "../shared/stage.js"
import { html, nothing } from "../shared/templates.js"
import { marked } from "../shared/term.js"
import { t } from "../shared/text.js"
import { BatchValuePanel } from "./value.js"

/**
 * @import { BatchOutputs, BatchValue, LayerStatistics } from "./documents.js"
 * @import { View } from "../shared/stage.js"
 */
/** @typedef {{ error: string }} Failure what a request returns that failed */
/** @typedef {{ initialisation: string, seed: number }} Weights the initial ones */

const WEIGHTED = new Set(["Conv2d", "Linear", "ResidualBlock", "PatchEmbedding", "TransformerEncoderLayer"])

export class Forward {
  /**
   * @param {HTMLElement} box of the picture
   * @param {(index: number) => void} choose called with the layer that is clicked
   * @param {{ outputs: (request: Weights & { view: View, unfolded: number | null }) => Promise<BatchOutputs | Failure>, value: (request: Weights & { layer: number, place: number[] }) => Promise<BatchValue | Failure> }} ask
   *   send requests about the network in the builder
   * @param {() => void} draw called when there is something else to show
   */
  constructor(box, choose, ask, draw) {
    this.stage = new Stage(box, { open: (column, place) => this.open(column, place), look: () => this.follow(this.network) })
    this.value = new BatchValuePanel((request) => ask.value({ ...this.weights, ...request }), draw)
    this.choose = choose
    this.ask = ask.outputs
    this.draw = draw
    this.isOn = false
    this.initialisation = "default"
    /** @type {string | null} identifies the network that is followed */
    this.network = null
    /** @type {object | null} the request whose answer is awaited */
    this.request = null
    /** @type {string | null} identifies the network, the data set and the weights that were asked for; null for a network that does not fit */
    this.asked = null
    this.error = ""
    /** @type {BatchOutputs | null} */
    this.outputs = null
  }

  /** @returns {Weights} */
  get weights() {
    return { initialisation: this.initialisation, seed: 0 }
  }

  /**
   * Choose the layer of a column that has weights, and show the sum behind a value of one of its units.
   * @param {number} column
   * @param {number} place of the unit
   */
  open(column, place) {
    if (!this.outputs || !column) return // the input has no sum
    const { layers: [first], types, units } = this.outputs.picture.columns[column]
    const layer = first + Math.max(0, types.findLastIndex((type) => WEIGHTED.has(type)))
    this.choose(layer)
    this.value.show(layer, [units[place]])
  }

  /** @param {boolean} isOn */
  turn(isOn) {
    this.isOn = isOn
    this.asked = null
    this.clear()
    this.value.clear()
    this.draw()
  }

  clear() {
    this.request = null // a pending answer is about another network
    this.error = ""
    this.outputs = null
  }

  /**
   * Ask for the outputs of another network; what is shown stays until they have come.
   * @param {string | null} network identifies the network and the data set; null for a network that does not fit
   */
  async follow(network) {
    const { view, unfolded } = this.stage
    const weighted = `${network} ${this.initialisation}`
    const wanted = network === null ? null : `${weighted} ${view} ${unfolded}`
    if (!this.asked?.startsWith(weighted)) this.value.clear()
    this.network = network
    if (!this.isOn || wanted === this.asked) return
    this.asked = wanted
    if (wanted === null) return this.clear()
    const request = (this.request = {})
    const answer = await this.ask({ ...this.weights, view, unfolded })
    if (request !== this.request) return
    this.clear()
    if ("error" in answer) this.error = answer.error
    else this.outputs = answer
    this.draw() // the picture can be placed once its box is shown
    if (!this.outputs) return
    this.stage.show(pictureOf(this.outputs.picture), this.outputs.classes)
    this.stage.flow()
  }

  /** The theme may have changed. */
  repaint() {
    this.stage.repaint()
    this.value.repaint()
  }

  close() {
    this.stage.close()
  }

  /**
   * What the batch says about a layer.
   * @param {number} index
   */
  about(index) {
    const layer = this.outputs?.layers.find((each) => each.index === index)
    if (!layer) return nothing
    return html`
      ${this.value.section(index)}
      <section class="activations"><h3>${marked(t("Activations on this [[batch]]"))}</h3><p>${statistics(layer)}</p>${histogram(layer)}</section>`
  }
}

/** @param {Pick<LayerStatistics, "mean" | "std" | "zeros">} layer */
export function statistics({ mean, std, zeros }) {
  if (mean === null || std === null) return t("only non-finite values")
  return t("mean {mean}, std {std}, {share} zeros", { mean: exact(mean, 2), std: exact(std, 2), share: percent(zeros, 0) })
}

/** @param {LayerStatistics} layer */
function histogram({ counts, low, high }) {
  const most = Math.max(...counts, 1)
  const tall = (/** @type {number} */ count) => (count ? Math.max(0.02, Math.sqrt(count / most)) : 0) // by the root, so that a peak at 0 leaves the others visible
  const edge = (/** @type {number} */ bin) => low + (bin / counts.length) * (high - low)
  const side = (/** @type {number} */ bin) => (edge(bin) > 0 ? "positive" : edge(bin + 1) < 0 ? "negative" : "zero")
  return html`
    <figure class="histogram">
      <div class="bars" role="img" aria-label=${t("Histogram of the activations from {low} to {high}", { low: exact(low, 2), high: exact(high, 2) })}>${counts.map((count, bin) => html`<span class=${side(bin)} style=${`--tall:${tall(count)}`}></span>`)}</div>
      <figcaption><span>${exact(low, 2)}</span><span>${exact(high, 2)}</span></figcaption>
    </figure>`
}
