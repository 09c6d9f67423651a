// Builds a network layer by layer: picture, sizes, errors with fixes, and code. The server analyses it after each change.

import { request } from "../shared/client.js"
import { button, element, find, named } from "../shared/dom.js"
import { shapeText } from "../shared/format.js"
import { mounting } from "../shared/mounting.js"
import { Tabs } from "../shared/tabs.js"
import { language, t } from "../shared/text.js"
import { Inside } from "./inside.js"
import { picture, save, saveText } from "./picture.js"
import { Stack } from "./stack.js"
import { bytes, layerFacts, number, settings, sizesIn } from "./texts.js"
import { Window } from "./window.js"

/**
 * @import { Component } from "../shared/mounting.js"
 * @import { BuilderData, FittingNetwork, LayerAnalysis, LayerKind, LayerParam, NetworkAnalysis, ReadNetwork } from "./documents.js"
 * @import { Failure } from "./inside.js"
 * @import { Layer, Value } from "./stack.js"
 */

const SHAPES = [[1, 28, 28], [3, 32, 32], [784], [10]]

/** @param {LayerParam} param */
function control({ kind, choices, low, high }) {
  if (kind === "choice") {
    const select = element("select")
    select.append(...choices.map((choice) => new Option(choice, choice)))
    return select
  }
  const input = element("input")
  if (kind === "bool") input.type = "checkbox"
  else Object.assign(input, { type: "number", min: low, max: high, step: kind === "int" ? 1 : "any" })
  return input
}

class Builder {
  /** @param {HTMLElement | ShadowRoot} root */
  constructor(root) {
    /** @type {HTMLElement} */
    this.root = find(root, ".builder")
    const part = (/** @type {string} */ name) => find(this.root, `.${name}`)
    /**
     * @type {Record<"scroll" | "totals" | "own" | "stack" | "palette" | "trouble" | "panel" | "advice" | "view" | "fault", HTMLElement>
     *   & Record<"preset" | "shape", HTMLSelectElement> & Record<"sizes" | "given" | "chosen", HTMLInputElement> & Record<"undo" | "redo", HTMLButtonElement>
     *   & { reading: HTMLDialogElement, text: HTMLTextAreaElement }}
     */
    this.parts = {
      scroll: part("scroll"), totals: part("totals"), own: part("own"), stack: part("stack"), palette: part("palette"), trouble: part("trouble"), panel: part("panel"),
      advice: part("advice"), view: part("view"), fault: part("fault"), preset: part("preset"), shape: part("shape"), sizes: part("sizes"), given: part("given"),
      chosen: part("chosen"), undo: part("undo"), redo: part("redo"), reading: part("reading"), text: part("text"),
    }
    this.tabs = new Tabs(part("tabs"))
    this.started = false // whether the layer types are there or requested
    /** @type {BuilderData} */
    this.data = { starts: [], network: { name: "", input_shape: [], layers: [] }, presets: [], shapes: [], dataset: "", device: "" }
    /** @type {Component["setStateValue"]} */
    this.setState = () => {}
    /** @type {Component["setTriggerValue"]} */
    this.trigger = () => {}
    /** @type {Map<string, LayerKind>} */
    this.kinds = new Map()
    /** @type {NetworkAnalysis | FittingNetwork | null} of the newest network; null where the request failed */
    this.answer = null
    /** @type {Map<number, LayerAnalysis>} by the position of the layer in the stack */
    this.steps = new Map()
    this.changes = 0
    this.asking = this.behind = false // whether a request is on its way, and whether the network has changed since
    this.notes = "" // on the code that the network was read from
    /** @type {string | undefined} of code that was just read */
    this.noted = undefined
    this.typing = false // whether a shape is typed
    this.dragging = false
    /** @type {string | null} the cards as HTML */
    this.written = null
    /** @type {number | undefined} the card that gets the keyboard focus */
    this.focus = undefined
    this.panelled = "" // the layer in the panel
    this.filled = "" // its parameters as JSON
    /** @type {{ param: LayerParam, input: HTMLInputElement | HTMLSelectElement }[]} */
    this.fields = []
    this.facts = element("div", "numbers")
    /** @type {string | undefined} the tab that is open */
    this.view = "code"
    /** @type {"module" | "sequential"} the style of the code */
    this.style = "module"
    this.stack = new Stack(() => this.changed())
    this.window = new Window()
    this.inside = new Inside((asked) => this.ask("api/network/activations", { ...asked, network: this.stack.document().network, dataset: this.data.dataset, device: this.data.device }))
    this.buttons()
    this.root.onkeydown = (event) => this.key(event)
  }

