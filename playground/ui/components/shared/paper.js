// The canvas: pen strokes in units of a thousandth of its height, so that they fit any screen. They can be drawn, moved and undone.

const UNITS = 1000
const NEAR = 2 // units between two points worth keeping
const GRASP = 60 // how near a pointer must come to a stroke to move it

/**
 * @import { Stroke } from "../drawing_pad/documents.js"
 * @import { Box, Point } from "../drawing_pad/types.js"
 */

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
    /** @type {Stroke[]} */
    this.strokes = []
    this.wide = 1 // how many times wider than high
    /** @type {Stroke | null} the stroke being drawn */
    this.current = null
    /** @type {{ stroke: Stroke, at: Point } | null} the stroke being moved, and where it was taken */
    this.held = null
    /** @type {Point | null} the keyboard's cursor, once it was used */
    this.cursor = null
    this.moves = false // whether strokes are moved instead of drawn
    /** @type {Box[]} of the separated digits, as fractions of the height */
    this.boxes = []
    canvas.onpointerdown = (event) => this.down(event)
    canvas.onpointermove = (event) => this.move(event)
    canvas.onpointerup = canvas.onpointercancel = () => { if (!this.cursor) this.end() }
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
    this.canvas.setPointerCapture(event.pointerId)
    this.cursor = null
    const at = this.place(event)
    if (!this.moves) return this.begin(at)
    const stroke = nearest(this.strokes, at)
    this.held = stroke && { stroke, at }
  }

  /** @param {PointerEvent} event */
  move(event) {
    if (this.cursor) return
    if (this.held) {
      const { stroke, at } = this.held
      this.held.at = this.place(event)
      const [right, down] = [this.held.at[0] - at[0], this.held.at[1] - at[1]]
      stroke.points = stroke.points.map(([x, y]) => [x + right, y + down])
      return this.touched()
    }
    if (!this.current) return
    const events = event.getCoalescedEvents?.() ?? []
    for (const part of events.length ? events : [event]) extend(this.current.points, this.place(part))
    this.touched()
  }

  /** @param {Point} point */
  begin(point) {
    this.current = { width: this.width(), points: [point] }
    this.strokes.push(this.current)
    this.touched()
  }

  end() {
    if (!this.current && !this.held) return
    this.current = this.held = null
    this.touched()
    this.ended()
  }

  undo() {
    this.current = null
    this.strokes.pop()
    this.touched()
    this.ended()
  }

  clear() {
    this.set([])
    this.ended()
  }

  /** @param {Stroke[]} strokes */
  set(strokes) {
    this.current = this.held = null
    this.strokes = strokes
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
      this.cursor = [Math.min(UNITS * this.wide, Math.max(0, x + right)), Math.min(UNITS, Math.max(0, y + down))]
      if (this.current) this.current.points.push(this.cursor)
      this.touched()
    } else if (event.key === " ") {
      this.cursor ??= [UNITS / 2, UNITS / 4]
      if (this.current) this.end()
      else this.begin(this.cursor)
    } else if (event.key === "Delete" || event.key === "Backspace") this.clear()
    else if (event.key.toLowerCase() === "z" && (event.ctrlKey || event.metaKey)) this.undo()
    else return
    event.preventDefault()
  }

  touched() {
    this.paint()
    this.changed()
  }

  paint() {
    const height = Math.round(this.canvas.clientHeight * (window.devicePixelRatio || 1))
    if (!height) return
    const width = Math.round(height * this.wide)
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
  trace(context, height, colour) {
    const scale = height / UNITS
    context.lineCap = context.lineJoin = "round"
    context.strokeStyle = context.fillStyle = colour
    for (const { width, points } of this.strokes) {
      context.lineWidth = width * scale
      context.beginPath()
      points.forEach(([x, y], index) => context[index ? "lineTo" : "moveTo"](x * scale, y * scale))
      if (points.length === 1) context.lineTo(points[0][0] * scale + 0.01, points[0][1] * scale)
      context.stroke()
    }
  }

  /** A byte of ink a pixel, `side` rows of them. */
  ink() {
    const side = this.side
    const width = side * this.wide
    if (this.small.canvas.width !== width) this.small.canvas.width = width
    this.small.clearRect(0, 0, width, side)
    this.trace(this.small, side, "#000")
    const pixels = this.small.getImageData(0, 0, width, side).data
    return Uint8Array.from({ length: side * width }, (_, index) => pixels[4 * index + 3])
  }

  close() {
    this.observer.disconnect()
  }
}

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
