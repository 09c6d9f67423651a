// The selected runs as a table: the settings in which they differ, their results, and the actions on each.

import { element } from "../shared/dom.js"
import { percent } from "../shared/format.js"
import { theme } from "../shared/plot.js"
import { STATES, compare, duration, swatch } from "./marks.js"

/**
 * @import { Look } from "../shared/plot.js"
 * @import { Column, Facts, Selected } from "./types.js"
 */

/**
 * A result of a run.
 * @typedef {object} Result
 * @property {"accuracy" | "best_accuracy" | "seconds" | "step" | "parameters" | "multiply_adds" | "compute"} name
 * @property {string} title
 * @property {(facts: Facts) => string} write
 * @property {-1 | 0 | 1} better whether more (1) or less (−1) is better
 * @property {string} [help]
 */

/** @param {number} value */
const number = (value) => (value ? value.toLocaleString("en") : "–")

/** @type {Result[]} */
const RESULTS = [
  { name: "accuracy", title: "Test accuracy", write: ({ accuracy }) => percent(accuracy), better: 1, help: "Test accuracy at the last evaluation" },
  { name: "best_accuracy", title: "Best accuracy", write: ({ best_accuracy }) => percent(best_accuracy), better: 1, help: "Highest test accuracy so far" },
  { name: "seconds", title: "Time", write: ({ seconds }) => duration(seconds), better: -1, help: "Time spent training, without evaluations and pauses" },
  { name: "step", title: "Steps", write: ({ step }) => number(step), better: 0 },
  { name: "parameters", title: "Parameters", write: ({ parameters }) => number(parameters), better: -1 },
  {
    name: "multiply_adds", title: "Multiply-adds per image", write: ({ multiply_adds }) => number(multiply_adds), better: -1,
    help: "Multiply-adds of the forward pass for one image",
  },
  {
    name: "compute", title: "Compute", write: ({ compute, compute_text }) => (compute ? compute_text : "–"), better: -1,
    help: "Multiply-adds of all forward and backward passes of the training; a backward pass costs about two forward passes",
  },
]

/**
 * The results to show: multiply-adds only where they differ.
 * @param {Selected[]} runs
 */
export function results(runs) {
  const differ = new Set(runs.map(({ facts }) => facts?.multiply_adds)).size > 1
  return RESULTS.filter(({ name }) => name !== "multiply_adds" || differ)
}

/**
 * Whether none is better than this one, and at least one is worse.
 * @param {Result} result
 * @param {Selected} run
 * @param {Selected[]} runs
 */
export function isBest({ name, better }, run, runs) {
  const valueOf = (/** @type {Selected} */ { facts }) => facts?.[name] || 0
  const values = runs.map(valueOf).filter((value) => value !== 0)
  const mine = valueOf(run)
  return better !== 0 && mine !== 0 && new Set(values).size > 1 && values.every((value) => better * (mine - value) >= 0)
}

/**
 * The runs by a setting, a result or their name; in their own order where `sort` is null.
 * @param {Selected[]} runs
 * @param {Column[]} columns
 * @param {string[]} order of the runs in the values of a column
 * @param {string | null} sort
 * @param {boolean} descending
 */
export function sorted(runs, columns, order, sort, descending) {
  if (!sort) return runs
  const column = columns.find(({ name }) => name === sort)
  const result = RESULTS.find(({ name }) => name === sort)
  const value = (/** @type {Selected} */ { run, name, facts }) => {
    if (sort === "name") return name.toLowerCase()
    const at = order.indexOf(run)
    return column ? (column.numbers[at] ?? column.texts[at] ?? "") : ((result && facts?.[result.name]) ?? -1)
  }
  return [...runs].sort((one, other) => (descending ? -1 : 1) * compare(value(one), value(other)))
}

export class Table {
  /**
   * @param {HTMLElement} box
   * @param {object} act
   * @param {(where: "train" | "evaluate", run: string) => void} act.go
   * @param {(run: string, texts: { name?: string, note?: string }) => void} act.relabel
   * @param {(run: string) => void} act.remove
   * @param {(run: string | null) => void} act.light
   */
  constructor(box, act) {
    this.box = box
    this.act = act
    /** @type {Selected[]} */
    this.runs = []
    /** @type {Column[]} */
    this.columns = []
    /** @type {string[]} */
    this.order = []
    /** @type {string | null} the name of a column */
    this.sort = null
    this.descending = true
    this.editing = false
    this.content = ""
  }

  /**
   * @param {Selected[]} runs
   * @param {Column[]} columns where they differ
   * @param {string[]} order of the runs in the values of a column
   */
  show(runs, columns, order) {
    this.runs = runs
    this.columns = columns
    this.order = order
    this.draw()
  }

  draw() {
    if (this.editing) return // keep what is being typed
    const look = theme(this.box)
    const content = JSON.stringify([this.runs, this.columns, this.order, this.sort, this.descending, look.colours])
    if (content === this.content) return
    this.content = content
    this.box.hidden = this.runs.length === 0
    const table = element("table")
    const body = element("tbody")
    body.append(...sorted(this.runs, this.columns, this.order, this.sort, this.descending).map((row) => this.row(row, look)))
    table.append(this.head(), body)
    const focused = this.box.ownerDocument.activeElement
    const name = focused instanceof HTMLElement && this.box.contains(focused) ? focused.dataset.control : null
    this.box.replaceChildren(table)
    if (name) this.focus(name)
  }

  /** @param {string} control */
  focus(control) {
    const button = this.box.querySelector(`[data-control="${CSS.escape(control)}"]`)
    if (button instanceof HTMLElement) button.focus()
  }

