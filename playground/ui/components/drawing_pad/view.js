// A canvas with the predictions of one or two networks. They are fetched while the pen moves; Streamlit receives the drawing when a stroke ends.

import { bytesOf, paint } from "../shared/bytes.js"
import { request } from "../shared/client.js"
import { element } from "../shared/dom.js"
import { mounting } from "../shared/mounting.js"
import { Answers, seen } from "./answers.js"
import { Challenge } from "./challenge.js"
import { Layers } from "./layers.js"
import { Paper } from "./paper.js"
import { Photo } from "./photo.js"
import { Preprocessing } from "./preprocessing.js"
import { Teach } from "./teach.js"
import { Why } from "./why.js"

const VIEWS = { way: "Preprocessing", layers: "Activations", why: "Evidence", teach: "Teach", challenge: "Challenge" }
const PICTURE_VIEWS = ["layers", "why"]
const HINTS = { one: "Draw a digit here", several: "Draw a number here, with gaps between its digits" }

class Pad {
  constructor(root) {
    this.root = root.querySelector(".pad")
    this.find = (name) => this.root.querySelector(name)
    this.answers = new Answers(() => this.showPiece())
    this.find(".replies").append(this.answers.box)
    this.way = new Preprocessing(() => this.ask())
    this.others = { one: [], several: [] } // the strokes of each paper
    this.mode = "one"
    this.find(".undo").onclick = () => this.paper.undo()
    this.find(".clear").onclick = () => this.paper.clear()
    for (const mode of ["one", "several"]) this.find(`.${mode}`).onclick = () => this.turnTo(mode)
    for (const tool of ["draws", "moves"]) this.find(`.${tool}`).onclick = () => this.take(tool)
    this.asking = false
    this.stale = false // the drawing has changed since the pending request
    this.pieces = []
  }

  // Set up the canvas to draw on, or the one for a picture.
  lay(picture) {
    this.photo = picture
    this.root.classList.toggle("photo", picture)
    const canvas = this.find(".sheet canvas")
    if (picture) {
      canvas.setAttribute("aria-label", "Picture that the network classifies. Drag it to choose another square of it.")
      this.paper = new Photo(canvas, {
        changed: () => this.ask(),
        refused: (reason) => { this.find(".fault").textContent = reason },
        films: (on) => { this.find(".camera").textContent = on ? "Take this picture" : "Camera" },
      })
      this.find(".choose input").onchange = (event) => { if (event.target.files.length) this.paper.open(event.target.files[0]) }
      this.find(".zoom input").oninput = (event) => this.paper.magnify(Number(event.target.value))
      this.find(".camera").onclick = () => (this.paper.stream ? this.paper.stop() : this.paper.film())
      this.find(".hint").textContent = "Choose a picture, drop it here, or use the camera"
    } else {
      this.paper = new Paper(canvas, {
        changed: () => this.ask(),
        ended: () => this.tell(this.drawing()),
        width: () => (Number(this.find(".pen input").value) / 280) * 1000,
      })
    }
    this.find(".views").append(...Object.entries(VIEWS).filter(([name]) => !picture || PICTURE_VIEWS.includes(name)).map(([name, title]) => {
      const button = element("button", "", title)
      Object.assign(button, { type: "button", role: "tab", onclick: () => this.open(name) })
      button.dataset.view = name
      return button
    }))
  }

  update({ data, setStateValue, setTriggerValue }) {
    this.tell = (drawing) => setStateValue("drawing", drawing)
    this.taught = (before, run) => setTriggerValue("taught", { before, run })
    const fresh = this.data === undefined
    const asked = JSON.stringify(data.models)
    const other = asked !== this.asked
    this.data = data
    this.asked = asked
    const titles = data.models.map(({ title }) => (data.models.length > 1 ? title : ""))
    if (fresh || other) this.answers.prepare(titles, data.classes)
    if (fresh) {
      this.lay(Boolean(data.picture))
      const ask = (path, query, withDrawing) => this.reach(path, query, withDrawing)
      const clear = () => { this.turnTo("one"); this.paper.clear() }
      const teach = new Teach({ ink: () => this.paper.ink(this.data.side), clear, taught: (before, run) => this.taught(before, run) })
      this.parts = { way: this.way, layers: new Layers(ask), why: new Why(ask), teach, challenge: new Challenge(clear, this.find(".task")) }
      this.plain = !data.methods.length
      this.root.classList.toggle("plain", this.plain)
      if (!this.plain) this.offer(titles)
      Object.assign(this.others, data.drawing?.papers)
      if (!this.plain) this.open(this.photo ? "layers" : "way")
      if (!this.photo) this.turnTo(data.drawing?.mode === "several" && !this.plain ? "several" : "one")
    }
    if (other && !fresh) {
      if (!this.plain) this.offer(titles)
      this.answers.show([], false)
      this.ask()
    }
    this.root.classList.add("ready")
    this.paper.paint() // the theme may have changed
  }

