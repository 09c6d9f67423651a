// The network picture: one image on its way through a network, from left to right. Columns of feature maps, edges by what each contributes,
// the classes with their probabilities at the right. The same picture stands on every page that shows a network at work. Where the server draws it,
// it can also show the weights, or the gradient on its way back.

import { signed } from "./bytes.js"
import { inked, pixel, rgb } from "./colour.js"
import { button, element } from "./dom.js"
import { percent } from "./format.js"
import { Edges } from "./stage_edges.js"
import { cornerOf, heightOf, layOut, unitAt } from "./stage_layout.js"
import { sizeOf, titleOf, wordsFor, wordsForView } from "./stage_words.js"
import { withTerms } from "./term.js"
import { t } from "./text.js"
import { tokens } from "./tokens.js"

/**
 * @import { Column, NetworkPicture } from "./documents.js"
 * @import { Box, Layout } from "./stage_layout.js"
 */
/** @typedef {{ column: number, place: number }} Unit a feature map, token, feature or class: its column, and its place among those that are drawn */
/** @typedef {"forward" | "backward"} Direction */
/** @typedef {{ ink: number[], above: number[], below: number[], gradient: number[] }} Colours */
/** @typedef {Omit<Column, "values" | "edges" | "scale"> & { values: Int8Array, edges: Int8Array }} PictureColumn */
/** @typedef {NetworkPicture["view"]} View what units and edges show */
/** @typedef {{ view: View, columns: PictureColumn[], probabilities: number[] }} Picture a `NetworkPicture` whose bytes are read */

const PULSE_MS = 600
const LETTER = 0.58 // width of a letter, as a share of the size of the text
const MAGNIFIED = 8 // rem, a side of the unit under the pointer when it shows its weights
const FAINT = 0.08 // of edges that do not belong to the unit under the pointer
/** @type {[View, string][]} */
const VIEWS = [["values", t("Values")], ["weights", t("Weights")], ["gradient", t("Gradient")]]

