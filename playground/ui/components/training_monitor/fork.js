// A new run that continues from a checkpoint of this one, with other settings.

import "../shared/controls.js"
import { button, element } from "../shared/dom.js"
import { grouped } from "../shared/format.js"
import { placeBeside } from "../shared/placing.js"
import { t } from "../shared/text.js"
import { current } from "./facts.js"

/**
 * @import { LiveRun, RunSettings } from "./documents.js"
 * @import { ForkChanges } from "./types.js"
 */

export class Fork {
  /** @param {(step: number, changes: ForkChanges) => void} start */
  constructor(start) {
    this.config = { optimizer: "", epochs: 0 } // at the start of the run
    this.current = "" // optimizer of the run
    this.box = element("div", "monitor-popover monitor-fork")
    this.box.popover = "auto"
    this.step = element("pick-one")
    this.step.label = t("Checkpoint")
    this.rate = this.field(t("New learning rate"))
    this.optimizer = element("pick-one")
    this.optimizer.label = t("New optimizer")
    this.epochs = this.field(t("New total epochs"))
    const form = element("form")
    const go = button(t("Start a new run"), () => {
      this.box.hidePopover()
      start(Number(this.step.value), changes({ rate: this.rate.value, optimizer: this.optimizer.value, epochs: this.epochs.value }, this.current, this.config))
    }, { name: "primary" })
    form.onsubmit = (event) => { event.preventDefault(); go.click() }
    this.rateTitle = element("span")
    for (const [title, control] of /** @type {[string | HTMLElement, HTMLElement][]} */ ([[t("Checkpoint"), this.step], [this.rateTitle, this.rate], [t("Optimizer"), this.optimizer], [t("Total epochs"), this.epochs]])) {
      const label = element("label")
      label.append(title, control)
      form.append(label)
    }
    form.append(go)
    this.box.append(element("p", "monitor-note", t("A new run continues from this checkpoint. The current run stays unchanged.")), form)
  }

  /** @param {string} label */
  field(label) {
    const input = element("input")
    Object.assign(input, { type: "number", min: 0, step: "any" })
    input.setAttribute("aria-label", label)
    return input
  }

  /**
   * @param {Element} anchor what was pressed
   * @param {LiveRun} shown
   * @param {RunSettings} config
   * @param {[string, string][]} optimizers
   * @param {number | null} at the step to continue from, or the checkpoint before it; null for the last
   */
  open(anchor, shown, config, optimizers, at) {
    const now = current(shown, config)
    this.config = config
    this.current = now.optimizer
    const epoch = (/** @type {number} */ step) => Number((step / (shown.per_epoch || 1)).toFixed(2))
    this.step.options = shown.checkpoints.map((step) => ({ value: String(step), title: t("step {step} · epoch {epoch}", { step: grouped(step), epoch: epoch(step) }) }))
    this.step.value = String(checkpointAt(shown.checkpoints, at))
    this.rate.value = String(now.peak)
    this.rateTitle.textContent = config.schedule ? t("Learning rate, peak") : t("Learning rate")
    this.optimizer.options = optimizers.map(([value, title]) => ({ value, title }))
    this.optimizer.value = now.optimizer
    this.epochs.value = String(config.epochs)
    this.box.showPopover()
    placeBeside(this.box, anchor)
  }
}

/**
 * The last checkpoint up to a step, or the first one.
 * @param {number[]} checkpoints
 * @param {number | null} at
 */
export const checkpointAt = (checkpoints, at) => checkpoints.findLast((step) => at === null || step <= at) ?? checkpoints[0]

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
