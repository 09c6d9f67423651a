// The one list of runs. Above are those of the comparison, the most accurate first: legend of the plot, ranking, and queue. Beneath are all others, to choose from.

import { percent } from "../shared/format.js"
import { theme } from "../shared/plot.js"
import { draw, html, live, nothing, repeat } from "../shared/templates.js"
import { marked } from "../shared/term.js"
import { language, t } from "../shared/text.js"
import { link } from "./link.js"
import { STATES, compare, drawnLine, duration, isActive } from "./marks.js"

/**
 * @import { PickOne } from "../shared/pick.js"
 * @import { Look } from "../shared/plot.js"
 * @import { SettingColumn } from "./documents.js"
 * @import { Destination } from "./link.js"
 * @import { Row, Selected, Settings, Sort } from "./types.js"
 */

/** @typedef {Pick<Selected, "state" | "place">} Condition */

/** @type {Record<Sort, { title: string, value: (row: Row) => string | number, descending: boolean }>} */
const ORDERS = {
  started: { title: t("Newest first"), value: (row) => row.started ?? 0, descending: true },
  accuracy: { title: t("Most accurate first"), value: (row) => row.accuracy ?? -1, descending: true },
  name: { title: t("By name"), value: (row) => row.name.toLowerCase(), descending: false },
}
const MOVE_MS = 250
const VISIBLE = 20 // letters of a name for which a row has room

/**
 * The runs that pass the filter, in their order; those that cannot be read come last.
 * @param {Row[]} runs
 * @param {Pick<Settings, "filter" | "sort">} view
 */
export function listed(runs, { filter, sort }) {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean)
  const searchable = (/** @type {Row} */ row) => [row.name, row.note, row.dataset, row.network, STATES[row.state], row.run].join(" ").toLowerCase()
  const passing = runs.filter((row) => words.every((word) => searchable(row).includes(word)))
  const { value, descending } = ORDERS[sort] ?? ORDERS.started
  const order = (/** @type {Row} */ one, /** @type {Row} */ other) => compare(value(one), value(other)) || compare(one.run, other.run)
  return passing.sort((one, other) => Number(one.fault !== undefined) - Number(other.fault !== undefined) || (descending ? -1 : 1) * order(one, other))
}

/**
 * The most accurate first; those without a test accuracy come last.
 * @param {Selected[]} runs
 */
export const ranking = (runs) => [...runs].sort((one, other) => (other.accuracy ?? -1) - (one.accuracy ?? -1) || one.slot - other.slot)

/**
 * What a run does; empty for one that has finished.
 * @param {Condition} run
 */
export function condition({ state, place }) {
  if (state === "finished") return ""
  if (state !== "queued" || !place) return STATES[state]
  return place === 1 ? t("next in the queue") : t("number {place} in the queue", { place })
}

/**
 * The settings in which a run differs from the others, without those that can be read in its name.
 * @param {Pick<Selected, "run" | "short">} run
 * @param {SettingColumn[]} columns
 * @param {string[]} order of the runs in the values of a column
 */
export function peculiarities({ run, short }, columns, order) {
  const at = order.indexOf(run)
  const visible = short.slice(0, VISIBLE).toLowerCase()
  return columns.flatMap(({ title, texts, numbers }) => {
    const text = texts[at] ?? "–"
    if (text === "–" || visible.includes(text.toLowerCase())) return []
    return [numbers[at] === null ? text : t("{setting} {value}", { setting: title, value: text })]
  })
}

export class RunList {
  /**
   * @param {HTMLElement} box
   * @param {Settings} view
   * @param {object} act
   * @param {(runs: string[]) => void} act.choose
   * @param {(run: string, on: boolean) => void} act.toggle
   * @param {(run: string | null) => void} act.light
   * @param {(run: string) => void} act.stop
   * @param {(where: Destination, run: string) => void} act.go
   * @param {(run: string) => void} act.remove
   */
  constructor(box, view, act) {
    this.box = box
    this.view = view
    this.act = act
    this.most = 0 // runs at once
    /** @type {Selected[]} */
    this.selected = []
    /** @type {Row[] | null} null until they have come */
    this.runs = null
    /** @type {Record<string, number>} of the queued runs their places */
    this.places = {}
    /** @type {SettingColumn[]} */
    this.columns = []
    /** @type {string[]} */
    this.order = []
    this.draw()
  }