  buttons() {
    /**
     * @param {string} name
     * @param {() => void} act
     */
    const click = (name, act) => { find(this.root, `.${name}`).onclick = act }
    const link = find(this.root, ".link")
    click("undo", () => this.stack.undo())
    click("redo", () => this.stack.redo())
    click("paste", () => { this.parts.fault.textContent = ""; this.parts.reading.showModal() })
    click("cancel", () => this.parts.reading.close())
    click("file", () => this.parts.chosen.click())
    click("link", () => this.copy(link, window.location.href, t("Copy link")))
    click("svg", () => save(this.drawing(), this.stack.state.name, "svg"))
    click("png", () => save(this.drawing(), this.stack.state.name, "png"))
    click("json", () => saveText(`${JSON.stringify(this.stack.document().network, null, 2)}\n`, `${this.stack.state.name}.json`, "application/json"))
    click("train", () => this.go("train"))
    click("gradients", () => this.go("gradients"))
    find(this.root, ".reading form").onsubmit = (/** @type {SubmitEvent} */ event) => { event.preventDefault(); this.read(this.parts.text.value) }
    this.parts.chosen.onchange = () => this.file(this.parts.chosen.files?.[0])
    this.parts.preset.onchange = () => this.openPreset(this.parts.preset.value)
    this.parts.shape.onchange = () => this.chooseShape(this.parts.shape.value)
    this.parts.sizes.onchange = () => this.setShape(this.parts.sizes.value)
    for (const tab of this.tabs.all) tab.onclick = () => this.show(tab.dataset.view)
  }

  /** @param {Component<BuilderData>} component */
  async update({ data, setStateValue, setTriggerValue }) {
    this.setState = setStateValue
    this.trigger = setTriggerValue
    const { dataset } = this.data
    this.data = data
    if (this.started) {
      if (dataset !== data.dataset) this.changed()
      return
    }
    this.started = true
    /** @type {LayerKind[] | Failure} */
    const kinds = await request("api/network/catalogue")
    if ("error" in kinds) {
      this.started = false // the next update tries again
      this.parts.trouble.textContent = kinds.error
      return
    }
    this.kinds = new Map(kinds.map((kind) => [kind.name, kind]))
    this.inside.offer(data.starts)
    this.parts.preset.append(...data.presets.map(({ name, title }) => new Option(title || name, name)))
    this.fillPalette()
    this.stack.open(data.network)
    this.stack.past = []
    this.marks()
  }