  offer(titles) {
    this.parts.why.offer(this.data.methods)
    if (this.photo) return
    this.parts.teach.prepare(this.data.models[0].name, this.data.classes)
    this.parts.challenge.prepare(titles, this.data.classes)
  }

  drawing() {
    return { mode: this.mode, papers: { ...this.others, [this.mode]: this.paper.strokes } }
  }

  // The paper for one digit, or the wide one for several.
  turnTo(mode) {
    if (mode !== this.mode) this.others[this.mode] = this.paper.strokes
    this.mode = mode
    this.root.classList.toggle("wide", mode === "several")
    for (const name of ["one", "several"]) this.find(`.${name}`).setAttribute("aria-pressed", String(name === mode))
    this.find(".hint").textContent = HINTS[mode]
    this.paper.wide = mode === "several" ? this.data.wide : 1
    this.paper.boxes = []
    this.paper.set(this.others[mode])
  }

  take(tool) {
    this.paper.moves = tool === "moves"
    this.root.classList.toggle("moving", this.paper.moves)
    for (const name of ["draws", "moves"]) this.find(`.${name}`).setAttribute("aria-pressed", String(name === tool))
  }

  open(name) {
    this.view = name
    this.root.querySelectorAll("[data-view]").forEach((button) => button.setAttribute("aria-selected", String(button.dataset.view === name)))
    this.find(".view").replaceChildren(this.parts[name].box)
    this.showView()
  }

  // One request at a time; the newest drawing follows, the ones between are skipped.
  async ask() {
    this.root.classList.toggle("drawn", this.paper.strokes.length > 0)
    if (!this.data) return
    this.stale = true
    if (this.asking) return
    this.asking = true
    while (this.stale && !this.closed) {
      this.stale = false
      await this.question()
    }
    this.asking = false
  }

  async question() {
    const answer = this.paper.strokes.length ? await this.reach("answer", {}, true) : { pieces: [] }
    if (!answer) return this.show([])
    this.show(this.paper.strokes.length ? answer.pieces : [], answer.digit_count)
    if (!this.stale) await this.showView()
  }

  // The response of the server; null if it reports an error, which is shown.
  async reach(path, query, withDrawing) {
    const about = path === "answer" ? { model: this.data.models.map(({ name }) => name) } : this.mode === "several" ? { piece: this.answers.piece } : {}
    const without = this.way.without ? { without: this.way.without } : {}
    const body = withDrawing ? this.paper.ink(this.data.side) : undefined
    const answer = await request(`api/draw/${path}`, { query: { ...query, ...about, ...without }, body })
    this.find(".fault").textContent = answer.error ?? ""
    return answer.error ? null : answer
  }

  show(pieces, apart = 1) {
    this.pieces = pieces
    const several = this.mode === "several"
    this.paper.boxes = several ? pieces.map(({ box }) => box) : []
    if (several) this.paper.paint()
    this.answers.show(pieces, several)
    this.root.classList.toggle("answered", pieces.length > 0)
    this.showPiece(apart)
  }

  showPiece(apart = 1) {
    const piece = this.pieces[this.answers.piece]
    this.showSeen(piece)
    if (this.photo) return
    this.way.show(piece)
    this.parts.teach.show(this.mode === "one" ? (piece ?? null) : null)
    this.parts.challenge.show(piece ?? null)
    this.root.classList.toggle("apart", this.mode === "one" && apart > 1)
    if (this.view !== "way" && !this.asking) this.showView()
  }

  // Show the input of the network.
  showSeen(piece) {
    const canvas = this.find(".seen")
    const shown = piece && (this.photo ? paint(bytesOf(piece.seen.values), 0, piece.seen.shape, 1) : seen(piece.steps.centred, 1))
    if (shown) Object.assign(canvas, { width: shown.width, height: shown.height })
    const context = canvas.getContext("2d")
    if (shown) context.drawImage(shown, 0, 0)
    else context.clearRect(0, 0, canvas.width, canvas.height)
    canvas.setAttribute("aria-label", `Input of the network, ${canvas.width} by ${canvas.height} pixels`)
  }

  async showView() {
    const piece = this.pieces[this.answers.piece]
    const model = this.data.models[0].name
    if (this.view === "layers") await (piece ? this.parts.layers.show(model) : this.parts.layers.clear())
    else if (this.view === "why") await this.parts.why.show(model, piece?.answers[0], this.data.classes)
  }

  close() {
    this.closed = true
    this.paper?.close()
    this.parts?.teach?.close()
  }
}

export default mounting(Pad)
