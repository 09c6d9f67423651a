// The list of all runs to select from: filtered by text and data set, sorted by a click on a column.

import { element } from "../shared/dom.js"
import { percent } from "../shared/format.js"
import { theme } from "../shared/plot.js"
import { STATES, compare, swatch } from "./marks.js"

/** @import { DamagedRow, ReadableRow, Row, Settings, Sort } from "./types.js" */

/** @type {Record<Sort, { title: string, label: string, value: (row: Row) => string | number }>} */
const COLUMNS = {
  name: { title: "Run", label: "Sort by name", value: (row) => row.name.toLowerCase() },
  started: { title: "Started", label: "Sort by start time", value: (row) => row.started ?? 0 },
  accuracy: { title: "Test", label: "Sort by test accuracy", value: (row) => row.accuracy ?? -1 },
}

/**
 * The runs that pass the filters, in their order; those that cannot be read come last.
 * @param {Row[]} runs
 * @param {Pick<Settings, "filter" | "dataset" | "sort" | "descending">} view
 */
export function listed(runs, { filter, dataset, sort, descending }) {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean)
  const searchable = (/** @type {Row} */ row) => [row.name, row.note, row.dataset, row.network, STATES[row.state], row.run].join(" ").toLowerCase()
  const passing = runs.filter((row) => (!dataset || row.dataset === dataset) && words.every((word) => searchable(row).includes(word)))
  const { value } = COLUMNS[sort]
  const order = (/** @type {Row} */ one, /** @type {Row} */ other) => compare(value(one), value(other)) || compare(one.run, other.run)
  return passing.sort((one, other) => Number(one.fault !== undefined) - Number(other.fault !== undefined) || (descending ? -1 : 1) * order(one, other))
}

export class RunList {
  /**
   * @param {HTMLElement} box
   * @param {Settings} view
   * @param {{ choose: (runs: string[]) => void, toggle: (run: string, on: boolean) => void, remove: (run: string) => void }} act
   */
  constructor(box, view, act) {
    this.box = box
    this.view = view
    this.act = act
    this.most = 0 // runs at once
    this.look = theme(box)
    /** @type {Map<string, { content: string, made: HTMLTableRowElement }>} */
    this.rows = new Map()
    /** @type {Row[]} */
    this.runs = []
    /** @type {Map<string, number>} the slot of each selected run */
    this.chosen = new Map()
    /** @type {string | undefined} of the data sets to select from */
    this.titles = undefined
    this.filter = element("input")
    Object.assign(this.filter, { type: "search", placeholder: "Filter", value: view.filter })
    this.filter.setAttribute("aria-label", "Filter runs by text")
    this.filter.oninput = () => { view.filter = this.filter.value; this.draw() }
    this.dataset = element("select")
    this.dataset.setAttribute("aria-label", "Filter runs by data set")
    this.dataset.onchange = () => { view.dataset = this.dataset.value; this.draw() }
    const tools = element("div", "comparison-filters")
    tools.append(this.filter, this.dataset)
    this.heads = [this.heading("name"), this.heading("started"), this.heading("accuracy")]
    this.body = element("tbody")
    const table = element("table")
    table.append(this.head(), this.body)
    const scroll = element("div", "comparison-scroll")
    scroll.append(table)
    this.count = element("span", "", "Loading runs…")
    const all = () => this.shown().filter(({ fault }) => fault === undefined).map(({ run }) => run)
    const foot = element("div", "comparison-foot")
    foot.append(this.count, button("None", () => act.choose([])), button("All shown", () => act.choose(all().slice(0, this.most))))
    box.replaceChildren(tools, scroll, foot)
  }

  /** @param {Sort} name */
  heading(name) {
    const { title, label } = COLUMNS[name]
    const made = button(title, () => {
      this.view.descending = this.view.sort === name ? !this.view.descending : name !== "name"
      this.view.sort = name
      this.draw()
    })
    made.setAttribute("aria-label", label)
    made.dataset.sort = name
    return made
  }

