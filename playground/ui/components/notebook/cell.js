// One cell of a notebook: code with what it printed, plotted and raised, or a text.

import { button, element, rich, svg } from "../shared/dom.js"
import { Editor } from "../shared/editor.js"
import { faultOf, showFault } from "../shared/fault.js"
import { Figures } from "../shared/figures.js"
import { brief } from "../shared/format.js"
import { t } from "../shared/text.js"
import { curveOf, partsOf, piecesOf } from "./document.js"

/**
 * @import { Entry } from "../shared/editor.js"
 * @import { Answer, NotebookCell, Progress, RunningLoop } from "./documents.js"
 */

/** @typedef {Omit<Answer, "error"> & { error?: any, retry?: boolean, unreachable?: boolean }} Outcome an answer, or why there was none */

/**
 * What a cell asks its notebook to do.
 * @typedef {object} Requests
 * @property {(cell: Cell) => void} run
 * @property {(cell: Cell) => void} next run it, and go to the one behind it
 * @property {(cell: Cell) => void} choose it has the cursor
 * @property {(cell: Cell, by: 1 | -1) => void} move
 * @property {(cell: Cell) => void} remove
 * @property {() => void} changed the text of a cell, when the focus leaves it
 */

export class Cell {
  /**
   * @param {HTMLElement} parent where it is appended: an editor must lie in the page
   * @param {NotebookCell} cell
   * @param {Requests} requests
   */
  constructor(parent, { kind, source }, requests) {
    this.kind = kind
    this.box = element("section", `notebook-cell ${kind}-cell`)
    parent.append(this.box)
    /** @type {Outcome | undefined} of its last run */
    this.outcome = undefined
    this.ran = "" // the code of that run
    this.number = element("span", "number")
    const tool = (/** @type {string} */ sign, /** @type {string} */ label, /** @type {() => void} */ act) => button(sign, act, { name: "tool", label })
    this.strip = element("div", "strip")
    this.strip.append(this.number, tool("↑", t("Move up"), () => requests.move(this, -1)), tool("↓", t("Move down"), () => requests.move(this, 1)), tool("✕", t("Delete"), () => requests.remove(this)))
    this.box.append(this.strip)
    this.box.addEventListener("focusin", () => requests.choose(this))
    this.box.addEventListener("focusout", () => requests.changed())
    if (kind === "code") this.makeCode(source, () => requests.run(this), () => requests.next(this))
    else this.makeText(source)
  }

  /**
   * @param {string} source
   * @param {() => void} run
   * @param {() => void} next
   */
  makeCode(source, run, next) {
    this.run = run
    const editor = element("div", "editor")
    this.strip.prepend(button(t("Run"), run, { name: "run", label: t("Run (Ctrl+Enter; Shift+Enter goes to the next cell)") }))
    this.progress = element("div", "progress")
    this.curves = element("div", "curves")
    this.printed = element("pre", "printed")
    this.printed.setAttribute("aria-label", t("Output of the cell"))
    const figures = element("section", "figures")
    figures.hidden = true
    this.figures = new Figures(figures)
    this.fault = element("div", "fault")
    this.fault.role = "alert"
    this.box.append(editor, this.progress, this.printed, this.curves, figures, this.fault)
    this.editor = new Editor(editor, { text: source, label: t("Code of a cell. Ctrl+Enter runs it; Escape and then Tab leaves the editor."), onRun: run, onNext: next })
  }

  /** @param {string} source */
  makeText(source) {
    this.shown = element("div", "shown")
    this.area = element("textarea")
    this.area.setAttribute("aria-label", t("Text of a cell, in Markdown"))
    this.area.value = source
    this.edit = button(t("Edit"), () => this.write(Boolean(this.area?.hidden)))
    this.strip.prepend(this.edit)
    this.area.onkeydown = ({ key, ctrlKey, metaKey, shiftKey }) => { if (key === "Escape" || (key === "Enter" && (ctrlKey || metaKey || shiftKey))) this.write(false) }
    this.shown.ondblclick = () => this.write(true)
    this.box.append(this.shown, this.area)
    this.write(!source)
  }

