// The X-ray: the variables, the statement that computed the selected one with its inputs and outputs, and its memory.
// Everything comes from one report; pointing at cells sends no request.

import { alignment, element, find, rich } from "../shared/dom.js"
import { exact, shapeText, short } from "../shared/format.js"
import { plural, t } from "../shared/text.js"
import { draw, indexOf, largest, miniature, shade, slotOf } from "../shared/tile.js"
import { NO_REPORT, arrayNames, cellsIn, colouring, originText, storedValues, stretching, tileOf, viewOf, written } from "./report.js"

/**
 * @import { ArrayFacts, Report, Tile, ValueFacts } from "./documents.js"
 * @import { Links, Stretch, View } from "./report.js"
 */

/**
 * A drawn tile, whose cells can be lit.
 * @typedef {object} Side
 * @property {"input" | "output" | "shared"} role `shared` for the other tensors of the memory
 * @property {string} name
 * @property {Tile} tile
 * @property {string} key of an input, under which links have it
 * @property {Links} from of an output
 * @property {Stretch | null} stretch
 * @property {HTMLElement} box
 * @property {HTMLElement[]} cells
 * @property {number} columns
 * @property {Set<number>} on the cells that are lit
 */

/** @typedef {Map<Side, Set<number>>} Lit cells to light */

const SLOTS = 200 // of a storage that are drawn
/** @type {Readonly<Record<string, string>>} */
const REASONS = {
  large: t("There are too many cells to trace one by one, so the inputs are not highlighted."),
  unknown: t("PyTorch does not report which input cells each output cell depends on here, so the inputs are not highlighted."),
}

export class Xray {
  /**
   * @param {HTMLElement | ShadowRoot} root holds the elements .shelf, .stage and .memory
   * @param {(line: number) => void} onLine called with the line of the script that is shown, 0 for none
   */
  constructor(root, onLine) {
    /** @type {HTMLElement} */
    this.shelf = find(root, ".shelf")
    /** @type {HTMLElement} */
    this.stage = find(root, ".stage")
    /** @type {HTMLElement} */
    this.memory = find(root, ".memory")
    this.onLine = onLine
    this.report = NO_REPORT
    this.chosen = "" // the selected variable; empty for none
    /** @type {number | null} the operation that is shown; null for the whole statement */
    this.operation = null
    /** @type {View | null} */
    this.current = null
    this.width = 0 // of the stage when it was drawn
    /** @type {HTMLElement[]} */
    this.cards = []
    /** @type {Side[]} */
    this.lit = []
    /** @type {{ side: Side, cell: number } | null} the cell that is pointed at */
    this.at = null
    /** @type {HTMLElement[]} */
    this.slots = []
    /** @type {number | null} the slot that is lit */
    this.slot = null
    this.where = element("p", "where")
    this.sum = element("p", "sum")
    this.info = element("div", "info")
    this.info.append(this.where, this.sum)
    for (const part of [this.stage, this.memory]) {
      part.onpointermove = part.onpointerdown = (event) => this.point(event.target)
      part.onpointerleave = (event) => { if (event.pointerType === "mouse") this.point(null) }
      part.onkeydown = (event) => this.key(event)
      part.addEventListener("focusout", () => this.point(null))
    }
    this.observer = new ResizeObserver(() => { if (this.report !== NO_REPORT && this.stage.clientWidth !== this.width) this.render() })
    this.observer.observe(this.stage)
  }

  /**
   * @param {Report} report
   * @param {string} [wanted] the variable to select
   */
  show(report, wanted = "") {
    this.report = report
    const arrays = arrayNames(report)
    const failed = report.steps.some((step) => step.failed)
    this.chosen = arrays.includes(wanted) ? wanted : arrays.includes(this.chosen) && !failed ? this.chosen : arrays.at(-1) ?? ""
    this.operation = null
    this.cards = Object.entries(report.names).map(([name, facts]) => this.card(name, facts))
    this.shelf.replaceChildren(...this.cards)
    this.render()
  }

  /** @param {string} name */
  choose(name) {
    this.chosen = name
    this.operation = null
    for (const card of this.cards) card.setAttribute("aria-pressed", String(card.dataset.name === name))
    this.render()
  }

