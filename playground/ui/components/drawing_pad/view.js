// A canvas with the predictions of one or two networks. They are fetched while the pen moves; Streamlit receives the drawing when a stroke ends.

import { request } from "../shared/client.js"
import "../shared/controls.js"
import { element, find, tab } from "../shared/dom.js"
import { Layers } from "../shared/layers.js"
import { mounting } from "../shared/mounting.js"
import { clearedOf, isUndo, Paper, reachOf, sheetOf } from "../shared/paper.js"
import { atRest, pictureOf } from "../shared/stage.js"
import { Tabs } from "../shared/tabs.js"
import { t } from "../shared/text.js"
import { Answers } from "./answers.js"
import { Challenge } from "./challenge.js"
import { Photo } from "./photo.js"
import { Photograph } from "./photograph.js"
import { Preprocessing } from "./preprocessing.js"
import { Teach } from "./teach.js"
import { Why } from "./why.js"

/**
 * @import { Query } from "../shared/client.js"
 * @import { Component } from "../shared/mounting.js"
 * @import { Sheet } from "../shared/paper.js"
 * @import { Drawing, DrawingData, PictureData } from "./documents.js"
 * @import { Ask, Data, Mode, Piece, Responses } from "./types.js"
 */

/** @typedef {"draws" | "moves"} Tool */

/** @type {Record<string, string>} */
const VIEWS = { way: t("Preprocessing"), why: t("Evidence"), teach: t("Teach"), challenge: t("Challenge") }
const HINTS = { one: t("Draw a digit here"), several: t("Draw a number here, with gaps between its digits") }
const PHOTOGRAPH_HINT = t("Choose a photo of handwritten digits, drop or paste it here, or use the camera")
/** @type {Mode[]} */
const MODES = ["one", "several"]
/** @type {Tool[]} */
const TOOLS = ["draws", "moves"]
const SHORT = 2.1 // a number that reaches farther needs the whole paper on a phone, too, where there is less of it: view.css

class Pad {
  /**
   * @param {HTMLElement | ShadowRoot} root
   * @param {Component<DrawingData | PictureData>} component
   */
  constructor(root, component) {
    /** @type {HTMLElement} */
    this.root = find(root, ".pad")
    this.component = component
    /** @type {Data} */
    this.data = component.data
    this.asked = JSON.stringify(this.data.models)
    this.asking = false
    this.stale = false // the drawing has changed since the pending request
    this.explaining = false
    this.unexplained = false // the answers have changed since what explains them was asked for
    this.closed = false
    /** @type {(event: ClipboardEvent) => void} */
    this.pasted = () => {}
    this.refusal = "" // why the file chosen last is no picture; later responses are about the picture before
    /** @type {Piece[]} */
    this.pieces = []
    /** @type {Record<Mode, Sheet>} of each paper; the one that is shown has changed since */
    this.sheets = { one: sheetOf([]), several: sheetOf([]) }
    /** @type {Mode} */
    this.mode = "one"
    this.view = "way"
    /** @type {number | null} which network's layers are opened */
    this.opened = null
    this.answers = new Answers(() => this.choosePiece(), (network, layers) => this.openLayers(network, layers), () => this.drawAgain())
    this.way = new Preprocessing(() => this.ask())
    /** @type {Ask} */
    const ask = (path, query, withDrawing) => this.reach(path, query, withDrawing)
    this.layers = new Layers(ask, () => this.closeLayers())
    this.why = new Why(ask, () => this.explain(), "picture" in this.data ? t("Choose a picture first.") : t("Draw a digit first."))
    this.reading = false // a photograph of handwriting, instead of a drawing
    /** @type {{ paper: Paper, photograph: Photograph, wide: number, teach: Teach, challenge: Challenge } | null} what only a canvas to draw on has; none for a picture */
    this.tools = "picture" in this.data ? null : this.layPaper(this.data)
    /** @type {Paper | Photo} */
    this.paper = this.tools?.paper ?? this.layPhoto()
    /** @type {Record<string, { box: HTMLElement }>} */
    this.parts = { why: this.why }
    if (this.tools) this.parts = { way: this.way, ...this.parts, teach: this.tools.teach, challenge: this.tools.challenge }
    find(this.root, ".replies").append(this.answers.box)
    find(this.root, ".work").before(this.answers.cards)
    this.tabs = new Tabs(find(this.root, ".views"))
    this.tabs.list.append(...Object.keys(this.parts).map((name) => tab(name, VIEWS[name], () => this.open(name))))
    find(this.root, ".clear").onclick = () => this.paper.clear()
    this.root.classList.toggle("photo", !this.tools)
    find(this.root, ".inside").append(this.layers.box)
    find(this.root, ".work").onkeydown = (/** @type {KeyboardEvent} */ event) => { if (event.key === "Escape" && this.opened !== null) this.closeLayers() }
    this.root.onkeydown = (event) => this.press(event)
    this.prepare()
    this.open(this.tools ? "way" : "why")
    if (this.tools) this.turnTo(this.mode)
  }

