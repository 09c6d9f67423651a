// Compares runs: fetches the list of runs and the curves of the selected ones, independently of Streamlit's script runs.

import { request } from "../shared/client.js"
import "../shared/controls.js"
import { find } from "../shared/dom.js"
import { mounting } from "../shared/mounting.js"
import { SMOOTHING } from "../shared/smoothing.js"
import { draw, html, repeat } from "../shared/templates.js"
import { t } from "../shared/text.js"
import { RunList } from "./list.js"
import { freeSlot, isActive, withoutNetwork } from "./marks.js"
import { Parallel } from "./parallel.js"
import { Player, STEERED, isWaiting, steering } from "./player.js"
import { Overlay, endOf, nowOf, valueAt } from "./plot.js"
import { Table } from "./table.js"

/**
 * @import { DisclosureBox } from "../shared/disclosure.js"
 * @import { Component } from "../shared/mounting.js"
 * @import { ComparisonData, Curves, CurvesAnswer, RecordedRun, RunFacts, SettingColumn } from "./documents.js"
 * @import { Destination } from "./link.js"
 * @import { Steering } from "./player.js"
 * @import { Remembered, Row, Runs, Selected, Settings } from "./types.js"
 */

/** @typedef {"askList" | "askCurves"} Question the method that asks it */

const LIVE_MS = 500 // between two requests for curves while a run trains
const LIST_MS = 2000 // between two requests for the list of runs
const IDLE_MS = 4000 // … and for either while nothing changes
const KEY = "playground-comparison" // where the browser stores the last comparison of this tab
/** @type {Settings} */
const RECORDING = { x: "epoch", what: "accuracy", show: "test", smoothing: 0, log: false, filter: "", sort: "started" }
/** @type {Settings} */
const VIEW = { x: "epoch", what: "accuracy", show: "both", smoothing: SMOOTHING, log: false, filter: "", sort: "started" }

/** @type {Record<string, string>} the terms of the glossary that explain settings */
const TERMS = {
  optimizer: "optimizer", learning_rate: "learning rate", batch_size: "batch size", weight_decay: "weight decay", momentum: "momentum", epochs: "epoch", seed: "seed",
  label_smoothing: "label smoothing", augment: "augmentation", parent: "fork",
}

