// What is wrong with a network or could be better, the most serious first; and the strip beneath the picture that says it, with its fixes.

import { html, nothing } from "../shared/templates.js"
import { marked } from "../shared/term.js"
import { t } from "../shared/text.js"
import { bytes, number } from "./texts.js"

/**
 * @import { BuilderDataset, LayerFix, NetworkAnalysis, NetworkHint } from "./documents.js"
 */
/**
 * `index` is the layer concerned, −1 for the input; null for the whole network. `blocks` says in a few words why such a network cannot be trained; empty if it can.
 * @typedef {object} Problem
 * @property {string} text
 * @property {string} reason
 * @property {number | null} index
 * @property {LayerFix[]} fixes
 * @property {string} blocks
 * @property {BuilderDataset} [dataset] another one, which the network fits
 */

const MOST_FIXES = 4
/** @type {Record<string, (dataset?: BuilderDataset) => string>} for the kinds of hints with which no network can be trained on a data set */
const BLOCKING = {
  "wrong-input": (dataset) => t("The data is {shape}", { shape: dataset?.input_shape.join("×") }),
  "wrong-output": (dataset) => t("Needs {classes} outputs", { classes: dataset?.classes }),
  "nothing-to-learn": () => t("Nothing to train"),
}

/**
 * @param {NetworkAnalysis | null} answer null before the first one
 * @param {object} more
 * @param {string} more.failure why there is no answer, or no network could be read
 * @param {string} more.notes on the code that the network was read from
 * @param {number[]} more.places for each layer of the answer its position in the list
 * @param {number[]} more.input
 * @param {BuilderDataset[]} more.datasets
 * @param {string} more.dataset the one to train on; empty for none
 * @returns {Problem[]}
 */
export function findProblems(answer, { failure, notes, places, input, datasets, dataset }) {
  /** @type {(text: string, more?: Partial<Problem>) => Problem[]} */
  const one = (text, more = {}) => (text ? [{ text, reason: "", index: null, fixes: [], blocks: "", ...more }] : [])
  const misfit = answer?.steps.find(({ error }) => error)
  const hints = (answer?.advice ?? []).map((hint) => described(hint, input, datasets, dataset))
  const faults = (answer?.problems ?? []).flatMap((text) => one(text, { blocks: t("Not a network yet") }))
  const start = () => one(t("A network needs at least one layer. Add the first one, or start with a small network."), { fixes: [smallest(datasets, dataset)], blocks: t("No layers yet") })
  return [
    ...one(failure, { blocks: answer ? "" : t("Not checked yet") }),
    ...(answer && !places.length ? start() : faults),
    ...(misfit ? one(misfit.error, { index: misfit.index, fixes: misfit.fixes, blocks: t("Layer {place} does not fit", { place: places[misfit.index] }) }) : one(answer?.refusal ?? "", { blocks: t("Too large to train") })),
    ...hints.filter(({ blocks }) => blocks),
    ...one(notes),
    ...hints.filter(({ blocks }) => !blocks),
  ]
}

/**
 * A network that can be trained, to begin with.
 * @param {BuilderDataset[]} datasets
 * @param {string} dataset
 * @returns {LayerFix}
 */
function smallest(datasets, dataset) {
  const classes = datasets.find(({ name }) => name === dataset)?.classes ?? 10
  return { title: t("Start with Flatten and Linear"), layers: [{ type: "Flatten" }, { type: "Linear", out_features: classes }], input_shape: null }
}

/**
 * @param {NetworkHint} hint
 * @param {number[]} input
 * @param {BuilderDataset[]} datasets
 * @param {string} dataset
 * @returns {Problem}
 */
function described({ kind, layer, text, reason, fixes }, input, datasets, dataset) {
  const blocks = BLOCKING[kind]?.(datasets.find(({ name }) => name === dataset)) ?? ""
  if (kind !== "wrong-input") return { text, reason, index: layer, fixes, blocks }
  return { text, reason, index: -1, fixes, blocks, dataset: datasets.find(({ input_shape: shape }) => String(shape) === String(input)) }
}

/**
 * The strip: one problem with its fixes and the way to the others, or that all is well and what it costs.
 * @param {Problem[]} problems
 * @param {number} at the one that is shown
 * @param {NetworkAnalysis | null} answer
 * @param {{ fix: (fix: LayerFix) => void, use: (dataset: string) => void, turn: (at: number) => void, choose: (index: number) => void }} act
 */
export function strip(problems, at, answer, act) {
  const problem = problems[at]
  if (!problem) return fine(answer)
  const { text, reason, index, fixes, blocks, dataset } = problem
  const next = (at + 1) % problems.length
  return html`
    <div class=${`problem ${blocks ? "wrong" : "hint"}${index === null ? "" : " placed"}`}>
      <div class="says">
        <p class="message">${index !== null && index >= 0 ? html`<button type="button" class="place" @click=${() => act.choose(index)}>${text}</button>` : text}</p>
        ${reason ? html`<p class="why">${marked(reason)}</p>` : nothing}
      </div>
      <div class="fixes">
        ${fixes.slice(0, MOST_FIXES).map((fix) => html`<button type="button" class="fix" @click=${() => act.fix(fix)}>${fix.title}</button>`)}
        ${dataset ? html`<button type="button" class="fix" @click=${() => act.use(dataset.name)}>${t("Use {dataset} as data", { dataset: dataset.title })}</button>` : nothing}
      </div>
      ${problems.length > 1 ? html`<button type="button" class="next" @click=${() => act.turn(next)}>${t("{at} of {count} ›", { at: at + 1, count: problems.length })}</button>` : nothing}
    </div>`
}

/** @param {NetworkAnalysis | null} answer */
function fine(answer) {
  if (!answer?.totals) return nothing
  const { parameters, multiply_adds: operations, activation_bytes: activations, disk_bytes: disk } = answer.totals
  return html`
    <p class="totals"><span class="mark" aria-hidden="true">✓</span> ${marked(t("Every layer fits: {parameters} [[parameters|parameter]], {operations} [[multiply-adds|multiply-add]] and {activations} of [[activations|activation]] per image, {disk} on disk.", {
      parameters: number(parameters), operations: number(operations), activations: bytes(activations), disk: bytes(disk),
    }))}</p>`
}
