// A notebook: cells that share their variables, run one after another on the server, beside the X-ray of the cell that is looked at.

import { lines, request } from "../shared/client.js"
import "../shared/controls.js"
import { button, find } from "../shared/dom.js"
import { saveText } from "../shared/files.js"
import { copyLink } from "../shared/link.js"
import { mounting } from "../shared/mounting.js"
import { t } from "../shared/text.js"
import { NO_REPORT, newest } from "../tensor_lab/report.js"
import { Xray } from "../tensor_lab/xray.js"
import { Cell } from "./cell.js"
import { MOST_CELLS, Past, fromJupyter, toJupyter } from "./document.js"

/**
 * @import { Component } from "../shared/mounting.js"
 * @import { Entry } from "../shared/editor.js"
 * @import { Outcome } from "./cell.js"
 * @import { NotebookCell, NotebookData } from "./documents.js"
 */

const LARGEST_FILE = 5_000_000 // bytes

/** @typedef {{ source: string, ran: string, outcome: Outcome | undefined, number: string }} Kept what a cell showed */

/** @type {Kept[]} of the notebook that was on the page last: who comes back to it finds its outputs */
let kept = []
let runs = 0 // of cells since the page was loaded; they have their numbers by it

class Notebook {
  /** @param {HTMLElement | ShadowRoot} root */
  constructor(root) {
    this.root = root
    /** @type {HTMLElement} */
    this.box = find(root, ".cells")
    /** @type {HTMLElement} */
    this.says = find(root, ".says")
    /** @type {NotebookData | undefined} */
    this.data = undefined
    /** @type {Cell[]} */
    this.cells = []
    /** @type {Cell[]} the one that runs, and those that follow it */
    this.queue = []
    /** @type {Cell | undefined} where the cursor is, or was last */
    this.chosen = undefined
    /** @type {Cell | undefined} whose X-ray is shown: the chosen one, or the one that ran last */
    this.shown = undefined
    /** @type {Entry[]} */
    this.entries = []
    this.past = new Past()
    this.reported = "" // the cells that Streamlit has
    /** @type {Component["setStateValue"]} */
    this.setState = () => {}
    this.xray = new Xray(root, (line) => this.shown?.editor?.lines(line ? [line] : []))
    this.buttons()
    this.complete()
  }

  buttons() {
    const on = (/** @type {string} */ name, /** @type {() => unknown} */ act) => { find(this.root, name).onclick = act }
    on(".run-all", () => this.runAll(this.cells))
    on(".stop", () => this.stop())
    on(".restart", () => this.restart())
    on(".undo", () => this.undo())
    on(".save", () => saveText(toJupyter(this.written()), "notebook.ipynb", "application/x-ipynb+json"))
    on(".link", () => copyLink(find(this.root, ".link"), "notebook", JSON.stringify(this.written()), {
      tooLong: t("The notebook is too long for a link"), refused: t("The browser does not allow copying"),
    }))
    on(".add-code", () => this.add("code"))
    on(".add-text", () => this.add("text"))
    /** @type {HTMLInputElement} */
    const file = find(this.root, ".file")
    on(".open", () => file.click())
    file.onchange = () => this.open(file)
  }

  /** @param {Component<NotebookData>} component */
  update({ data, setStateValue }) {
    this.setState = setStateValue
    const isFirst = this.data === undefined, isOther = !isFirst && data.opened !== this.data?.opened
    this.data = data
    for (const { figures } of this.cells) figures?.follow()
    if (!isFirst && !isOther) return
    if (isOther) this.past.keep(this.written())
    this.lay(data.cells)
    this.restore()
  }

  async complete() {
    const entries = await request("api/tensors/reference")
    if (entries.error) return // the editors work without completions
    this.entries = entries.map((/** @type {{ label: string, group: string, signature: string, summary: string }} */ { label, group, signature, summary }) => (
      { label, detail: group, info: [signature, summary].filter(Boolean).join("\n") }))
    for (const cell of this.cells) cell.complete(this.entries)
  }

