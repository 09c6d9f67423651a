// The X-ray: the variables, the statement that computed the selected one as an equation, the sum behind a cell, and the memory.
// Everything comes from one report; pointing at cells sends no request.

import { alignment, button, element, find } from "../shared/dom.js"
import { exact } from "../shared/format.js"
import { withTerms } from "../shared/term.js"
import { plural, t } from "../shared/text.js"
import { indexOf, largest, rem, shade, slotOf, smallest } from "../shared/tile.js"
import { drawFigure, fit, operandOf, spaced } from "./equation.js"
import { Memory } from "./memory.js"
import { fly, places } from "./motion.js"
import { NO_REPORT, arrayNames, colouring, operator, placeOf, slotsOf, stepOf, stretching, subject, sumOf, tileOf, viewOf, WHOLE } from "./report.js"
import { Shelf } from "./shelf.js"

/**
 * @import { Report, Step, Tile } from "./documents.js"
 * @import { Figure } from "./equation.js"
 * @import { Colouring, Links, Stretch, Sum, View } from "./report.js"
 */

/**
 * A drawn tile, whose cells can be lit.
 * @typedef {object} Side
 * @property {"input" | "output"} role
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

const TALL = 15 // rem, of an equation that is scrolled in a lower room

/** @typedef {Figure & Pick<Side, "role" | "key" | "from" | "stretch">} Part of an equation */
/** @typedef {Map<Side, Set<number>>} Lit cells to light */
/** @typedef {{ side: Side, cell: number }} Place */

/** @type {Readonly<Record<string, string>>} */
const REASONS = {
  large: t("There are too many cells to trace one by one, so the inputs are not highlighted."),
  unknown: t("PyTorch does not report which input cells each output cell depends on here, so the inputs are not highlighted."),
}
/** @type {Readonly<Record<Colouring["meaning"], () => string>>} */
const LEGENDS = { value: () => t("orange above 0, blue below"), place: () => t("colour = place in memory"), result: () => t("one colour = one result") }

export class Xray {
  /**
   * @param {HTMLElement | ShadowRoot} root holds the elements .shelf, .stage and those inside it
   * @param {(line: number) => void} onLine called with the line of the script that is shown, 0 for none
   */
  constructor(root, onLine) {
    /** @type {HTMLElement} */
    this.stage = find(root, ".stage")
    const part = (/** @type {string} */ name) => /** @type {HTMLElement} */ (find(root, `.${name}`))
    this.parts = { head: part("heading"), equation: part("equation"), sum: part("sum"), where: part("where"), hint: part("hint"), facts: part("facts") }
    this.shelf = new Shelf(find(root, ".shelf"), (name) => this.choose(name))
    this.memory = new Memory(find(root, ".memory"))
    this.onLine = onLine
    this.report = NO_REPORT
    this.chosen = "" // the selected variable; empty for none
    this.step = -1 // the statement that is shown; −1 where the variable was given
    /** @type {number | null} the operation that is shown; `WHOLE` for the whole statement, null for the one that computed the variable */
    this.operation = null
    /** @type {View | null} */
    this.current = null
    this.drawn = "" // what is drawn, and in which room
    this.moved = "" // the statement whose cells have moved into their places
    /** @type {Side[]} */
    this.lit = []
    /** @type {Place | null} the cell that is pointed at */
    this.at = null
    this.pinned = false // whether it stays
    this.resting = false // whether nothing is pointed at
    this.stage.onpointermove = (event) => this.point(event.target)
    this.stage.onpointerleave = (event) => { if (event.pointerType === "mouse") this.point(null) }
    this.stage.onclick = (event) => this.pin(event.target)
    this.stage.onkeydown = (event) => this.key(event)
    this.stage.addEventListener("focusout", () => this.point(null))
    this.observer = new ResizeObserver(() => { if (this.report !== NO_REPORT && this.room() !== this.drawn) this.render() })
    this.observer.observe(this.stage)
  }

  room() {
    return [this.stage.clientWidth, this.stage.clientHeight, rem()].join()
  }