  /**
   * @param {string} name
   * @param {ArrayFacts | ValueFacts} facts
   */
  card(name, facts) {
    const head = element("span", "title")
    head.append(element("code", "name", name))
    if (facts.kind === "value") {
      const card = element("div", "card")
      card.dataset.name = name
      card.append(head, element("span", "plain", facts.text), element("span", "fact", facts.type))
      return card
    }
    const tile = this.report.tiles[facts.tile]
    if (tile.kind === "tensor") head.append(element("span", tile.device === "cpu" ? "device" : "device other", tile.device))
    const card = element("button", "card")
    card.dataset.name = name
    card.type = "button"
    card.setAttribute("aria-pressed", String(name === this.chosen))
    card.onclick = () => this.choose(name)
    const value = tile.values.length === 1 && !tile.shape.length ? element("span", "plain", exact(tile.values[0])) : miniature(tile, largest([tile]))
    card.append(head, value, element("span", "fact", `${shapeText(tile.shape)} ${tile.kind === "array" ? "np." : ""}${tile.dtype}`))
    const origin = originText(facts)
    if (origin) card.append(element("span", `origin ${facts.origin}`, origin))
    return card
  }

  render() {
    this.width = this.stage.clientWidth
    this.lit = []
    const view = (this.current = viewOf(this.report, this.chosen, this.operation))
    const tile = tileOf(this.report, this.chosen)
    if (!tile) {
      this.stage.replaceChildren(element("p", "empty", t("Variables that hold a tensor or an array appear here.")))
      this.memory.replaceChildren()
      return
    }
    this.onLine(view ? view.step.line : 0)
    this.stage.replaceChildren(...(view ? [this.heading(view), this.tiles(view), this.info, this.facts(view)] : [this.given(tile), this.info]))
    this.renderMemory(tile)
    this.rest()
  }

  /** @param {View} view */
  heading({ step, inner }) {
    const head = element("header", "head")
    head.append(element("span", "line", t("line {line}", { line: step.line })), element("code", "source", step.source.split("\n")[0]))
    if (step.times > 1) head.append(element("span", "times", plural("ran {n} time; the last one is shown", "ran {n} times; the last one is shown", step.times)))
    if (inner.length > 1) {
      const crumbs = element("div", "crumbs")
      crumbs.setAttribute("role", "group")
      crumbs.setAttribute("aria-label", t("Part of the line"))
      const labels = [t("whole line"), ...inner.map((operation) => operation.source)]
      labels.forEach((label, place) => {
        const button = element("button", "crumb", label)
        button.type = "button"
        button.setAttribute("aria-pressed", String((this.operation ?? -1) === place - 1))
        button.onclick = () => { this.operation = place ? place - 1 : null; this.render() }
        crumbs.append(button)
      })
      head.append(crumbs)
    }
    return head
  }

  /** @param {Tile} tile */
  given(tile) {
    const row = element("div", "flow")
    row.append(this.figure(tile, this.chosen, (cell) => shade(tile.values[cell], largest([tile])), { role: "output" }))
    return row
  }

  /** @param {View} view */
  tiles(view) {
    const { tiles } = this.report
    const { inputs, outputs, picture } = view
    const colours = colouring(view, tiles)
    const row = element("div", "flow")
    inputs.forEach((input, place) => {
      if (place && picture.kind !== "whole") row.append(element("span", "sign", picture.kind === "sign" || picture.word === "@" ? picture.word : ","))
      const when = outputs.some((output) => output.name === input.name) ? t("before") : ""
      row.append(this.figure(tiles[input.tile], input.name, (cell) => colours.input(input, cell), { role: "input", key: input.key, stretch: stretching(view, input, place, tiles), when }))
    })
    if (inputs.length) row.append(element("span", "sign", picture.kind === "sign" || picture.kind === "products" ? "=" : "→"))
    for (const output of outputs) row.append(this.figure(tiles[output.tile], output.name, (cell) => colours.output(output, cell), { role: "output", from: output.from }))
    return row
  }

