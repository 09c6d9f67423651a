// The selected layer: what can be done with it, its parameters, and what follows from them.

import { shapeText } from "../shared/format.js"
import { draw, html, live, nothing } from "../shared/templates.js"
import { marked } from "../shared/term.js"
import { t } from "../shared/text.js"
import { PARTS, PART_TITLES, inParts, layerFacts } from "./texts.js"
import { Window } from "./window.js"

/**
 * @import { LayerAnalysis, LayerParam } from "./documents.js"
 * @import { Layer, Value } from "./stack.js"
 * @import { Builder } from "./view.js"
 */

const MAIN = 3 // parameters that are always shown

export class LayerPanel {
  /**
   * @param {HTMLElement} box
   * @param {Builder} builder
   */
  constructor(box, builder) {
    this.box = box
    this.builder = builder
    this.window = new Window()
    /** @type {{ name: string, text: string } | null} the number that is being typed */
    this.typed = null
    this.shown = 0 // the id of the layer
    this.isWhole = false // whether all its parameters are shown
  }

  draw() {
    const { stack, kinds, steps, forward, index } = this.builder
    const layer = stack.chosen
    if (!layer) return draw(this.box, html`<p class="help">${t("Add a layer to see its parameters here.")}</p>`)
    const kind = kinds.get(layer.type)
    const params = kind?.params ?? []
    const step = steps.get(stack.state.chosen)
    const rest = params.slice(MAIN)
    if (layer.id !== this.shown) {
      this.typed = null
      this.isWhole = rest.some(({ name }) => name in layer.params)
      this.shown = layer.id
    }
    draw(this.box, html`
      <header><h2><span class="index">${stack.state.chosen}</span> <span class="type" translate="no">${explained(layer.type, kind?.term)}</span></h2>${this.acts(layer)}</header>
      <p class="help">${kind?.summary}</p>
      <div class="fields">${params.slice(0, MAIN).map((param) => this.field(layer, param))}</div>
      ${rest.length ? html`
        <disclosure-box label=${t("More parameters")} ?open=${this.isWhole} @toggle=${(/** @type {any} */ { target }) => { this.isWhole = target.open }}>
          <div class="fields">${rest.map((param) => this.field(layer, param))}</div>
        </disclosure-box>` : nothing}
      <dl class="facts">${shapes(step)}${layerFacts(layer, step).map(({ name, text, formula }) => html`<dt>${marked(name)}</dt><dd>${formula ? colouredFormula(text, formula) : marked(text)}</dd>`)}</dl>
      ${index === undefined ? nothing : forward.about(index)}
      ${this.slidingWindow(step)}`)
  }

  /** @param {Layer} layer */
  acts({ off }) {
    const { builder } = this
    const { chosen, layers } = builder.stack.state
    return html`
      <div class="acts">
        <button type="button" class="up" aria-label=${t("Move up")} title=${t("Move up (Alt+↑)")} ?disabled=${chosen === 0} @click=${() => builder.move(chosen, chosen - 1)}>↑</button>
        <button type="button" class="down" aria-label=${t("Move down")} title=${t("Move down (Alt+↓)")} ?disabled=${chosen === layers.length - 1} @click=${() => builder.move(chosen, chosen + 1)}>↓</button>
        <button type="button" class="copy" title=${t("Ctrl+D")} @click=${() => builder.duplicate(chosen)}>${t("Duplicate")}</button>
        <button type="button" class="off" @click=${() => builder.stack.toggle(chosen)}>${off ? t("Switch on") : t("Switch off")}</button>
        <button type="button" class="delete" @click=${() => builder.remove(chosen)}>${t("Delete")}</button>
      </div>`
  }

