// A list from which one is picked: a button that shows the choice, and the list, which lies above the page and is never clipped.

import { Base, element } from "./dom.js"
import { placeBeside } from "./placing.js"
import { translate } from "./text.js"

/** @typedef {{ value: string, title: string, group?: string, disabled?: boolean }} Choice those of one group stand behind one another */

const TYPING_MS = 700 // between two letters of a word that is typed
const PAGE = 8

/** @type {Record<string, (at: number, count: number) => number>} */
const STEPS = {
  ArrowDown: (at, count) => Math.min(at + 1, count - 1),
  ArrowUp: (at) => Math.max(at - 1, 0),
  PageDown: (at, count) => Math.min(at + PAGE, count - 1),
  PageUp: (at) => Math.max(at - PAGE, 0),
  Home: () => 0,
  End: (_at, count) => count - 1,
}

/**
 * The choice to which a key leads; `at` for other keys. One that is disabled is passed over, and stays out of reach at the ends.
 * @param {string} key
 * @param {number} at
 * @param {Choice[]} choices
 */
export function stepped(key, at, choices) {
  if (!(key in STEPS)) return at
  const back = key === "ArrowUp" || key === "PageUp" || key === "End"
  let next = STEPS[key](at, choices.length)
  while (choices[next]?.disabled) next += back ? -1 : 1
  return choices[next] ? next : at
}

/**
 * The next choice whose title begins with what was typed; −1 for none. The same letter again goes on to the one after.
 * @param {string} typed
 * @param {number} at
 * @param {Choice[]} choices
 */
export function typedAt(typed, at, choices) {
  const word = new Set(typed).size === 1 ? typed[0] : typed
  const first = word.length === 1 ? at + 1 : at
  const order = choices.map((_, place) => (first + place) % choices.length)
  return order.find((place) => !choices[place].disabled && choices[place].title.toLowerCase().startsWith(word)) ?? -1
}

export class PickOne extends Base {
  static observedAttributes = ["label", "disabled"]

  constructor() {
    super()
    /** @type {Choice[]} */
    this.choices = []
    this.wanted = "" // the value that was set last; the first choice stands for one that there is not
    this.at = 0 // the choice that the keys have reached
    this.typed = { text: "", time: 0 }
    this.took = false // whether the key that is down was for the list
    this.named = `pick-${Math.random().toString(36).slice(2)}`
    this.shown = element("span", "pick-shown")
    this.list = Object.assign(element("div", "pick-list"), { role: "listbox", id: this.named, popover: "manual" })
    this.button = Object.assign(element("button", "pick-button"), { type: "button", role: "combobox", ariaHasPopup: "listbox", ariaExpanded: "false" })
    this.button.setAttribute("aria-controls", this.named)
    this.button.append(this.shown)
    this.follow = (/** @type {Event} */ event) => { if (event.target !== this.list) placeBeside(this.list, this.button) } // the list itself can be scrolled, too
    this.outside = (/** @type {Event} */ event) => { if (!event.composedPath().includes(this)) this.close() }
  }

  connectedCallback() {
    if (this.button.parentNode === this) return
    translate(this)
    const children = /** @type {HTMLOptionElement[]} */ ([...this.querySelectorAll("option")])
    if (children.length) {
      this.wanted ||= children.find((option) => option.hasAttribute("selected"))?.value ?? ""
      this.choices = children.map(({ value, text, disabled }) => ({ value, title: text, disabled }))
    }
    this.replaceChildren(this.button, this.list)
    this.button.onkeydown = (event) => this.press(event)
    this.button.onkeyup = (event) => { if (event.key === " " && this.took) event.preventDefault() } // a browser clicks a button when space is let go of
    this.button.onclick = () => (this.isOpen ? this.close() : this.open())
    this.button.onblur = (event) => this.left(event)
    this.list.onpointerdown = (event) => event.preventDefault() // the button keeps the focus
    this.list.onclick = (event) => this.choose(this.placeOf(event))
    this.list.onpointermove = (event) => { const at = this.placeOf(event); if (at >= 0 && at !== this.at) this.reach(at, false) }
    this.draw()
  }

  disconnectedCallback() {
    this.close()
  }

  attributeChangedCallback() {
    this.draw()
  }

  get options() {
    return this.choices
  }

  /** @param {Choice[]} options */
  set options(options) {
    this.choices = options
    this.draw()
    if (!this.isOpen) return
    this.fill()
    this.reach(this.at, false)
  }

  get value() {
    return this.chosen?.value ?? ""
  }

  /** @param {string} value */
  set value(value) {
    this.wanted = String(value)
    this.draw()
  }

  get disabled() {
    return this.hasAttribute("disabled")
  }

  /** @param {boolean} disabled */
  set disabled(disabled) {
    this.toggleAttribute("disabled", disabled)
  }

  get label() {
    return this.getAttribute("label") ?? ""
  }

  /** @param {string} label */
  set label(label) {
    this.setAttribute("label", label)
  }

