// Builds a network layer by layer: picture, sizes, errors with fixes, and code. The server analyses it after each change.

import { request } from "../shared/client.js"
import { element } from "../shared/dom.js"
import { mounting } from "../shared/mounting.js"
import { Inside } from "./inside.js"
import { picture, save, saveText } from "./picture.js"
import { Stack } from "./stack.js"
import { Window } from "./window.js"

const SHAPES = [[1, 28, 28], [3, 32, 32], [784], [10]]

const number = (value) => value.toLocaleString("en")
const shape = (sizes) => (sizes ? `(${sizes.join(", ")}${sizes.length === 1 ? "," : ""})` : "?")
const fieldSize = (field) => {
  if (!field) return ""
  if (field.covers_image) return "the whole image"
  const { height, width } = field
  const size = `${height.size}×${width.size} pixels of the input`
  return height.effective_stride === null || height.size === 1 ? size : `${size}, effective stride ${height.effective_stride}`
}
// How each block of several layers works, with the numbers of this one.
const explained = ({ type, in_shape: before, out_shape: after, params }) => {
  if (type === "ResidualBlock" && String(before) === String(after)) return "A shortcut connection adds the input to the output of the two convolutions, so gradients can bypass them."
  if (type === "ResidualBlock") return "A 1×1 projection shortcut carries the input past the two convolutions and is added to their output. It is needed because the shape changes."
  if (type === "PatchEmbedding") return `The image is cut into ${after[0]} squares of ${params.patch_size}×${params.patch_size} pixels. Each becomes a token of ${after[1]} numbers, and a learned position embedding is added.`
  if (type === "TransformerEncoderLayer") return `Self-attention: each of the ${before[0]} tokens attends to all others, in ${params.nhead} heads of ${before[1] / params.nhead} numbers each. Then each token passes through two linear layers. Both parts have a shortcut connection.`
  return type === "TokenMean" ? `The ${before[0]} tokens are averaged into one.` : ""
}
const bytes = (count) => (count < 1024 ? `${count} B` : count < 2 ** 20 ? `${(count / 1024).toFixed(1)} KiB` : `${(count / 2 ** 20).toFixed(1)} MiB`)
const button = (name, text, act, label = text) => {
  const made = element("button", name, text)
  made.type = "button"
  made.title = label
  made.setAttribute("aria-label", label)
  made.onclick = act
  return made
}

class Builder {
  constructor(root) {
    this.root = root.querySelector(".builder")
    const find = (name) => this.root.querySelector(name)
    this.parts = Object.fromEntries(["preset", "scroll", "totals", "shape", "own", "sizes", "stack", "palette", "trouble", "panel", "advice", "view", "undo", "redo", "reading", "text", "fault", "given", "chosen"].map((name) => [name, find(`.${name}`)]))
    this.stack = new Stack(() => this.changed())
    this.window = new Window()
    this.inside = new Inside((asked) => this.ask("api/network/activations", { ...asked, network: this.stack.document().network, dataset: this.data.dataset, device: this.data.device }))
    this.style = "module"
    this.buttons(find)
    this.root.onkeydown = (event) => this.key(event)
  }

  buttons(find) {
    find(".undo").onclick = () => this.stack.undo()
    find(".redo").onclick = () => this.stack.redo()
    find(".paste").onclick = () => { this.parts.fault.textContent = ""; this.parts.reading.showModal() }
    find(".cancel").onclick = () => this.parts.reading.close()
    find(".reading form").onsubmit = (event) => { event.preventDefault(); this.read(this.parts.text.value) }
    find(".file").onclick = () => this.parts.chosen.click()
    this.parts.chosen.onchange = () => this.file(this.parts.chosen.files[0])
    find(".link").onclick = (event) => this.copy(event.currentTarget, window.location.href, "Copy link")
    find(".svg").onclick = () => save(this.drawing(), this.stack.state.name, "svg")
    find(".png").onclick = () => save(this.drawing(), this.stack.state.name, "png")
    find(".json").onclick = () => saveText(`${JSON.stringify(this.stack.document().network, null, 2)}\n`, `${this.stack.state.name}.json`, "application/json")
    find(".train").onclick = () => this.go("train")
    find(".gradients").onclick = () => this.go("gradients")
    this.parts.preset.onchange = () => this.openPreset(this.parts.preset.value)
    this.parts.shape.onchange = () => this.chooseShape(this.parts.shape.value)
    this.parts.sizes.onchange = () => this.setShape(this.parts.sizes.value)
    for (const tab of this.root.querySelectorAll("[role=tab]")) tab.onclick = () => this.show(tab.dataset.view)
  }