  /** @param {boolean} isWriting whether the text is edited, or shown */
  write(isWriting) {
    const { area, shown, edit } = /** @type {{ area: HTMLTextAreaElement, shown: HTMLElement, edit: HTMLButtonElement }} */ (/** @type {unknown} */ (this))
    const hadFocus = this.box.contains(/** @type {Document | ShadowRoot} */ (this.box.getRootNode()).activeElement)
    area.hidden = !isWriting
    shown.hidden = isWriting
    edit.textContent = isWriting ? t("Done") : t("Edit")
    if (isWriting && hadFocus) area.focus()
    shown.replaceChildren(...partsOf(area.value).map(({ kind, lines, level }) => {
      if (kind === "pre") return element("pre", "", lines.join("\n"))
      if (kind !== "ul") return inline(element(kind, level ? `level-${level}` : ""), lines.join(" "))
      const list = element("ul")
      list.append(...lines.map((line) => inline(element("li"), line)))
      return list
    }))
  }

  get source() {
    return this.editor ? this.editor.text : /** @type {HTMLTextAreaElement} */ (this.area).value
  }

  /** @param {Entry[]} entries what the editor can offer */
  complete(entries) {
    this.editor?.complete(entries)
  }

  /** @param {boolean} isShown whether the X-ray is that of this cell */
  mark(isShown) {
    this.box.classList.toggle("shown-beside", isShown)
  }

  /** It waits for its turn. */
  queue() {
    this.number.textContent = t("waiting…")
  }

  /** Its run begins. */
  begin() {
    this.ran = this.source
    this.outcome = undefined
    this.number.textContent = t("running…")
    this.box.classList.add("busy")
    this.parts.printed.textContent = ""
    this.parts.curves.replaceChildren()
    this.parts.fault.replaceChildren()
    this.parts.figures.show([])
  }

  /** @param {Progress} progress */
  advance({ printed, loops, curves }) {
    this.parts.printed.append(printed)
    this.parts.printed.scrollTop = this.parts.printed.scrollHeight
    this.parts.progress.replaceChildren(...loops.slice(0, 2).map(loopBar))
    this.showCurves(curves)
  }

  /**
   * Its run has ended, or what an earlier one brought is shown again.
   * @param {Outcome} outcome
   * @param {string} number of the run in the notebook
   */
  end(outcome, number) {
    this.outcome = outcome
    this.number.textContent = number
    this.box.classList.remove("busy")
    const { progress, printed, figures, fault } = this.parts
    progress.replaceChildren()
    const { report } = outcome
    if (report) printed.textContent = [report.output, ...report.warnings.map((text) => `${t("Warning: {text}", { text })}\n`)].join("")
    if (report) this.showCurves(report.curves)
    figures.show(report?.figures ?? [])
    showFault(fault, report ? report.error ?? undefined : faultOf(outcome), this.ran, this.parts.editor, this.parts.run)
    if (report?.raised_in) fault.append(rich("p", "within", t("An earlier cell defined what failed: `{code}`", { code: report.raised_in })))
  }

  /** @param {Record<string, (number | null)[]>} curves */
  showCurves(curves) {
    this.parts.curves.replaceChildren(...Object.entries(curves).map(([name, values]) => curveFigure(name, values)))
  }

  /** The parts of a cell with code. */
  get parts() {
    const { editor, progress, printed, curves, figures, fault, run } = this
    return /** @type {{ editor: Editor, progress: HTMLElement, printed: HTMLElement, curves: HTMLElement, figures: Figures, fault: HTMLElement, run: () => void }} */ ({ editor, progress, printed, curves, figures, fault, run })
  }

  close() {
    this.editor?.destroy()
    this.box.remove()
  }
}

/**
 * @template {HTMLElement} Box
 * @param {Box} box
 * @param {string} text of Markdown
 */
function inline(box, text) {
  box.append(...piecesOf(text).map(({ kind, text: piece }) => (kind ? element(kind, "", piece) : piece)))
  return box
}

/** @param {RunningLoop} loop */
function loopBar({ line, turn, turns }) {
  const box = element("label", "", turns === null ? t("Line {line}: turn {turn}", { line, turn }) : t("Line {line}: turn {turn} of {turns}", { line, turn, turns }))
  if (turns !== null) box.append(Object.assign(element("progress"), { max: turns, value: turn }))
  return box
}

/**
 * @param {string} name
 * @param {(number | null)[]} values
 */
function curveFigure(name, values) {
  const { path, low, high } = curveOf(values)
  const figure = element("figure", "curve"), caption = element("figcaption")
  caption.append(element("span", "name", name), element("span", "fact", t("{low} to {high}", { low: brief(low), high: brief(high) })))
  const picture = svg("svg", { viewBox: "0 0 100 40", preserveAspectRatio: "none", role: "img" })
  picture.setAttribute("aria-label", t("The numbers in {name} as a curve", { name }))
  picture.append(svg("path", { class: "zero", d: "M0 40L100 40" }), svg("path", { d: path }))
  figure.append(caption, picture)
  return figure
}
