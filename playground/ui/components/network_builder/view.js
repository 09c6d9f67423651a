// Builds a network layer by layer: picture, list, parameters and code. The server analyses it after each change.

import "../shared/controls.js"
import { request } from "../shared/client.js"
import { find } from "../shared/dom.js"
import { mounting } from "../shared/mounting.js"
import { draw, html, nothing } from "../shared/templates.js"
import { marked } from "../shared/term.js"
import { t } from "../shared/text.js"
import { bar } from "./bar.js"
import { CodePanel } from "./code.js"
import { Forward } from "./forward.js"
import { LayerPanel } from "./layer.js"
import { LayerList } from "./list.js"
import { Palette } from "./palette.js"
import { Picture } from "./picture.js"
import { findProblems, strip } from "./problems.js"
import { Reading } from "./reading.js"
import { Stack } from "./stack.js"

/**
 * @import { Component } from "../shared/mounting.js"
 * @import { BuilderData, FittingNetwork, LayerAnalysis, LayerKind, NetworkAnalysis, SavedNetwork } from "./documents.js"
 * @import { Failure } from "./forward.js"
 * @import { Problem } from "./problems.js"
 */

export class Builder {
  /** @param {HTMLElement | ShadowRoot} root */
  constructor(root) {
    /** @type {HTMLElement} */
    this.root = find(root, ".builder")
    const part = (/** @type {string} */ name) => find(this.root, `.${name}`)
    /** @type {Record<"bar" | "above" | "below", HTMLElement>} */
    this.boxes = { bar: part("bar"), above: part("above"), below: part("below") }
    this.started = false // whether the layer types are there or requested
    /** @type {BuilderData} */
    this.data = { starts: [], network: { name: "", input_shape: [], layers: [] }, presets: [], datasets: [], dataset: "", device: "" }
    this.dataset = "" // that the network is built for; empty for none
    /** @type {Component["setStateValue"]} */
    this.setState = () => {}
    /** @type {Component["leave"]} */
    this.leave = () => {}
    /** @type {Map<string, LayerKind>} */
    this.kinds = new Map()
    /** @type {NetworkAnalysis | FittingNetwork | null} of the newest network; null where the request failed */
    this.answer = null
    /** @type {number[]} for each analysed layer its position in the stack */
    this.places = []
    /** @type {Map<number, LayerAnalysis>} by the position of the layer in the stack */
    this.steps = new Map()
    this.changes = 0
    this.asking = this.behind = false // whether a request is on its way, and whether the network has changed since
    this.failure = "" // why the newest request failed, or no network was read
    this.notes = "" // on the code that the network was read from
    /** @type {Problem[]} */
    this.problems = []
    this.turned = 0 // the problem that is shown
    this.stack = new Stack(() => this.changed())
    this.picture = new Picture(part("picture"), (index) => this.chooseIndex(index))
    this.forward = new Forward(part("network"), (index) => this.chooseIndex(index), {
      outputs: (asked) => this.ask("api/network/activations", { ...asked, ...this.batch }),
      value: (asked) => this.ask("api/network/value", { ...asked, ...this.batch }),
    }, () => this.draw())
    this.reading = new Reading(part("reading"), this)
    this.palette = new Palette(part("palette"), (type, place) => { this.stack.add(type, place); this.list.focus() })
    this.list = new LayerList(part("list"), this)
    this.panel = new LayerPanel(part("layer"), this)
    this.code = new CodePanel(part("code"), this)
    this.root.onkeydown = (event) => this.key(event)
  }

  /** @param {Component<BuilderData>} component */
  async update({ data, setStateValue, leave }) {
    this.setState = setStateValue
    this.leave = leave
    this.data = data
    this.forward.repaint()
    if (this.started) return
    this.started = true
    /** @type {LayerKind[] | Failure} */
    const kinds = await request("api/network/catalogue")
    if ("error" in kinds) {
      this.started = false // the next update tries again
      return this.complain(kinds.error)
    }
    this.kinds = new Map(kinds.map((kind) => [kind.name, kind]))
    this.palette.kinds = kinds
    this.dataset = data.dataset
    this.open(data.network)
    this.stack.past = []
  }

