// Changes a run during training: another learning rate or optimizer, or a fork from a checkpoint as a new run.

import { element } from "../shared/dom.js"

export class Steering {
  // `command(name, value)` and `fork(step, changes)` send a request to the server.
  constructor(command, fork) {
    this.box = element("div", "monitor-steering")
    this.rate = this.field("Learning rate", "any")
    this.optimizer = element("select")
    this.apply = this.button("Change", async () => {
      if (this.rate.value && Number(this.rate.value) !== this.peak) await command("learning-rate", Number(this.rate.value))
      if (this.optimizer.value !== this.current) await command("optimizer", this.optimizer.value)
    })
    this.live = element("form", "monitor-tools")
    this.live.onsubmit = (event) => { event.preventDefault(); this.apply.click() }
    this.live.append(this.labelled("Learning rate", this.rate), this.labelled("Optimizer", this.optimizer), this.apply)
    this.back = element("details", "monitor-back")
    this.step = element("select")
    this.newRate = this.field("New learning rate", "any")
    this.newOptimizer = element("select")
    this.newEpochs = this.field("New total epochs", "any")
    const go = this.button("Start a new run", () => fork(Number(this.step.value), this.changes()))
    const form = element("form", "monitor-tools")
    form.onsubmit = (event) => { event.preventDefault(); go.click() }
    form.append(this.labelled("Checkpoint", this.step), this.labelled("Learning rate", this.newRate), this.labelled("Optimizer", this.newOptimizer), this.labelled("Total epochs", this.newEpochs), go)
    this.back.append(element("summary", "", "Go back to a checkpoint"), element("p", "monitor-hint", "A new run continues from this checkpoint. The current run stays unchanged."), form)
    this.box.append(this.live, this.back)
  }

  field(label, step) {
    const input = element("input")
    Object.assign(input, { type: "number", min: 0, step })
    input.setAttribute("aria-label", label)
    return input
  }

  labelled(text, input) {
    const label = element("label", "", text)
    label.append(input)
    return label
  }

  button(text, act) {
    const made = element("button", "", text)
    made.type = "button"
    made.onclick = act
    return made
  }

  // `facts`: the run's configuration and the optimizers that there are.
  show(run, shown, { optimizers, config }) {
    const fresh = this.run !== run
    if (fresh) {
      for (const select of [this.optimizer, this.newOptimizer]) select.replaceChildren(...optimizers.map(([name, title]) => new Option(title, name)))
      this.newEpochs.value = config.epochs
      this.back.open = false
      this.config = config
    }
    const changed = shown.changes.filter((change) => change.learning_rate !== undefined).at(-1)?.learning_rate ?? config.learning_rate
    const optimizer = shown.optimizer || config.optimizer
    if (fresh || changed !== this.peak) this.rate.value = this.newRate.value = changed
    if (fresh || optimizer !== this.current) this.optimizer.value = this.newOptimizer.value = optimizer
    Object.assign(this, { run, peak: changed, current: optimizer })
    this.live.hidden = !shown.steerable || !["running", "paused"].includes(shown.state)
    const kept = shown.checkpoints
    this.back.hidden = kept.length === 0
    if (String(kept) !== this.kept) {
      const chosen = this.step.value
      this.step.replaceChildren(...kept.map((step) => new Option(`step ${step.toLocaleString("en")} · epoch ${Number((step / (shown.per_epoch || 1)).toFixed(2))}`, step)))
      if (kept.includes(Number(chosen)) && !fresh) this.step.value = chosen
      this.kept = String(kept)
    }
  }

  // The settings of the fork that differ from those at the start of this run.
  changes() {
    const changes = {}
    if (this.newRate.value) changes.learning_rate = Number(this.newRate.value)
    if (this.newOptimizer.value !== this.config.optimizer || this.current !== this.config.optimizer) changes.optimizer = this.newOptimizer.value
    if (Number(this.newEpochs.value) !== this.config.epochs) changes.epochs = Number(this.newEpochs.value)
    return changes
  }
}
