// Parallel coordinates: an axis for each setting that differs and one for the test accuracy, each run a line across them.

import { percent } from "../shared/format.js"
import { theme } from "../shared/plot.js"
import { colourOf, drawnShape } from "./marks.js"

const HEIGHT = 300
const ROOM = { left: 110, right: 76, top: 44, bottom: 18 } // pixels around the axes
const WIDE = 20 // times the smallest value: from there on an axis is logarithmic
const BESIDE = 150 // pixels between two axes, at least; where they do not fit, the picture is scrolled
const APART = 20 // pixels between two ticks, at least
const ACCURACY = "accuracy"

export class Parallel {
  // `light` is called with the run that the pointer is on, or null.
  constructor(box, light) {
    Object.assign(this, { box, light, kept: new Map(), runs: [], columns: [] }) // kept: axis → the range that a line must pass, from 0 to 1
    this.plot = box.querySelector(".comparison-axes")
    this.observer = new ResizeObserver(() => this.draw())
    this.observer.observe(box.parentElement)
    this.plot.onpointerdown = (event) => this.grab(event)
  }

  // `runs`: of each its `run`, `name`, `slot` and `facts`; `columns`: where they differ, with values in the order of `order`.
  show(runs, columns, order) {
    this.runs = runs.filter(({ run, facts }) => order.includes(run) && facts && facts.accuracy !== null)
    this.columns = columns
    this.places = this.runs.map(({ run }) => order.indexOf(run))
    this.draw()
  }

  draw() {
    const axes = this.columns.map((column) => axis(column, this.places)).filter((made) => made !== null)
    this.box.hidden = this.runs.length < 2 || axes.length === 0
    if (this.box.hidden || !this.box.clientWidth) return
    const look = theme(this.box)
    axes.push(accuracies(this.runs))
    const width = Math.max(this.box.clientWidth, ROOM.left + ROOM.right + BESIDE * (axes.length - 1))
    for (const name of this.kept.keys()) if (!axes.some((each) => each.name === name)) this.kept.delete(name)
    const content = JSON.stringify([axes, width, look, this.runs.map(({ run, name, slot }) => [run, name, slot])])
    if (content === this.content) return this.fade()
    this.content = content
    axes.forEach((each, index) => { each.x = ROOM.left + ((width - ROOM.left - ROOM.right) * index) / (axes.length - 1) })
    this.axes = axes
    const svg = shape("svg", { width, height: HEIGHT, role: "img", "aria-label": "The settings of each run and its test accuracy; the table has the same numbers" })
    this.lines = this.runs.map((run, index) => this.line(run, index, look))
    svg.append(...this.lines, ...axes.map((each) => this.axis(each, look)))
    this.plot.replaceChildren(svg)
    this.fade()
  }

  line({ run, name, slot }, index, look) {
    const points = this.axes.map(({ x, values }) => [x, across(values[index])])
    const colour = colourOf(look, slot)
    const group = shape("g", { class: "comparison-path", fill: colour, stroke: colour })
    const title = shape("title")
    title.textContent = name
    const path = `M${points.map((point) => point.join(" ")).join("L")}`
    group.append(title, shape("path", { d: path, fill: "none", "stroke-width": 12, "stroke-opacity": 0 }), shape("path", { d: path, fill: "none", "stroke-width": 2.5 }))
    const [x, y] = points.at(-1)
    const end = shape("g", { transform: `translate(${x - 14} ${y - 8})`, stroke: "none" })
    end.innerHTML = drawnShape(slot)
    group.append(end)
    group.onpointerenter = () => { this.lit = run; this.fade(); this.light(run) }
    group.onpointerleave = () => { this.lit = null; this.fade(); this.light(null) }
    return group
  }

