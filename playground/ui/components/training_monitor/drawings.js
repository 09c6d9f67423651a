// What each of the five lines of a step did, as a drawing: forgotten gradients, scores, losses, gradients that flow back, a filter before and after.

import { bytesOf, paint } from "../shared/bytes.js"
import { button, element } from "../shared/dom.js"
import { plural, t } from "../shared/text.js"
import { isWeighing } from "./inside.js"
import { largestUpdate, number } from "./numbers.js"

/** @import { RecordedStep } from "./documents.js" */

/**
 * What the drawings need beside the step.
 * @typedef {{ titles: string[], classes: string[], betas: number[] }} Facts
 */

/**
 * The drawings of the five lines.
 * @type {((seen: RecordedStep, facts: Facts) => HTMLElement)[]}
 */
export const DRAWINGS = [forgotten, scores, losses, gradients, filter]

/**
 * The gradients of the step before shrink to nothing; their outlines stay.
 * @param {RecordedStep} seen
 * @param {Facts} facts
 */
function forgotten({ erased }, { titles }) {
  const learning = erased.flatMap((size, index) => (size === null || !isWeighing(titles[index]) ? [] : [{ size, title: titles[index] }]))
  const box = element("div", "monitor-rows drawing-forgotten")
  if (!learning.length) box.append(element("p", "", t("This was the first step: there were no gradients yet.")))
  const most = Math.max(...learning.map(({ size }) => size))
  box.append(...learning.map(({ size, title }) => {
    const row = element("div", "monitor-row")
    const bar = element("i")
    bar.style.setProperty("--share", String(most ? size / most : 0))
    row.append(code(title), bar, element("b", "", t("{before} → 0", { before: number(size, 3) })))
    return row
  }))
  return box
}

/**
 * The images of the batch, and the scores of the one that is selected.
 * @param {RecordedStep} seen
 * @param {Facts} facts
 */
function scores(seen, { classes }) {
  const box = element("div", "drawing-scores")
  const grid = element("div", "drawing-batch")
  const chart = element("div", "drawing-columns")
  const most = Math.max(...seen.logits.flat().map((value) => Math.abs(value ?? 0)), 1e-9)
  const choose = (/** @type {number} */ index) => {
    ;[...grid.children].forEach((each, at) => { each.ariaPressed = String(at === index) })
    const best = strongest(seen.logits[index])
    chart.replaceChildren(...seen.logits[index].map((value, name) => {
      const column = element("div", name === best ? "drawing-column best" : "drawing-column")
      const bar = element("i", (value ?? 0) < 0 ? "below" : "above")
      bar.style.setProperty("--share", String(Math.abs(value ?? 0) / most))
      column.append(element("b", "", number(value, 2)), bar, element("span", "", classes[name]))
      return column
    }))
    chart.ariaLabel = t("The scores of this image. The highest is that of {class}.", { class: classes[best] })
  }
  chart.role = "img"
  grid.append(...thumbnails(seen, classes).map((canvas, index) => {
    const pick = button("", () => choose(index), { name: "drawing-pick", label: t("Image of {class}", { class: classes[seen.labels[index]] }) })
    pick.append(canvas)
    return pick
  }))
  choose(0)
  box.append(grid, chart)
  return box
}

/**
 * A bar for the loss of each image, the largest first, and their mean as a line.
 * @param {RecordedStep} seen
 * @param {Facts} facts
 */
function losses(seen, { classes }) {
  const { losses: each, probabilities, labels, loss, batch } = seen
  const order = each.map((_, index) => index).sort((one, other) => (each[other] ?? 0) - (each[one] ?? 0))
  const most = Math.max(...each.map((value) => value ?? 0), loss ?? 0, 1e-9)
  const pictures = thumbnails(seen, classes)
  const chart = element("div", "drawing-losses")
  chart.append(...order.map((index) => {
    const isRight = strongest(probabilities[index]) === labels[index]
    const column = element("div", isRight ? "right" : "wrong")
    column.title = t("{mark} {class} · loss {loss}", { mark: isRight ? "✓" : "✕", class: classes[labels[index]], loss: number(each[index], 3) })
    const bar = element("i")
    bar.style.setProperty("--share", String((each[index] ?? 0) / most))
    column.append(bar, pictures[index])
    return column
  }))
  const mean = element("span", "drawing-mean", plural("loss of {n} image: {loss}", "mean of all {n} images: {loss}", batch, { loss: number(loss, 3) }))
  mean.style.setProperty("--share", String((loss ?? 0) / most))
  chart.append(mean)
  const worst = order[0]
  const chance = probabilities[worst][labels[worst]]
  const box = element("div")
  box.append(chart, element("p", "monitor-note", t("The largest loss: the true class has probability {probability}, so loss = −ln {probability} = {loss}.", {
    probability: number(chance, 3), loss: number(chance === null ? null : -Math.log(chance), 3),
  })))
  return box
}

