// One training step in detail: the five lines of every training loop, and what each did.

import { bytesOf, paint } from "../shared/bytes.js"
import { button, element, find } from "../shared/dom.js"
import { exact, grouped, percent } from "../shared/format.js"
import { plural, t } from "../shared/text.js"

/**
 * @import { Example, MonitorData, Parameter, ShownStep } from "./documents.js"
 * @import { Ask, State } from "./types.js"
 */

const LINES = [
  ["optimizer.zero_grad()", t("The gradients of the previous step are cleared. Without this line, they would add up.")],
  ["logits = network(images)", t("The batch passes through all layers. Each image gets one score per class: the logits.")],
  ["loss = loss_function(logits, labels)", t("How wrong is the prediction for each image? The loss of the batch is the mean.")],
  ["loss.backward()", t("For each weight: would raising it raise the loss, and by how much? That is its gradient.")],
  ["optimizer.step()", t("Every weight takes a small step against its gradient.")],
]

/** @param {number | null | undefined} value */
const number = (value, digits = 4) => (value === null || value === undefined ? "–" : exact(value, digits))

export class OneStep {
  /**
   * @param {Ask} ask
   * @param {() => void} step trains one more step
   */
  constructor(ask, step) {
    this.ask = ask
    this.line = 0
    this.run = ""
    /** @type {ShownStep | null} */
    this.seen = null
    /** @type {string[]} */
    this.classes = []
    this.betas = [0, 0]
    this.precision = ""
    this.box = element("div", "monitor-step")
    this.hint = element("p", "monitor-hint")
    this.code = element("ol", "monitor-code")
    this.code.append(...LINES.map(([text], index) => {
      const item = element("li")
      item.append(button(text, () => this.go(index)))
      return item
    }))
    this.before = button(t("← Previous line"), () => this.go(this.line - 1))
    this.next = button(t("Next line →"), () => this.go(this.line + 1))
    this.another = button(t("Take one more step"), step)
    const tools = element("div", "monitor-tools")
    tools.append(this.before, this.next, this.another)
    this.explanation = element("p", "monitor-explanation")
    this.shown = element("div", "monitor-shown")
    this.body = element("div", "monitor-microscope")
    const left = element("div")
    left.append(this.code, tools)
    const right = element("div")
    right.append(this.explanation, this.shown)
    this.body.append(left, right)
    this.box.append(this.hint, this.body)
    this.body.hidden = true
  }

  /**
   * @param {string} run
   * @param {State} state
   * @param {Pick<MonitorData, "classes" | "config">} facts
   * @param {boolean} steerable
   */
  async show(run, state, { classes, config }, steerable) {
    if (this.run !== run) this.seen = null
    this.run = run
    this.classes = classes
    this.betas = config.betas
    this.precision = config.precision
    /** @type {ShownStep | null} */
    const closeup = await this.ask("/closeup", { seen: this.seen?.step ?? "" })
    if (run !== this.run) return
    if (closeup) { this.seen = closeup; this.go(0) }
    this.another.hidden = state !== "paused" || !steerable
    this.body.hidden = !this.seen
    this.hint.textContent = this.seen ? summary(this.seen) : ["running", "paused", "queued"].includes(state)
      ? t("Pause the run, then press Step: the network trains on one batch, and this view shows everything that happens.")
      : t("This view shows single steps of a paused run. This run has ended.")
  }

  /** @param {number} line */
  go(line) {
    if (!this.seen) return
    this.line = Math.max(0, Math.min(LINES.length - 1, line))
    ;[...this.code.children].forEach((item, index) => {
      item.classList.toggle("lit", index === this.line)
      find(item, "button").setAttribute("aria-current", index === this.line ? "step" : "false")
    })
    this.before.disabled = this.line === 0
    this.next.disabled = this.line === LINES.length - 1
    this.explanation.textContent = LINES[this.line][1]
    this.shown.replaceChildren(...[this.erased, this.forward, this.losses, this.gradients, this.updates][this.line].call(this, this.seen))
  }

