// Networks from outside: pasted code, and files with code or JSON.

import { button, element, find, named } from "../shared/dom.js"
import { cleaned } from "../shared/pasted.js"
import { t } from "../shared/text.js"
import { sizesIn } from "./texts.js"

/**
 * @import { NetworkAnalysis, ReadNetwork } from "./documents.js"
 * @import { Failure } from "./forward.js"
 * @import { Builder } from "./view.js"
 */

const LARGEST_FILE = 200_000 // characters
const LARGEST_NOTEBOOK = 20_000_000 // with its pictures

export class Reading {
  /**
   * @param {HTMLDialogElement} dialog
   * @param {Builder} builder
   */
  constructor(dialog, builder) {
    this.dialog = dialog
    this.builder = builder
    /** @type {HTMLTextAreaElement} */
    this.text = find(dialog, ".text")
    /** @type {HTMLInputElement} */
    this.shape = find(dialog, ".given")
    /** @type {HTMLElement} */
    this.fault = find(dialog, ".fault")
    /** @type {HTMLElement} */
    this.questions = find(dialog, ".open-questions")
    /** @type {string | null} the code whose questions are shown */
    this.asked = null
    /** @type {number | null} which of several networks of that code is meant */
    this.which = null
    this.chosen = Object.assign(element("input", "chosen"), { type: "file", accept: ".json,.py,.txt,.ipynb", hidden: true })
    this.chosen.onchange = () => this.readFile(this.chosen.files?.[0])
    dialog.after(this.chosen)
    find(dialog, ".cancel").onclick = () => dialog.close()
    find(dialog, "form").onsubmit = (/** @type {SubmitEvent} */ event) => { event.preventDefault(); this.read(this.text.value) }
  }

  /** Show the dialog. */
  open() {
    this.fault.textContent = ""
    this.dialog.showModal()
  }

  /** Let a file be chosen. */
  choose() {
    this.chosen.click()
  }

  /**
   * Read code, and open its network, unless the code leaves open which one is meant or what its constructor is given: then these are asked first.
   * @param {string} text the code of a network
   */
  async read(text) {
    const isAnswered = text === this.asked
    const answer = await this.request(text)
    if (!answer) return
    if (!isAnswered && (answer.candidates.length > 1 || answer.missing.length)) return this.show(answer, text)
    this.dialog.close()
    this.shape.value = ""
    this.forget()
    this.builder.open(answer.network, answer.notes.join(" "))
  }

  /**
   * @param {string} text
   * @returns {Promise<ReadNetwork | null>} null where it cannot be read, which the dialog says
   */
  async request(text) {
    if (text !== this.asked) this.forget()
    const sizes = sizesIn(this.shape.value)
    const given = Object.fromEntries([...this.questions.querySelectorAll("input")].map(({ name, value }) => [name, valueOf(value)]))
    const which = this.which === null ? {} : { which: this.which }
    /** @type {ReadNetwork | Failure} */
    const answer = await this.builder.ask("api/network/read", { text, given, ...which, ...(sizes ? { input_shape: sizes } : {}) })
    this.fault.textContent = "error" in answer ? answer.error : ""
    return "error" in answer ? null : answer
  }

  /**
   * Ask what code leaves open.
   * @param {ReadNetwork} answer
   * @param {string} text
   */
  show({ candidates, chosen, missing }, text) {
    this.asked = text
    this.which = chosen
    const group = element("div", "segments")
    group.setAttribute("role", "group")
    group.setAttribute("aria-label", t("Networks of the code"))
    group.append(...candidates.map(({ name, line }, place) => {
      const label = line ? t("{name}, line {line}", { name, line }) : name
      const choice = button(label, () => this.pick(place, text))
      choice.setAttribute("aria-pressed", String(place === chosen))
      return choice
    }))
    const fields = element("div", "fields")
    fields.append(...missing.map(({ name, value }) => {
      const field = element("label")
      field.append(named("code", name), " ", Object.assign(element("input"), { type: "text", name, value: String(value), autocomplete: "off" }))
      return field
    }))
    this.questions.replaceChildren(
      ...(candidates.length > 1 ? [element("p", "", t("This code has several networks. Which one is meant?")), group] : []),
      ...(missing.length ? [element("p", "", t("The code does not give these values; they are usual ones.")), fields] : []),
    )
    this.questions.hidden = false
  }

  /**
   * @param {number} place of a network among those of the code
   * @param {string} text
   */
  async pick(place, text) {
    this.which = place
    this.questions.querySelector(".fields")?.remove()
    const answer = await this.request(text)
    if (answer) this.show(answer, text)
  }

  /** Forget what was asked about other code. */
  forget() {
    this.asked = this.which = null
    this.questions.replaceChildren()
    this.questions.hidden = true
  }

  /** @param {File} [file] */
  async readFile(file) {
    if (!file) return
    this.chosen.value = ""
    const { builder } = this
    const isNotebook = file.name.endsWith(".ipynb")
    if (file.size > (isNotebook ? LARGEST_NOTEBOOK : LARGEST_FILE)) return builder.complain(t("This file is too large to be a network."))
    const text = isNotebook ? cleaned(await file.text()) : await file.text()
    if (isNotebook || !/^\s*[{[]/.test(text)) {
      this.text.value = text
      this.open()
      return this.read(text)
    }
    let network
    try { network = JSON.parse(text) } catch (error) { return builder.complain(t("This is not JSON: {error}.", { error: /** @type {Error} */ (error).message })) }
    /** @type {NetworkAnalysis | Failure} */
    const answer = await builder.ask("api/network/analyse", { network })
    const problem = "error" in answer ? answer.error : answer.problems[0]
    if (problem) return builder.complain(problem)
    builder.open(network)
  }
}

/** @param {string} text as it was typed */
function valueOf(text) {
  if (/^(true|false)$/i.test(text.trim())) return text.trim().toLowerCase() === "true"
  const number = Number(text)
  return text.trim() && Number.isFinite(number) ? number : text
}
