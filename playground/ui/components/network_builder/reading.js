// Networks from outside: pasted code, and files with code or JSON.

import { element, find } from "../shared/dom.js"
import { t } from "../shared/text.js"
import { sizesIn } from "./texts.js"

/**
 * @import { NetworkAnalysis, ReadNetwork } from "./documents.js"
 * @import { Failure } from "./forward.js"
 * @import { Builder } from "./view.js"
 */

const LARGEST_FILE = 200_000 // characters

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
    this.chosen = Object.assign(element("input", "chosen"), { type: "file", accept: ".json,.py,.txt", hidden: true })
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

  /** @param {string} text the code of a network */
  async read(text) {
    const sizes = sizesIn(this.shape.value)
    /** @type {ReadNetwork | Failure} */
    const answer = await this.builder.ask("api/network/read", { text, ...(sizes ? { input_shape: sizes } : {}) })
    this.fault.textContent = "error" in answer ? answer.error : ""
    if ("error" in answer) return
    this.dialog.close()
    this.shape.value = ""
    this.builder.open(answer.network, answer.notes.join(" "))
  }

  /** @param {File} [file] */
  async readFile(file) {
    if (!file) return
    this.chosen.value = ""
    const { builder } = this
    if (file.size > LARGEST_FILE) return builder.complain(t("This file is too large to be a network."))
    const text = await file.text()
    if (!/^\s*[{[]/.test(text)) {
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
