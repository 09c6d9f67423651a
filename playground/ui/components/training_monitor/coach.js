// The findings of the coach: for each its title and evidence, and below them why it matters and what to do.

import { element } from "../shared/dom.js"

/** @import { Finding, State } from "./types.js" */

const PRESSED_MS = 100 // between two checks whether a button is still pressed
/** @type {Partial<Record<State, string>>} */
const HEALTHY = {
  running: "Coach: no problem found so far.", paused: "Coach: no problem found so far.", queued: "", interrupted: "", failed: "",
}

export class Coach {
  /** @param {(finding: string, label: string) => void} remedy starts the run that a finding proposes */
  constructor(remedy) {
    this.remedy = remedy
    this.hint = element("p", "monitor-hint")
    this.box = element("section", "monitor-coach")
    this.box.setAttribute("aria-label", "Coach")
    /** @type {Map<string, Card>} by the name of the finding */
    this.cards = new Map()
    /** @type {number | undefined} */
    this.later = undefined
  }

  // Drop the findings of another run.
  clear() {
    clearTimeout(this.later)
    this.cards.clear()
    this.box.replaceChildren()
  }

  /**
   * The card of a finding stays while the numbers in it move, and nothing moves under a pressed button: it would swallow the click.
   * @param {Finding[]} findings
   * @param {State} state
   */
  show(findings, state) {
    clearTimeout(this.later)
    if (this.box.querySelector("button:active")) {
      this.later = setTimeout(() => this.show(findings, state), PRESSED_MS)
      return
    }
    this.hint.textContent = HEALTHY[state] ?? "Coach: this run looks healthy."
    const cards = findings.map((finding) => {
      const card = this.cards.get(finding.name) ?? new Card(finding, (label) => this.remedy(finding.name, label))
      this.cards.set(finding.name, card)
      card.show(finding)
      return card.box
    })
    arrange(this.box, cards.length ? cards : [this.hint])
  }
}

class Card {
  /**
   * @param {Finding} finding
   * @param {(label: string) => void} remedy
   */
  constructor(finding, remedy) {
    this.remedy = remedy
    this.box = element("details", "monitor-finding")
    this.box.open = finding.severity === "problem"
    this.title = element("b")
    this.evidence = element("span")
    this.why = element("p")
    this.advice = element("p")
    this.explains = element("p")
    this.tools = element("div", "monitor-tools")
    /** @type {Map<string, HTMLButtonElement>} by the label of the remedy */
    this.buttons = new Map()
    const summary = element("summary")
    summary.append(this.title, this.evidence)
    this.box.append(summary, this.why, this.advice, this.explains, this.tools)
  }

  /** @param {Finding} finding */
  show({ severity, title, evidence, why, advice, explains, remedies }) {
    this.box.className = `monitor-finding ${severity}`
    this.title.textContent = title
    this.evidence.textContent = evidence
    this.why.textContent = why
    this.advice.textContent = advice
    this.explains.textContent = explains.length ? `This also explains: ${explains.join("; ")}.` : ""
    this.explains.hidden = !explains.length
    this.tools.hidden = !remedies.length
    arrange(this.tools, remedies.map(({ label }) => this.button(label)))
  }

  /** @param {string} label */
  button(label) {
    const known = this.buttons.get(label)
    if (known) return known
    const button = element("button", "", label)
    button.type = "button"
    button.onclick = () => this.remedy(label)
    this.buttons.set(label, button)
    return button
  }
}

/**
 * The box has these children in this order; those that are in their place are not touched.
 * @param {HTMLElement} box
 * @param {HTMLElement[]} children
 */
function arrange(box, children) {
  children.forEach((child, place) => {
    if (box.children[place] !== child) box.insertBefore(child, box.children[place] ?? null)
  })
  while (box.children.length > children.length) box.children[children.length].remove()
}
