// The list of all runs to select from: filtered by text and data set, sorted by a click on a column.

import { element } from "../shared/dom.js"
import { percent } from "../shared/format.js"
import { theme } from "../shared/plot.js"
import { STATES, swatch } from "./marks.js"

const COLUMNS = { name: "Run", started: "Started", accuracy: "Test" }
const SORT_LABELS = { name: "Sort by name", started: "Sort by start time", accuracy: "Sort by test accuracy" }
const VALUES = { name: (row) => row.name.toLowerCase(), started: (row) => row.started ?? 0, accuracy: (row) => row.accuracy ?? -1 }

export class RunList {
  // `act` holds the actions: choose(runs), toggle(run, on), remove(run).
  constructor(box, view, act) {
    Object.assign(this, { box, view, act, rows: new Map(), runs: [], chosen: new Map() })
    this.filter = element("input")
    Object.assign(this.filter, { type: "search", placeholder: "Filter", value: view.filter })
    this.filter.setAttribute("aria-label", "Filter runs by text")
    this.filter.oninput = () => { view.filter = this.filter.value; this.draw() }
    this.dataset = element("select")
    this.dataset.setAttribute("aria-label", "Filter runs by data set")
    this.dataset.onchange = () => { view.dataset = this.dataset.value; this.draw() }
    const tools = element("div", "comparison-filters")
    tools.append(this.filter, this.dataset)
    this.body = element("tbody")
    const table = element("table")
    table.append(this.head(), this.body)
    this.scroll = element("div", "comparison-scroll")
    this.scroll.append(table)
    this.count = element("span", "", "Loading runs…")
    const foot = element("div", "comparison-foot")
    const button = (text, act) => { const made = element("button", "", text); made.type = "button"; made.onclick = act; return made }
    foot.append(this.count, button("None", () => act.choose([])), button("All shown", () => act.choose(this.shown().map(({ run }) => run).slice(0, this.most))))
    box.replaceChildren(tools, this.scroll, foot)
  }

  head() {
    const [first, middle, last] = [element("th"), element("th"), element("th")]
    first.append(element("span", "comparison-unseen", "Selected"))
    this.heads = Object.entries(COLUMNS).map(([name, title]) => {
      const button = element("button", "", title)
      button.type = "button"
      button.setAttribute("aria-label", SORT_LABELS[name])
      button.dataset.sort = name
      button.onclick = () => {
        this.view.descending = this.view.sort === name ? !this.view.descending : name !== "name"
        this.view.sort = name
        this.draw()
      }
      return button
    })
    middle.append(this.heads[0], this.heads[1])
    last.append(this.heads[2])
    const row = element("tr")
    row.append(first, middle, last)
    const head = element("thead")
    head.append(row)
    return head
  }

  show(runs, chosen) {
    Object.assign(this, { runs, chosen })
    const titles = ["", ...new Set(runs.map(({ dataset }) => dataset).filter(Boolean))]
    if (titles.join() !== this.titles) {
      this.titles = titles.join()
      this.dataset.replaceChildren(...titles.map((title) => new Option(title || "All data sets", title)))
    }
    if (!titles.includes(this.view.dataset)) this.view.dataset = ""
    this.dataset.value = this.view.dataset
    this.draw()
  }

  // The runs that pass the filters, in their order; those that cannot be read come last.
  shown() {
    const words = this.view.filter.toLowerCase().split(/\s+/).filter(Boolean)
    const searchable = (row) => [row.name, row.note, row.dataset, row.network, STATES[row.state], row.run].join(" ").toLowerCase()
    const passing = this.runs.filter((row) => (!this.view.dataset || row.dataset === this.view.dataset) && words.every((word) => searchable(row).includes(word)))
    const value = VALUES[this.view.sort]
    const order = (one, other) => (value(one) < value(other) ? -1 : value(one) > value(other) ? 1 : one.run < other.run ? -1 : 1)
    return passing.sort((one, other) => Number(Boolean(one.fault)) - Number(Boolean(other.fault)) || (this.view.descending ? -1 : 1) * order(one, other))
  }

  draw() {
    const shown = this.shown()
    this.look = theme(this.box)
    this.heads.forEach((button) => button.setAttribute("data-order", button.dataset.sort !== this.view.sort ? "none" : this.view.descending ? "descending" : "ascending"))
    const rows = shown.map((row) => this.row(row))
    if (rows.length !== this.body.childNodes.length || rows.some((row, index) => row !== this.body.childNodes[index])) {
      const focused = this.box.getRootNode().activeElement
      this.body.replaceChildren(...rows)
      if (focused && this.body.contains(focused)) focused.focus()
    }
    for (const run of this.rows.keys()) if (!this.runs.some((row) => row.run === run)) this.rows.delete(run)
    this.count.textContent = `${this.chosen.size} of ${this.runs.length} selected`
  }

  // The row of a run; created once, and filled again only when its content has changed.
  row(row) {
    const slot = this.chosen.get(row.run)
    const content = JSON.stringify([row, slot, this.look.colours])
    const known = this.rows.get(row.run)
    if (known?.content === content) return known.made
    const made = known?.made ?? element("tr")
    const focused = made.contains(made.ownerDocument.activeElement)
    made.className = row.fault ? "unread" : ""
    made.replaceChildren(...(row.fault ? this.unread(row) : this.cells(row, slot)))
    made.dataset.run = row.run
    if (focused) made.querySelector("input")?.focus()
    this.rows.set(row.run, { content, made })
    return made
  }

  cells(row, slot) {
    const box = element("input")
    Object.assign(box, { type: "checkbox", checked: slot !== undefined, id: `comparison-${row.run}` })
    box.setAttribute("aria-label", `Compare ${row.name}`)
    box.onchange = () => this.act.toggle(row.run, box.checked)
    const name = element("label", "comparison-name", row.name)
    name.htmlFor = box.id
    name.title = row.note ? `${row.name}\n${row.note}` : row.name
    const details = element("span", "comparison-sub", [row.dataset, when(row.started), row.state === "finished" ? "" : STATES[row.state]].filter(Boolean).join(" · "))
    if (row.race) details.append(" · ", this.flag(row))
    const middle = element("td")
    middle.append(name, details)
    const first = element("td")
    const pick = element("div", "comparison-pick")
    pick.append(box, swatch(this.look, slot))
    first.append(pick)
    return [first, middle, element("td", "comparison-number", percent(row.accuracy))]
  }

  flag(row) {
    const button = element("button", "comparison-race", "race")
    button.type = "button"
    button.title = "Compare the runs of this race"
    button.setAttribute("aria-label", `Compare the runs of the race of ${row.name}`)
    button.onclick = () => this.act.choose(this.runs.filter(({ race }) => race === row.race).map(({ run }) => run))
    return button
  }

  unread(row) {
    const cell = element("td")
    cell.colSpan = 2
    cell.append(element("span", "comparison-name", row.run), element("span", "comparison-sub", `This run cannot be read. ${row.fault}`))
    cell.title = row.fault
    if (row.own) {
      const button = element("button", "comparison-race", "delete")
      button.type = "button"
      button.onclick = () => this.act.remove(row.run)
      cell.append(button)
    }
    return [element("td"), cell]
  }
}

function when(seconds) {
  const then = new Date(seconds * 1000)
  const today = new Date().toDateString() === then.toDateString()
  return today ? then.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hour12: false }) : then.toLocaleDateString([], { day: "numeric", month: "short" })
}