  /**
   * @param {Tile} tile
   * @param {string} name
   * @param {(cell: number) => string} colour
   * @param {{ role: Side["role"], key?: string, from?: Links, stretch?: Stretch | null, when?: string }} part
   */
  figure(tile, name, colour, { role, key = "", from = {}, stretch = null, when = "" }) {
    const figure = element("figure", `side ${role}`)
    const caption = element("figcaption")
    const shape = shapeText(tile.shape)
    caption.append(element("code", "name", name), ...(when ? [element("span", "shape", when)] : []), element("span", "shape", shape))
    const width = Math.max(160, Math.min(this.width - 24, this.width > 900 ? 560 : this.width - 24))
    const label = t("{name}: shape {shape}, {dtype}", { name, shape, dtype: tile.dtype })
    const { box, cells, columns } = stretch
      ? draw(tile, { width, label, shown: stretch.shown, value: (cell) => tile.values[stretch.from[cell][0]], colour: (cell) => colour(stretch.from[cell][0]), ghost: (cell) => !stretch.first[cell] })
      : draw(tile, { width, label, colour })
    this.lit.push({ role, name, tile, key, from, stretch, box, cells, columns, on: new Set() })
    figure.append(caption, box)
    if (stretch) figure.append(element("p", "detail", t("broadcast from {shape} to {wide}: the pale cells are repeated", { shape, wide: shapeText(stretch.shown) })))
    const layout = { strides: shapeText(tile.strides), offset: tile.offset }
    const text = tile.contiguous ? t("strides {strides} · offset {offset}", layout) : t("strides {strides} · offset {offset} · not contiguous", layout)
    figure.append(element("p", "detail", text))
    if (tile.shown.some((size, axis) => size < tile.shape[axis])) figure.append(element("p", "detail", t("showing {part} of {shape}", { part: shapeText(tile.shown), shape })))
    return figure
  }

  /** @param {View} view */
  facts({ step, picture, inputs }) {
    const box = element("div", "facts")
    if (picture.stretched?.some((row) => row.some((dimension) => dimension.stretched))) box.append(alignment(picture.stretched, inputs.map((input) => input.name)))
    for (const note of step.notes) box.append(rich("p", "note", note))
    const reason = REASONS[step.reason]
    if (reason) box.append(element("p", "note", reason))
    return box
  }

  /** @param {Tile} tile of the selected variable */
  renderMemory(tile) {
    const { names, tiles } = this.report
    const { storage } = names[this.chosen]
    const sharing = Object.entries(names).flatMap(([name, other]) => (other.kind !== "value" && other.storage === storage ? [{ name, tile: tiles[other.tile] }] : []))
    const title = sharing.length > 1 ? plural("One storage, shared by {n} variable", "One storage, shared by {n} variables", sharing.length) : t("Storage")
    const size = { slots: tile.slots.toLocaleString("en"), bytes: tile.itemsize, device: tile.device }
    const head = element("header", "head")
    head.append(element("h3", "", title), element("span", "fact", plural("{slots} slot × {bytes} B on {device}", "{slots} slots × {bytes} B on {device}", tile.slots, size)))
    const values = storedValues(sharing.map((other) => other.tile), tile.itemsize)
    const most = largest([tile])
    const bar = element("div", "bar")
    this.slots = []
    for (let slot = 0; slot < Math.min(tile.slots, SLOTS); slot++) {
      const value = values.get(slot)
      const one = element("span", value === undefined ? "slot unused" : "slot")
      one.style.background = value === undefined ? "transparent" : shade(value, most)
      if (tile.slots <= 40 && value !== undefined) one.textContent = short(value)
      one.dataset.slot = String(slot)
      this.slots.push(one)
      bar.append(one)
    }
    bar.classList.toggle("dense", tile.slots > 40)
    const parts = [head, bar]
    if (tile.slots > SLOTS) parts.push(element("p", "detail", plural("showing the first {n} slot", "showing the first {n} slots", SLOTS)))
    const others = element("div", "flow")
    for (const other of sharing) {
      if (other.name === this.chosen) continue
      others.append(this.figure(other.tile, other.name, (cell) => shade(other.tile.values[cell], most), { role: "shared" }))
    }
    if (others.childElementCount) parts.push(element("p", "detail", t("These share the same memory: changing one changes the others.")), others)
    this.memory.replaceChildren(...parts)
  }

