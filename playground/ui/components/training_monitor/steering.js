// Changes a run during training: another learning rate or optimizer, or a fork from a checkpoint as a new run.

import { button, element } from "../shared/dom.js"
import { grouped } from "../shared/format.js"
import { t } from "../shared/text.js"

/**
 * @import { LiveRun, MonitorData } from "./documents.js"
 * @import { ForkChanges } from "./types.js"
 */

export class Steering {
  /**
   * @param {(name: string, value: number | string) => Promise<void>} command sends a request to the server …
   * @param {(step: number, changes: ForkChanges) => void} fork … as does this one
   */
  constructor(command, fork) {
    this.run = ""
    this.start = { optimizer: "", epochs: 0 } // of this run
    /** @type {number | undefined} the learning rate as it is now, with a schedule its peak */
    this.peak = undefined
    this.current = "" // optimizer
    this.kept = "" // checkpoints
    this.box = element("div", "monitor-steering")
    this.rate = this.field(t("Learning rate"), "any")
    this.optimizer = element("select")
    this.apply = button(t("Change"), async () => {
      if (this.rate.value && Number(this.rate.value) !== this.peak) await command("learning-rate", Number(this.rate.value))
      if (this.optimizer.value !== this.current) await command("optimizer", this.optimizer.value)
    })
    this.live = element("form", "monitor-tools")
    this.live.onsubmit = (event) => { event.preventDefault(); this.apply.click() }
    this.live.append(this.labelled(t("Learning rate"), this.rate), this.labelled(t("Optimizer"), this.optimizer), this.apply)
    this.back = element("details", "monitor-back")
    this.step = element("select")
    this.newRate = this.field(t("New learning rate"), "any")
    this.newOptimizer = element("select")
    this.newEpochs = this.field(t("New total epochs"), "any")
    const go = button(t("Start a new run"), () => {
      const settings = { rate: this.newRate.value, optimizer: this.newOptimizer.value, epochs: this.newEpochs.value }
      fork(Number(this.step.value), changes(settings, this.current, this.start))
    })
    const form = element("form", "monitor-tools")
    form.onsubmit = (event) => { event.preventDefault(); go.click() }
    form.append(this.labelled(t("Checkpoint"), this.step), this.labelled(t("Learning rate"), this.newRate))
    form.append(this.labelled(t("Optimizer"), this.newOptimizer), this.labelled(t("Total epochs"), this.newEpochs), go)
    const hint = element("p", "monitor-hint", t("A new run continues from this checkpoint. The current run stays unchanged."))
    this.back.append(element("summary", "", t("Go back to a checkpoint")), hint, form)
    this.box.append(this.live, this.back)
  }

  /**
   * @param {string} label
   * @param {string} step
   */
  field(label, step) {
    const input = element("input")
    Object.assign(input, { type: "number", min: 0, step })
    input.setAttribute("aria-label", label)
    return input
  }

  /**
   * @param {string} text
   * @param {HTMLElement} input
   */
  labelled(text, input) {
    const label = element("label", "", text)
    label.append(input)
    return label
  }

  /**
   * @param {string} run
   * @param {LiveRun} shown
   * @param {Pick<MonitorData, "config" | "optimizers">} facts
   */
  show(run, shown, { optimizers, config }) {
    const fresh = this.run !== run
    if (fresh) {
      for (const select of [this.optimizer, this.newOptimizer]) select.replaceChildren(...optimizers.map(([name, title]) => new Option(title, name)))
      this.newEpochs.value = String(config.epochs)
      this.back.open = false
      this.start = config
    }
    const changed = shown.changes.findLast((change) => "learning_rate" in change)?.learning_rate ?? config.learning_rate
    const optimizer = shown.optimizer || config.optimizer
    if (fresh || changed !== this.peak) this.rate.value = this.newRate.value = String(changed)
    if (fresh || optimizer !== this.current) this.optimizer.value = this.newOptimizer.value = optimizer
    this.run = run
    this.peak = changed
    this.current = optimizer
    this.live.hidden = !shown.steerable || !["running", "paused"].includes(shown.state)
    const kept = shown.checkpoints
    this.back.hidden = kept.length === 0
    if (String(kept) !== this.kept) {
      const chosen = this.step.value
      const epoch = (/** @type {number} */ step) => Number((step / (shown.per_epoch || 1)).toFixed(2))
      this.step.replaceChildren(...kept.map((step) => new Option(t("step {step} · epoch {epoch}", { step: grouped(step), epoch: epoch(step) }), String(step))))
      if (kept.includes(Number(chosen)) && !fresh) this.step.value = chosen
      this.kept = String(kept)
    }
  }
}

/**
 * The settings of the fork that differ from those at the start of this run.
 * @param {{ rate: string, optimizer: string, epochs: string }} settings as they are in the fields
 * @param {string} current optimizer of this run
 * @param {{ optimizer: string, epochs: number }} start
 */
export function changes({ rate, optimizer, epochs }, current, start) {
  /** @type {ForkChanges} */
  const changed = {}
  if (rate) changed.learning_rate = Number(rate)
  if (optimizer !== start.optimizer || current !== start.optimizer) changed.optimizer = optimizer
  if (Number(epochs) !== start.epochs) changed.epochs = Number(epochs)
  return changed
}
