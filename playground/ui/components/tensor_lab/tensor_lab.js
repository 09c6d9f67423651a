// An editor and the X-ray of what its script made. The server is asked by fetch; Streamlit hears of a run afterwards.

const labs = new WeakMap()
const part = (name) => import(new URL(`parts/${name}.js`, document.baseURI).href)
const DTYPES = ["any", "float32", "float64", "int64", "int32", "uint8", "bool", "complex64"]

class Lab {
  constructor(root, { editor, xray, tile }) {
    const find = (name) => root.querySelector(name)
    this.root = find(".lab")
    this.parts = { verdict: find(".verdict"), fault: find(".fault"), printed: find(".printed"), question: find(".question"), result: find(".result"), score: find(".score") }
    this.run = this.run.bind(this)
    this.tile = tile
    this.alignment = xray.alignment
    this.rich = xray.rich
    this.editor = new editor.Editor(find(".editor"), { text: this.source ?? "", label: "Script. Ctrl+Enter runs it; Escape and then Tab leaves the editor.", onRun: this.run })
    this.xray = new xray.Xray(root, (line) => this.editor.lines(line ? [line] : []))
    this.predict = find(".predict")
    find(".run").onclick = this.run
    find(".link").onclick = (event) => this.copyLink(event.currentTarget)
    this.parts.question.onsubmit = (event) => { event.preventDefault(); this.reveal() }
    find(".dtype").replaceChildren(...DTYPES.map((name) => new Option(name, name)))
    this.predict.onchange = () => { if (this.hidden && !this.predict.checked) this.uncover() }
    this.complete()
  }

  update({ data, setStateValue }) {
    this.tell = setStateValue
    const first = this.data === undefined
    this.data = data
    if (first) {
      this.untouched = true // what stands there at first is no answer to an exercise yet
      this.score = data.score
      this.done = data.command.id ?? 0
      this.editor.text = data.source
      if (data.command.kind === "open" && data.command.text === data.source) this.done = data.command.id
      this.run()
    } else if ((data.command.id ?? 0) > this.done) {
      this.done = data.command.id
      const before = this.editor.text.trimEnd()
      this.editor.text = data.command.kind === "append" && before ? `${before}\n${data.command.text}\n` : data.command.text
      this.run()
    }
    this.showScore()
  }

  async complete() {
    const response = await fetch(new URL("api/tensors/reference", document.baseURI))
    if (!response.ok) return
    const entries = await response.json()
    this.editor.complete(entries.map(({ label, group, signature, summary }) => ({ label, detail: group, info: [signature, summary].filter(Boolean).join("\n") })))
  }

  // One question at a time; a run that is asked for meanwhile follows with the newest script.
  async run() {
    if (this.asking) {
      this.again = true
      return
    }
    this.asking = true
    this.root.classList.add("busy")
    const source = this.editor.text
    const answer = await this.ask({ source, exercise: this.data.exercise, device: this.data.device })
    this.asking = false
    this.root.classList.remove("busy")
    if (this.again) {
      this.again = false
      return this.run()
    }
    this.show(answer, source)
    this.tell("ran", { source, right: answer.right === true })
  }

  async ask(body) {
    try {
      const response = await fetch(new URL("api/tensors/run", document.baseURI), { method: "POST", body: JSON.stringify(body) })
      return await response.json()
    } catch {
      return { error: "The server does not answer. Is it still running?" }
    }
  }

  show(answer, source) {
    const failed = typeof answer.error === "string" ? { message: answer.error, explanation: "", fixes: [] } : answer.error
    this.showFault(failed, source)
    this.showVerdict(this.untouched ? {} : answer)
    this.untouched = false
    this.parts.printed.textContent = [answer.output ?? "", ...(answer.warnings ?? []).map((text) => `Warning: ${text}\n`)].join("")
    if (!answer.names) return
    const before = new Set(Object.keys(this.report?.names ?? {}))
    this.report = answer
    const wanted = Object.keys(answer.names).filter((name) => answer.names[name].tile !== undefined && !before.has(name)).at(-1)
    const target = this.target(answer)
    if (this.predict.checked && target && !failed) this.askFor(target)
    else this.uncover(wanted)
  }

  // What is worth predicting: the last tensor that the script made.
  target(report) {
    const made = report.steps.flatMap((step) => step.outputs.map((output) => output.name)).filter((name) => name in report.names)
    return made.at(-1)
  }

