// The curves of several runs on one plot, and the controls for what is shown.

import { drawLines } from "../shared/chart.js"
import { element, find } from "../shared/dom.js"
import { shortened } from "../shared/format.js"
import { colourOf, shapeOf } from "../shared/palette.js"
import { theme } from "../shared/plot.js"
import { smooth } from "../shared/smoothing.js"
import { t } from "../shared/text.js"
import { isActive } from "./marks.js"

/**
 * @import { Line } from "../shared/chart.js"
 * @import { Look } from "../shared/plot.js"
 * @import { Curve, Curves } from "./documents.js"
 * @import { Axis, Selected, Settings } from "./types.js"
 */

/** @typedef {Selected & { curves: Curves }} Drawn */

/** @type {Record<Axis, { title: string, choice: string }>} */
const AXES = {
  epoch: { title: t("epoch"), choice: t("by epoch") },
  step: { title: t("step"), choice: t("by step") },
  seconds: { title: t("seconds of training"), choice: t("by second") },
}
const MOST = 0.95 // of the losses lie below the ceiling …
const HIGH = 1.6 // … divided by this
const MANY = 60 // test points whose marks would hide the line
const NAMED = 8 // lines, at most: the names of more would cover the plot
const LETTERS = 24 // of a name at the end of a line, at most …
const FEWEST = 8 // … and on a narrow page at least
const LETTER = 7.5 // pixels
const BESIDE = 16 // pixels around a name: chart.js puts one without them on the other side of its line
const MOST_ROOM = 0.25 // of the plot, for names

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
    this.moment = Infinity
    /** @type {[number, number] | null} the visible part of the axis, if not all of it */
    this.range = null
    /** @type {string | null} the run that the pointer is on */
    this.lit = null
    this.log = element("input")
    find(root, ".comparison-tools").replaceChildren(...this.tools())
    this.observer = new ResizeObserver(() => this.draw())
    this.observer.observe(this.plot)
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
      this.segments(t("Curve"), "what", [["accuracy", t("Accuracy")], ["loss", t("Loss")]]),
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
    if (name === "x") this.range = null
    this.changed(name)
    this.draw()
  }

  /**
   * @param {Selected[]} runs
   * @param {Record<string, Curves>} curves of the runs, where they have come
   * @param {number} moment the place on the axis up to which they are shown
   * @param {Settings} view
   */
  show(runs, curves, moment, view) {
    this.view = view
    this.runs = runs.flatMap((each) => (each.run in curves ? [{ ...each, curves: curves[each.run] }] : []))
    this.moment = moment
    this.empty.textContent = explanation(runs, nowOf(this.runs.map(({ curves: curve }) => curve)))
    return this.draw()
  }

  async draw() {
    const { runs, view } = this
    if (!runs) return
    this.log.disabled = view.what !== "loss"
    const look = theme(this.plot)
    const all = runs.map(({ curves }) => curves)
    const end = endOf(all)
    const log = view.log && view.what === "loss"
    const ceiling = view.what === "loss" && !log ? ceilingOf(all, view.show) : null
    this.explain(ceiling !== null)
    const letters = Math.max(FEWEST, Math.min(LETTERS, Math.floor((MOST_ROOM * this.plot.clientWidth) / look.zoom / LETTER)))
    const room = LETTER * Math.max(0, ...runs.map(({ short }) => Math.min(short.length, letters))) + BESIDE
    this.plot.parentElement?.style.setProperty("--room", `${room / 16}rem`) // so that the line of time is as long as the axis
    await drawLines(this.plot, {
      lines: runs.flatMap((each) => this.lines(each, look, end, runs.length <= NAMED || each.run === this.lit ? letters : 0)), room,
      x: { title: AXES[view.x].title, range: this.range ?? [0, end || 1], zoomed: this.range !== null },
      y: { share: view.what === "accuracy", log, ceiling },
      zoomed: (low, high) => this.zoomed(low, high),
    }, look)
  }

  /**
   * @param {number} [low] the visible part of the axis; without it, all is visible
   * @param {number} [high]
   */
  zoomed(low, high) {
    this.range = low === undefined || high === undefined ? null : [low, high]
    this.draw()
  }

  /** @param {boolean} isCut whether points lie above the plot */
  explain(isCut) {
    const kinds = this.view.show === "both" ? t("Thin lines show training, dotted lines show test.") : ""
    const above = isCut ? t("A few points lie above the plot: “Log scale” shows them.") : ""
    const names = (this.runs?.length ?? 0) > NAMED ? t("Point at a run in the list to see which line it is.") : ""
    this.note.textContent = [kinds, above, names].filter(Boolean).join(" ")
  }

  /**
   * @param {Drawn} drawn
   * @param {Look} look
   * @param {number} end of the axis
   * @param {number} letters of the name at its end; 0 for none
   * @returns {Line[]}
   */
  lines({ run, short, slot, curves }, look, end, letters) {
    const { show, smoothing } = this.view
    const isFaded = this.lit !== null && this.lit !== run
    const colour = `${colourOf(look, slot)}${isFaded ? "33" : ""}` // with a fifth of its strength
    const title = escaped(shortened(short, LETTERS))
    const named = letters ? escaped(shortened(short, letters)) : ""
    const [symbol, size, ink] = [shapeOf(slot), 9 * look.zoom, isFaded ? look.soft : look.text]
    const train = until({ x: curves.train.x, y: smooth(curves.train, smoothing, end, curves.cuts) }, this.moment)
    const test = until(curves.test, this.moment)
    const tip = { symbol, size: train.x.map((_, index) => (index === train.x.length - 1 ? size : 0)), opacity: 1 }
    /** @type {Line} */
    const training = { ...train, colour, ink, name: named, title: t("{name}, training", { name: title }), marker: tip }
    /** @type {Line} */
    const tested = { ...test, colour, ink, name: named, title: t("{name}, test", { name: title }), marker: test.x.length > MANY ? undefined : { symbol, size } }
    if (show === "train") return [training]
    if (show === "test") return [tested]
    const nameAt = Math.max(training.x.at(-1) ?? 0, test.x.at(-1) ?? 0) // beside both
    return [{ ...training, width: 1.25, colour: isFaded ? colour : `${colour}99`, name: test.x.length ? "" : named, marker: undefined }, { ...tested, dash: "dot", nameAt }]
  }

  /** @param {string | null} run */
  light(run) {
    if (this.lit === run) return
    this.lit = run
    this.draw()
  }

  close() {
    this.observer.disconnect()
    if (window.Plotly) window.Plotly.purge(this.plot)
  }
}

