// The numbers of the leaves: each can be dragged or typed in its box of the graph. For the chosen one the loss is plotted over its values,
// with the tangent whose slope is its gradient.

import { draggable } from "../shared/controls.js"
import { button, element } from "../shared/dom.js"
import { brief, exact, narrow } from "../shared/format.js"
import { withTerms } from "../shared/term.js"
import { t } from "../shared/text.js"
import { indexOf } from "../shared/tile.js"
import { LossPlot } from "./loss_plot.js"

/**
 * @import { GraphNode } from "../shared/graph.js"
 * @import { PickOne } from "../shared/pick.js"
 * @import { Leaf, LossCurve, Tile } from "./documents.js"
 * @import { Curve } from "./loss_plot.js"
 */

/** @typedef {Leaf<Tile> & { value: Tile }} KnownLeaf a leaf whose values are known */

/**
 * A number of a leaf, with all fields that show it.
 * @typedef {object} Entry
 * @property {string} key
 * @property {string} name of the leaf
 * @property {number} place among the values that are shown
 * @property {number} cell of the tensor, in row-major order
 * @property {string} title such as `x[0, 2]`
 * @property {HTMLInputElement[]} inputs in the graph
 * @property {number} [held] the number set last, until an answer has it
 */

const PLACES = 61 // points of the curve
const SETTLED_MS = 400 // milliseconds without a further change after which a number rests
const LISTED = 30 // numbers of a leaf that can be chosen from the list

export class Numbers {
  /**
   * @param {{ panel: HTMLElement, which: PickOne, field: HTMLInputElement, picture: HTMLElement, caption: HTMLElement }} parts
   * @param {object} options
   * @param {(name: string, cell: number, value: number, done: boolean) => void} options.onGrab called for each change, with `done` when the number is released
   * @param {(request: Record<string, unknown>) => Promise<Partial<LossCurve> & { error?: string }>} options.curve fetches losses
   */
  constructor(parts, { onGrab, curve }) {
    this.parts = parts
    this.onGrab = onGrab
    this.curve = curve
    /** @type {Map<string, KnownLeaf>} */
    this.leaves = new Map()
    /** @type {Map<string, Entry>} */
    this.entries = new Map()
    /** @type {Entry | null} whose curve is shown */
    this.chosen = null
    /** @type {(Curve & { entry: Entry }) | null} */
    this.line = null
    /** @type {{ entry: Entry, places: number[] } | null} the curve that was asked for last, until it has come */
    this.asked = null
    /** @type {number | undefined} */
    this.timer = undefined
    this.typed = new Set() // fields in which a text was typed that was not yet taken: no answer may write over it
    this.form = ""
    /** @type {Set<string>} the leaves whose gradient is shown: the backward pass has reached them */
    this.reached = new Set()
    this.plot = new LossPlot(parts.picture, (value, done) => this.chosen && this.set(this.chosen, value, done))
    this.serve(parts.field, () => this.chosen)
    parts.which.onchange = () => this.choose(this.entries.get(parts.which.value) ?? null)
  }

  /**
   * Take the leaves of a run, before its graph is shown.
   * @param {Leaf<Tile>[]} all
   */
  take(all) {
    const leaves = all.filter(isKnown)
    this.leaves = new Map(leaves.map((leaf) => [leaf.name, leaf]))
    const form = JSON.stringify(leaves.map(({ name, value }) => [name, value.shape]))
    if (form === this.form) return
    this.form = form
    this.line = null
    const before = this.chosen?.key
    const order = [...leaves].sort((one, other) => Number(other.requires_grad) - Number(one.requires_grad))
    this.entries = new Map(order.flatMap(({ name, value }) => value.values.map((_, place) => entryOf(name, value, place))).map((entry) => [entry.key, entry]))
    this.chosen = this.entries.get(before ?? "") ?? this.entries.values().next().value ?? null
    this.parts.which.options = order.flatMap(({ name, value }) => value.values.slice(0, LISTED).map((_, place) => entryOf(name, value, place))).map(({ key, title }) => ({ value: key, title }))
    this.parts.which.value = this.chosen?.key ?? ""
  }

