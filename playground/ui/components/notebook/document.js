// A notebook as data: its cells, Jupyter's files, what can be undone, and a text of Markdown in its parts.
// Source: https://nbformat.readthedocs.io/en/latest/format_description.html

import { t } from "../shared/text.js"

/**
 * @import { NotebookCell } from "./documents.js"
 */

export const MOST_CELLS = 200
export const MOST_LETTERS = 20_000 // of a cell, as many as the interpreter takes
const MOST_UNDONE = 100

/**
 * The cells of a file of Jupyter; only code and text are read, outputs are not.
 * @param {string} text
 * @returns {NotebookCell[]}
 * @throws {Error} with a sentence for the learner
 */
export function fromJupyter(text) {
  let document
  try {
    document = JSON.parse(text)
  } catch {
    throw new Error(t("This file is not a notebook: it is not JSON. Choose a file that ends in .ipynb."))
  }
  const cells = Array.isArray(document?.cells) ? document.cells : document?.worksheets?.[0]?.cells
  if (!Array.isArray(cells)) throw new Error(t("This file is not a notebook: it has no cells. Choose a file that ends in .ipynb."))
  const read = cells.filter((cell) => ["code", "markdown", "heading", "raw"].includes(cell?.cell_type)).map((cell) => ({
    kind: /** @type {NotebookCell["kind"]} */ (cell.cell_type === "code" ? "code" : "text"), source: joined(cell.source ?? cell.input),
  })).filter(({ source }) => source.trim())
  if (!read.length) throw new Error(t("This notebook has no cell with code or text."))
  if (read.length > MOST_CELLS) throw new Error(t("This notebook has {count} cells; at most {most} can be opened.", { count: read.length, most: MOST_CELLS }))
  if (read.some(({ source }) => source.length > MOST_LETTERS)) throw new Error(t("A cell of this notebook is longer than {most} characters.", { most: MOST_LETTERS }))
  return read
}

/** @param {unknown} source a text, or its lines */
const joined = (source) => (Array.isArray(source) ? source : [source]).filter((line) => typeof line === "string").join("")

/**
 * A file of Jupyter with these cells.
 * @param {NotebookCell[]} cells
 */
export function toJupyter(cells) {
  return `${JSON.stringify({
    cells: cells.map(({ kind, source }, place) => ({
      cell_type: kind === "code" ? "code" : "markdown", id: `cell-${place + 1}`, metadata: {}, source: source.split(/(?<=\n)/),
      ...(kind === "code" ? { execution_count: null, outputs: [] } : {}),
    })),
    metadata: { kernelspec: { display_name: "Python 3", language: "python", name: "python3" }, language_info: { name: "python" } },
    nbformat: 4, nbformat_minor: 5,
  }, null, 1)}\n`
}

/** What the cells were before each change. */
export class Past {
  constructor() {
    /** @type {NotebookCell[][]} the latest last */
    this.states = []
  }

  /** @param {NotebookCell[]} cells as they are before a change */
  keep(cells) {
    this.states = [...this.states, cells].slice(-MOST_UNDONE)
  }

  /** @returns {NotebookCell[] | undefined} the cells before the last change, which is forgotten; undefined without any */
  undo() {
    return this.states.pop()
  }
}

/** @typedef {{ kind: "h2" | "p" | "pre" | "ul", lines: string[], level?: number }} Part of a heading its level, from 1 */

/**
 * The parts of a text of Markdown that a notebook shows: headings, lists, code and paragraphs.
 * @param {string} text
 * @returns {Part[]}
 */
export function partsOf(text) {
  /** @type {Part[]} */
  const parts = []
  let isOpen = false // whether the next line belongs to the last part
  for (const line of text.split("\n")) {
    const last = parts.at(-1)
    /** @type {boolean} */
    const isInCode = isOpen && last?.kind === "pre"
    const heading = /^(#{1,6})\s+(.*)/.exec(line), item = /^\s*(?:[-*+]|\d+\.)\s+(.*)/.exec(line)
    if (/^\s*```/.test(line)) {
      if (!isInCode) parts.push({ kind: "pre", lines: [] })
      isOpen = !isInCode
    } else if (isInCode) last?.lines.push(line)
    else if (heading) {
      parts.push({ kind: "h2", lines: [heading[2]], level: Math.min(3, heading[1].length) })
      isOpen = false
    } else if (item) {
      if (isOpen && last?.kind === "ul") last.lines.push(item[1])
      else parts.push({ kind: "ul", lines: [item[1]] })
      isOpen = true
    } else if (!line.trim()) isOpen = false
    else if (isOpen && last) last.lines.push(`${last.lines.pop() ?? ""} ${line.trim()}`.trim())
    else {
      parts.push({ kind: "p", lines: [line.trim()] })
      isOpen = true
    }
  }
  return parts
}

/** @type {Record<string, "code" | "strong" | "em">} */
const MARKS = { "`": "code", "**": "strong", "*": "em" }

/**
 * A line of Markdown in pieces: code, strong or emphasised ones, and plain text between them; of a link its text.
 * @param {string} line
 * @returns {{ kind: "" | "code" | "strong" | "em", text: string }[]}
 */
export function piecesOf(line) {
  const plain = line.replace(/!?\[([^\]]*)\]\([^)]*\)/g, "$1")
  return plain.split(/(`[^`]+`|\*\*[^*]+\*\*|\*[^*\s][^*]*\*)/).filter(Boolean).map((piece) => {
    const [, mark] = /^(`|\*\*|\*)(?=.)/.exec(piece) ?? []
    const isMarked = mark && piece.length > 2 * mark.length && piece.endsWith(mark)
    return isMarked ? { kind: MARKS[mark], text: piece.slice(mark.length, -mark.length) } : { kind: "", text: piece }
  })
}

/**
 * The path of a curve in a box that is 100 wide and 40 high, with its ends.
 * @param {(number | null)[]} values null where there is none
 * @returns {{ path: string, low: number, high: number }}
 */
export function curveOf(values) {
  const known = values.filter((value) => value !== null)
  const low = Math.min(...known), high = Math.max(...known)
  let pen = "M"
  const path = values.map((value, place) => {
    const step = value === null ? "" : `${pen}${(100 * place / Math.max(1, values.length - 1)).toFixed(2)} ${(40 - 40 * (value - low) / (high - low || 1)).toFixed(2)}`
    pen = value === null ? "M" : "L"
    return step
  }).join("")
  return { path, low, high }
}