  async update({ data, setStateValue, setTriggerValue }) {
    this.setState = setStateValue
    this.trigger = setTriggerValue
    const before = this.data
    this.data = data
    if (before) return before.dataset === data.dataset || this.changed()
    const kinds = await request("api/network/catalogue")
    if (kinds.error) {
      this.data = undefined // the next update tries again
      this.parts.trouble.textContent = kinds.error
      return
    }
    this.kinds = new Map(kinds.map((kind) => [kind.name, kind]))
    this.inside.offer(data.starts)
    this.parts.preset.append(...data.presets.map(({ name, title }) => new Option(title || name, name)))
    this.fillPalette()
    this.view = "code"
    this.stack.open(data.network)
    this.stack.past = []
    this.marks()
  }

  // One request at a time; the newest network follows.
  async changed() {
    this.changes = (this.changes ?? 0) + 1
    this.notes = this.noted ?? ""
    this.noted = undefined
    this.draw()
    if (this.asking) return (this.behind = true)
    this.asking = true
    this.root.classList.add("busy")
    do {
      this.behind = false
      const { places, network } = this.stack.document()
      const answer = await this.ask("api/network/analyse", { network, dataset: this.data.dataset })
      if (!this.behind) this.present(answer, places)
    } while (this.behind)
    this.asking = false
    this.root.classList.remove("busy")
    if (this.changes > 1) this.setState("stack", { ...this.stack.state, chosen: undefined }) // the first one came from Streamlit
  }

  ask(address, body) {
    return request(address, { body })
  }

  present(answer, places) {
    const misfit = answer.steps?.some((step) => step.error)
    this.parts.trouble.textContent = answer.error ?? (answer.problems?.length ? answer.problems.join(" ") : (!misfit && answer.refusal) || this.notes)
    this.answer = answer.steps ? answer : null
    this.steps = new Map((answer.steps ?? []).map((step) => [places[step.index], step]))
    this.draw()
  }

  draw() {
    this.marks()
    this.drawStack()
    this.parts.scroll.innerHTML = this.drawing({ text: "currentColor" })
    for (const piece of this.parts.scroll.querySelectorAll(".piece")) piece.onclick = () => { const place = this.placeOf(Number(piece.dataset.index)); if (place !== undefined) this.choose(place) }
    this.drawTotals()
    this.drawPanel()
    this.drawAdvice()
    this.show(this.view)
  }

  marks() {
    this.parts.undo.disabled = !this.stack.past.length
    this.parts.redo.disabled = !this.stack.future.length
    const sizes = this.stack.state.input_shape
    const known = [...new Map([...this.data.shapes, ...SHAPES].map((each) => [String(each), each])).values()]
    const own = !known.some((each) => String(each) === String(sizes))
    this.parts.shape.replaceChildren(...known.map((each) => new Option(shape(each), String(each))), new Option("another…", "own"))
    this.parts.shape.value = own || this.typing ? "own" : String(sizes)
    this.parts.own.hidden = !(own || this.typing)
    this.parts.sizes.value = sizes.join(", ")
  }

  drawing(look = { text: "#1F2328" }) {
    if (!this.answer) return ""
    const index = this.stack.layers.slice(0, this.stack.state.chosen).filter((layer) => !layer.off).length
    return picture(this.stack.state.input_shape, this.answer.steps, { ...look, chosen: this.stack.chosen?.off ? -1 : index })
  }

  placeOf(index) {
    return this.stack.document().places[index]
  }

  drawTotals() {
    const totals = this.answer?.totals
    this.parts.totals.textContent = totals ? `${number(totals.parameters)} parameters · ${number(totals.multiply_adds)} multiply-adds · ${bytes(totals.activation_bytes)} of activations per sample · ${bytes(totals.disk_bytes)} on disk` : ""
  }

  drawStack() {
    if (this.dragging) return
    const cards = this.stack.layers.map((layer, place) => this.card(layer, place))
    const written = cards.map((card) => card.outerHTML).join("")
    if (written === this.written && this.focus === undefined) return
    this.written = written
    const hadFocus = this.root.getRootNode().activeElement?.classList.contains("card") // a redrawn card would lose the keyboard focus
    this.parts.stack.replaceChildren(...cards)
    const focused = this.focus ?? (hadFocus ? this.stack.state.chosen : undefined)
    this.focus = undefined
    cards[focused]?.focus({ preventScroll: true })
  }

