// The findings of the coach: for each its title and evidence, and below them why it matters and what to do.

import { button, element } from "../shared/dom.js"
import { t } from "../shared/text.js"

/**
 * @import { ReportedFinding } from "./documents.js"
 * @import { State } from "./types.js"
 */

const PRESSED_MS = 100 // between two checks whether a button is still pressed
/** @type {Partial<Record<State, string>>} */
const HEALTHY = {
  running: t("Coach: no problem found so far."), paused: t("Coach: no problem found so far."), queued: "", interrupted: "", failed: "",
}

export class Coach {
  /** @param {(finding: string, remedy: string) => void} remedy starts the run that a finding proposes */
  constructor(remedy) {
    this.remedy = remedy
    this.hint = element("p", "monitor-hint")
    this.box = element("section", "monitor-coach")
    this.box.setAttribute("aria-label", t("Coach"))
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
   * @param {ReportedFinding[]} findings
   * @param {State} state
   */
  show(findings, state) {
    clearTimeout(this.later)
    if (this.box.querySelector("button:active")) {
      this.later = setTimeout(() => this.show(findings, state), PRESSED_MS)
      return
    }
    this.hint.textContent = HEALTHY[state] ?? t("Coach: this run looks healthy.")
    const cards = findings.map((finding) => {
      const card = this.cards.get(finding.name) ?? new Card(finding, (id) => this.remedy(finding.name, id))
      this.cards.set(finding.name, card)
      card.show(finding)
      return card.box
    })
    arrange(this.box, cards.length ? cards : [this.hint])
  }
}

class Card {
  /**
   * @param {ReportedFinding} finding
   * @param {(id: string) => void} remedy
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
    /** @type {Map<string, HTMLButtonElement>} by the id of the remedy */
    this.buttons = new Map()
    const summary = element("summary")
    summary.append(this.title, this.evidence)
    this.box.append(summary, this.why, this.advice, this.explains, this.tools)
  }

  /** @param {ReportedFinding} finding */
  show({ severity, title, evidence, why, advice, explains, remedies }) {
    this.box.className = `monitor-finding ${severity}`
    this.title.textContent = title
    this.evidence.textContent = evidence
    this.why.textContent = why
    this.advice.textContent = advice
    this.explains.textContent = explains.length ? t("This also explains: {findings}.", { findings: explains.join("; ") }) : ""
    this.explains.hidden = !explains.length
    this.tools.hidden = !remedies.length
    arrange(this.tools, remedies.map(({ id, label }) => this.button(id, label)))
  }

  /**
   * @param {string} id
   * @param {string} label
   */
  button(id, label) {
    const known = this.buttons.get(id)
    if (known) return known
    const made = button(label, () => this.remedy(id))
    this.buttons.set(id, made)
    return made
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