  /**
   * @param {Report} report
   * @param {string} [wanted] the variable to select
   */
  show(report, wanted = "") {
    this.report = report
    const arrays = arrayNames(report)
    const failed = report.steps.some((step) => step.failed)
    const before = this.current?.step.source, chosen = this.chosen
    this.chosen = arrays.includes(wanted) ? wanted : arrays.includes(chosen) && !failed ? chosen : arrays.at(-1) ?? ""
    const same = report.steps.findLastIndex((step) => step.source === before && step.outputs.some(({ name }) => name === this.chosen))
    this.step = same >= 0 && this.chosen === chosen ? same : stepOf(report, this.chosen)
    this.operation = null
    this.shelf.show(report)
    this.render()
  }

  /**
   * @param {string} name of a variable
   * @param {number} [step] the statement to show
   */
  choose(name, step = stepOf(this.report, name)) {
    this.chosen = name
    this.step = step
    this.operation = null
    this.pinned = false
    this.render()
  }

  /** @param {1 | -1} by to the next statement, or to the one before */
  walk(by) {
    const { steps } = this.report
    const places = [...steps.keys()].filter((place) => subject(this.report, steps[place]))
    if (!places.length) return
    const next = places.at((places.indexOf(this.step) + by) % places.length) ?? places[0]
    this.choose(subject(this.report, steps[next]), next)
  }

  /** Draw everything that belongs to the selected variable; a cell that was pinned stays so, if it is still there. */
  render() {
    const before = this.lit, then = places(before), pin = this.pinned ? this.at : null
    this.lit = []
    this.at = null
    this.pinned = false
    this.shelf.select(this.chosen)
    const step = this.report.steps[this.step]
    const view = (this.current = step ? viewOf(step, this.chosen, this.operation) : null)
    const tile = tileOf(this.report, this.chosen)
    this.stage.classList.toggle("none", !tile)
    this.onLine(view ? view.step.line : 0)
    if (!tile) {
      for (const part of Object.values(this.parts)) part.replaceChildren()
      this.memory.clear()
      this.parts.equation.append(withTerms("p", "empty", t("Assign a [[tensor]] to a variable, such as `x = torch.arange(6)`, and it appears here.")))
      return
    }
    const colours = view ? colouring(view, this.report.tiles) : null
    this.parts.head.replaceChildren(...this.heading(view, colours?.meaning ?? "value"))
    this.parts.facts.replaceChildren(...(view ? this.facts(view) : []))
    const { names } = this.report
    const source = colours?.source && names[colours.source.name]
    this.memory.show(this.report, this.chosen, tile, source && source.storage === names[this.chosen].storage ? colours.slot : undefined)
    this.draw(view && colours ? this.equation(view, colours) : [this.given(tile)], view)
    this.drawn = this.room()
    const moved = `${this.chosen} ${this.step} ${this.operation} ${view?.step.source} ${this.lit.map((side) => side.tile.shape)}`
    if (moved !== this.moved) fly(this.parts.equation, this.lit, before, then)
    this.moved = moved
    const side = pin && this.lit.find((each) => each.role === pin.side.role && each.key === pin.side.key && each.name === pin.side.name && each.cells.length > pin.cell)
    if (side) this.hold({ side, cell: pin.cell })
    else this.rest()
  }

  /**
   * @param {View | null} view null for a variable that was there before the script
   * @param {Colouring["meaning"]} meaning
   */
  heading(view, meaning) {
    const back = button("‹", () => this.walk(-1), { name: "walk", label: t("Previous statement") })
    const on = button("›", () => this.walk(1), { name: "walk", label: t("Next statement") })
    const legend = element("span", `legend ${meaning}`)
    legend.append(element("span", "swatch"), LEGENDS[meaning]())
    const source = element("code", "source", view ? view.step.source.split("\n")[0] : this.chosen)
    const line = view ? [element("span", "line", t("line {line}", { line: view.step.line }))] : []
    if (view && view.step.times > 1) line.push(element("span", "times", runs(view.step)))
    const first = element("div", "first")
    first.append(back, on, source, ...line, legend)
    return view && view.inner.length > 1 ? [first, this.crumbs(view)] : [first]
  }

