// The layers as a list: chosen, dragged, moved by keys; and the input above them.

import { shapeText } from "../shared/format.js"
import { draw, html, live, nothing, repeat } from "../shared/templates.js"
import { t } from "../shared/text.js"
import { settings, sizesIn } from "./texts.js"

/**
 * @import { Layer } from "./stack.js"
 * @import { Builder } from "./view.js"
 */

const VECTORS = [[784], [10]] // inputs beside those of the data sets
const OTHER = "other"
const EDGE = 30, PACE = 12 // pixels: how near its edge the list scrolls while a layer is dragged, and how far at a time

export class LayerList {
  /**
   * @param {HTMLElement} box
   * @param {Builder} builder
   */
  constructor(box, builder) {
    this.box = box
    this.builder = builder
    this.dragging = false
    this.isTyped = false // whether the input's sizes are typed
    box.onkeydown = (event) => this.key(event)
  }

  get rows() {
    return /** @type {HTMLElement[]} */ ([...this.box.querySelectorAll(".rows > li")])
  }

  /** Scroll to the chosen layer, in the list alone. */
  reveal() {
    const row = this.rows[this.builder.stack.state.chosen]
    const list = row?.parentElement
    if (!row || !list) return
    const { top, bottom } = row.getBoundingClientRect()
    const box = list.getBoundingClientRect()
    if (top < box.top || bottom > box.bottom) list.scrollTop += top - box.top - (box.height - row.offsetHeight) / 2
  }

  /** Let the keyboard go on at the chosen layer. */
  focus() {
    this.reveal()
    this.rows[this.builder.stack.state.chosen]?.querySelector("button")?.focus({ preventScroll: true })
  }

  draw() {
    if (this.dragging) return
    const { builder } = this
    const { layers, state } = builder.stack
    draw(this.box, html`
      ${this.input()}
      ${layers.length ? html`<ol class="rows">${repeat(layers, ({ id }) => id, (layer, place) => this.row(layer, place))}</ol>` : html`<p class="help empty">${t("Add a first layer, or open a network above.")}</p>`}
      <button type="button" class="add" @click=${(/** @type {any} */ { currentTarget }) => builder.palette.open(currentTarget, layers.length ? state.chosen + 1 : 0)}>+ ${t("Add a layer")}</button>`)
  }

  input() {
    const { stack, data } = this.builder
    const sizes = stack.state.input_shape
    const known = [...new Map([...data.datasets.map((each) => each.input_shape), ...VECTORS].map((each) => [String(each), each])).values()]
    const isOther = this.isTyped || !known.some((each) => String(each) === String(sizes))
    const options = [...known.map((each) => ({ value: String(each), title: shapeText(each) })), { value: OTHER, title: t("another…") }]
    return html`
      <div class="input"><span class="type">${t("Input")}</span>
        <pick-one class="shape" label=${t("Input shape")} .options=${options} .value=${isOther ? OTHER : String(sizes)} @change=${(/** @type {any} */ { target }) => this.chooseShape(target.value)}></pick-one>
        ${isOther ? html`<input type="text" class="sizes" inputmode="numeric" aria-label=${t("Sizes of one sample")} .value=${live(sizes.join(", "))} @change=${(/** @type {any} */ { target }) => this.setShape(target.value)}>` : nothing}
        ${this.insertion(0)}</div>`
  }

  /** @param {string} value an option of the input's shapes */
  chooseShape(value) {
    this.isTyped = value === OTHER
    if (!this.isTyped) return this.setShape(value)
    this.draw()
    this.box.querySelector("input")?.focus()
  }

  /** @param {string} text */
  setShape(text) {
    const { stack } = this.builder
    const sizes = sizesIn(text)
    this.isTyped = false
    if (sizes) stack.change(() => { stack.state.input_shape = sizes })
    this.draw()
  }

