// The bar at the top: which network, which data, and the way to the training.

import { html, nothing, repeat } from "../shared/templates.js"
import { placeBeside } from "../shared/placing.js"
import { plural, t } from "../shared/text.js"
import { savePicture, saveText } from "../shared/files.js"
import { number } from "./texts.js"

/** @import { Builder } from "./view.js" */

const CHANGED = "" // the value of a network that is no preset

/**
 * The networks to choose from; the current one comes first if it is none of them as it stands in its file.
 * @param {Builder} builder
 */
function networks({ data, stack, preset }) {
  const own = stack.state.title || stack.state.name
  const isChanged = data.presets.some(({ name }) => name === stack.state.name)
  const first = preset ? [] : [{ value: CHANGED, title: isChanged ? t("{network}, changed", { network: own }) : own }]
  return [...first, ...data.presets.map(({ name, title }) => ({ value: name, title: title || name }))]
}

/** @param {Builder} builder */
export function bar(builder) {
  const { stack, data, dataset, problems, answer, fitting } = builder
  const datasets = [...data.datasets.map(({ name, title }) => ({ value: name, title })), { value: "", title: t("No data set") }]
  const blocked = problems.find(({ blocks }) => blocks)?.blocks ?? (dataset ? "" : t("Choose data first"))
  const isBlocked = Boolean(blocked) || !fitting
  const parameters = answer?.totals?.parameters ?? 0
  return html`
    <h1>${t("Network")}</h1>
    <pick-one class="preset" label=${t("Network to start from")} .options=${networks(builder)} .value=${builder.preset?.name ?? CHANGED}
      @change=${(/** @type {any} */ { target }) => builder.openPreset(target.value)}></pick-one>
    <button type="button" class="paste" @click=${() => builder.reading.open()}>${t("Paste code")}</button>
    <span class="pair">
      <button type="button" class="undo" title=${t("Undo (Ctrl+Z)")} aria-label=${t("Undo")} ?disabled=${!stack.past.length} @click=${() => stack.undo()}>↶</button>
      <button type="button" class="redo" title=${t("Redo (Ctrl+Shift+Z)")} aria-label=${t("Redo")} ?disabled=${!stack.future.length} @click=${() => stack.redo()}>↷</button>
    </span>
    <button type="button" class="more" popovertarget="builder-more">${t("More")} ▾</button>
    <div class="menu" id="builder-more" popover="auto" @beforetoggle=${position} @click=${(/** @type {any} */ { currentTarget }) => currentTarget.hidePopover()}>${menu(builder)}</div>
    <span class="gap"></span>
    <span class="data"><span aria-hidden="true">${t("Data")}</span>
      <pick-one class="dataset" label=${t("Data set")} .options=${datasets} .value=${dataset} @change=${(/** @type {any} */ { target }) => builder.useDataset(target.value)}></pick-one></span>
    <span class="parameters">${answer?.totals ? plural("{number} parameter", "{number} parameters", parameters, { number: number(parameters) }) : nothing}</span>
    <button type="button" class="train primary" aria-disabled=${String(isBlocked)} @click=${() => (isBlocked ? builder.showBlocking() : builder.go("train"))}>${blocked || t("▶ Train this")}</button>`
}

/** @param {{ target: EventTarget | null, newState?: string }} event */
function position({ target, newState }) {
  const popped = /** @type {HTMLElement} */ (target)
  const opener = popped.parentElement?.querySelector(".more")
  if (newState === "open" && opener) requestAnimationFrame(() => placeBeside(popped, opener))
}

/** @param {Builder} builder */
function menu(builder) {
  const { stack } = builder
  const { name } = stack.state
  /** @type {[string, () => void, boolean?][]} */
  const acts = [
    [t("Open a file…"), () => builder.reading.choose()],
    [t("Copy a link to this network"), () => builder.copyLink()],
    [t("Save as JSON"), () => saveText(`${JSON.stringify(stack.document().network, null, 2)}\n`, `${name}.json`, "application/json")],
    [t("Save the picture as SVG"), () => savePicture(builder.picture.saved(), name, "svg")],
    [t("Save the picture as PNG"), () => savePicture(builder.picture.saved(), name, "png")],
    [t("Show its gradients"), () => builder.go("gradients"), !builder.fitting],
  ]
  return repeat(acts, ([title]) => title, ([title, act, off]) => html`<button type="button" ?disabled=${Boolean(off)} @click=${act}>${title}</button>`)
}
