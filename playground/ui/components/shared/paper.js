// The canvas: pen strokes in units of a thousandth of its height, so that they fit any screen. They can be drawn, moved and cleared, and each of it undone.

const UNITS = 1000
const NEAR = 2 // units between two points worth keeping
const FAINT = 38 // bytes of ink up to which a pixel does not count as drawn: the edge of a stroke
const GRASP = 60 // how near a pointer must come to a stroke to move it
const BEGUN = 60 // units of a stroke that was hardly begun: it may become a pinch
const PINCH = 100 // units that the second finger of a pinch moves, and a palm does not

/**
 * @import { Stroke } from "../drawing_pad/documents.js"
 * @import { Box, Point } from "../drawing_pad/types.js"
 */
/** @typedef {{ strokes: Stroke[], past: Stroke[][] }} Sheet what is drawn, and what was there before each thing that can be undone, the latest last */
/** @typedef {{ stroke: Stroke, at: Point, moved: boolean }} Held a stroke that is being moved, and where the pointer was last */

export class Paper {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {object} options
   * @param {number} options.side rows of pixels of what the server gets
   * @param {() => void} options.changed called with every movement of the pen
   * @param {() => void} options.ended called when a stroke is done
   * @param {() => number} options.width of the pen
   */
  constructor(canvas, { side, changed, ended, width }) {
    this.canvas = canvas
    this.side = side
    this.changed = changed
    this.ended = ended
    this.width = width
    this.context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"))
    this.small = /** @type {OffscreenCanvasRenderingContext2D} */ (new OffscreenCanvas(side, side).getContext("2d", { willReadFrequently: true }))
    /** @type {Stroke[]} replaced by another list with every change, because the past has it, too */
    this.strokes = []
    /** @type {Stroke[][]} */
    this.past = []
    this.wide = 1 // how many times wider than high is what the server gets; on a narrow screen there is less to draw on
    /** @type {Stroke | null} the stroke being drawn */
    this.current = null
    /** @type {Held | null} */
    this.held = null
    /** @type {{ id: number, type: string } | null} the pointer that draws or moves a stroke: no other one does */
    this.pointer = null
    /** @type {{ id: number, at: Point } | null} a second finger that came when the stroke was hardly begun, and where */
    this.second = null
    /** @type {Point | null} the keyboard's cursor, once it was used */
    this.cursor = null
    this.moves = false // whether strokes are moved instead of drawn
    /** @type {Box[]} of the separated digits, as fractions of the height */
    this.boxes = []
    canvas.onpointerdown = (event) => this.down(event)
    canvas.onpointermove = (event) => this.move(event)
    canvas.onpointerup = canvas.onpointercancel = ({ pointerId }) => { if (pointerId === this.pointer?.id) this.end() }
    canvas.onkeydown = (event) => this.key(event)
    canvas.onblur = () => { this.end(); this.cursor = null; this.paint() }
    this.observer = new ResizeObserver(() => this.paint())
    this.observer.observe(canvas)
  }

  /**
   * Where the pointer is on the canvas.
   * @param {PointerEvent} event
   * @returns {Point}
   */
  place(event) {
    const box = this.canvas.getBoundingClientRect()
    const scale = UNITS / box.height
    return [Math.round((event.clientX - box.left) * scale), Math.round((event.clientY - box.top) * scale)]
  }

  /** @param {PointerEvent} event */
  down(event) {
    if (event.button !== 0) return
    const { pointerId: id, pointerType: type } = event
    const at = this.place(event)
    if (!event.isPrimary) { // another finger, or the palm
      if (this.current && lengthOf(this.current.points) < BEGUN) this.second = { id, at }
      return
    }
    if (this.pointer?.type === "pen" && type === "touch") return // the palm of the hand that holds the pen
    if (this.pointer?.type === "touch" && type === "pen" && this.current) this.takeBack() // it came before the pen
    this.end()
    this.canvas.setPointerCapture(id)
    this.pointer = { id, type }
    this.cursor = null
    if (!this.moves) return this.begin(at)
    const stroke = nearest(this.strokes, at)
    this.held = stroke && { stroke, at, moved: false }
  }