  card(layer, place) {
    const step = this.steps?.get(place)
    const card = element("li", `card${place === this.stack.state.chosen ? " chosen" : ""}${layer.off ? " off" : ""}${step?.error ? " wrong" : ""}`)
    card.tabIndex = 0
    card.dataset.type = layer.type
    card.setAttribute("aria-label", `Layer ${place}, ${layer.type}${layer.off ? ", switched off" : ""}${step?.error ? ", does not fit" : ""}`)
    card.onclick = () => this.choose(place)
    card.onfocus = () => { if (this.stack.state.chosen !== place) this.choose(place, true) }
    const grip = element("span", "grip", "⠿")
    grip.title = "Drag to move, or press Alt+↑ or Alt+↓"
    grip.onpointerdown = (event) => this.drag(event, place)
    const text = element("div", "what")
    const shown = (this.kinds?.get(layer.type)?.params ?? []).filter((param, first) => first === 0 || (layer.params[param.name] ?? param.default) !== param.default)
    const set = shown.map(({ name, default: otherwise }) => `${name} ${layer.params[name] ?? otherwise}`).join(", ")
    text.append(element("span", "index", String(place)), element("b", "", layer.type), element("span", "set", set))
    const facts = element("div", "facts")
    facts.append(element("span", "out", layer.off ? "off" : step?.out_shape ? shape(step.out_shape) : step?.error ? "does not fit" : ""), element("span", "count", step?.parameters ? number(step.parameters) : ""))
    const acts = element("div", "acts")
    acts.append(
      button("up", "↑", () => this.moved(place, place - 1), "Move up"), button("down", "↓", () => this.moved(place, place + 1), "Move down"), button("copy", "×2", () => { this.focus = place + 1; this.stack.copy(place) }, "Duplicate"),
      button("off", layer.off ? "on" : "off", () => { this.focus = place; this.stack.toggle(place) }, layer.off ? "Switch on" : "Switch off"), button("delete", "×", () => this.remove(place), "Delete"),
    )
    for (const act of acts.children) act.addEventListener("click", (event) => event.stopPropagation())
    card.append(grip, text, facts, acts)
    return card
  }

  choose(place, focus = false) {
    if (place === this.stack.state.chosen) return
    this.stack.state.chosen = place
    if (focus) this.focus = place
    this.draw()
  }

  moved(from, to) {
    this.focus = Math.max(0, Math.min(this.stack.layers.length - 1, to))
    this.stack.move(from, to)
  }

  // The next layer takes its place, and the keyboard focus.
  remove(place) {
    this.focus = Math.min(place, this.stack.layers.length - 2)
    this.stack.remove(place)
  }

  // A card follows the pointer; it is put where the pointer is let go.
  drag(event, from) {
    event.preventDefault()
    const cards = [...this.parts.stack.children]
    const card = cards[from]
    card.classList.add("held")
    this.dragging = true
    let to = from
    const move = (moved) => {
      card.style.transform = `translateY(${moved.clientY - event.clientY}px)`
      const middles = cards.map((each, place) => (place === from ? null : each.getBoundingClientRect())).map((box) => box && box.top + box.height / 2)
      to = middles.filter((middle) => middle !== null && middle < moved.clientY).length
      cards.forEach((each, place) => each.classList.toggle("before", place !== from && place === (to < from ? to : to + 1)))
    }
    const drop = () => {
      window.removeEventListener("pointermove", move)
      window.removeEventListener("pointerup", drop)
      window.removeEventListener("pointercancel", drop)
      this.dragging = false
      this.written = null // the cards stand where they were dragged to
      if (to === from) return this.drawStack()
      this.moved(from, to)
    }
    window.addEventListener("pointermove", move)
    window.addEventListener("pointerup", drop)
    window.addEventListener("pointercancel", drop)
  }

