// The leaves of an autograd graph: every number can be dragged or typed, its gradient is shown below it, and the loss is
// plotted against the number changed last, with the tangent whose slope is the gradient.

import { element, svg } from "../shared/dom.js"
import { exact, grouped, shapeText, short } from "../shared/format.js"
import { plural, t } from "../shared/text.js"
import { indexOf } from "../shared/tile.js"

/** @import { Leaf, LossCurve, Tile } from "./documents.js" */

/** @typedef {Leaf<Tile> & { value: Tile }} KnownLeaf a leaf whose values are known */

/**
 * A number of a leaf, with its text field.
 * @typedef {object} Field
 * @property {string} name of the leaf
 * @property {number} place among the values that are shown
 * @property {number} cell of the tensor, in row-major order
 * @property {number[]} index
 * @property {HTMLInputElement} input
 * @property {HTMLElement} grad
 * @property {HTMLElement} box
 * @property {boolean} typed whether a text was typed and not yet taken: no answer may write over it
 * @property {number} [held] the number set last, until an answer has it
 * @property {{ x: number, value: number, moved: boolean } | null} from where a drag began
 */

/** @typedef {{ places: number[], losses: (number | null)[] }} Curve */

const ROWS = 5, COLUMNS = 6
const PLACES = 61 // points of the curve

export class Leaves {
  /**
   * @param {HTMLElement} box
   * @param {object} options
   * @param {(name: string, cell: number, value: number, done: boolean) => void} options.onGrab called for each change, with `done` when the number is released
   * @param {(request: Record<string, unknown>) => Promise<Partial<LossCurve>>} options.curve fetches losses
   */
  constructor(box, { onGrab, curve }) {
    this.onGrab = onGrab
    this.curve = curve
    this.list = element("div", "list")
    /** @type {Map<string, KnownLeaf>} */
    this.leaves = new Map()
    /** @type {Field[]} */
    this.fields = []
    /** @type {Field | null} the number changed last */
    this.chosen = null
    /** @type {(Curve & { field: Field }) | null} */
    this.line = null
    this.asked = {} // marks the newest request for a curve
    this.form = ""
    this.plot = new Plot((value, done) => this.set(value, done))
    box.append(this.list, this.plot.box)
  }

  /**
   * @param {Leaf<Tile>[]} all
   * @param {boolean} fresh whether the script was run as it stands; otherwise only numbers have changed
   */
  show(all, fresh) {
    const leaves = all.filter(isKnown)
    this.leaves = new Map(leaves.map((leaf) => [leaf.name, leaf]))
    const form = JSON.stringify(leaves.map(({ name, value, editable }) => [name, value.shape, editable]))
    if (form !== this.form) this.build(leaves)
    this.form = form
    for (const field of this.fields) this.fill(field)
    if (this.chosen && !this.leaves.get(this.chosen.name)?.editable) this.chosen = null
    if (fresh && this.chosen) this.range(this.chosen)
    this.draw()
  }

  /** @param {KnownLeaf[]} leaves */
  build(leaves) {
    this.fields = []
    this.chosen = null
    const order = [...leaves].sort((one, other) => Number(other.requires_grad) - Number(one.requires_grad))
    this.list.replaceChildren(...order.filter(({ editable }) => editable).map((leaf) => this.leaf(leaf)))
  }

  /** @param {KnownLeaf} leaf */
  leaf({ name, value, requires_grad: learns }) {
    const block = element("section", "leaf")
    const head = element("header", "head")
    head.append(element("code", "name", name), element("span", "fact", learns ? t("leaf") : t("constant")), element("span", "fact", shapeText(value.shape)))
    const columns = value.shown.at(-1) ?? 1
    const across = Math.min(COLUMNS, columns), rows = Math.min(learns ? ROWS : 2, value.values.length / columns)
    const grid = element("div", "numbers")
    grid.style.gridTemplateColumns = `repeat(${across}, minmax(0, 5.2rem))`
    for (let row = 0; row < rows; row++) for (let column = 0; column < across; column++) grid.append(this.field(name, value, row * columns + column, learns))
    block.append(head, grid)
    const cells = value.shape.reduce((product, size) => product * size, 1)
    if (cells > rows * across) block.append(element("p", "hint", plural("{shown} of {n} number", "{shown} of {n} numbers", cells, { shown: rows * across, n: grouped(cells) })))
    return block
  }

