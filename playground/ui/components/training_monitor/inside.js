// Statistics of each layer during training: gradients, updates, dead units, histograms, and the first layer's filters.

import { bytesOf, paint } from "../shared/bytes.js"
import { element } from "../shared/dom.js"
import { percent } from "../shared/format.js"
import { CONFIG, depth, layout, loadPlotly, theme } from "../shared/plot.js"
import { t } from "../shared/text.js"
import { Timeline } from "./timeline.js"

/**
 * @import { Filters, Histograms, Inside, Layer } from "./documents.js"
 * @import { Ask } from "./types.js"
 */

const BINS = 60
/** @type {Record<string, string>} of what there are histograms, in the order of the choice */
const WHAT = { weights: t("weights"), gradients: t("gradients"), outputs: t("outputs") }

/** @param {number | null} value */
export const digits = (value) => (value === null ? "" : Math.abs(value) >= 0.001 && Math.abs(value) < 1000 ? String(Number(value.toPrecision(3))) : value.toExponential(1))

export class RunInside {
  /** @param {Ask} ask */
  constructor(ask) {
    this.ask = ask
    this.run = ""
    /** @type {string[][]} for each layer what there are histograms of */
    this.kinds = []
    this.box = element("div", "monitor-inside")
    this.gradients = element("div", "monitor-plot")
    this.ratios = element("div", "monitor-plot")
    const pair = element("div", "monitor-plots")
    pair.append(this.figure(t("Gradient norm of each layer"), this.gradients), this.figure(t("Update ÷ weights (about 0.001 is typical)"), this.ratios))
    this.table = element("table", "monitor-table")
    this.layer = element("select")
    this.layer.setAttribute("aria-label", t("Layer"))
    this.what = element("select")
    this.what.setAttribute("aria-label", t("Values"))
    this.layer.onchange = () => { this.offer(); this.histogram() }
    this.what.onchange = () => this.histogram()
    this.heat = element("div", "monitor-plot")
    const choice = element("div", "monitor-tools")
    /** @type {Record<string, HTMLElement>} */
    const gaps = { "{values}": this.what, "{layer}": this.layer }
    choice.append(...t("Distribution of {values} in layer {layer}").split(/(\{\w+\})/).map((part) => gaps[part] ?? part))
    this.histograms = element("section")
    this.histograms.append(choice, this.heat)
    this.timeline = new Timeline(() => this.filters())
    this.grid = element("div", "monitor-filters")
    this.first = element("section")
    const colours = element("p", "monitor-hint", t("The weights as images: orange is positive, blue is negative."))
    this.first.append(element("h4", "", t("Filters of the first layer")), colours, this.timeline.box, this.grid)
    this.waiting = element("p", "monitor-hint", t("Layer statistics appear here after the first training steps."))
    this.all = element("div")
    const below = element("div", "monitor-plots")
    below.append(this.histograms, this.first)
    const scroll = element("div", "monitor-scroll")
    scroll.append(this.table)
    this.all.append(pair, below, scroll)
    this.box.append(this.waiting, this.all)
  }

  /**
   * @param {string} title
   * @param {HTMLElement} plot
   */
  figure(title, plot) {
    const figure = element("figure")
    figure.append(element("figcaption", "", title), plot)
    return figure
  }

  /**
   * @param {string} run
   * @param {Inside | null} seen
   */
  show(run, seen) {
    const other = this.run !== run
    this.run = run
    const empty = !seen?.steps.length
    this.waiting.hidden = !empty
    this.all.hidden = empty
    if (empty) return
    this.rows(seen.layers)
    this.lines(seen)
    this.first.hidden = !seen.filters
    if (seen.filters) { this.timeline.show(seen.snapshots); this.filters() }
    this.kinds = seen.histograms
    const offered = seen.layers.filter(({ index }) => this.kinds[index]?.length)
    this.histograms.hidden = !offered.length
    if (offered.length) { this.choices(offered, other); this.histogram() }
  }

  /** @param {Inside} seen */
  async lines({ layers, steps }) {
    const Plotly = await loadPlotly()
    if (!this.box.isConnected) return
    const look = theme(this.box)
    const learning = layers.filter(({ gradient }) => gradient)
    /** @type {(plot: HTMLElement, of: (layer: Layer) => Layer["gradient"]) => void} */
    const draw = (plot, of) => {
      const traces = learning.map((layer, index) => ({
        x: steps, y: of(layer), name: `${layer.index} ${layer.type}`, mode: "lines", connectgaps: true, line: { color: depth(look, index, learning.length), width: 2 }, hovertemplate: "%{y:.3g}",
      }))
      Plotly.react(plot, traces, layout(look, 280, { title: t("step") }, { type: "log", exponentformat: "power", nticks: 5 }, { uirevision: this.run, showlegend: false, margin: { l: 58, r: 12, t: 12, b: 44 } }), { ...CONFIG, displayModeBar: false })
    }
    draw(this.gradients, ({ gradient }) => gradient)
    draw(this.ratios, ({ ratio }) => ratio)
  }

  /** @param {Layer[]} layers */
  rows(layers) {
    const head = element("tr")
    head.append(...[t("Layer"), t("Gradient"), t("Update ÷ weights"), t("Output std"), t("Dead units")].map((text) => element("th", "", text)))
    const look = theme(this.box)
    const learning = layers.filter(({ gradient }) => gradient)
    const rows = layers.map((layer) => {
      const row = element("tr")
      const dead = last(layer.dead)
      const name = element("th")
      const swatch = element("i", "monitor-swatch")
      if (layer.gradient) swatch.style.background = depth(look, learning.indexOf(layer), learning.length)
      name.append(swatch, `${layer.index} ${layer.type}`)
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
    this.layer.replaceChildren(...offered.map(({ index, type }) => new Option(`${index} ${type}`, String(index))))
    if (!other && offered.some(({ index }) => String(index) === chosen)) this.layer.value = chosen
    this.offer()
  }

  offer() {
    const chosen = this.what.value
    const names = this.kinds[Number(this.layer.value)]
    const ordered = Object.keys(WHAT).filter((name) => names.includes(name))
    this.what.replaceChildren(...ordered.map((name) => new Option(WHAT[name], name)))
    if (ordered.includes(chosen)) this.what.value = chosen
  }

  async histogram() {
    /** @type {Histograms | null} */
    const answer = await this.ask("/histogram", { layer: this.layer.value, what: this.what.value })
    const Plotly = await loadPlotly()
    if (!answer?.steps.length || !this.box.isConnected) return
    const look = theme(this.box)
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
    Plotly.react(this.heat, traces, layout(look, 280, { title: t("step") }, { title: { text: t("value"), font: { size: 14 } } }, { margin: { l: 62, r: 12, t: 12, b: 44 }, hovermode: "closest" }), { ...CONFIG, displayModeBar: false })
  }

  async filters() {
    /** @type {Filters | null} */
    const answer = await this.ask("/filters", { at: this.timeline.at })
    if (!answer?.pixels) return
    const bytes = bytesOf(answer.pixels)
    const [count, ...shape] = answer.shape
    const zoom = Math.max(1, Math.round((shape[2] > 12 ? 62 : 40) / shape[2]))
    const filter = (/** @type {number} */ index) => paint(bytes, index, shape, zoom, { signed: true, label: t("Filter {index}", { index }) })
    this.grid.replaceChildren(...Array.from({ length: count }, (_, index) => filter(index)))
  }

  close() {
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