/**
 * Why there are no curves; empty if there are.
 * @param {Pick<Selected, "state">[]} runs
 * @param {number} now where the longest curve ends
 */
export function explanation(runs, now) {
  if (now || runs.some(({ state }) => !isActive(state))) return ""
  if (!runs.length) return t("Choose runs in the list to see their curves.")
  return runs.every(({ state }) => state === "queued") ? t("Training starts when the runs before have ended.") : t("The runs take their first steps…")
}

/**
 * Where the longest run ends on the axis, or will.
 * @param {Pick<Curves, "end" | "train" | "test">[]} all
 */
export const endOf = (all) => Math.max(nowOf(all), ...all.map(({ end }) => end ?? 0))

/**
 * Where the longest curve ends on the axis.
 * @param {Pick<Curves, "train" | "test">[]} all
 */
export const nowOf = (all) => Math.max(0, ...all.flatMap(({ train, test }) => [train.x.at(-1) ?? 0, test.x.at(-1) ?? 0]))

/**
 * A curve up to a place on the axis, to which it reaches between two points.
 * @param {Curve} curve
 * @param {number} moment
 * @returns {Curve}
 */
export function until({ x, y }, moment) {
  const count = x.findIndex((place) => place > moment)
  if (count < 0) return { x, y }
  const [before, after] = [y[count - 1] ?? null, y[count]]
  const tip = before === null || after === null ? [] : [before + ((after - before) * (moment - x[count - 1])) / (x[count] - x[count - 1])]
  return { x: [...x.slice(0, count), ...tip.map(() => moment)], y: [...y.slice(0, count), ...tip] }
}

/**
 * The last value of a curve up to a place on the axis; null before its first point.
 * @param {Curve | undefined} curve
 * @param {number} moment
 */
export const valueAt = (curve, moment) => curve?.y[curve.x.findLastIndex((place) => place <= moment)] ?? null

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
