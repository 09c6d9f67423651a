// Fine-tunes a network on the learner's handwriting: stores corrected drawings, starts a short run, and shows what changed.

import { bytesOf, paint } from "../shared/bytes.js"
import { address, request } from "../shared/client.js"
import { button, element } from "../shared/dom.js"
import { percent } from "../shared/format.js"
import { withTerms } from "../shared/term.js"
import { plural, t } from "../shared/text.js"

const POLL_MS = 250
const UNFINISHED = ["stopped", "failed", "interrupted"]

/**
 * @import { Query } from "../shared/client.js"
 * @import { Comparison, LiveRun, OwnDrawing } from "./documents.js"
 * @import { Piece, TeachingResponses } from "./types.js"
 */

export class Teach {
  /**
   * @param {object} options
   * @param {() => Uint8Array<ArrayBuffer>} options.ink returns the drawing
   * @param {() => void} options.clear clears the canvas
   * @param {(before: string, run: string) => void} options.taught called when the run has finished
   */
  constructor({ ink, clear, taught }) {
    this.ink = ink
    this.clear = clear
    this.taught = taught
    this.model = ""
    /** @type {string[]} */
    this.classes = []
    /** @type {Piece | null} */
    this.piece = null
    /** @type {OwnDrawing[]} */
    this.drawings = []
    this.loaded = false // whether they were requested
    this.learning = false
    this.closed = false
    this.box = element("section", "teach")
    this.question = element("p", "ask")
    this.labels = element("div", "labels")
    this.cards = element("div", "pieces")
    this.status = element("p", "status")
    this.status.setAttribute("role", "status")
    this.result = element("div", "result")
    this.progress = element("div", "progress")
    this.progress.setAttribute("aria-hidden", "true") // the status says the same
    this.go = button(t("Teach the network"), () => this.teach(), { name: "go" })
    this.take = element("a", "", t("Download my digits"))
    Object.assign(this.take, { href: address("api/drawings/my-digits.zip").href, download: "my-digits.zip" })
    this.box.append(
      part(t("1. Your digits"), this.question, this.labels, this.cards, this.files()),
      part(t("2. Training"), withTerms("p", "note", t("A new run [[fine-tunes|fine-tuning]] the network on your drawings, mixed with images it was trained on. It stores your drawings: anyone you give its file to gets them too.")), this.go, this.progress, this.status),
      part(t("3. Before and after"), this.result),
    )
    this.explain()
  }

  /** Say what will stand where nothing was trained yet. */
  explain() {
    this.result.replaceChildren(withTerms("p", "note", t("How many of your drawings, and of the test images, are [[correctly classified]] before and after the training, and what it costs the digits that yours were mistaken for.")))
  }

  /**
   * Label the drawing by the key of its class.
   * @param {KeyboardEvent} event
   */
  press(event) {
    const target = /** @type {Element} */ (event.composedPath()[0])
    if (!event.ctrlKey && !event.metaKey && !event.altKey && this.classes.includes(event.key) && !target.matches("input, textarea, [role=slider]")) this.keep(event.key)
  }

  files() {
    const box = element("p", "files")
    const label = element("label", "choose", t("Add digits from a file"))
    const input = element("input")
    Object.assign(input, { type: "file", accept: ".zip" })
    input.onchange = async () => {
      const file = input.files?.[0]
      if (file) await this.change("import", {}, file)
      input.value = ""
    }
    label.append(input)
    box.append(this.take, label)
    return box
  }

  /**
   * @param {string} model
   * @param {string[]} classes
   */
  prepare(model, classes) {
    this.model = model
    this.classes = classes
    this.labels.replaceChildren(...classes.map((name) => {
      const button = element("button", "", name)
      Object.assign(button, { type: "button", onclick: () => this.keep(name) })
      button.setAttribute("aria-label", t("Label this drawing {label}", { label: name }))
      return button
    }))
    this.show(null)
  }

  /**
   * Take the drawing on the canvas with its predictions; null if the canvas is empty, or for several digits.
   * @param {Piece | null} piece
   * @param {boolean} [several]
   */
  show(piece, several = false) {
    this.piece = piece
    const request = several ? t("Choose “One digit”, draw it, then choose its [[label]] or press its key.") : t("Draw a digit, then choose its [[label]] or press its key.")
    const question = piece ? t("[[Predicted class|predicted class]]: {prediction}. What did you draw?", { prediction: piece.answers[0].label }) : request
    this.question.replaceChildren(...withTerms("p", "", question).childNodes)
    this.labels.querySelectorAll("button").forEach((button) => { button.disabled = !piece })
    if (!this.loaded) {
      this.loaded = true
      this.refresh()
    }
  }

  async refresh() {
    const answer = await this.reach("")
    if (answer) this.list(answer.drawings)
  }

  /**
   * The response of the server; null if it reports an error, which is shown.
   * @template {keyof TeachingResponses} Path
   * @param {Path} path beneath api/drawings
   * @param {Query} [query]
   * @param {string | Blob | Uint8Array<ArrayBuffer>} [body]
   * @returns {Promise<TeachingResponses[Path] | null>}
   */
  async reach(path, query = {}, body) {
    const answer = await request(`api/drawings${path && `/${path}`}`, { query, body })
    if (!answer.error) return answer
    this.status.textContent = answer.error
    return null
  }