  axis({ name, title, ticks, x }, look) {
    const group = shape("g", { fill: look.text, "font-family": look.font, "font-size": 14 })
    const right = name === ACCURACY
    const written = (content, attributes) => { const made = shape("text", attributes); made.textContent = content; return made }
    group.append(written(title, { x, y: 18, "text-anchor": "middle", "font-weight": 600 }))
    group.append(shape("line", { x1: x, x2: x, y1: ROOM.top, y2: HEIGHT - ROOM.bottom, stroke: look.text, "stroke-opacity": 0.45 }))
    group.append(shape("rect", { class: "comparison-grip", "data-axis": name, x: x - 16, width: 32, y: ROOM.top - 8, height: HEIGHT - ROOM.top - ROOM.bottom + 16, fill: "transparent" }))
    const band = shape("rect", { class: "comparison-band", "data-band": name, x: x - 6, width: 12 })
    group.append(band)
    for (const { at, text } of apart(ticks)) {
      group.append(written(text, { x: x + (right ? 12 : -10), y: across(at) + 5, "text-anchor": right ? "start" : "end", stroke: look.page, "stroke-width": 4, "paint-order": "stroke", "pointer-events": "none" }))
    }
    return group
  }

  // Drag along an axis to highlight the runs in that range; a click shows all again.
  grab(event) {
    const grip = event.target.closest("[data-axis]")
    if (!grip) return
    const { axis: name } = grip.dataset
    const top = this.plot.getBoundingClientRect().top
    const place = ({ clientY }) => Math.min(1, Math.max(0, along(clientY - top)))
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

  // Fade the runs outside the ranges, and all but the one under the pointer.
  fade() {
    this.lines?.forEach((line, index) => {
      const kept = [...this.kept].every(([name, [low, high]]) => {
        const value = this.axes.find((each) => each.name === name).values[index]
        return value >= low && value <= high
      })
      line.style.opacity = !kept ? 0.08 : this.lit && this.lit !== this.runs[index].run ? 0.25 : 1
    })
    this.plot.querySelectorAll("[data-band]").forEach((band) => {
      const range = this.kept.get(band.dataset.band)
      band.setAttribute("y", range ? across(range[1]) : 0)
      band.setAttribute("height", range ? across(range[0]) - across(range[1]) : 0)
    })
  }

  close() {
    this.observer.disconnect()
  }
}

// A share of an axis as pixels from the top, and back.
const across = (share) => HEIGHT - ROOM.bottom - share * (HEIGHT - ROOM.top - ROOM.bottom)
const along = (pixels) => (HEIGHT - ROOM.bottom - pixels) / (HEIGHT - ROOM.top - ROOM.bottom)

// The axis of a setting; numbers keep their distances, other values stand one above the other. None where all are alike.
function axis({ name, title, texts, numbers }, places) {
  const shown = places.map((place) => texts[place])
  const kinds = [...new Set(shown)]
  if (kinds.length < 2) return null
  const values = places.map((place) => numbers[place])
  const low = Math.min(...values)
  const plain = values.some((value) => value === null) ? shown.map((text) => kinds.indexOf(text)) : low > 0 && Math.max(...values) / low >= WIDE ? values.map(Math.log10) : values
  return { name, title: shortened(title, 18), ...scaled(plain, shown.map((text) => shortened(text, 14))) }
}

function accuracies(runs) {
  const values = runs.map(({ facts }) => 100 * facts.accuracy)
  return { name: ACCURACY, title: "Test accuracy", ...scaled(values, values.map((value) => percent(value / 100))) }
}

// Values as shares of the axis, with a tick at each.
function scaled(values, texts) {
  const [low, high] = [Math.min(...values), Math.max(...values)]
  const shares = values.map((value) => (high > low ? (value - low) / (high - low) : 0.5))
  return { values: shares, ticks: shares.map((at, index) => ({ at, text: texts[index] })) }
}

// Ticks that do not cover each other; the lowest and the highest stay.
function apart(ticks) {
  const sorted = [...new Map(ticks.map((tick) => [tick.at, tick])).values()].sort((one, other) => one.at - other.at)
  const room = APART / (HEIGHT - ROOM.top - ROOM.bottom)
  const last = sorted.at(-1)
  const kept = sorted.filter((tick, index) => tick === last || index === 0)
  for (const tick of sorted.slice(1, -1)) if (tick.at - kept.at(-2).at >= room && last.at - tick.at >= room) kept.splice(-1, 0, tick)
  return kept
}

const shortened = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text)

function shape(kind, attributes = {}) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", kind)
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value)
  return made
}