  /**
   * @param {Selected[]} selected
   * @param {Row[] | null} runs all of them; null for those of a recording, among which nothing is chosen
   * @param {Record<string, number>} places
   * @param {SettingColumn[]} columns where the selected ones differ
   * @param {string[]} order of the runs in the values of a column
   */
  show(selected, runs, places, columns, order) {
    Object.assign(this, { selected, runs, places, columns, order })
    this.draw()
  }

  draw() {
    const look = theme(this.box)
    const ranked = ranking(this.selected)
    const chosen = new Set(ranked.map(({ run }) => run))
    const others = (this.runs ?? []).filter(({ run }) => !chosen.has(run))
    const before = this.tops()
    draw(this.box, html`
      <header class="comparison-title-row">
        <h2>${marked(t("[[Test accuracy|test accuracy]]"))}</h2>
        ${this.runs && ranked.length ? html`<button type="button" class="comparison-text" @click=${() => this.act.choose([])}>${t("Choose none")}</button>` : nothing}
      </header>
      <ol class="comparison-ranking">${repeat(ranked, ({ run }) => run, (each, index) => this.racer(each, index, look))}</ol>
      ${others.length ? this.others(others) : nothing}`)
    if (!matchMedia("(prefers-reduced-motion: reduce)").matches) this.slide(before)
  }

  /** @param {Row[]} others */
  others(others) {
    const shown = listed(others, this.view)
    const readable = shown.filter(({ fault }) => fault === undefined).map(({ run }) => run)
    const room = Math.max(0, this.most - this.selected.length)
    const options = Object.entries(ORDERS).map(([value, { title }]) => ({ value, title }))
    return html`
      <header class="comparison-title-row">
        <h2>${t("Other runs")}</h2>
        <button type="button" class="comparison-text" ?disabled=${!readable.length || !room}
          @click=${() => this.act.choose([...this.selected.map(({ run }) => run), ...readable.slice(0, room)])}>${t("Add all")}</button>
      </header>
      <div class="comparison-filters">
        <input type="search" placeholder=${t("Filter")} aria-label=${t("Filter runs by text")} .value=${live(this.view.filter)}
          @input=${(/** @type {{ target: HTMLInputElement }} */ { target }) => { this.view.filter = target.value; this.draw() }}>
        <pick-one label=${t("Order of the runs")} .options=${options} .value=${this.view.sort}
          @change=${(/** @type {{ target: PickOne }} */ { target }) => { this.view.sort = /** @type {Sort} */ (target.value); this.draw() }}></pick-one>
      </div>
      <ul class="comparison-others">${repeat(shown, ({ run }) => run, (row) => this.other(row))}</ul>`
  }

  /**
   * @param {Selected} racer
   * @param {number} index
   * @param {Look} look
   */
  racer(racer, index, look) {
    const { run, name, short, note, slot, own, accuracy, facts, state } = racer
    const doing = condition(racer)
    const chips = peculiarities(racer, this.columns, this.order)
    const rank = accuracy === null ? "" : `${index + 1}.`
    return html`
      <li class="comparison-run" data-run=${run} @pointerenter=${() => this.act.light(run)} @pointerleave=${() => this.act.light(null)}>
        <label title=${note ? `${name}\n${note}` : name}>
          ${this.checkbox(run, name, true)}
          <span class="comparison-place">${rank}</span>
          <span class="comparison-swatch" aria-hidden="true" .innerHTML=${drawnLine(look, slot)}></span>
          <span class="comparison-words">
            <span class="comparison-name">${short}</span>
            <span class="comparison-sub">
              ${chips.map((chip) => html`<span class="comparison-chip">${chip}</span>`)}
              ${doing || (facts?.seconds ? t("{time} of training", { time: duration(facts.seconds) }) : "")}
            </span>
          </span>
          <span class="comparison-number">${accuracy === null && isActive(state) ? "…" : percent(accuracy)}</span>
        </label>
        ${this.runs ? html`<span class="comparison-action">${this.action({ run, name, state }, own)}</span>` : nothing}
        <div class="comparison-bar ${isActive(state) ? "" : "done"}"><span style="transform: scaleX(${facts?.share ?? 0})"></span></div>
      </li>`
  }