class Comparison {
  /** @param {HTMLElement | ShadowRoot} root */
  constructor(root) {
    /** @type {HTMLElement} */
    this.root = find(root, ".comparison")
    const kept = remembered()
    /** @type {Runs} without a version until the first has come */
    this.list = { version: "", runs: [], places: {}, trash: [], first: [] }
    /** @type {RecordedRun[]} of a race to show before the first run */
    this.recorded = []
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
    /** @type {string[] | null} what to choose as soon as the list has come, which has the optimizers and so the colours */
    this.wanted = null
    this.emptied = false // whether the learner has deselected all runs
    /** @type {Partial<Record<Question, { timer?: number }>>} */
    this.asking = {}
    this.request = "" // for which curves
    this.seen = "" // the version of the curves
    this.looked = this.closed = this.unreachable = false
    /** @type {Component["leave"]} */
    this.leave = () => {}
    this.overlay = new Overlay(this.root, this.view, (name) => this.viewed(name))
    this.player = new Player(this.root, { moved: () => this.draw(), steer: (command) => this.steer(command) })
    const light = (/** @type {string | null} */ run) => this.overlay.light(run)
    const remove = (/** @type {string} */ run) => this.remove(run)
    const go = (/** @type {Destination} */ where, /** @type {string} */ run) => this.leave("go", { where, run })
    this.runs = new RunList(this.part("list"), this.view, {
      choose: (runs) => this.choose(runs), toggle: (run, on) => this.toggle(run, on), stop: (run) => this.command(run, "stop"), light, remove, go,
    })
    this.table = new Table(this.part("details"), { relabel: (run, texts) => this.relabel(run, texts), remove, light, go })
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
  update({ data, leave }) {
    /** @type {ComparisonData} */
    const { chosen, occasion, most, recorded } = data
    this.runs.most = most
    this.recorded = recorded
    this.leave = leave
    if (occasion && occasion !== this.occasion) {
      this.occasion = occasion
      this.player.seek(Infinity)
      if (this.list.version && chosen.every((run) => this.rowOf(run))) this.choose(chosen)
      else this.wanted = chosen
    }
    if (!this.looked) this.look()
    else if (this.wanted) this.askList()
    this.draw() // the theme may have changed
    if (!this.looked && recorded.length && !matchMedia("(prefers-reduced-motion: reduce)").matches) this.player.play()
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
    const busy = () => (this.list.runs.some(({ state }) => isActive(state)) ? LIST_MS : IDLE_MS)
    return this.ask("askList", `api/compare/runs?seen=${this.list.version}`, (/** @type {Runs} */ list) => this.listed(list), busy)
  }

  askCurves() {
    const { x, what } = this.view
    const request = `${x} ${what} ${[...this.chosen.keys()]}`
    if (request !== this.request) this.seen = ""
    this.request = request
    if (!this.chosen.size) {
      this.columns = []
      return this.draw()
    }
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
    if (this.wanted || (!this.chosen.size && !this.emptied)) this.choose(this.wanted ?? list.first)
    else this.choose([...this.chosen.keys(), ...fresh.filter(({ dataset }) => !datasets.size || datasets.has(dataset)).map(({ run }) => run)])
    this.wanted = null
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
    for (const run of selected) if (!this.chosen.has(run)) this.chosen.set(run, freeSlot(this.chosen, this.rowOf(run)?.optimizer))
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
    if (name === "x") this.player.seek(Infinity)
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
   * @param {Record<string, unknown>} body
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
    const row = this.rowOf(run)
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

  /**
   * @param {string} run
   * @param {Steering | "stop"} command
   */
  async command(run, command) {
    await this.post(`api/runs/${run}/command`, { command })
    this.look()
  }

  /**
   * Pause or resume all runs of the comparison at once.
   * @param {Steering} command
   */
  async steer(command) {
    const runs = this.selected().filter(({ own, state }) => own && state === STEERED[command]).map(({ run }) => run)
    if (command !== "restart") return runs.forEach((run) => this.command(run, command))
    await this.post("api/compare/resume", { runs })
    this.look()
  }

  /** @param {string} run */
  rowOf(run) {
    return this.list.runs.find((each) => each.run === run)
  }

  /** @param {string} run */
  nameOf(run) {
    return this.rowOf(run)?.name ?? run
  }

  /**
   * Show what went wrong; an empty message clears it.
   * @param {string} message
   */
  complain(message) {
    this.part("message").textContent = message
  }

  /** The runs of the comparison. @returns {Selected[]} */
  selected() {
    const rows = new Map(this.list.runs.map((row) => [row.run, row]))
    const isSameNetwork = this.chosen.size > 1 && !this.columns.some(({ name }) => name === "network")
    return [...this.chosen].flatMap(([run, slot]) => {
      const row = rows.get(run)
      if (!row) return []
      const { name, note, own, race } = row
      const facts = this.facts[run] ?? null
      const place = this.list.places[run] ?? 0 // a run that is resumed may have to wait, too
      const state = this.curves[run]?.state ?? row.state
      const accuracy = this.player.moment === Infinity ? (facts?.accuracy ?? null) : valueAt(this.curves[run]?.accuracies, this.player.moment)
      return [{ run, slot, name, short: isSameNetwork ? withoutNetwork(name, row.network) : name, note, own, race, place, state: place && !isActive(state) ? "queued" : state, accuracy, facts }]
    })
  }

  draw() {
    if (this.recorded.length && !this.list.runs.length) this.drawRecording()
    else if (this.list.version) this.drawRuns()
    if (this.list.version) this.drawTrash()
  }

  drawRuns() {
    const selected = this.selected()
    this.root.classList.remove("recorded")
    this.drawCurves(selected, this.curves, this.view)
    this.drawDifferences(this.columns)
    this.runs.show(selected, this.list.runs, this.list.places, this.columns, this.order)
    this.table.show(selected, this.columns, this.order)
    this.parallel.show(selected, this.columns, this.order)
  }

  /** A race that was recorded, before the learner has a run. */
  drawRecording() {
    const slots = new Map()
    for (const { name, optimizer } of this.recorded) slots.set(name, freeSlot(slots, optimizer))
    const curves = Object.fromEntries(this.recorded.map(({ name, x, y }) => [name, recordedCurves(x, y)]))
    const selected = this.recorded.map(({ name }) => recordedRun(name, slots.get(name), valueAt(curves[name].test, this.player.moment)))
    this.root.classList.add("recorded")
    this.drawCurves(selected, curves, RECORDING)
    this.drawDifferences([{ name: "optimizer", title: t("Optimizer"), texts: this.recorded.map(({ name }) => name), numbers: [] }])
    this.runs.show(selected, null, {}, [], [])
  }

  /**
   * @param {Selected[]} selected
   * @param {Record<string, Curves>} curves
   * @param {Settings} view
   */
  drawCurves(selected, curves, view) {
    const drawn = selected.flatMap(({ run }) => curves[run] ?? [])
    this.player.show(nowOf(drawn), endOf(drawn), steering(selected), isWaiting(selected))
    this.overlay.show(selected, curves, this.player.moment, view)
  }

  /** @param {SettingColumn[]} columns the settings in which the runs differ */
  drawDifferences(columns) {
    const label = columns.length ? t("What differs") : this.chosen.size > 1 ? t("These runs have the same settings.") : ""
    const named = (/** @type {string} */ name, /** @type {string} */ title) => (TERMS[name] ? html`<glossary-term name=${TERMS[name]}>${title}</glossary-term>` : title)
    const chips = columns.map(({ name, title, texts }) => html`<span class="comparison-chip">${named(name, title)}: <strong>${[...new Set(texts)].join(" · ")}</strong></span>`)
    const box = this.part("differs")
    draw(box, html`<span class="comparison-hint">${label}</span>${chips}`)
    box.tabIndex = box.scrollWidth > box.clientWidth ? 0 : -1 // by keyboard, too, all of it can be seen
  }

  drawTrash() {
    const box = /** @type {DisclosureBox} */ (this.part("trash"))
    const { trash } = this.list
    box.hidden = trash.length === 0
    box.label = t("Deleted runs: {count}", { count: trash.length })
    draw(find(box, "ul"), repeat(trash, ({ run }) => run, ({ run, name }) => html`
      <li><button type="button" aria-label=${t("Restore {name}", { name })} @click=${() => this.restore(run)}>${t("Restore")}</button> ${name}</li>`))
  }

  close() {
    this.closed = true
    this.rest()
    document.removeEventListener("visibilitychange", this.onVisible)
    this.player.close()
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

/**
 * @param {number[]} x
 * @param {number[]} y
 * @returns {Curves}
 */
const recordedCurves = (x, y) => ({ state: "finished", end: null, train: { x: [], y: [] }, test: { x, y }, accuracies: { x, y }, cuts: [], version: "" })

/**
 * @param {string} name
 * @param {number} slot
 * @param {number | null} accuracy
 * @returns {Selected}
 */
const recordedRun = (name, slot, accuracy) => ({ run: name, name, short: name, slot, accuracy, note: "", own: false, race: "", state: "finished", place: 0, facts: null })