  /** @param {ShownStep} seen */
  erased({ erased, types }) {
    const rows = erased.flatMap((norm, index) => (norm === null ? [] : [[`${index} ${types[index]}`, number(norm)]]))
    if (!rows.length) return [element("p", "", t("This was the first step: there were no gradients yet."))]
    return [table([t("Layer"), t("Norm of the cleared gradient")], rows)]
  }

  /** @param {ShownStep} seen */
  forward(seen) {
    const { layers, types, input, batch, labels } = seen
    const rows = layers.map((layer, index) => [`${index} ${types[index]}`, `(${[batch, ...layer.shape].join(", ")})`, number(layer.output.mean, 3), number(layer.output.std, 3), percent(layer.output.zeros, 0)])
    const into = [t("images"), `(${[batch, ...seen.shape.slice(1)].join(", ")})`, number(input.mean, 3), number(input.std, 3), percent(input.zeros, 0)]
    const autocast = t("This run uses {precision}: the call is inside a block “with torch.autocast(…)”.", { precision: this.precision })
    const rounded = this.precision === "float32" ? [] : [element("p", "monitor-hint", autocast)]
    const head = [t("Output of"), t("Shape"), t("Mean"), t("Standard deviation"), t("Zeros")]
    return [...rounded, this.images(seen, (index) => this.classes[labels[index]]), table(head, [into, ...rows])]
  }

  /** @param {ShownStep} seen */
  losses(seen) {
    const { losses, probabilities, labels, loss, before, after, batch } = seen
    const order = losses.map((_, index) => index).sort((one, other) => (losses[other] ?? 0) - (losses[one] ?? 0))
    const cards = this.images(seen, (index) => {
      const right = labels[index]
      const shares = probabilities[index].map((share) => share ?? NaN)
      const predicted = shares.indexOf(Math.max(...shares))
      return t("{mark} {class} · loss {loss}", { mark: predicted === right ? "✓" : "✗", class: this.classes[right], loss: number(losses[index], 3) })
    }, order)
    const worst = order[0]
    const chance = probabilities[worst][labels[worst]]
    const highest = t("For the image with the highest loss, the probability of the true class is {probability}: loss = −ln {probability} = {loss}.", {
      probability: number(chance, 3), loss: number(chance === null ? null : -Math.log(chance), 3),
    })
    const mean = plural("The mean over {n} image is {loss}.", "The mean over all {n} images is {loss}.", batch, { loss: number(loss) })
    const again = t("The same batch after the step, dropout off: {before} → {after}.", { before: number(before), after: number(after) })
    return [cards, element("p", "monitor-sum", `${highest} ${mean}`), element("p", "monitor-sum", again)]
  }

  /** @param {ShownStep} seen */
  gradients(seen) {
    const rows = parameters(seen).map(({ name, shape, weight, gradient }) => [name, `(${shape.join(", ")})`, number(weight), number(gradient)])
    return [table([t("Parameter"), t("Shape"), t("Norm of the values"), t("Norm of the gradient")], rows)]
  }

  /** @param {ShownStep} seen */
  updates(seen) {
    const all = parameters(seen)
    const rows = all.map(({ name, gradient, update, weight }) => [name, number(gradient), number(update), number(update !== null && weight ? update / weight : null, 2)])
    const size = (/** @type {Parameter} */ { example }) => Math.abs(example.update ?? 0)
    const { name, example } = all.reduce((most, each) => (size(each) > size(most) ? each : most))
    const box = element("div", "monitor-sum")
    box.append(element("b", "", t("{element}, the parameter with the largest update", { element: `${name}[${example.place.join(", ")}]` })))
    box.append(...arithmetic(example, seen.optimizer, seen.learning_rate, this.betas).map((line) => element("div", "", line)))
    return [table([t("Parameter"), t("Norm of the gradient"), t("Norm of the update"), t("Update ÷ values")], rows), box]
  }