  /**
   * @param {Layer} layer
   * @param {LayerParam} param
   */
  field(layer, param) {
    const { name, kind, choices, low, high, help, term } = param
    const value = layer.params[name] ?? param.default
    const set = (/** @type {Value} */ next) => this.builder.stack.set(this.builder.stack.state.chosen, name, next)
    const id = `param-${name}`
    const control =
      kind === "choice" ? html`<pick-one id=${id} data-param=${name} label=${name} .options=${choices.map((choice) => ({ value: choice, title: choice }))} .value=${String(value)} @change=${(/** @type {any} */ { target }) => set(target.value)}></pick-one>`
      : kind === "bool" ? html`<input type="checkbox" id=${id} data-param=${name} aria-label=${name} aria-describedby=${`${id}-help`} .checked=${live(Boolean(value))} @change=${(/** @type {any} */ { target }) => set(target.checked)}>`
      : this.numberField(param, value, set)
    const isNumber = kind === "int" || kind === "float"
    const meaning = html`<span class="help" id=${`${id}-help`}>${isNumber && this.isWrong(param) ? t("Enter a number from {low} to {high}.", { low, high }) : marked(help)}</span>`
    return html`
      <div class=${`field ${kind}${this.isWrong(param) ? " wrong" : ""}`}>
        <span class=${`name of-${PARTS[name] ?? "none"}`} translate="no">${explained(name, term)}</span>
        ${kind === "bool" ? html`<label>${control}${meaning}</label>` : html`${control}${meaning}`}
      </div>`
  }

  /** @param {LayerParam} param */
  isWrong({ name }) {
    const field = this.box.querySelector(`[data-param=${name}]`)
    return this.typed?.name === name && field instanceof HTMLInputElement && (this.typed.text === "" || !field.validity.valid)
  }

  /**
   * What is typed stays as it is until the field is left, even if it is no number yet.
   * @param {LayerParam} param
   * @param {Value} value
   * @param {(value: Value) => void} set
   */
  numberField({ name, kind, low, high }, value, set) {
    const text = this.typed?.name === name ? this.typed.text : String(value)
    const typed = (/** @type {any} */ { target }) => {
      this.typed = { name, text: target.value }
      if (target.value !== "" && target.validity.valid) set(Number(target.value))
      this.draw()
    }
    return html`<input type="number" id=${`param-${name}`} data-param=${name} aria-label=${name} aria-describedby=${`param-${name}-help`} min=${low} max=${high} step=${kind === "int" ? "1" : "any"}
      .value=${live(text)} @input=${typed} @blur=${() => { this.typed = null; queueMicrotask(() => this.draw()) }}>` // not at once: the field may be losing the focus because it is being removed
  }

  /** @param {LayerAnalysis} [step] */
  slidingWindow(step) {
    if (step?.in_shape?.length !== 3 || !step.params.kernel_size) {
      this.window.stop()
      return nothing
    }
    this.window.show(step.in_shape[1], step.params)
    return this.window.box
  }

  close() {
    this.window.stop()
  }
}

/**
 * A name of PyTorch, with the card of its term where it has one.
 * @param {string} name
 * @param {string} [term] of the glossary
 */
const explained = (name, term) => (term ? html`<glossary-term name=${term}>${name}</glossary-term>` : name)

/** @param {LayerAnalysis} [step] */
function shapes(step) {
  if (!step?.in_shape) return nothing
  return html`<dt>${marked(t("[[Shape|shape]]"))}</dt><dd><b class="of-input">${shapeText(step.in_shape)}</b> → ${step.error ? html`<span class="error">✕ ${step.error}</span>` : html`<b class="of-output">${step.out_shape ? shapeText(step.out_shape) : "?"}</b>`}</dd>`
}

/**
 * @param {string} text
 * @param {string} kind
 */
function colouredFormula(text, kind) {
  return text.split("\n").map((line) => html`<span class="formula">${inParts(line, kind).map(({ text: piece, part }) => (part ? html`<b class=${`of-${part}`} title=${PART_TITLES[part]} translate="no">${piece}</b>` : piece))}</span>`)
}
