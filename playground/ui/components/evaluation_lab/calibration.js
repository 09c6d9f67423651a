// Calibration: the accuracy for each range of confidence, beside the diagonal on which both would be equal.

import { element } from "../shared/dom.js"
import { grouped, percent } from "../shared/format.js"
import { CONFIG, layout, loadPlotly, theme } from "../shared/plot.js"
import { draw } from "../shared/templates.js"
import { marked } from "../shared/term.js"
import { plural, t } from "../shared/text.js"

/** @import { Bin, Summary } from "./documents.js" */

const WELL_CALIBRATED = 0.005 // most difference between mean confidence and accuracy
const TICKS = [0, 0.2, 0.4, 0.6, 0.8, 1]
const COUNTS = [1, 3, 10, 30, 100, 300, 1000, 3000, 10000]
const LEAST = Math.log10(0.7) // so that a bar of one image is seen
const MARGIN = { l: 52, r: 16, t: 12, b: 44 }

export class Calibration {
  constructor() {
    /** @type {Summary | null} */
    this.evaluation = null
    this.box = element("div", "evaluation-calibration")
    this.summary = element("p", "evaluation-summary")
    this.plot = element("div", "evaluation-plot")
    this.counts = element("div", "evaluation-plot")
    const plots = element("div", "evaluation-plots")
    /** @type {(title: string, plot: HTMLElement) => HTMLElement} */
    const figure = (title, plot) => { const box = element("figure"); box.append(element("figcaption", "", title), plot); return box }
    plots.append(figure(t("Accuracy by confidence"), this.plot), figure(t("Test images by confidence"), this.counts))
    const hint = element("p", "evaluation-hint", t("The expected calibration error is the mean distance of the bars from the diagonal, each weighted by its number of images (Guo et al., 2017)."))
    this.box.append(this.summary, plots, hint)
  }

  /** @param {Summary} evaluation */
  take(evaluation) {
    this.evaluation = evaluation
    const { mean_confidence: confidence, expected_error: error } = evaluation.calibration
    const values = t("The mean [[confidence]] is {confidence}, the [[accuracy]] {accuracy}, the [[expected calibration error]] {error}.", {
      confidence: percent(confidence), accuracy: percent(evaluation.accuracy), error: percent(error),
    })
    draw(this.summary, marked(`${values} ${verdict(confidence, evaluation.accuracy)}`))
  }

  async show() {
    const Plotly = await loadPlotly()
    if (!this.evaluation || !this.box.isConnected) return
    const look = theme(this.box)
    const { bins } = this.evaluation.calibration
    const middle = bins.map(({ low, high }) => (low + high) / 2)
    const width = bins.map(({ low, high }) => (high - low) * 0.94)
    const bars = { type: "bar", x: middle, width, hovertemplate: bins.map((bin) => `${inWords(bin).join("<br>")}<extra></extra>`) }
    const shares = { tickvals: TICKS, ticktext: TICKS.map((share) => percent(share, 0)) }
    const x = { title: t("confidence"), range: [0, 1], fixedrange: true, ...shares }
    const diagonal = { x: [0, 1], y: [0, 1], mode: "lines", line: { color: look.text, dash: "dash", width: 1.5 * look.zoom }, hoverinfo: "skip" }
    const margin = Object.fromEntries(Object.entries(MARGIN).map(([side, size]) => [side, size * look.zoom]))
    /** @type {(plot: HTMLElement, traces: object[], y: object) => void} */
    const plot = (box, traces, y) => Plotly.react(box, traces, layout(look, box.clientHeight, x, { fixedrange: true, ...y }, { showlegend: false, hovermode: "closest", margin }), { ...CONFIG, displayModeBar: false })
    plot(this.plot, [{ ...bars, y: bins.map(({ accuracy }) => accuracy), marker: { color: look.test } }, diagonal], { range: [0, 1.02], ...shares })
    plot(this.counts, [{ ...bars, y: bins.map(({ count }) => count), marker: { color: look.soft } }], { type: "log", range: [LEAST, Math.log10(1.3 * Math.max(...bins.map(({ count }) => count)))], tickvals: COUNTS, ticktext: COUNTS.map(grouped) })
  }

  close() {
    for (const plot of [this.plot, this.counts]) window.Plotly?.purge(plot)
  }
}

/**
 * What the bar of a bin stands for, in lines.
 * @param {Bin} bin
 */
export function inWords({ low, high, count, accuracy, confidence }) {
  const range = `${Math.round(100 * low)}–${percent(high, 0)}`
  const images = plural("Confidence {range}: {n} image", "Confidence {range}: {n} images", count, { range, n: grouped(count) })
  if (!count) return [images]
  return [images, t("mean confidence {confidence}", { confidence: percent(confidence) }), t("accuracy {accuracy}", { accuracy: percent(accuracy) })]
}

/**
 * @param {number} confidence the mean of all predictions
 * @param {number} accuracy
 */
export function verdict(confidence, accuracy) {
  const gap = confidence - accuracy
  if (Math.abs(gap) < WELL_CALIBRATED) return t("The network is well [[calibrated|calibration]].")
  return gap > 0 ? t("The network is [[overconfident]].") : t("The network is underconfident.")
}
