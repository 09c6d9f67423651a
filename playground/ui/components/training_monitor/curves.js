// The curves of a run: loss, accuracy and learning rate, by step, epoch or second.

import { element } from "../shared/dom.js"
import { drawGrowing, layout, loadPlotly, theme } from "../shared/plot.js"
import { SMOOTHING, smooth } from "../shared/smoothing.js"
import { t } from "../shared/text.js"
import { endOf, placeOf, places, stepAt } from "./axis.js"

/**
 * @import { Look } from "../shared/plot.js"
 * @import { Axis } from "./axis.js"
 * @import { LiveRun } from "./documents.js"
 * @import { Mark } from "./types.js"
 */

/** @typedef {"loss" | "accuracy" | "rate"} PlotName */

/** @type {Record<Axis, { title: string, choice: string }>} */
const AXES = {
  epoch: { title: t("epoch"), choice: t("by epoch") },
  step: { title: t("step"), choice: t("by step") },
  seconds: { title: t("seconds of training"), choice: t("by second") },
}
/** @type {[PlotName, string][]} */
const PLOTS = [["loss", t("Loss")], ["accuracy", t("Accuracy")], ["rate", t("Learning rate")]]
const TRAINING = t("training")
const TEST = t("test")

export class Curves {
  /** @param {() => void} again called when other steps are needed */
  constructor(again) {
    this.again = again
    /** @type {Axis} */
    this.axis = "epoch"
    this.smoothing = SMOOTHING
    this.logarithmic = false
    /** @type {[number, number] | null} the visible part of the axis, if not all of it … */
    this.range = null
    /** @type {[number, number] | null} … and the steps that lie there */
    this.window = null
    this.revision = 0
    this.run = ""
    /** @type {LiveRun | null} */
    this.shown = null
    /** @type {Mark[]} */
    this.marks = []
    /** @type {Map<PlotName, HTMLElement>} */
    this.plots = new Map()
    this.box = element("div", "monitor-curves")
    this.box.append(this.tools(), this.figures())
  }

  tools() {
    const tools = element("div", "monitor-tools")
    const axis = element("select")
    axis.append(...Object.entries(AXES).map(([name, { choice }]) => new Option(choice, name)))
    axis.setAttribute("aria-label", t("Horizontal axis"))
    axis.onchange = () => { this.axis = /** @type {Axis} */ (axis.value); this.whole(); this.draw() }
    const slider = element("input")
    Object.assign(slider, { type: "range", min: 0, max: 1, step: 0.02, value: this.smoothing })
    slider.setAttribute("aria-label", t("Smoothing"))
    slider.oninput = () => { this.smoothing = Number(slider.value); this.draw() }
    const smoothing = element("label")
    smoothing.append(t("Smoothing"), slider)
    const scale = element("input")
    scale.type = "checkbox"
    scale.onchange = () => { this.logarithmic = scale.checked; this.draw() }
    const log = element("label")
    log.append(scale, t("Log scale"))
    tools.append(axis, smoothing, log)
    return tools
  }

  figures() {
    const plots = element("div", "monitor-plots")
    for (const [name, title] of PLOTS) {
      const figure = element("figure", `monitor-figure-${name}`)
      const plot = element("div", "monitor-plot")
      plot.dataset.plot = name
      figure.append(element("figcaption", "", title), plot)
      this.plots.set(name, plot)
      plots.append(figure)
    }
    return plots
  }

  // All steps again, as at first.
  whole() {
    const zoomed = this.window !== null
    this.forget()
    if (zoomed) this.again()
  }

  forget() {
    this.range = this.window = null
    this.revision++
  }

  /**
   * @param {string} run
   * @param {LiveRun} shown
   * @param {Mark[]} marks
   */
  show(run, shown, marks) {
    if (this.run !== run) this.forget()
    this.run = run
    this.shown = shown
    this.marks = marks
    this.draw()
  }

  async draw() {
    await loadPlotly()
    const look = theme(this.box)
    for (const [name, plot] of this.plots) {
      const { shown } = this
      if (!shown || !this.box.isConnected) return
      await drawGrowing(plot, this.traces(name, look, shown), this.layout(name, look, shown), (low, high) => this.zoomed(low, high))
    }
  }

