// The X-ray: the variables, the statement that computed the selected one with its inputs and outputs, and its memory.
// Everything comes from one report; pointing at cells sends no request.

import { alignment, element, rich } from "../shared/dom.js"
import { exact, shapeText, short } from "../shared/format.js"
import { draw, hue, indexOf, largest, miniature, shade, slotOf } from "../shared/tile.js"

const TERMS = 6 // of a written-out sum
const SLOTS = 200 // of a storage that are drawn

export class Xray {
  // `root` holds the elements .shelf, .stage and .memory; `onLine(line)` gets the line of the script that is shown.
  constructor(root, onLine) {
    this.shelf = root.querySelector(".shelf")
    this.stage = root.querySelector(".stage")
    this.memory = root.querySelector(".memory")
    this.onLine = onLine
    this.lit = []
    for (const part of [this.stage, this.memory]) {
      part.onpointermove = part.onpointerdown = (event) => this.point(event.target)
      part.onpointerleave = (event) => { if (event.pointerType === "mouse") this.point(null) }
      part.onkeydown = (event) => this.key(event)
      part.addEventListener("focusout", () => this.point(null))
    }
    this.observer = new ResizeObserver(() => { if (this.report && this.stage.clientWidth !== this.width) this.render() })
    this.observer.observe(this.stage)
  }

  show(report, wanted) {
    this.report = report
    const names = Object.keys(report.names)
    const arrays = names.filter((name) => report.names[name].tile !== undefined)
    const failed = report.steps.find((step) => step.failed)
    this.chosen = arrays.includes(wanted) ? wanted : arrays.includes(this.chosen) && !failed ? this.chosen : arrays.at(-1)
    this.operation = null
    this.renderShelf()
    this.render()
  }

  choose(name) {
    this.chosen = name
    this.operation = null
    for (const card of this.shelf.children) card.setAttribute("aria-pressed", String(card.dataset.name === name))
    this.render()
  }

  renderShelf() {
    const { names, tiles } = this.report
    this.shelf.replaceChildren(...Object.entries(names).map(([name, facts]) => this.card(name, facts, tiles[facts.tile])))
  }

  card(name, facts, tile) {
    const card = element(tile ? "button" : "div", "card")
    card.dataset.name = name
    const head = element("span", "title")
    head.append(element("code", "name", name))
    if (tile?.kind === "tensor") head.append(element("span", tile.device === "cpu" ? "device" : "device other", tile.device))
    card.append(head)
    if (!tile) {
      card.append(element("span", "plain", facts.text), element("span", "fact", facts.type))
      return card
    }
    card.type = "button"
    card.setAttribute("aria-pressed", String(name === this.chosen))
    card.onclick = () => this.choose(name)
    const value = tile.values.length === 1 && !tile.shape.length ? element("span", "plain", exact(tile.values[0])) : miniature(tile, largest([tile]))
    card.append(value, element("span", "fact", `${shapeText(tile.shape)} ${tile.kind === "array" ? "np." : ""}${tile.dtype}`))
    const origin = originText(facts)
    if (origin) card.append(element("span", `origin ${facts.origin}`, origin))
    return card
  }

  // What the stage shows: a whole statement, or one operation inside it.
  view() {
    const step = [...this.report.steps].reverse().find((each) => each.outputs.some((output) => output.name === this.chosen))
    if (!step) return null
    const inner = step.operations.filter((operation) => operation.outputs.length && operation.inputs.length)
    const single = inner.length === 1 && step.outputs.every((output) => inner[0].outputs.some((other) => other.tile === output.tile))
    const operation = this.operation !== null ? inner[this.operation] : single ? inner[0] : null
    const named = Object.fromEntries(step.outputs.map((output) => [output.tile, output.name]))
    if (operation) {
      const inputs = operation.inputs.map((input, place) => ({ ...input, key: String(place) }))
      const outputs = operation.outputs.map((output) => ({ ...output, name: named[output.tile] ?? operation.source }))
      return { step, inner, inputs, outputs, picture: operation.picture }
    }
    const inputs = step.inputs.map((input) => ({ ...input, key: input.name }))
    return { step, inner, inputs, outputs: step.outputs, picture: { kind: "whole" } }
  }