  /**
   * @param {Layer} layer
   * @param {number} place
   */
  row(layer, place) {
    const { builder } = this
    const { type, off } = layer
    const step = builder.steps.get(place)
    const isChosen = place === builder.stack.state.chosen
    const set = settings(layer, builder.kinds.get(type)?.params ?? [])
    const out = off ? t("off") : step?.out_shape ? shapeText(step.out_shape) : step?.error ? t("does not fit") : ""
    return html`
      <li class=${`row${isChosen ? " chosen" : ""}${off ? " off" : ""}${step?.error ? " wrong" : ""}`} data-type=${type}>
        <span class="grip" title=${t("Drag to move, or press Alt+↑ or Alt+↓")} @pointerdown=${(/** @type {PointerEvent} */ event) => this.drag(event, place)}>⠿</span>
        <button type="button" class="choice" aria-pressed=${isChosen} tabindex=${isChosen ? 0 : -1} @click=${() => builder.choose(place)}>
          <span class="index">${place}</span><b class="type" translate="no">${type}</b><span class="set" translate="no" title=${set}>${set}</span><span class="out">${out}</span>
        </button>
        ${this.insertion(place + 1)}
      </li>`
  }

  /** @param {number} place */
  insertion(place) {
    return html`<button type="button" class="insert" tabindex="-1" aria-label=${t("Insert a layer at position {place}", { place })} title=${t("Insert a layer here")}
      @click=${(/** @type {any} */ { currentTarget }) => this.builder.palette.open(currentTarget, place)}>+</button>`
  }

  /**
   * A row follows the pointer. The others make room where it will be put when the pointer is let go, and a line shows the place.
   * @param {PointerEvent} event
   * @param {number} from
   */
  drag(event, from) {
    event.preventDefault()
    const { rows } = this
    const [list] = /** @type {HTMLElement[]} */ ([...this.box.querySelectorAll(".rows")])
    const held = rows[from]
    const start = event.clientY + list.scrollTop
    const others = rows.filter((row) => row !== held)
    const middles = others.map((row) => row.getBoundingClientRect().top + row.offsetHeight / 2 + list.scrollTop)
    let to = from
    this.dragging = true
    held.classList.add("held")
    const move = (/** @type {PointerEvent} */ { clientY }) => {
      const { top, bottom } = list.getBoundingClientRect()
      if (clientY < top + EDGE) list.scrollTop -= PACE
      if (clientY > bottom - EDGE) list.scrollTop += PACE
      held.style.transform = `translateY(${clientY + list.scrollTop - start}px)`
      to = middles.filter((middle) => middle < clientY + list.scrollTop).length
      others.forEach((row, place) => { row.style.transform = place >= from && place < to ? "translateY(-100%)" : place < from && place >= to ? "translateY(100%)" : "" })
      rows.forEach((row, place) => { row.classList.toggle("before", to < from && place === to); row.classList.toggle("behind", to > from && place === to) })
    }
    const drop = () => {
      window.removeEventListener("pointermove", move)
      window.removeEventListener("pointerup", drop)
      window.removeEventListener("pointercancel", drop)
      this.dragging = false
      for (const row of rows) {
        row.style.transform = ""
        row.classList.remove("held", "before", "behind")
      }
      if (to === from) this.draw()
      else this.builder.move(from, to)
    }
    window.addEventListener("pointermove", move)
    window.addEventListener("pointerup", drop)
    window.addEventListener("pointercancel", drop)
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const [target] = event.composedPath()
    if (!(target instanceof Element) || !target.classList.contains("choice")) return
    const { builder } = this
    const { layers, state: { chosen } } = builder.stack
    const go = (/** @type {number} */ place) => builder.choose(Math.max(0, Math.min(layers.length - 1, place)))
    /** @type {Record<string, () => void>} */
    const acts = {
      ArrowUp: () => (event.altKey ? builder.move(chosen, chosen - 1) : go(chosen - 1)),
      ArrowDown: () => (event.altKey ? builder.move(chosen, chosen + 1) : go(chosen + 1)),
      Delete: () => builder.remove(chosen),
      d: () => builder.duplicate(chosen),
    }
    const act = acts[event.key]
    if (!act || (event.key === "d" && !event.ctrlKey && !event.metaKey)) return
    event.preventDefault()
    act()
    this.focus()
  }
}
