// Parallel coordinates: an axis for each setting that differs and one for the test accuracy, each run a line across them.

import { find, svg } from "../shared/dom.js"
import { percent, shortened } from "../shared/format.js"
import { colourOf, drawnShape } from "../shared/palette.js"
import { theme } from "../shared/plot.js"
import { t } from "../shared/text.js"

/**
 * @import { Look } from "../shared/plot.js"
 * @import { SettingColumn } from "./documents.js"
 * @import { Selected } from "./types.js"
 */

/** @typedef {{ at: number, text: string }} Tick `at` is a share of the axis */
/** @typedef {{ name: string, title: string, values: number[], ticks: Tick[] }} Scale an axis; the value of each run is a share of it */
/** @typedef {Scale & { x: number }} Placed an axis with its place in the picture */
/** @typedef {Pick<Selected, "run" | "name" | "slot"> & { accuracy: number }} Line a run that has been evaluated */

const HEIGHT = 300 // pixels at the usual size of the page's text, with which the picture grows, as all below
const ROOM = { left: 110, right: 76, top: 44, bottom: 18 } // around the axes
const WIDE = 20 // times the smallest value: from there on an axis is logarithmic
const BESIDE = 150 // between two axes, at least; where they do not fit, the picture is scrolled
const APART = 20 // between two ticks, at least
const ACCURACY = "accuracy"

export class Parallel {
  /**
   * @param {HTMLElement} root
   * @param {(run: string | null) => void} light is called with the run that the pointer is on, or null
   */
  constructor(root, light) {
    /** @type {HTMLElement} */
    this.box = find(root, ".comparison-parallel")
    this.light = light
    /** @type {HTMLElement} */
    this.plot = find(this.box, ".comparison-axes")
    /** @type {Map<string, [number, number]>} of an axis the range that a line must pass, from 0 to 1 */
    this.kept = new Map()
    /** @type {Line[]} */
    this.runs = []
    /** @type {SettingColumn[]} */
    this.columns = []
    /** @type {number[]} of the runs in the values of a column */
    this.places = []
    /** @type {Placed[]} */
    this.axes = []
    /** @type {{ run: string, drawn: SVGElement }[]} */
    this.lines = []
    /** @type {Map<string, SVGElement>} what shows the range of an axis */
    this.bands = new Map()
    /** @type {string | null} the run under the pointer */
    this.lit = null
    this.content = ""
    this.observer = new ResizeObserver(() => this.draw())
    this.observer.observe(root)
  }

  /**
   * @param {Selected[]} runs
   * @param {SettingColumn[]} columns where they differ
   * @param {string[]} order of the runs in the values of a column
   */
  show(runs, columns, order) {
    this.runs = runs.flatMap(({ run, name, slot, facts }) => {
      const accuracy = facts?.accuracy ?? null
      return order.includes(run) && accuracy !== null ? [{ run, name, slot, accuracy }] : []
    })
    this.columns = columns
    this.places = this.runs.map(({ run }) => order.indexOf(run))
    this.draw()
  }

  draw() {
    const axes = this.columns.map((column) => scaleOf(column, this.places)).filter((made) => made !== null)
    this.box.hidden = this.runs.length < 2 || axes.length === 0
    if (this.box.hidden || !this.box.clientWidth) return
    const look = theme(this.box)
    axes.push(accuracies(this.runs.map(({ accuracy }) => accuracy)))
    const width = Math.max(this.box.clientWidth / look.zoom, ROOM.left + ROOM.right + BESIDE * (axes.length - 1))
    for (const name of this.kept.keys()) if (!axes.some((each) => each.name === name)) this.kept.delete(name)
    const content = JSON.stringify([axes, width, look, this.runs.map(({ run, name, slot }) => [run, name, slot])])
    if (content === this.content) return this.fade()
    this.content = content
    this.axes = axes.map((each, index) => ({ ...each, x: ROOM.left + ((width - ROOM.left - ROOM.right) * index) / (axes.length - 1) }))
    this.bands.clear()
    const label = t("The settings of each run and its test accuracy; the table has the same numbers")
    const size = { width: width * look.zoom, height: HEIGHT * look.zoom, viewBox: `0 0 ${width} ${HEIGHT}` }
    const drawing = svg("svg", { ...size, role: "img", "aria-label": label })
    this.lines = this.runs.map((line, index) => ({ run: line.run, drawn: this.line(line, index, look) }))
    drawing.append(...this.lines.map(({ drawn }) => drawn), ...this.axes.map((each) => this.axis(each, look)))
    this.plot.replaceChildren(drawing)
    this.plot.tabIndex = this.plot.scrollWidth > this.plot.clientWidth ? 0 : -1 // by keyboard, too, all of it can be seen
    this.fade()
  }

  /**
   * @param {Line} line
   * @param {number} index
   * @param {Look} look
   */
  line({ run, name, slot }, index, look) {
    const points = this.axes.map(({ x, values }) => [x, across(values[index])])
    const colour = colourOf(look, slot)
    const group = svg("g", { class: "comparison-path", fill: colour, stroke: colour })
    const path = `M${points.map((point) => point.join(" ")).join("L")}`
    group.append(svg("title", {}, name), svg("path", { d: path, fill: "none", "stroke-width": 12, "stroke-opacity": 0 }), svg("path", { d: path, fill: "none", "stroke-width": 2.5 }))
    const [x, y] = points[points.length - 1]
    const end = svg("g", { transform: `translate(${x - 14} ${y - 8})`, stroke: "none" })
    end.innerHTML = drawnShape(slot)
    group.append(end)
    group.onpointerenter = () => { this.lit = run; this.fade(); this.light(run) }
    group.onpointerleave = () => { this.lit = null; this.fade(); this.light(null) }
    return group
  }