  render() {
    this.width = this.stage.clientWidth
    this.lit = []
    const view = (this.current = this.view())
    const tile = this.report.tiles[this.report.names[this.chosen]?.tile]
    this.info = element("div", "info")
    this.info.append(element("p", "where"), element("p", "sum"))
    if (!tile) {
      this.stage.replaceChildren(element("p", "empty", "Variables that hold a tensor or an array appear here."))
      this.memory.replaceChildren()
      return
    }
    this.onLine(view ? view.step.line : 0)
    this.stage.replaceChildren(...(view ? [this.heading(view), this.tiles(view), this.info, this.facts(view)] : [this.given(tile), this.info]))
    this.renderMemory(tile)
    this.rest()
  }

  heading({ step, inner }) {
    const head = element("header", "head")
    head.append(element("span", "line", `line ${step.line}`), element("code", "source", step.source.split("\n")[0]))
    if (step.times > 1) head.append(element("span", "times", `ran ${step.times} times; the last one is shown`))
    if (inner.length > 1) {
      const crumbs = element("div", "crumbs")
      crumbs.setAttribute("role", "group")
      crumbs.setAttribute("aria-label", "Part of the line")
      const labels = ["whole line", ...inner.map((operation) => operation.source)]
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

  given(tile) {
    const row = element("div", "flow")
    row.append(this.figure(tile, this.chosen, (cell) => shade(tile.values[cell], largest([tile])), { role: "output" }))
    return row
  }

  tiles(view) {
    const { tiles } = this.report
    const inputs = view.inputs.filter((input, place) => view.inputs.findIndex((other) => other.key === input.key) === place)
    const colours = this.colours(view, inputs)
    const row = element("div", "flow")
    inputs.forEach((input, place) => {
      if (place && view.picture.kind !== "whole") row.append(element("span", "sign", view.picture.kind === "sign" || view.picture.word === "@" ? view.picture.word : ","))
      const before = view.outputs.some((output) => output.name === input.name)
      row.append(this.figure(tiles[input.tile], input.name || "", (cell) => colours.input(input, cell), { role: "input", part: input, stretch: this.stretch(view, input, place), when: before ? "before" : "" }))
    })
    if (inputs.length) row.append(element("span", "sign", view.picture.kind === "sign" || view.picture.kind === "products" ? "=" : "→"))
    for (const output of view.outputs) row.append(this.figure(tiles[output.tile], output.name, (cell) => colours.output(output, cell), { role: "output", part: output }))
    return row
  }

  // Cells that only move keep their colour; where several feed one, they share its colour; else a colour is a value.
  colours(view, inputs) {
    const { tiles } = this.report
    const most = new Map([...inputs, ...view.outputs].map(({ tile }) => [tile, largest([tiles[tile]])]))
    const byValue = ({ tile }, cell) => shade(tiles[tile].values[cell], most.get(tile))
    const output = view.outputs[0]
    const links = Object.entries(output?.from ?? {})
    if (view.outputs.length !== 1 || links.length !== 1) return { input: byValue, output: byValue }
    const [key, from] = links[0]
    const source = inputs.find((input) => input.key === key)
    if (!source) return { input: byValue, output: byValue }
    const moves = from.every((cells) => cells.length === 1) && same(tiles[source.tile], tiles[output.tile], from)
    const feeds = from.length > 1 && feedsOne(from, tiles[source.tile].values.length)
    if (moves && !identity(tiles[source.tile], tiles[output.tile], from)) {
      const count = tiles[source.tile].values.length
      const taken = new Set(from.flat())
      const colour = (cell) => (taken.has(cell) ? hue(count > 1 ? cell / (count - 1) : 0.5) : "transparent")
      return { input: (input, cell) => (input === source ? colour(cell) : byValue(input, cell)), output: (_, cell) => colour(from[cell][0]) }
    }
    if (feeds && !moves) {
      const colour = (cell) => hue(from.length > 1 ? cell / (from.length - 1) : 0.5)
      return { input: (input, cell) => (input === source ? (feeds.has(cell) ? colour(feeds.get(cell)) : "transparent") : byValue(input, cell)), output: (_, cell) => colour(cell) }
    }
    return { input: byValue, output: byValue }
  }

  // How an operand is stretched to the result's shape; null where it is not.
  stretch(view, input, place) {
    const row = view.picture.stretched?.[place]
    if (!row?.some((dimension) => dimension.stretched)) return null
    const output = view.outputs[0]
    const from = output.from[input.key]
    if (!from || from.some((cells) => cells.length !== 1)) return null
    const seen = new Set()
    const first = from.map(([cell]) => !seen.has(cell) && Boolean(seen.add(cell)))
    return { shown: this.report.tiles[output.tile].shown, from, first }
  }

  figure(tile, name, colour, { role, part, stretch, when = "" }) {
    const figure = element("figure", `side ${role}`)
    const caption = element("figcaption")
    caption.append(element("code", "name", name), ...(when ? [element("span", "shape", when)] : []), element("span", "shape", shapeText(tile.shape)))
    const width = Math.max(160, Math.min(this.width - 24, this.width > 900 ? 560 : this.width - 24))
    const label = `${name}: shape ${shapeText(tile.shape)}, ${tile.dtype}`
    const drawn = stretch
      ? draw(tile, { width, label, shown: stretch.shown, value: (cell) => tile.values[stretch.from[cell][0]], colour: (cell) => colour(stretch.from[cell][0]), ghost: (cell) => !stretch.first[cell] })
      : draw(tile, { width, label, colour })
    this.lit.push({ ...drawn, tile, name, role, part, stretch })
    drawn.box.dataset.side = this.lit.length - 1
    figure.append(caption, drawn.box)
    if (stretch) figure.append(element("p", "detail", `broadcast from ${shapeText(tile.shape)} to ${shapeText(stretch.shown)}: the pale cells are repeated`))
    const layout = `strides ${shapeText(tile.strides)} · offset ${tile.offset}${tile.contiguous ? "" : " · not contiguous"}`
    figure.append(element("p", "detail", layout))
    if (tile.shown.some((size, axis) => size < tile.shape[axis])) figure.append(element("p", "detail", `showing ${shapeText(tile.shown)} of ${shapeText(tile.shape)}`))
    return figure
  }

  facts({ step, picture, inputs }) {
    const box = element("div", "facts")
    if (picture.stretched?.some((row) => row.some((dimension) => dimension.stretched))) box.append(alignment(picture.stretched, inputs.map((input) => input.name)))
    for (const note of step.notes) box.append(rich("p", "note", note))
    const reasons = {
      large: "There are too many cells to trace one by one, so the inputs are not highlighted.",
      unknown: "PyTorch does not report which input cells each output cell depends on here, so the inputs are not highlighted.",
    }
    if (reasons[step.reason]) box.append(element("p", "note", reasons[step.reason]))
    return box
  }

  renderMemory(tile) {
    const { names, tiles } = this.report
    const facts = names[this.chosen]
    const sharing = Object.entries(names).filter(([, other]) => other.storage && other.storage === facts.storage)
    const title = sharing.length > 1 ? `One storage, shared by ${sharing.length} variables` : "Storage"
    const head = element("header", "head")
    head.append(element("h3", "", title), element("span", "fact", `${tile.slots.toLocaleString("en")} slots × ${tile.itemsize} B on ${tile.device}`))
    const values = new Map()
    for (const [, other] of sharing) {
      const part = tiles[other.tile]
      if (part.itemsize === tile.itemsize) part.values.forEach((value, cell) => values.set(slotOf(part, indexOf(part.shown, cell)), value))
    }
    const most = largest([tile])
    const bar = element("div", "bar")
    this.slots = []
    for (let slot = 0; slot < Math.min(tile.slots, SLOTS); slot++) {
      const known = values.has(slot)
      const one = element("span", known ? "slot" : "slot unused")
      one.style.background = known ? shade(values.get(slot), most) : "transparent"
      if (tile.slots <= 40) one.textContent = known ? short(values.get(slot)) : ""
      one.dataset.slot = slot
      this.slots.push(one)
      bar.append(one)
    }
    bar.classList.toggle("dense", tile.slots > 40)
    const parts = [head, bar]
    if (tile.slots > SLOTS) parts.push(element("p", "detail", `showing the first ${SLOTS} slots`))
    const others = element("div", "flow")
    for (const [name, other] of sharing) {
      if (name === this.chosen) continue
      others.append(this.figure(tiles[other.tile], name, (cell) => shade(tiles[other.tile].values[cell], most), { role: "shared" }))
    }
    if (others.childElementCount) parts.push(element("p", "detail", "These share the same memory: changing one changes the others."), others)
    this.memory.replaceChildren(...parts)
  }

  // Arrow keys walk over the cells of a tile, so that nothing needs a mouse.
  key(event) {
    const side = this.lit[event.target.dataset?.side]
    const moves = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -side?.columns, ArrowDown: side?.columns }
    if (!side || !(event.key in moves)) return
    event.preventDefault()
    const now = this.at?.side === side ? this.at.cell : moves[event.key] > 0 ? -moves[event.key] : 0
    this.point(side.cells[Math.max(0, Math.min(side.cells.length - 1, now + moves[event.key]))])
  }

  point(target) {
    const slot = target?.dataset?.slot
    if (slot !== undefined) return this.light(this.sidesAt(Number(slot)), Number(slot))
    const cell = target?.dataset?.cell
    if (cell === undefined) {
      if (target === null || !target?.closest?.(".tile")) this.rest()
      return
    }
    const side = this.lit[target.closest(".tile").dataset.side]
    if (this.at?.side === side && this.at.cell === Number(cell)) return
    this.at = { side, cell: Number(cell) }
    this.follow(side, Number(cell))
  }

  rest() {
    this.at = null
    this.light(new Map(), null)
    const [where, sum] = this.info.children
    where.textContent = "Point at a cell to see where it is stored and how it was computed."
    sum.textContent = ""
  }

  // Highlight everything that depends on one cell.
  follow(side, cell) {
    const lit = new Map([[side, new Set([cell])]])
    const real = side.stretch ? side.stretch.from[cell][0] : cell
    const index = indexOf(side.tile.shown, real)
    if (side.role === "output") for (const other of this.lit) if (other.role === "input") this.add(lit, other, side.part?.from?.[other.part.key]?.[cell] ?? [])
    if (side.role === "input") {
      for (const other of this.lit) {
        if (other.role !== "output") continue
        const from = other.part.from?.[side.part.key] ?? []
        this.add(lit, other, side.stretch ? [cell] : from.flatMap((cells, place) => (cells.includes(real) ? [place] : [])))
      }
      if (side.stretch) this.add(lit, side, [real])
    }
    const final = this.report.tiles[this.report.names[this.chosen]?.tile]
    const slot = side.role !== "input" && side.name === this.chosen && side.tile.first === final.first || side.role === "shared" ? slotOf(side.tile, index) : this.finalSlot(side, index)
    if (slot !== null) for (const [other, cells] of this.sidesAt(slot)) for (const each of cells) this.add(lit, other, [each], true)
    this.light(lit, slot)
    this.explain(side, real, index, cell)
  }

  // The slot of an input's cell, if the input is still on the shelf in the memory that is drawn.
  finalSlot(side, index) {
    const { names, tiles } = this.report
    const now = names[side.name]
    if (!now || now.storage !== names[this.chosen]?.storage) return null
    return tiles[now.tile].shape.join() === side.tile.shape.join() ? slotOf(tiles[now.tile], index) : null
  }

  add(lit, side, cells, plain = false) {
    if (!lit.has(side)) lit.set(side, new Set())
    for (const cell of cells) {
      if (side.stretch && !plain) side.stretch.from.forEach(([source], place) => { if (source === cell) lit.get(side).add(place) })
      else lit.get(side).add(cell)
    }
  }

  // Which cells of the shared tiles, and of the chosen one, lie in a slot.
  sidesAt(slot) {
    const sides = new Map()
    for (const side of this.lit) {
      if (side.role !== "shared" && !(side.role === "output" && side.name === this.chosen)) continue
      const cells = new Set()
      side.tile.values.forEach((_, cell) => { if (slotOf(side.tile, indexOf(side.tile.shown, cell)) === slot) cells.add(cell) })
      if (cells.size) sides.set(side, cells)
    }
    return sides
  }

  light(lit, slot) {
    for (const side of this.lit) {
      const cells = lit.get(side)
      side.box.classList.toggle("dim", lit.size > 0 && side.role !== "shared")
      for (const cell of side.on ?? []) if (!cells?.has(cell)) side.cells[cell].classList.remove("on")
      for (const cell of cells ?? []) side.cells[cell]?.classList.add("on")
      side.on = cells
    }
    if (this.slot !== undefined) this.slots?.[this.slot]?.classList.remove("on")
    this.slot = slot ?? undefined
    if (slot !== null) this.slots?.[slot]?.classList.add("on")
  }

  // Describe a cell: its index, its place in memory, and the sum behind it.
  explain(side, cell, index, place) {
    const { tile, name } = side
    const [where, sum] = this.info.children
    const steps = index.map((at, axis) => `${at}·${tile.strides[axis]}`)
    const slot = [...steps, tile.offset].join(" + ")
    const total = tile.offset + index.reduce((all, at, axis) => all + at * tile.strides[axis], 0)
    where.textContent = `${name}[${index.join(", ")}] = ${exact(tile.values[cell])}    slot ${slot} = ${total}`
    sum.textContent = side.role === "output" ? this.written(side, place) : ""
  }

  written(side, cell) {
    const { picture, inputs } = this.current ?? {}
    const from = side.part?.from
    if (!from || !Object.keys(from).length) return ""
    const { tiles } = this.report
    const parts = inputs.filter((input, place) => inputs.findIndex((other) => other.key === input.key) === place).map((input) => ({ ...input, cells: from[input.key]?.[cell] ?? [], values: tiles[input.tile].values, shown: tiles[input.tile].shown }))
    const numbers = (part) => part.cells.map((each) => exact(part.values[each]))
    const result = exact(side.tile.values[cell])
    if (picture.kind === "products" && parts.length === 2 && parts[0].cells.length === parts[1].cells.length) {
      const [left, right] = parts.map(numbers)
      return `${cut(left.map((number, term) => `${number}·${right[term]}`), " + ")} = ${result}`
    }
    if (picture.kind === "sign" && parts.length === 2 && parts.every((part) => part.cells.length === 1)) return `${numbers(parts[0])[0]} ${picture.word} ${numbers(parts[1])[0]} = ${result}`
    const used = parts.filter((part) => part.cells.length)
    const places = used.flatMap((part) => part.cells.map((each) => `${part.name}[${indexOf(part.shown, each).join(", ")}]`))
    if (!places.length) return "This cell does not depend on any input cell."
    if (picture.kind === "call" && used.length && places.length > 1) return `${picture.word}(${cut(used.flatMap(numbers), ", ")}) = ${result}`
    return `from ${cut(places, ", ")}`
  }

  close() {
    this.observer.disconnect()
  }
}

function originText({ origin, of }) {
  if (!of && ["view", "same", "shared"].includes(origin)) return "view of an earlier tensor"
  return {
    view: `view of ${of}`, copy: `copy of ${of}`, same: `the same as ${of}`, shared: `shares memory with ${of}`, uninitialised: "uninitialised memory", given: "given",
  }[origin] ?? ""
}

const cut = (terms, joint) => (terms.length > TERMS ? `${terms.slice(0, TERMS).join(joint)}${joint}… (${terms.length} in total)` : terms.join(joint))

const same = (source, result, from) => from.every(([cell], place) => Object.is(source.values[cell], result.values[place]))

const identity = (source, result, from) => source.shown.join() === result.shown.join() && from.every(([cell], place) => cell === place)

// Which one output each input cell feeds; null where one feeds several.
function feedsOne(from, count) {
  const feeds = new Map()
  for (const [place, cells] of from.entries()) {
    if (cells.length < 2 && count > 1) return null
    for (const cell of cells) {
      if (feeds.has(cell)) return null
      feeds.set(cell, place)
    }
  }
  return feeds
}
