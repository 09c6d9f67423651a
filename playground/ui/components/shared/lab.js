// The base of every page with a script: an editor, a run by fetch, its output, and errors with explanations and fixes.
// A page's class extends it with `present(answer, source)`. Streamlit receives each run afterwards.

import { request } from "./client.js"
import { alignment, find, rich } from "./dom.js"
import { Editor } from "./editor.js"
import { t } from "./text.js"

/**
 * @import { Fault as ScriptFault, ReferenceEntry } from "../tensor_lab/documents.js"
 * @import { Component } from "./mounting.js"
 */

/** @typedef {Pick<ScriptFault, "message" | "explanation" | "fixes"> & Partial<ScriptFault>} Fault of a request that failed there is only a message */

export class Lab {
  /**
   * @param {HTMLElement | ShadowRoot} root holds .lab with .editor, .run, .link, .fault and .printed
   * @param {string} address of the route that runs scripts
   */
  constructor(root, address) {
    this.root = find(root, ".lab")
    this.address = address
    this.fault = find(root, ".fault")
    this.printed = find(root, ".printed")
    /** @type {any} the data of the component; none before the first update */
    this.data = undefined
    this.done = 0 // the command carried out last
    this.asking = this.again = false
    /** @type {Fault | undefined} */
    this.failed = undefined
    /** @type {Component["setStateValue"]} */
    this.setState = () => {}
    this.run = this.run.bind(this)
    this.editor = new Editor(find(root, ".editor"), { label: t("Script. Ctrl+Enter runs it; Escape and then Tab leaves the editor."), onRun: this.run })
    find(root, ".run").onclick = this.run
    const link = find(root, ".link")
    link.onclick = () => this.copyLink(link)
    this.complete()
  }

  /** @param {Component} component */
  update({ data, setStateValue }) {
    this.setState = setStateValue
    const first = this.data === undefined
    this.data = data
    if (first) {
      this.done = data.command.id
      this.editor.text = data.source
      this.run()
    } else if (data.command.id > this.done) {
      this.done = data.command.id
      const before = this.editor.text.trimEnd()
      this.editor.text = data.command.kind === "append" && before ? `${before}\n${data.command.text}\n` : data.command.text
      this.run()
    }
    return first
  }

  async complete() {
    const entries = await request("api/tensors/reference")
    if (entries.error) return // the editor works without completions
    /** @type {ReferenceEntry[]} */
    const known = entries
    this.editor.complete(known.map(({ label, group, signature, summary }) => ({ label, detail: group, info: [signature, summary].filter(Boolean).join("\n") })))
  }

  /**
   * One request at a time; a run requested meanwhile follows with the newest script.
   * @returns {Promise<void>}
   */
  async run() {
    if (this.asking) {
      this.again = true
      return
    }
    this.asking = true
    this.root.classList.add("busy")
    const source = this.editor.text
    const answer = await this.ask(this.body(source))
    this.asking = false
    this.root.classList.remove("busy")
    if (this.again) {
      this.again = false
      return this.run()
    }
    this.failed = typeof answer.error === "string" ? { message: answer.error, explanation: "", fixes: [] } : answer.error
    this.showFault(this.failed, source)
    this.printed.textContent = [answer.output ?? "", ...(answer.warnings ?? []).map((/** @type {string} */ text) => `${t("Warning: {text}", { text })}\n`)].join("")
    this.present(answer, source)
    this.setState("ran", this.summary(answer, source))
  }

  /**
   * Show the answer to a run.
   * @param {any} _answer
   * @param {string} _source
   */
  present(_answer, _source) {
    throw new Error("A page's class shows the answer.")
  }

  /**
   * The body of a request for a run.
   * @param {string} source
   * @returns {Record<string, unknown>}
   */
  body(source) {
    return { source, device: this.data.device }
  }

  /**
   * What Streamlit receives of a run.
   * @param {any} _answer
   * @param {string} source
   * @returns {Record<string, unknown>}
   */
  summary(_answer, source) {
    return { source }
  }

  /**
   * @param {Record<string, unknown>} body
   * @param {string} [address]
   */
  ask(body, address = this.address) {
    return request(address, { body })
  }

  /**
   * @param {Fault | undefined} fault
   * @param {string} source
   */
  showFault(fault, source) {
    const box = this.fault
    box.replaceChildren()
    this.editor.mark([])
    if (!fault) return
    const { start = 0, end = 0 } = fault
    const unit = (/** @type {number} */ offset) => [...source].slice(0, offset).join("").length // Python counts characters, JavaScript UTF-16 units
    if (end > start && source === this.editor.text) this.editor.mark([{ start: unit(start), end: unit(end), message: fault.message }])
    box.append(rich("p", "message", fault.line ? t("Line {line}: {message}", { line: fault.line, message: fault.message }) : fault.message))
    if (fault.alignment) {
      const { rows, wrong } = fault.alignment
      box.append(alignment(rows.map((row) => row.sizes.map((size, place) => ({ size, wrong: wrong.includes(place) }))), rows.map((row) => row.name)))
    }
    if (fault.explanation) box.append(rich("p", "why", fault.explanation))
    for (const fix of fault.fixes) {
      const button = rich("button", "fix", fix.label)
      button.type = "button"
      button.onclick = () => {
        this.editor.apply({ start: unit(fix.start), end: unit(fix.end), text: fix.text })
        this.run()
      }
      box.append(button)
    }
  }

  /** @param {HTMLButtonElement} button */
  async copyLink(button) {
    try {
      await navigator.clipboard.writeText(window.location.href)
      button.textContent = t("Copied")
    } catch {
      button.textContent = t("Copy it from the address bar")
    }
    button.onblur = button.onpointerleave = () => { button.textContent = t("Copy link") }
  }

  close() {
    this.editor.destroy()
  }
}
