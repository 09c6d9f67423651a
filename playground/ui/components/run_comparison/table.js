// The selected runs as a table: the settings in which they differ, their results, and the actions on each.

import { grouped, percent } from "../shared/format.js"
import { theme } from "../shared/plot.js"
import { draw, html, nothing, repeat } from "../shared/templates.js"
import { t } from "../shared/text.js"
import { link } from "./link.js"
import { STATES, compare, drawnLine, duration } from "./marks.js"

/**
 * @import { Look } from "../shared/plot.js"
 * @import { RunFacts, SettingColumn } from "./documents.js"
 * @import { Destination } from "./link.js"
 * @import { Selected } from "./types.js"
 */

/**
 * A result of a run.
 * @typedef {object} Result
 * @property {"accuracy" | "best_accuracy" | "seconds" | "step" | "parameters" | "multiply_adds" | "compute"} name
 * @property {string} title
 * @property {(facts: RunFacts) => string} write
 * @property {-1 | 0 | 1} better whether more (1) or less (−1) is better
 * @property {string} [help]
 */

/** @typedef {"name" | "note"} Text what can be edited in its place */

/** @param {number} value */
const number = (value) => (value ? grouped(value) : "–")

/** @type {Result[]} */
const RESULTS = [
  { name: "accuracy", title: t("Test accuracy"), write: ({ accuracy }) => percent(accuracy), better: 1, help: t("Test accuracy at the last evaluation") },
  { name: "best_accuracy", title: t("Best accuracy"), write: ({ best_accuracy }) => percent(best_accuracy), better: 1, help: t("Highest test accuracy so far") },
  { name: "seconds", title: t("Training time"), write: ({ seconds }) => duration(seconds), better: -1, help: t("Time that the run itself was trained, without evaluations, pauses and the turns of other runs") },
  { name: "step", title: t("Steps"), write: ({ step }) => number(step), better: 0 },
  { name: "parameters", title: t("Parameters"), write: ({ parameters }) => number(parameters), better: -1 },
  {
    name: "multiply_adds", title: t("Multiply-adds per image"), write: ({ multiply_adds }) => number(multiply_adds), better: -1,
    help: t("Multiply-adds of the forward pass for one image"),
  },
  {
    name: "compute", title: t("Compute"), write: ({ compute, compute_text }) => (compute ? compute_text : "–"), better: -1,
    help: t("1 GMAC is a billion multiply-adds. Counted are all forward and backward passes of the training; a backward pass costs about two forward passes."),
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
 * @param {SettingColumn[]} columns
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
   * @param {(where: Destination, run: string) => void} act.go
   * @param {(run: string, texts: { name?: string, note?: string }) => void} act.relabel
   * @param {(run: string) => void} act.remove
   * @param {(run: string | null) => void} act.light
   */
  constructor(box, act) {
    this.box = box
    this.act = act
    /** @type {Selected[]} */
    this.runs = []
    /** @type {SettingColumn[]} */
    this.columns = []
    /** @type {string[]} */
    this.order = []
    /** @type {string | null} the name of a column */
    this.sort = null
    this.descending = true
    /** @type {{ run: string, what: Text | "delete" } | null} what is edited, or the run that may be deleted */
    this.open = null
  }

  /**
   * @param {Selected[]} runs
   * @param {SettingColumn[]} columns where they differ
   * @param {string[]} order of the runs in the values of a column
   */
  show(runs, columns, order) {
    this.runs = runs
    this.columns = columns
    this.order = order
    if (!this.isTyping()) this.draw() // a field that moved would lose the focus, and end
  }

  isTyping() {
    return this.open !== null && this.open.what !== "delete"
  }

  draw() {
    const look = theme(this.box)
    const shown = results(this.runs)
    const rows = sorted(this.runs, this.columns, this.order, this.sort, this.descending)
    this.box.hidden = this.runs.length === 0
    draw(this.box, html`
      <table>
        <thead>
          <tr>
            ${this.heading({ name: "name", title: t("Run") })}
            ${repeat(this.columns, ({ name }) => name, (column) => this.heading(column))}
            ${repeat(shown, ({ name }) => name, (result) => this.heading(result, "comparison-number"))}
          </tr>
        </thead>
        <tbody>${repeat(rows, ({ run }) => run, (row) => this.row(row, shown, look))}</tbody>
      </table>`)
  }

  /** @param {{ name: string, title: string, help?: string }} column */
  heading({ name, title, help = "" }, kind = "") {
    const order = this.sort !== name ? "none" : this.descending ? "descending" : "ascending"
    const sort = () => {
      this.descending = this.sort === name ? !this.descending : true
      this.sort = name
      this.draw()
    }
    return html`<th class=${kind} aria-sort=${order}><button type="button" title=${help} @click=${sort}>${title}</button></th>`
  }

  /**
   * @param {Selected} row
   * @param {Result[]} shown
   * @param {Look} look
   */
  row(row, shown, look) {
    const at = this.order.indexOf(row.run)
    return html`
      <tr data-run=${row.run} @pointerenter=${() => this.act.light(row.run)} @pointerleave=${() => this.act.light(null)}>
        ${this.title(row, look)}
        ${this.columns.map(({ texts }) => html`<td>${texts[at] ?? ""}</td>`)}
        ${shown.map((result) => this.result(result, row))}
      </tr>`
  }

  /**
   * @param {Result} result
   * @param {Selected} row
   */
  result(result, row) {
    const text = row.facts ? result.write(row.facts) : "–"
    if (!isBest(result, row, this.runs)) return html`<td class="comparison-number">${text}</td>`
    return html`<td class="comparison-number best">${text} <span class="comparison-unseen">${t("(best)")}</span></td>`
  }

  /**
   * The run's name and note, and the actions on it.
   * @param {Selected} row
   * @param {Look} look
   */
  title(row, look) {
    const { run, slot, name, note, own } = row
    const open = this.open?.run === run ? this.open.what : null
    const edit = (/** @type {Text} */ what) => (own ? () => this.change(run, what) : nothing)
    const title = html`
      <span class="comparison-swatch" aria-hidden="true" .innerHTML=${drawnLine(look, slot)}></span>
      <span class="comparison-name" title=${name} @dblclick=${edit("name")}>${name}</span>
      ${own ? this.button(run, "name", "✎", t("Rename {name}", { name })) : nothing}`
    return html`
      <th scope="row">
        <div class="comparison-title">${open === "name" ? this.field(row, open) : title}</div>
        <div class="comparison-note" @dblclick=${edit("note")}>${open === "note" ? this.field(row, open) : note}</div>
        <div class="comparison-acts">${open === "delete" ? this.question(row) : this.acts(row)}</div>
      </th>`
  }

  /** @param {Selected} row */
  acts({ run, name, note, own, state }) {
    const [edit, label] = note ? [t("Edit note"), t("Edit note on {name}", { name })] : [t("Add note"), t("Add note on {name}", { name })]
    return html`
      ${state !== "finished" ? html`<span class="comparison-state">${STATES[state]}</span>` : nothing}
      ${link({ run, name }, "train", t("Train"), this.act.go)}
      ${link({ run, name }, "evaluate", t("Evaluate"), this.act.go)}
      ${own ? this.button(run, "note", edit, label) : nothing}
      ${own ? this.button(run, "delete", t("Delete"), t("Delete {name}", { name })) : nothing}`
  }

  /**
   * @param {string} run
   * @param {Text | "delete"} what it changes
   * @param {string} text
   * @param {string} label
   */
  button(run, what, text, label) {
    const change = () => this.change(run, what)
    return html`<button type="button" title=${label} aria-label=${label} data-control="${what} ${run}" @click=${change}>${text}</button>`
  }

  /**
   * Edit the name or the note in its place, or ask before the run is deleted.
   * @param {string} run
   * @param {Text | "delete"} what
   */
  change(run, what) {
    if (this.isTyping()) return
    this.open = { run, what }
    this.draw()
    const first = this.box.querySelector(".comparison-field, .sure")
    if (first instanceof HTMLElement) first.focus()
    if (first instanceof HTMLInputElement || first instanceof HTMLTextAreaElement) first.select()
  }

  /** Show again what was there before the change; its button gets the focus. */
  end() {
    const { run, what } = this.open ?? {}
    this.open = null
    this.draw()
    const button = this.box.querySelector(`[data-control="${CSS.escape(`${what} ${run}`)}"]`)
    if (button instanceof HTMLElement) button.focus()
  }

  /**
   * Where a name or a note is typed: Enter saves, Escape cancels; in a note, Shift+Enter starts a new line.
   * @param {Selected} row
   * @param {Text} what
   */
  field(row, what) {
    const { run, name, note } = row
    const save = (/** @type {{ target: any }} */ { target }) => {
      if (!this.open) return // the field has ended, and so lost the focus
      this.end()
      if (target.value !== row[what]) this.act.relabel(run, { [what]: target.value })
    }
    const press = (/** @type {KeyboardEvent & { target: any }} */ event) => {
      event.stopPropagation()
      if (event.key === "Enter" && !event.shiftKey) { event.preventDefault(); save(event) }
      if (event.key === "Escape") this.end()
    }
    const label = what === "name" ? t("Name of {name}", { name }) : t("Note on {name}", { name })
    if (what === "name") return html`<input class="comparison-field" maxlength="80" aria-label=${label} .value=${name} @keydown=${press} @blur=${save}>`
    return html`<textarea class="comparison-field" maxlength="2000" aria-label=${label} .value=${note} @keydown=${press} @blur=${save}></textarea>`
  }

  /** @param {Selected} row */
  question({ run, name }) {
    const [yes, no] = [t("Yes, delete {name}", { name }), t("Do not delete {name}", { name })]
    const remove = () => { this.end(); this.act.remove(run) }
    return html`
      <span>${t("Delete this run?")}</span>
      <button type="button" class="sure" title=${yes} aria-label=${yes} @click=${remove}>${t("Delete")}</button>
      <button type="button" title=${no} aria-label=${no} @click=${() => this.end()}>${t("Cancel")}</button>`
  }
}