  /**
   * Set up the canvas to draw on, with the drawing that was left.
   * @param {DrawingData} data
   */
  layPaper({ side, wide, drawing }) {
    const pen = find(this.root, ".pen slide-bar")
    const paper = new Paper(find(this.root, ".sheet canvas"), {
      side,
      changed: () => this.ask(),
      ended: () => {
        this.answers.pulse()
        this.root.classList.toggle("long", reachOf(paper.strokes) > SHORT)
        this.component.setStateValue("drawing", this.kept(paper))
      },
      width: () => (pen.value / 280) * 1000,
    })
    if (drawing) {
      for (const mode of MODES) this.sheets[mode] = sheetOf(drawing.papers[mode], drawing.cleared?.[mode])
      this.mode = drawing.mode
    }
    const photograph = this.fill(new Photograph(element("canvas", "photograph"), this.photoOptions()))
    find(this.root, ".read").onclick = () => this.turnTo("several", true)
    find(this.root, ".undo").onclick = () => paper.undo()
    for (const mode of MODES) find(this.root, `.${mode}`).onclick = () => this.turnTo(mode)
    for (const tool of TOOLS) find(this.root, `.${tool}`).onclick = () => this.take(tool)
    const clear = () => { this.turnTo("one"); paper.clear() }
    const teach = new Teach({ ink: () => paper.ink(), clear, taught: (before, run) => this.component.setTriggerValue("taught", { before, run }) })
    return { paper, photograph, wide, teach, challenge: new Challenge(clear, find(this.root, ".task")) }
  }

  /**
   * What Streamlit keeps: the strokes on both papers, and those that Undo would bring back.
   * @param {Paper} paper
   * @returns {Drawing}
   */
  kept({ strokes, past }) {
    this.sheets[this.mode] = { strokes, past }
    const { one, several } = this.sheets
    return { mode: this.mode, papers: { one: one.strokes, several: several.strokes }, cleared: { one: clearedOf(one), several: clearedOf(several) } }
  }

  /**
   * Keys that hold wherever the focus is.
   * @param {KeyboardEvent} event
   */
  press(event) {
    const isTyping = /** @type {Element} */ (event.composedPath()[0]).matches("input, textarea")
    if (isUndo(event) && !isTyping && !event.defaultPrevented && !this.reading) this.tools?.paper.undo()
    else if (this.view === "teach") this.tools?.teach.press(event)
  }

  /** Set up the canvas for a picture. */
  layPhoto() {
    const canvas = find(this.root, ".sheet canvas")
    canvas.setAttribute("aria-label", t("Picture that the network classifies. Drag it to choose another square of it."))
    const photo = this.fill(new Photo(canvas, this.photoOptions()))
    const zoom = find(this.root, ".zoom slide-bar")
    zoom.oninput = () => photo.magnify(zoom.value)
    find(this.root, ".hint").textContent = t("Choose a picture, drop or paste it here, or use the camera")
    return photo
  }

  photoOptions() {
    const camera = find(this.root, ".camera")
    return {
      changed: () => { this.refusal = ""; this.ask() },
      refused: (/** @type {string} */ reason) => { this.refusal = find(this.root, ".fault").textContent = reason },
      films: (/** @type {boolean} */ on) => { camera.textContent = on ? t("Take this picture") : t("Camera") },
    }
  }

  /**
   * Fill a photo by files that are chosen, taken with a telephone, dropped or pasted, and by the camera.
   * @template {Photo} P
   * @param {P} photo
   */
  fill(photo) {
    /** @param {File | undefined} file */
    const open = (file) => {
      if (file && this.tools) this.turnTo("several", true)
      if (file) photo.open(file)
    }
    for (const input of [find(this.root, ".choose input"), find(this.root, ".snap input")]) {
      input.onchange = () => { open(input.files[0]); input.value = "" } // so that the same file can be chosen again
    }
    const sheet = find(this.root, ".sheet")
    sheet.ondragover = (/** @type {DragEvent} */ event) => event.preventDefault()
    sheet.ondrop = (/** @type {DragEvent} */ event) => { event.preventDefault(); open(event.dataTransfer?.files[0]) }
    this.pasted = (event) => open(event.clipboardData?.files[0])
    addEventListener("paste", this.pasted)
    find(this.root, ".camera").onclick = () => (photo.stream ? photo.stop() : photo.film())
    return photo
  }