  /** @param {PointerEvent} event */
  move(event) {
    const { second } = this
    if (second?.id === event.pointerId && lengthOf([second.at, this.place(event)]) > PINCH) this.takeBack()
    if (this.pointer?.id !== event.pointerId) return
    if (this.held) return this.drag(this.held, this.place(event))
    if (!this.current) return
    const events = event.getCoalescedEvents?.() ?? []
    for (const part of events.length ? events : [event]) extend(this.current.points, this.place(part))
    this.touched()
  }

  /**
   * Move a stroke to where the pointer is now.
   * @param {Held} held
   * @param {Point} to
   */
  drag({ stroke, at, moved }, to) {
    const [right, down] = [to[0] - at[0], to[1] - at[1]]
    /** @type {Stroke} */
    const there = { ...stroke, points: stroke.points.map(([x, y]) => [x + right, y + down]) }
    if (!moved) this.past.push(this.strokes)
    this.strokes = this.strokes.map((each) => (each === stroke ? there : each))
    this.held = { stroke: there, at: to, moved: true }
    this.touched()
  }

  /** @param {Point} point */
  begin(point) {
    this.current = { width: this.width(), points: [point] }
    this.past.push(this.strokes)
    this.strokes = [...this.strokes, this.current]
    this.touched()
  }

  /** Let go of the stroke that is being drawn or moved. */
  release() {
    this.current = this.held = this.pointer = this.second = null
  }

  end() {
    const isDone = this.current || this.held
    this.release()
    if (!isDone) return
    this.touched()
    this.ended()
  }

  /** Bring back what was there before the last change. */
  takeBack() {
    this.release()
    this.strokes = this.past.pop() ?? []
    this.touched()
  }

  undo() {
    if (!this.past.length) return
    this.takeBack()
    this.ended()
  }

  clear() {
    this.release()
    if (this.strokes.length) this.past.push(this.strokes)
    this.strokes = []
    this.touched()
    this.ended()
  }

  /**
   * @param {Stroke[]} strokes
   * @param {Stroke[][]} [past]
   */
  set(strokes, past = []) {
    this.release()
    this.strokes = strokes
    this.past = past
    this.touched()
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const step = event.shiftKey ? 10 : 35
    /** @type {Record<string, Point>} */
    const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }
    if (event.key in moves) {
      const [x, y] = this.cursor ?? [UNITS / 2, UNITS / 4]
      const [right, down] = moves[event.key]
      this.cursor = [Math.min(UNITS * this.shape, Math.max(0, x + right)), Math.min(UNITS, Math.max(0, y + down))]
      if (this.current) this.current.points.push(this.cursor)
      this.touched()
    } else if (event.key === " ") {
      this.cursor ??= [UNITS / 2, UNITS / 4]
      if (this.current) this.end()
      else this.begin(this.cursor)
    } else if (event.key === "Delete" || event.key === "Backspace") this.clear()
    else if (isUndo(event)) this.undo()
    else return
    event.preventDefault()
  }

  /** How many times wider than high the canvas is. */
  get shape() {
    return this.canvas.clientWidth / this.canvas.clientHeight
  }

  touched() {
    this.paint()
    this.changed()
  }

  paint() {
    const height = Math.round(this.canvas.clientHeight * (window.devicePixelRatio || 1))
    if (!height) return
    const width = Math.round(height * this.shape)
    if (this.canvas.width !== width || this.canvas.height !== height) Object.assign(this.canvas, { width, height })
    const context = this.context
    const colour = getComputedStyle(this.canvas).color
    context.clearRect(0, 0, width, height)
    this.trace(context, height, colour)
    context.strokeStyle = colour
    context.lineWidth = 2
    context.setLineDash([6, 6])
    for (const [top, bottom, left, right] of this.boxes) context.strokeRect(left * height - 5, top * height - 5, (right - left) * height + 10, (bottom - top) * height + 10)
    context.setLineDash([])
    if (!this.cursor) return
    const [x, y] = this.cursor.map((value) => (value / UNITS) * height)
    context.beginPath()
    context.arc(x, y, height / 40, 0, 2 * Math.PI)
    context.stroke()
  }

  /**
   * Draw the strokes.
   * @param {CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D} context
   * @param {number} height of its canvas
   * @param {string} colour
   */
  trace(context, height, colour, strokes = this.strokes) {
    const scale = height / UNITS
    context.lineCap = context.lineJoin = "round"
    context.strokeStyle = context.fillStyle = colour
    for (const { width, points } of strokes) {
      context.lineWidth = width * scale
      context.beginPath()
      points.forEach(([x, y], index) => context[index ? "lineTo" : "moveTo"](x * scale, y * scale))
      if (points.length === 1) context.lineTo(points[0][0] * scale + 0.01, points[0][1] * scale)
      context.stroke()
    }
  }

  /**
   * A byte of ink a pixel, `side` rows of them; of a wide sheet, for several digits, then a byte a pixel with the number of the stroke that
   * drew it last, which separates digits that touch.
   */
  ink() {
    const ink = this.rendered(this.strokes)
    if (this.wide === 1) return ink
    const drawing = new Uint8Array(2 * ink.length)
    drawing.set(ink)
    this.strokes.forEach((stroke, index) => this.rendered([stroke]).forEach((value, place) => { if (value > FAINT) drawing[ink.length + place] = 1 + (index % 255) }))
    return drawing
  }

  /**
   * The ink of some strokes.
   * @param {Stroke[]} strokes
   */
  rendered(strokes) {
    const side = this.side
    const width = side * this.wide
    if (this.small.canvas.width !== width) this.small.canvas.width = width
    this.small.clearRect(0, 0, width, side)
    this.trace(this.small, side, "#000", strokes)
    const pixels = this.small.getImageData(0, 0, width, side).data
    return Uint8Array.from({ length: side * width }, (_, index) => pixels[4 * index + 3])
  }

  close() {
    this.observer.disconnect()
  }
}