  /** One request at a time; the newest network follows. */
  async changed() {
    this.changes++
    this.notes = this.noted ?? ""
    this.noted = undefined
    this.draw()
    if (this.asking) {
      this.behind = true
      return
    }
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

  /**
   * @param {string} address
   * @param {Record<string, unknown>} body
   */
  ask(address, body) {
    return request(address, { body })
  }

  /**
   * @param {NetworkAnalysis | FittingNetwork | Failure} answer
   * @param {number[]} places for each analysed layer the position in the stack
   */
  present(answer, places) {
    this.answer = "error" in answer ? null : answer
    const steps = this.answer?.steps ?? []
    this.steps = new Map(steps.map((step) => [places[step.index], step]))
    this.parts.trouble.textContent = "error" in answer ? answer.error : this.trouble(answer)
    this.draw()
  }

  /** @param {NetworkAnalysis} answer */
  trouble({ problems, refusal, steps }) {
    if (problems.length) return problems.join(" ")
    const misfit = steps.some((step) => step.error) // shown beside its layer
    return (!misfit && refusal) || this.notes
  }

  /** The analysis of a network that fits, else null. */
  get fitting() {
    return this.answer && "module" in this.answer ? this.answer : null
  }

  draw() {
    this.marks()
    this.drawStack()
    this.parts.scroll.innerHTML = this.drawing({ text: "currentColor" })
    /** @type {NodeListOf<SVGElement>} */
    const pieces = this.parts.scroll.querySelectorAll(".piece")
    for (const piece of pieces) piece.onclick = () => { const place = this.placeOf(Number(piece.dataset.index)); if (place !== undefined) this.choose(place) }
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
    this.parts.shape.replaceChildren(...known.map((each) => new Option(shapeText(each), String(each))), new Option(t("another…"), "own"))
    this.parts.shape.value = own || this.typing ? "own" : String(sizes)
    this.parts.own.hidden = !(own || this.typing)
    this.parts.sizes.value = sizes.join(", ")
  }

  drawing(look = { text: "#1F2328" }) {
    if (!this.answer) return ""
    const index = this.stack.layers.slice(0, this.stack.state.chosen).filter((layer) => !layer.off).length
    return picture(this.stack.state.input_shape, this.answer.steps, { ...look, chosen: this.stack.chosen?.off ? -1 : index })
  }

  /**
   * @param {number} index of an analysed layer
   * @returns {number | undefined} its position in the stack
   */
  placeOf(index) {
    return this.stack.document().places[index]
  }

  drawTotals() {
    const totals = this.answer?.totals
    this.parts.totals.textContent = !totals ? "" : t("{parameters} parameters · {operations} multiply-adds · {activations} of activations per sample · {disk} on disk", {
      parameters: number(totals.parameters), operations: number(totals.multiply_adds), activations: bytes(totals.activation_bytes), disk: bytes(totals.disk_bytes),
    })
  }

  /** The element of the page that has the keyboard focus. */
  get focused() {
    return /** @type {Document | ShadowRoot} */ (this.root.getRootNode()).activeElement
  }

  drawStack() {
    if (this.dragging) return
    const cards = this.stack.layers.map((layer, place) => this.card(layer, place))
    const written = cards.map((card) => card.outerHTML).join("")
    if (written === this.written && this.focus === undefined) return
    this.written = written
    const hadFocus = this.focused?.classList.contains("card") // a redrawn card would lose the keyboard focus
    this.parts.stack.replaceChildren(...cards)
    const focused = this.focus ?? (hadFocus ? this.stack.state.chosen : undefined)
    this.focus = undefined
    if (focused !== undefined) cards[focused]?.focus({ preventScroll: true })
  }

  /**
   * @param {Layer} layer
   * @param {number} place
   */
  card(layer, place) {
    const step = this.steps.get(place)
    const card = element("li", `card${place === this.stack.state.chosen ? " chosen" : ""}${layer.off ? " off" : ""}${step?.error ? " wrong" : ""}`)
    card.tabIndex = 0
    card.dataset.type = layer.type
    const names = { place, type: layer.type }
    card.setAttribute("aria-label", layer.off ? t("Layer {place}, {type}, switched off", names) : step?.error ? t("Layer {place}, {type}, does not fit", names) : t("Layer {place}, {type}", names))
    card.onclick = () => this.choose(place)
    card.onfocus = () => { if (this.stack.state.chosen !== place) this.choose(place, true) }
    const grip = element("span", "grip", "⠿")
    grip.title = t("Drag to move, or press Alt+↑ or Alt+↓")
    grip.onpointerdown = (event) => this.drag(event, place)
    const text = element("div", "what")
    text.append(element("span", "index", String(place)), element("b", "", layer.type), named("set", settings(layer, this.kinds.get(layer.type)?.params ?? [])))
    const facts = element("div", "facts")
    facts.append(element("span", "out", layer.off ? t("off") : step?.out_shape ? shapeText(step.out_shape) : step?.error ? t("does not fit") : ""), element("span", "count", step?.parameters ? number(step.parameters) : ""))
    const acts = element("div", "acts")
    acts.append(
      button("↑", () => this.moved(place, place - 1), { name: "up", label: t("Move up") }), button("↓", () => this.moved(place, place + 1), { name: "down", label: t("Move down") }), button("×2", () => { this.focus = place + 1; this.stack.copy(place) }, { name: "copy", label: t("Duplicate") }),
      button(layer.off ? t("on") : t("off"), () => { this.focus = place; this.stack.toggle(place) }, { name: "off", label: layer.off ? t("Switch on") : t("Switch off") }), button("×", () => this.remove(place), { name: "delete", label: t("Delete") }),
    )
    for (const act of acts.children) act.addEventListener("click", (event) => event.stopPropagation())
    card.append(grip, text, facts, acts)
    return card
  }

  /** @param {number} place */
  choose(place, focus = false) {
    if (place === this.stack.state.chosen) return
    this.stack.state.chosen = place
    if (focus) this.focus = place
    this.draw()
  }

  /**
   * @param {number} from
   * @param {number} to
   */
  moved(from, to) {
    this.focus = Math.max(0, Math.min(this.stack.layers.length - 1, to))
    this.stack.move(from, to)
  }

  /**
   * The next layer takes its place, and the keyboard focus.
   * @param {number} place
   */
  remove(place) {
    this.focus = Math.min(place, this.stack.layers.length - 2)
    this.stack.remove(place)
  }

  /**
   * A card follows the pointer; it is put where the pointer is let go.
   * @param {PointerEvent} event
   * @param {number} from
   */
  drag(event, from) {
    event.preventDefault()
    const cards = [...this.parts.stack.querySelectorAll("li")]
    const card = cards[from]
    card.classList.add("held")
    this.dragging = true
    let to = from
    const move = (/** @type {PointerEvent} */ moved) => {
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

  /** @param {KeyboardEvent} event */
  key(event) {
    const [target] = event.composedPath()
    if (!(target instanceof Element)) return
    const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName) || this.parts.reading.open
    const control = event.ctrlKey || event.metaKey
    if (control && event.key.toLowerCase() === "z" && !typing) { event.preventDefault(); return event.shiftKey ? this.stack.redo() : this.stack.undo() }
    if (typing || !target.classList.contains("card")) return
    const place = this.stack.state.chosen
    /** @type {Record<string, () => void>} */
    const acts = {
      ArrowUp: () => (event.altKey ? this.moved(place, place - 1) : this.choose(Math.max(0, place - 1), true)),
      ArrowDown: () => (event.altKey ? this.moved(place, place + 1) : this.choose(Math.min(this.stack.layers.length - 1, place + 1), true)),
      Delete: () => this.remove(place),
      d: () => this.stack.copy(place),
    }
    const act = acts[event.key]
    if (!act || (event.key === "d" && !control)) return
    event.preventDefault()
    act()
  }

  fillPalette() {
    /** @type {Map<string, LayerKind[]>} */
    const groups = new Map()
    for (const kind of this.kinds.values()) groups.set(kind.group, [...(groups.get(kind.group) ?? []), kind])
    this.parts.palette.replaceChildren(element("h3", "", t("Add a layer")), ...[...groups.values()].map((kinds) => {
      const row = element("div", "group")
      row.append(element("span", "hint", kinds[0].group_title), ...kinds.map((kind) => button(kind.name, () => this.stack.add(kind.name), { name: "kind", label: t("{title}: {summary}", { title: kind.title, summary: kind.summary }) })))
      return row
    }))
  }

  drawPanel() {
    const layer = this.stack.chosen
    if (!layer) {
      this.panelled = ""
      return this.parts.panel.replaceChildren(element("p", "hint", t("Add a layer from the palette, or open a network.")))
    }
    const key = `${layer.id} ${this.stack.layers.length}`
    const params = JSON.stringify(layer.params)
    const fresh = key !== this.panelled
    if (fresh) this.fillPanel(layer)
    if (fresh || params !== this.filled) {
      for (const { param, input } of this.fields) if (input !== this.focused) this.fill(input, layer.params[param.name] ?? param.default)
    }
    this.panelled = key
    this.filled = params
    this.drawFacts(layer, this.steps.get(this.stack.state.chosen))
  }

  /** @param {Layer} layer */
  fillPanel({ type }) {
    const kind = this.kinds.get(type)
    this.fields = (kind?.params ?? []).map((param) => ({ param, input: control(param) }))
    const fields = element("div", "fields")
    fields.append(...this.fields.map(({ param, input }) => this.field(param, input)))
    const head = element("header", "head")
    head.append(element("h3", "", type), element("span", "hint", kind?.summary ?? ""))
    this.parts.panel.replaceChildren(head, fields, this.facts, this.window.box)
  }

  /**
   * @param {LayerParam} param
   * @param {HTMLInputElement | HTMLSelectElement} input
   */
  field(param, input) {
    const box = element("label", "field")
    input.dataset.param = param.name
    input.oninput = () => {
      const fits = input.value !== "" && input.validity.valid
      box.classList.toggle("wrong", !fits)
      if (fits) this.stack.set(this.stack.state.chosen, param.name, input instanceof HTMLSelectElement ? input.value : param.kind === "bool" ? input.checked : Number(input.value))
    }
    const help = language === "en" ? param.help : param.summary // PyTorch's documentation is in English
    const isNumber = param.kind === "int" || param.kind === "float"
    box.append(named("label", param.name), input, element("span", "help", isNumber ? t("{help} From {low} to {high}.", { help, low: param.low, high: param.high }) : help))
    return box
  }

  /**
   * @param {HTMLInputElement | HTMLSelectElement} input
   * @param {Value} value
   */
  fill(input, value) {
    if (input instanceof HTMLInputElement && input.type === "checkbox") input.checked = Boolean(value)
    else input.value = String(value)
    input.closest(".field")?.classList.remove("wrong")
  }

  /**
   * @param {Layer} layer
   * @param {LayerAnalysis} [step]
   */
  drawFacts(layer, step) {
    this.window.stop()
    const list = element("dl", "list")
    list.append(...layerFacts(layer, step).flatMap(([name, text]) => [element("dt", "", name), element("dd", "", text)]))
    const trouble = element("div", step?.error ? "misfit" : "")
    if (step?.error) trouble.append(element("p", "message", step.error), ...step.fixes.map((fix) => button(fix.title, () => this.stack.fix(fix.layers), { name: "fix" })))
    this.facts.replaceChildren(trouble, list)
    const windowed = step?.in_shape?.length === 3 && Boolean(step.params.kernel_size)
    this.window.box.hidden = !windowed
    if (step?.in_shape && windowed) this.window.show(step.in_shape[1], step.params)
  }

  drawAdvice() {
    const advice = this.answer?.advice ?? []
    const notes = advice.map(({ layer: index, text, reason, fixes }) => {
      const note = element("div", "note")
      const message = element("p", "message", text)
      const place = index === null ? undefined : this.placeOf(index)
      if (place !== undefined) { message.classList.add("place"); message.onclick = () => this.choose(place) }
      note.append(message, element("p", "why", reason), ...fixes.map((fix) => button(fix.title, () => this.stack.fix(fix.layers), { name: "fix" })))
      return note
    })
    const misfit = this.answer?.steps.find((step) => step.error)
    const wrong = misfit && this.placeOf(misfit.index)
    const jump = misfit && wrong !== undefined && wrong !== this.stack.state.chosen ? [button(t("Layer {place} ({type}) does not fit. Show it.", { place: wrong, type: misfit.type }), () => this.choose(wrong), { name: "fix jump" })] : []
    this.parts.advice.replaceChildren(...jump, ...notes)
  }

  /** @param {string | undefined} view */
  show(view) {
    this.view = view
    this.tabs.select(view)
    const box = this.parts.view
    const code = this.fitting?.[this.style]
    if (view === "inside") return box.replaceChildren(this.inside.show(code ? JSON.stringify([this.stack.document().network, this.data.dataset]) : null))
    if (view === "compare") return box.replaceChildren(...this.compared())
    if (!code) return box.replaceChildren(element("p", "hint", t("The code appears as soon as every layer fits.")))
    const tools = element("div", "tools")
    const choice = element("select", "style")
    choice.setAttribute("aria-label", t("Style of the code"))
    choice.append(new Option(t("As a class"), "module"), new Option("nn.Sequential", "sequential"))
    choice.value = this.style
    choice.onchange = () => { this.style = choice.value === "module" ? "module" : "sequential"; this.show("code") }
    const copy = button(t("Copy"), () => { this.copy(copy, code, t("Copy")) }, { name: "copy-code" })
    tools.append(choice, element("span", "gap"), copy, button(t("Download"), () => saveText(code, `${this.stack.state.name.replaceAll("-", "_")}.py`), { name: "save-code" }))
    box.replaceChildren(tools, element("pre", "code", code))
  }

  compared() {
    const from = this.data.presets.find(({ name }) => name === this.stack.state.name)
    const compared = this.fitting?.compared
    if (!from || !compared) return [element("p", "hint", t("Open a network and change it to see the differences here."))]
    if (!compared.length) return [element("p", "hint", t("There is no difference from {network}.", { network: from.title || from.name }))]
    const list = element("ul", "differences")
    list.append(...compared.map(({ text }) => element("li", "", text)))
    return [element("p", "", t("Compared with {network}:", { network: from.title || from.name })), list]
  }

  /** @param {string} name */
  openPreset(name) {
    const preset = this.data.presets.find((each) => each.name === name)
    this.parts.preset.value = ""
    if (preset) this.stack.open(preset)
  }

  /** @param {string} value an option of the input's shapes */
  chooseShape(value) {
    this.typing = value === "own"
    if (!this.typing) this.setShape(value)
    else { this.marks(); this.parts.sizes.focus() }
  }

  /** @param {string} text */
  setShape(text) {
    const sizes = sizesIn(text)
    if (sizes) this.stack.change(() => { this.stack.state.input_shape = sizes })
    this.typing = false
    this.marks()
  }

  /** @param {string} text the code of a network */
  async read(text) {
    const sizes = sizesIn(this.parts.given.value)
    /** @type {ReadNetwork | Failure} */
    const answer = await this.ask("api/network/read", { text, ...(sizes ? { input_shape: sizes } : {}) })
    this.parts.fault.textContent = "error" in answer ? answer.error : ""
    if ("error" in answer) return
    this.parts.reading.close()
    this.parts.given.value = ""
    this.noted = answer.notes.join(" ")
    this.stack.open(answer.network)
  }

  /** @param {File} [file] */
  async file(file) {
    if (!file) return
    this.parts.chosen.value = ""
    if (file.size > 200000) return this.complain(t("This file is too large to be a network."))
    const text = await file.text()
    if (!/^\s*[{[]/.test(text)) { this.parts.text.value = text; this.parts.fault.textContent = ""; this.parts.reading.showModal(); return this.read(text) }
    let network
    try { network = JSON.parse(text) } catch (error) { return this.complain(t("This is not JSON: {error}.", { error: /** @type {Error} */ (error).message })) }
    /** @type {NetworkAnalysis | Failure} */
    const answer = await this.ask("api/network/analyse", { network })
    const problem = "error" in answer ? answer.error : answer.problems[0]
    if (problem) return this.complain(problem)
    this.stack.open(network)
  }

  /** @param {string} text */
  complain(text) {
    this.parts.trouble.textContent = text
  }

  /** @param {"train" | "gradients"} where */
  go(where) {
    this.trigger("go", { where, network: this.stack.document().network })
  }

  /**
   * @param {HTMLElement} pressed
   * @param {string} text
   * @param {string} title of the button, once it is left
   */
  async copy(pressed, text, title) {
    try {
      await navigator.clipboard.writeText(text)
      pressed.textContent = t("Copied")
    } catch {
      pressed.textContent = t("The browser did not allow it")
    }
    pressed.onblur = pressed.onpointerleave = () => { pressed.textContent = title }
  }

  close() {
    this.window.stop()
  }
}

export default mounting(Builder)
