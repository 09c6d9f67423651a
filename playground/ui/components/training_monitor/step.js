// One training step: the five lines of every training loop. Lights run through them while the network learns; after a single step, each opens what it did.

import { button, element } from "../shared/dom.js"
import { grouped, percent } from "../shared/format.js"
import { draw, html } from "../shared/templates.js"
import { marked, withTerms } from "../shared/term.js"
import { plural, t } from "../shared/text.js"
import { DRAWINGS } from "./drawings.js"
import { digits } from "./inside.js"
import { TABLES, number } from "./numbers.js"

/** @import { LiveRun, Moment, MonitorData, RecordedStep } from "./documents.js" */

const LINES = [
  { code: "optimizer.zero_grad()", explains: t("The [[gradients|gradient]] of the previous step are cleared. Without this line, they would add up.") },
  { code: "logits = network(images)", explains: t("The [[batch]] passes through all layers. Each image gets one score per class: the [[logits]].") },
  { code: "loss = loss_function(logits, labels)", explains: t("How wrong is the answer for each image? The [[loss]] of the batch is the average.") },
  { code: "loss.backward()", explains: t("For each weight: would raising it raise the loss, and by how much? That is its [[gradient]].") },
  { code: "optimizer.step()", explains: t("The [[optimizer]] moves every weight a small step against its gradient.") },
]
const WALK_MS = 1400 // from one line to the next after a step

export class OneStep {
  /**
   * @param {HTMLElement} lines
   * @param {HTMLElement} inside which the drawing covers
   * @param {HTMLElement} drawing
   */
  constructor(lines, inside, drawing) {
    this.lines = lines
    this.inside = inside
    this.panel = drawing
    /** @type {number | null} the open line */
    this.open = null
    this.inNumbers = false
    /** @type {RecordedStep | null} */
    this.seen = null
    /** @type {MonitorData | undefined} */
    this.data = undefined
    /** @type {string[]} what each line does just now */
    this.notes = []
    this.head = ""
    this.isRunning = this.isOver = false
    this.waits = false // for the step that the learner asked for
    /** @type {number | undefined} while it walks through the lines */
    this.timer = undefined
    this.title = Object.assign(element("h2"), { translate: false }) // a line of code
    this.explanation = element("p", "monitor-explanation")
    this.shown = element("div", "monitor-shown")
    this.numbers = button(t("Numbers"), () => { this.inNumbers = !this.inNumbers; this.fill() }, { name: "monitor-small" })
    const header = element("header")
    this.recorded = element("span", "monitor-note")
    header.append(this.title, this.recorded, this.numbers, button("✕", () => this.go(null), { name: "monitor-small", label: t("Back to the inside of the network") }))
    drawing.append(header, this.explanation, this.shown)
  }

  /** @param {MonitorData} data of another run */
  clear(data) {
    this.data = data
    this.seen = null
    this.waits = false
    this.go(null)
  }

  /**
   * @param {LiveRun["state"]} state
   * @param {{ step: number, loss: number | undefined }} now
   * @param {Moment | null} moment
   */
  show(state, { step, loss }, moment) {
    const { data } = this
    if (!data) return
    this.isRunning = state === "running"
    this.isOver = !["queued", "running", "paused"].includes(state)
    this.head = step ? plural("step {step} · {n} image", "step {step} · {n} images", data.config.batch_size, { step: grouped(step) }) : ""
    this.notes = [
      t("forget the old gradients"),
      t("{images} × {classes} scores", { images: data.config.batch_size, classes: data.classes.length }),
      digits(loss),
      t("{number} gradients", { number: grouped(data.parameters) }),
      moment?.movement == null ? "" : t("weights move by {share}", { share: percent(moment.movement, moment.movement < 0.001 ? 3 : 2) }),
    ]
    this.draw()
  }

  // A single step was asked for: its drawings open one after another as soon as it was recorded.
  expect() {
    this.waits = true
  }

  /** @param {RecordedStep} seen */
  record(seen) {
    const isNews = this.waits
    this.seen = seen
    this.waits = false
    if (isNews) this.walk()
    else this.fill()
  }

  walk() {
    this.go(0)
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return // no text: a media query
    this.timer = setInterval(() => {
      const next = (this.open ?? LINES.length) + 1
      if (next >= LINES.length || !this.lines.isConnected) this.stop()
      else this.turn(next)
    }, WALK_MS)
  }

  /** @param {number | null} line that the learner opens; null for none */
  go(line) {
    this.stop()
    this.turn(line)
  }

  // Open a line, or close it if it is open already; one that the walk has just opened stays.
  /** @param {number} line */
  toggle(line) {
    this.go(line === this.open && this.timer === undefined ? null : line)
  }

  stop() {
    clearInterval(this.timer)
    this.timer = undefined
  }

  /** @param {number | null} line */
  turn(line) {
    this.open = line
    this.panel.hidden = line === null
    this.inside.hidden = line !== null
    this.fill()
    this.draw()
  }

  draw() {
    draw(this.lines, html`
      <header><h2>${marked(t("One [[step]], five lines"))}</h2><span class="monitor-note">${this.head}</span></header>
      <ol class="monitor-code ${this.isRunning && this.open === null ? "running" : ""}">
        ${LINES.map(({ code }, index) => html`<li class=${index === this.open ? "lit" : ""}>
          <button type="button" aria-current=${index === this.open ? "step" : "false"} @click=${() => this.toggle(index)}><code>${code}</code><span>${this.notes[index] ?? ""}</span></button></li>`)}
      </ol>`)
  }

  // What the open line did, as a drawing or in numbers.
  fill() {
    const { data, open, seen } = this
    if (open === null || !data) return
    this.title.textContent = LINES[open].code
    this.explanation.replaceChildren(...withTerms("p", "", LINES[open].explains).childNodes)
    this.numbers.hidden = !seen
    this.recorded.textContent = seen ? t("step {step}", { step: grouped(seen.step) }) : ""
    this.numbers.textContent = this.inNumbers ? t("Drawing") : t("Numbers")
    if (!seen) return this.shown.replaceChildren(element("p", "monitor-note", this.isOver ? t("No step of this run was recorded in full.") : t("Press Pause or Step: what this line did in the last step is drawn here.")))
    const facts = { titles: data.layers, classes: data.classes, betas: data.config.betas }
    const parts = [this.inNumbers ? TABLES[open](seen, data.layers) : DRAWINGS[open](seen, facts)]
    if (open === 1 && data.config.precision !== "float32") parts.push(element("p", "monitor-note", t("This run uses {precision}: the call is inside a block “with torch.autocast(…)”.", { precision: data.config.precision })))
    if (open === 4) parts.push(element("p", "monitor-note", t("The same batch after the step, dropout off: {before} → {after}.", { before: number(seen.before), after: number(seen.after) })))
    this.shown.replaceChildren(...parts)
    const { scrollHeight, clientHeight, scrollWidth, clientWidth } = this.shown
    this.shown.tabIndex = scrollHeight > clientHeight + 1 || scrollWidth > clientWidth + 1 ? 0 : -1 // the keyboard can scroll it
  }

  close() {
    this.stop()
  }
}
