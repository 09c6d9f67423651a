// The layers that can be added: the usual ones, and a search over all of them.

import { placeBeside } from "../shared/placing.js"
import { draw, html, nothing, repeat } from "../shared/templates.js"
import { t } from "../shared/text.js"

/** @import { LayerKind } from "./documents.js" */

const USUAL = ["Conv2d", "ReLU", "MaxPool2d", "BatchNorm2d", "Dropout", "Flatten", "Linear", "ResidualBlock"]

/**
 * The layers that a search finds: each word is in the name, the title, the group or the description. What has a name that begins so comes first.
 * @param {LayerKind[]} kinds
 * @param {string} search
 */
export function matching(kinds, search) {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean)
  const text = (/** @type {LayerKind} */ kind) => [kind.name, kind.title, kind.group_title, kind.summary].join(" ").toLowerCase()
  const begins = (/** @type {LayerKind} */ kind) => Number(!kind.name.toLowerCase().startsWith(words[0] ?? ""))
  return kinds.filter((kind) => words.every((word) => text(kind).includes(word))).sort((one, other) => begins(one) - begins(other))
}

export class Palette {
  /**
   * @param {HTMLElement} box a popover
   * @param {(type: string, place: number) => void} add
   */
  constructor(box, add) {
    this.box = box
    this.add = add
    /** @type {LayerKind[]} */
    this.kinds = []
    this.place = 0 // where the layer is put
    this.search = ""
    this.isWhole = false // whether all layers are listed
    box.ariaLabel = t("Layers to add")
    box.onkeydown = (event) => this.key(event)
  }

  /**
   * @param {HTMLElement} opener
   * @param {number} place
   */
  open(opener, place) {
    this.place = place
    this.search = ""
    this.isWhole = false
    this.draw()
    this.box.showPopover()
    placeBeside(this.box, opener)
    this.box.querySelector("input")?.focus()
  }

  /** @param {string} type */
  take(type) {
    this.box.hidePopover()
    this.add(type, this.place)
  }

  draw() {
    const found = this.search ? matching(this.kinds, this.search) : this.isWhole ? this.kinds : this.kinds.filter(({ name }) => USUAL.includes(name)).sort((one, other) => USUAL.indexOf(one.name) - USUAL.indexOf(other.name))
    draw(this.box, html`
      <input type="search" aria-label=${t("Search all layers")} placeholder=${t("Search all {count} layers", { count: this.kinds.length })} .value=${this.search}
        @input=${(/** @type {any} */ { target }) => { this.search = target.value; this.draw() }}>
      <ul>${repeat(found, ({ name }) => name, (kind) => html`
        <li><button type="button" class="kind" @click=${() => this.take(kind.name)}><b translate="no">${kind.name}</b><span class="help">${kind.summary}</span></button></li>`)}</ul>
      ${found.length ? nothing : html`<p class="help">${t("No layer matches. Try another word, such as norm or pooling.")}</p>`}
      ${this.search || this.isWhole ? nothing : html`<button type="button" class="whole" @click=${() => { this.isWhole = true; this.draw() }}>${t("All {count} layers", { count: this.kinds.length })}</button>`}`)
  }

  /**
   * Enter takes the first layer found; the arrow keys go through the list.
   * @param {KeyboardEvent} event
   */
  key(event) {
    const buttons = /** @type {HTMLElement[]} */ ([...this.box.querySelectorAll(".kind")])
    const [target] = event.composedPath()
    const at = buttons.findIndex((button) => button === target)
    const next = event.key === "ArrowDown" ? at + 1 : event.key === "ArrowUp" ? at - 1 : -1
    if (event.key === "Enter" && at < 0 && target instanceof HTMLInputElement) buttons[0]?.click()
    else if (buttons[next]) buttons[next].focus()
    else return
    event.preventDefault()
    event.stopPropagation()
  }
}