export class Stage {
  /**
   * @param {HTMLElement} box is filled; it decides how high the picture is
   * @param {{ open?: (column: number, place: number) => void, look?: (view: View) => unknown }} [options] called when a layer or one of its units is chosen,
   *   and when a picture of another `view`, or with other layers `unfolded`, is to be shown
   */
  constructor(box, { open, look } = {}) {
    this.box = box
    /** @type {View} the one that is chosen; that of the picture follows when the server has answered */
    this.view = "values"
    /** @type {number | null} a layer that is to have a column of its own, as those that would share its column */
    this.unfolded = null
    this.look = look
    this.open = open && ((/** @type {number} */ column, /** @type {number} */ place) => {
      const { blocks, layers: [first] } = /** @type {Picture} */ (this.picture).columns[column]
      if (blocks > 1 && look) this.unfold(first)
      else open(column, place)
    })
    this.canvas = element("canvas")
    this.canvas.setAttribute("aria-hidden", "true") // the names beneath it are buttons, and the classes a list
    this.names = element("div", "stage-names")
    this.bars = element("ol", "stage-bars")
    this.bars.setAttribute("aria-label", t("Probability of each class"))
    this.plane = element("div", "stage-plane")
    this.plane.append(this.canvas, this.bars, this.names)
    this.status = element("p", "stage-status")
    const scroll = element("div", "stage-scroll")
    scroll.append(this.plane)
    box.classList.add("stage")
    this.views = look ? VIEWS.map(([view, title]) => button(title, () => this.choose(view, look))) : []
    this.fold = button(t("Fold the layers again"), () => this.unfold(null))
    this.fold.hidden = true
    box.append(scroll, this.foot())
    this.scroll = scroll
    /** @type {Picture | null} */
    this.picture = null
    /** @type {string[]} */
    this.classes = []
    /** @type {HTMLCanvasElement[]} the units of each column, above one another, a pixel for each value */
    this.sheets = []
    /** @type {Edges[]} behind each column but the last */
    this.edges = []
    /** @type {Layout} */
    this.layout = { boxes: [], width: 0, height: 0 }
    /** @type {Unit | null} under the pointer */
    this.pointed = null
    /** @type {{ direction: Direction, since: number, done: () => void } | null} */
    this.pulsing = null
    this.drawnAt = 0
    this.frame = 0
    this.still = matchMedia("(prefers-reduced-motion: reduce)")
    this.canvas.onpointermove = (event) => this.point(this.unitOf(event))
    this.canvas.onpointerleave = () => this.point(null)
    this.canvas.onclick = (event) => { const unit = this.unitOf(event); if (unit) this.open?.(unit.column, unit.place) }
    this.bars.onclick = (event) => {
      const row = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest("li"))
      if (row && this.picture) this.open?.(this.picture.columns.length - 1, [...this.bars.children].indexOf(row))
    }
    this.observer = new ResizeObserver(() => this.place())
    this.observer.observe(scroll)
    this.say()
  }

  /** What stands beneath the picture: a sentence, and the views if there are several. */
  foot() {
    const foot = element("div", "stage-foot")
    foot.append(this.status)
    if (!this.views.length) return foot
    const choice = element("div", "segments")
    choice.role = "group"
    choice.setAttribute("aria-label", t("What the picture shows"))
    choice.append(...this.views)
    foot.append(this.fold, choice)
    return foot
  }

  /**
   * Choose a view whose picture will come.
   * @param {View} view
   */
  turn(view) {
    this.view = view
    this.say()
  }

  /** @param {number | null} layer that is to have a column of its own */
  unfold(layer) {
    this.unfolded = layer
    this.look?.(this.view)
  }

  /**
   * Show another view, once its picture has come.
   * @param {View} view
   * @param {(view: View) => unknown} look
   */
  async choose(view, look) {
    this.turn(view)
    await look(view)
    if (this.view === view) this.flow()
  }

  /** Say what is shown, or what is under the pointer. */
  say() {
    this.views.forEach((each, index) => each.setAttribute("aria-pressed", String(VIEWS[index][0] === this.view)))
    const { picture, pointed } = this
    this.fold.hidden = this.unfolded === null || !picture?.columns.some(({ blocks }) => blocks > 1)
    const words = !picture ? "" : pointed ? wordsFor(picture, pointed, this.classes) : this.views.length ? wordsForView(this.view, picture, this.classes) : ""
    if (words === this.status.dataset.words) return // its terms may be open
    this.status.dataset.words = words
    this.status.replaceChildren(...withTerms("p", "", words).childNodes)
  }

  /**
   * Show a picture; what changed since the last one moves there.
   * @param {Picture} picture
   * @param {string[]} classes the names of all classes
   */
  show(picture, classes) {
    const isOther = structureOf(picture) !== (this.picture && structureOf(this.picture)) || classes.join() !== this.classes.join()
    this.picture = picture
    this.classes = classes
    if (isOther) this.build()
    picture.columns.slice(1).forEach((column, index) => this.edges[index].aim(column.edges))
    this.showBars()
    this.say()
    if (isOther) this.place()
    this.repaint()
  }

  /** Show the network with nothing to look at. */
  rest() {
    if (this.picture) this.show(atRest(this.picture), this.classes)
  }

  /** Draw everything in the colours of the theme of now. */
  repaint() {
    if (!this.picture) return
    this.picture.columns.slice(0, -1).forEach((column, index) => this.fill(this.sheets[index], column))
    this.request()
  }

  /** Set up for a network with other columns. */
  build() {
    const { columns } = /** @type {Picture} */ (this.picture)
    this.sheets = columns.map(() => element("canvas"))
    this.edges = columns.slice(1).map(() => new Edges())
    this.pointed = null
    this.names.replaceChildren(...columns.map((column, index) => this.nameOf(column, index)))
    this.bars.replaceChildren(...columns[columns.length - 1].units.map((unit) => {
      const row = element("li")
      const track = element("span", "stage-track")
      track.append(element("span", "stage-fill"))
      row.append(element("span", "stage-class", this.classes[unit] ?? String(unit)), track, element("span", "stage-share"))
      return row
    }))
  }

  /**
   * The name of a column, a button where it can be opened.
   * @param {PictureColumn} column
   * @param {number} index
   */
  nameOf(column, index) {
    const name = element(this.open ? "button" : "div", "stage-name")
    if (name instanceof HTMLButtonElement) {
      name.type = "button"
      name.onclick = () => this.open?.(index, 0)
    }
    name.append(element("b", "", titleOf(column)), element("span", "", sizeOf(column)))
    return name
  }

  /**
   * Draw the units of a column on its sheet.
   * @param {HTMLCanvasElement} sheet
   * @param {PictureColumn} column
   */
  fill(sheet, column) {
    const [rows, columns] = column.size
    const { values } = column
    const isGradient = this.picture?.view === "gradient"
    const isInput = column.layers[1] === 0
    const isImage = isInput && column.shape.length === 3
    const isColour = isImage && column.units.length === 3 && !isGradient
    const tall = isImage ? rows : rows * column.units.length
    if (sheet.width !== columns || sheet.height !== tall) Object.assign(sheet, { width: columns, height: tall })
    const page = context(sheet)
    const image = page.createImageData(columns, tall)
    const isAtRest = values.every((value) => !value)
    const violet = rgb(tokens(this.box).gradient)
    for (let cell = 0; cell < columns * tall; cell++) {
      const share = values[cell] / 127
      if (isGradient) image.data.set([...violet, pixel(share)[3]], 4 * cell)
      else if (isColour) image.data.set([0, 1, 2].map((channel) => 2 * values[channel * rows * columns + cell]), 4 * cell)
      else image.data.set(isInput ? inked(255 * share) : pixel(share), 4 * cell)
      if (isColour) image.data[4 * cell + 3] = isAtRest ? 0 : 255
    }
    page.putImageData(image, 0, 0)
  }

  /**
   * The colours of the theme, as red, green and blue.
   * @returns {Colours}
   */
  colours() {
    const { above, below, gradient } = tokens(this.box)
    return { ink: rgb(getComputedStyle(this.box).color), above: rgb(above), below: rgb(below), gradient: rgb(gradient) }
  }

  showBars() {
    const { columns, probabilities } = /** @type {Picture} */ (this.picture)
    const { units } = columns[columns.length - 1]
    const isAtRest = probabilities.every((share) => !share)
    const top = isAtRest ? -1 : probabilities.indexOf(Math.max(...probabilities))
    const rows = /** @type {HTMLElement[]} */ ([...this.bars.children])
    rows.forEach((row, place) => {
      const share = probabilities[units[place]]
      row.classList.toggle("top", units[place] === top)
      row.style.setProperty("--share", String(share < 0.005 ? 0 : share)) // a bar of no percent has no end to be seen
      const [, , text] = row.children
      text.textContent = isAtRest ? "" : percent(share, 0)
    })
  }

  /** Place everything anew: the box has another size, or the network other columns. */
  place() {
    const { picture } = this
    if (!picture || !this.scroll.clientWidth) return
    const unit = parseFloat(getComputedStyle(document.documentElement).fontSize)
    const small = parseFloat(getComputedStyle(this.box).getPropertyValue("--size-small")) * unit
    const height = this.scroll.clientHeight - 2.6 * small - 4 // the names
    this.layout = layOut(picture.columns, this.scroll.clientWidth - 1, Math.max(120, height), unit)
    const { boxes, width } = this.layout
    const ratio = devicePixelRatio
    Object.assign(this.canvas, { width: Math.round(width * ratio), height: Math.round(this.layout.height * ratio) })
    Object.assign(this.canvas.style, { width: `${width}px`, height: `${this.layout.height}px` })
    this.plane.style.width = `${width}px`
    if (width > this.scroll.clientWidth) this.scroll.tabIndex = 0 // the keyboard scrolls it
    else this.scroll.removeAttribute("tabindex")
    const bars = boxes[boxes.length - 1]
    const letters = Math.max(small, Math.min(unit, (0.8 * bars.height) / this.bars.children.length))
    Object.assign(this.bars.style, { left: `${bars.x}px`, width: `${bars.width}px`, height: `${bars.height}px`, fontSize: `${letters}px` })
    const names = /** @type {HTMLElement[]} */ ([...this.names.children])
    names.forEach((name, index) => {
      const { y, height: high } = boxes[index]
      const most = Math.min(...[index - 1, index + 1].filter((other) => boxes[other]).map((other) => Math.abs(middle(boxes[index]) - middle(boxes[other])))) - 4
      Object.assign(name.style, { left: `${middle(boxes[index])}px`, top: `${y + high + 4}px`, maxWidth: `${most}px` })
      const title = titleOf(picture.columns[index])
      name.children[0].textContent = title.length * LETTER * small <= most ? title : title.split(" ")[0]
      name.title = title
    })
    this.draw()
  }

  /**
   * Let a pulse run through the network as the view has it: with the values, or with the gradient; weights rest.
   * @returns {Promise<void>} until it has arrived
   */
  flow() {
    return this.view === "weights" ? Promise.resolve() : this.pulse(this.view === "gradient" ? "backward" : "forward")
  }

  /**
   * Let a pulse run through the network.
   * @param {Direction} direction
   * @returns {Promise<void>} until it has arrived
   */
  pulse(direction) {
    this.pulsing?.done()
    if (this.still.matches) return Promise.resolve()
    return new Promise((resolve) => {
      const mine = { direction, since: performance.now(), done: () => { if (this.pulsing === mine) this.pulsing = null; resolve() } }
      this.pulsing = mine
      this.request()
    })
  }

  request() {
    if (this.frame) return
    this.drawnAt = performance.now()
    this.frame = requestAnimationFrame((now) => this.move(now))
  }

  /** @param {number} now */
  move(now) {
    this.frame = 0
    const elapsed = this.still.matches ? Infinity : Math.max(0, now - this.drawnAt)
    const reached = this.edges.map((edges) => edges.step(elapsed)).every(Boolean)
    if (this.pulsing && now - this.pulsing.since > PULSE_MS) this.pulsing.done()
    this.draw(now)
    if (!reached || this.pulsing) this.request()
  }

  draw(now = performance.now()) {
    const { picture, canvas, layout: { boxes } } = this
    if (!picture || !boxes.length || !canvas.width) return
    const page = context(canvas)
    page.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0)
    page.clearRect(0, 0, canvas.width, canvas.height)
    const colours = this.colours()
    this.edges.forEach((_, gap) => this.drawEdges(page, gap, now, colours))
    picture.columns.slice(0, -1).forEach((column, index) => this.drawUnits(page, index, now, colours))
    if (this.pointed && picture.view === "weights") this.magnify(page, this.pointed, colours)
  }

  /**
   * Draw the weights of the unit under the pointer again, large enough to tell them from one another.
   * @param {CanvasRenderingContext2D} page
   * @param {Unit} unit
   * @param {Colours} colours
   */
  magnify(page, { column, place }, { ink }) {
    const { boxes, height } = this.layout
    const { size: [rows, columns] } = /** @type {Picture} */ (this.picture).columns[column]
    if (!column || column === boxes.length - 1 || rows * columns === 1) return
    const side = Math.min(MAGNIFIED * parseFloat(getComputedStyle(this.box).fontSize), height - 2)
    const [x, y] = cornerOf(boxes[column], place)
    const [left, top] = [boxes[column].x + boxes[column].width + 8, Math.max(1, Math.min(height - side - 1, y - side / 2))]
    const at = left + side < this.layout.width ? left : x - side - 8
    page.fillStyle = tokens(this.box).stage
    page.fillRect(at, top, side, side)
    page.drawImage(this.sheets[column], 0, place * rows, columns, rows, at, top, side, side)
    page.lineWidth = 1
    page.strokeStyle = `rgb(${ink.join(" ")})`
    page.strokeRect(at - 0.5, top - 0.5, side + 1, side + 1)
  }

  /**
   * How far the pulse has come in a gap between two columns, from 0 to 1; null where it is not.
   * @param {number} gap
   * @param {number} now
   */
  progress(gap, now) {
    if (!this.pulsing) return null
    const all = ((now - this.pulsing.since) / PULSE_MS) * this.edges.length
    const here = this.pulsing.direction === "forward" ? all - gap : all - (this.edges.length - 1 - gap)
    return here > 0 && here < 1 ? (this.pulsing.direction === "forward" ? here : 1 - here) : null
  }

  /**
   * @param {CanvasRenderingContext2D} page
   * @param {number} gap
   * @param {number} now
   * @param {Colours} colours
   */
  drawEdges(page, gap, now, { above, below, gradient }) {
    const { boxes } = this.layout
    const columns = /** @type {Picture} */ (this.picture).columns
    const [left, right] = [boxes[gap], boxes[gap + 1]]
    const [from, to] = [left.x + left.width + 3, right.x - 4]
    const middle = (from + to) / 2
    const at = this.progress(gap, now)
    const isGradient = /** @type {Picture} */ (this.picture).view === "gradient" || (at !== null && this.pulsing?.direction === "backward")
    for (const edge of this.edges[gap].all) {
      const size = Math.abs(edge.share)
      const [start, end] = [heightOf(left, edge.from, columns[gap].units.length), heightOf(right, edge.to, columns[gap + 1].units.length)]
      const isLit = !this.pointed || this.touches(gap, edge)
      const [red, green, blue] = isGradient ? gradient : edge.share < 0 ? below : above
      page.strokeStyle = `rgb(${red} ${green} ${blue} / ${(isLit ? 0.12 + 0.7 * size : FAINT).toFixed(3)})`
      page.lineWidth = 0.6 + 2.6 * size
      page.beginPath()
      page.moveTo(from, start)
      page.bezierCurveTo(middle, start, middle, end, to, end)
      page.stroke()
      if (at === null || size < 0.1) continue
      const ahead = 3 * at * at - 2 * at * at * at // of a Bézier curve whose control points lie so
      page.fillStyle = `rgb(${red} ${green} ${blue})`
      page.beginPath()
      page.arc(acrossAt(from, middle, to, at), start + (end - start) * ahead, 1.2 + 2.2 * size, 0, 2 * Math.PI)
      page.fill()
    }
  }

  /**
   * @param {CanvasRenderingContext2D} page
   * @param {number} index
   * @param {number} now
   * @param {Colours} colours
   */
  drawUnits(page, index, now, { ink, gradient }) {
    const column = /** @type {Picture} */ (this.picture).columns[index]
    const box = this.layout.boxes[index]
    const [rows] = column.size
    page.imageSmoothingEnabled = false
    const count = box.kind === "image" ? 1 : column.units.length
    const isPassed = this.pulsing?.direction === "backward" && this.progress(index, now) !== null
    for (let place = 0; place < count; place++) {
      const [x, y] = cornerOf(box, place)
      page.fillStyle = `rgb(${ink.join(" ")} / .05)`
      page.fillRect(x, y, box.cell, box.cell)
      page.drawImage(this.sheets[index], 0, box.kind === "image" ? 0 : place * rows, this.sheets[index].width, rows, x, y, box.cell, box.cell)
      const isPointed = this.pointed?.column === index && this.pointed.place === place
      page.lineWidth = isPointed || isPassed ? 2 : 1
      page.strokeStyle = isPointed ? `rgb(${ink.join(" ")})` : isPassed ? `rgb(${gradient.join(" ")})` : `rgb(${ink.join(" ")} / .14)`
      page.strokeRect(x - 0.5, y - 0.5, box.cell + 1, box.cell + 1)
    }
  }

  /**
   * Whether an edge begins or ends at the unit under the pointer.
   * @param {number} gap
   * @param {{ from: number, to: number }} edge
   */
  touches(gap, { from, to }) {
    const { column, place } = /** @type {Unit} */ (this.pointed)
    return (gap === column && from === place) || (gap + 1 === column && to === place)
  }

  /** @param {MouseEvent} event */
  unitOf(event) {
    if (!this.picture) return null
    const { left, top } = this.canvas.getBoundingClientRect()
    return unitAt(this.layout.boxes, this.picture.columns.map(({ units }) => units.length), event.clientX - left, event.clientY - top)
  }

  /** @param {Unit | null} unit */
  point(unit) {
    if (unit?.column === this.pointed?.column && unit?.place === this.pointed?.place) return
    this.pointed = unit
    this.canvas.classList.toggle("pointed", Boolean(unit && this.open))
    this.say()
    this.draw()
  }

  /** @param {number} layer whose column is to be looked at, as if the pointer were on its first unit */
  pointAt(layer) {
    const column = this.picture?.columns.findIndex(({ layers: [first, end] }) => first <= layer && layer < end) ?? -1
    if (column >= 0) this.point({ column, place: 0 })
  }

  close() {
    this.observer.disconnect()
    cancelAnimationFrame(this.frame)
    this.frame = -1
    this.pulsing?.done()
  }
}

