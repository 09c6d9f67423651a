// A picture instead of a drawing: chosen, dropped or taken by the camera. The network gets a square of it. It has the interface of the canvas.

const SIDE = 256 // pixels of the square that is sent
const LARGEST = 30_000_000 // bytes of a file that is opened
const FRAME_MS = 250 // between two pictures of the camera that are shown to the network

export class Photo {
  // `changed` is called with every other square, `refused` with a reason where a file is none, `films` when the camera starts and stops.
  constructor(canvas, { changed, refused, films }) {
    Object.assign(this, { canvas, changed, refused, films })
    this.strokes = [] // not empty while there is a picture, as with a drawing
    this.boxes = []
    this.source = null
    this.zoom = 1
    this.square = new OffscreenCanvas(SIDE, SIDE)
    canvas.onpointerdown = (event) => this.grab(event)
    canvas.onpointermove = (event) => this.drag(event)
    canvas.onpointerup = canvas.onpointercancel = () => { this.grip = null }
    canvas.ondragover = (event) => event.preventDefault()
    canvas.ondrop = (event) => {
      event.preventDefault()
      if (event.dataTransfer.files.length) this.open(event.dataTransfer.files[0])
    }
    this.observer = new ResizeObserver(() => this.paint())
    this.observer.observe(canvas)
  }

  async open(file) {
    if (file.size > LARGEST) return this.refused("This file is too large. Choose a smaller picture.")
    try {
      this.take(await createImageBitmap(file))
    } catch {
      this.refused("The browser cannot read this file as a picture.")
    }
  }

  // Show a picture: at first the largest square in its middle.
  async take(source) {
    Object.assign(this, { source, zoom: 1, middle: [source.width / 2, source.height / 2] })
    await this.cut()
  }

  async cut() {
    if (!this.source) return
    const size = Math.min(this.source.width, this.source.height) / this.zoom
    this.middle = this.middle.map((value, axis) => Math.min(Math.max(value, size / 2), (axis ? this.source.height : this.source.width) - size / 2))
    const context = this.square.getContext("2d")
    context.fillStyle = "#fff" // behind what is transparent
    context.fillRect(0, 0, SIDE, SIDE)
    context.drawImage(this.source, this.middle[0] - size / 2, this.middle[1] - size / 2, size, size, 0, 0, SIDE, SIDE)
    this.size = size
    this.paint()
    const file = await this.square.convertToBlob({ type: "image/png" })
    if (!this.source) return // cleared meanwhile
    this.file = file
    this.strokes = [this.source]
    this.changed()
  }

  magnify(zoom) {
    this.zoom = zoom
    return this.cut()
  }

  grab(event) {
    if (!this.source) return
    this.canvas.setPointerCapture(event.pointerId)
    this.grip = [event.clientX, event.clientY]
  }

  drag(event) {
    if (!this.grip) return
    const scale = this.size / this.canvas.clientWidth
    const to = [event.clientX, event.clientY]
    this.middle = this.middle.map((value, axis) => value - (to[axis] - this.grip[axis]) * scale)
    this.grip = to
    this.cut()
  }

  // The camera, live; `stop` keeps its last picture.
  async film() {
    if (this.asking) return
    this.asking = true
    try {
      this.stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: 640 } })
    } catch {
      return this.refused("There is no camera, or the browser does not allow this page to use it. Choose a picture instead.")
    } finally {
      this.asking = false
    }
    const over = new Promise((resolve) => { this.over = resolve }) // a stopped video sends no more frames and reports nothing
    this.films(true)
    const video = document.createElement("video")
    Object.assign(video, { srcObject: this.stream, muted: true, playsInline: true })
    await video.play()
    while (this.stream) {
      const frame = await Promise.race([createImageBitmap(video), over])
      if (frame) await this.take(frame)
      await Promise.race([new Promise((resolve) => setTimeout(resolve, FRAME_MS)), over])
    }
  }

  stop() {
    if (!this.stream) return
    this.stream.getTracks().forEach((track) => track.stop())
    this.stream = null
    this.over()
    this.films(false)
  }

  clear() {
    this.stop()
    Object.assign(this, { source: null, file: null, strokes: [], grip: null, zoom: 1 })
    this.paint()
    this.changed()
  }

  paint() {
    const side = Math.round(this.canvas.clientWidth * (window.devicePixelRatio || 1))
    if (!side) return
    if (this.canvas.width !== side || this.canvas.height !== side) Object.assign(this.canvas, { width: side, height: side })
    const context = this.canvas.getContext("2d")
    context.clearRect(0, 0, side, side)
    if (this.source) context.drawImage(this.square, 0, 0, side, side)
  }

  // The square as a file.
  ink() {
    return this.file
  }

  close() {
    this.stop()
    this.observer.disconnect()
  }
}