  /**
   * @param {string} name
   * @param {Tile} value
   * @param {number} place
   * @param {boolean} learns
   */
  field(name, value, place, learns) {
    const index = indexOf(value.shown, place)
    const cell = index.reduce((sum, part, axis) => sum * value.shape[axis] + part, 0)
    const box = element("label", "number")
    const input = element("input")
    input.type = "text"
    input.inputMode = "decimal"
    input.setAttribute("aria-label", t("{cell}, drag or type", { cell: titleOf(name, index) }))
    const grad = element("span", "slope")
    box.append(input, ...(learns ? [grad] : []))
    /** @type {Field} */
    const field = { name, place, cell, index, input, grad, box, typed: false, from: null }
    this.fields.push(field)
    input.onfocus = () => this.choose(field)
    input.oninput = () => { field.typed = true }
    const take = () => {
      field.typed = false
      const number = Number(input.value.replace("−", "-"))
      if (Number.isFinite(number) && input.value.trim()) this.set(number, true, field)
      else this.fill(field)
    }
    input.onchange = take
    input.onblur = () => { if (field.typed) { field.typed = false; this.fill(field) } } // typed and taken back
    input.onkeydown = (event) => {
      const way = event.key === "ArrowUp" ? 1 : event.key === "ArrowDown" ? -1 : 0
      if (event.key === "Enter") take()
      if (!way) return
      event.preventDefault()
      this.set(this.number(field) + way * step(this.number(field)) * 10, true, field)
    }
    input.onpointerdown = (event) => { field.from = { x: event.clientX, value: this.number(field), moved: false }; input.setPointerCapture(event.pointerId) }
    input.onpointermove = (event) => this.slide(field, event)
    input.onpointerup = input.onpointercancel = () => {
      if (field.from?.moved) this.set(this.number(field), true, field)
      field.from = null
    }
    return box
  }

  /**
   * One pixel is a hundredth of the number, or of 1 where it is smaller.
   * @param {Field} field
   * @param {PointerEvent} event
   */
  slide(field, event) {
    if (!field.from) return
    const dx = event.clientX - field.from.x
    if (!field.from.moved && Math.abs(dx) < 4) return
    if (!field.from.moved) this.choose(field)
    field.from.moved = true
    event.preventDefault()
    this.set(field.from.value + dx * step(field.from.value), false, field)
  }

  /** @param {Field} field */
  leafOf(field) {
    return /** @type {KnownLeaf} */ (this.leaves.get(field.name))
  }

  /** @param {Field} field */
  number(field) {
    const value = field.held ?? this.leafOf(field).value.values[field.place]
    return typeof value === "number" ? value : 0
  }

  /**
   * @param {number} value
   * @param {boolean} done
   * @param {Field | null} [field]
   */
  set(value, done, field = this.chosen) {
    if (!field) return
    const number = Number(value.toPrecision(4))
    field.held = number
    field.typed = false
    field.input.value = short4(number)
    this.onGrab(field.name, field.cell, number, done)
    this.draw()
  }

  /** @param {Field} field */
  fill(field) {
    const leaf = this.leafOf(field)
    if (!field.from && document.activeElement !== field.input) field.held = undefined
    if (field.typed) field.held = undefined
    else if (field.held === undefined || field.held === leaf.value.values[field.place]) field.input.value = short4(leaf.value.values[field.place])
    field.box.classList.toggle("grabbed", leaf.overridden.includes(field.cell))
    field.grad.textContent = leaf.grad ? short(leaf.grad.values[field.place]) : "–"
    field.grad.title = leaf.grad ? t("gradient {value}", { value: exact(leaf.grad.values[field.place]) }) : t("no gradient")
  }

  /** @param {Field} field */
  choose(field) {
    if (this.chosen === field) return
    this.chosen?.box.classList.remove("chosen")
    this.chosen = field
    field.box.classList.add("chosen")
    this.range(field)
    this.draw()
  }

  /**
   * The other numbers stay, so the curve is fetched once; only a number that leaves its range needs a new one.
   * @param {Field} field
   */
  async range(field) {
    const middle = this.number(field), reach = 2 * Math.max(1, Math.abs(middle))
    const places = Array.from({ length: PLACES }, (_, place) => middle + reach * (2 * place / (PLACES - 1) - 1))
    const asked = (this.asked = {})
    const { losses } = await this.curve({ name: field.name, cell: field.cell, pass: this.leafOf(field).pass, values: places })
    if (asked !== this.asked || this.chosen !== field) return
    this.line = losses ? { field, places, losses } : null
    this.draw()
  }

  draw() {
    const field = this.chosen
    this.plot.box.hidden = !field
    if (!field) return
    const leaf = this.leafOf(field)
    const value = this.number(field)
    const line = this.line?.field === field ? this.line : null
    if (line && (value < line.places[0] || value > line.places[PLACES - 1])) this.range(field)
    const now = leaf.value.values[field.place]
    const slope = leaf.grad?.values[field.place]
    this.plot.draw({ title: titleOf(field.name, field.index), line, value: now, loss: leaf.loss, slope: typeof slope === "number" ? slope : null })
  }
}

/**
 * @param {Leaf<Tile>} leaf
 * @returns {leaf is KnownLeaf}
 */
const isKnown = (leaf) => leaf.value !== null

