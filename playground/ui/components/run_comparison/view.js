// Compares runs: fetches the list of runs and the curves of the selected ones, independently of Streamlit's script runs.

import { request } from "../shared/client.js"
import "../shared/controls.js"
import { button, element, find } from "../shared/dom.js"
import { mounting } from "../shared/mounting.js"
import { SMOOTHING } from "../shared/smoothing.js"
import { t } from "../shared/text.js"
import { RunList } from "./list.js"
import { freeSlot, isActive } from "./marks.js"
import { Parallel } from "./parallel.js"
import { Overlay } from "./plot.js"
import { Ranking } from "./ranking.js"
import { Table } from "./table.js"

/**
 * @import { DisclosureBox } from "../shared/disclosure.js"
 * @import { Component } from "../shared/mounting.js"
 * @import { ComparisonData, Curves, CurvesAnswer, RunFacts, SettingColumn } from "./documents.js"
 * @import { Remembered, Runs, Selected, Settings } from "./types.js"
 */

/** @typedef {"askList" | "askCurves"} Question the method that asks it */

const LIVE_MS = 500 // between two requests for curves while a run trains
const LIST_MS = 2000 // between two requests for the list of runs
const IDLE_MS = 4000 // … and for either while nothing changes
const KEY = "playground-comparison" // where the browser stores the last comparison of this tab
/** @type {Settings} */
const VIEW = { x: "epoch", what: "loss", show: "both", smoothing: SMOOTHING, log: false, filter: "", dataset: "", sort: "started", descending: true }

class Comparison {
  /** @param {HTMLElement | ShadowRoot} root */
  constructor(root) {
    /** @type {HTMLElement} */
    this.root = find(root, ".comparison")
    const kept = remembered()
    /** @type {Runs} without a version until the first has come */
    this.list = { version: "", runs: [], queue: [], trash: [], first: [], workers: 0 }
    /** @type {Record<string, Curves>} of the runs */
    this.curves = {}
    /** @type {Record<string, RunFacts>} of the runs */
    this.facts = {}
    /** @type {SettingColumn[]} the settings in which the runs differ */
    this.columns = []
    /** @type {string[]} the runs in the order of the columns' values */
    this.order = []
    this.occasion = kept.occasion // for which runs were selected
    this.newest = kept.newest // the newest run of the list
    /** @type {Settings} */
    this.view = { ...VIEW, ...kept.view }
    this.chosen = new Map(kept.chosen) // run → slot
    this.emptied = false // whether the learner has deselected all runs
    /** @type {Partial<Record<Question, { timer?: number }>>} */
    this.asking = {}
    this.request = "" // for which curves
    this.seen = "" // the version of the curves
    this.looked = this.closed = this.unreachable = false
    /** @type {Component["setTriggerValue"]} */
    this.go = () => {}
    this.overlay = new Overlay(this.root, this.view, (name) => this.viewed(name))
    const light = (/** @type {string | null} */ run) => this.overlay.light(run)
    const remove = (/** @type {string} */ run) => this.remove(run)
    this.runs = new RunList(this.part("list"), this.view, { choose: (runs) => this.choose(runs), toggle: (run, on) => this.toggle(run, on), remove })
    this.ranking = new Ranking(this.root, { toggle: (run) => { this.overlay.toggle(run); this.draw() }, light })
    this.table = new Table(this.part("details"), { go: (where, run) => this.go("go", { where, run }), relabel: (run, texts) => this.relabel(run, texts), remove, light })
    this.parallel = new Parallel(this.root, light)
    this.onVisible = () => (document.hidden ? this.rest() : this.look())
    document.addEventListener("visibilitychange", this.onVisible)
  }

  /**
   * @param {string} name
   * @returns {HTMLElement}
   */
  part(name) {
    return find(this.root, `.comparison-${name}`)
  }

  /** @param {Component<ComparisonData>} component */
  update({ data, setTriggerValue }) {
    /** @type {ComparisonData} */
    const { chosen, occasion, most } = data
    this.runs.most = most
    this.go = setTriggerValue
    if (occasion && occasion !== this.occasion) {
      this.occasion = occasion
      this.choose(chosen)
    }
    if (!this.looked) this.look()
    else this.draw() // the theme may have changed
    this.looked = true
  }

  look() {
    this.askList()
    this.askCurves()
  }

  /** A hidden tab requests nothing. */
  rest() {
    Object.values(this.asking).forEach(({ timer }) => clearTimeout(timer))
  }