  /**
   * @param {PlotName} name
   * @param {Look} look
   * @param {LiveRun} shown
   */
  traces(name, look, shown) {
    const { batches, tests, per_epoch: each } = shown
    const [train, test] = look.colours
    const x = places(this.axis, batches, each)
    if (name === "rate") return [{ x, y: batches.learning_rate ?? [], mode: "lines", line: { color: train, width: 2, shape: "hv" }, hovertemplate: "%{y:.3g}<extra></extra>", showlegend: false }]
    const [low, high] = name === "loss" ? [batches.loss_low, batches.loss_high] : [batches.accuracy_low, batches.accuracy_high]
    const format = name === "accuracy" ? "%{y:.1%}" : "%{y:.4f}"
    const band = { mode: "lines", line: { width: 0 }, hoverinfo: "skip", showlegend: false }
    const marker = { size: tests.step.length > 40 ? 0 : 7 }
    return [
      { ...band, x, y: low ?? [] },
      { ...band, x, y: high ?? [], fill: "tonexty", fillcolor: faint(train) },
      { x, y: smooth({ x, y: batches[name] ?? [] }, this.smoothing, endOf(this.axis, shown)), name: TRAINING, mode: "lines", line: { color: train, width: 2.5 }, hovertemplate: `${format}<extra>${TRAINING}</extra>` },
      { x: places(this.axis, tests, each), y: tests[name], name: TEST, mode: "lines+markers", line: { color: test, width: 2.5, dash: "dot" }, marker, hovertemplate: `${format}<extra>${TEST}</extra>` },
    ]
  }

  /**
   * @param {PlotName} name
   * @param {Look} look
   * @param {LiveRun} shown
   */
  layout(name, look, shown) {
    const revision = `${this.run} ${this.axis} ${this.revision}`
    const x = { title: name === "rate" ? "" : AXES[this.axis].title, range: this.range ?? [0, endOf(this.axis, shown)], uirevision: `${revision} ${this.range}` }
    const log = this.logarithmic && name !== "accuracy"
    const y = name === "accuracy" ? { range: [0, 1.005], tickformat: ".0%" } : log ? { type: "log", autorange: true, exponentformat: "power", nticks: 6 } : { rangemode: "tozero", tickformat: name === "rate" ? "~g" : undefined }
    const marks = this.marks.map(({ step, text, kind }) => ({ at: placeOf(this.axis, step, shown), text, kind })).filter(({ at }) => at !== null)
    return layout(look, name === "rate" ? 150 : 320, x, y, {
      uirevision: `${revision} ${log}`, // a zoom of the vertical axis survives the next refresh
      margin: { l: 58, r: 12, t: name === "rate" ? 22 : 34, b: name === "rate" ? 28 : 44 },
      shapes: marks.map(({ at, kind }) => ({ type: "line", x0: at, x1: at, yref: "paper", y0: 0, y1: 1, line: { color: kind === "coach" ? look.colours[5] : look.text, width: 1.5, dash: kind === "fork" ? "solid" : "dash" } })),
      annotations: name === "rate" ? [] : marks.map(({ at, text }, index) => ({ x: at, xref: "x", yref: "paper", y: 0.99 - 0.09 * (index % 4), text, showarrow: false, xanchor: "left", xshift: 4, font: { size: 13 }, bgcolor: look.page, opacity: 0.9 })),
    })
  }

  /**
   * One plot was zoomed: the others follow, and the visible steps are fetched at a finer resolution.
   * @param {number} [low]
   * @param {number} [high]
   */
  zoomed(low, high) {
    if (low === undefined || high === undefined) this.whole()
    else if (this.shown) {
      this.range = [low, high]
      this.window = [Math.floor(stepAt(this.axis, low, this.shown)), Math.ceil(stepAt(this.axis, high, this.shown))]
      this.again()
    }
    this.draw()
  }

  close() {
    for (const plot of this.plots.values()) window.Plotly?.purge(plot)
  }
}

/** @param {string} colour */
const faint = (colour) => `${colour}2b` // one sixth of it