/** @param {KeyboardEvent} event */
export const isUndo = ({ key, ctrlKey, metaKey, shiftKey }) => key.toLowerCase() === "z" && (ctrlKey || metaKey) && !shiftKey

/**
 * A sheet with strokes, whose past is made up: they were drawn one after another, after those that were cleared.
 * @param {Stroke[]} strokes
 * @param {Stroke[]} [cleared]
 * @returns {Sheet}
 */
export const sheetOf = (strokes, cleared = []) => ({ strokes, past: [...beginnings(cleared), ...(cleared.length ? [cleared] : []), ...beginnings(strokes)] })

/** @param {Stroke[]} strokes */
const beginnings = (strokes) => strokes.map((_, count) => strokes.slice(0, count))

/**
 * What was cleared last and can be brought back; nothing where there is no such drawing.
 * @param {Sheet} sheet
 * @returns {Stroke[]}
 */
export function clearedOf({ strokes, past }) {
  const all = [...past, strokes]
  return all[all.findLastIndex((each) => !each.length) - 1] ?? []
}

/**
 * How far right strokes reach, in heights of the paper.
 * @param {Stroke[]} strokes
 */
export const reachOf = (strokes) => Math.max(0, ...strokes.map(({ points }) => Math.max(...points.map(([right]) => right)))) / UNITS

/** @param {Point[]} points */
const lengthOf = (points) => points.slice(1).reduce((sum, [x, y], index) => sum + Math.hypot(x - points[index][0], y - points[index][1]), 0)

/**
 * Add a point to those of a stroke, unless it is too near to the last one.
 * @param {Point[]} points
 * @param {Point} point
 */
export function extend(points, point) {
  const last = points[points.length - 1]
  if (Math.hypot(point[0] - last[0], point[1] - last[1]) >= NEAR) points.push(point)
}

/**
 * The stroke that a pointer at a point takes; null where none is near.
 * @param {Stroke[]} strokes
 * @param {Point} at
 */
export function nearest(strokes, at) {
  /** @param {Stroke} stroke */
  const distance = ({ width, points }) => Math.min(...points.map((point, index) => toSegment(at, points[Math.max(0, index - 1)], point))) - width / 2
  const [first] = strokes.map((stroke) => ({ stroke, far: distance(stroke) })).sort((one, other) => one.far - other.far)
  return first && first.far < GRASP ? first.stroke : null
}

/**
 * How far a point is from the line between two others.
 * @param {Point} point
 * @param {Point} start
 * @param {Point} end
 */
export function toSegment([x, y], [x0, y0], [x1, y1]) {
  const length = (x1 - x0) ** 2 + (y1 - y0) ** 2
  const share = length ? Math.min(1, Math.max(0, ((x - x0) * (x1 - x0) + (y - y0) * (y1 - y0)) / length)) : 0
  return Math.hypot(x - x0 - share * (x1 - x0), y - y0 - share * (y1 - y0))
}