  head() {
    const [first, middle, last] = [element("th"), element("th"), element("th")]
    first.append(element("span", "comparison-unseen", "Selected"))
    middle.append(this.heads[0], this.heads[1])
    last.append(this.heads[2])
    const row = element("tr")
    row.append(first, middle, last)
    const head = element("thead")
    head.append(row)
    return head
  }

  /**
   * @param {Row[]} runs
   * @param {Map<string, number>} chosen
   */
  show(runs, chosen) {
    this.runs = runs
    this.chosen = chosen
    const titles = [...new Set(["", ...runs.map(({ dataset }) => dataset ?? "")])]
    if (titles.join() !== this.titles) {
      this.titles = titles.join()
      this.dataset.replaceChildren(...titles.map((title) => new Option(title || "All data sets", title)))
    }
    if (!titles.includes(this.view.dataset)) this.view.dataset = ""
    this.dataset.value = this.view.dataset
    this.draw()
  }

  shown() {
    return listed(this.runs, this.view)
  }

  draw() {
    const shown = this.shown()
    this.look = theme(this.box)
    this.heads.forEach((head) => head.setAttribute("data-order", head.dataset.sort !== this.view.sort ? "none" : this.view.descending ? "descending" : "ascending"))
    const rows = shown.map((row) => this.row(row))
    if (rows.length !== this.body.childNodes.length || rows.some((row, index) => row !== this.body.childNodes[index])) {
      const focused = this.box.ownerDocument.activeElement
      this.body.replaceChildren(...rows)
      if (focused instanceof HTMLElement && this.body.contains(focused)) focused.focus()
    }
    for (const run of this.rows.keys()) if (!this.runs.some((row) => row.run === run)) this.rows.delete(run)
    this.count.textContent = `${this.chosen.size} of ${this.runs.length} selected`
  }

  /**
   * The row of a run; created once, and filled again only when its content has changed.
   * @param {Row} row
   */
  row(row) {
    const slot = this.chosen.get(row.run)
    const content = JSON.stringify([row, slot, this.look.colours])
    const known = this.rows.get(row.run)
    if (known?.content === content) return known.made
    const made = known?.made ?? element("tr")
    const focused = made.contains(made.ownerDocument.activeElement)
    made.className = row.fault === undefined ? "" : "unread"
    made.replaceChildren(...(row.fault === undefined ? this.cells(row, slot) : this.unread(row)))
    made.dataset.run = row.run
    if (focused) made.querySelector("input")?.focus()
    this.rows.set(row.run, { content, made })
    return made
  }

  /**
   * @param {ReadableRow} row
   * @param {number | undefined} slot
   */
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

  /** @param {ReadableRow} row */
  flag(row) {
    const made = button("race", () => this.act.choose(this.runs.filter(({ race }) => race === row.race).map(({ run }) => run)), "comparison-race")
    made.title = "Compare the runs of this race"
    made.setAttribute("aria-label", `Compare the runs of the race of ${row.name}`)
    return made
  }

  /** @param {DamagedRow} row */
  unread(row) {
    const cell = element("td")
    cell.colSpan = 2
    cell.append(element("span", "comparison-name", row.run), element("span", "comparison-sub", `This run cannot be read. ${row.fault}`))
    cell.title = row.fault
    if (row.own) cell.append(button("delete", () => this.act.remove(row.run), "comparison-race"))
    return [element("td"), cell]
  }
}

/**
 * @param {string} text
 * @param {() => void} act
 */
function button(text, act, name = "") {
  const made = element("button", name, text)
  made.type = "button"
  made.onclick = act
  return made
}

/**
 * The time of today, or the day before it.
 * @param {number} seconds since 1970
 */
export function when(seconds) {
  const then = new Date(seconds * 1000)
  const today = new Date().toDateString() === then.toDateString()
  return today ? then.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hour12: false }) : then.toLocaleDateString([], { day: "numeric", month: "short" })
}
