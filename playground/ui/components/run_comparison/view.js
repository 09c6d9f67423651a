// Compares runs: fetches the list of runs and the curves of the selected ones, independently of Streamlit's script runs.

import { UNREACHABLE, request } from "../shared/client.js"
import { mounting } from "../shared/mounting.js"
import { SMOOTHING } from "../shared/smoothing.js"
import { RunList } from "./list.js"
import { ACTIVE, freeSlot } from "./marks.js"
import { Parallel } from "./parallel.js"
import { Overlay } from "./plot.js"
import { Ranking } from "./ranking.js"
import { Table } from "./table.js"

const LIVE_MS = 500 // between two requests for curves while a run trains
const LIST_MS = 2000 // between two requests for the list of runs
const IDLE_MS = 4000 // … and for either while nothing changes
const KEY = "playground-comparison" // where the browser stores the last comparison of this tab
const VIEW = { x: "epoch", what: "loss", show: "both", smoothing: SMOOTHING, log: false, filter: "", dataset: "", sort: "started", descending: true }

class Comparison {
  constructor(root) {
    this.root = root.querySelector(".comparison")
    const find = (name) => this.root.querySelector(`.comparison-${name}`)
    const kept = remembered()
    Object.assign(this, { find, list: { runs: [], queue: [], trash: [], first: [] }, curves: {}, facts: {}, columns: [], order: [], occasion: kept.occasion, newest: kept.newest })
    this.view = { ...VIEW, ...kept.view }
    this.chosen = new Map(kept.chosen) // run → slot
    this.overlay = new Overlay(this.root, this.view, (name) => this.viewed(name))
    const light = (run) => this.overlay.light(run)
    this.runs = new RunList(find("list"), this.view, { choose: (runs) => this.choose(runs), toggle: (run, on) => this.toggle(run, on), remove: (run) => this.remove(run) })
    this.ranking = new Ranking(find("ranking"), { toggle: (run) => { this.overlay.toggle(run); this.draw() }, light })
    this.table = new Table(find("details"), { go: (where, run) => this.go("go", { where, run }), relabel: (run, texts) => this.relabel(run, texts), remove: (run) => this.remove(run), light })
    this.parallel = new Parallel(find("parallel"), light)
    this.onVisible = () => (document.hidden ? this.rest() : this.look())
    document.addEventListener("visibilitychange", this.onVisible)
  }

  update({ data, setTriggerValue }) {
    this.runs.most = data.most
    this.go = setTriggerValue
    if (data.occasion && data.occasion !== this.occasion) {
      this.occasion = data.occasion
      this.choose(data.chosen)
    }
    if (!this.looked) this.look()
    else this.draw() // the theme may have changed
    this.looked = true
  }

  look() {
    this.askList()
    this.askCurves()
  }

  // A hidden tab requests nothing.
  rest() {
    Object.values(this.asking ?? {}).forEach(({ timer }) => clearTimeout(timer))
  }

  // Request now and then again while the tab is visible; `wait` returns the delay after each answer.
  async ask(name, path, answer, wait) {
    this.asking ??= {}
    clearTimeout(this.asking[name]?.timer)
    const mine = (this.asking[name] = {})
    const news = await request(path)
    if (this.closed || this.asking[name] !== mine) return
    try {
      if (news?.error) this.complain(news.error)
      else this.complain("", UNREACHABLE)
      if (news && !news.error) await answer(news)
    } finally {
      if (!this.closed && this.asking[name] === mine && !document.hidden) mine.timer = setTimeout(() => this[name](), wait())
    }
  }

  askList() {
    const busy = () => (this.list.queue.length || this.list.runs.some(({ state }) => ACTIVE.includes(state)) ? LIST_MS : IDLE_MS)
    return this.ask("askList", `api/compare/runs?seen=${this.list.version ?? ""}`, (list) => this.listed(list), busy)
  }

  askCurves() {
    const { x, what } = this.view
    const request = `${x} ${what} ${[...this.chosen.keys()]}`
    if (request !== this.request) this.seen = ""
    this.request = request
    if (!this.chosen.size) return this.draw()
    const runs = [...this.chosen.keys()].map((run) => `${run}~${this.curves[run]?.version ?? ""}`)
    const live = () => ([...this.chosen.keys()].some((run) => ACTIVE.includes(this.curves[run]?.state)) ? LIVE_MS : IDLE_MS)
    return this.ask("askCurves", `api/compare/curves?x=${x}&what=${what}&seen=${this.seen}&runs=${runs.join(",")}`, (news) => this.grown(news), live)
  }

  listed(list) {
    this.list = list
    const fresh = list.runs.filter(({ run, own, fault }) => own && !fault && this.newest && run > this.newest)
    const datasets = new Set(list.runs.filter(({ run }) => this.chosen.has(run)).map(({ dataset }) => dataset))
    if (!this.chosen.size && !this.emptied) this.choose(list.first)
    else this.choose([...this.chosen.keys(), ...fresh.filter(({ dataset }) => !datasets.size || datasets.has(dataset)).map(({ run }) => run)])
    this.newest = list.runs.map(({ run }) => run).sort().at(-1) ?? this.newest ?? "0"
    this.remember()
    this.draw()
  }

