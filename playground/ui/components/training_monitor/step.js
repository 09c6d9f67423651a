// One training step in detail: the five lines of every training loop, and what each did.

import { bytesOf, paint } from "../shared/bytes.js"
import { element } from "../shared/dom.js"
import { exact, percent } from "../shared/format.js"

const LINES = [
  ["optimizer.zero_grad()", "The gradients of the previous step are cleared. Without this line, they would add up."],
  ["logits = network(images)", "The batch passes through all layers. Each image gets one score per class: the logits."],
  ["loss = loss_function(logits, labels)", "How wrong is the prediction for each image? The loss of the batch is the mean."],
  ["loss.backward()", "For each weight: would raising it raise the loss, and by how much? That is its gradient."],
  ["optimizer.step()", "Every weight takes a small step against its gradient."],
]

const number = (value, digits = 4) => (value === null || value === undefined ? "–" : exact(value, digits))

export class OneStep {
  // `ask(path)` fetches data of the run; `step` trains one more step.
  constructor(ask, step) {
    this.ask = ask
    this.line = 0
    this.box = element("div", "monitor-step")
    this.hint = element("p", "monitor-hint")
    this.code = element("ol", "monitor-code")
    this.code.append(...LINES.map(([text], index) => {
      const item = element("li")
      const button = element("button", "", text)
      button.type = "button"
      button.onclick = () => this.go(index)
      item.append(button)
      return item
    }))
    this.before = this.button("← Previous line", () => this.go(this.line - 1))
    this.next = this.button("Next line →", () => this.go(this.line + 1))
    this.another = this.button("Take one more step", step)
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

  button(text, act) {
    const made = element("button", "", text)
    made.type = "button"
    made.onclick = act
    return made
  }

  // `facts`: the classes of the data set and the run's configuration.
  async show(run, state, { classes, config }, steerable) {
    if (this.run !== run) this.seen = null
    Object.assign(this, { run, classes, betas: config.betas, precision: config.precision })
    const closeup = await this.ask("/closeup", { seen: this.seen?.step ?? "" })
    if (run !== this.run) return
    if (closeup) { this.seen = closeup; this.go(0) }
    this.another.hidden = state !== "paused" || !steerable
    this.body.hidden = !this.seen
    this.hint.textContent = this.seen
      ? `Step ${this.seen.step.toLocaleString("en")}: a batch of ${this.seen.batch} images, learning rate ${number(this.seen.learning_rate, 3)}.`
      : ["running", "paused", "queued"].includes(state) ? "Pause the run, then press Step: the network trains on one batch, and this view shows everything that happens." : "This view shows single steps of a paused run. This run has ended."
  }

  go(line) {
    this.line = Math.max(0, Math.min(LINES.length - 1, line))
    ;[...this.code.children].forEach((item, index) => {
      item.classList.toggle("lit", index === this.line)
      item.firstChild.setAttribute("aria-current", index === this.line ? "step" : "false")
    })
    this.before.disabled = this.line === 0
    this.next.disabled = this.line === LINES.length - 1
    this.explanation.textContent = LINES[this.line][1]
    this.shown.replaceChildren(...[this.erased, this.forward, this.losses, this.gradients, this.updates][this.line].call(this))
  }

  erased() {
    const { erased, types } = this.seen
    const rows = erased.map((norm, index) => [`${index} ${types[index]}`, norm]).filter(([, norm]) => norm !== null)
    if (!rows.length) return [element("p", "", "This was the first step: there were no gradients yet.")]
    return [table(["Layer", "Norm of the cleared gradient"], rows.map(([name, norm]) => [name, number(norm)]))]
  }

  forward() {
    const { layers, types, input } = this.seen
    const rows = layers.map((layer, index) => [`${index} ${types[index]}`, `(${[this.seen.batch, ...layer.shape].join(", ")})`, number(layer.output.mean, 3), number(layer.output.std, 3), percent(layer.output.zeros, 0)])
    const into = ["images", `(${[this.seen.batch, ...this.seen.shape.slice(1)].join(", ")})`, number(input.mean, 3), number(input.std, 3), percent(input.zeros, 0)]
    const rounded = this.precision === "float32" ? [] : [element("p", "monitor-hint", `This run uses ${this.precision}: the call is inside a block “with torch.autocast(…)”.`)]
    return [...rounded, this.images((index) => `${this.classes[this.seen.labels[index]]}`), table(["Output of", "Shape", "Mean", "Standard deviation", "Zeros"], [into, ...rows])]
  }

  losses() {
    const { losses, probabilities, labels, loss, before, after, batch } = this.seen
    const order = losses.map((_, index) => index).sort((one, other) => losses[other] - losses[one])
    const cards = this.images((index) => {
      const right = labels[index]
      const predicted = probabilities[index].indexOf(Math.max(...probabilities[index]))
      return `${predicted === right ? "✓" : "✗"} ${this.classes[right]} · loss ${number(losses[index], 3)}`
    }, order)
    const worst = order[0]
    const chance = probabilities[worst][labels[worst]]
    const sum = element("p", "monitor-sum", `For the image with the highest loss, the probability of the true class is ${number(chance, 3)}: loss = −ln ${number(chance, 3)} = ${number(-Math.log(chance), 3)}. The mean over all ${batch} images is ${number(loss)}.`)
    const again = element("p", "monitor-sum", `The same batch after the step, dropout off: ${number(before)} → ${number(after)}.`)
    return [cards, sum, again]
  }

  gradients() {
    const rows = this.parameters().map(([name, one]) => [name, `(${one.shape.join(", ")})`, number(one.weight), number(one.gradient)])
    return [table(["Parameter", "Shape", "Norm of the values", "Norm of the gradient"], rows)]
  }

  updates() {
    const rows = this.parameters().map(([name, one]) => [name, number(one.gradient), number(one.update), one.weight ? number(one.update / one.weight, 2) : "–"])
    const [name, largest] = this.parameters().reduce((most, each) => (Math.abs(each[1].example.update) > Math.abs(most[1].example.update) ? each : most))
    return [table(["Parameter", "Norm of the gradient", "Norm of the update", "Update ÷ values"], rows), this.arithmetic(name, largest)]
  }

  // The parameter with the largest update, with the optimizer's formula in numbers.
  arithmetic(name, { example }) {
    const { optimizer } = this.seen
    const rate = number(this.seen.learning_rate, 3)
    const { memory } = example
    const box = element("div", "monitor-sum")
    box.append(element("b", "", `${name}[${example.place.join(", ")}], the parameter with the largest update`))
    const lines = [`gradient g = ${number(example.gradient)}`]
    if (optimizer === "sgd" && memory.momentum !== undefined) lines.push(`momentum v = ${number(memory.momentum)}, from earlier gradients and this one`, `update = −learning rate × v = −${rate} × ${number(memory.momentum)} ≈ ${number(example.update)}`)
    else if (optimizer === "sgd") lines.push(`update = −learning rate × g = −${rate} × ${number(example.gradient)} = ${number(example.update)}`)
    else if (memory.mean !== undefined && memory.square !== undefined && optimizer !== "nadam") lines.push(...this.adam(memory, rate, example))
    else if (memory.square !== undefined) lines.push(`running mean of g²: v = ${number(memory.square)}`, `update = ${number(example.update)}, learning rate ${rate}`)
    else lines.push(`update = ${number(example.update)}, learning rate ${rate}`)
    lines.push(`new value = ${number(example.before, 6)} + (${number(example.update, 4)}) = ${number(example.after, 6)}`)
    box.append(...lines.map((line) => element("div", "", line)))
    return box
  }

  // Kingma and Ba, Adam, https://arxiv.org/abs/1412.6980, algorithm 1.
  adam({ mean, square, step }, rate, { update }) {
    const [first, second] = this.betas.map((beta) => 1 - beta ** step)
    const [m, v] = [mean / first, square / second]
    return [
      `running mean of g: m = ${number(mean)}, corrected for its start at 0: m̂ = m ÷ ${number(first)} = ${number(m)}`,
      `running mean of g²: v = ${number(square)}, corrected: v̂ = v ÷ ${number(second)} = ${number(v)}`,
      `update = −learning rate × m̂ ÷ (√v̂ + ε) = −${rate} × ${number(m)} ÷ ${number(Math.sqrt(v))} = ${number(update)}`,
    ]
  }

  parameters() {
    return this.seen.layers.flatMap((layer, index) => layer.parameters.map((one) => [`${index}.${one.name}`, one]))
  }

  images(text, order = null) {
    const { shape, pixels } = this.seen
    const bytes = bytesOf(pixels)
    const grid = element("div", "monitor-batch")
    for (const index of order ?? this.seen.labels.keys()) {
      const figure = element("figure")
      figure.append(paint(bytes, index, shape.slice(1), 48 / shape[3], { label: this.classes[this.seen.labels[index]] }), element("figcaption", "", text(index)))
      grid.append(figure)
    }
    return grid
  }
}

function table(head, rows) {
  const box = element("div", "monitor-scroll")
  const made = element("table", "monitor-table")
  const line = (cells, kind) => { const row = element("tr"); row.append(...cells.map((text, index) => element(index ? kind : "th", "", text))); return row }
  made.append(line(head, "th"), ...rows.map((cells) => line(cells, "td")))
  box.append(made)
  return box
}