/**
 * A cell as a script writes it, such as `x[0, 2]`.
 * @param {string} name
 * @param {number[]} index
 */
export const titleOf = (name, index) => (index.length ? `${name}[${index.join(", ")}]` : name)

/** @param {number} value */
const step = (value) => Math.max(1, Math.abs(value)) / 100
/** @param {Tile["values"][number]} value */
const short4 = (value) => (typeof value === "number" ? String(Number(value.toPrecision(4))) : short(value))

// Loss by one number: the curve, where the number stands, and the tangent there. A drag on it moves the number.
class Plot {
  /** @param {(value: number, done: boolean) => void} onMove */
  constructor(onMove) {
    this.box = element("figure", "plot")
    this.title = element("figcaption", "fact")
    this.picture = svg("svg", {})
    this.held = false
    /** @type {((clientX: number) => number) | undefined} the number at a place of the screen */
    this.value = undefined
    this.picture.setAttribute("viewBox", "0 0 360 190")
    this.picture.setAttribute("role", "img")
    this.box.append(this.title, this.picture)
    const move = (/** @type {PointerEvent} */ event, /** @type {boolean} */ done) => { if (this.held && this.value) onMove(this.value(event.clientX), done) }
    this.picture.onpointerdown = (event) => { this.held = true; this.picture.setPointerCapture(event.pointerId); move(event, false) }
    this.picture.onpointermove = (event) => move(event, false)
    this.picture.onpointerup = this.picture.onpointercancel = (event) => { move(event, true); this.held = false }
  }

  /** @param {{ title: string, line: Curve | null, value: Tile["values"][number], loss: number | null, slope: number | null }} state */
  draw({ title, line, value, loss, slope }) {
    const point = loss !== null && typeof value === "number" ? { value, loss } : null
    const gaps = { cell: title, loss: point && exact(point.loss), value: point && exact(point.value), slope: slope !== null && exact(slope) }
    this.title.textContent = !point
      ? t("loss as a function of {cell}", gaps)
      : slope === null ? t("loss as a function of {cell}: {loss} at {value}; no gradient flows to it", gaps) : t("loss as a function of {cell}: {loss} at {value}, slope = gradient = {slope}", gaps)
    this.picture.setAttribute("aria-label", this.title.textContent)
    this.value = undefined
    if (!line) return this.picture.replaceChildren() // that of another number, whose axis is another
    const heights = [...line.losses.filter((height) => height !== null), ...(point ? [point.loss] : [])]
    if (!heights.length) return this.picture.replaceChildren()
    const [low, high] = [Math.min(...heights), Math.max(...heights)]
    const spread = high - low || 1
    const [first, last] = [line.places[0], line.places[PLACES - 1]]
    const x = (/** @type {number} */ place) => 44 + ((place - first) / (last - first)) * 308
    const y = (/** @type {number} */ height) => 158 - ((height - low) / spread) * 144
    this.value = (clientX) => { const { left, width } = this.picture.getBoundingClientRect(); return first + (Math.min(352, Math.max(44, ((clientX - left) / width) * 360)) - 44) / 308 * (last - first) }
    let pen = "M"
    const path = line.losses.map((height, place) => { if (height === null) { pen = "M"; return "" } const part = `${pen}${x(line.places[place]).toFixed(1)} ${y(height).toFixed(1)}`; pen = "L"; return part }).join("")
    const parts = [svg("path", { d: "M44 8V158H352", class: "axis" }), svg("path", { d: path, class: "curve" })]
    for (const [text, at] of [[high, 16], [low, 158]]) parts.push(svg("text", { x: 40, y: at, class: "tick end" }, exact(Number(text.toPrecision(3)))))
    for (const [text, at] of [[first, 44], [(first + last) / 2, 198], [last, 352]]) parts.push(svg("text", { x: at, y: 176, class: "tick" }, exact(Number(text.toPrecision(3)))))
    if (point) {
      if (slope !== null) parts.push(this.tangent(x, y, point, slope, last - first))
      parts.push(svg("circle", { cx: x(point.value), cy: y(point.loss), r: 6, class: "point" }))
    }
    this.picture.replaceChildren(...parts)
  }

  /**
   * A piece of the tangent of one length on the screen, however steep.
   * @param {(place: number) => number} x
   * @param {(height: number) => number} y
   * @param {{ value: number, loss: number }} point
   * @param {number} slope
   * @param {number} range of the horizontal axis
   */
  tangent(x, y, { value, loss }, slope, range) {
    const unit = range / 308
    const tall = y(0) - y(slope * unit) // pixels up for one across
    const reach = 70 / Math.hypot(1, tall)
    const line = (/** @type {number} */ way) => `${x(value) + way * reach} ${y(loss) - way * reach * tall}`
    return svg("path", { d: `M${line(-1)}L${line(1)}`, class: "tangent" })
  }
}
