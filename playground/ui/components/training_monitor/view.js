// Shows a run live: fetches what is new, independently of Streamlit's script runs, and draws it in place.

import { request } from "../shared/client.js"
import { element } from "../shared/dom.js"
import { percent } from "../shared/format.js"
import { mounting } from "../shared/mounting.js"
import { Coach } from "./coach.js"
import { Curves } from "./curves.js"
import { Images } from "./images.js"
import { RunInside } from "./inside.js"
import { Steering } from "./steering.js"
import { OneStep } from "./step.js"

const LIVE_MS = 300 // between two requests while a run is training
const IDLE_MS = 1500 // … and while it is not
const HURRY_MS = 5000 // how long to keep requesting quickly after a command
const SLOW_MS = 1200 // between two requests for layer statistics or findings of the coach
const STATES = {
  queued: "Queued", running: "Running", paused: "Paused", finished: "Finished",
  stopped: "Stopped", failed: "Failed", interrupted: "Interrupted",
}
const BUTTONS = {
  queued: ["stop"], running: ["pause", "stop"], paused: ["resume", "step", "stop"],
  stopped: ["resume"], failed: [], interrupted: ["resume"], finished: [],
}
const ENDED = ["finished", "stopped", "failed", "interrupted"]
const VIEWS = { curves: "Curves", images: "Test images", inside: "Layers", step: "One step" }
class Refusal extends Error {}

const learningRate = (value) => (value >= 0.0001 ? String(Number(value.toPrecision(2))) : value.toExponential(0))

class Monitor {
  constructor(root) {
    this.root = root.querySelector(".monitor")
    this.find = (name) => this.root.querySelector(name)
    this.root.querySelectorAll("[data-command]").forEach((button) => {
      button.onclick = () => this.press(button.dataset.command)
    })
    const ask = (path, query) => this.ask(path, query)
    this.steering = new Steering((name, value) => this.command(name, value), (step, changes) => this.begin("/fork", { step, changes }))
    this.coach = new Coach((finding, label) => this.begin("/remedy", { finding, label }))
    this.parts = { curves: new Curves(() => this.look()), images: new Images(), inside: new RunInside(ask), step: new OneStep(ask, () => this.press("step")) }
    this.find(".monitor-views").before(this.coach.box)
    this.find(".monitor-views").before(this.steering.box)
    this.tabs()
    this.open("curves")
    this.onVisible = () => (document.hidden ? clearTimeout(this.timer) : this.look()) // a hidden tab costs nothing
    document.addEventListener("visibilitychange", this.onVisible)
  }

  tabs() {
    const buttons = Object.entries(VIEWS).map(([name, title]) => {
      const button = element("button", "", title)
      Object.assign(button, { type: "button", role: "tab", onclick: () => { this.open(name); this.refresh() } })
      button.dataset.view = name
      return button
    })
    this.find(".monitor-views").append(...buttons)
  }

  open(name) {
    this.view = name
    this.root.querySelectorAll("[data-view]").forEach((button) => button.setAttribute("aria-selected", button.dataset.view === name))
    this.find(".monitor-view").replaceChildren(this.parts[name].box)
  }

  update({ data, setTriggerValue }) {
    this.data = data
    this.ended = (state) => { if (!this.leaving) setTriggerValue("ended", { run: data.run, state }) } // a script run in between would lose the new address
    this.opened = (run) => { this.leaving = true; setTriggerValue("opened", { run }) }
    this.find(".monitor-title").textContent = data.title
    if (this.run !== data.run) {
      Object.assign(this, { run: data.run, leaving: false, shown: null, seen: null, judged: null, verdict: "", findings: [], slow: 0 })
      this.coach.clear()
      this.look()
    } else if (this.shown) this.refresh() // the theme may have changed
  }