  /**
   * The images of the batch, in their order if no other is given.
   * @param {ShownStep} seen
   * @param {(index: number) => string} text beneath an image
   * @param {Iterable<number>} [order]
   */
  images({ shape, pixels, labels }, text, order = labels.keys()) {
    const bytes = bytesOf(pixels)
    const grid = element("div", "monitor-batch")
    for (const index of order) {
      const figure = element("figure")
      figure.append(paint(bytes, index, shape.slice(1), 48 / shape[3], { label: this.classes[labels[index]] }), element("figcaption", "", text(index)))
      grid.append(figure)
    }
    return grid
  }
}

/** @param {ShownStep} seen */
function summary({ step, batch, learning_rate: rate }) {
  const values = { step: grouped(step), rate: number(rate, 3) }
  return plural("Step {step}: a batch of {n} image, learning rate {rate}.", "Step {step}: a batch of {n} images, learning rate {rate}.", batch, values)
}

/**
 * All parameters, each with its name in the network.
 * @param {Pick<ShownStep, "layers">} seen
 */
export const parameters = ({ layers }) => layers.flatMap((layer, index) => layer.parameters.map((one) => ({ ...one, name: `${index}.${one.name}` })))

/**
 * The optimizer's formula in the numbers of one element, line by line.
 * @param {Omit<Example, "place">} example
 * @param {string} optimizer
 * @param {number | null} learningRate
 * @param {number[]} betas
 */
export function arithmetic({ before, gradient, update, after, memory: { mean, square, momentum, step } }, optimizer, learningRate, betas) {
  const rate = number(learningRate, 3)
  const values = { rate, gradient: number(gradient), update: number(update) }
  const lines = [t("gradient g = {gradient}", values)]
  if (optimizer === "sgd" && momentum !== undefined) {
    lines.push(
      t("momentum v = {momentum}, from earlier gradients and this one", { momentum: number(momentum) }),
      t("update = −learning rate × v = −{rate} × {momentum} ≈ {update}", { ...values, momentum: number(momentum) }),
    )
  } else if (optimizer === "sgd") lines.push(t("update = −learning rate × g = −{rate} × {gradient} = {update}", values))
  else if (mean != null && square != null && step != null && optimizer !== "nadam") {
    // Kingma and Ba, Adam, https://arxiv.org/abs/1412.6980, algorithm 1.
    const [first, second] = betas.map((beta) => 1 - beta ** step)
    const [m, v] = [mean / first, square / second]
    const ofMean = { mean: number(mean), weight: number(first), corrected: number(m) }
    const ofSquare = { square: number(square), weight: number(second), corrected: number(v) }
    lines.push(
      t("running mean of g: m = {mean}, corrected for its start at 0: m̂ = m ÷ {weight} = {corrected}", ofMean),
      t("running mean of g²: v = {square}, corrected: v̂ = v ÷ {weight} = {corrected}", ofSquare),
      t("update = −learning rate × m̂ ÷ (√v̂ + ε) = −{rate} × {mean} ÷ {root} = {update}", { ...values, mean: number(m), root: number(Math.sqrt(v)) }),
    )
  } else {
    if (square !== undefined) lines.push(t("running mean of g²: v = {square}", { square: number(square) }))
    lines.push(t("update = {update}, learning rate {rate}", values))
  }
  return [...lines, t("new value = {before} + ({update}) = {after}", { before: number(before, 6), update: number(update, 4), after: number(after, 6) })]
}

/**
 * @param {string[]} head
 * @param {string[][]} rows
 */
function table(head, rows) {
  const box = element("div", "monitor-scroll")
  const made = element("table", "monitor-table")
  /** @type {(cells: string[], kind: "td" | "th") => HTMLElement} */
  const line = (cells, kind) => { const row = element("tr"); row.append(...cells.map((text, index) => element(index ? kind : "th", "", text))); return row }
  made.append(line(head, "th"), ...rows.map((cells) => line(cells, "td")))
  box.append(made)
  return box
}
