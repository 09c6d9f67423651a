// The chosen runs as a table: the settings in which they differ, what they have come to, and what can be done with each.

import { duration, percent, STATES, swatch } from "./comparison_marks.js"
import { theme } from "./plot.js"
import { element } from "./tile.js"

const number = (value) => (value ? value.toLocaleString("en") : "–")
// What a run has come to: its title, how it is written, and whether more or less of it is better.
const FACTS = {
  accuracy: ["Test accuracy", percent, 1],
  best_accuracy: ["Best", percent, 1],
  seconds: ["Time", duration, -1],
  step: ["Steps", number, 0],
  parameters: ["Parameters", number, -1],
  multiply_adds: ["Multiply-adds an image", number, -1],
  compute: ["Compute", null, -1],
}
const HELP = {
  accuracy: "On the test images, the last time that the network was tried",
  best_accuracy: "The highest accuracy on the test images so far",
  seconds: "Spent learning, evaluations and pauses left out",
  multiply_adds: "Multiplications with an addition that one image takes on its way through the network",
  compute: "Multiply-adds of all that was learnt: three times those of a forward pass for each image, because the backward pass takes two",
}

export class Table {
  // `act` has what the learner can do: go(where, run), relabel(run, texts), remove(run), light(run or null).
  constructor(box, act) {
    Object.assign(this, { box, act, sort: null, descending: true, editing: false })
  }

  // `runs`: of each its `run`, `name`, `note`, `slot`, `own`, `state` and `facts`; `columns`: where they differ, with values in the order of `order`.
  show(runs, columns, order) {
    Object.assign(this, { runs, columns, order })
    this.draw()
  }

  draw() {
    if (this.editing) return // what is being written stays
    const look = theme(this.box)
    const says = JSON.stringify([this.runs, this.columns, this.order, this.sort, this.descending, look.colours])
    if (says === this.says) return
    this.says = says
    this.box.hidden = this.runs.length === 0
    const table = element("table")
    const body = element("tbody")
    body.append(...this.sorted().map((row) => this.row(row, look)))
    table.append(this.head(), body)
    const held = this.box.ownerDocument.activeElement
    const name = this.box.contains(held) ? held.dataset.held : null
    this.box.replaceChildren(table)
    if (name) this.box.querySelector(`[data-held="${CSS.escape(name)}"]`)?.focus()
  }

  // Facts that are told: the network's size only where it is not the same for all.
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
      button.dataset.held = `sort ${name}`
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

  // The run's name and note, and what can be done with it.
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
      acts.append(this.button(row, "note", row.note ? "Change note" : "Note", () => this.edit(row, "note", note), `Write a note on ${row.name}`))
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
    link.dataset.held = `${where} ${row.run}`
    link.onclick = (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return // a tab of its own
      event.preventDefault()
      this.act.go(where, row.run)
    }
    return link
  }

  button(row, what, text, act, label) {
    const button = element("button", "", text)
    Object.assign(button, { type: "button", title: label, onclick: act })
    button.setAttribute("aria-label", label)
    button.dataset.held = `${what} ${row.run}`
    return button
  }

  // Write the name or the note in its place: Enter keeps it, Escape does not; in a note, Enter with Shift begins a line.
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
      this.says = null
      if (keep && field.value !== row[what]) this.act.relabel(row.run, { [what]: field.value })
      this.draw()
      this.box.querySelector(`[data-held="${what === "note" ? "note" : "rename"} ${row.run}"]`)?.focus()
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

  // Ask once before a run is thrown away.
  ask(row, acts) {
    this.editing = true
    const answer = (yes) => {
      this.editing = false
      this.says = null
      if (yes) this.act.remove(row.run)
      this.draw()
    }
    const buttons = [this.button(row, "yes", "Delete", () => answer(true), `Yes, delete ${row.name}`), this.button(row, "no", "Keep", () => answer(false), `Keep ${row.name}`)]
    buttons[0].className = "sure"
    acts.replaceChildren(element("span", "", "Delete this run?"), ...buttons)
    buttons[0].focus()
  }
}
