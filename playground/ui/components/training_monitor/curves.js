// The curves of a run: loss, accuracy and learning rate, by step, epoch or second.

import "../shared/controls.js"
import { drawLines } from "../shared/chart.js"
import { button, element } from "../shared/dom.js"
import { placeBeside } from "../shared/placing.js"
import { theme } from "../shared/plot.js"
import { SMOOTHING, smooth } from "../shared/smoothing.js"
import { t } from "../shared/text.js"
import { endOf, placeOf, places, stepAt } from "./axis.js"

/**
 * @import { Line } from "../shared/chart.js"
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
const TRAINING = t("training")
const TEST = t("test")
const MANY = 40 // test points whose dots would hide the line

export class Curves {
  /**
   * @param {Record<PlotName, HTMLElement>} plots
   * @param {HTMLButtonElement} opener opens the choice of axes
   * @param {() => void} again called when other steps are needed
   */
  constructor(plots, opener, again) {
    this.plots = plots
    this.again = again
    /** @type {Axis} */
    this.chosen = "epoch"
    this.smoothing = SMOOTHING
    this.logarithmic = false
    /** @type {[number, number] | null} the visible part of the axis, if not all of it … */
    this.range = null
    /** @type {[number, number] | null} … and the steps that lie there */
    this.window = null
    /** @type {LiveRun | null} */
    this.shown = null
    /** @type {Mark[]} */
    this.marks = []
    /** @type {number | null} the step to which the learner went back */
    this.at = null
    this.back = button(t("Show all"), () => this.zoomed(), { name: "monitor-small monitor-back", label: t("Show the whole curves again") })
    this.back.hidden = true
    opener.before(this.back)
    this.choices = this.axes()
    opener.after(this.choices)
    opener.onclick = () => { this.choices.togglePopover(); placeBeside(this.choices, opener) }
    this.observer = new ResizeObserver(() => this.draw())
    for (const plot of Object.values(plots)) this.observer.observe(plot)
  }

  /** The axis that is shown: of a fork that waits, it is not known yet how many steps an epoch has. */
  get axis() {
    const { chosen, shown } = this
    return chosen === "epoch" && shown?.batches.step?.length && !shown.per_epoch ? "step" : chosen
  }

  // What can be chosen about the axes, in a box above the page.
  axes() {
    const box = element("div", "monitor-popover")
    box.popover = "auto"
    const axis = element("pick-one")
    axis.label = t("Horizontal axis")
    axis.options = Object.entries(AXES).map(([value, { choice }]) => ({ value, title: choice }))
    axis.value = this.chosen
    axis.onchange = () => { this.chosen = /** @type {Axis} */ (axis.value); this.zoomed() }
    const slider = element("slide-bar")
    for (const [name, value] of Object.entries({ min: 0, max: 1, step: 0.02, value: this.smoothing, label: t("Smoothing") })) slider.setAttribute(name, String(value))
    slider.oninput = () => { this.smoothing = slider.value; this.draw() }
    const smoothing = element("label", "", t("Smoothing"))
    smoothing.append(slider)
    const scale = element("input")
    scale.type = "checkbox"
    scale.onchange = () => { this.logarithmic = scale.checked; this.draw() }
    const log = element("label")
    log.append(scale, t("Log scale"))
    box.append(axis, smoothing, log)
    return box
  }

  /** Another run begins: all of its steps are shown. */
  clear() {
    this.range = this.window = this.shown = null
  }

  /**
   * @param {LiveRun} shown
   * @param {Mark[]} marks
   */
  show(shown, marks) {
    this.shown = shown
    this.marks = marks
    this.draw()
  }

  /** @param {number | null} at a step, up to which the curves are shown as if it were now */
  rewind(at) {
    this.at = at
    this.draw()
  }

  async draw() {
    const { shown } = this
    if (!shown) return
    this.back.hidden = !this.range
    const look = theme(this.plots.loss)
    const veil = (this.at === null ? null : placeOf(this.axis, this.at, shown)) ?? undefined
    for (const [name, plot] of /** @type {[PlotName, HTMLElement][]} */ (Object.entries(this.plots))) {
      await drawLines(plot, {
        lines: this.lines(name, look, shown), veil,
        x: { title: AXES[this.axis].title, range: this.range ?? [0, endOf(this.axis, shown)], zoomed: this.range !== null },
        y: { share: name === "accuracy", log: this.logarithmic && name !== "accuracy" },
        marks: name === "rate" ? [] : this.marked(look, shown, name === "loss"),
        zoomed: (low, high) => this.zoomed(low, high),
      }, look)
    }
  }

  /**
   * @param {PlotName} name
   * @param {Look} look
   * @param {LiveRun} shown
   * @returns {Line[]}
   */
  lines(name, look, shown) {
    const { batches, tests, per_epoch: each } = shown
    const x = places(this.axis, batches, each)
    if (name === "rate") return [{ name: "", x, y: batches.learning_rate ?? [], colour: look.soft, shape: "hv", dot: true }]
    const [low, high] = name === "loss" ? [batches.loss_low, batches.loss_high] : [batches.accuracy_low, batches.accuracy_high]
    const cuts = shown.changes.map(({ step }) => placeOf(this.axis, step, shown) ?? Infinity)
    const band = low && high ? { low, high } : undefined
    const marker = tests.step.length > MANY ? undefined : { size: 7 * look.zoom }
    return [
      { name: TRAINING, x, y: smooth({ x, y: batches[name] ?? [] }, this.smoothing, endOf(this.axis, shown), cuts), colour: look.training, band, dot: true },
      { name: TEST, x: places(this.axis, tests, each), y: tests[name], colour: look.test, ink: look["test-ink"], dash: "dot", marker },
    ]
  }

  /**
   * @param {Look} look
   * @param {LiveRun} shown
   * @param {boolean} named
   */
  marked(look, shown, named) {
    return this.marks.flatMap(({ step, text, kind }) => {
      const at = placeOf(this.axis, step, shown)
      return at === null ? [] : [{ at, text: named ? text : "", colour: kind === "coach" ? look.wrong : undefined, dash: kind === "fork" ? "solid" : "dash" }]
    })
  }

  /**
   * One plot was zoomed: the others follow, and the visible steps are fetched at a finer resolution. Without numbers, all of them are shown again.
   * @param {number} [low]
   * @param {number} [high]
   */
  zoomed(low, high) {
    const hadWindow = this.window !== null
    if (low === undefined || high === undefined || !this.shown) this.range = this.window = null
    else {
      this.range = [low, high]
      this.window = [Math.floor(stepAt(this.axis, low, this.shown)), Math.ceil(stepAt(this.axis, high, this.shown))]
    }
    this.draw()
    if (this.window || hadWindow) this.again()
  }

  close() {
    this.observer.disconnect()
    for (const plot of Object.values(this.plots)) window.Plotly?.purge(plot)
  }
}
