// The bar above a run: start and pause it, its name and state, the learning rate and the optimizer as they are now. Everything has its fixed place.

import "../shared/controls.js"
import { grouped } from "../shared/format.js"
import { draw, html, live, nothing } from "../shared/templates.js"
import { marked } from "../shared/term.js"
import { t } from "../shared/text.js"
import { current, learningRate, status } from "./facts.js"

/**
 * @import { LiveRun, MonitorData } from "./documents.js"
 * @import { State } from "./types.js"
 */

/** @typedef {"pause" | "resume" | "replay"} MainAction */

const RATES = { min: 1e-5, max: 10 } // what the slider reaches
/** @type {Record<State, MainAction | null>} what the first button does */
const ACTIONS = { queued: null, running: "pause", paused: "resume", stopped: "resume", interrupted: "resume", failed: "replay", finished: "replay" }
/** @type {Record<MainAction, { sign: string, text: string, explains: string }>} */
const MAIN = {
  pause: { sign: "❚❚", text: t("Pause"), explains: t("Pause the training") },
  resume: { sign: "▶", text: t("Resume"), explains: t("Continue the training") },
  replay: { sign: "▶", text: t("Replay"), explains: t("Watch the recorded training again") },
}
const STOPPABLE = ["queued", "running", "paused"]
const LIVE = ["running", "paused"]

export class Bar {
  /**
   * @param {HTMLElement} box
   * @param {{ command: (name: string, value?: number | string) => void, replay: () => void, rename: (name: string) => void, open: (run: string) => void, setUp: () => void }} act
   */
  constructor(box, act) {
    this.box = box
    this.act = act
  }

  /**
   * @param {LiveRun} shown
   * @param {MonitorData} data
   */
  show(shown, data) {
    const action = ACTIONS[shown.state]
    const main = MAIN[action ?? "pause"]
    const isLive = shown.steerable && LIVE.includes(shown.state)
    const mayPress = action === "replay" ? shown.step > 0 : action !== null && shown.steerable
    draw(this.box, html`
      <div class="monitor-go">
        <button type="button" class="primary monitor-main" title=${main.explains} ?disabled=${!mayPress}
          @click=${() => (action === "replay" ? this.act.replay() : this.act.command(action ?? ""))}><i aria-hidden="true">${main.sign}</i> ${main.text}</button>
        <button type="button" class="monitor-one" title=${t("Train on one batch, show every part of that step, then pause")} ?disabled=${!isLive}
          @click=${() => this.act.command("step")}><i aria-hidden="true">❚▸</i> ${t("Step")}</button>
        <button type="button" class="monitor-stop" title=${t("Stop")} aria-label=${t("Stop")} ?disabled=${!shown.steerable || !STOPPABLE.includes(shown.state)}
          @click=${() => this.act.command("stop")}><i aria-hidden="true">■</i></button>
        <span class="monitor-state" role="status" data-state=${shown.state}>${status(shown)}</span>
      </div>
      <div class="monitor-who">${this.name(data, shown)}</div>
      ${this.rate(shown, data, isLive)}
      <pick-one class="monitor-optimizer" label=${t("Optimizer")} .options=${data.optimizers.map(([value, title]) => ({ value, title }))} .value=${live(current(shown, data.config).optimizer)}
        ?disabled=${!isLive || data.optimizers.length < 2} @change=${(/** @type {any} */ event) => this.act.command("optimizer", event.target.value)}></pick-one>
      <button type="button" class="monitor-setup" @click=${this.act.setUp}>${t("Set up a new run")}</button>
    `)
  }

  /**
   * @param {MonitorData} data
   * @param {LiveRun} shown
   */
  name({ name }, { step, per_epoch: each, total_steps: total, images_per_second: speed, parent, steerable }) {
    const epoch = step && each ? marked(t("[[Epoch|epoch]] {done} of {all}", { done: (step / each).toFixed(1), all: Number((total / each).toFixed(2)) })) : ""
    return html`
      <input class="monitor-name" aria-label=${t("Name of the run")} title=${name} maxlength="80" .value=${name} ?readonly=${!steerable}
        @change=${(/** @type {any} */ event) => this.act.rename(event.target.value)} @keydown=${(/** @type {any} */ event) => { if (event.key === "Enter") event.target.blur() }}>
      <p class="monitor-note"><span data-fact="epoch">${epoch}</span>${speed ? html`<span>${t("{number} images/s", { number: grouped(Math.round(speed)) })}</span>` : nothing}${parent
        ? html`<a class="monitor-parent" href=${`train?run=${parent.run}`} @click=${(/** @type {Event} */ event) => { event.preventDefault(); this.act.open(parent.run) }}>${t("Forked from another run at step {step}", { step: grouped(parent.step) })}</a>`
        : nothing}</p>`
  }

  /**
   * The learning rate as it is now. The slider sets its peak where a schedule changes it.
   * @param {LiveRun} shown
   * @param {MonitorData} data
   * @param {boolean} isLive
   */
  rate(shown, { config }, isLive) {
    const { peak } = current(shown, config)
    const now = config.schedule ? (shown.learning_rate ?? peak) : peak
    const explains = config.schedule ? t("The schedule “{schedule}” changes the learning rate during the run. The slider sets its peak.", { schedule: config.schedule }) : t("Takes effect when you let go of the slider.")
    return html`<div class="monitor-rate" title=${explains}>
      <span>${marked(t("[[Learning rate|learning rate]]"))} <b data-fact="learning_rate">${learningRate(now)}</b>${config.schedule ? html`<small>${t("peak {rate}", { rate: learningRate(peak) })}</small>` : nothing}</span>
      <slide-bar label=${t("Learning rate")} scale="log" min=${RATES.min} max=${RATES.max} .value=${peak} ?disabled=${!isLive}
        @change=${(/** @type {any} */ event) => this.act.command("learning-rate", event.target.value)}></slide-bar>
    </div>`
  }
}