  get chosen() {
    return this.choices.find(({ value }) => value === this.wanted) ?? this.choices[0]
  }

  get isOpen() {
    return this.list.matches(":popover-open")
  }

  focus(/** @type {FocusOptions} */ options = {}) {
    this.button.focus(options)
  }

  draw() {
    const title = this.chosen?.title ?? ""
    if (this.shown.textContent !== title) this.shown.textContent = title
    this.button.disabled = this.disabled
    this.button.ariaLabel = this.label || null
    this.button.title = title
  }

  /** Fill the list, before it is shown. */
  fill() {
    /** @type {HTMLElement} */
    let box = this.list
    let group
    this.list.replaceChildren()
    for (const [place, choice] of this.choices.entries()) {
      if (choice.group !== group) {
        group = choice.group
        box = group === undefined ? this.list : Object.assign(element("div", "pick-group"), { role: "group", ariaLabel: group })
        if (group !== undefined) { box.append(Object.assign(element("div", "pick-heading", group), { ariaHidden: "true" })); this.list.append(box) }
      }
      const item = Object.assign(element("div", "pick-option", choice.title), { role: "option", id: `${this.named}-${place}`, ariaSelected: String(choice === this.chosen) })
      item.dataset.at = String(place)
      if (choice.disabled) item.ariaDisabled = "true"
      box.append(item)
    }
    this.list.ariaLabel = this.label
    this.list.style.minWidth = `${this.button.offsetWidth}px`
    this.at = Math.max(0, this.choices.findIndex((choice) => choice === this.chosen))
  }

  open() {
    if (this.isOpen || this.disabled) return
    this.fill()
    this.list.showPopover()
    placeBeside(this.list, this.button)
    this.button.ariaExpanded = "true"
    this.reach(this.at)
    addEventListener("pointerdown", this.outside, true)
    addEventListener("scroll", this.follow, true)
    addEventListener("resize", this.follow)
  }

  close() {
    removeEventListener("pointerdown", this.outside, true)
    removeEventListener("scroll", this.follow, true)
    removeEventListener("resize", this.follow)
    this.button.ariaExpanded = "false"
    this.button.removeAttribute("aria-activedescendant")
    if (this.isOpen) this.list.hidePopover()
  }

  /**
   * Close when something else takes the focus. Where nothing does – the window lost it, or the page was drawn again – an open list stays and has it again.
   * @param {FocusEvent} event
   */
  left({ relatedTarget }) {
    if (relatedTarget) this.close()
    else queueMicrotask(() => { if (this.isOpen && document.hasFocus()) this.button.focus({ preventScroll: true }) })
  }

  /**
   * Mark a choice as the one that Enter takes.
   * @param {number} at
   */
  reach(at, scrolls = true) {
    this.at = at
    for (const item of /** @type {NodeListOf<HTMLElement>} */ (this.list.querySelectorAll("[role=option]"))) {
      const isReached = Number(item.dataset.at) === at
      item.classList.toggle("reached", isReached)
      if (isReached && scrolls) item.scrollIntoView({ block: "nearest", behavior: "instant" })
    }
    this.button.setAttribute("aria-activedescendant", `${this.named}-${at}`)
  }

  /** @param {number} at */
  choose(at) {
    const choice = this.choices[at]
    if (!choice || choice.disabled) return
    this.close()
    if (choice === this.chosen) return
    this.value = choice.value
    this.dispatchEvent(new Event("change", { bubbles: true }))
  }

  /** @param {Event} event */
  placeOf({ target }) {
    const item = target instanceof Element ? target.closest("[role=option]") : null
    return item instanceof HTMLElement ? Number(item.dataset.at) : -1
  }

  /** @param {KeyboardEvent} event */
  press(event) {
    const { key } = event
    if (event.ctrlKey || event.metaKey || event.altKey) return
    this.took = false
    const typing = key.length === 1 && (key !== " " || event.timeStamp - this.typed.time < TYPING_MS)
    if (key === "Tab" && this.isOpen) return this.choose(this.at)
    if (key === "Escape" && this.isOpen) this.close()
    else if (this.isOpen && !typing && (key === "Enter" || key === " ")) this.choose(this.at)
    else if (typing) this.type(key.toLowerCase(), event.timeStamp)
    else if (key in STEPS) this.step(key)
    else return
    this.took = true
    event.preventDefault()
    event.stopPropagation()
  }

  /** @param {string} key */
  step(key) {
    const wasOpen = this.isOpen
    this.open()
    if (wasOpen || key === "Home" || key === "End") this.reach(stepped(key, this.at, this.choices))
  }

  /**
   * @param {string} letter
   * @param {number} time in milliseconds
   */
  type(letter, time) {
    this.typed = { text: time - this.typed.time < TYPING_MS ? this.typed.text + letter : letter, time }
    this.open()
    const at = typedAt(this.typed.text, this.at, this.choices)
    if (at >= 0) this.reach(at)
  }
}
