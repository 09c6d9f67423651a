// The curves of several runs on one plot, and the controls for what is shown.

import { element, find } from "../shared/dom.js"
import { drawGrowing, layout, loadPlotly, theme } from "../shared/plot.js"
import { smooth } from "../shared/smoothing.js"
import { t } from "../shared/text.js"
import { colourOf, shapeOf } from "./marks.js"

/**
 * @import { Look } from "../shared/plot.js"
 * @import { Curves } from "./documents.js"
 * @import { Axis, Selected, Settings } from "./types.js"
 */

/** @typedef {Selected & { curves: Curves }} Drawn */

const PLACE = { place: "%{x:~g}" } // on the axis, as Plotly writes it
/** @type {Record<Axis, { title: string, choice: string, place: string }>} */
const AXES = {
  epoch: { title: t("epoch"), choice: t("by epoch"), place: t("epoch {place}", PLACE) },
  step: { title: t("step"), choice: t("by step"), place: t("step {place}", PLACE) },
  seconds: { title: t("seconds of training"), choice: t("by second"), place: t("second {place}", PLACE) },
}
const MOST = 0.95 // of the losses lie below the ceiling …
const HIGH = 1.6 // … divided by this

export class Overlay {
  /**
   * @param {HTMLElement} root
   * @param {Settings} view
   * @param {(name: keyof Settings) => void} changed is called with the name of a changed setting
   */
  constructor(root, view, changed) {
    /** @type {HTMLElement} */
    this.plot = find(root, ".comparison-plot")
    /** @type {HTMLElement} */
    this.empty = find(root, ".comparison-empty")
    /** @type {HTMLElement} */
    this.note = find(root, ".comparison-note-of-plot")
    this.view = view
    this.changed = changed
    /** @type {Drawn[] | undefined} those whose curves have come; none before the first `show` */
    this.runs = undefined
    /** @type {Set<string>} the runs whose curves are not drawn */
    this.hidden = new Set()
    this.revision = 0 // of the axes; another one lets go of a zoom
    /** @type {string | null} the run that the pointer is on */
    this.lit = null
    this.log = element("input")
    find(root, ".comparison-tools").replaceChildren(...this.tools())
  }

  tools() {
    const axis = element("pick-one")
    axis.options = Object.entries(AXES).map(([value, { choice }]) => ({ value, title: choice }))
    axis.value = this.view.x
    axis.label = t("Horizontal axis")
    axis.onchange = () => this.set("x", /** @type {Axis} */ (axis.value))
    const slider = element("slide-bar")
    Object.assign(slider, { min: 0, max: 1, step: 0.02, value: this.view.smoothing, label: t("Smoothing") })
    const smoothing = element("span", "comparison-smoothing", t("Smoothing"))
    smoothing.append(slider)
    slider.oninput = () => this.set("smoothing", Number(slider.value))
    this.log.type = "checkbox"
    this.log.checked = this.view.log
    this.log.onchange = () => this.set("log", this.log.checked)
    const log = element("label")
    log.append(this.log, t("Log scale"))
    return [
      this.segments(t("Curve"), "what", [["loss", t("Loss")], ["accuracy", t("Accuracy")]]),
      this.segments(t("Training or test"), "show", [["train", t("Training")], ["test", t("Test")], ["both", t("Both")]]),
      axis, smoothing, log,
    ]
  }

  /**
   * @template {"what" | "show"} Name
   * @param {string} title
   * @param {Name} name
   * @param {[Settings[Name], string][]} choices
   */
  segments(title, name, choices) {
    const group = element("div", "segments")
    group.setAttribute("role", "group")
    group.setAttribute("aria-label", title)
    const buttons = choices.map(([value, text]) => {
      const button = element("button", "", text)
      button.type = "button"
      button.dataset.value = value
      button.onclick = () => { this.set(name, value); mark() }
      return button
    })
    const mark = () => buttons.forEach((button) => button.setAttribute("aria-pressed", String(button.dataset.value === this.view[name])))
    mark()
    group.append(...buttons)
    return group
  }

  /**
   * @template {keyof Settings} Name
   * @param {Name} name
   * @param {Settings[Name]} value
   */
  set(name, value) {
    this.view[name] = value
    this.changed(name)
    this.draw()
  }

  /**
   * @param {Selected[]} runs
   * @param {Record<string, Curves>} curves of the runs, where they have come
   */
  show(runs, curves) {
    this.runs = runs.flatMap((each) => (each.run in curves ? [{ ...each, curves: curves[each.run] }] : []))
    this.empty.hidden = runs.length > 0
    return this.draw()
  }

