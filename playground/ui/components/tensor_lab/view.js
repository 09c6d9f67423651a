// A script editor and the X-ray of its tensors, with predictions and exercises.

import "../shared/controls.js"
import { element, find, rich } from "../shared/dom.js"
import { shapeText } from "../shared/format.js"
import { Lab } from "../shared/lab.js"
import { mounting } from "../shared/mounting.js"
import { t } from "../shared/text.js"
import { ExercisePane } from "./exercise.js"
import { NO_REPORT, arrayNames, newest, tileOf } from "./report.js"
import { Xray } from "./xray.js"

/**
 * @import { Component } from "../shared/mounting.js"
 * @import { GradedReport, LabData, Report } from "./documents.js"
 */

/** @typedef {Report & Partial<GradedReport> | { error: string }} Answer without a grade where no exercise is open; with an error alone where the request failed */

const ANY = "any"
const DTYPES = ["float32", "float64", "int64", "int32", "uint8", "bool", "complex64"]

class TensorLab extends Lab {
  /** @param {HTMLElement | ShadowRoot} root */
  constructor(root) {
    super(root, "api/tensors/run", { live: true })
    /** @type {HTMLElement} */
    this.verdict = find(root, ".verdict")
    /** @type {HTMLFormElement} */
    this.question = find(root, ".question")
    /** @type {HTMLInputElement} */
    this.shape = find(this.question, ".shape")
    /** @type {import("../shared/pick.js").PickOne} */
    this.dtype = find(this.question, ".dtype")
    /** @type {HTMLElement} */
    this.result = find(root, ".result")
    /** @type {HTMLElement} */
    this.points = find(root, ".score")
    /** @type {HTMLInputElement} */
    this.predict = find(root, ".predict")
    /** @type {LabData["score"]} */
    this.score = [0, 0]
    this.report = NO_REPORT
    this.hidden = "" // the tensor whose shape is asked for; empty for none
    this.untouched = true // the starting script is not an answer to an exercise
    /** @type {HTMLElement} */
    this.option = find(root, ".option")
    /** @type {Component["setTriggerValue"]} */
    this.trigger = () => {}
    this.exercise = new ExercisePane(root, () => this.trigger("next", true))
    this.xray = new Xray(root, (line) => this.editor.lines(line ? [line] : []))
    this.question.onsubmit = (event) => { event.preventDefault(); this.reveal() }
    this.dtype.options = [{ value: ANY, title: t("any") }, ...DTYPES.map((name) => ({ value: name, title: name }))]
    this.predict.onchange = () => {
      this.live = !this.predict.checked // a question while one types would be in the way
      if (this.hidden && !this.predict.checked) this.uncover()
    }
  }

  /** @param {Component<LabData>} component */
  update(component) {
    const { exercise } = component.data
    const other = this.data !== undefined && exercise?.name !== this.exercise.exercise?.name
    this.trigger = component.setTriggerValue
    if (this.data === undefined || other) {
      this.exercise.open(exercise)
      this.option.hidden = this.link.hidden = Boolean(exercise)
    }
    if (this.data !== undefined && component.data.command.kind === "open" && component.data.command.id > this.done) this.report = NO_REPORT // all variables are new
    const first = super.update(component)
    if (first) this.score = component.data.score
    this.showScore()
    if (other) this.start(component.data.source)
    return first
  }

  /**
   * Begin another exercise.
   * @param {string} source
   */
  start(source) {
    this.untouched = true
    this.editor.text = source
    this.run()
    this.editor.focus()
  }

  /** @param {string} source */
  body(source) {
    return { ...super.body(source), exercise: this.data.exercise?.name ?? "" }
  }

  /**
   * @param {Answer} answer
   * @param {string} source
   */
  summary(answer, source) {
    return { ...super.summary(answer, source), solved: "names" in answer && answer.correct ? this.data.exercise?.name : "" }
  }

  /**
   * @param {Answer} answer
   * @param {string} _source
   * @param {boolean} typed
   */
  present(answer, _source, typed) {
    const report = "names" in answer ? answer : null
    if (report?.target) this.exercise.aim(report.target)
    this.exercise.judge(this.untouched || !report ? {} : report, typed)
    this.untouched = false
    if (!report) {
      if (this.report === NO_REPORT) this.uncover()
      return
    }
    const before = new Set(Object.keys(this.report.names))
    this.report = report
    const target = newest(report)
    if (this.predict.checked && target && !this.failed) this.askFor(target)
    else this.uncover(report.correct ? this.exercise.exercise?.result : arrayNames(report).findLast((name) => !before.has(name)))
  }

  /** @param {string} name */
  askFor(name) {
    this.hidden = name
    this.question.hidden = false
    this.result.hidden = true
    find(this.question, ".ask").replaceChildren(rich("span", "", t("What shape will `{name}` have? Make a guess first.", { name })))
    this.shape.value = ""
    this.dtype.value = ANY
    this.shape.focus()
  }

  reveal() {
    const name = this.hidden
    const tile = tileOf(this.report, name)
    const guess = this.shape.value
    if (!tile || !guess.trim()) return
    const sizes = (guess.match(/-?\d+/g) ?? []).map(Number)
    const dtype = this.dtype.value
    const right = sizes.join() === tile.shape.join() && [ANY, tile.dtype].includes(dtype)
    this.score = [this.score[0] + Number(right), this.score[1] + 1]
    this.setState("score", this.score)
    this.uncover(name)
    const truth = `${shapeText(tile.shape)} ${tile.dtype}`
    this.verdict.className = `verdict ${right ? "right" : "wrong"}`
    const answer = dtype === ANY ? shapeText(sizes) : `${shapeText(sizes)} ${dtype}`
    const text = right ? t("Correct: {name} has shape {truth}.", { name, truth }) : t("Not quite: you guessed {answer}, and {name} has shape {truth}.", { answer, name, truth })
    this.verdict.replaceChildren(element("span", "mark", right ? "✓" : "✕"), element("span", "", text))
    this.showScore()
  }

  /** @param {string} [name] the variable to select */
  uncover(name) {
    this.hidden = ""
    this.question.hidden = true
    this.result.hidden = false
    this.xray.show(this.report, name)
  }

  showScore() {
    const [right, all] = this.score
    this.points.hidden = !all
    this.points.textContent = `${right}/${all}`
  }

  close() {
    this.xray.close()
    super.close()
  }
}

export default mounting(TensorLab)