  /**
   * Arrow keys walk over the cells of a tile, so that nothing needs a mouse.
   * @param {KeyboardEvent} event
   */
  key(event) {
    const side = this.lit.find(({ box }) => box === event.target)
    if (!side) return
    /** @type {Record<string, number>} */
    const moves = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -side.columns, ArrowDown: side.columns }
    const move = moves[event.key]
    if (!move) return
    event.preventDefault()
    const now = this.at?.side === side ? this.at.cell : move > 0 ? -move : 0
    this.point(side.cells[Math.max(0, Math.min(side.cells.length - 1, now + move))])
  }

  /** @param {EventTarget | null} target null for none */
  point(target) {
    const place = target instanceof HTMLElement ? target : null
    const slot = place?.dataset.slot
    if (slot !== undefined) return this.light(this.sidesAt(Number(slot)), Number(slot))
    const box = place?.closest(".tile")
    if (!box) return this.rest()
    const side = this.lit.find((each) => each.box === box)
    const cell = Number(place?.dataset.cell) // NaN beside the cells
    if (!side || Number.isNaN(cell) || (this.at?.side === side && this.at.cell === cell)) return
    this.at = { side, cell }
    this.follow(side, cell)
  }

  rest() {
    this.at = null
    this.light(new Map(), null)
    this.where.textContent = t("Point at a cell to see where it is stored and how it was computed.")
    this.sum.textContent = ""
  }

  /**
   * Highlight everything that depends on one cell.
   * @param {Side} side
   * @param {number} cell
   */
  follow(side, cell) {
    /** @type {Lit} */
    const lit = new Map([[side, new Set([cell])]])
    const real = side.stretch ? side.stretch.from[cell][0] : cell
    const index = indexOf(side.tile.shown, real)
    if (side.role === "output") for (const other of this.lit) if (other.role === "input") this.add(lit, other, side.from[other.key]?.[cell] ?? [])
    if (side.role === "input") {
      for (const other of this.lit) {
        if (other.role !== "output") continue
        const from = other.from[side.key] ?? []
        this.add(lit, other, side.stretch ? [cell] : from.flatMap((cells, place) => (cells.includes(real) ? [place] : [])))
      }
      if (side.stretch) this.add(lit, side, [real])
    }
    const slot = this.slotAt(side, index)
    if (slot !== null) for (const [other, cells] of this.sidesAt(slot)) for (const each of cells) this.add(lit, other, [each], true)
    this.light(lit, slot)
    this.explain(side, real, index, cell)
  }

  /**
   * The slot of a cell in the memory that is drawn; null where its tensor is no longer on the shelf, or lies elsewhere.
   * @param {Side} side
   * @param {number[]} index
   */
  slotAt({ role, name, tile }, index) {
    const { names } = this.report
    const now = tileOf(this.report, name)
    if (role === "shared" || (role === "output" && name === this.chosen && tile.first === now?.first)) return slotOf(tile, index)
    if (!now || names[name].storage !== names[this.chosen].storage) return null
    return now.shape.join() === tile.shape.join() ? slotOf(now, index) : null
  }

  /**
   * @param {Lit} lit
   * @param {Side} side
   * @param {number[]} cells
   */
  add(lit, side, cells, plain = false) {
    const all = lit.get(side) ?? new Set()
    lit.set(side, all)
    for (const cell of cells) {
      if (side.stretch && !plain) side.stretch.from.forEach(([source], place) => { if (source === cell) all.add(place) })
      else all.add(cell)
    }
  }

  /**
   * Which cells of the shared tiles, and of the chosen one, lie in a slot.
   * @param {number} slot
   */
  sidesAt(slot) {
    /** @type {Lit} */
    const sides = new Map()
    for (const side of this.lit) {
      if (side.role !== "shared" && !(side.role === "output" && side.name === this.chosen)) continue
      const cells = cellsIn(side.tile, slot)
      if (cells.length) sides.set(side, new Set(cells))
    }
    return sides
  }

  /**
   * @param {Lit} lit
   * @param {number | null} slot
   */
  light(lit, slot) {
    for (const side of this.lit) {
      const cells = lit.get(side) ?? new Set()
      side.box.classList.toggle("dim", lit.size > 0 && side.role !== "shared")
      for (const cell of side.on) if (!cells.has(cell)) side.cells[cell]?.classList.remove("on")
      for (const cell of cells) side.cells[cell]?.classList.add("on")
      side.on = cells
    }
    if (this.slot !== null) this.slots[this.slot]?.classList.remove("on")
    this.slot = slot
    if (slot !== null) this.slots[slot]?.classList.add("on")
  }

  /**
   * Describe a cell: its index, its place in memory, and the sum behind it.
   * @param {Side} side
   * @param {number} cell of its tile
   * @param {number[]} index
   * @param {number} place where the cell is drawn
   */
  explain(side, cell, index, place) {
    const { tile, name } = side
    const steps = index.map((at, axis) => `${at}·${tile.strides[axis]}`)
    const sum = [...steps, tile.offset].join(" + ")
    const total = tile.offset + index.reduce((all, at, axis) => all + at * tile.strides[axis], 0)
    this.where.textContent = `${name}[${index.join(", ")}] = ${exact(tile.values[cell])}    ${t("slot {sum} = {total}", { sum, total })}`
    this.sum.textContent = side.role === "output" && this.current ? written(this.current, this.report.tiles, side, place) : ""
  }

  close() {
    this.observer.disconnect()
  }
}
