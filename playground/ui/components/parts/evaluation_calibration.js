// Is the network right as often as it is sure? A bar for each stretch of confidence, beside the diagonal where both would be equal.

import { CONFIG, layout, loadPlotly, theme } from "./plot.js"
import { element } from "./tile.js"

export class Calibration {
  constructor() {
    this.box = element("div", "evaluation-calibration")
    this.told = element("p", "evaluation-told-large")
    this.plot = element("div", "evaluation-plot")
    this.counts = element("div", "evaluation-plot")
    const plots = element("div", "evaluation-plots")
    const figure = (title, plot) => { const box = element("figure"); box.append(element("figcaption", "", title), plot); return box }
    plots.append(figure("How often it is right", this.plot), figure("How often it is that sure", this.counts))
    const hint = "The calibration error is the mean distance of the bars from the diagonal, each weighted by its number of images (expected calibration error, Guo et al. 2017)."
    this.box.append(this.told, plots, element("p", "evaluation-hint", hint))
  }

  take(found) {
    this.found = found
    const { mean_confidence: sure, expected_error: error } = found.calibration
    const percent = (value) => `${(100 * value).toFixed(1)} %`
    const much = Math.abs(sure - found.accuracy) < 0.005 ? "That fits well." : sure > found.accuracy ? "It is surer than it should be." : "It is less sure than it could be."
    this.told.textContent = `On average the network is ${percent(sure)} sure, and right in ${percent(found.accuracy)} of the images. ${much} The calibration error is ${percent(error)}.`
  }

  async show() {
    const Plotly = await loadPlotly()
    if (!this.box.isConnected) return
    const look = theme(this.box)
    const { bins } = this.found.calibration
    const middle = bins.map(({ low, high }) => (low + high) / 2)
    const width = bins.map(({ low, high }) => (high - low) * 0.94)
    const hover = bins.map(({ low, high, count, accuracy, confidence }) => `${Math.round(100 * low)}–${Math.round(100 * high)} % sure: ${count.toLocaleString("en")} images${count ? `<br>on average ${(100 * confidence).toFixed(1)} % sure<br>right in ${(100 * accuracy).toFixed(1)} %` : ""}<extra></extra>`)
    const bars = { type: "bar", x: middle, width, hovertemplate: hover }
    const x = { title: "how sure it is", range: [0, 1], tickformat: ".0%" }
    const diagonal = { x: [0, 1], y: [0, 1], mode: "lines", line: { color: look.text, dash: "dash", width: 1.5 }, hoverinfo: "skip" }
    const options = { showlegend: false, hovermode: "closest", margin: { l: 58, r: 12, t: 12, b: 44 } }
    Plotly.react(this.plot, [{ ...bars, y: bins.map(({ accuracy }) => accuracy), marker: { color: look.colours[0] } }, diagonal], layout(look, 340, x, { range: [0, 1.02], tickformat: ".0%" }, options), { ...CONFIG, displayModeBar: false })
    Plotly.react(this.counts, [{ ...bars, y: bins.map(({ count }) => count), marker: { color: look.colours[1] } }], layout(look, 340, x, { type: "log", exponentformat: "power", dtick: 1, title: { text: "images", font: { size: 14 } } }, options), { ...CONFIG, displayModeBar: false })
  }

  close() {
    if (window.Plotly) [this.plot, this.counts].forEach((plot) => window.Plotly.purge(plot))
  }
}