  key(event) {
    const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.composedPath()[0].tagName) || this.parts.reading.open
    const control = event.ctrlKey || event.metaKey
    if (control && event.key.toLowerCase() === "z" && !typing) { event.preventDefault(); return event.shiftKey ? this.stack.redo() : this.stack.undo() }
    if (typing || !event.composedPath()[0].classList?.contains("card")) return
    const place = this.stack.state.chosen
    const act = {
      ArrowUp: () => (event.altKey ? this.moved(place, place - 1) : this.choose(Math.max(0, place - 1), true)),
      ArrowDown: () => (event.altKey ? this.moved(place, place + 1) : this.choose(Math.min(this.stack.layers.length - 1, place + 1), true)),
      Delete: () => this.remove(place),
      d: () => control && this.stack.copy(place),
    }[event.key]
    if (!act || (event.key === "d" && !control)) return
    event.preventDefault()
    act()
  }

  fillPalette() {
    const groups = new Map()
    for (const kind of this.kinds.values()) groups.set(kind.group, [...(groups.get(kind.group) ?? []), kind])
    this.parts.palette.replaceChildren(element("h3", "", "Add a layer"), ...[...groups].map(([group, kinds]) => {
      const row = element("div", "group")
      row.append(element("span", "hint", group), ...kinds.map((kind) => button("kind", kind.name, () => this.stack.add(kind.name), `${kind.title}: ${kind.summary}`)))
      return row
    }))
  }

  drawPanel() {
    const layer = this.stack.chosen
    if (!layer || !this.kinds) return this.parts.panel.replaceChildren(element("p", "hint", "Add a layer from the palette, or open a network."))
    const kind = this.kinds.get(layer.type)
    const place = this.stack.state.chosen
    const key = `${layer.id} ${this.stack.layers.length}`
    const step = this.steps?.get(place)
    if (key !== this.panelled || !this.facts || JSON.stringify(layer.params) !== this.filled) {
      if (key !== this.panelled) {
        this.panelled = key
        this.facts = element("div", "numbers")
        const fields = element("div", "fields")
        fields.append(...(kind?.params ?? []).map((param) => this.field(param)))
        const head = element("header", "head")
        head.append(element("h3", "", layer.type), element("span", "hint", kind?.summary ?? ""))
        this.parts.panel.replaceChildren(head, fields, this.facts, this.window.box)
      }
      this.filled = JSON.stringify(layer.params)
      for (const field of this.parts.panel.querySelectorAll("[data-param]")) if (field !== this.root.getRootNode().activeElement) this.fill(field, layer.params[field.dataset.param] ?? kind.params.find(({ name }) => name === field.dataset.param).default)
    }
    this.drawFacts(layer, step)
  }

  field(param) {
    const box = element("label", "field")
    const field = param.kind === "choice" ? element("select") : element("input")
    field.dataset.param = param.name
    if (param.kind === "choice") field.append(...param.choices.map((choice) => new Option(choice, choice)))
    else if (param.kind === "bool") field.type = "checkbox"
    else Object.assign(field, { type: "number", min: param.low, max: param.high, step: param.kind === "int" ? 1 : "any" })
    field.oninput = () => {
      const value = param.kind === "bool" ? field.checked : param.kind === "choice" ? field.value : Number(field.value)
      const fits = param.kind === "bool" || param.kind === "choice" || (field.value !== "" && field.validity.valid)
      box.classList.toggle("wrong", !fits)
      if (fits) this.stack.set(this.stack.state.chosen, param.name, value)
    }
    box.append(element("span", "label", param.name), field, element("span", "help", param.kind === "int" || param.kind === "float" ? `${param.help} From ${param.low} to ${param.high}.` : param.help))
    return box
  }

  fill(field, value) {
    if (field.type === "checkbox") field.checked = value
    else field.value = value
    field.closest(".field").classList.remove("wrong")
  }

  drawFacts(layer, step) {
    this.window.stop()
    const rows = []
    const fact = (name, text) => { if (text) rows.push(element("dt", "", name), element("dd", "", text)) }
    if (layer.off) fact("Switched off", "The network skips this layer.")
    if (step) {
      fact("Shape", `${shape(step.in_shape)} → ${shape(step.out_shape)}`)
      fact("Output size", step.size_formula)
      fact("Parameters", step.arithmetic || (step.out_shape ? "0: this layer has no parameters" : ""))
      fact("Multiply-adds", step.multiply_adds ? step.multiply_arithmetic || number(step.multiply_adds) : "")
      fact("Activations", step.bytes ? `${bytes(step.bytes)} per sample` : "")
      fact("Receptive field", fieldSize(step.receptive_field))
    }
    if (step?.out_shape) fact("How it works", explained(step))
    const list = element("dl", "list")
    list.append(...rows)
    const trouble = element("div", step?.error ? "misfit" : "")
    if (step?.error) trouble.append(element("p", "message", step.error), ...step.fixes.map((fix) => button("fix", fix.title, () => this.stack.fix(fix.layers))))
    this.facts.replaceChildren(trouble, list)
    const windowed = step?.in_shape?.length === 3 && step.params.kernel_size
    this.window.box.hidden = !windowed
    if (windowed) this.window.show(step.in_shape[1], step.params)
  }

  drawAdvice() {
    const advice = this.answer?.advice ?? []
    const misfit = this.answer?.steps.find((step) => step.error)
    const notes = advice.map(({ layer: index, text, reason, fixes }) => {
      const note = element("div", "note")
      const message = element("p", "message", text)
      if (index !== null) { message.classList.add("place"); message.onclick = () => this.choose(this.placeOf(index)) }
      note.append(message, element("p", "why", reason), ...fixes.map((fix) => button("fix", fix.title, () => this.stack.fix(fix.layers))))
      return note
    })
    if (misfit && this.placeOf(misfit.index) !== this.stack.state.chosen) notes.unshift(button("fix jump", `Layer ${this.placeOf(misfit.index)} (${misfit.type}) does not fit. Show it.`, () => this.choose(this.placeOf(misfit.index))))
    this.parts.advice.replaceChildren(...notes)
  }

  show(view) {
    this.view = view
    for (const tab of this.root.querySelectorAll("[role=tab]")) tab.setAttribute("aria-selected", tab.dataset.view === view)
    const box = this.parts.view
    if (view === "inside") return box.replaceChildren(this.inside.show(this.answer?.module ? JSON.stringify(this.stack.document().network) : null))
    if (view === "compare") return box.replaceChildren(...this.compared())
    if (!this.answer?.module) return box.replaceChildren(element("p", "hint", "The code appears as soon as every layer fits."))
    const tools = element("div", "tools")
    const text = this.answer[this.style]
    const choice = element("select", "style")
    choice.setAttribute("aria-label", "Style of the code")
    choice.append(new Option("As a class", "module"), new Option("nn.Sequential", "sequential"))
    choice.value = this.style
    choice.onchange = () => { this.style = choice.value; this.show("code") }
    tools.append(choice, element("span", "gap"), button("copy-code", "Copy", (event) => this.copy(event.currentTarget, text, "Copy")), button("save-code", "Download", () => saveText(text, `${this.stack.state.name.replaceAll("-", "_")}.py`)))
    box.replaceChildren(tools, element("pre", "code", text))
  }

  compared() {
    const from = this.data.presets.find(({ name }) => name === this.stack.state.name)
    const compared = this.answer?.compared
    if (!from || !compared) return [element("p", "hint", "Open a network and change it to see the differences here.")]
    if (!compared.length) return [element("p", "hint", `There is no difference from ${from.title || from.name}.`)]
    const list = element("ul", "differences")
    list.append(...compared.map(({ text }) => element("li", "", text)))
    return [element("p", "", `Compared with ${from.title || from.name}:`), list]
  }

  openPreset(name) {
    const preset = this.data.presets.find((each) => each.name === name)
    this.parts.preset.value = ""
    if (preset) this.stack.open(preset)
  }

  chooseShape(value) {
    this.typing = value === "own"
    if (!this.typing) this.setShape(value)
    else { this.marks(); this.parts.sizes.focus() }
  }

  setShape(text) {
    const sizes = text.match(/\d+/g)?.map(Number)
    if (sizes?.length) this.stack.change(() => { this.stack.state.input_shape = sizes })
    this.typing = false
    this.marks()
  }

  async read(text) {
    const sizes = this.parts.given.value.match(/\d+/g)?.map(Number)
    const answer = await this.ask("api/network/read", { text, ...(sizes ? { input_shape: sizes } : {}) })
    this.parts.fault.textContent = answer.error ?? ""
    if (answer.error) return
    this.parts.reading.close()
    this.parts.given.value = ""
    this.noted = answer.notes.join(" ")
    this.stack.open(answer.network)
  }

  async file(file) {
    if (!file) return
    this.parts.chosen.value = ""
    if (file.size > 200000) return this.complain("This file is too large to be a network.")
    const text = await file.text()
    if (!/^\s*[{[]/.test(text)) { this.parts.text.value = text; this.parts.fault.textContent = ""; this.parts.reading.showModal(); return this.read(text) }
    let network
    try { network = JSON.parse(text) } catch (error) { return this.complain(`This is not JSON: ${error.message}.`) }
    const answer = await this.ask("api/network/analyse", { network })
    const problem = answer.error ?? (answer.problems ?? [])[0]
    if (problem) return this.complain(problem)
    this.stack.open(network)
  }

  complain(text) {
    this.parts.trouble.textContent = text
  }

  go(where) {
    this.trigger("go", { where, network: this.stack.document().network })
  }

  async copy(pressed, text, title) {
    try {
      await navigator.clipboard.writeText(text)
      pressed.textContent = "Copied"
    } catch {
      pressed.textContent = "The browser did not allow it"
    }
    pressed.onblur = pressed.onpointerleave = () => { pressed.textContent = title }
  }

  close() {
    this.window.stop()
  }
}

export default mounting(Builder)