  head() {
    const row = element("tr")
    const heading = (/** @type {string} */ name, /** @type {string} */ title, kind = "", help = "") => {
      const cell = element("th", kind)
      const button = element("button", "", title)
      Object.assign(button, { type: "button", title: help })
      button.dataset.control = `sort ${name}`
      button.onclick = () => {
        this.descending = this.sort === name ? !this.descending : true
        this.sort = name
        this.draw()
      }
      cell.setAttribute("aria-sort", this.sort === name ? (this.descending ? "descending" : "ascending") : "none")
      cell.append(button)
      row.append(cell)
    }
    heading("name", "Run")
    this.columns.forEach(({ name, title }) => heading(name, title))
    results(this.runs).forEach(({ name, title, help }) => heading(name, title, "comparison-number", help))
    const head = element("thead")
    head.append(row)
    return head
  }

  /**
   * @param {Selected} row
   * @param {Look} look
   */
  row(row, look) {
    const made = element("tr")
    made.dataset.run = row.run
    made.onpointerenter = () => this.act.light(row.run)
    made.onpointerleave = () => this.act.light(null)
    const at = this.order.indexOf(row.run)
    made.append(this.title(row, look), ...this.columns.map(({ texts }) => element("td", "", texts[at] ?? "")))
    for (const result of results(this.runs)) {
      const cell = element("td", "comparison-number", row.facts ? result.write(row.facts) : "–")
      if (isBest(result, row, this.runs)) {
        cell.classList.add("best")
        cell.append(element("span", "comparison-unseen", " (best)"))
      }
      made.append(cell)
    }
    return made
  }

  /**
   * The run's name and note, and the actions on it.
   * @param {Selected} row
   * @param {Look} look
   */
  title(row, look) {
    const cell = element("th")
    cell.scope = "row"
    const head = element("div", "comparison-title")
    const name = element("span", "comparison-name", row.name)
    name.title = row.name
    head.append(swatch(look, row.slot), name)
    const edit = () => this.edit(row, "name", head)
    if (row.own) {
      name.ondblclick = edit
      head.append(this.button(row, "rename", "✎", edit, `Rename ${row.name}`))
    }
    const acts = element("div", "comparison-acts")
    acts.append(this.link(row, "train", "Train"), this.link(row, "evaluate", "Evaluate"))
    const note = element("div", "comparison-note", row.note)
    if (row.own) {
      note.ondblclick = () => this.edit(row, "note", note)
      acts.append(this.button(row, "note", row.note ? "Edit note" : "Add note", () => this.edit(row, "note", note), `Edit the note on ${row.name}`))
      acts.append(this.button(row, "delete", "Delete", () => this.ask(row, acts), `Delete ${row.name}`))
    }
    if (row.state !== "finished") acts.prepend(element("span", "comparison-state", STATES[row.state]))
    cell.append(head, note, acts)
    return cell
  }

  /**
   * @param {Selected} row
   * @param {"train" | "evaluate"} where
   * @param {string} text
   */
  link(row, where, text) {
    const link = element("a", "", text)
    link.href = new URL(where === "train" ? `train?run=${row.run}` : `evaluate?model=${row.run}`, document.baseURI).href
    link.setAttribute("aria-label", `${text}: ${row.name}`)
    link.dataset.control = `${where} ${row.run}`
    link.onclick = (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return // opens in a tab of its own
      event.preventDefault()
      this.act.go(where, row.run)
    }
    return link
  }

  /**
   * @param {Selected} row
   * @param {string} what it does
   * @param {string} text
   * @param {() => void} act
   * @param {string} label
   */
  button(row, what, text, act, label) {
    const button = element("button", "", text)
    Object.assign(button, { type: "button", title: label, onclick: act })
    button.setAttribute("aria-label", label)
    button.dataset.control = `${what} ${row.run}`
    return button
  }

  /**
   * Edit the name or the note in its place: Enter saves, Escape cancels; in a note, Shift+Enter starts a new line.
   * @param {Selected} row
   * @param {"name" | "note"} what
   * @param {HTMLElement} place
   */
  edit(row, what, place) {
    if (this.editing) return
    this.editing = true
    const field = element(what === "note" ? "textarea" : "input", "comparison-field")
    field.value = row[what]
    field.maxLength = what === "note" ? 2000 : 80
    field.setAttribute("aria-label", what === "note" ? `Note on ${row.name}` : `Name of ${row.name}`)
    const end = (/** @type {boolean} */ keep) => {
      if (!this.editing) return
      this.editing = false
      this.content = ""
      if (keep && field.value !== row[what]) this.act.relabel(row.run, { [what]: field.value })
      this.draw()
      this.focus(`${what === "note" ? "note" : "rename"} ${row.run}`)
    }
    field.onkeydown = (/** @type {KeyboardEvent} */ event) => {
      event.stopPropagation()
      if (event.key === "Enter" && !event.shiftKey) { event.preventDefault(); end(true) }
      if (event.key === "Escape") end(false)
    }
    field.onblur = () => end(true)
    place.replaceChildren(field)
    field.focus()
    field.select()
  }

  /**
   * Ask before a run is deleted.
   * @param {Selected} row
   * @param {HTMLElement} acts
   */
  ask(row, acts) {
    this.editing = true
    const answer = (/** @type {boolean} */ yes) => {
      this.editing = false
      this.content = ""
      if (yes) this.act.remove(row.run)
      this.draw()
    }
    const buttons = [this.button(row, "yes", "Delete", () => answer(true), `Yes, delete ${row.name}`), this.button(row, "no", "Cancel", () => answer(false), `Do not delete ${row.name}`)]
    buttons[0].className = "sure"
    acts.replaceChildren(element("span", "", "Delete this run?"), ...buttons)
    buttons[0].focus()
  }
}