  grown({ curves, facts, columns, runs, gone, version }) {
    this.seen = version
    Object.assign(this.curves, curves)
    this.facts = facts
    Object.assign(this, { columns, order: runs })
    gone.forEach((run) => this.chosen.delete(run))
    if (gone.length) {
      this.complain("Some of the runs in this comparison no longer exist.")
      this.askList()
    }
    this.draw()
  }

  // Compare these runs; those already in the comparison keep their colours.
  choose(runs) {
    const { most } = this.runs
    const selected = [...new Set(runs)].slice(0, most)
    if (runs.length > most) this.complain(`At most ${most} runs can be compared at once.`)
    const before = [...this.chosen.keys()].join()
    for (const run of [...this.chosen.keys()]) if (!selected.includes(run)) this.chosen.delete(run)
    for (const run of selected) if (!this.chosen.has(run)) this.chosen.set(run, freeSlot(this.chosen))
    this.emptied = !this.chosen.size && this.list.runs.length > 0
    if (before === [...this.chosen.keys()].join()) return
    this.remember()
    this.draw()
    this.askCurves()
  }

  toggle(run, on) {
    const others = [...this.chosen.keys()].filter((each) => each !== run)
    this.choose(on ? [...others, run] : others)
    this.draw()
  }

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

  async post(path, document_) {
    const { error } = await request(path, { body: document_ })
    if (error) this.complain(error)
    return !error
  }

  async relabel(run, texts) {
    const row = this.list.runs.find((each) => each.run === run)
    if (row) Object.assign(row, texts) // at once; the server's answer follows
    this.draw()
    await this.post("api/compare/label", { run, ...texts })
    this.seen = ""
    this.look()
  }

  async remove(run) {
    const name = this.nameOf(run)
    if (!(await this.post("api/compare/delete", { run }))) return
    this.choose([...this.chosen.keys()].filter((each) => each !== run))
    const done = this.find("done")
    done.querySelector("span").textContent = `“${name}” was deleted.`
    done.querySelector("button").onclick = () => this.restore(run)
    done.classList.add("shown")
    this.look()
  }

  async restore(run) {
    this.find("done").classList.remove("shown")
    if (await this.post("api/compare/restore", { run })) this.choose([...this.chosen.keys(), run])
    this.look()
  }

  async withdraw(run) {
    await this.post(`api/runs/${run}/command`, { command: "stop" })
    this.look()
  }

  nameOf(run) {
    return this.list.runs.find((each) => each.run === run)?.name ?? run
  }

  // Show what went wrong, or clear a message that starts with `only`.
  complain(message, only = "") {
    const place = this.find("message")
    if (message || place.textContent.startsWith(only)) place.textContent = message ?? ""
  }

  draw() {
    if (!this.list.version) return // nothing has arrived yet
    const rows = new Map(this.list.runs.map((row) => [row.run, row]))
    const places = new Map(this.list.queue.map(({ run, place }) => [run, place]))
    const chosen = [...this.chosen].filter(([run]) => rows.has(run)).map(([run, slot]) => {
      const row = rows.get(run)
      return { run, slot, name: row.name, note: row.note, own: row.own, place: places.get(run), state: this.curves[run]?.state ?? row.state, facts: this.facts[run] ?? null }
    })
    this.runs.show(this.list.runs, this.chosen)
    this.ranking.show(chosen, this.overlay.hidden)
    this.overlay.show(chosen.map((one) => ({ ...one, curves: this.curves[one.run] })))
    this.table.show(chosen, this.columns, this.order)
    this.parallel.show(chosen, this.columns, this.order)
    this.drawLine()
    this.drawTrash()
  }

  // The queue: the run that is training, then the waiting ones in order.
  drawLine() {
    const line = this.find("line")
    line.hidden = this.list.queue.length === 0
    line.querySelector("ol").replaceChildren(...this.list.queue.map(({ run, name, own, place }) => {
      const item = document.createElement("li")
      const title = document.createElement("span")
      title.className = "comparison-name"
      title.textContent = own ? name : name ? `${name} (shared)` : "Another learner’s run"
      const where = document.createElement("span")
      where.className = "comparison-place"
      where.textContent = place ? `${place}.` : "now"
      item.append(where, title)
      if (own) item.append(place ? button("Cancel", () => this.withdraw(run), `Cancel ${name}`) : button("Stop", () => this.withdraw(run), `Stop ${name}`))
      return item
    }))
  }

  drawTrash() {
    const box = this.find("trash")
    const { trash } = this.list
    box.hidden = trash.length === 0
    box.querySelector("summary").textContent = `Deleted runs: ${trash.length}`
    box.querySelector("ul").replaceChildren(...trash.map(({ run, name }) => {
      const item = document.createElement("li")
      item.append(button("Restore", () => this.restore(run), `Restore ${name}`), ` ${name}`)
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

const button = (text, act, label) => {
  const made = document.createElement("button")
  Object.assign(made, { type: "button", textContent: text, title: label, onclick: act })
  made.setAttribute("aria-label", label)
  return made
}

export default mounting(Comparison)

function remembered() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY)) ?? {}
  } catch {
    return {}
  }
}