  /** @returns {NotebookCell[]} */
  written() {
    return this.cells.map(({ kind, source }) => ({ kind, source }))
  }

  /**
   * Show other cells.
   * @param {NotebookCell[]} cells
   */
  lay(cells) {
    for (const cell of this.cells) cell.close()
    this.cells = []
    this.chosen = this.shown = undefined
    for (const cell of cells) this.cells.push(this.made(cell))
    this.choose(this.cells.find(({ kind }) => kind === "code") ?? this.cells[0])
    this.tell()
  }

  /** Show what the cells showed when they were on the page last. */
  restore() {
    for (const cell of this.cells.filter(({ kind }) => kind === "code")) {
      const before = kept.find(({ source }) => source === cell.source)
      if (!before?.outcome) continue
      cell.ran = before.ran
      cell.end(before.outcome, before.number)
    }
    this.show(this.chosen)
  }

  /** @param {NotebookCell} cell */
  made(cell) {
    const made = new Cell(this.box, cell, {
      run: (each) => this.runAll([each]), next: (each) => this.next(each), choose: (each) => this.choose(each), move: (each, by) => this.move(each, by), remove: (each) => this.remove(each), changed: () => this.tell(),
    })
    made.complete(this.entries)
    return made
  }

  /** @param {Cell} cell to run; behind the last one with code comes a new one */
  next(cell) {
    this.runAll([cell])
    const following = this.cells.slice(this.cells.indexOf(cell) + 1).find(({ kind }) => kind === "code")
    if (following) following.editor?.focus()
    else this.add("code", cell)
  }

  /**
   * @param {NotebookCell["kind"]} kind of a new cell
   * @param {Cell} [before] behind which it comes
   */
  add(kind, before = this.chosen) {
    if (this.cells.length >= MOST_CELLS) return this.says.replaceChildren(t("A notebook has at most {most} cells.", { most: MOST_CELLS }))
    this.change(() => {
      const cell = this.made({ kind, source: "" })
      this.cells.splice(before ? this.cells.indexOf(before) + 1 : this.cells.length, 0, cell)
      this.box.insertBefore(cell.box, this.cells[this.cells.indexOf(cell) + 1]?.box ?? null)
      this.choose(cell)
      if (cell.editor) cell.editor.focus()
      else cell.area?.focus()
    })
  }

  /**
   * @param {Cell} cell
   * @param {1 | -1} by
   */
  move(cell, by) {
    const place = this.cells.indexOf(cell), other = this.cells[place + by]
    if (!other) return
    this.change(() => {
      this.cells[place] = other
      this.cells[place + by] = cell
      if (by > 0) other.box.after(cell.box)
      else other.box.before(cell.box)
    })
  }

  /** @param {Cell} cell */
  remove(cell) {
    if (this.isBusy()) return
    this.change(() => {
      const place = this.cells.indexOf(cell)
      this.cells.splice(place, 1)
      cell.close()
      if (this.shown === cell) this.shown = undefined
      if (this.chosen === cell) this.choose(this.cells[place] ?? this.cells[place - 1])
    })
  }

  /** @param {() => void} act changes the cells, which can be undone */
  change(act) {
    this.past.keep(this.written())
    act()
    this.tell()
  }

  /** Whether cells run; then a note says so, for what was asked for must wait. */
  isBusy() {
    if (this.queue.length) this.says.replaceChildren(t("A cell runs: wait until it is done, or stop it."))
    return this.queue.length > 0
  }

  undo() {
    if (this.isBusy()) return
    const before = this.past.undo()
    if (!before) return
    this.remember()
    this.lay(before)
    this.restore()
  }

  /** Keep what the cells show. */
  remember() {
    kept = this.cells.map(({ source, ran, outcome, number }) => ({ source, ran, outcome, number: number.textContent ?? "" }))
  }