  /** @param {Row} row */
  other(row) {
    const { run, name, note, own, state } = row
    if (row.fault !== undefined) return this.unread(row)
    const doing = condition({ state, place: this.places[run] ?? 0 })
    const details = [row.dataset, when(row.started ?? 0), doing].filter(Boolean).join(" · ")
    return html`
      <li class="comparison-run" data-run=${run}>
        <label title=${note ? `${name}\n${note}` : name}>
          ${this.checkbox(run, name, false)}
          <span class="comparison-words">
            <span class="comparison-name">${name}</span>
            <span class="comparison-sub" title=${details}>${details}</span>
          </span>
          <span class="comparison-number">${percent(row.accuracy)}</span>
        </label>
        <span class="comparison-action">${this.action(row, own)}</span>
      </li>`
  }

  /** @param {Row} row */
  unread({ run, fault, own }) {
    return html`
      <li class="comparison-run unread" data-run=${run} title=${fault ?? ""}>
        <span class="comparison-words">
          <span class="comparison-name">${run}</span>
          <span class="comparison-sub">${t("This run cannot be read. {fault}", { fault })}</span>
        </span>
        ${own ? html`<button type="button" class="comparison-text" @click=${() => this.act.remove(run)}>${t("Delete")}</button>` : nothing}
      </li>`
  }

  /**
   * @param {string} run
   * @param {string} name
   * @param {boolean} isSelected
   */
  checkbox(run, name, isSelected) {
    if (!this.runs) return nothing
    return html`<input type="checkbox" aria-label=${t("Compare {name}", { name })} .checked=${live(isSelected)} @change=${() => this.act.toggle(run, !isSelected)}>`
  }

  /**
   * What can be done with a run at the end of its row: stop it, take it out of the queue, open it, or compare its whole race.
   * @param {{ run: string, name: string, state: Selected["state"], race?: string }} row
   * @param {boolean} own
   */
  action({ run, name, state, race }, own) {
    if (own && isActive(state)) {
      const [text, label] = state === "queued" ? [t("Cancel"), t("Cancel {name}", { name })] : [t("Stop"), t("Stop {name}", { name })]
      return html`<button type="button" class="comparison-text" aria-label=${label} title=${label} @click=${() => this.act.stop(run)}>${text}</button>`
    }
    if (!race) return link({ run, name }, "train", t("Open"), this.act.go)
    const choose = () => this.act.choose((this.runs ?? []).filter((row) => row.race === race).map((row) => row.run))
    const label = t("Compare the runs of the race of {name}", { name })
    return html`<button type="button" class="comparison-text" aria-label=${label} title=${label} @click=${choose}>${t("Race")}</button>`
  }

  /** Where each run of the ranking is, in pixels from the top. */
  tops() {
    return new Map([...this.racers()].map((item) => [item.dataset.run, item.offsetTop]))
  }

  /** @returns {NodeListOf<HTMLElement>} */
  racers() {
    return this.box.querySelectorAll(".comparison-ranking > li")
  }

  /**
   * Let those that have changed places move there.
   * @param {Map<string | undefined, number>} before
   */
  slide(before) {
    for (const item of this.racers()) {
      const by = (before.get(item.dataset.run) ?? item.offsetTop) - item.offsetTop
      if (by) item.animate([{ transform: `translateY(${by}px)` }, { transform: "none" }], { duration: MOVE_MS, easing: "ease-out" })
    }
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
