// The curves of a run: loss, accuracy and learning rate, by step, epoch or second.

import { element } from "../shared/dom.js"
import { drawGrowing, layout, loadPlotly, theme } from "../shared/plot.js"
import { SMOOTHING, smooth } from "../shared/smoothing.js"

const AXES = { epoch: "epoch", step: "step", seconds: "seconds of training" }
const PLOTS = { loss: "Loss", accuracy: "Accuracy", rate: "Learning rate" }

export class Curves {
  // `again` is called when other steps are needed.
  constructor(again) {
    this.again = again
    this.axis = "epoch"
    this.smoothing = SMOOTHING
    this.logarithmic = false
    this.range = null // the visible part of the axis, if not all of it …
    this.window = null // … and the steps that lie there
    this.box = element("div", "monitor-curves")
    this.box.append(this.tools(), this.figures())
  }

  tools() {
    const tools = element("div", "monitor-tools")
    const axis = element("select")
    axis.append(...Object.keys(AXES).map((name) => new Option(`by ${name === "seconds" ? "second" : name}`, name)))
    axis.setAttribute("aria-label", "Horizontal axis")
    axis.onchange = () => { this.axis = axis.value; this.whole(); this.draw() }
    const slider = element("input")
    Object.assign(slider, { type: "range", min: 0, max: 1, step: 0.02, value: this.smoothing })
    slider.setAttribute("aria-label", "Smoothing")
    slider.oninput = () => { this.smoothing = Number(slider.value); this.draw() }
    const scale = element("input")
    scale.type = "checkbox"
    scale.onchange = () => { this.logarithmic = scale.checked; this.draw() }
    const labelled = (text, input) => { const label = element("label"); label.append(text, input); return label }
    const log = element("label")
    log.append(scale, "Log scale")
    tools.append(axis, labelled("Smoothing", slider), log)
    return tools
  }

  figures() {
    const plots = element("div", "monitor-plots")
    this.plots = {}
    for (const [name, title] of Object.entries(PLOTS)) {
      const figure = element("figure", `monitor-figure-${name}`)
      const plot = element("div", "monitor-plot")
      plot.dataset.plot = name
      figure.append(element("figcaption", "", title), plot)
      this.plots[name] = plot
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
    this.revision = (this.revision ?? 0) + 1
  }

  show(run, shown, marks) {
    if (this.run !== run) this.forget()
    Object.assign(this, { run, shown, marks })
    this.draw()
  }

  async draw() {
    await loadPlotly()
    const { shown } = this
    if (!shown || !this.box.isConnected) return
    const look = theme(this.box)
    for (const [name, plot] of Object.entries(this.plots)) {
      await drawGrowing(plot, this.traces(name, look), this.layout(name, look), (...range) => this.zoomed(...range))
    }
  }

  // The places of steps on the axis.
  places({ step = [], seconds = [] }) {
    const each = this.shown.per_epoch || 1
    return this.axis === "seconds" ? seconds : this.axis === "step" ? step : step.map((value) => value / each)
  }

  traces(name, look) {
    const { batches, tests } = this.shown
    const [train, test] = look.colours
    const x = this.places(batches)
    if (name === "rate") return [{ x, y: batches.learning_rate ?? [], mode: "lines", line: { color: train, width: 2, shape: "hv" }, hovertemplate: "%{y:.3g}<extra></extra>", showlegend: false }]
    const format = name === "accuracy" ? "%{y:.1%}" : "%{y:.4f}"
    const band = { mode: "lines", line: { width: 0 }, hoverinfo: "skip", showlegend: false }
    const marker = { size: tests.step.length > 40 ? 0 : 7 }
    return [
      { ...band, x, y: batches[`${name}_low`] ?? [] },
      { ...band, x, y: batches[`${name}_high`] ?? [], fill: "tonexty", fillcolor: faint(train) },
      { x, y: smooth({ x, y: batches[name] ?? [] }, this.smoothing, this.end()), name: "training", mode: "lines", line: { color: train, width: 2.5 }, hovertemplate: `${format}<extra>training</extra>` },
      { x: this.places(tests), y: tests[name], name: "test", mode: "lines+markers", line: { color: test, width: 2.5, dash: "dot" }, marker, hovertemplate: `${format}<extra>test</extra>` },
    ]
  }

  layout(name, look) {
    const revision = `${this.run} ${this.axis} ${this.revision}`
    const x = { title: name === "rate" ? "" : AXES[this.axis], range: this.range ?? [0, this.end()], uirevision: `${revision} ${this.range}` }
    const log = this.logarithmic && name !== "accuracy"
    const y = name === "accuracy" ? { range: [0, 1.005], tickformat: ".0%" } : log ? { type: "log", autorange: true, exponentformat: "power", nticks: 6 } : { rangemode: "tozero", tickformat: name === "rate" ? "~g" : undefined }
    const marks = this.marks.map(({ step, text, kind }) => ({ at: this.place(step), text, kind })).filter(({ at }) => at !== null)
    return layout(look, name === "rate" ? 150 : 320, x, y, {
      uirevision: `${revision} ${log}`, // a zoom of the vertical axis survives the next refresh
      margin: { l: 58, r: 12, t: name === "rate" ? 22 : 34, b: name === "rate" ? 28 : 44 },
      shapes: marks.map(({ at, kind }) => ({ type: "line", x0: at, x1: at, yref: "paper", y0: 0, y1: 1, line: { color: kind === "coach" ? look.colours[5] : look.text, width: 1.5, dash: kind === "fork" ? "solid" : "dash" } })),
      annotations: name === "rate" ? [] : marks.map(({ at, text }, index) => ({ x: at, xref: "x", yref: "paper", y: 0.99 - 0.09 * (index % 4), text, showarrow: false, xanchor: "left", xshift: 4, font: { size: 13 }, bgcolor: look.page, opacity: 0.9 })),
    })
  }

  // Where the run ends on the axis.
  end() {
    const { total_steps: steps, per_epoch: each, seconds, seconds_left: left } = this.shown
    return Math.max({ epoch: steps / (each || 1), step: steps, seconds: seconds + (left ?? 0) }[this.axis], 0.01)
  }

  // Where a step lies on the axis; null where that is not known yet.
  place(step) {
    if (this.axis === "step") return step
    if (this.axis === "epoch") return step / (this.shown.per_epoch || 1)
    const { batches } = this.shown
    const index = (batches.step ?? []).findIndex((value) => value >= step)
    return index < 0 ? null : batches.seconds[index]
  }

  // The steps that lie around a place of the axis.
  stepAt(place) {
    if (this.axis === "step") return place
    if (this.axis === "epoch") return place * (this.shown.per_epoch || 1)
    const { seconds = [], step = [] } = this.shown.batches
    const index = seconds.findIndex((value) => value >= place)
    return index < 0 ? (step.at(-1) ?? 0) : step[index]
  }

  // One plot was zoomed: the others follow, and the visible steps are fetched at a finer resolution.
  zoomed(low, high) {
    if (low === undefined) this.whole()
    else {
      this.range = [low, high]
      this.window = [Math.floor(this.stepAt(low)), Math.ceil(this.stepAt(high))]
      this.again()
    }
    this.draw()
  }

  close() {
    if (window.Plotly) Object.values(this.plots).forEach((plot) => window.Plotly.purge(plot))
  }
}

const faint = (colour) => `${colour}2b` // one sixth of it
