// A button that shows and hides what stands beneath it.

import { Base, button } from "./dom.js"

export class DisclosureBox extends Base {
  static observedAttributes = ["label", "open"]

  constructor() {
    super()
    this.head = button("", () => { this.open = !this.open }, { name: "disclosure-head" })
  }

  connectedCallback() {
    if (this.head.parentNode !== this) this.prepend(this.head)
    this.head.ariaExpanded = String(this.open)
  }

  /**
   * @param {string} name
   * @param {string | null} old
   * @param {string | null} value
   */
  attributeChangedCallback(name, old, value) {
    if (name === "label") this.head.textContent = value
    else if ((old === null) !== (value === null)) {
      this.head.ariaExpanded = String(this.open)
      this.dispatchEvent(new Event("toggle"))
    }
  }

  get open() { return this.hasAttribute("open") }
  set open(open) { this.toggleAttribute("open", open) }
  get label() { return this.getAttribute("label") ?? "" }
  set label(label) { this.setAttribute("label", label) }
}
