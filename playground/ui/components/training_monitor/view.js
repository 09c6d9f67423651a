// Shows a run live: fetches what is new, independently of Streamlit's script runs, and draws it in place.

import { request } from "../shared/client.js"
import { find } from "../shared/dom.js"
import { grouped, percent } from "../shared/format.js"
import { mounting } from "../shared/mounting.js"
import { draw, html } from "../shared/templates.js"
import { marked } from "../shared/term.js"
import { t } from "../shared/text.js"
import { endOf, placeOf } from "./axis.js"
import { Bar } from "./bar.js"
import { Coach } from "./coach.js"
import { Curves } from "./curves.js"
import { figures, marks } from "./facts.js"
import { Fork } from "./fork.js"
import { Images } from "./images.js"
import { digits, InsideNow } from "./inside.js"
import { Layers } from "./layers.js"
import { Network } from "./network.js"
import { OneStep } from "./step.js"
import { Strip } from "./strip.js"

/**
 * @import { Query } from "../shared/client.js"
 * @import { Component } from "../shared/mounting.js"
 * @import { Gallery, Inside, Judgement, LiveRun, Moment, MonitorData, RecordedStep, ReportedFinding, StartedRun } from "./documents.js"
 * @import { State } from "./types.js"
 */

const LIVE_MS = 300 // between two requests while a run is training
const IDLE_MS = 1500 // … and while it is not
const HURRY_MS = 5000 // how long to keep requesting quickly after a command
const SLOW_MS = 900 // between two requests for what changes more slowly
const ENDED = ["finished", "stopped", "failed", "interrupted"]
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
    /** @type {Moment | null} what is shown of the inside: now, or at the step to which the learner went back */
    this.moment = null
    /** @type {Gallery | null} */
    this.gallery = null
    /** @type {Inside | null} */
    this.seen = null
    /** @type {string | null} the version of the run when what changes slowly was requested last */
    this.looked = null
    this.verdict = "" // the version of the findings
    /** @type {ReportedFinding[]} */
    this.findings = []
    this.slow = 0 // when what changes slowly was requested last
    this.hurry = 0 // until when to request quickly
    /** @type {number | undefined} */
    this.timer = undefined
    this.closed = false
    /** @type {(state: State) => void} */
    this.ended = () => {}
    /** @type {(run: string) => void} */
    this.opened = () => {}
    /** @type {(to: string, step?: number) => void} */
    this.left = () => {}
    this.message = find(this.root, ".monitor-message")
    this.message.onclick = () => this.complain("")
    this.place = find(this.root, ".monitor-moment")
    this.parts = this.build()
    this.areLayersVisible = false
    this.observer = new IntersectionObserver(([entry]) => { this.areLayersVisible = entry.isIntersecting; if (entry.isIntersecting) this.refresh() }, { rootMargin: "0px 0px -10%" })
    this.observer.observe(find(this.root, ".monitor-layers"))
    this.root.onkeydown = (event) => { if (event.key === "Escape" && !event.defaultPrevented) this.parts.step.go(null) }
    this.onVisible = () => (document.hidden ? clearTimeout(this.timer) : this.look()) // a hidden tab costs nothing
    document.addEventListener("visibilitychange", this.onVisible)
  }

  build() {
    /** @param {string} name */
    const part = (name) => find(this.root, `.monitor-${name}`)
    const layers = new Layers(part("layers"), (path, query) => this.ask(path, query))
    const plots = { loss: find(this.root, "[data-plot=loss]"), accuracy: find(this.root, "[data-plot=accuracy]"), rate: layers.rate }
    const coach = new Coach((finding, remedy) => this.begin("/remedy", { finding, remedy }), (name, value) => this.press(name, value))
    part("advice").append(coach.box)
    const fork = new Fork((step, changes) => this.begin("/fork", { step, changes }))
    const network = new Network(part("uses"), (to, step) => this.left(to, step), (message) => this.complain(message))
    this.root.append(fork.box, network.atWork.box)
    const strip = new Strip(part("strip"), (step) => this.rewind(step))
    return {
      coach, fork, layers, network, strip,
      bar: new Bar(part("bar"), {
        command: (name, value) => this.press(name, value), replay: () => strip.replay(), rename: (name) => this.rename(name), open: (run) => this.opened(run), setUp: () => this.left("setup"),
      }),
      curves: new Curves(plots, part("axes"), () => this.look()),
      images: new Images(part("images"), find(this.root, "[data-fact=right]"), (index, name) => network.showImage(index, name)),
      inside: new InsideNow(part("inside"), (title, layer) => network.showLayer(title, layer)),
      step: new OneStep(part("lines"), part("inside"), part("drawing")),
    }
  }

  /** @param {Component<MonitorData>} component */
  update({ data, setTriggerValue, leave }) {
    this.data = data
    this.ended = (state) => setTriggerValue("ended", { run: data.run, state })
    this.opened = (run) => leave("opened", { run })
    this.left = (to, step = 0) => leave("left", { to, step })
    if (this.run !== data.run) this.begins(data)
    else if (this.shown) { // its name or the theme may have changed
      if (this.gallery) this.parts.images.open(this.gallery)
      this.show(this.shown)
      this.showMoment()
      this.parts.layers.draw()
    }
  }

  /** @param {MonitorData} data of another run than before */
  begins(data) {
    this.run = data.run
    this.shown = this.moment = this.gallery = this.seen = this.looked = null
    this.verdict = ""
    this.findings = []
    this.slow = 0
    this.message.hidden = true
    this.parts.coach.clear()
    this.parts.curves.clear()
    this.parts.images.clear()
    this.parts.inside.clear(data.layers)
    this.parts.step.clear(data)
    this.parts.layers.clear(data.layers)
    this.parts.strip.stop()
    this.parts.strip.go(null)
    this.fetchGallery(data.run).catch((error) => this.refused(error))
    this.look()
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
      this.root.dataset.run = run // whose state is shown
      if (!document.hidden) await this.lookInside()
    } catch (error) {
      this.refused(error)
    }
    if (run !== this.run || this.closed || document.hidden) return
    clearTimeout(this.timer)
    const live = ["running", "queued"].includes(this.shown?.state ?? "") || Date.now() < this.hurry
    this.timer = setTimeout(() => this.look(), live ? LIVE_MS : IDLE_MS)
  }

  // Fetch what changes more slowly: the coach, predictions and gradients, a step that was recorded, and the layers if they are in sight.
  async lookInside(now = false) {
    const { run, shown } = this
    if (!shown || !now && (this.looked === shown.version || (shown.state === "running" && Date.now() - this.slow < SLOW_MS))) return
    this.slow = Date.now()
    await Promise.all([this.lookAtCoach(run, shown), this.lookAtMoment(run), this.lookAtStep(run), this.areLayersVisible && this.lookAtLayers(run)])
    if (run === this.run) this.looked = shown.version
  }

  /**
   * @param {string} run
   * @param {LiveRun} shown
   */
  async lookAtCoach(run, shown) {
    /** @type {Judgement | null} */
    const judgement = await this.ask("/coach", { seen: this.verdict })
    if (run !== this.run) return
    if (judgement) {
      this.verdict = judgement.version
      this.findings = judgement.findings
      this.draw()
    }
    this.parts.coach.show(this.findings, shown.state, shown.message)
  }

  /** @param {string} run */
  async lookAtMoment(run) {
    const at = this.parts.strip.at
    /** @type {Query} */
    const query = { seen: this.moment?.version ?? "" }
    if (at !== null) query.at = at
    /** @type {Moment | null} */
    const moment = await this.ask("/moment", query)
    if (run !== this.run || at !== this.parts.strip.at) return
    if (moment) this.moment = moment
    this.showMoment()
  }

  /** @param {string} run whose images are shown as soon as they have come; nothing else waits for them */
  async fetchGallery(run) {
    /** @type {Gallery} */
    const gallery = await this.ask("/gallery")
    if (run !== this.run) return
    this.gallery = gallery
    this.parts.images.open(gallery)
    this.showMoment()
  }

  /** @param {string} run */
  async lookAtStep(run) {
    const { step } = this.parts
    /** @type {RecordedStep | null} */
    const recorded = await this.ask("/closeup", { seen: step.seen?.step ?? "" })
    if (recorded && run === this.run) step.record(recorded)
  }

  /** @param {string} run */
  async lookAtLayers(run) {
    /** @type {Inside | null} */
    const seen = await this.ask("/inside", { seen: this.seen?.version ?? "" })
    if (run !== this.run || document.hidden) return
    if (seen) this.seen = seen
    if (this.seen?.steps.length) this.parts.layers.show(run, this.seen)
  }

  async refresh() {
    await this.lookInside(true).catch((error) => this.refused(error))
  }

  /** @param {number | null} step to which the learner went back; null for now */
  rewind(step) {
    this.parts.curves.rewind(step)
    this.showFigures()
    this.showPlace()
    if (this.shown) this.lookAtMoment(this.run).catch((error) => this.refused(error))
  }

  /**
   * @param {string} name
   * @param {number | string} [value]
   */
  async press(name, value = 0) {
    if (name === "step") this.parts.step.expect()
    this.parts.strip.go(null)
    await this.command(name, value)
  }

  /**
   * The response; null where the server refuses.
   * @param {string} path
   * @param {Record<string, unknown>} body
   */
  async send(path, body) {
    const answer = await request(path, { body })
    if (!answer.error) return answer
    this.complain(answer.error)
    return null
  }

  /**
   * @param {string} command
   * @param {number | string} value
   */
  async command(command, value) {
    await this.send(`api/runs/${this.run}/command`, { command, value })
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
    const answer = await this.send(`api/runs/${this.run}${path}`, body)
    if (answer) this.opened(answer.run)
  }

  /** @param {string} name */
  async rename(name) {
    if (await this.send("api/compare/label", { run: this.run, name })) this.left("renamed")
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
    this.message.hidden = !message
    this.message.textContent = message
  }

  /** @param {LiveRun} shown */
  show(shown) {
    const before = this.shown?.state
    this.shown = shown
    const share = shown.total_steps ? shown.step / shown.total_steps : 0
    const progress = find(this.root, ".monitor-progress")
    progress.setAttribute("aria-valuenow", Math.round(100 * share))
    find(progress, "span").style.transform = `scaleX(${share})`
    if (before !== shown.state) this.complain("")
    this.draw()
    if (before && !ENDED.includes(before) && ENDED.includes(shown.state)) this.ended(shown.state)
  }

  draw() {
    const { shown, data } = this
    if (!shown || !data) return
    this.parts.bar.show(shown, data)
    this.parts.curves.show(shown, marks(shown, this.findings, data.optimizers))
    this.showFigures()
    this.showStrip(shown)
  }

  // The numbers of the moment that the page is at, and what can be done with the network of then.
  showFigures() {
    const { shown, data, parts: { images, inside, network, step, strip } } = this
    if (!shown || !data) return
    const now = figures(shown, strip.at)
    this.fact("loss", digits(now.loss) || "–")
    this.fact("accuracy", percent(now.accuracy, (now.accuracy ?? 0) > 0.985 ? 2 : 1))
    step.show(shown.state, now, this.moment)
    network.show(data, shown, strip.at)
    images.enable(network.isReady)
    inside.enable(network.isReady)
  }

  /** @param {LiveRun} shown */
  showStrip(shown) {
    const { axis } = this.parts.curves
    const place = (/** @type {number} */ step) => Math.min(1, (placeOf(axis, step, shown) ?? 0) / endOf(axis, shown))
    this.parts.strip.show({ snapshots: this.moment?.snapshots ?? [], checkpoints: shown.checkpoints, now: shown.step, place })
    this.showPlace()
  }

  // Beneath the accuracy: at which moment the page is, and what can be done from there.
  showPlace() {
    const { shown } = this
    const { at } = this.parts.strip
    const canFork = Boolean(shown?.checkpoints.length)
    const branch = html`<button type="button" class="monitor-small monitor-branch" ?disabled=${!canFork} title=${t("Start a new run that continues from a checkpoint")}
      @click=${(/** @type {any} */ event) => this.openFork(event.currentTarget)}>${t("Continue from here…")}</button>`
    draw(this.place, at === null
      ? html`<span class="monitor-note">${marked(t("Drag the handle to an earlier [[checkpoint]]."))}</span>${branch}`
      : html`<b>${t("step {step}", { step: grouped(at) })}</b><button type="button" class="monitor-small" @click=${() => { this.parts.strip.stop(); this.parts.strip.go(null) }}>${t("Back to now")}</button>${branch}`)
  }

  /** @param {Element} anchor */
  openFork(anchor) {
    const { shown, data } = this
    this.parts.strip.stop()
    if (shown && data) this.parts.fork.open(anchor, shown, data.config, data.optimizers, this.parts.strip.at)
  }

  showMoment() {
    const { moment, shown } = this
    if (!moment || !shown) return
    this.parts.images.show(moment.predictions)
    this.parts.inside.show(moment)
    this.showFigures()
    this.showStrip(shown)
  }

  /**
   * @param {string} name
   * @param {string} text
   */
  fact(name, text) {
    find(this.root, `[data-fact="${name}"]`).textContent = text
  }

  close() {
    this.closed = true
    clearTimeout(this.timer)
    document.removeEventListener("visibilitychange", this.onVisible)
    this.observer.disconnect()
    this.parts.network.close()
    this.parts.strip.stop()
    this.parts.step.close()
    this.parts.curves.close()
    this.parts.layers.close()
  }
}

export default mounting(Monitor)