  /** One request at a time; the newest network follows. */
  async changed() {
    this.changes++
    this.failure = this.notes = ""
    this.draw()
    if (this.asking) {
      this.behind = true
      return
    }
    this.asking = true
    this.root.classList.add("busy")
    do {
      this.behind = false
      const { places, network } = this.stack.document()
      const answer = await this.ask("api/network/analyse", { network, dataset: this.dataset })
      if (!this.behind) this.present(answer, places)
    } while (this.behind)
    this.asking = false
    this.root.classList.remove("busy")
    if (this.changes > 1) this.setState("stack", { ...this.stack.state, chosen: undefined }) // the first one came from Streamlit
  }

  /**
   * @param {string} address
   * @param {Record<string, unknown>} body
   */
  ask(address, body) {
    return request(address, { body })
  }

  /**
   * @param {NetworkAnalysis | FittingNetwork | Failure} answer
   * @param {number[]} places for each analysed layer the position in the stack
   */
  present(answer, places) {
    this.answer = "error" in answer ? null : answer
    this.places = places
    this.steps = new Map((this.answer?.steps ?? []).map((step) => [places[step.index], step]))
    if ("error" in answer) this.failure = answer.error
    this.forward.follow(this.fitting && JSON.stringify([this.stack.document().network, this.dataset]))
    this.draw()
  }

  /** The analysis of a network that fits, else null. */
  get fitting() {
    return this.answer && "module" in this.answer ? this.answer : null
  }

  /** The preset that the network is, unchanged. */
  get preset() {
    const { state } = this.stack
    const preset = this.data.presets.find(({ name }) => name === state.name)
    const same = JSON.stringify([state.input_shape, state.layers.map(({ type, params, off }) => ({ type, ...params, ...(off ? { off } : {}) }))])
    return preset && JSON.stringify([preset.input_shape, preset.layers]) === same ? preset : undefined
  }

  /** What a batch is run with. */
  get batch() {
    return { network: this.stack.document().network, dataset: this.dataset, device: this.data.device }
  }

  /** The index of the chosen layer among those that are analysed; none if it is off. */
  get index() {
    const index = this.places.indexOf(this.stack.state.chosen)
    return index < 0 ? undefined : index
  }

  draw() {
    const { answer, failure, notes, places, stack, data } = this
    const before = JSON.stringify(this.problems)
    this.problems = findProblems(answer, { failure, notes, places, input: stack.state.input_shape, datasets: data.datasets, dataset: this.dataset })
    if (JSON.stringify(this.problems) !== before) this.turned = 0
    this.list.draw()
    this.panel.draw()
    this.code.draw()
    this.drawTop()
    if (answer || failure) this.root.classList.add("ready")
  }

  /** Draw the bar and the picture with what stands above and beneath it. */
  drawTop() {
    const { answer, problems, turned, stack, forward, picture } = this
    const problem = problems[turned]
    draw(this.boxes.bar, bar(this))
    draw(this.boxes.above, this.above())
    draw(this.boxes.below, strip(problems, turned, answer, {
      fix: (fix) => stack.fix(fix),
      use: (dataset) => this.useDataset(dataset),
      turn: (at) => { this.turned = at; this.drawTop() },
      choose: (index) => this.chooseIndex(index),
    }))
    const wrong = problem?.blocks ? problem.index ?? undefined : undefined
    picture.show({ input: stack.state.input_shape, steps: answer?.steps ?? [], chosen: this.index, wrong })
    this.root.classList.toggle("running", forward.outputs !== null && this.fitting !== null)
    const at = picture.centres.get(problem?.index ?? -1) ?? 0
    this.boxes.below.style.setProperty("--at", `${at}px`) // where the tip of a problem that concerns a layer is
  }

