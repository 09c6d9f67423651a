// Statistics of each layer over the steps: gradients, updates, dead units and histograms.

import "../shared/controls.js"
import { drawLines } from "../shared/chart.js"
import { element } from "../shared/dom.js"
import { percent } from "../shared/format.js"
import { CONFIG, depth, layout, loadPlotly, theme } from "../shared/plot.js"
import { withTerms } from "../shared/term.js"
import { t } from "../shared/text.js"
import { digits } from "./inside.js"

/**
 * @import { Histograms, Inside, Layer } from "./documents.js"
 * @import { Ask } from "./types.js"
 */

const BINS = 60
/** @type {Record<string, string>} of what there are histograms, in the order of the choice */
const WHAT = { weights: t("weights"), gradients: t("gradients"), outputs: t("outputs") }

export class Layers {
  /**
   * @param {HTMLElement} box
   * @param {Ask} ask
   */
  constructor(box, ask) {
    this.ask = ask
    this.run = ""
    /** @type {string[]} their titles */
    this.titles = []
    /** @type {Inside | null} */
    this.seen = null
    /** @type {Histograms | null} of the chosen layer */
    this.shots = null
    /** @type {string[][]} for each layer what there are histograms of */
    this.kinds = []
    this.gradients = element("div", "monitor-plot")
    this.ratios = element("div", "monitor-plot")
    this.rate = element("div", "monitor-plot")
    this.rate.dataset.plot = "rate"
    this.heat = element("div", "monitor-plot")
    this.layer = element("pick-one")
    this.layer.label = t("Layer")
    this.what = element("pick-one")
    this.what.label = t("Values")
    this.layer.onchange = () => { this.offer(); this.histogram() }
    this.what.onchange = () => this.histogram()
    const choice = element("div", "monitor-choice")
    /** @type {Record<string, HTMLElement>} */
    const gaps = { "{values}": this.what, "{layer}": this.layer }
    choice.append(...t("Distribution of {values} in layer {layer}").split(/(\{\w+\})/).map((part) => gaps[part] ?? part))
    this.table = element("table", "monitor-table")
    const scroll = element("div", "monitor-scroll")
    scroll.append(this.table)
    const plots = element("div", "monitor-plots")
    plots.append(
      figure(withTerms("span", "", t("Gradient [[norm]] of each layer")), this.gradients), figure(withTerms("span", "", t("[[Update|update]] ÷ [[weights|weight]] (about 0.001 is typical)")), this.ratios),
      figure(t("Learning rate"), this.rate), figure(choice, this.heat),
    )
    box.append(element("h2", "", t("Layers over the steps")), plots, scroll)
    this.observer = new ResizeObserver(() => this.draw())
    this.observer.observe(this.gradients)
  }

  /** @param {string[]} titles of the layers of another run; their rows are there before their numbers, so that nothing moves later */
  clear(titles) {
    this.titles = titles
    this.seen = this.shots = null
    this.rows(titles.map((type, index) => ({ index, type, gradient: null, ratio: null, std: null, dead: null })))
  }

  /**
   * @param {string} run
   * @param {Inside} seen
   */
  show(run, seen) {
    const other = this.run !== run
    this.run = run
    this.seen = seen
    this.rows(seen.layers)
    this.draw()
    this.kinds = seen.histograms
    const offered = seen.layers.filter(({ index }) => this.kinds[index]?.length)
    if (offered.length) { this.choices(offered, other); this.histogram() }
  }

  // Draw anew what there is, in the size and the theme of now.
  draw() {
    if (this.seen) this.lines(this.seen)
    if (this.shots) this.heatmap(this.shots)
  }

  /** @param {Inside} seen */
  async lines({ layers, steps }) {
    const look = theme(this.gradients)
    const learning = layers.filter(({ gradient }) => gradient)
    /** @type {(of: (layer: Layer) => Layer["gradient"]) => import("../shared/chart.js").Line[]} */
    const lines = (of) => learning.map((layer, index) => ({ name: "", title: this.titles[layer.index], x: steps, y: of(layer) ?? [], colour: depth(look, index, learning.length) }))
    /** @type {[number, number]} */
    const range = [0, Math.max(1, ...steps)]
    await drawLines(this.gradients, { lines: lines(({ gradient }) => gradient), x: { title: t("step"), range }, y: { log: true } }, look)
    await drawLines(this.ratios, { lines: lines(({ ratio }) => ratio), x: { title: t("step"), range }, y: { log: true } }, look)
  }

