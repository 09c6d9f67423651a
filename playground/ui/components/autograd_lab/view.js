// Runs a script, draws the autograd graph that PyTorch recorded, and steps through it node by node, forward and backward.

import "../shared/controls.js"
import { element, find } from "../shared/dom.js"
import { brief, exact, shapeText } from "../shared/format.js"
import { Graph } from "../shared/graph.js"
import { Lab } from "../shared/lab.js"
import { mounting } from "../shared/mounting.js"
import { term, withTerms } from "../shared/term.js"
import { plural, t } from "../shared/text.js"
import { draw, indexOf, largest, shade } from "../shared/tile.js"
import { Numbers } from "./numbers.js"
import { showProof } from "./proof.js"

/**
 * @import { Component } from "../shared/mounting.js"
 * @import { AutogradGraph, AutogradNode, AutogradRun, LabData, NonFinite, Step, Tile } from "./documents.js"
 */

/** @typedef {Step<Tile> & { node: string }} ShownStep a step at a node of the graph */

const TERMS = 8 // terms of a sum that are shown
const SETTLED_MS = 400 // milliseconds without a further change before a number goes into the address
const STEP_MS = 900 // milliseconds between two steps while it plays
const OPENING_MS = 350 // … when a graph is shown for the first time
const OPENING = 24 // steps of that, at most; of a longer graph several are taken at once

class AutogradLab extends Lab {
  /** @param {HTMLElement | ShadowRoot} root */
  constructor(root) {
    super(root, "api/autograd/run")
    const part = (/** @type {string} */ name) => find(root, `.${name}`)
    this.parts = {
      steps: part("steps"), scrub: part("scrub"), where: part("where"), sentence: part("sentence"), formula: part("formula"), ways: part("ways"), caption: part("caption"),
      other: part("other"), origin: part("origin"), details: part("details"), restore: part("restore"), passes: part("passes"), prove: part("prove"), proof: part("proof"),
      play: part("play"), nothing: part("nothing"),
    }
    /** @type {LabData["overrides"]} */
    this.overrides = {}
    /** @type {string | undefined} the script that was run last */
    this.source = undefined
    /** @type {Record<string, unknown>} the request of the last run */
    this.asked = {}
    /** @type {AutogradRun<Tile> | undefined} */
    this.report = undefined
    /** @type {ShownStep[]} */
    this.steps = []
    /** @type {Map<string, AutogradNode<Tile>>} */
    this.nodes = new Map()
    /** @type {string | undefined} the node of the last step */
    this.current = undefined
    /** @type {Set<string>} the nodes whose gradients are shown */
    this.graded = new Set()
    this.at = 0 // steps that are shown
    this.passes = 0
    this.following = this.behind = false // whether a run with other numbers is under way, and whether they have changed since
    this.released = false // whether a number was released since the address had them
    /** @type {number | undefined} */
    this.reporting = undefined
    /** @type {number | undefined} */
    this.playing = undefined
    this.numbers = new Numbers(
      { panel: part("one"), which: part("which"), field: part("field"), picture: part("plot"), caption: part("note-of-plot") },
      { onGrab: (...change) => this.grab(...change), curve: (question) => this.ask({ ...this.asked, ...question }, "api/autograd/curve") },
    )
    this.graph = new Graph(part("canvas"), {
      onPoint: (id) => this.describe(id ?? this.graph.pinned ?? this.current ?? null),
      field: (node, place) => this.numbers.field(node, place),
    })
    this.earlier = new Graph(part("other .canvas"))
    this.parts.restore.onclick = () => { this.overrides = {}; this.follow(true) }
    this.parts.prove.onclick = () => this.prove()
    part("start").onclick = () => this.goto(0)
    part("back").onclick = () => this.goto(this.at - 1)
    part("next").onclick = () => this.goto(this.at + 1)
    part("end").onclick = () => this.goto(this.steps.length)
    this.parts.play.onclick = () => (this.playing ? this.pause() : this.play(STEP_MS))
    this.parts.scrub.oninput = () => this.goto(Number(this.parts.scrub.value))
  }

  /** @param {Component<LabData>} component */
  update(component) {
    if (this.data === undefined) this.overrides = component.data.overrides
    return super.update(component)
  }

  /**
   * The request for a run of the script in the editor; changed numbers are dropped when the script changes.
   * @param {string} source
   */
  body(source) {
    if (this.source !== undefined && source !== this.source) this.overrides = {}
    return { ...super.body(source), overrides: this.overrides }
  }

