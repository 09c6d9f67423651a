// A script, the autograd graph that PyTorch recorded for it, and a walk through it, forward and backward, one node at a time.

const part = (name) => import(new URL(`parts/${name}.js`, document.baseURI).href)
const PACE = 900 // milliseconds from one step to the next while it plays

async function load() {
  const [{ Lab, mount }, { Graph }, { draw, element, exact, indexOf, largest, shade, shapeText }] = await Promise.all([part("lab"), part("graph"), part("tile")])

  class AutogradLab extends Lab {
    constructor(root) {
      super(root, "api/autograd/run")
      const find = (name) => root.querySelector(name)
      this.parts = Object.fromEntries(["steps", "scrub", "where", "sentence", "canvas", "details", "leaves", "play"].map((name) => [name, find(`.${name}`)]))
      this.graph = new Graph(this.parts.canvas, { onPoint: (id) => this.describe(id ?? this.pinned), onPin: (id) => { this.pinned = this.pinned === id ? null : id; this.describe(id) } })
      find(".start").onclick = () => this.goto(0)
      find(".back").onclick = () => this.goto(this.at - 1)
      find(".next").onclick = () => this.goto(this.at + 1)
      this.parts.play.onclick = () => (this.playing ? this.pause() : this.play())
      this.parts.scrub.oninput = () => this.goto(Number(this.parts.scrub.value))
    }

    present(answer) {
      if (!answer.graph) return
      this.report = answer
      this.pinned = null
      const passes = answer.steps.filter((step) => step.kind === "backward").map((step) => step.pass)
      const last = Math.max(...passes)
      this.steps = answer.steps.filter((step) => step.node && (step.kind === "forward" || step.pass === last))
      this.passes = new Set(passes).size
      this.nodes = new Map(answer.graph.nodes.map((node) => [node.id, node]))
      this.parts.scrub.max = this.steps.length
      const empty = !answer.graph.nodes.length
      this.parts.steps.hidden = this.parts.canvas.hidden = empty
      if (empty) {
        this.parts.sentence.textContent = "There is no graph yet: give a tensor requires_grad=True, compute with it, and call backward() on the result."
        this.parts.details.replaceChildren()
      } else {
        this.graph.show(answer.graph)
        this.goto(this.steps.length)
      }
      this.showLeaves()
    }

    // The state after so many steps; the step that was taken last is told in words and numbers.
    goto(step) {
      this.at = Math.max(0, Math.min(this.steps.length, step))
      const taken = this.steps.slice(0, this.at)
      const current = taken.at(-1)
      const computed = new Set(taken.filter(({ kind }) => kind === "forward").map(({ node }) => node))
      const graded = new Set(taken.filter(({ kind }) => kind === "backward").map(({ node }) => node))
      this.graph.mark({ computed, graded, current: current?.node })
      this.parts.scrub.value = this.at
      this.parts.where.textContent = `${this.at} of ${this.steps.length}`
      this.parts.sentence.textContent = current ? this.told(current) : "Before the first step: only the leaves have values."
      this.editor.lines(current?.line ? [current.line] : [])
      this.describe(this.pinned ?? current?.node)
      if (this.at === this.steps.length) this.pause()
    }

    play() {
      if (this.at === this.steps.length) this.goto(0)
      this.playing = setInterval(() => this.goto(this.at + 1), PACE)
      this.parts.play.textContent = "❙❙"
      this.parts.play.setAttribute("aria-label", "Pause")
    }

    pause() {
      clearInterval(this.playing)
      this.playing = null
      this.parts.play.textContent = "▶"
      this.parts.play.setAttribute("aria-label", "Play")
    }

    name(id) {
      const node = this.nodes.get(id)
      return node.name || node.source.split("\n")[0] || "constant"
    }

    told({ kind, node: id }) {
      const node = this.nodes.get(id)
      if (kind === "forward") return `Forward: ${this.name(id)} = ${this.first(node.value)}${this.cellNote(node.value)}`
      const arrived = this.report.graph.edges.filter((edge) => edge.from === id && edge.passed)
      const sum = arrived.length > 1 ? `${arrived.map((edge) => this.first(edge.passed)).join(" + ")} = ${this.first(node.grad)}` : this.first(node.grad)
      if (node.is_leaf) return `Backward: the gradient ${sum} reaches the leaf ${this.name(id)} and is added to ${this.name(id)}.grad${this.cellNote(node.grad)}`
      const passed = this.report.graph.edges.filter((edge) => edge.to === id && edge.passed)
      const parts = passed.map((edge) => `to ${this.name(edge.from)}: ${edge.elementwise ? `${this.first(node.grad)} × ${this.first(edge.local)} = ` : ""}${this.first(edge.passed)}`)
      return `Backward: the gradient of ${this.name(id)} is ${sum}; it passes on ${parts.join(", ")}${this.cellNote(node.grad)}`
    }

    first(tile) {
      return tile?.values.length ? exact(tile.values[0]) : "?"
    }

    cellNote(tile) {
      return tile && tile.values.length > 1 ? `   (at cell [${tile.shape.map(() => 0).join(", ")}])` : ""
    }

    // Everything that is known of one node.
    describe(id) {
      const box = this.parts.details
      const node = this.nodes?.get(id)
      if (!node) return box.replaceChildren(element("p", "hint", "Point at a node to see its numbers; click to keep it."))
      const head = element("header", "head")
      head.append(element("code", "source", this.name(id)), element("span", "fact", node.op || "constant"))
      if (node.shape) head.append(element("span", "fact", `${shapeText(node.shape)} ${node.dtype}`))
      if (node.line) head.append(element("span", "fact", `line ${node.line}`))
      const facts = element("div", "flow")
      this.grid(facts, "value", node.value)
      this.grid(facts, "gradient", node.grad)
      for (const edge of this.report.graph.edges.filter((edge) => edge.to === id && edge.local)) this.grid(facts, `local derivative to ${this.name(edge.from)}`, edge.local)
      for (const [name, value] of Object.entries(node.saved ?? {})) if (value?.values) this.grid(facts, `saved: ${name}`, value)
      const lines = []
      if (node.formula) lines.push(element("p", "formula", [node.formula, ...node.derivatives.map((text, place) => `${"abc"[place]}: ${text}`)].join("     ")))
      box.replaceChildren(head, ...lines, facts)
    }

    grid(box, title, tile) {
      if (!tile) return
      const figure = element("figure", "side")
      const most = largest([tile])
      const width = Math.min(420, this.parts.details.clientWidth - 24)
      const drawn = draw(tile, { width, label: `${title}, shape ${shapeText(tile.shape)}`, colour: (cell) => shade(tile.values[cell], most) })
      drawn.cells.forEach((cell, place) => { cell.title = `[${indexOf(tile.shown, place).join(", ")}] = ${exact(tile.values[place])}` })
      figure.append(element("figcaption", "", title), drawn.box)
      box.append(figure)
    }

    showLeaves() {
      const rows = []
      for (const [name, facts] of Object.entries(this.report.names)) {
        if (!facts.requires_grad || !facts.is_leaf) continue
        rows.push(element("dt", "", `${name}.grad`), element("dd", "", facts.grad === null ? "none yet" : rounded(facts.grad)))
      }
      if (this.passes > 1) rows.push(element("dt", "", "passes"), element("dd", "", `${this.passes} backward passes; gradients add up over them. The last is shown.`))
      this.parts.leaves.replaceChildren(...rows)
    }

    close() {
      this.pause()
      super.close()
    }
  }

  // A nested list with as many digits as one reads.
  const rounded = (value) => JSON.stringify(value, (_, part) => (typeof part === "number" ? Number(part.toPrecision(6)) : part)).replaceAll(",", ", ")

  return (component) => mount(component, (root) => new AutogradLab(root))
}

let ready
export default function (component) {
  let leave = () => {}
  let gone = false
  ready ??= load()
  ready.then((show) => { if (!gone) leave = show(component) })
  return () => {
    gone = true
    leave()
  }
}