  async draw() {
    await loadPlotly()
    if (!this.runs || !this.plot.isConnected) return
    this.log.disabled = this.view.what !== "loss"
    const drawn = this.runs.filter(({ run }) => !this.hidden.has(run))
    const look = theme(this.plot)
    const end = endOf(this.runs.map(({ curves }) => curves))
    const traces = drawn.flatMap((each) => this.traces(each, look, end))
    await drawGrowing(this.plot, traces, this.layout(drawn, look, end), (low) => { if (low === undefined) this.whole() })
  }

  /** All of the curves again, after a zoom. */
  whole() {
    this.revision += 1
    this.draw()
  }

  /**
   * @param {Drawn} drawn
   * @param {Look} look
   * @param {number} end of the axis
   */
  traces({ run, name, slot, curves }, look, end) {
    const { x, what, show, smoothing } = this.view
    const colour = colourOf(look, slot)
    const value = { value: what === "accuracy" ? "%{y:.1%}" : "%{y:.4f}" }
    const hover = (/** @type {string} */ text) => `<b>${escaped(name)}</b><br>${text}<br>${AXES[x].place}<extra></extra>`
    const faded = this.lit !== null && this.lit !== run ? 0.2 : 1
    const symbol = shapeOf(slot)
    const { train, test } = curves
    const traces = []
    if (show !== "test") {
      const last = train.x.length - 1
      const thin = show === "both"
      if (smoothing && !thin) traces.push({ x: train.x, y: train.y, mode: "lines", line: { color: colour, width: 1 }, opacity: 0.22 * faded, hoverinfo: "skip" })
      traces.push({
        x: train.x, y: smooth(train, smoothing, end), mode: "lines+markers", hovertemplate: hover(t("training: {value}", value)), opacity: (thin ? 0.6 : 1) * faded,
        line: { color: colour, width: thin ? 1.5 : 2.5 }, marker: { color: colour, symbol, size: train.x.map((_, index) => (index === last && !thin ? 10 : 0)), opacity: 1 },
      })
    }
    if (show !== "train") {
      const size = test.x.length > 60 ? 0 : 8
      traces.push({ x: test.x, y: test.y, mode: "lines+markers", line: { color: colour, width: 2.5, dash: show === "both" ? "dot" : "solid" }, marker: { color: colour, symbol, size }, opacity: faded, hovertemplate: hover(t("test: {value}", value)) })
    }
    return traces
  }

  /**
   * @param {Drawn[]} drawn
   * @param {Look} look
   * @param {number} end of the axis
   */
  layout(drawn, look, end) {
    const { x, what, show } = this.view
    const log = this.view.log && what === "loss"
    const across = { title: AXES[x].title, range: [0, 1.01 * end || 1] }
    const ceiling = what === "loss" && !log ? ceilingOf(drawn.map(({ curves }) => curves), show) : null
    const up = what === "accuracy" ? { range: [0, 1.005], tickformat: ".0%" } : log ? { type: "log", autorange: true, exponentformat: "power" } : ceiling ? { range: [0, ceiling] } : { rangemode: "tozero" }
    const kinds = show === "both" ? t("Thin lines show training, dotted lines show test.") : ""
    const above = ceiling ? t("A few points lie above the plot. “Log scale” shows them.") : ""
    this.note.textContent = `${kinds} ${above}`
    return layout(look, this.plot.clientHeight || 420, across, up, {
      uirevision: `${x} ${what} ${log} ${this.revision}`, // a zoom survives the next refresh
      hovermode: "closest", showlegend: false, margin: { l: 58, r: 12, t: 12, b: 44 },
    })
  }

  /**
   * Show or hide a run's curves.
   * @param {string} run
   */
  toggle(run) {
    if (!this.hidden.delete(run)) this.hidden.add(run)
    return this.draw()
  }

  /** @param {string | null} run */
  light(run) {
    if (this.lit === run) return
    this.lit = run
    this.draw()
  }

  close() {
    if (window.Plotly) window.Plotly.purge(this.plot)
  }
}

/**
 * Where the longest run ends on the axis, or will.
 * @param {Pick<Curves, "end" | "train">[]} all
 */
export const endOf = (all) => Math.max(0, ...all.map(({ end, train }) => Math.max(end ?? 0, train.x.at(-1) ?? 0)))

/**
 * The height of a plot on which a few losses far above all others would press the rest to the ground; null where there are none.
 * @param {Pick<Curves, "train" | "test">[]} all
 * @param {Settings["show"]} show
 */
export function ceilingOf(all, show) {
  const curves = all.flatMap(({ train, test }) => (show === "both" ? [train, test] : show === "train" ? [train] : [test]))
  const values = curves.flatMap(({ y }) => y).filter((value) => value !== null)
  values.sort((one, other) => one - other)
  const most = HIGH * (values[Math.floor(MOST * (values.length - 1))] ?? 0)
  return values.length > 0 && values[values.length - 1] > most ? most : null
}

/** @param {string} text */
const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")
