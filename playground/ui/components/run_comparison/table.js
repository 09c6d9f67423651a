// The selected runs as a table: the settings in which they differ, their results, and the actions on each.

import { element } from "../shared/dom.js"
import { percent } from "../shared/format.js"
import { theme } from "../shared/plot.js"
import { STATES, duration, swatch } from "./marks.js"

const number = (value) => (value ? value.toLocaleString("en") : "–")
// The results of a run: title, format, and whether more (1) or less (−1) is better.
const FACTS = {
  accuracy: ["Test accuracy", percent, 1],
  best_accuracy: ["Best accuracy", percent, 1],
  seconds: ["Time", duration, -1],
  step: ["Steps", number, 0],
  parameters: ["Parameters", number, -1],
  multiply_adds: ["Multiply-adds per image", number, -1],
  compute: ["Compute", null, -1],
}
const HELP = {
  accuracy: "Test accuracy at the last evaluation",
  best_accuracy: "Highest test accuracy so far",
  seconds: "Time spent training, without evaluations and pauses",
  multiply_adds: "Multiply-adds of the forward pass for one image",
  compute: "Multiply-adds of all forward and backward passes of the training; a backward pass costs about two forward passes",
}

export class Table {
  // `act` holds the actions: go(where, run), relabel(run, texts), remove(run), light(run or null).
  constructor(box, act) {
    Object.assign(this, { box, act, sort: null, descending: true, editing: false })
  }

  // `runs`: of each its `run`, `name`, `note`, `slot`, `own`, `state` and `facts`; `columns`: where they differ, with values in the order of `order`.
  show(runs, columns, order) {
    Object.assign(this, { runs, columns, order })
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
    body.append(...this.sorted().map((row) => this.row(row, look)))
    table.append(this.head(), body)
    const focused = this.box.ownerDocument.activeElement
    const name = this.box.contains(focused) ? focused.dataset.control : null
    this.box.replaceChildren(table)
    if (name) this.box.querySelector(`[data-control="${CSS.escape(name)}"]`)?.focus()
  }

  // The results to show: multiply-adds only where they differ.
  facts() {
    const same = (name) => new Set(this.runs.map(({ facts }) => facts?.[name])).size <= 1
    return Object.entries(FACTS).filter(([name]) => name !== "multiply_adds" || !same(name))
  }

  head() {
    const row = element("tr")
    const heading = (name, title, kind = "", help = "") => {
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
    this.facts().forEach(([name, [title]]) => heading(name, title, "comparison-number", HELP[name]))
    const head = element("thead")
    head.append(row)
    return head
  }

  sorted() {
    if (!this.sort) return this.runs
    const column = this.columns.find(({ name }) => name === this.sort)
    const value = ({ run, name, facts }) => {
      if (this.sort === "name") return name.toLowerCase()
      const at = this.order.indexOf(run)
      return column ? (column.numbers[at] ?? column.texts[at] ?? "") : (facts?.[this.sort] ?? -1)
    }
    const order = (one, other) => (one < other ? -1 : one > other ? 1 : 0)
    return [...this.runs].sort((one, other) => (this.descending ? -1 : 1) * order(value(one), value(other)))
  }

  row(row, look) {
    const made = element("tr")
    made.dataset.run = row.run
    made.onpointerenter = () => this.act.light(row.run)
    made.onpointerleave = () => this.act.light(null)
    const at = this.order.indexOf(row.run)
    made.append(this.title(row, look), ...this.columns.map(({ texts }) => element("td", "", texts[at] ?? "")))
    for (const [name, [, write, better]] of this.facts()) {
      const cell = element("td", "comparison-number", write ? write(row.facts?.[name]) : row.facts?.compute ? row.facts.compute_text : "–")
      if (this.isBest(name, row, better)) {
        cell.classList.add("best")
        cell.append(element("span", "comparison-unseen", " (best)"))
      }
      made.append(cell)
    }
    return made
  }

  // Whether none is better than this one, and at least one is worse.
  isBest(name, row, better) {
    const values = this.runs.map(({ facts }) => facts?.[name]).filter((value) => value)
    const mine = row.facts?.[name]
    return better !== 0 && Boolean(mine) && new Set(values).size > 1 && values.every((value) => better * (mine - value) >= 0)
  }

  // The run's name and note, and the actions on it.
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

  link(row, where, text) {
    const link = element("a", "", text)
    link.href = new URL(where === "train" ? `train?run=${row.run}` : `evaluate?model=${row.run}`, document.baseURI)
    link.setAttribute("aria-label", `${text}: ${row.name}`)
    link.dataset.control = `${where} ${row.run}`
    link.onclick = (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return // opens in a tab of its own
      event.preventDefault()
      this.act.go(where, row.run)
    }
    return link
  }

  button(row, what, text, act, label) {
    const button = element("button", "", text)
    Object.assign(button, { type: "button", title: label, onclick: act })
    button.setAttribute("aria-label", label)
    button.dataset.control = `${what} ${row.run}`
    return button
  }

  // Edit the name or the note in its place: Enter saves, Escape cancels; in a note, Shift+Enter starts a new line.
  edit(row, what, place) {
    if (this.editing) return
    this.editing = true
    const field = element(what === "note" ? "textarea" : "input", "comparison-field")
    field.value = row[what]
    field.maxLength = what === "note" ? 2000 : 80
    field.setAttribute("aria-label", what === "note" ? `Note on ${row.name}` : `Name of ${row.name}`)
    const end = (keep) => {
      if (!this.editing) return
      this.editing = false
      this.content = null
      if (keep && field.value !== row[what]) this.act.relabel(row.run, { [what]: field.value })
      this.draw()
      this.box.querySelector(`[data-control="${what === "note" ? "note" : "rename"} ${row.run}"]`)?.focus()
    }
    field.onkeydown = (event) => {
      event.stopPropagation()
      if (event.key === "Enter" && !event.shiftKey) { event.preventDefault(); end(true) }
      if (event.key === "Escape") end(false)
    }
    field.onblur = () => end(true)
    place.replaceChildren(field)
    field.focus()
    field.select()
  }

  // Ask before a run is deleted.
  ask(row, acts) {
    this.editing = true
    const answer = (yes) => {
      this.editing = false
      this.content = null
      if (yes) this.act.remove(row.run)
      this.draw()
    }
    const buttons = [this.button(row, "yes", "Delete", () => answer(true), `Yes, delete ${row.name}`), this.button(row, "no", "Cancel", () => answer(false), `Do not delete ${row.name}`)]
    buttons[0].className = "sure"
    acts.replaceChildren(element("span", "", "Delete this run?"), ...buttons)
    buttons[0].focus()
  }
}