  /** @param {Component<DrawingData | PictureData>} component */
  update(component) {
    this.component = component
    this.data = component.data
    const asked = JSON.stringify(this.data.models)
    if (asked !== this.asked) {
      this.asked = asked
      this.prepare()
      this.answers.show([], false)
      this.ask()
    }
    this.root.classList.add("ready")
    this.paper.paint() // the theme may have changed
    this.answers.repaint()
  }

  /** Set the networks and their classes everywhere. */
  prepare() {
    const { models, classes, methods } = this.data
    const titles = models.map(({ title }) => (models.length > 1 ? title : ""))
    this.answers.prepare(titles)
    this.root.classList.toggle("two", models.length > 1)
    this.closeLayers()
    this.showAtRest()
    this.why.offer(methods)
    this.tools?.teach.prepare(models[0].name, classes)
    this.tools?.challenge.prepare(titles, classes)
  }

  /**
   * The paper for one digit, or the wide one for several, or a photograph of several.
   * @param {Mode} mode
   */
  turnTo(mode, reading = false) {
    if (!this.tools) return
    const { paper, photograph, wide } = this.tools
    if (!reading) photograph.stop()
    if (reading) paper.canvas.after(photograph.canvas)
    else photograph.canvas.remove()
    this.reading = reading
    this.paper = reading ? photograph : paper
    if (mode !== this.mode) this.sheets[this.mode] = { strokes: paper.strokes, past: paper.past }
    this.mode = mode
    this.tell("") // an error is about the other paper
    this.root.classList.toggle("wide", mode === "several" && !reading)
    this.root.classList.toggle("reading", reading)
    this.way.turn(reading)
    find(this.root, ".read").setAttribute("aria-pressed", String(reading))
    this.root.classList.toggle("long", reachOf(this.sheets[mode].strokes) > SHORT)
    for (const name of MODES) find(this.root, `.${name}`).setAttribute("aria-pressed", String(name === mode && !reading))
    find(this.root, ".hint").textContent = reading ? PHOTOGRAPH_HINT : HINTS[mode]
    paper.wide = mode === "several" ? wide : 1
    paper.boxes = []
    paper.set(this.sheets[mode].strokes, this.sheets[mode].past)
  }

  /** @param {Tool} tool */
  take(tool) {
    if (!this.tools) return
    const moves = tool === "moves"
    this.tools.paper.moves = moves
    this.root.classList.toggle("moving", moves)
    for (const name of TOOLS) find(this.root, `.${name}`).setAttribute("aria-pressed", String(name === tool))
  }

  /** Show the networks before anything is drawn. */
  async showAtRest() {
    const { models, classes } = this.data
    const answers = await Promise.all(models.map(({ name }, index) => request("api/draw/picture", { query: this.pictureQuery(name, index), body: new Uint8Array() })))
    if (!this.paper.strokes.length && models === this.data.models) this.answers.showPictures(answers.map((answer) => (answer.error ? null : atRest(pictureOf(answer)))), classes)
  }

  /** Draw the networks anew: other layers share a column. */
  async drawAgain() {
    if (this.pieces.length) this.answers.showPictures(await this.pictures(), this.data.classes)
    else await this.showAtRest()
  }

  /**
   * @param {string} model
   * @param {number} index
   * @returns {Query}
   */
  pictureQuery(model, index) {
    const { unfolded, view } = this.answers.columns[index].stage
    return unfolded === null ? { model, view } : { model, view, unfolded }
  }

  /**
   * Open some layers of a network in place of the pictures.
   * @param {number} network
   * @param {[first: number, last: number]} layers
   */
  openLayers(network, layers) {
    if (!layers[1]) return // the input has none
    this.opened = network
    this.root.classList.add("opened")
    this.layers.back.focus()
    return this.layers.open(this.data.models[network].name, layers)
  }

  closeLayers() {
    this.opened = null
    this.root.classList.remove("opened")
  }

  /** @param {string} name of a view */
  open(name) {
    this.view = name
    this.tabs.select(name)
    find(this.root, ".view").replaceChildren(this.parts[name].box)
    this.explain()
  }

  /** What is asked about: an answer that comes when this is another one is not shown. */
  get subject() {
    return this.asked + this.mode + this.reading
  }

  /** One request at a time; the newest drawing follows, the ones between are skipped. */
  async ask() {
    this.root.classList.toggle("drawn", this.paper.strokes.length > 0)
    this.stale = true
    if (this.tools) this.why.drop()
    if (this.asking) return
    this.asking = true
    try {
      while (this.stale && !this.closed) {
        this.stale = false
        await this.question()
      }
    } finally {
      this.asking = false
    }
    this.explain()
  }