  askFor(name) {
    this.hidden = name
    const { question, result } = this.parts
    question.hidden = false
    result.hidden = true
    question.querySelector(".ask").replaceChildren("What shape will ", this.tile.element("code", "", name), " have? Commit yourself, then look.")
    question.querySelector(".shape").value = ""
    question.querySelector(".dtype").value = "any"
    question.querySelector(".shape").focus()
  }

  reveal() {
    const { question } = this.parts
    const tile = this.report.tiles[this.report.names[this.hidden].tile]
    const said = question.querySelector(".shape").value
    const sizes = (said.match(/-?\d+/g) ?? []).map(Number)
    const dtype = question.querySelector(".dtype").value
    if (!said.trim()) return
    const right = sizes.join() === tile.shape.join() && ["any", tile.dtype].includes(dtype)
    this.score = [this.score[0] + Number(right), this.score[1] + 1]
    this.tell("score", this.score)
    const name = this.hidden
    this.uncover(name)
    this.parts.verdict.className = `verdict ${right ? "right" : "wrong"}`
    const truth = `${this.tile.shapeText(tile.shape)} ${tile.dtype}`
    this.parts.verdict.textContent = right ? `Right: ${name} has shape ${truth}.` : `Not quite: you said ${this.tile.shapeText(sizes)}${dtype === "any" ? "" : ` ${dtype}`}, and ${name} has shape ${truth}.`
    this.showScore()
  }

  uncover(wanted) {
    this.hidden = null
    this.parts.question.hidden = true
    this.parts.result.hidden = false
    this.xray.show(this.report, wanted)
  }

  showScore() {
    const [right, all] = this.score
    this.parts.score.hidden = !all
    this.parts.score.textContent = `${right}/${all}`
  }

  showVerdict({ verdict, right }) {
    const box = this.parts.verdict
    box.className = verdict === undefined ? "verdict" : `verdict ${right ? "right" : "wrong"}`
    box.replaceChildren(...(right ? [this.rich("span", "", "Right. It holds for five sets of random inputs.")] : verdict ? [this.rich("span", "", verdict)] : []))
    box.classList.toggle("none", !right && !verdict)
  }

  showFault(fault, source) {
    const box = this.parts.fault
    box.replaceChildren()
    this.editor.mark([])
    if (!fault) return
    const unit = (offset) => [...source].slice(0, offset).join("").length // Python counts characters, JavaScript UTF-16 units
    if (fault.end > fault.start && source === this.editor.text) this.editor.mark([{ start: unit(fault.start), end: unit(fault.end), message: fault.message }])
    box.append(this.rich("p", "message", fault.line ? `Line ${fault.line}: ${fault.message}` : fault.message))
    if (fault.alignment) {
      const { rows, wrong } = fault.alignment
      box.append(this.alignment(rows.map((row) => row.sizes.map((size, place) => ({ size, wrong: wrong.includes(place) }))), rows.map((row) => row.name)))
    }
    if (fault.explanation) box.append(this.rich("p", "why", fault.explanation))
    for (const fix of fault.fixes) {
      const button = this.rich("button", "fix", fix.label)
      button.type = "button"
      button.onclick = () => {
        this.editor.apply({ start: unit(fix.start), end: unit(fix.end), text: fix.text })
        this.run()
      }
      box.append(button)
    }
  }

  async copyLink(button) {
    const address = window.location.href
    try {
      await navigator.clipboard.writeText(address)
      button.textContent = "Copied"
    } catch {
      button.textContent = "It is in the address bar"
    }
    button.onblur = button.onpointerleave = () => { button.textContent = "Copy link" }
  }

  close() {
    this.xray.close()
    this.editor.destroy()
  }
}

export default function (component) {
  const root = component.parentElement
  const held = labs.get(root) ?? {}
  held.latest = component
  if (!held.ready) {
    labs.set(root, held)
    held.ready = Promise.all([part("editor"), part("xray"), part("tile")]).then(([editor, xray, tile]) => {
      if (!held.closed) held.lab = new Lab(root, { editor, xray, tile })
    })
  }
  held.ready.then(() => held.lab?.update(held.latest))
  return () => {
    held.closed = true
    held.lab?.close()
    labs.delete(root)
  }
}