  /**
   * @param {Placed} axis
   * @param {Look} look
   */
  axis({ name, title, ticks, x }, look) {
    const group = svg("g", { fill: look.text, "font-family": look.font, "font-size": look.size / look.zoom })
    const right = name === ACCURACY
    group.append(svg("text", { x, y: 18, "text-anchor": "middle", "font-weight": 600 }, title))
    group.append(svg("line", { x1: x, x2: x, y1: ROOM.top, y2: HEIGHT - ROOM.bottom, stroke: look.text, "stroke-opacity": 0.45 }))
    const grip = svg("rect", { class: "comparison-grip", "data-axis": name, x: x - 16, width: 32, y: ROOM.top - 8, height: HEIGHT - ROOM.top - ROOM.bottom + 16, fill: "transparent" })
    grip.onpointerdown = (event) => this.grab(grip, name, event)
    const band = svg("rect", { class: "comparison-band", x: x - 6, width: 12 })
    this.bands.set(name, band)
    group.append(grip, band)
    const outlined = { stroke: look.page, "stroke-width": 4, "paint-order": "stroke" }
    for (const { at, text } of apart(ticks)) {
      group.append(svg("text", { x: x + (right ? 12 : -10), y: across(at) + 5, "text-anchor": right ? "start" : "end", ...outlined, "pointer-events": "none" }, text))
    }
    return group
  }

  /**
   * Drag along an axis to highlight the runs in that range; a click shows all again.
   * @param {SVGElement} grip
   * @param {string} name of the axis
   * @param {PointerEvent} event
   */
  grab(grip, name, event) {
    const { top, height } = this.plot.getBoundingClientRect()
    const place = (/** @type {PointerEvent} */ { clientY }) => Math.min(1, Math.max(0, along(((clientY - top) / height) * HEIGHT)))
    const from = place(event)
    this.kept.delete(name)
    grip.setPointerCapture(event.pointerId)
    grip.onpointermove = (move) => {
      const to = place(move)
      if (Math.abs(to - from) > 0.02) this.kept.set(name, [Math.min(from, to), Math.max(from, to)])
      this.fade()
    }
    grip.onpointerup = grip.onpointercancel = () => { grip.onpointermove = null }
    this.fade()
  }

  /** Fade the runs outside the ranges, and all but the one under the pointer. */
  fade() {
    this.lines.forEach(({ run, drawn }, index) => {
      const kept = this.axes.every(({ name, values }) => {
        const [low, high] = this.kept.get(name) ?? [0, 1]
        return values[index] >= low && values[index] <= high
      })
      drawn.style.opacity = !kept ? "0.08" : this.lit && this.lit !== run ? "0.25" : "1"
    })
    for (const [name, band] of this.bands) {
      const [low, high] = this.kept.get(name) ?? [0, 0]
      band.setAttribute("y", String(across(high)))
      band.setAttribute("height", String(across(low) - across(high)))
    }
  }

  close() {
    this.observer.disconnect()
  }
}

/**
 * A share of an axis as pixels from the top.
 * @param {number} share
 */
const across = (share) => HEIGHT - ROOM.bottom - share * (HEIGHT - ROOM.top - ROOM.bottom)

/**
 * And back.
 * @param {number} pixels
 */
const along = (pixels) => (HEIGHT - ROOM.bottom - pixels) / (HEIGHT - ROOM.top - ROOM.bottom)

/**
 * The axis of a setting; numbers keep their distances, other values stand one above the other. None where all are alike.
 * @param {SettingColumn} column
 * @param {number[]} places of the runs in its values
 * @returns {Scale | null}
 */
export function scaleOf({ name, title, texts, numbers }, places) {
  const shown = places.map((place) => texts[place])
  const kinds = [...new Set(shown)]
  if (kinds.length < 2) return null
  const values = places.map((place) => numbers[place]).filter((value) => value !== null)
  const low = Math.min(...values)
  const plain = values.length < places.length ? shown.map((text) => kinds.indexOf(text)) : low > 0 && Math.max(...values) / low >= WIDE ? values.map(Math.log10) : values
  return { name, title: shortened(title, 18), ...scaled(plain, shown.map((text) => shortened(text, 14))) }
}

/**
 * @param {number[]} values
 * @returns {Scale}
 */
const accuracies = (values) => ({ name: ACCURACY, title: t("Test accuracy"), ...scaled(values, values.map((value) => percent(value))) })

/**
 * Values as shares of the axis, with a tick at each.
 * @param {number[]} values
 * @param {string[]} texts
 */
function scaled(values, texts) {
  const [low, high] = [Math.min(...values), Math.max(...values)]
  const shares = values.map((value) => (high > low ? (value - low) / (high - low) : 0.5))
  return { values: shares, ticks: shares.map((at, index) => ({ at, text: texts[index] })) }
}

/**
 * Ticks that do not cover each other; the lowest and the highest stay.
 * @param {Tick[]} ticks
 */
export function apart(ticks) {
  const sorted = [...new Map(ticks.map((tick) => [tick.at, tick])).values()].sort((one, other) => one.at - other.at)
  const room = APART / (HEIGHT - ROOM.top - ROOM.bottom)
  const last = sorted[sorted.length - 1]
  const kept = sorted.filter((tick, index) => tick === last || index === 0)
  for (const tick of sorted.slice(1, -1)) if (tick.at - kept[kept.length - 2].at >= room && last.at - tick.at >= room) kept.splice(-1, 0, tick)
  return kept
}