  /**
   * Request now and then again while the tab is visible.
   * @template {Runs | CurvesAnswer} Answer
   * @param {Question} name
   * @param {string} path
   * @param {(news: Answer) => void} answer
   * @param {() => number} wait returns the delay after each answer, in milliseconds
   */
  async ask(name, path, answer, wait) {
    clearTimeout(this.asking[name]?.timer)
    /** @type {{ timer?: number }} */
    const mine = (this.asking[name] = {})
    const news = await request(path)
    if (this.closed || this.asking[name] !== mine) return
    try {
      if (news?.error) this.complain(news.error)
      else if (this.unreachable) this.complain("")
      this.unreachable = Boolean(news?.unreachable)
      if (news && !news.error) answer(news)
    } finally {
      if (!this.closed && this.asking[name] === mine && !document.hidden) mine.timer = setTimeout(() => this[name](), wait())
    }
  }

  askList() {
    const busy = () => (this.list.queue.length || this.list.runs.some(({ state }) => isActive(state)) ? LIST_MS : IDLE_MS)
    return this.ask("askList", `api/compare/runs?seen=${this.list.version}`, (/** @type {Runs} */ list) => this.listed(list), busy)
  }

  askCurves() {
    const { x, what } = this.view
    const request = `${x} ${what} ${[...this.chosen.keys()]}`
    if (request !== this.request) this.seen = ""
    this.request = request
    if (!this.chosen.size) return this.draw()
    const runs = [...this.chosen.keys()].map((run) => `${run}~${this.curves[run]?.version ?? ""}`)
    const path = `api/compare/curves?x=${x}&what=${what}&seen=${this.seen}&runs=${runs.join(",")}`
    const live = () => ([...this.chosen.keys()].some((run) => isActive(this.curves[run]?.state)) ? LIVE_MS : IDLE_MS)
    return this.ask("askCurves", path, (/** @type {CurvesAnswer} */ news) => this.grown(news), live)
  }

  /** @param {Runs} list */
  listed(list) {
    this.list = list
    const fresh = list.runs.filter(({ run, own, fault }) => own && fault === undefined && this.newest && run > this.newest)
    const datasets = new Set(list.runs.filter(({ run }) => this.chosen.has(run)).map(({ dataset }) => dataset))
    if (!this.chosen.size && !this.emptied) this.choose(list.first)
    else this.choose([...this.chosen.keys(), ...fresh.filter(({ dataset }) => !datasets.size || datasets.has(dataset)).map(({ run }) => run)])
    this.newest = list.runs.map(({ run }) => run).sort().at(-1) ?? this.newest ?? "0"
    this.remember()
    this.draw()
  }

  /** @param {CurvesAnswer} answer */
  grown({ curves, facts, columns, runs, gone, version }) {
    this.seen = version
    Object.assign(this.curves, curves)
    this.facts = facts
    this.columns = columns
    this.order = runs
    gone.forEach((run) => this.chosen.delete(run))
    if (gone.length) {
      this.complain(t("Some of the runs in this comparison no longer exist."))
      this.askList()
    }
    this.draw()
  }

  /**
   * Compare these runs; those already in the comparison keep their colours.
   * @param {string[]} runs
   */
  choose(runs) {
    const { most } = this.runs
    const selected = [...new Set(runs)].slice(0, most)
    if (runs.length > most) this.complain(t("At most {most} runs can be compared at once.", { most }))
    const before = [...this.chosen.keys()].join()
    for (const run of [...this.chosen.keys()]) if (!selected.includes(run)) this.chosen.delete(run)
    for (const run of selected) if (!this.chosen.has(run)) this.chosen.set(run, freeSlot(this.chosen))
    this.emptied = !this.chosen.size && this.list.runs.length > 0
    if (before === [...this.chosen.keys()].join()) return
    this.remember()
    this.draw()
    this.askCurves()
  }

  /**
   * @param {string} run
   * @param {boolean} on
   */
  toggle(run, on) {
    const others = [...this.chosen.keys()].filter((each) => each !== run)
    this.choose(on ? [...others, run] : others)
    this.draw()
  }

  /** @param {keyof Settings} name of the setting that has changed */
  viewed(name) {
    this.remember()
    if (name !== "x" && name !== "what") return
    for (const curve of Object.values(this.curves)) curve.version = "" // the same runs, another curve
    this.askCurves()
  }