  /** @param {View} view */
  crumbs({ inner, at }) {
    const crumbs = element("div", "crumbs")
    crumbs.setAttribute("role", "group")
    crumbs.setAttribute("aria-label", t("Part of the line"))
    const labels = [t("whole line"), ...inner.map((operation) => operation.source)]
    crumbs.append(...labels.map((label, place) => {
      const crumb = button(label, () => { this.operation = place + WHOLE; this.pinned = false; this.render() }, { name: "crumb" })
      if (place) crumb.translate = false // code
      crumb.setAttribute("aria-pressed", String(at === place + WHOLE))
      return crumb
    }))
    return crumbs
  }

  /**
   * @param {Tile} tile
   * @returns {Part}
   */
  given(tile) {
    return { role: "output", name: this.chosen, tile, colour: (cell) => shade(tile.values[cell], largest([tile])), key: "", from: {}, stretch: null }
  }

  /**
   * @param {View} view
   * @param {Colouring} colours
   * @returns {Part[]}
   */
  equation(view, colours) {
    const { tiles } = this.report
    const { inputs, outputs } = view
    return [
      ...inputs.map((input, place) => /** @type {Part} */ ({
        role: "input", name: input.name, tile: tiles[input.tile], key: input.key, from: {}, colour: (cell) => colours.input(input, cell),
        stretch: stretching(view, input, place, tiles), when: outputs.some((output) => output.name === input.name) ? t("before") : "",
      })),
      ...outputs.map((output) => /** @type {Part} */ ({
        role: "output", name: output.name, tile: tiles[output.tile], key: "", from: output.from, stretch: null, colour: (cell) => colours.output(output, cell),
      })),
    ]
  }

  /**
   * Draw the equation on one line; where it is wider than its room, its result is in view.
   * @param {Part[]} parts
   * @param {View | null} view
   */
  draw(parts, view) {
    const box = this.parts.equation, row = element("div", "row")
    box.replaceChildren(row)
    const room = { width: box.clientWidth - 0.5 * rem(), height: box.clientHeight - 0.5 * rem(), rem: rem(), smallest: smallest() }
    const sizes = fit(parts.map(operandOf), room, { tall: TALL })
    for (const [place, part] of parts.entries()) {
      if (place) row.append(element("span", "sign", view ? signBefore(view, place) : ""))
      const { figure, box: tile, cells, columns } = drawFigure(part, sizes[place])
      const { role, name, tile: shown, key, from, stretch } = part
      this.lit.push({ role, name, tile: shown, key, from, stretch, box: tile, cells, columns, on: new Set() })
      row.append(figure)
    }
    spaced(row, box)
    box.scrollLeft = box.scrollWidth
  }

  /** @param {View} view */
  facts({ step, picture, inputs }) {
    const parts = []
    if (picture.stretched?.some((row) => row.some((dimension) => dimension.stretched))) parts.push(alignment(picture.stretched, inputs.map((input) => input.name)))
    const notes = element("div", "notes")
    if (parts.length) notes.append(withTerms("p", "note", t("[[Broadcasting|broadcasting]]: the pale cells are repeated, and need no memory.")))
    for (const note of step.notes) notes.append(withTerms("p", "note", note))
    const reason = REASONS[step.reason]
    if (reason) notes.append(element("p", "note", reason))
    return notes.childElementCount ? [...parts, notes] : parts
  }

