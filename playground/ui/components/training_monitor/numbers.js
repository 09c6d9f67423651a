// What each of the five lines of a step did, in numbers: norms, shapes, and the arithmetic of one parameter.

import { element } from "../shared/dom.js"
import { exact, percent } from "../shared/format.js"
import { t } from "../shared/text.js"

/** @import { Example, Parameter, RecordedStep } from "./documents.js" */

/** @param {number | null | undefined} value */
export const number = (value, digits = 4) => (value === null || value === undefined ? "–" : exact(value, digits))

/**
 * The tables of the five lines.
 * @type {((seen: RecordedStep, titles: string[]) => HTMLElement)[]}
 */
export const TABLES = [erased, outputs, losses, gradients, updates]

/**
 * @param {RecordedStep} seen
 * @param {string[]} titles
 */
function erased({ erased: norms }, titles) {
  return table([t("Layer"), t("Norm of the cleared gradient")], norms.flatMap((norm, index) => (norm === null ? [] : [[`${index} ${titles[index]}`, number(norm)]])))
}

/**
 * @param {RecordedStep} seen
 * @param {string[]} titles
 */
function outputs({ layers, input, batch, shape }, titles) {
  const rows = layers.map(({ shape: sizes, output }, index) => [`${index} ${titles[index]}`, `(${[batch, ...sizes].join(", ")})`, number(output.mean, 3), number(output.std, 3), percent(output.zeros, 0)])
  const into = [t("images"), `(${[batch, ...shape.slice(1)].join(", ")})`, number(input.mean, 3), number(input.std, 3), percent(input.zeros, 0)]
  return table([t("Output of"), t("Shape"), t("Mean"), t("Standard deviation"), t("Zeros")], [into, ...rows])
}

/** @param {RecordedStep} seen */
function losses({ losses: each, probabilities, labels }) {
  const rows = each.map((loss, index) => [String(index), number(probabilities[index][labels[index]], 3), number(loss, 3)])
  return table([t("Image"), t("Probability of the true class p"), t("Loss −ln p")], rows)
}

/** @param {RecordedStep} seen */
function gradients(seen) {
  const rows = parameters(seen).map(({ name, shape, weight, gradient }) => [name, `(${shape.join(", ")})`, number(weight), number(gradient)])
  return table([t("Parameter"), t("Shape"), t("Norm of the values"), t("Norm of the gradient")], rows)
}

/** @param {RecordedStep} seen */
function updates(seen) {
  const rows = parameters(seen).map(({ name, gradient, update, weight }) => [name, number(gradient), number(update), number(update !== null && weight ? update / weight : null, 2)])
  return table([t("Parameter"), t("Norm of the gradient"), t("Norm of the update"), t("Update ÷ values")], rows)
}

/**
 * The parameter with the largest update, and the arithmetic of its element that moved most.
 * @param {RecordedStep} seen
 * @param {number[]} betas
 */
export function largestUpdate(seen, betas) {
  const size = (/** @type {Parameter} */ { example }) => Math.abs(example.update ?? 0)
  const { name, example } = parameters(seen).reduce((most, each) => (size(each) > size(most) ? each : most))
  return { element: `${name}[${example.place.join(", ")}]`, lines: arithmetic(example, seen.optimizer, seen.learning_rate, betas) }
}

/**
 * All parameters, each with its name in the network.
 * @param {Pick<RecordedStep, "layers">} seen
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