  /**
   * @param {AutogradRun<Tile> | { error: string, graph?: undefined }} answer without a graph where the script is no script
   * @param {string} source
   */
  present(answer, source) {
    this.root.classList.toggle("failed", Boolean(answer.error))
    if (!answer.graph) return
    this.compare(answer, source)
    this.source = source
    this.asked = { source, device: this.data.device, seed: answer.seed, overrides: this.overrides }
    this.parts.proof.replaceChildren()
    this.take(answer, true)
  }

  /**
   * Show the result of a run.
   * @param {AutogradRun<Tile>} answer
   * @param {boolean} fresh whether the script itself was run, not only with other numbers
   */
  take(answer, fresh) {
    this.report = answer
    const passes = answer.steps.flatMap(({ pass }) => pass ?? [])
    const last = Math.max(...passes)
    this.steps = answer.steps.filter((step) => isShown(step, last))
    this.passes = new Set(passes).size
    this.nodes = new Map(answer.graph.nodes.map((node) => [node.id, node]))
    this.parts.scrub.max = Math.max(1, this.steps.length)
    this.numbers.take(answer.leaves)
    const empty = !answer.graph.nodes.length
    this.root.classList.toggle("empty", empty)
    const isOther = this.graph.show(answer.graph)
    if (empty) {
      this.say(this.parts.nothing, answer.error
        ? t("The script stopped before there was a [[graph|autograd graph]]. Correct it, and run it again.")
        : t("There is no [[graph|autograd graph]] yet. Create a tensor with requires_grad=True, compute with it, and call backward() on the result."))
      for (const part of [this.parts.sentence, this.parts.formula, this.parts.details]) part.replaceChildren()
    } else if (fresh && isOther) this.open()
    else this.goto(fresh ? this.at : this.steps.length, false)
    this.parts.prove.disabled = !answer.leaves.some(({ grad }) => grad)
    this.parts.restore.disabled = !Object.keys(this.overrides).length
    this.say(this.parts.passes, this.passes > 1 ? plural(
      "This script ran {n} [[backward pass]]. [[Gradients add up|gradient accumulation]] unless they are zeroed. The graph shows the last pass, the numbers show the first.",
      "This script ran {n} [[backward passes|backward pass]]. [[Gradients add up|gradient accumulation]] unless they are zeroed. The graph shows the last pass, the numbers show the first.",
      this.passes,
    ) : "")
    this.parts.origin.textContent = answer.nonfinite.map((nonfinite) => this.nonfinite(nonfinite)).join(" ")
    this.numbers.show(fresh)
  }

  /**
   * @param {HTMLElement} box
   * @param {string} words with terms in double brackets
   */
  say(box, words) {
    box.replaceChildren(...withTerms("p", "", words).childNodes)
  }

  /** A graph is shown for the first time: its passes run through it once, unless its reader wants nothing to move. */
  open() {
    this.goto(0)
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return
    this.play(OPENING_MS, Math.ceil(this.steps.length / OPENING))
  }

  /** @param {string} id */
  node(id) {
    return /** @type {AutogradNode<Tile>} */ (this.nodes.get(id))
  }

  /** @param {NonFinite} origin */
  nonfinite({ node: id, kind, value: what }) {
    const { line, op } = this.node(id)
    const gaps = { what: what === "NaN" ? what : t("infinity"), name: this.name(id), line, op }
    if (kind === "gradient") return t("The first {what} among the gradients is the one that {op} passes on.", gaps)
    return line ? t("The first {what} is the value of {name} in line {line}.", gaps) : t("The first {what} is the value of {name}.", gaps)
  }

  /**
   * Show the earlier graph as well when the same script has recorded a different one.
   * @param {AutogradRun<Tile>} answer
   * @param {string} source
   */
  compare(answer, source) {
    const form = (/** @type {AutogradGraph<Tile>} */ graph) => JSON.stringify(graph.nodes.map(({ op, line }) => [op, line]))
    const before = this.report?.graph
    if (source !== this.source) this.parts.other.hidden = true
    else if (before?.nodes.length && answer.graph.nodes.length && form(before) !== form(answer.graph)) {
      this.parts.other.hidden = false
      this.earlier.show(before)
      const all = new Set(before.nodes.map(({ id }) => id))
      this.earlier.mark({ computed: all, graded: all })
    }
    this.parts.caption.textContent = this.parts.other.hidden ? "" : t("This run")
  }

  /**
   * Run again with a number changed by hand; one request at a time, then the newest.
   * @param {string} name
   * @param {number} cell
   * @param {number} value
   * @param {boolean} done whether the number was released
   */
  grab(name, cell, value, done) {
    this.pause()
    this.overrides = { ...this.overrides, [name]: { ...this.overrides[name], [cell]: value } }
    this.follow(done)
  }