  /**
   * Arrow keys walk over the cells of a tile, Enter pins one and Escape frees it, so that nothing needs a mouse.
   * @param {KeyboardEvent} event
   */
  key(event) {
    if (event.key === "Escape" && this.pinned) {
      this.free()
      return
    }
    const side = this.lit.find(({ box }) => box === event.target)
    if (!side) return
    if (event.key === "Enter" && this.at) {
      this.pin(this.at.side.cells[this.at.cell])
      return
    }
    /** @type {Record<string, number>} */
    const moves = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -side.columns, ArrowDown: side.columns }
    const move = moves[event.key]
    if (!move) return
    event.preventDefault()
    const now = this.at?.side === side ? this.at.cell : move > 0 ? -move : 0
    const place = { side, cell: Math.max(0, Math.min(side.cells.length - 1, now + move)) }
    if (this.pinned) this.hold(place)
    else this.look(place)
  }

  /** @param {EventTarget | null} target null for none */
  point(target) {
    if (this.pinned) return
    const slot = target instanceof HTMLElement ? target.dataset.slot : undefined
    const place = this.placeOf(target)
    if (slot !== undefined) {
      this.at = null
      this.resting = false
      this.light(this.sidesAt(Number(slot)), Number(slot))
    } else if (place) this.look(place)
    else if (!this.resting) this.rest()
  }

  /**
   * A click on a cell pins it: its sum stays while the pointer is elsewhere. A second one, or Escape, frees it.
   * @param {EventTarget | null} target
   */
  pin(target) {
    const place = this.placeOf(target)
    if (!place) return
    if (this.pinned && this.at?.side === place.side && this.at.cell === place.cell) this.free()
    else this.hold(place)
  }

  /** @param {Place} place */
  hold(place) {
    this.free()
    this.look(place)
    this.pinned = true
    place.side.cells[place.cell].classList.add("pinned")
    this.parts.hint.textContent = t("Pinned. Click it again to free it, or press Escape.")
  }

  free() {
    this.pinned = false
    if (this.at) this.at.side.cells[this.at.cell].classList.remove("pinned")
    this.at = null
    this.rest()
  }

  /**
   * @param {EventTarget | null} target
   * @returns {Place | null}
   */
  placeOf(target) {
    if (!(target instanceof HTMLElement) || target.dataset.cell === undefined) return null
    const side = this.lit.find(({ box }) => box.contains(target))
    return side ? { side, cell: Number(target.dataset.cell) } : null
  }

  /** @param {Place} place */
  look({ side, cell }) {
    if (this.at?.side === side && this.at.cell === cell) return
    this.at = { side, cell }
    this.resting = false
    this.follow(side, cell)
    this.stage.classList.add("pointed")
    this.parts.hint.textContent = ""
  }

  /** With no cell pointed at, the last cell of the result stands for all: the sum is never empty. */
  rest() {
    this.at = null
    this.resting = true
    this.stage.classList.remove("pointed")
    const side = this.lit.findLast(({ role, cells }) => role === "output" && cells.length)
    if (side) this.follow(side, side.cells.length - 1)
    else this.light(new Map(), null)
    this.parts.where.textContent = ""
    this.parts.hint.textContent = t("Point at a cell to see where it is stored and how it was computed. Click to pin it.")
  }

  /**
   * Highlight everything that depends on one cell, and describe it.
   * @param {Side} side
   * @param {number} cell
   */
  follow(side, cell) {
    /** @type {Lit} */
    const lit = new Map([[side, new Set([cell])]])
    const real = side.stretch ? side.stretch.from[cell][0] : cell
    if (side.role === "output") for (const other of this.lit) if (other.role === "input") this.add(lit, other, side.from[other.key]?.[cell] ?? [])
    if (side.role === "input") {
      for (const other of this.lit) {
        if (other.role !== "output") continue
        const from = other.from[side.key] ?? []
        this.add(lit, other, side.stretch ? [cell] : from.flatMap((cells, place) => (cells.includes(real) ? [place] : [])))
      }
      if (side.stretch) this.add(lit, side, [real])
    }
    const resident = this.resident(side)
    const slot = resident && slotOf(resident, indexOf(side.tile.shown, real))
    if (slot !== null) for (const [other, cells] of this.sidesAt(slot)) for (const each of cells) this.add(lit, other, [each])
    this.light(lit, slot)
    this.explain(side, real, cell)
  }

  /**
   * The tile of a side as it lies in the memory that is drawn; null where its tensor is no longer on the shelf, or lies elsewhere.
   * @param {Side} side
   */
  resident({ role, name, tile }) {
    const { names } = this.report
    const now = tileOf(this.report, name)
    if (role === "output" && name === this.chosen && tile.first === now?.first) return tile
    if (!now || names[name].storage !== names[this.chosen].storage) return null
    return now.shape.join() === tile.shape.join() ? now : null
  }

  /**
   * @param {Lit} lit
   * @param {Side} side
   * @param {number[]} cells of its tile
   */
  add(lit, side, cells) {
    const all = lit.get(side) ?? new Set()
    lit.set(side, all)
    for (const cell of cells) {
      if (side.stretch) side.stretch.from.forEach(([source], place) => { if (source === cell) all.add(place) })
      else all.add(cell)
    }
  }

  /**
   * Which cells lie in a slot.
   * @param {number} slot
   */
  sidesAt(slot) {
    /** @type {Lit} */
    const sides = new Map()
    for (const side of this.lit) {
      const resident = this.resident(side)
      if (resident) this.add(sides, side, slotsOf(resident).flatMap((each, cell) => (each === slot ? [cell] : [])))
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
      for (const cell of side.on) {
        if (!cells.has(cell)) side.cells[cell].classList.remove("on")
        side.cells[cell].style.removeProperty("--ring")
      }
      for (const cell of cells) side.cells[cell].classList.add("on")
      side.on = cells
    }
    this.memory.light(slot)
  }

  /**
   * Describe a cell: its value, the sum behind it, and its place in memory.
   * @param {Side} side
   * @param {number} cell of its tile
   * @param {number} place where the cell is drawn
   */
  explain(side, cell, place) {
    const { tile, name } = side
    const index = indexOf(tile.shown, cell)
    const called = placeOf(name, tile, cell)
    const steps = index.map((at, axis) => `${at}·${tile.strides[axis]}`)
    const total = tile.offset + index.reduce((all, at, axis) => all + at * tile.strides[axis], 0)
    this.parts.where.textContent = t("{cell} lies in slot {sum} = {total}", { cell: called, sum: [...steps, tile.offset].join(" + "), total })
    const write = (/** @type {number} */ digits) => (side.role === "output" && this.current ? sumOf(this.current, this.report.tiles, side, place, digits) : { parts: [], terms: [] })
    const sum = write(3)
    this.write(sum.parts.length ? sum : { parts: [{ text: `${called} = ${exact(tile.values[cell], 3)}` }], terms: [] })
    this.parts.sum.title = [`${called} = `, ...(sum.parts.length ? write(8).parts.map(({ text }) => text) : [exact(tile.values[cell], 8)])].join("")
  }

  /**
   * Write a sum, each of its terms in a colour that its cells have around them.
   * @param {Sum} sum
   */
  write({ parts, terms }) {
    const box = this.parts.sum
    box.replaceChildren(...parts.map(({ text, term }) => {
      const part = element("span", term === undefined ? "" : "term", text)
      if (term !== undefined) part.style.setProperty("--term", `var(--term-${term})`)
      return part
    }))
    box.classList.remove("long")
    box.classList.toggle("long", box.scrollWidth > box.clientWidth)
    const coloured = new Set(parts.flatMap(({ term }) => term ?? []))
    for (const term of coloured) {
      for (const { key, cell } of terms[term]) {
        const side = this.lit.find((other) => other.role === "input" && other.key === key)
        for (const place of side?.on ?? []) if (side && (side.stretch ? side.stretch.from[place][0] : place) === cell) side.cells[place].style.setProperty("--ring", `var(--term-${term})`)
      }
    }
  }

  close() {
    this.observer.disconnect()
  }
}

/**
 * What stands before a tile of an equation.
 * @param {View} view
 * @param {number} place of the tile
 */
function signBefore({ inputs, picture }, place) {
  if (place > inputs.length) return ","
  if (place === inputs.length) return inputs.length > 1 && (picture.kind === "sign" || picture.kind === "products") ? "=" : "→"
  return picture.kind === "whole" ? "," : picture.kind === "sign" || picture.word === "@" ? operator(picture.word) : ","
}

/**
 * How often a statement ran, and which of its runs is shown.
 * @param {Step} step
 */
function runs({ times, shown }) {
  if (shown === times) return plural("ran {n} time; the last one is shown", "ran {n} times; the last one is shown", times)
  return t("ran {times} times; run {shown} is shown", { times, shown })
}