  async question() {
    const { subject } = this
    if (!this.paper.strokes.length) return this.leave()
    const pictures = this.mode === "one" ? this.pictures() : null // of several digits, the pieces must be known first
    const answer = await this.reach("answer", {}, true)
    if (subject !== this.subject) return
    if (!this.paper.strokes.length) return this.leave()
    if (!answer) return this.show([])
    this.way.photograph = answer.photograph ?? null
    this.show(answer.pieces, answer.digit_count)
    this.answers.showPictures(await (pictures ?? this.pictures()), this.data.classes)
  }

  /** Nothing is drawn any more. */
  leave() {
    this.tell("")
    this.show([])
  }

  /** The networks at work on what is drawn. */
  pictures() {
    return Promise.all(this.data.models.map(async ({ name }, index) => {
      const picture = await this.reach("picture", this.pictureQuery(name, index), true)
      return picture && pictureOf(picture)
    }))
  }

  /**
   * The response of the server; null if it reports an error, which is shown.
   * @template {keyof Responses} Path
   * @param {Path} path
   * @param {Query} query
   * @param {boolean} [withDrawing]
   * @returns {Promise<Responses[Path] | null>}
   */
  async reach(path, query, withDrawing) {
    /** @type {Query} */
    const about = path === "answer" ? { model: this.data.models.map(({ name }) => name) } : this.mode === "several" ? { piece: this.answers.piece } : {}
    /** @type {Query} */
    const without = this.way.without ? { without: this.way.without } : {}
    const body = withDrawing ? this.paper.ink() : undefined
    if (body === null) return null // the picture was cleared meanwhile
    const { subject } = this
    const answer = await request(`api/draw/${path}`, { query: { ...query, ...about, ...without }, body })
    const isGone = subject !== this.subject || (withDrawing && !this.paper.strokes.length)
    if (!isGone && (path !== "picture" || answer.error)) this.tell(answer.error ?? "")
    return answer.error ? null : answer
  }

  /** @param {string} error of the server; empty if there is none */
  tell(error) {
    find(this.root, ".fault").textContent = this.refusal || error
  }

  /**
   * @param {Piece[]} pieces
   * @param {number} [apart] number of digits that lie apart
   */
  show(pieces, apart = 1) {
    this.pieces = pieces
    const several = this.mode === "several"
    this.paper.boxes = several ? pieces.flatMap((piece) => ("box" in piece && piece.box ? [piece.box] : [])) : [] // none where the other paper was asked about
    if (several) this.paper.paint()
    this.answers.show(pieces, several)
    this.root.classList.toggle("answered", pieces.length > 0)
    this.showPiece(apart)
  }

  showPiece(apart = 1) {
    /** @type {Piece | undefined} */
    const piece = this.pieces[this.answers.piece]
    if (!this.tools) return
    this.way.show(piece)
    const digit = this.mode === "one" ? (piece ?? null) : null
    this.tools.teach.show(digit, this.mode === "several")
    this.tools.challenge.show(digit)
    this.root.classList.toggle("apart", this.mode === "one" && apart > 1)
  }

  /** Another one of several digits was chosen. */
  async choosePiece() {
    this.showPiece()
    if (this.asking) return void (this.stale = true) // its pictures are asked for next
    this.answers.showPictures(await this.pictures(), this.data.classes)
    this.explain()
  }

  /** What explains the answers follows them, and never makes them wait. Here, too, there is one request at a time. */
  async explain() {
    this.unexplained = true
    if (this.explaining) return
    this.explaining = true
    try {
      while (this.unexplained && !this.closed) {
        this.unexplained = false
        await this.showView()
      }
    } finally {
      this.explaining = false
    }
  }

  async showView() {
    const piece = this.pieces[this.answers.piece]
    const model = this.data.models[0].name
    if (this.opened !== null) await (piece ? this.layers.show(this.data.models[this.opened].name) : this.layers.clear())
    if (this.view === "why" && !this.tools?.paper.current && !this.stale) await this.why.show(model, piece?.answers[0], this.data.classes)
  }

  close() {
    this.closed = true
    removeEventListener("paste", this.pasted)
    this.tools?.photograph.close()
    this.paper.close()
    this.answers.close()
    this.tools?.teach.close()
    this.tools?.challenge.stop()
  }
}

/** Makes the pad when its data have come. */
class View {
  /** @param {HTMLElement | ShadowRoot} root */
  constructor(root) {
    this.root = root
    /** @type {Pad | null} */
    this.pad = null
  }

  /** @param {Component<DrawingData | PictureData>} component */
  update(component) {
    this.pad ??= new Pad(this.root, component)
    this.pad.update(component)
  }

  close() {
    this.pad?.close()
  }
}

export default mounting(View)