  /** @param {Layer[]} layers */
  rows(layers) {
    const head = element("tr")
    head.append(...[t("Layer"), t("Gradient"), t("Update ÷ weights"), t("Output std"), t("[[Dead units|dead unit]]")].map((text) => withTerms("th", "", text)))
    const look = theme(this.table)
    const learning = layers.filter(({ gradient }) => gradient)
    const rows = layers.map((layer) => {
      const row = element("tr")
      const dead = last(layer.dead)
      const name = element("th")
      const swatch = element("i", "monitor-swatch")
      if (layer.gradient) swatch.style.background = depth(look, learning.indexOf(layer), learning.length)
      name.append(swatch, `${layer.index} ${this.titles[layer.index]}`)
      const numbers = [layer.gradient, layer.ratio, layer.std].map((series) => element("td", "", digits(last(series))))
      row.append(name, ...numbers, element("td", dead !== null && dead > 0.5 ? "much" : "", dead === null ? "" : percent(dead, 0)))
      return row
    })
    this.table.replaceChildren(head, ...rows)
  }

  /**
   * @param {Layer[]} offered
   * @param {boolean} other whether they are those of another run than before
   */
  choices(offered, other) {
    const chosen = this.layer.value
    this.layer.options = offered.map(({ index }) => ({ value: String(index), title: `${index} ${this.titles[index]}` }))
    this.layer.value = !other && offered.some(({ index }) => String(index) === chosen) ? chosen : String((offered.find(({ index }) => this.kinds[index].includes("weights")) ?? offered[0]).index)
    this.offer()
  }

  offer() {
    const chosen = this.what.value
    const names = this.kinds[Number(this.layer.value)]
    const ordered = Object.keys(WHAT).filter((name) => names.includes(name))
    this.what.options = ordered.map((name) => ({ value: name, title: WHAT[name] }))
    this.what.value = ordered.includes(chosen) ? chosen : ordered[0]
  }

  async histogram() {
    /** @type {Histograms | null} */
    const answer = await this.ask("/histogram", { layer: this.layer.value, what: this.what.value })
    if (!answer?.steps.length) return
    this.shots = answer
    this.heatmap(answer)
  }

  /** @param {Histograms} answer */
  async heatmap(answer) {
    const Plotly = await loadPlotly()
    if (!this.heat.clientHeight) return // it was left
    const look = theme(this.table)
    const [low, high] = [Math.min(...answer.low), Math.max(...answer.high)]
    const width = (high - low || 1) / BINS
    const columns = answer.counts.map((counts, shot) => spread(counts, answer.low[shot], answer.high[shot], low, width))
    const z = Array.from({ length: BINS }, (_, bin) => columns.map((column) => column[bin]))
    const y = Array.from({ length: BINS }, (_, bin) => low + (bin + 0.5) * width)
    const lines = [t("step {step}", { step: "%{x}" }), t("value {value}", { value: "%{y:.3g}" })]
    const traces = [{
      type: "heatmap", x: answer.steps, y, z, colorscale: look.scale.map((colour, index) => [index / (look.scale.length - 1), colour]), showscale: false,
      hovertemplate: `${lines.join("<br>")}<extra></extra>`,
    }]
    Plotly.react(this.heat, traces, layout(look, this.heat.clientHeight, { title: t("step") }, {}, { margin: { l: 46 * look.zoom, r: 12, t: 12, b: 42 * look.zoom }, hovermode: "closest" }), { ...CONFIG, responsive: false, displayModeBar: false })
  }

  close() {
    this.observer.disconnect()
    for (const plot of [this.gradients, this.ratios, this.heat]) window.Plotly?.purge(plot)
  }
}

/**
 * The last number of a series; null where there is none.
 * @param {(number | null)[] | null} series
 */
export const last = (series) => series?.findLast((value) => value !== null) ?? null

/**
 * Counts between `from` and `to` as densities in bins of their own; the root makes rare values visible.
 * @param {number[]} counts
 * @param {number} from
 * @param {number} to
 * @param {number} low where the first bin begins
 * @param {number} width of a bin
 */
export function spread(counts, from, to, low, width) {
  const bins = Array.from({ length: BINS }, () => 0)
  const step = (to - from) / counts.length
  const total = counts.reduce((sum, count) => sum + count, 0)
  if (!step) bins[Math.min(BINS - 1, Math.floor((from - low) / width))] = total
  else for (let bin = 0; bin < BINS; bin++) {
    const [start, end] = [low + bin * width, low + (bin + 1) * width]
    for (let index = Math.max(0, Math.floor((start - from) / step)); index < counts.length && from + index * step < end; index++) {
      const overlap = Math.min(end, from + (index + 1) * step) - Math.max(start, from + index * step)
      if (overlap > 0) bins[bin] += (counts[index] * overlap) / step
    }
  }
  return bins.map((count) => Math.sqrt(count / total))
}

/**
 * @param {string | HTMLElement} title
 * @param {HTMLElement} plot
 */
function figure(title, plot) {
  const made = element("figure")
  const caption = element("figcaption")
  caption.append(title)
  made.append(caption, plot)
  return made
}