  /**
   * @param {"add" | "delete" | "import"} path
   * @param {Query} query
   * @param {string | Blob | Uint8Array<ArrayBuffer>} body
   */
  async change(path, query, body) {
    const answer = await this.reach(path, query, body)
    if (answer) this.list(answer.drawings)
    return answer
  }

  /** @param {string} label */
  async keep(label) {
    if (!this.piece || !(await this.change("add", { label, predicted: this.piece.answers[0].label }, this.ink()))) return
    this.status.textContent = t("Saved with label {label}.", { label })
    this.clear()
  }

  /** @param {OwnDrawing[]} drawings */
  list(drawings) {
    this.drawings = drawings
    this.cards.replaceChildren(...drawings.map(({ label, predicted, image }, index) => {
      const card = element("figure", "card own")
      const remove = element("button", "remove", "×")
      Object.assign(remove, { type: "button", title: t("Delete this drawing"), onclick: () => this.change("delete", { index }, "") })
      remove.setAttribute("aria-label", t("Delete drawing {number}, label {label}", { number: index + 1, label }))
      card.append(paint(bytesOf(image), 0, [1, 28, 28], 2, { label: t("Drawing with label {label}", { label }) }), element("figcaption", "", predicted && predicted !== label ? t("{label} predicted as {prediction}", { label, prediction: predicted }) : label), remove)
      return card
    }))
    this.go.disabled = !drawings.length || this.learning
    this.take.hidden = !drawings.length
  }

  async teach() {
    const before = this.model
    this.learning = true
    this.go.disabled = true
    this.explain()
    this.advance(0)
    this.status.textContent = t("Training…")
    const started = await this.reach("fine-tune", { model: before }, "")
    if (started && (await this.ended(started.run))) await this.compare(before, started.run)
    this.learning = false
    this.go.disabled = !this.drawings.length
  }

  /**
   * Wait for the end of the run; whether it finished. A run that no longer exists has not, nor has one whose page was left.
   * @param {string} run
   */
  async ended(run) {
    while (!this.closed) {
      /** @type {LiveRun | { error: string, unreachable?: boolean }} */
      const answer = await request(`api/runs/${run}`)
      if ("error" in answer) {
        this.status.textContent = answer.error
        if (!answer.unreachable) return false
      } else {
        if (answer.step) this.advance(answer.step / answer.total_steps)
        if (answer.state === "finished") return true
        if (UNFINISHED.includes(answer.state)) {
          this.status.textContent = answer.message || t("The run did not finish.")
          return false
        }
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS))
    }
    return false
  }

  /** @param {number} share of the training that is done */
  advance(share) {
    this.progress.style.setProperty("--share", String(share))
    if (share) this.status.textContent = t("Training: {share}", { share: percent(share, 0) })
  }

  close() {
    this.closed = true
  }

  /**
   * @param {string} before the network that was fine-tuned
   * @param {string} run
   */
  async compare(before, run) {
    this.status.textContent = t("Evaluating the network on all test images, before and after fine-tuning…")
    const report = await this.reach("comparison", { model: before, run })
    if (!report) return
    const lost = report.forgotten.map(({ class: name, lost: count, of }) => t("{label} ({count} more, of {all} images)", { label: name, count, all: of.toLocaleString("en") }))
    this.result.replaceChildren(
      tableOf(report),
      element("p", "note", lost.length ? t("Classes with more mistakes on the test images than before: {classes}.", { classes: lost.join(", ") }) : t("No class has more mistakes on the test images than before.")),
      element("p", "note", t("The rival of a digit is what your drawings of it most probably were, beside the digit itself, before the training.")),
    )
    this.status.textContent = t("Training is finished. Draw another digit: both networks predict its class, the fine-tuned one first.")
    this.taught(before, run)
  }
}

/**
 * What is correctly classified before and after the training.
 * @param {Comparison} report
 */
function tableOf({ drawings, dataset, images, accuracy, rivals }) {
  const table = element("table", "changed")
  /**
   * @param {"th" | "td"} kind
   * @param {string[]} texts
   */
  const row = (kind, ...texts) => {
    const made = element("tr")
    made.append(...texts.map((text) => element(kind, "", text)))
    table.append(made)
  }
  const right = (/** @type {"before" | "after"} */ when) => t("{n} of {all}", { n: drawings.filter((one) => one[when].label === one.label).length, all: drawings.length })
  row("th", t("Correctly classified"), t("Before"), t("After"))
  row("td", t("Your drawings"), right("before"), right("after"))
  row("td", plural("{dataset}, {n} test image", "{dataset}, {n} test images", images, { dataset, n: images.toLocaleString("en") }), percent(accuracy.before, 2), percent(accuracy.after, 2))
  for (const { class: name, label, tested, drawn } of rivals) {
    row("td", t("{rival}, the rival of {label}: test images", { rival: name, label }), percent(tested.before / tested.of, 1), percent(tested.after / tested.of, 1))
    row("td", t("{rival}, the rival of {label}: drawn by other hands", { rival: name, label }), percent(drawn.before / drawn.of, 1), percent(drawn.after / drawn.of, 1))
  }
  return table
}

/**
 * One of the three steps.
 * @param {string} title
 * @param {HTMLElement[]} contents
 */
function part(title, ...contents) {
  const box = element("section", "part")
  box.append(element("h2", "", title), ...contents)
  return box
}
