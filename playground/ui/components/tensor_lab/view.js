// A script editor and the X-ray of its tensors, with predictions and exercises.

import { element, rich } from "../shared/dom.js"
import { shapeText } from "../shared/format.js"
import { Lab } from "../shared/lab.js"
import { mounting } from "../shared/mounting.js"
import { Xray } from "./xray.js"

const DTYPES = ["any", "float32", "float64", "int64", "int32", "uint8", "bool", "complex64"]

class TensorLab extends Lab {
  constructor(root) {
    super(root, "api/tensors/run")
    const find = (name) => root.querySelector(name)
    this.verdict = find(".verdict")
    this.question = find(".question")
    this.result = find(".result")
    this.points = find(".score")
    this.predict = find(".predict")
    this.xray = new Xray(root, (line) => this.editor.lines(line ? [line] : []))
    this.question.onsubmit = (event) => { event.preventDefault(); this.reveal() }
    find(".dtype").replaceChildren(...DTYPES.map((name) => new Option(name, name)))
    this.predict.onchange = () => { if (this.hidden && !this.predict.checked) this.uncover() }
    this.untouched = true // the starting script is not an answer to an exercise
  }

  update(component) {
    if (super.update(component)) this.score = component.data.score
    this.showScore()
  }

  body(source) {
    return { ...super.body(source), exercise: this.data.exercise }
  }

  summary(answer, source) {
    return { ...super.summary(answer, source), correct: answer.correct === true }
  }

  present(answer) {
    this.showVerdict(this.untouched ? {} : answer)
    this.untouched = false
    if (!answer.names) return
    const before = new Set(Object.keys(this.report?.names ?? {}))
    this.report = answer
    const newest = Object.keys(answer.names).filter((name) => answer.names[name].tile !== undefined && !before.has(name)).at(-1)
    const target = this.target(answer)
    if (this.predict.checked && target && !this.failed) this.askFor(target)
    else this.uncover(newest)
  }

  // The tensor to predict: the last one that the script created.
  target(report) {
    return report.steps.flatMap((step) => step.outputs.map((output) => output.name)).filter((name) => name in report.names).at(-1)
  }

  askFor(name) {
    this.hidden = name
    this.question.hidden = false
    this.result.hidden = true
    this.question.querySelector(".ask").replaceChildren("What shape will ", element("code", "", name), " have? Make a guess first.")
    this.question.querySelector(".shape").value = ""
    this.question.querySelector(".dtype").value = "any"
    this.question.querySelector(".shape").focus()
  }

  reveal() {
    const tile = this.report.tiles[this.report.names[this.hidden].tile]
    const guess = this.question.querySelector(".shape").value
    const sizes = (guess.match(/-?\d+/g) ?? []).map(Number)
    const dtype = this.question.querySelector(".dtype").value
    if (!guess.trim()) return
    const right = sizes.join() === tile.shape.join() && ["any", tile.dtype].includes(dtype)
    this.score = [this.score[0] + Number(right), this.score[1] + 1]
    this.setState("score", this.score)
    const name = this.hidden
    this.uncover(name)
    const truth = `${shapeText(tile.shape)} ${tile.dtype}`
    this.verdict.className = `verdict ${right ? "right" : "wrong"}`
    this.verdict.textContent = right ? `Correct: ${name} has shape ${truth}.` : `Not quite: you guessed ${shapeText(sizes)}${dtype === "any" ? "" : ` ${dtype}`}, and ${name} has shape ${truth}.`
    this.showScore()
  }

  uncover(name) {
    this.hidden = null
    this.question.hidden = true
    this.result.hidden = false
    this.xray.show(this.report, name)
  }

  showScore() {
    const [right, all] = this.score
    this.points.hidden = !all
    this.points.textContent = `${right}/${all}`
  }

  showVerdict({ feedback, correct }) {
    const box = this.verdict
    box.className = feedback === undefined ? "verdict" : `verdict ${correct ? "right" : "wrong"}`
    box.replaceChildren(...(correct ? [rich("span", "", "Correct, for five sets of random inputs.")] : feedback ? [rich("span", "", feedback)] : []))
    box.classList.toggle("none", !correct && !feedback)
  }

  close() {
    this.xray.close()
    super.close()
  }
}

export default mounting(TensorLab)