  remember() {
    const { occasion, newest, view } = this
    try {
      sessionStorage.setItem(KEY, JSON.stringify({ occasion, newest, view, chosen: [...this.chosen] }))
    } catch { /* a browser that keeps nothing */ }
  }

  /**
   * Whether the server did what was requested.
   * @param {string} path
   * @param {Record<string, string>} body
   */
  async post(path, body) {
    const { error } = await request(path, { body })
    if (error) this.complain(error)
    return !error
  }

  /**
   * @param {string} run
   * @param {{ name?: string, note?: string }} texts
   */
  async relabel(run, texts) {
    const row = this.list.runs.find((each) => each.run === run)
    if (row) Object.assign(row, texts) // at once; the server's answer follows
    this.draw()
    await this.post("api/compare/label", { run, ...texts })
    this.seen = ""
    this.look()
  }

  /** @param {string} run */
  async remove(run) {
    const name = this.nameOf(run)
    if (!(await this.post("api/compare/delete", { run }))) return
    this.choose([...this.chosen.keys()].filter((each) => each !== run))
    const done = this.part("done")
    find(done, "span").textContent = t("“{name}” was deleted.", { name })
    find(done, "button").onclick = () => this.restore(run)
    done.classList.add("shown")
    this.look()
  }

  /** @param {string} run */
  async restore(run) {
    this.part("done").classList.remove("shown")
    if (await this.post("api/compare/restore", { run })) this.choose([...this.chosen.keys(), run])
    this.look()
  }

  /** @param {string} run */
  async withdraw(run) {
    await this.post(`api/runs/${run}/command`, { command: "stop" })
    this.look()
  }

  /** @param {string} run */
  nameOf(run) {
    return this.list.runs.find((each) => each.run === run)?.name ?? run
  }

  /**
   * Show what went wrong; an empty message clears it.
   * @param {string} message
   */
  complain(message) {
    this.part("message").textContent = message
  }

  draw() {
    if (!this.list.version) return // nothing has arrived yet
    const rows = new Map(this.list.runs.map((row) => [row.run, row]))
    const places = new Map(this.list.queue.map(({ run, place }) => [run, place]))
    /** @type {Selected[]} */
    const chosen = [...this.chosen].flatMap(([run, slot]) => {
      const row = rows.get(run)
      if (!row) return []
      const { name, note, own } = row
      return [{ run, slot, name, note, own, place: places.get(run), state: this.curves[run]?.state ?? row.state, facts: this.facts[run] ?? null }]
    })
    this.runs.show(this.list.runs, this.chosen)
    this.ranking.show(chosen, this.overlay.hidden)
    this.overlay.show(chosen, this.curves)
    this.table.show(chosen, this.columns, this.order)
    this.parallel.show(chosen, this.columns, this.order)
    this.drawLine()
    this.drawTrash()
  }

  /** The queue: the run that is training, then the waiting ones in order. */
  drawLine() {
    const line = this.part("line")
    line.hidden = this.list.queue.length === 0
    find(line, "ol").replaceChildren(...this.list.queue.map(({ run, name, own, place }) => {
      const item = element("li")
      const title = own ? name : name ? t("{name} (shared)", { name }) : t("Another learner’s run")
      item.append(element("span", "comparison-place", place ? `${place}.` : t("now")), element("span", "comparison-name", title))
      const [text, label] = place ? [t("Cancel"), t("Cancel {name}", { name })] : [t("Stop"), t("Stop {name}", { name })]
      if (own) item.append(button(text, () => this.withdraw(run), { label }))
      return item
    }))
  }

  drawTrash() {
    const box = /** @type {DisclosureBox} */ (this.part("trash"))
    const { trash } = this.list
    box.hidden = trash.length === 0
    box.label = t("Deleted runs: {count}", { count: trash.length })
    find(box, "ul").replaceChildren(...trash.map(({ run, name }) => {
      const item = element("li")
      item.append(button(t("Restore"), () => this.restore(run), { label: t("Restore {name}", { name }) }), ` ${name}`)
      return item
    }))
  }

  close() {
    this.closed = true
    this.rest()
    document.removeEventListener("visibilitychange", this.onVisible)
    this.overlay.close()
    this.parallel.close()
  }
}

export default mounting(Comparison)

/** @returns {Remembered} */
function remembered() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? "{}")
  } catch {
    return {}
  }
}
