// Shows a run live: fetches what is new, independently of Streamlit's script runs, and draws it in place.

import { request } from "../shared/client.js"
import { find, tab } from "../shared/dom.js"
import { grouped, percent } from "../shared/format.js"
import { mounting } from "../shared/mounting.js"
import { Tabs } from "../shared/tabs.js"
import { t } from "../shared/text.js"
import { Coach } from "./coach.js"
import { Curves } from "./curves.js"
import { learningRate, marks, timeLeft } from "./facts.js"
import { Images } from "./images.js"
import { RunInside } from "./inside.js"
import { Steering } from "./steering.js"
import { OneStep } from "./step.js"

/**
 * @import { Query } from "../shared/client.js"
 * @import { Component } from "../shared/mounting.js"
 * @import { Inside, Judgement, LiveRun, MonitorData, ReportedFinding, StartedRun } from "./documents.js"
 * @import { Ask, State } from "./types.js"
 */

/** @typedef {"curves" | "images" | "inside" | "step"} ViewName */

const LIVE_MS = 300 // between two requests while a run is training
const IDLE_MS = 1500 // … and while it is not
const HURRY_MS = 5000 // how long to keep requesting quickly after a command
const SLOW_MS = 1200 // between two requests for layer statistics or findings of the coach
/** @type {Record<State, string>} */
const STATES = {
  queued: t("Queued"), running: t("Running"), paused: t("Paused"), finished: t("Finished"),
  stopped: t("Stopped"), failed: t("Failed"), interrupted: t("Interrupted"),
}
/** @type {Record<State, string[]>} */
const BUTTONS = {
  queued: ["stop"], running: ["pause", "stop"], paused: ["resume", "step", "stop"],
  stopped: ["resume"], failed: [], interrupted: ["resume"], finished: [],
}
const ENDED = ["finished", "stopped", "failed", "interrupted"]
/** @type {[ViewName, string][]} */
const VIEWS = [["curves", t("Curves")], ["images", t("Test images")], ["inside", t("Layers")], ["step", t("One step")]]
class Refusal extends Error {}

class Monitor {
  /** @param {HTMLElement | ShadowRoot} root */
  constructor(root) {
    /** @type {HTMLElement} */
    this.root = find(root, ".monitor")
    /** @type {MonitorData | undefined} none before the first update */
    this.data = undefined
    this.run = ""
    /** @type {LiveRun | null} */
    this.shown = null
    /** @type {[number, number] | null} the steps whose curves are shown, if not all of them */
    this.range = null
    /** @type {Inside | null} */
    this.seen = null
    /** @type {string | null} the version of the run when the coach was asked last */
    this.judged = null
    this.verdict = "" // the version of the findings
    /** @type {ReportedFinding[]} */
    this.findings = []
    this.slow = 0 // when layer statistics or findings were requested last
    this.hurry = 0 // until when to request quickly
    /** @type {number | undefined} */
    this.timer = undefined
    this.leaving = this.closed = false
    /** @type {(state: State) => void} */
    this.ended = () => {}
    /** @type {(run: string) => void} */
    this.opened = () => {}
    /** @type {NodeListOf<HTMLButtonElement>} */
    this.commands = this.root.querySelectorAll("[data-command]")
    for (const button of this.commands) button.onclick = () => this.press(commandOf(button))
    /** @type {Ask} */
    const ask = (path, query) => this.ask(path, query)
    this.steering = new Steering((name, value) => this.command(name, value), (step, changes) => this.begin("/fork", { step, changes }))
    this.coach = new Coach((finding, remedy) => this.begin("/remedy", { finding, remedy }))
    this.parts = { curves: new Curves(() => this.look()), images: new Images(), inside: new RunInside(ask), step: new OneStep(ask, () => this.press("step")) }
    this.tabs = new Tabs(find(this.root, ".monitor-views"))
    this.tabs.list.before(this.coach.box, this.steering.box)
    this.tabs.list.append(...VIEWS.map(([name, title]) => tab(name, title, () => { this.open(name); this.refresh() })))
    /** @type {ViewName} */
    this.view = "curves"
    this.open("curves")
    this.onVisible = () => (document.hidden ? clearTimeout(this.timer) : this.look()) // a hidden tab costs nothing
    document.addEventListener("visibilitychange", this.onVisible)
  }