/**
 * The picture of a network that has nothing to look at.
 * @param {Picture} picture
 * @returns {Picture}
 */
export const atRest = ({ view, columns, probabilities }) => ({
  view,
  columns: columns.map((column, index) => (view === "weights" && index ? column : { ...column, values: new Int8Array(column.values.length), edges: new Int8Array() })),
  probabilities: probabilities.map(() => 0),
})

/** @param {Picture} picture */
const structureOf = ({ columns }) => columns.map(({ layers, shape, units, types }, index) => [layers, shape, index === columns.length - 1 ? units.length : units, types].join()).join("|")

/** @param {Box} box */
const middle = ({ x, width }) => x + width / 2

/**
 * Read the bytes of a picture from the server.
 * @param {NetworkPicture} picture
 * @returns {Picture}
 */
export const pictureOf = ({ view, columns, probabilities }) => ({ view, columns: columns.map((column) => ({ ...column, values: signed(column.values), edges: signed(column.edges) })), probabilities })

/** @param {HTMLCanvasElement} canvas */
const context = (canvas) => /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"))

/**
 * How far right a Bézier curve is whose control points are both in the middle.
 * @param {number} from
 * @param {number} middle
 * @param {number} to
 * @param {number} at
 */
const acrossAt = (from, middle, to, at) => (1 - at) ** 3 * from + 3 * (1 - at) * at * middle + at ** 3 * to
