// The coach's line, whose height is fixed: what it found, or what to try, with what can be done at once. The reasons open over the page.

import { element } from "../shared/dom.js"
import { draw, html, nothing, repeat } from "../shared/templates.js"
import { t } from "../shared/text.js"

/**
 * @import { ProposedRemedy, ReportedFinding, UndoCommand } from "./documents.js"
 * @import { State } from "./types.js"
 */

const PRESSED_MS = 100 // between two checks whether a button is still pressed
const GAP = 4 // pixels between the line and the reasons
const EDGE = 8 // pixels that stay free at the window's edges
const ROOM = 240 // pixels beneath the line with which the reasons open there
/** @type {Partial<Record<State, string>>} */
const WITHOUT_FINDING = {
  queued: t("The coach watches this run as soon as it trains."), running: t("Looking good so far."), paused: t("Looking good so far."),
  interrupted: t("The run was interrupted."),
}

let made = 0

/**
 * What identifies a finding: the same fault after another change of the learner's own is another one.
 * @param {ReportedFinding} finding
 */
const keyOf = ({ name, title }) => `${name} ${title}`

/**
 * What the line says and offers.
 * @param {ReportedFinding[]} findings
 * @param {ReadonlySet<string>} watched the keys of those with which the learner wants to go on
 * @returns {{ finding: ReportedFinding | null, kind: "problem" | "hint" | "idea" | "calm", act: "undo" | "remedy" | "" }}
 */
export function line(findings, watched) {
  const finding = findings.find((each) => !watched.has(keyOf(each))) ?? findings[0] ?? null
  if (!finding) return { finding, kind: "calm", act: "" }
  const kind = watched.has(keyOf(finding)) ? "calm" : finding.severity
  const isDoneAtOnce = finding.remedies.length && (finding.severity === "idea" || finding.name === "own-change")
  return { finding, kind, act: finding.undo.length ? "undo" : isDoneAtOnce ? "remedy" : "" }
}

export class Coach {
  /**
   * @param {(finding: string, remedy: string) => unknown} remedy starts the run that a finding proposes
   * @param {(name: UndoCommand["command"], value: UndoCommand["value"]) => Promise<void>} command sends a command to the run
   */
  constructor(remedy, command) {
    this.remedy = remedy
    this.command = command
    this.box = element("section", "monitor-coach")
    this.box.setAttribute("aria-label", t("Coach"))
    this.id = `coach-reasons-${++made}`
    /** @type {Set<string>} */
    this.watched = new Set()
    /** @type {ReportedFinding[]} */
    this.findings = []
    /** @type {State} */
    this.state = "queued"
    this.failure = "" // why the run failed
    /** @type {number | undefined} */
    this.later = undefined
    this.scrolled = (/** @type {Event} */ event) => { if (event.target !== this.reasons) this.reasons?.hidePopover() }
    this.draw()
  }

  /** @returns {HTMLElement | null} */
  get reasons() {
    return this.box.querySelector(".coach-reasons")
  }

  // Drop the findings of another run.
  clear() {
    this.watched.clear()
    this.show([], "queued", "")
  }

  /**
   * Nothing moves under a pressed button: it would swallow the click.
   * @param {ReportedFinding[]} findings
   * @param {State} state
   * @param {string} failure why the run failed; empty if it did not
   */
  show(findings, state, failure) {
    this.findings = findings
    this.state = state
    this.failure = failure
    this.draw()
  }

  draw() {
    clearTimeout(this.later)
    if (this.box.querySelector("button:active")) {
      this.later = setTimeout(() => this.draw(), PRESSED_MS)
      return
    }
    const { finding, kind, act } = line(this.findings, this.watched)
    this.box.dataset.kind = kind
    draw(this.box, html`
      <b class="coach-name" aria-hidden="true">${t("Coach")}</b>
      <p class="coach-text" role="status">
        ${finding ? html`<b>${finding.title}${/[.!?]$/.test(finding.title) ? "" : "."}</b> ${finding.evidence}` : this.failure || (WITHOUT_FINDING[this.state] ?? t("No fault was found in this run."))}
      </p>
      <div class="coach-tools">${finding ? repeat([keyOf(finding)], String, () => this.tools(finding, kind, act)) : nothing}</div>
      <div class="coach-reasons" id=${this.id} popover @beforetoggle=${(/** @type {ToggleEvent} */ event) => this.toggled(event.newState === "open")}>
        ${this.failure ? html`<p class="coach-failure">${this.failure}</p>` : nothing}
        ${repeat(this.findings, keyOf, (each) => this.reason(each))}
      </div>`)
  }

  /**
   * @param {ReportedFinding} finding
   * @param {string} kind
   * @param {string} act
   */
  tools(finding, kind, act) {
    const { name, why, remedies, undo } = finding
    const watch = () => { this.watched.add(keyOf(finding)); this.draw() }
    return html`
      ${act === "undo" ? html`<button type="button" class=${kind === "calm" ? "" : "primary"} @click=${() => this.undo(undo)}>${t("Undo")}</button>` : nothing}
      ${act === "undo" && kind !== "calm" ? html`<button type="button" @click=${watch}>${t("Keep watching")}</button>` : nothing}
      ${act === "remedy" ? this.button(name, remedies[0]) : nothing}
      ${why ? html`<button type="button" class="coach-why" popovertarget=${this.id}>${act ? t("Why?") : t("What to do")}</button>` : nothing}`
  }

  /** @param {ReportedFinding} finding */
  reason({ name, title, evidence, why, advice, explains, remedies }) {
    return html`
      <article>
        <h4>${title}</h4>
        ${[evidence, why, advice, explains.length ? t("This also explains: {findings}.", { findings: explains.join("; ") }) : ""].map((text) => (text ? html`<p>${text}</p>` : nothing))}
        <div class="coach-tools">${repeat(remedies, ({ id }) => id, (remedy) => this.button(name, remedy))}</div>
      </article>`
  }

  /**
   * @param {string} finding
   * @param {ProposedRemedy} remedy
   */
  button(finding, { id, label }) {
    return html`<button type="button" @click=${() => this.remedy(finding, id)}>${label}</button>`
  }

  /** @param {UndoCommand[]} commands */
  async undo(commands) {
    for (const { command, value } of commands) await this.command(command, value)
  }

  /**
   * The reasons stand beneath the line, or above it where there is little room, and go when the page is scrolled.
   * @param {boolean} isOpen
   */
  toggled(isOpen) {
    if (!isOpen) return removeEventListener("scroll", this.scrolled, true)
    const { top, bottom, right } = this.box.getBoundingClientRect()
    const isBeneath = innerHeight - bottom >= Math.min(ROOM, top)
    Object.assign(this.reasons?.style ?? {}, {
      top: isBeneath ? `${bottom + GAP}px` : "auto", bottom: isBeneath ? "auto" : `${innerHeight - top + GAP}px`, right: `${innerWidth - right}px`,
      maxHeight: `${(isBeneath ? innerHeight - bottom : top) - GAP - EDGE}px`,
    })
    addEventListener("scroll", this.scrolled, true)
  }
}