  /**
   * Show the numbers.
   * @param {boolean} fresh whether the script was run as it stands; otherwise only numbers have changed
   */
  show(fresh) {
    this.parts.panel.hidden = !this.chosen
    for (const entry of this.entries.values()) this.fill(entry)
    if (fresh) this.range()
    this.draw()
  }

  /**
   * A field for a number of a box in the graph; null where changing the leaf would not change what the box shows, because an earlier backward pass used other values.
   * @param {GraphNode} node
   * @param {number} place
   * @returns {HTMLInputElement | null}
   */
  field(node, place) {
    const leaf = node.kind === "operation" ? undefined : this.leaves.get(node.name)
    const entry = leaf && String(leaf.value.values) === String(node.value?.values) ? this.entries.get(keyOf(node.name, place)) : undefined
    if (!entry) return null
    const input = element("input", "number value")
    input.type = "text"
    input.inputMode = "decimal"
    input.setAttribute("aria-label", t("{cell}, drag or type", { cell: entry.title }))
    this.serve(input, () => entry)
    entry.inputs = [...entry.inputs.filter(({ isConnected }) => isConnected), input]
    this.fill(entry)
    return input
  }

  /**
   * Let a field be dragged, typed into, and changed by the arrow keys.
   * @param {HTMLInputElement} input
   * @param {() => Entry | null} served whose number it shows
   */
  serve(input, served) {
    const change = (/** @type {(value: number) => number} */ next, /** @type {boolean} */ done) => { const entry = served(); if (entry) this.set(entry, next(this.number(entry)), done) }
    const take = () => {
      this.typed.delete(input)
      const number = Number(input.value.replace("−", "-"))
      if (Number.isFinite(number) && input.value.trim()) change(() => number, true)
      else this.refill(served())
    }
    input.onfocus = () => this.choose(served())
    input.oninput = () => this.typed.add(input)
    input.onchange = take
    input.onblur = () => { if (this.typed.delete(input)) this.refill(served()) } // typed and taken back
    input.onkeydown = (event) => {
      const way = event.key === "ArrowUp" ? 1 : event.key === "ArrowDown" ? -1 : 0
      if (event.key === "Enter" && this.typed.has(input)) take()
      if (!way) return
      event.preventDefault()
      change((value) => value + way * step(value) * 10, true)
    }
    let start = 0 // one pixel is a hundredth of the number, or of 1 where it is smaller
    const moved = (/** @type {number} */ pixels, /** @type {boolean} */ done) => change(() => start + pixels * step(start), done)
    draggable(input, {
      step: 1,
      value: () => { const entry = served(); start = entry ? this.number(entry) : 0; return 0 },
      change: (pixels) => moved(pixels, false),
      ended: (pixels) => moved(pixels, true),
    })
  }

  /** @param {Entry} entry */
  leafOf(entry) {
    return /** @type {KnownLeaf} */ (this.leaves.get(entry.name))
  }

  /** @param {Entry} entry */
  number(entry) {
    const value = entry.held ?? this.leafOf(entry).value.values[entry.place]
    return typeof value === "number" ? value : 0
  }

  /**
   * @param {Entry} entry
   * @param {number} value
   * @param {boolean} done
   */
  set(entry, value, done) {
    const number = Number(value.toPrecision(4))
    entry.held = number
    for (const input of this.fieldsOf(entry)) this.typed.delete(input)
    this.choose(entry)
    this.fill(entry)
    this.onGrab(entry.name, entry.cell, number, done)
    this.draw()
    clearTimeout(this.timer)
    this.timer = setTimeout(() => { if (!this.covers()) this.range() }, SETTLED_MS)
  }

  /** @param {Entry} entry */
  fieldsOf(entry) {
    return entry === this.chosen ? [...entry.inputs, this.parts.field] : entry.inputs
  }

  /** @param {Entry | null} entry */
  refill(entry) {
    if (entry) this.fill(entry)
  }

  /** @param {Entry} entry */
  fill(entry) {
    const leaf = this.leafOf(entry)
    const known = leaf.value.values[entry.place]
    const number = entry.held ?? known
    for (const input of this.fieldsOf(entry)) {
      const text = input === this.parts.field ? exact(number, 4) : narrow(number)
      if (!this.typed.has(input) && input.value !== text) input.value = text
      input.classList.toggle("grabbed", leaf.overridden.includes(entry.cell))
      input.classList.toggle("chosen", entry === this.chosen)
    }
  }

