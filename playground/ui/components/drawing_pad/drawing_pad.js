// A canvas and the answer to it. Strokes are kept in a square of 1000×1000 units, so that they fit any screen.
// The network is asked by fetch while the pen moves; Streamlit hears of a drawing only when a stroke ends.

const UNITS = 1000
const pads = new WeakMap()

class Pad {
  constructor(root) {
    this.root = root.querySelector(".pad")
    this.canvas = root.querySelector(".paper canvas")
    this.seen = root.querySelector(".seen")
    this.pen = root.querySelector(".pen input")
    this.strokes = []
    this.current = null // the stroke being drawn
    this.cursor = null // the keyboard's place, once it was used
    this.asking = false
    this.stale = false // the drawing has changed since the question on its way
    this.listen(root)
    this.observer = new ResizeObserver(() => this.paint())
    this.observer.observe(this.canvas)
  }

  listen(root) {
    const canvas = this.canvas
    canvas.onpointerdown = (event) => {
      if (event.button !== 0) return
      canvas.setPointerCapture(event.pointerId)
      this.cursor = null
      this.begin(this.place(event))
    }
    canvas.onpointermove = (event) => {
      if (!this.current || this.cursor) return
      const events = event.getCoalescedEvents?.() ?? []
      for (const part of events.length ? events : [event]) this.current.points.push(this.place(part))
      this.changed()
    }
    canvas.onpointerup = canvas.onpointercancel = () => { if (!this.cursor) this.end() }
    canvas.onkeydown = (event) => this.key(event)
    canvas.onblur = () => { this.end(); this.cursor = null; this.paint() }
    root.querySelector(".undo").onclick = () => this.undo()
    root.querySelector(".clear").onclick = () => this.clear()
  }

  update({ data, setStateValue }) {
    this.tell = (strokes) => setStateValue("drawing", strokes)
    const fresh = this.data === undefined
    const other = !fresh && this.data.model !== data.model
    this.data = data
    if (fresh) {
      this.strokes = data.strokes ?? []
      this.makeBars()
    }
    this.paint()
    if (fresh || other) this.ask()
  }

  place(event) {
    const box = this.canvas.getBoundingClientRect()
    const scale = UNITS / box.width
    return [Math.round((event.clientX - box.left) * scale), Math.round((event.clientY - box.top) * scale)]
  }

  begin(point) {
    this.current = { width: (Number(this.pen.value) / 280) * UNITS, points: [point] }
    this.strokes.push(this.current)
    this.changed()
  }

  end() {
    if (!this.current) return
    this.current = null
    this.changed()
    this.tell(this.strokes)
  }

  undo() {
    this.current = null
    this.strokes.pop()
    this.changed()
    this.tell(this.strokes)
  }

  clear() {
    this.current = null
    this.strokes = []
    this.changed()
    this.tell(this.strokes)
  }

  key(event) {
    const step = event.shiftKey ? 10 : 35
    const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }
    if (event.key in moves) {
      const from = this.cursor ?? [UNITS / 2, UNITS / 4]
      this.cursor = from.map((value, axis) => Math.min(UNITS, Math.max(0, value + moves[event.key][axis])))
      if (this.current) this.current.points.push(this.cursor)
      this.changed()
    } else if (event.key === " ") {
      this.cursor ??= [UNITS / 2, UNITS / 4]
      if (this.current) this.end()
      else this.begin(this.cursor)
    } else if (event.key === "Delete" || event.key === "Backspace") this.clear()
    else if (event.key.toLowerCase() === "z" && (event.ctrlKey || event.metaKey)) this.undo()
    else return
    event.preventDefault()
  }

  changed() {
    this.paint()
    this.ask()
  }

  paint() {
    const side = Math.round(this.canvas.clientWidth * (window.devicePixelRatio || 1))
    if (!side) return
    if (this.canvas.width !== side) this.canvas.width = this.canvas.height = side
    const context = this.canvas.getContext("2d")
    const colour = getComputedStyle(this.root).color
    context.clearRect(0, 0, side, side)
    this.trace(context, side, colour)
    if (this.cursor) {
      const [x, y] = this.cursor.map((value) => (value / UNITS) * side)
      context.strokeStyle = colour
      context.lineWidth = 2
      context.beginPath()
      context.arc(x, y, side / 40, 0, 2 * Math.PI)
      context.stroke()
    }
    this.root.classList.toggle("drawn", this.strokes.length > 0)
  }

  trace(context, side, colour) {
    const scale = side / UNITS
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

  ink() {
    const side = this.data.side
    this.small ??= new OffscreenCanvas(side, side).getContext("2d", { willReadFrequently: true })
    this.small.clearRect(0, 0, side, side)
    this.trace(this.small, side, "#000")
    const pixels = this.small.getImageData(0, 0, side, side).data
    return Uint8Array.from({ length: side * side }, (_, index) => pixels[4 * index + 3])
  }

  // One question at a time; while it is on its way, the newest drawing waits and the ones between are skipped.
  async ask() {
    this.stale = true
    if (this.asking) return
    this.asking = true
    while (this.stale) {
      this.stale = false
      await this.question()
    }
    this.asking = false
  }

  async question() {
    if (!this.strokes.length) return this.show(null)
    const version = (this.version = (this.version ?? 0) + 1)
    try {
      const address = `api/predict?model=${encodeURIComponent(this.data.model)}`
      const response = await fetch(new URL(address, document.baseURI), { method: "POST", body: this.ink() })
      const answer = await response.json()
      if (version !== this.version) return
      if (answer.error) this.complain(answer.error)
      else this.show(this.strokes.length ? answer : null)
    } catch {
      this.complain("The server does not answer. Is it still running?")
    }
  }

  complain(message) {
    this.show(null)
    this.root.querySelector(".fault").textContent = message
  }

  makeBars() {
    const list = this.root.querySelector(".bars")
    list.replaceChildren(...this.data.classes.map((name) => {
      const row = document.createElement("li")
      row.innerHTML = '<span class="name"></span><span class="track"><span class="fill"></span></span><span class="share"></span>'
      row.querySelector(".name").textContent = name
      return row
    }))
  }

  show(answer) {
    const shares = answer?.probabilities ?? this.data.classes.map(() => 0)
    const top = answer ? shares.indexOf(Math.max(...shares)) : -1
    this.root.querySelectorAll(".bars li").forEach((row, index) => {
      row.classList.toggle("top", index === top)
      row.querySelector(".fill").style.transform = `translateX(${100 * shares[index] - 100 - (shares[index] ? 0 : 1)}%)`
      row.querySelector(".share").textContent = answer ? `${Math.round(100 * shares[index])} %` : ""
    })
    this.root.classList.toggle("answered", Boolean(answer))
    this.root.querySelector(".digit").textContent = answer ? answer.label : "?"
    this.root.querySelector(".sure").textContent = answer ? `${(100 * shares[top]).toFixed(1)} %` : ""
    this.root.querySelector(".fault").textContent = ""
    const context = this.seen.getContext("2d")
    const image = context.createImageData(28, 28)
    for (let index = 0; index < 784; index++) {
      const grey = answer ? answer.seen[index] : 0
      image.data.set([grey, grey, grey, 255], 4 * index)
    }
    context.putImageData(image, 0, 0)
  }

  close() {
    this.observer.disconnect()
  }
}

export default function (component) {
  const root = component.parentElement
  if (!pads.has(root)) pads.set(root, new Pad(root))
  const pad = pads.get(root)
  pad.update(component)
  return () => {
    pad.close()
    pads.delete(root)
  }
}
