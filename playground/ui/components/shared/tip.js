// A short explanation beside what it explains: shown by the pointer, by the focus, and by a tap; Escape hides it.

import { Base, element } from "./dom.js"
import { placeBeside } from "./placing.js"

export class ToolTip extends Base {
  static observedAttributes = ["text"]

  constructor() {
    super()
    this.box = Object.assign(element("span", "tip-box"), { role: "tooltip", id: `tip-${Math.random().toString(36).slice(2)}`, popover: "manual" })
    this.outside = (/** @type {Event} */ event) => { if (!event.composedPath().includes(this)) this.hide() }
    this.scrolled = () => this.hide()
    this.isPointed = false // the pointer was moved there: it also enters by resting where another page has this word
    this.addEventListener("pointermove", ({ pointerType }) => {
      if (pointerType === "touch" || this.isPointed) return
      this.isPointed = true
      this.show()
    })
    this.addEventListener("pointerleave", ({ pointerType }) => {
      this.isPointed = false
      if (pointerType !== "touch" && !this.matches(":focus-within")) this.hide()
    })
    this.addEventListener("pointerup", ({ pointerType }) => { if (pointerType === "touch") this.show() })
    this.addEventListener("focusin", () => { if (this.matches(":focus-visible, :has(:focus-visible)")) this.show() })
    this.addEventListener("focusout", ({ relatedTarget }) => { if (!(relatedTarget instanceof Node && this.contains(relatedTarget))) this.hide() })
    this.addEventListener("keydown", (event) => { if (event.key === "Escape" && this.isShown) { event.stopPropagation(); this.hide() } })
  }

  connectedCallback() {
    if (this.box.parentNode === this) return
    this.append(this.box)
    const inside = this.querySelector("a, button, input, textarea, [tabindex]")
    const target = inside ?? this
    if (target === this) Object.assign(this, { tabIndex: 0, role: "button" })
    target.setAttribute("aria-describedby", this.box.id)
  }

  disconnectedCallback() {
    this.hide()
  }

  attributeChangedCallback() {
    this.box.textContent = this.text
  }

  get text() { return this.getAttribute("text") ?? "" }
  set text(text) { this.setAttribute("text", text) }

  get isShown() {
    return this.box.matches(":popover-open")
  }

  show() {
    if (this.isShown || !this.isConnected || !this.text) return
    this.box.showPopover()
    placeBeside(this.box, this, { gap: 0, centred: true, above: true })
    addEventListener("pointerdown", this.outside, true)
    addEventListener("scroll", this.scrolled, true)
  }

  hide() {
    removeEventListener("pointerdown", this.outside, true)
    removeEventListener("scroll", this.scrolled, true)
    if (this.isShown) this.box.hidePopover()
  }
}
