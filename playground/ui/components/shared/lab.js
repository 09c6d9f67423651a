// The base of every page with a script: an editor, a run by fetch, its output, and errors with explanations and fixes.
// A page's class extends it with `present(answer, source)`. Streamlit receives each run afterwards.

import { request } from "./client.js"
import { find } from "./dom.js"
import { Editor } from "./editor.js"
import { faultOf, showFault } from "./fault.js"
import { Figures } from "./figures.js"
import { copyLink } from "./link.js"
import { t } from "./text.js"

/**
 * @import { Fault } from "./fault.js"
 * @import { ReferenceEntry } from "../tensor_lab/documents.js"
 * @import { Component } from "./mounting.js"
 */

const PAUSE_MS = 400 // after the last key, until what was typed is run

export class Lab {
  /**
   * @param {HTMLElement | ShadowRoot} root holds .lab with .editor, .run, .link, .fault, .printed and .figures
   * @param {string} address of the route that runs scripts
   * @param {{ live?: boolean }} [options] whether a script runs while it is typed
   */
  constructor(root, address, { live = false } = {}) {
    this.root = find(root, ".lab")
    this.address = address
    this.fault = find(root, ".fault")
    this.printed = find(root, ".printed")
    this.figures = new Figures(find(root, ".figures"))
    /** @type {any} the data of the component; none before the first update */
    this.data = undefined
    this.done = 0 // the command carried out last
    this.asking = false
    /** @type {{ typed: boolean } | null} the run that follows the one under way */
    this.waiting = null
    this.live = live
    /** @type {number | undefined} */
    this.timer = undefined
    /** @type {Record<string, unknown> | null} the last run that Streamlit has not received */
    this.unreported = null
    /** @type {Fault | undefined} */
    this.failed = undefined
    /** @type {Component["setStateValue"]} */
    this.setState = () => {}
    const run = () => this.run()
    const box = find(root, ".editor")
    this.editor = new Editor(box, { label: t("Script. Ctrl+Enter runs it; Escape and then Tab leaves the editor."), onRun: run, onChange: () => this.typing() })
    box.addEventListener("focusout", () => this.tell())
    find(root, ".run").onclick = run
    /** @type {HTMLButtonElement} */
    this.link = find(root, ".link")
    this.link.onclick = () => copyLink(this.link, "script", this.editor.text, { // what is being typed does not stand in the address yet
      tooLong: t("The script is too long for a link"), refused: t("Copy it from the address bar"),
    })
    this.complete()
  }

  /** @param {Component} component */
  update({ data, setStateValue }) {
    this.setState = setStateValue
    const first = this.data === undefined
    this.data = data
    this.figures.follow()
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

  /** Run what was typed after a pause. */
  typing() {
    if (!this.live) return
    clearTimeout(this.timer)
    this.timer = setTimeout(() => this.run({ typed: true }), PAUSE_MS)
  }

  /**
   * One request at a time; a run requested meanwhile follows with the newest script. While a script is typed it is often incomplete:
   * then the last picture stays, and Streamlit hears of the script, and writes it into the address, only when the editor is left.
   * @param {{ typed?: boolean }} [options]
   * @returns {Promise<void>}
   */
  async run({ typed = false } = {}) {
    clearTimeout(this.timer)
    if (this.asking) {
      this.waiting = { typed: typed && (this.waiting?.typed ?? true) }
      return
    }
    this.asking = true
    this.root.classList.add("busy")
    const source = this.editor.text
    const answer = await this.ask(this.body(source))
    this.asking = false
    this.root.classList.remove("busy")
    if (this.waiting) {
      const { waiting } = this
      this.waiting = null
      return this.run(waiting)
    }
    this.failed = faultOf(answer)
    this.showFault(this.failed, source)
    if (!typed || !this.failed) {
      this.printed.textContent = [answer.output ?? "", ...(answer.warnings ?? []).map((/** @type {string} */ text) => `${t("Warning: {text}", { text })}\n`)].join("")
      this.present(answer, source, typed)
      this.figures.show(answer.figures ?? [])
    }
    this.unreported = this.summary(answer, source)
    if (!typed || !this.editor.view.hasFocus) this.tell()
  }

  /** Tell Streamlit about the last run. */
  tell() {
    if (this.unreported) this.setState("ran", this.unreported)
    this.unreported = null
  }

  /**
   * Show the answer to a run.
   * @param {any} _answer
   * @param {string} _source
   * @param {boolean} _typed whether the learner is still typing
   */
  present(_answer, _source, _typed) {
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
    showFault(this.fault, fault, source, this.editor, () => this.run())
  }

  close() {
    clearTimeout(this.timer)
    this.editor.destroy()
  }
}