/**
 * The layers with weights from left to right; arrows from the loss back to the first, as thick as the gradient is large.
 * @param {RecordedStep} seen
 * @param {Facts} facts
 */
function gradients({ layers, loss }, { titles }) {
  const learning = layers.flatMap(({ parameters }, index) => (parameters.length && isWeighing(titles[index]) ? [{ title: titles[index], size: Math.hypot(...parameters.map(({ gradient }) => gradient ?? 0)) }] : []))
  const most = Math.max(...learning.map(({ size }) => size), 1e-30)
  const box = element("div", "drawing-flow")
  box.append(...learning.flatMap(({ title, size }, index) => {
    const layer = element("div", "drawing-layer")
    layer.append(code(title), element("b", "", number(size, 3)))
    const arrow = element("i", "drawing-arrow")
    arrow.style.setProperty("--share", String(Math.sqrt(size / most))) // the root keeps thin arrows visible
    arrow.style.setProperty("--wait", String((learning.length - 1 - index) * Math.min(1, 10 / learning.length))) // the first one is reached within a second
    return [layer, arrow]
  }))
  const end = element("div", "drawing-layer drawing-loss")
  end.append(element("span", "", t("loss")), element("b", "", number(loss, 3)))
  box.append(end)
  return box
}

/**
 * The filter that moved most, before and after the step, with its update between them; beside it the arithmetic of one weight.
 * @param {RecordedStep} seen
 * @param {Facts} facts
 */
function filter(seen, { betas }) {
  const box = element("div", "drawing-update")
  if (seen.filter) {
    const { before, update, shape, index } = seen.filter
    const after = before.map((value, at) => (value ?? 0) + (update[at] ?? 0))
    const [bound, change] = [largest([...before, ...after]), largest(update)]
    const label = t("Filter {index}", { index })
    box.append(
      weights(before, shape, bound, t("{filter} before", { filter: label })), element("b", "drawing-sign", "+"),
      weights(update, shape, change, t("update, {times} × enlarged", { times: number(change ? bound / change : 1, 2) })), element("b", "drawing-sign", "="),
      weights(after, shape, bound, t("{filter} after", { filter: label })),
    )
  }
  const { element: name, lines } = largestUpdate(seen, betas)
  const sum = element("div", "drawing-sum")
  sum.append(element("b", "", t("{element}, the parameter with the largest update", { element: name })), ...lines.map((line) => element("div", "", line)))
  box.append(sum)
  return box
}

/**
 * Weights as an image.
 * @param {(number | null)[]} values
 * @param {number[]} shape
 * @param {number} bound the value of the strongest colour
 * @param {string} text
 */
function weights(values, shape, bound, text) {
  const bytes = Uint8Array.from(values, (value) => Math.round(128 + (127 * (value ?? 0)) / (bound || 1)))
  const figure = element("figure", "drawing-filter")
  figure.append(paint(bytes, 0, shape, 1, { signed: true, label: text }), element("figcaption", "", text))
  return figure
}

/**
 * The images of the batch.
 * @param {RecordedStep} seen
 * @param {string[]} classes
 */
function thumbnails({ shape, pixels, labels }, classes) {
  const bytes = bytesOf(pixels)
  return labels.map((label, index) => paint(bytes, index, shape.slice(1), 1, { label: classes[label] }))
}

/** @param {(number | null)[]} values */
function strongest(values) {
  const known = values.map((value) => value ?? -Infinity)
  return known.indexOf(Math.max(...known))
}

/** @param {(number | null)[]} values */
const largest = (values) => Math.max(...values.map((value) => Math.abs(value ?? 0)), 1e-30)

/** @param {string} text a name of PyTorch, which no language translates */
const code = (text) => Object.assign(element("span", "", text), { translate: false })