  // The state of the run; null if nothing is new.
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
      const range = window ? { from: window[0], to: window[1] } : {}
      const same = this.shown && String(this.range) === String(window)
      const shown = await this.ask("", { ...range, ...(same ? { seen: this.shown.version } : {}) })
      if (run !== this.run || this.closed) return
      this.range = window
      if (shown) this.show(shown)
      if (!document.hidden) await this.lookInside()
    } catch (error) {
      this.refused(error)
    }
    if (run !== this.run || this.closed || document.hidden) return
    clearTimeout(this.timer)
    const live = ["running", "queued"].includes(this.shown?.state) || Date.now() < this.hurry
    this.timer = setTimeout(() => this.look(), live ? LIVE_MS : IDLE_MS)
  }

  // Fetch what changes more slowly: the coach, and the open view.
  async lookInside(now = false) {
    const moved = this.judged !== this.shown?.version
    if (!this.shown || (!now && (!moved || (this.shown.state === "running" && Date.now() - this.slow < SLOW_MS)))) return
    const { run, shown } = this
    this.slow = Date.now()
    const judgement = await this.ask("/coach", { seen: this.verdict ?? "" })
    if (run !== this.run) return
    this.judged = shown.version
    if (judgement) {
      this.verdict = judgement.version
      this.findings = judgement.findings
    }
    this.coach.show(this.findings, shown.state)
    if (this.view === "images" || this.view === "inside") await this.lookDeeper(run)
    else if (this.view === "step") await this.parts.step.show(run, shown.state, this.data, shown.steerable)
    else if (judgement) this.draw()
  }

  async lookDeeper(run) {
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

  async press(name) {
    if (name === "step") this.open("step")
    await this.command(name, 0)
  }

  async send(path, document_) {
    const answer = await request(`api/runs/${this.run}${path}`, { body: document_ })
    if (!answer.error) return answer
    this.complain(answer.error)
    return null
  }

  async command(command, value) {
    await this.send("/command", { command, value })
    this.hurry = Date.now() + HURRY_MS
    this.look()
  }

  async begin(path, document_) {
    const answer = await this.send(path, document_)
    if (answer) this.opened(answer.run)
  }

  // Show a refusal; anything else is a bug and surfaces.
  refused(error) {
    if (!(error instanceof Refusal)) throw error
    this.complain(error.message)
  }

  complain(message) {
    this.find(".monitor-message").textContent = message ?? ""
  }

  show(shown) {
    const before = this.shown?.state
    this.shown = shown
    const badge = this.find(".monitor-state")
    const place = shown.state === "queued" && shown.queue ? ` · position ${shown.queue}` : ""
    badge.textContent = STATES[shown.state] + place
    badge.dataset.state = shown.state
    this.root.querySelectorAll("[data-command]").forEach((button) => {
      button.hidden = !shown.steerable || !BUTTONS[shown.state].includes(button.dataset.command)
    })
    this.parent(shown.parent)
    this.facts(shown)
    this.complain(shown.message)
    this.steering.show(this.run, shown, this.data)
    if (this.view === "curves") this.draw()
    if (before && !ENDED.includes(before) && ENDED.includes(shown.state)) this.ended(shown.state)
  }

  parent(parent) {
    const link = this.find(".monitor-parent")
    link.hidden = !parent
    if (!parent) return
    link.textContent = `Forked from another run at step ${parent.step.toLocaleString("en")}`
    link.href = `train?run=${parent.run}`
    link.onclick = (event) => { event.preventDefault(); this.opened(parent.run) }
  }

  facts(shown) {
    const share = shown.total_steps ? shown.step / shown.total_steps : 0
    const progress = this.find(".monitor-progress")
    progress.setAttribute("aria-valuenow", Math.round(100 * share))
    progress.firstElementChild.style.transform = `scaleX(${share})`
    const each = shown.per_epoch || 1
    this.fact("epoch", shown.step ? `${(shown.step / each).toFixed(1)} / ${Number((shown.total_steps / each).toFixed(2))}` : "–")
    this.fact("time", shown.state === "finished" ? "Training time" : "Time left")
    this.fact("left", this.timeLeft(shown))
    this.fact("images_per_second", shown.images_per_second ? Math.round(shown.images_per_second).toLocaleString("en") : "–")
    this.fact("learning_rate", shown.learning_rate === null ? "–" : learningRate(shown.learning_rate))
    this.fact("accuracy", percent(shown.test_accuracy, shown.test_accuracy > 0.985 ? 2 : 1))
  }

  timeLeft({ state, seconds, seconds_left: left }) {
    const format = (value) => (value < 90 ? `${Math.ceil(value)} s` : `${Math.ceil(value / 60)} min`)
    if (state === "finished") return format(seconds)
    return left === null || !["running", "paused"].includes(state) ? "–" : format(left)
  }

  fact(name, text) {
    this.find(`[data-fact="${name}"]`).textContent = text
  }

  // Marks on the curves: changes to the run, and findings of the coach.
  marks() {
    const titles = Object.fromEntries(this.data.optimizers)
    const changes = this.shown.changes.map((change) => ({ step: change.step, kind: "change", text: change.learning_rate === undefined ? titles[change.optimizer] : `learning rate ${learningRate(change.learning_rate)}` }))
    const fork = this.shown.parent ? [{ step: this.shown.parent.step, kind: "fork", text: "forked here" }] : []
    const seen = this.findings.filter(({ step, severity }) => step > 0 && severity === "problem").map(({ step, title }) => ({ step, kind: "coach", text: title }))
    return [...fork, ...changes, ...seen]
  }

  draw() {
    if (this.shown) this.parts.curves.show(this.run, this.shown, this.marks())
  }

  close() {
    this.closed = true
    clearTimeout(this.timer)
    document.removeEventListener("visibilitychange", this.onVisible)
    this.parts.curves.close()
    this.parts.inside.close()
  }
}

export default mounting(Monitor)