  /** @param {boolean} done */
  async follow(done) {
    if (done) this.released = true
    this.behind = this.following
    if (this.following) return
    this.following = true
    do {
      this.behind = false
      const asked = (this.asked = { ...this.asked, overrides: this.overrides })
      const answer = await this.ask(asked)
      if (asked !== this.asked) break // another script was run meanwhile
      this.failed = answer.error
      this.showFault(typeof answer.error === "string" ? { message: answer.error, explanation: "", fixes: [] } : answer.error, this.source ?? "")
      if (!answer.leaves?.length) continue
      if (!this.behind) this.numbers.settle()
      this.take(answer, false) // a script that fails before its loss has no leaves: then the numbers stay, to be changed again
    } while (this.behind)
    this.following = false
    if (this.released) {
      this.released = false
      this.parts.proof.replaceChildren()
      clearTimeout(this.reporting)
      this.reporting = setTimeout(() => this.setState("ran", { source: this.source, overrides: this.overrides }), SETTLED_MS)
    }
  }

  async prove() {
    this.parts.prove.disabled = true
    showProof(this.parts.proof, await this.ask(this.asked, "api/autograd/gradcheck"))
    this.parts.prove.disabled = false
  }

  /**
   * Show the state after so many steps, and describe the last of them.
   * @param {number} step
   * @param {boolean} [reveal] whether the node of the last step is brought into the picture
   */
  goto(step, reveal = true) {
    if (!this.report) return
    this.at = Math.max(0, Math.min(this.steps.length, step))
    const taken = this.steps.slice(0, this.at)
    const current = taken.at(-1)
    const computed = new Set(taken.filter(({ kind }) => kind === "forward").map(({ node }) => node))
    this.current = current?.node
    this.graded = new Set(taken.filter(({ kind }) => kind === "backward").map(({ node }) => node))
    this.graph.mark({ computed, graded: this.graded, current: current?.node, strange: new Set(this.report.nonfinite.map(({ node }) => node)) })
    if (reveal) this.graph.reveal(current?.node ?? this.report.graph.nodes[0].id)
    this.numbers.reached = new Set([...this.graded].map((id) => this.node(id).name))
    this.numbers.draw()
    this.parts.scrub.value = this.at
    this.parts.where.textContent = t("{at} of {count}", { at: this.at, count: this.steps.length })
    this.parts.sentence.classList.toggle("back", current?.kind === "backward")
    if (current) this.parts.sentence.textContent = this.sentence(current, this.report.graph)
    else this.say(this.parts.sentence, t("Before the first step, only the [[leaves|leaf]] have values. The [[forward pass]] computes the others, the [[backward pass]] the [[gradients|gradient]]."))
    this.editor.lines(current?.line ? [current.line] : [])
    this.describe(this.graph.pinned ?? current?.node ?? null)
    if (this.at === this.steps.length) this.pause()
  }

  /**
   * @param {number} pause in milliseconds between two steps
   * @param {number} [stride] steps that are taken at once
   */
  play(pause, stride = 1) {
    this.pause()
    if (this.at === this.steps.length) this.goto(0)
    this.playing = setInterval(() => this.goto(this.at + stride), pause)
    this.parts.play.textContent = t("❚❚ Pause")
  }

  pause() {
    clearInterval(this.playing)
    this.playing = undefined
    this.parts.play.textContent = t("▶ Play")
  }

  /** @param {string} id */
  name(id) {
    const node = this.node(id)
    return node.inner ? node.op : node.name || node.source?.split("\n")[0] || t("constant")
  }

  /**
   * @param {AutogradRun<Tile>} answer
   * @param {string} source
   */
  summary(answer, source) {
    return { ...super.summary(answer, source), overrides: this.overrides }
  }

  /**
   * @param {ShownStep} step
   * @param {AutogradGraph<Tile>} graph
   */
  sentence({ kind, node: id }, { edges }) {
    const node = this.node(id), name = this.name(id)
    if (kind === "forward" && node.inner) return t("Forward: {op}, a step inside {source}", { op: node.op, source: node.source?.split("\n")[0] })
    if (kind === "forward") {
      const end = !this.passes && this.at === this.steps.length ? ` ${t("Call backward() on it to see the gradients flow back.")}` : ""
      return t("Forward: {name} = {value}", { name, value: this.first(node.value) }) + this.cellNote(node.value) + end
    }
    const arrived = edges.filter((edge) => edge.from === id && edge.passed && edge.output === (node.outputs?.[0]?.output ?? 0))
    const sum = arrived.length > 1 ? `${arrived.slice(0, TERMS).map((edge) => this.first(edge.passed)).join(" + ")}${arrived.length > TERMS ? " + …" : ""} = ${this.first(node.grad)}` : this.first(node.grad)
    if (node.is_leaf) return t("The gradient {sum} arrives at the leaf {name} and is added to {name}.grad", { sum, name }) + this.cellNote(node.grad)
    const parts = edges.filter((edge) => edge.to === id && edge.passed).map((edge) => {
      const gaps = { sum, name, input: this.name(edge.from), grad: this.first(node.grad), local: this.first(edge.local), passed: this.first(edge.passed) }
      return edge.elementwise ? t("gradient of {name} {grad} × slope {local} = {passed} for {input}", gaps) : t("gradient of {name} {grad} gives {passed} for {input}", gaps)
    })
    const paths = arrived.length > 1 ? [t("gradient of {name} = {sum}", { name, sum })] : []
    return [...paths, ...new Set(parts)].join("; ") + this.cellNote(node.grad)
  }

