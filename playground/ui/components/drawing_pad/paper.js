// The canvas: pen strokes in units of a thousandth of its height, so that they fit any screen. They can be drawn, moved and undone.

const UNITS = 1000
const NEAR = 2 // units between two points worth keeping
const GRASP = 60 // how near a pointer must come to a stroke to move it

export class Paper {
  // `changed` is called with every movement of the pen, `ended` when a stroke is done.
  constructor(canvas, { changed, ended, width }) {
    Object.assign(this, { canvas, changed, ended, width })
    this.strokes = []
    this.wide = 1 // how many times wider than high
    this.current = null // the stroke being drawn
    this.held = null // the stroke being moved, and where it was taken
    this.cursor = null // the keyboard's cursor, once it was used
    this.moves = false // whether strokes are moved instead of drawn
    this.boxes = [] // of the separated digits: top, bottom, left, right, as fractions of the height
    canvas.onpointerdown = (event) => this.down(event)
    canvas.onpointermove = (event) => this.move(event)
    canvas.onpointerup = canvas.onpointercancel = () => { if (!this.cursor) this.end() }
    canvas.onkeydown = (event) => this.key(event)
    canvas.onblur = () => { this.end(); this.cursor = null; this.paint() }
    this.observer = new ResizeObserver(() => this.paint())
    this.observer.observe(canvas)
  }

  place(event) {
    const box = this.canvas.getBoundingClientRect()
    const scale = UNITS / box.height
    return [Math.round((event.clientX - box.left) * scale), Math.round((event.clientY - box.top) * scale)]
  }

  down(event) {
    if (event.button !== 0) return
    this.canvas.setPointerCapture(event.pointerId)
    this.cursor = null
    const at = this.place(event)
    if (!this.moves) return this.begin(at)
    const stroke = this.nearest(at)
    this.held = stroke && { stroke, at }
  }

  move(event) {
    if (this.cursor) return
    if (this.held) {
      const at = this.place(event)
      const by = at.map((value, axis) => value - this.held.at[axis])
      this.held.stroke.points = this.held.stroke.points.map(([x, y]) => [x + by[0], y + by[1]])
      this.held.at = at
      return this.touched()
    }
    if (!this.current) return
    const events = event.getCoalescedEvents?.() ?? []
    for (const part of events.length ? events : [event]) this.extend(this.place(part))
    this.touched()
  }

  extend(point) {
    const last = this.current.points.at(-1)
    if (Math.hypot(point[0] - last[0], point[1] - last[1]) >= NEAR) this.current.points.push(point)
  }

  nearest([x, y]) {
    const distance = ({ points }) => Math.min(...points.map((point, index) => toSegment([x, y], points[Math.max(0, index - 1)], point)))
    const found = this.strokes.map((stroke) => [distance(stroke) - stroke.width / 2, stroke]).sort((one, other) => one[0] - other[0])[0]
    return found && found[0] < GRASP ? found[1] : null
  }

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

  set(strokes) {
    this.current = this.held = null
    this.strokes = strokes
    this.touched()
  }

  key(event) {
    const step = event.shiftKey ? 10 : 35
    const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }
    if (event.key in moves) {
      const from = this.cursor ?? [UNITS / 2, UNITS / 4]
      this.cursor = from.map((value, axis) => Math.min(axis ? UNITS : UNITS * this.wide, Math.max(0, value + moves[event.key][axis])))
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
    const context = this.canvas.getContext("2d")
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

  // A byte of ink a pixel, `side` rows of them.
  ink(side) {
    const width = side * this.wide
    if (this.small?.canvas.width !== width) this.small = new OffscreenCanvas(width, side).getContext("2d", { willReadFrequently: true })
    this.small.clearRect(0, 0, width, side)
    this.trace(this.small, side, "#000")
    const pixels = this.small.getImageData(0, 0, width, side).data
    return Uint8Array.from({ length: side * width }, (_, index) => pixels[4 * index + 3])
  }

  close() {
    this.observer.disconnect()
  }
}

// How far a point is from the line between two others.
function toSegment([x, y], [x0, y0], [x1, y1]) {
  const length = (x1 - x0) ** 2 + (y1 - y0) ** 2
  const share = length ? Math.min(1, Math.max(0, ((x - x0) * (x1 - x0) + (y - y0) * (y1 - y0)) / length)) : 0
  return Math.hypot(x - x0 - share * (x1 - x0), y - y0 - share * (y1 - y0))
}