  /** Tell Streamlit which cells there are. */
  tell() {
    find(this.root, ".undo").disabled = !this.past.states.length
    const cells = this.written(), text = JSON.stringify(cells)
    if (text === this.reported) return
    const isFirst = !this.reported
    this.reported = text
    if (!isFirst) this.setState("cells", cells)
  }

  /** @param {Cell | undefined} cell */
  choose(cell) {
    this.chosen = cell
    if (cell?.outcome && this.shown !== cell) this.show(cell)
  }

  /** @param {Cell | undefined} cell whose X-ray is shown */
  show(cell) {
    const report = cell?.outcome?.report
    this.shown?.editor?.lines([])
    for (const each of this.cells) each.mark(each === cell && Boolean(report))
    this.shown = cell
    this.xray.show(report ?? NO_REPORT, report ? newest(report) : "")
  }

  /**
   * Run cells, one after another; after an error those behind it do not run.
   * @param {Cell[]} cells
   */
  async runAll(cells) {
    const added = cells.filter((cell) => cell.kind === "code" && !this.queue.slice(1).includes(cell)) // the one that runs may run again
    for (const cell of added) cell.queue()
    const isRunning = this.queue.length > 0
    this.queue.push(...added)
    if (isRunning) return
    this.says.replaceChildren()
    find(this.root, ".stop").disabled = false
    while (this.queue.length) {
      const [cell] = this.queue
      const { report } = await this.runOne(cell)
      this.queue.shift()
      if (report && !report.error) continue
      for (const other of this.queue) other.number.textContent = ""
      this.queue = []
    }
    find(this.root, ".stop").disabled = true
    this.tell()
  }

  /**
   * @param {Cell} cell
   * @returns {Promise<Outcome>}
   */
  async runOne(cell) {
    cell.begin()
    /** @type {Outcome} */
    let outcome = { error: t("The server does not answer. Is it still running?"), unreachable: true }
    for await (const line of lines("api/notebook/run", { source: cell.source, device: this.data?.device })) {
      if ("loops" in line) cell.advance(line)
      else outcome = line
    }
    runs += 1
    cell.end(outcome, t("run {number}", { number: runs }))
    if (outcome.report?.is_first) this.forget(cell)
    this.show(cell)
    return outcome
  }

  /**
   * The process is new: what other cells did is gone.
   * @param {Cell} cell the first one that it ran
   */
  forget(cell) {
    const before = this.cells.slice(0, this.cells.indexOf(cell)).filter((each) => each.outcome)
    for (const each of this.cells) if (each !== cell && each.outcome) each.number.textContent = t("before the restart")
    if (before.length && !this.queue.includes(before[0])) this.note(t("The variables of earlier cells are gone: the server had ended this notebook, or you restarted it."), before.concat(cell))
  }

  /**
   * @param {string} text
   * @param {Cell[]} cells to run again
   */
  note(text, cells) {
    this.says.replaceChildren(text, button(t("Run them again"), () => this.runAll(cells)))
  }

  async stop() {
    for (const cell of this.queue.splice(1)) cell.number.textContent = ""
    await request("api/notebook/stop", { body: {} })
  }

  async restart() {
    for (const cell of this.queue.splice(1)) cell.number.textContent = ""
    await request("api/notebook/restart", { body: {} })
    for (const cell of this.cells) if (cell.outcome) cell.number.textContent = t("before the restart")
    this.says.replaceChildren()
  }

  /** @param {HTMLInputElement} input */
  async open(input) {
    const [file] = input.files ?? []
    input.value = ""
    if (!file || this.isBusy()) return
    try {
      if (file.size > LARGEST_FILE) throw new Error(t("This file is larger than {most} MB.", { most: LARGEST_FILE / 1e6 }))
      const cells = fromJupyter(await file.text())
      this.says.replaceChildren()
      this.change(() => this.lay(cells))
      this.xray.show(NO_REPORT)
    } catch (error) {
      this.says.replaceChildren(/** @type {Error} */ (error).message)
    }
  }

  close() {
    this.remember()
    this.xray.close()
    for (const cell of this.cells) cell.close()
  }
}

export default mounting(Notebook)