  /** @param {Tile | null | undefined} tile */
  first(tile) {
    return tile?.values.length ? brief(tile.values[0]) : "?"
  }

  /** @param {Tile | null | undefined} tile */
  cellNote(tile) {
    return tile && tile.values.length > 1 ? `   ${t("(at [{cell}])", { cell: tile.shape.map(() => 0).join(", ") })}` : ""
  }

  /**
   * Show everything known about one node.
   * @param {string | null} id
   */
  describe(id) {
    const box = this.parts.details
    const node = this.nodes.get(id ?? "")
    this.say(this.parts.formula, node ? this.formula(node) : "")
    if (!node || !this.report) return box.replaceChildren(element("p", "hint", t("Point at a node to see its numbers. Click it to pin it.")))
    const graded = this.graded.has(node.id) // before, nobody knows its gradients
    const head = element("header", "head")
    head.append(element("code", "source", this.name(node.id)), element("span", "fact", node.op || t("constant")))
    if (node.shape) head.append(element("span", "fact", `${shapeText(node.shape)} ${node.dtype}`))
    if (node.line) head.append(element("span", "fact", t("line {line}", { line: node.line })))
    const facts = element("div", "flow")
    if (!node.outputs?.length) {
      this.grid(facts, t("value"), node.value)
      if (graded) this.grid(facts, t("gradient"), node.grad, "gradient")
    }
    for (const { output, name, value, grad } of node.outputs ?? []) {
      this.grid(facts, name ? t("output {output}: {name}", { output, name }) : t("output {output}", { output }), value)
      if (graded) this.grid(facts, t("gradient of output {output}", { output }), grad)
    }
    for (const edge of this.report.graph.edges.filter((edge) => edge.to === id && edge.local)) this.grid(facts, t("local derivative to {name}", { name: this.name(edge.from) }), edge.local, "local derivative")
    for (const [name, value] of Object.entries(node.saved ?? {})) if (value && typeof value === "object") this.grid(facts, t("saved: {name}", { name }), value)
    box.replaceChildren(head, facts)
  }

  /**
   * What a node computes, and what it passes on of the gradient `g` that arrives.
   * @param {AutogradNode<Tile>} node
   */
  formula({ kind, name, formula = "", derivatives = [] }) {
    if (kind === "leaf") return name ? t("A leaf: you created it. Its gradient is stored in {name}.grad.", { name }) : t("A leaf: its gradient is stored in its .grad.")
    if (kind === "constant") return t("A constant: no gradient flows to it.")
    const parts = derivatives.map((text, place) => t("to {input}: {text}", { input: "abc"[place], text }))
    return [formula, ...parts, parts.length ? t("g: [[upstream gradient]]") : ""].filter(Boolean).join("     ")
  }

  /**
   * @param {HTMLElement} box
   * @param {string} title
   * @param {Tile | null | undefined} tile
   * @param {string} [meaning] the term that the title is
   */
  grid(box, title, tile, meaning) {
    if (!tile) return
    const figure = element("figure", "side")
    const most = largest([tile])
    const width = Math.min(420, this.parts.details.clientWidth - 24)
    const drawn = draw(tile, { width, label: t("{title}, shape {shape}", { title, shape: shapeText(tile.shape) }), colour: (cell) => shade(tile.values[cell], most) })
    drawn.cells.forEach((cell, place) => { cell.title = `[${indexOf(tile.shown, place).join(", ")}] = ${exact(tile.values[place])}` })
    const caption = element("figcaption")
    caption.append(meaning ? term(meaning, title) : title)
    figure.append(caption, drawn.box)
    box.append(figure)
  }

  close() {
    clearTimeout(this.reporting)
    this.pause()
    for (const part of [this.graph, this.earlier, this.numbers]) part.close()
    super.close()
  }
}

/**
 * Whether a step is shown: the forward steps and those of the last backward pass.
 * @param {Step<Tile>} step
 * @param {number} last
 * @returns {step is ShownStep}
 */
const isShown = (step, last) => step.node !== null && (step.kind === "forward" || step.pass === last)

export default mounting(AutogradLab)
