// An editor and the X-ray of what its script made, with predictions and exercises.

const DTYPES = ["any", "float32", "float64", "int64", "int32", "uint8", "bool", "complex64"]

async function load() {
  const [{ Lab }, { Xray, rich }, { element, shapeText }] = await Promise.all([part("lab"), part("xray"), part("tile")])

  return class TensorLab extends Lab {
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
      this.untouched = true // what stands there at first is no answer to an exercise yet
    }

    update(component) {
      if (super.update(component)) this.score = component.data.score
      this.showScore()
    }

    body(source) {
      return { ...super.body(source), exercise: this.data.exercise }
    }

    told(answer, source) {
      return { ...super.told(answer, source), right: answer.right === true }
    }

    present(answer) {
      this.showVerdict(this.untouched ? {} : answer)
      this.untouched = false
      if (!answer.names) return
      const before = new Set(Object.keys(this.report?.names ?? {}))
      this.report = answer
      const wanted = Object.keys(answer.names).filter((name) => answer.names[name].tile !== undefined && !before.has(name)).at(-1)
      const target = this.target(answer)
      if (this.predict.checked && target && !this.failed) this.askFor(target)
      else this.uncover(wanted)
    }

    // What is worth predicting: the last tensor that the script made.
    target(report) {
      return report.steps.flatMap((step) => step.outputs.map((output) => output.name)).filter((name) => name in report.names).at(-1)
    }

    askFor(name) {
      this.hidden = name
      this.question.hidden = false
      this.result.hidden = true
      this.question.querySelector(".ask").replaceChildren("What shape will ", element("code", "", name), " have? Commit yourself, then look.")
      this.question.querySelector(".shape").value = ""
      this.question.querySelector(".dtype").value = "any"
      this.question.querySelector(".shape").focus()
    }

    reveal() {
      const tile = this.report.tiles[this.report.names[this.hidden].tile]
      const said = this.question.querySelector(".shape").value
      const sizes = (said.match(/-?\d+/g) ?? []).map(Number)
      const dtype = this.question.querySelector(".dtype").value
      if (!said.trim()) return
      const right = sizes.join() === tile.shape.join() && ["any", tile.dtype].includes(dtype)
      this.score = [this.score[0] + Number(right), this.score[1] + 1]
      this.tell("score", this.score)
      const name = this.hidden
      this.uncover(name)
      const truth = `${shapeText(tile.shape)} ${tile.dtype}`
      this.verdict.className = `verdict ${right ? "right" : "wrong"}`
      this.verdict.textContent = right ? `Right: ${name} has shape ${truth}.` : `Not quite: you said ${shapeText(sizes)}${dtype === "any" ? "" : ` ${dtype}`}, and ${name} has shape ${truth}.`
      this.showScore()
    }

    uncover(wanted) {
      this.hidden = null
      this.question.hidden = true
      this.result.hidden = false
      this.xray.show(this.report, wanted)
    }

    showScore() {
      const [right, all] = this.score
      this.points.hidden = !all
      this.points.textContent = `${right}/${all}`
    }

    showVerdict({ verdict, right }) {
      const box = this.verdict
      box.className = verdict === undefined ? "verdict" : `verdict ${right ? "right" : "wrong"}`
      box.replaceChildren(...(right ? [rich("span", "", "Right. It holds for five sets of random inputs.")] : verdict ? [rich("span", "", verdict)] : []))
      box.classList.toggle("none", !right && !verdict)
    }

    close() {
      this.xray.close()
      super.close()
    }
  }
}