  /** @param {ViewName} name */
  open(name) {
    this.view = name
    this.tabs.select(name)
    find(this.root, ".monitor-view").replaceChildren(this.parts[name].box)
  }

  /** @param {Component<MonitorData>} component */
  update({ data, setTriggerValue }) {
    this.data = data
    this.ended = (state) => { if (!this.leaving) setTriggerValue("ended", { run: data.run, state }) } // a script run in between would lose the new address
    this.opened = (run) => { this.leaving = true; setTriggerValue("opened", { run }) }
    find(this.root, ".monitor-title").textContent = data.title
    if (this.run !== data.run) {
      this.run = data.run
      this.leaving = false
      this.shown = this.seen = this.judged = null
      this.verdict = ""
      this.findings = []
      this.slow = 0
      this.coach.clear()
      this.look()
    } else if (this.shown) this.refresh() // the theme may have changed
  }

  /**
   * Data of the run, its state by default; null if nothing is new.
   * @param {string} [path]
   * @param {Query} [query]
   */
  async ask(path = "", query = {}) {
    const answer = await request(`api/runs/${this.run}${path}`, { query })
    if (answer?.error) throw new Refusal(answer.error)
    return answer
  }

  async look() {
    clearTimeout(this.timer)
    if (this.closed) return
    const { run } = this
    const window = this.parts.curves.window
    try {
      /** @type {Query} */
      const query = window ? { from: window[0], to: window[1] } : {}
      if (this.shown && String(this.range) === String(window)) query.seen = this.shown.version
      /** @type {LiveRun | null} */
      const shown = await this.ask("", query)
      if (run !== this.run || this.closed) return
      this.range = window
      if (shown) this.show(shown)
      if (!document.hidden) await this.lookInside()
    } catch (error) {
      this.refused(error)
    }
    if (run !== this.run || this.closed || document.hidden) return
    clearTimeout(this.timer)
    const live = ["running", "queued"].includes(this.shown?.state ?? "") || Date.now() < this.hurry
    this.timer = setTimeout(() => this.look(), live ? LIVE_MS : IDLE_MS)
  }

  // Fetch what changes more slowly: the coach, and the open view.
  async lookInside(now = false) {
    const { run, shown, data } = this
    if (!shown || !data) return
    if (!now && (this.judged === shown.version || (shown.state === "running" && Date.now() - this.slow < SLOW_MS))) return
    this.slow = Date.now()
    /** @type {Judgement | null} */
    const judgement = await this.ask("/coach", { seen: this.verdict })
    if (run !== this.run) return
    this.judged = shown.version
    if (judgement) {
      this.verdict = judgement.version
      this.findings = judgement.findings
    }
    this.coach.show(this.findings, shown.state)
    if (this.view === "images" || this.view === "inside") await this.lookDeeper(run)
    else if (this.view === "step") await this.parts.step.show(run, shown.state, data, shown.steerable)
    else if (judgement) this.draw()
  }

  /** @param {string} run */
  async lookDeeper(run) {
    /** @type {Inside | null} */
    const seen = await this.ask("/inside", { seen: this.seen?.version ?? "" })
    if (run !== this.run) return
    if (seen) this.seen = seen
    if (this.view === "images") this.parts.images.show(this.seen)
    else this.parts.inside.show(run, this.seen)
  }

  async refresh() {
    if (this.view === "curves") this.draw()
    else await this.lookInside(true).catch((error) => this.refused(error))
  }

  /** @param {string} name */
  async press(name) {
    if (name === "step") this.open("step")
    await this.command(name, 0)
  }