  /** The answer has the numbers that were set. */
  settle() {
    for (const entry of this.entries.values()) entry.held = undefined
  }

  close() {
    clearTimeout(this.timer)
    this.plot.close()
  }

  /** @param {Entry | null} entry */
  choose(entry) {
    if (!entry || this.chosen === entry) return
    const before = this.chosen
    this.chosen = entry
    this.parts.which.value = entry.key
    this.typed.delete(this.parts.field)
    this.refill(before)
    this.fill(entry)
    this.range()
    this.draw()
  }

  /** Whether the curve that is shown or awaited is that of the chosen number, and reaches it. */
  covers() {
    const { chosen } = this, line = this.asked ?? this.line
    return Boolean(chosen && line?.entry === chosen && this.number(chosen) >= line.places[0] && this.number(chosen) <= (line.places.at(-1) ?? 0))
  }

  /**
   * Fetch the curve around the chosen number. The other numbers stay, so one curve serves until this one rests beyond its ends; while it moves,
   * the sixty runs of another curve would only make it wait.
   */
  async range() {
    const entry = this.chosen
    if (!entry) return
    const middle = this.number(entry), reach = 2 * Math.max(1, Math.abs(middle))
    const places = Array.from({ length: PLACES }, (_, place) => middle + reach * (2 * place / (PLACES - 1) - 1))
    const asked = (this.asked = { entry, places })
    if (this.line?.entry !== entry) this.plot.wait()
    const answer = await this.curve({ name: entry.name, cell: entry.cell, pass: this.leafOf(entry).pass, values: places })
    if (asked !== this.asked) return
    this.asked = null
    this.line = answer.values && answer.losses ? { entry, places: answer.values, losses: answer.losses } : null
    this.draw()
    if (answer.error) this.plot.fail(answer.error, button(t("Try again"), () => this.range()))
  }

  draw() {
    const entry = this.chosen
    if (!entry) return
    const leaf = this.leafOf(entry)
    const line = this.line?.entry === entry ? this.line : null
    const isReached = !leaf.requires_grad || this.reached.has(entry.name)
    const slope = isReached ? leaf.grad?.values[entry.place] : undefined
    const gaps = { cell: entry.title, loss: leaf.loss === null ? "?" : brief(leaf.loss), value: brief(leaf.value.values[entry.place]), slope: slope === undefined ? "" : brief(slope) }
    this.parts.caption.replaceChildren(...withTerms("p", "", !isReached
      ? t("The [[loss]] for other values of {cell}. The [[backward pass]] computes its slope here.", gaps)
      : slope === undefined ? t("[[Loss|loss]] {loss} at {cell} = {value}. No [[gradient]] flows to it.", gaps) : t("[[Loss|loss]] {loss} at {cell} = {value}. The slope there is the [[gradient]], {slope}.", gaps)).childNodes)
    if (line?.losses.every((loss) => loss === null)) return this.plot.fail(t("With other values of {cell} the script has no finite loss.", gaps))
    this.plot.draw({ title: entry.title, line, value: this.number(entry), settled: entry.held === undefined, loss: leaf.loss, slope: typeof slope === "number" ? slope : null })
  }
}

/**
 * @param {Leaf<Tile>} leaf
 * @returns {leaf is KnownLeaf}
 */
const isKnown = (leaf) => leaf.value !== null && leaf.editable

/**
 * @param {string} name
 * @param {number} place
 */
const keyOf = (name, place) => `${name} ${place}`

/**
 * @param {string} name
 * @param {Tile} value
 * @param {number} place
 * @returns {Entry}
 */
function entryOf(name, value, place) {
  const index = indexOf(value.shown, place)
  const cell = index.reduce((sum, part, axis) => sum * value.shape[axis] + part, 0)
  return { key: keyOf(name, place), name, place, cell, title: titleOf(name, index), inputs: [] }
}

/**
 * A cell as a script writes it, such as `x[0, 2]`.
 * @param {string} name
 * @param {number[]} index
 */
export const titleOf = (name, index) => (index.length ? `${name}[${index.join(", ")}]` : name)

/** @param {number} value */
const step = (value) => Math.max(1, Math.abs(value)) / 100
