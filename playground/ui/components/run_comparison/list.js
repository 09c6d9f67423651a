// The list of all runs to select from: filtered by text and data set, sorted by a click on a column.

import { percent } from "../shared/format.js"
import { theme } from "../shared/plot.js"
import { draw, html, live, nothing, repeat } from "../shared/templates.js"
import { language, t } from "../shared/text.js"
import { STATES, compare, drawnLine } from "./marks.js"

/**
 * @import { PickOne } from "../shared/pick.js"
 * @import { Look } from "../shared/plot.js"
 * @import { DamagedRow, ReadableRow } from "./documents.js"
 * @import { Row, Settings, Sort } from "./types.js"
 */

/** @type {Record<Sort, { title: string, label: string, value: (row: Row) => string | number }>} */
const COLUMNS = {
  name: { title: t("Run"), label: t("Sort by name"), value: (row) => row.name.toLowerCase() },
  started: { title: t("Started"), label: t("Sort by start time"), value: (row) => row.started ?? 0 },
  accuracy: { title: t("Test"), label: t("Sort by test accuracy"), value: (row) => row.accuracy ?? -1 },
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
    /** @type {Row[] | null} null until they have come */
    this.runs = null
    /** @type {Map<string, number>} the slot of each selected run */
    this.chosen = new Map()
    this.draw()
  }

  /**
   * @param {Row[]} runs
   * @param {Map<string, number>} chosen
   */
  show(runs, chosen) {
    this.runs = runs
    this.chosen = chosen
    this.draw()
  }

  draw() {
    const { view, act, chosen } = this
    const runs = this.runs ?? []
    const titles = new Set(["", ...runs.map(({ dataset }) => dataset ?? "")])
    if (this.runs && !titles.has(view.dataset)) view.dataset = ""
    const shown = listed(runs, view)
    const readable = shown.filter(({ fault }) => fault === undefined).map(({ run }) => run)
    const count = this.runs ? t("{selected} of {all} selected", { selected: chosen.size, all: runs.length }) : t("Loading runs…")
    const look = theme(this.box)
    draw(this.box, html`
      <div class="comparison-filters">
        <input type="search" placeholder=${t("Filter")} aria-label=${t("Filter runs by text")} value=${view.filter}
          @input=${this.changes("filter")}>
        <pick-one label=${t("Filter runs by data set")} .options=${[...titles].map((value) => ({ value, title: value || t("All data sets") }))}
          .value=${view.dataset} @change=${this.changes("dataset")}></pick-one>
      </div>
      <div class="comparison-scroll">
        <table>
          <thead>
            <tr>
              <th><span class="comparison-unseen">${t("Selected")}</span></th>
              <th>${this.heading("name")}${this.heading("started")}</th>
              <th>${this.heading("accuracy")}</th>
            </tr>
          </thead>
          <tbody>${repeat(shown, ({ run }) => run, (row) => (row.fault === undefined ? this.row(row, look) : this.unread(row)))}</tbody>
        </table>
      </div>
      <div class="comparison-foot">
        <span>${count}</span>
        <button type="button" @click=${() => act.choose([])}>${t("None")}</button>
        <button type="button" @click=${() => act.choose(readable.slice(0, this.most))}>${t("All shown")}</button>
      </div>`)
  }

  /** @param {"filter" | "dataset"} name of the setting that a field changes */
  changes(name) {
    return (/** @type {{ target: HTMLInputElement | PickOne }} */ { target }) => {
      this.view[name] = target.value
      this.draw()
    }
  }

  /** @param {Sort} name */
  heading(name) {
    const { view } = this
    const { title, label } = COLUMNS[name]
    const order = view.sort !== name ? "none" : view.descending ? "descending" : "ascending"
    const sort = () => {
      view.descending = view.sort === name ? !view.descending : name !== "name"
      view.sort = name
      this.draw()
    }
    return html`<button type="button" aria-label=${label} data-sort=${name} data-order=${order} @click=${sort}>${title}</button>`
  }

  /**
   * @param {ReadableRow} row
   * @param {Look} look
   */
  row(row, look) {
    const { run, name, note, dataset, started, state, race, accuracy } = row
    const slot = this.chosen.get(run)
    const selected = slot !== undefined
    const id = `comparison-${run}`
    const details = [dataset, when(started), state === "finished" ? "" : STATES[state]].filter(Boolean).join(" · ")
    return html`
      <tr data-run=${run}>
        <td>
          <div class="comparison-pick">
            <input type="checkbox" id=${id} aria-label=${t("Compare {name}", { name })} .checked=${live(selected)}
              @change=${() => this.act.toggle(run, !selected)}>
            <span class="comparison-swatch" aria-hidden="true" .innerHTML=${drawnLine(look, slot)}></span>
          </div>
        </td>
        <td>
          <label class="comparison-name" for=${id} title=${note ? `${name}\n${note}` : name}>${name}</label>
          <span class="comparison-sub" title=${details}>${details}${race ? html` · ${this.flag(row)}` : nothing}</span>
        </td>
        <td class="comparison-number">${percent(accuracy)}</td>
      </tr>`
  }

  /** @param {ReadableRow} row */
  flag({ name, race }) {
    const choose = () => this.act.choose((this.runs ?? []).filter((row) => row.race === race).map(({ run }) => run))
    return html`
      <button type="button" class="comparison-race" title=${t("Compare the runs of this race")}
        aria-label=${t("Compare the runs of the race of {name}", { name })} @click=${choose}>${t("race")}</button>`
  }

  /** @param {DamagedRow} row */
  unread({ run, fault, own }) {
    return html`
      <tr data-run=${run} class="unread">
        <td></td>
        <td colspan="2" title=${fault}>
          <span class="comparison-name">${run}</span>
          <span class="comparison-sub">${t("This run cannot be read. {fault}", { fault })}</span>
          ${own ? html`<button type="button" class="comparison-race" @click=${() => this.act.remove(run)}>${t("delete")}</button>` : nothing}
        </td>
      </tr>`
  }
}

// Made once: to make one takes longer than to draw a row.
const TIME = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", hour12: false })
const DAY = new Intl.DateTimeFormat(language, { day: "numeric", month: "short" })

/**
 * The time of today, or the day before it.
 * @param {number} seconds since 1970
 */
export function when(seconds) {
  const then = new Date(seconds * 1000)
  return (new Date().toDateString() === then.toDateString() ? TIME : DAY).format(then)
}