  /**
   * The response; null where the server refuses.
   * @param {string} path
   * @param {Record<string, unknown>} body
   */
  async send(path, body) {
    const answer = await request(`api/runs/${this.run}${path}`, { body })
    if (!answer.error) return answer
    this.complain(answer.error)
    return null
  }

  /**
   * @param {string} command
   * @param {number | string} value
   */
  async command(command, value) {
    await this.send("/command", { command, value })
    this.hurry = Date.now() + HURRY_MS
    this.look()
  }

  /**
   * Start a run and show it.
   * @param {string} path
   * @param {Record<string, unknown>} body
   */
  async begin(path, body) {
    /** @type {StartedRun | null} */
    const answer = await this.send(path, body)
    if (answer) this.opened(answer.run)
  }

  /**
   * Show a refusal; anything else is a bug and surfaces.
   * @param {unknown} error
   */
  refused(error) {
    if (!(error instanceof Refusal)) throw error
    this.complain(error.message)
  }

  /** @param {string} message */
  complain(message) {
    find(this.root, ".monitor-message").textContent = message
  }

  /** @param {LiveRun} shown */
  show(shown) {
    const before = this.shown?.state
    this.shown = shown
    const badge = find(this.root, ".monitor-state")
    badge.textContent = shown.state === "queued" && shown.queue ? t("Queued · position {place}", { place: shown.queue }) : STATES[shown.state]
    badge.dataset.state = shown.state
    for (const button of this.commands) button.hidden = !shown.steerable || !BUTTONS[shown.state].includes(commandOf(button))
    this.parent(shown.parent)
    this.facts(shown)
    this.complain(shown.message)
    if (this.data) this.steering.show(this.run, shown, this.data)
    if (this.view === "curves") this.draw()
    if (before && !ENDED.includes(before) && ENDED.includes(shown.state)) this.ended(shown.state)
  }

  /** @param {LiveRun["parent"]} parent */
  parent(parent) {
    /** @type {HTMLAnchorElement} */
    const link = find(this.root, ".monitor-parent")
    link.hidden = !parent
    if (!parent) return
    link.textContent = t("Forked from another run at step {step}", { step: grouped(parent.step) })
    link.href = `train?run=${parent.run}`
    link.onclick = (event) => { event.preventDefault(); this.opened(parent.run) }
  }

  /** @param {LiveRun} shown */
  facts(shown) {
    const share = shown.total_steps ? shown.step / shown.total_steps : 0
    const progress = find(this.root, ".monitor-progress")
    progress.setAttribute("aria-valuenow", Math.round(100 * share))
    find(progress, "span").style.transform = `scaleX(${share})`
    const each = shown.per_epoch || 1
    this.fact("epoch", shown.step ? `${(shown.step / each).toFixed(1)} / ${Number((shown.total_steps / each).toFixed(2))}` : "–")
    this.fact("time", shown.state === "finished" ? t("Training time") : t("Time left"))
    this.fact("left", timeLeft(shown))
    this.fact("images_per_second", shown.images_per_second ? grouped(Math.round(shown.images_per_second)) : "–")
    this.fact("learning_rate", shown.learning_rate === null ? "–" : learningRate(shown.learning_rate))
    this.fact("accuracy", percent(shown.test_accuracy, (shown.test_accuracy ?? 0) > 0.985 ? 2 : 1))
  }

  /**
   * @param {string} name
   * @param {string} text
   */
  fact(name, text) {
    find(this.root, `[data-fact="${name}"]`).textContent = text
  }

  draw() {
    if (this.shown && this.data) this.parts.curves.show(this.run, this.shown, marks(this.shown, this.findings, this.data.optimizers))
  }

  close() {
    this.closed = true
    clearTimeout(this.timer)
    document.removeEventListener("visibilitychange", this.onVisible)
    this.parts.curves.close()
    this.parts.inside.close()
  }
}

/** @param {HTMLButtonElement} button */
const commandOf = (button) => button.dataset.command ?? ""

export default mounting(Monitor)
