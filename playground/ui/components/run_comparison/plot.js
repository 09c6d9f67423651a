// The curves of several runs on one plot, and the controls for what is shown.

import { element } from "../shared/dom.js"
import { drawGrowing, layout, loadPlotly, theme } from "../shared/plot.js"
import { smooth } from "../shared/smoothing.js"
import { colourOf, shapeOf } from "./marks.js"

const AXES = { epoch: "epoch", step: "step", seconds: "seconds of training" }
const MOST = 0.95 // of the losses lie below the ceiling …
const HIGH = 1.6 // … divided by this

export class Overlay {
  // `view` holds what is shown and how; `changed` is called with the names of the changed settings.
  constructor(root, view, changed) {
    this.plot = root.querySelector(".comparison-plot")
    this.empty = root.querySelector(".comparison-empty")
    this.note = root.querySelector(".comparison-note-of-plot")
    this.view = view
    this.changed = changed
    this.hidden = new Set()
    this.revision = 0 // of the axes; another one lets go of a zoom
    this.lit = null
    root.querySelector(".comparison-tools").replaceChildren(...this.tools())
  }

  tools() {
    const axis = element("select")
    axis.append(...Object.keys(AXES).map((name) => new Option(`by ${name === "seconds" ? "second" : name}`, name)))
    axis.value = this.view.x
    axis.setAttribute("aria-label", "Horizontal axis")
    axis.onchange = () => this.set("x", axis.value)
    const slider = element("input")
    Object.assign(slider, { type: "range", min: 0, max: 1, step: 0.02, value: this.view.smoothing })
    slider.oninput = () => this.set("smoothing", Number(slider.value))
    this.log = element("input")
    this.log.type = "checkbox"
    this.log.checked = this.view.log
    this.log.onchange = () => this.set("log", this.log.checked)
    const label = (...parts) => { const made = element("label"); made.append(...parts); return made }
    return [
      this.segments("Curve", "what", { loss: "Loss", accuracy: "Accuracy" }),
      this.segments("Of", "show", { train: "Training", test: "Test", both: "Both" }),
      axis, label("Smoothing", slider), label(this.log, "Log scale"),
    ]
  }

  segments(title, name, choices) {
    const group = element("div", "comparison-segments")
    group.setAttribute("role", "group")
    group.setAttribute("aria-label", title)
    const mark = () => group.childNodes.forEach((button) => button.setAttribute("aria-pressed", String(button.dataset.value === this.view[name])))
    for (const [value, text] of Object.entries(choices)) {
      const button = element("button", "", text)
      button.type = "button"
      button.dataset.value = value
      button.onclick = () => { this.set(name, value); mark() }
      group.append(button)
    }
    mark()
    return group
  }

  set(name, value) {
    this.view[name] = value
    this.changed(name)
    this.draw()
  }

  // `runs`: of each its `run`, `name`, `slot` and `curves`, where those have come.
  show(runs) {
    this.runs = runs
    return this.draw()
  }

  async draw() {
    await loadPlotly()
    if (!this.runs || !this.plot.isConnected) return
    this.log.disabled = this.view.what !== "loss"
    this.empty.hidden = this.runs.length > 0
    const drawn = this.runs.filter(({ curves, run }) => curves && !this.hidden.has(run))
    const look = theme(this.plot)
    const layout = this.layout(look)
    await drawGrowing(this.plot, drawn.flatMap((each) => this.traces(each, look)), layout, (low) => { if (low === undefined) this.whole() })
  }

  // All of the curves again, after a zoom.
  whole() {
    this.revision += 1
    this.draw()
  }

  traces({ run, name, slot, curves }, look) {
    const { what, show, smoothing } = this.view
    const colour = colourOf(look, slot)
    const format = what === "accuracy" ? "%{y:.1%}" : "%{y:.4f}"
    const hover = (kind) => `<b>${escaped(name)}</b><br>${kind}: ${format}<br>${this.view.x === "seconds" ? "second" : this.view.x} %{x:~g}<extra></extra>`
    const faded = this.lit !== null && this.lit !== run ? 0.2 : 1
    const symbol = shapeOf(slot)
    const { train, test } = curves
    const traces = []
    if (show !== "test") {
      const last = train.x.length - 1
      const thin = show === "both"
      if (smoothing && !thin) traces.push({ x: train.x, y: train.y, mode: "lines", line: { color: colour, width: 1 }, opacity: 0.22 * faded, hoverinfo: "skip" })
      traces.push({
        x: train.x, y: smooth(train, smoothing, this.end()), mode: "lines+markers", hovertemplate: hover("training"), opacity: (thin ? 0.6 : 1) * faded,
        line: { color: colour, width: thin ? 1.5 : 2.5 }, marker: { color: colour, symbol, size: train.x.map((_, index) => (index === last && !thin ? 10 : 0)), opacity: 1 },
      })
    }
    if (show !== "train") {
      const size = test.x.length > 60 ? 0 : 8
      traces.push({ x: test.x, y: test.y, mode: "lines+markers", line: { color: colour, width: 2.5, dash: show === "both" ? "dot" : "solid" }, marker: { color: colour, symbol, size }, opacity: faded, hovertemplate: hover("test") })
    }
    return traces
  }

  // Where the longest run ends on the axis, or will.
  end() {
    const ends = this.runs.filter(({ curves }) => curves).map(({ curves }) => Math.max(curves.end ?? 0, curves.train.x.at(-1) ?? 0))
    return Math.max(0, ...ends)
  }

  // The height of a plot on which a few losses far above all others would press the rest to the ground; null where there are none.
  ceiling() {
    const { show } = this.view
    const kinds = show === "both" ? ["train", "test"] : [show]
    const values = this.runs.filter(({ curves, run }) => curves && !this.hidden.has(run)).flatMap(({ curves }) => kinds.flatMap((kind) => curves[kind].y)).filter((value) => value !== null)
    values.sort((one, other) => one - other)
    const most = HIGH * (values[Math.floor(MOST * (values.length - 1))] ?? 0)
    return values.length && values.at(-1) > most ? most : null
  }

  layout(look) {
    const { x, what, show } = this.view
    const log = this.view.log && what === "loss"
    const across = { title: AXES[x], range: [0, 1.01 * this.end() || 1] }
    const ceiling = what === "loss" && !log ? this.ceiling() : null
    const up = what === "accuracy" ? { range: [0, 1.005], tickformat: ".0%" } : log ? { type: "log", autorange: true, exponentformat: "power" } : ceiling ? { range: [0, ceiling] } : { rangemode: "tozero" }
    const notes = [show === "both" ? "Thin lines show training, dotted lines show test." : "", ceiling ? "A few points lie above the plot. “Log scale” shows them." : ""]
    this.note.textContent = notes.join(" ")
    return layout(look, this.plot.clientHeight || 420, across, up, {
      uirevision: `${x} ${what} ${log} ${this.revision}`, // a zoom survives the next refresh
      hovermode: "closest", showlegend: false, margin: { l: 58, r: 12, t: 12, b: 44 },
    })
  }

  // Show or hide a run's curves.
  toggle(run) {
    if (!this.hidden.delete(run)) this.hidden.add(run)
    return this.draw()
  }

  light(run) {
    if (this.lit === run) return
    this.lit = run
    this.draw()
  }

  close() {
    if (window.Plotly) window.Plotly.purge(this.plot)
  }
}

const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")