  above() {
    const { forward, data, fitting } = this
    const starts = data.starts.map(([value, title]) => ({ value, title }))
    return html`
      <span class="help">${forward.error || (forward.isOn ? forward.outputs?.data ?? t("Running the batch…") : marked(t("Each block is the output of a [[layer]] for one image. Click one to change it.")))}</span>
      <span class="gap"></span>
      ${forward.isOn ? html`<span class="help weights">${marked(t("[[Initial weights|weight initialisation]]"))}</span><pick-one class="start" label=${t("Weight initialisation")} .options=${starts} .value=${forward.initialisation} @change=${(/** @type {any} */ { target }) => { forward.initialisation = target.value; this.run() }}></pick-one>` : nothing}
      <button type="button" class="batch" aria-pressed=${forward.isOn} ?disabled=${!fitting && !forward.isOn} @click=${() => { forward.turn(!forward.isOn); this.run() }}>${forward.isOn ? t("Show the shapes") : t("▶ Run one batch")}</button>`
  }

  /** Run the batch, if it shall be shown. */
  run() {
    this.forward.follow(this.fitting && JSON.stringify([this.stack.document().network, this.dataset]))
  }

  /** @param {number} place */
  choose(place) {
    if (place === this.stack.state.chosen) return
    this.stack.state.chosen = place
    this.draw()
  }

  /** @param {number} index of an analysed layer */
  chooseIndex(index) {
    const place = this.places[index]
    if (place === undefined) return
    this.choose(place)
    this.list.reveal()
  }

  /**
   * @param {number} from
   * @param {number} to
   */
  move(from, to) {
    this.stack.move(from, to)
    this.list.reveal()
  }

  /** @param {number} place */
  duplicate(place) {
    this.stack.copy(place)
    this.list.reveal()
  }

  /**
   * Remove a layer; the next one takes its place.
   * @param {number} place
   */
  remove(place) {
    this.stack.remove(place)
    this.list.reveal()
  }

  /**
   * @param {SavedNetwork} network
   * @param {string} [notes] on the code that it was read from
   */
  open(network, notes = "") {
    this.stack.open(network)
    this.notes = notes
    this.draw()
  }

  /** @param {string} name */
  openPreset(name) {
    const preset = this.data.presets.find((each) => each.name === name)
    if (preset) this.stack.open(preset)
  }

  /** @param {string} name */
  useDataset(name) {
    this.dataset = name
    this.setState("dataset", name)
    this.changed()
  }

  /** @param {string} text why no network could be read */
  complain(text) {
    this.failure = text
    this.draw()
  }

  /** Show what stands in the way of training, where it can be changed. */
  showBlocking() {
    const { forward, problems } = this
    if (!this.dataset) {
      const list = find(this.boxes.bar, ".dataset button")
      list.focus()
      return list.click()
    }
    if (forward.isOn) forward.turn(false)
    this.turned = Math.max(0, problems.findIndex(({ blocks }) => blocks))
    this.drawTop()
    this.boxes.below.scrollIntoView({ block: "nearest" })
    const { below } = this.boxes
    const first = below.querySelector(".fix") ?? below.querySelector("button")
    if (first instanceof HTMLElement) first.focus()
  }

  /** @param {"train" | "gradients"} where */
  go(where) {
    this.leave("go", { where, network: this.stack.document().network, dataset: this.dataset })
  }

  async copyLink() {
    try {
      await navigator.clipboard.writeText(window.location.href)
      this.notes = t("The link was copied. It opens the network as it is now.")
    } catch {
      this.notes = t("The browser did not allow the link to be copied. It is the address of this page.")
    }
    this.draw()
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const [target] = event.composedPath()
    if (!(target instanceof Element) || target.matches("input, textarea") || this.reading.dialog.open) return
    if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "z") return
    event.preventDefault()
    if (event.shiftKey) this.stack.redo()
    else this.stack.undo()
    if (target.classList.contains("choice")) this.list.focus() // the layer that had the focus may be gone
  }

  close() {
    this.panel.close()
    this.code.close()
    this.picture.close()
    this.forward.close()
  }
}

export default mounting(Builder)
