// A picture instead of a drawing: chosen, dropped or taken by the camera. The network gets a square of it. It has the interface of the canvas.

import { t } from "../shared/text.js"

const SIDE = 256 // pixels of the square that is sent
const LARGEST = 30_000_000 // bytes of a file that is opened
const FRAME_MS = 250 // between two pictures of the camera that are shown to the network

/** @import { Box, Point } from "./types.js" */

export class Photo {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {object} options
   * @param {() => void} options.changed called with every other square
   * @param {(reason: string) => void} options.refused called with a reason where a file is none
   * @param {(on: boolean) => void} options.films called when the camera starts and stops
   */
  constructor(canvas, { changed, refused, films }) {
    this.canvas = canvas
    this.changed = changed
    this.refused = refused
    this.films = films
    this.context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"))
    this.square = new OffscreenCanvas(SIDE, SIDE)
    /** @type {ImageBitmap[]} not empty while there is a picture, as with a drawing */
    this.strokes = []
    /** @type {Box[]} */
    this.boxes = []
    /** @type {ImageBitmap | null} */
    this.source = null
    /** @type {Blob | null} the square as it is sent */
    this.file = null
    this.zoom = 1
    /** @type {Point} of the square, in pixels of the source */
    this.middle = [0, 0]
    this.size = 0 // of the square, in pixels of the source
    /** @type {Point | null} where the pointer holds the picture */
    this.grip = null
    /** @type {MediaStream | null} of the camera, while it films */
    this.stream = null
    this.asking = false // for the camera
    this.closed = false
    this.over = () => {} // ends the film
    canvas.onpointerdown = (event) => this.grab(event)
    canvas.onpointermove = (event) => this.drag(event)
    canvas.onpointerup = canvas.onpointercancel = () => { this.grip = null }
    this.observer = new ResizeObserver(() => this.paint())
    this.observer.observe(canvas)
  }

  /** @param {File} file */
  async open(file) {
    if (file.size > LARGEST) return this.refused(t("This file is too large. Choose a smaller picture."))
    if (await isAnimation(file)) return this.refused(t("This file is an animation. Choose a single picture."))
    try {
      this.take(await createImageBitmap(file))
    } catch {
      this.refused(t("The browser cannot read this file as a picture."))
    }
  }

  /**
   * Show a picture: at first the largest square in its middle.
   * @param {ImageBitmap} source
   */
  async take(source) {
    this.source = source
    this.zoom = 1
    this.middle = [source.width / 2, source.height / 2]
    await this.cut()
  }

  async cut() {
    if (!this.source) return
    const size = Math.min(this.source.width, this.source.height) / this.zoom
    this.middle = moveInside(this.middle, size, this.source)
    const context = /** @type {OffscreenCanvasRenderingContext2D} */ (this.square.getContext("2d"))
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

  /** @param {number} zoom */
  magnify(zoom) {
    this.zoom = zoom
    return this.cut()
  }

  /** @param {PointerEvent} event */
  grab(event) {
    if (!this.source) return
    this.canvas.setPointerCapture(event.pointerId)
    this.grip = [event.clientX, event.clientY]
  }

  /** @param {PointerEvent} event */
  drag(event) {
    if (!this.grip) return
    const scale = this.size / this.canvas.clientWidth
    const [x, y] = this.middle
    this.middle = [x - (event.clientX - this.grip[0]) * scale, y - (event.clientY - this.grip[1]) * scale]
    this.grip = [event.clientX, event.clientY]
    this.cut()
  }

  /** The camera, live; `stop` keeps its last picture. */
  async film() {
    if (this.asking) return
    this.asking = true
    let stream
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: 640 } })
    } catch {
      return this.refused(t("There is no camera, or the browser does not allow this page to use it. Choose a picture instead."))
    } finally {
      this.asking = false
    }
    if (this.closed) return release(stream) // the page was left before the camera was allowed
    this.stream = stream
    /** @type {Promise<void>} */
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
    release(this.stream)
    this.stream = null
    this.over()
    this.films(false)
  }

  clear() {
    this.stop()
    this.source = this.file = this.grip = null
    this.strokes = []
    this.zoom = 1
    this.paint()
    this.changed()
  }

  paint() {
    const side = Math.round(this.canvas.clientWidth * (window.devicePixelRatio || 1))
    if (!side) return
    if (this.canvas.width !== side || this.canvas.height !== side) Object.assign(this.canvas, { width: side, height: side })
    this.context.clearRect(0, 0, side, side)
    if (this.source) this.context.drawImage(this.square, 0, 0, side, side)
  }

  /** The square as a file; null while there is none. */
  ink() {
    return this.file
  }

  close() {
    this.closed = true
    this.stop()
    this.observer.disconnect()
  }
}

/**
 * Whether a file has several pictures; false where the browser cannot tell.
 * @param {File} file
 */
async function isAnimation(file) {
  if (!("ImageDecoder" in globalThis) || !(await ImageDecoder.isTypeSupported(file.type))) return false
  const decoder = new ImageDecoder({ data: file.stream(), type: file.type })
  try {
    await decoder.tracks.ready
    return decoder.tracks.selectedTrack?.animated ?? false
  } catch {
    return false // it cannot be read at all
  } finally {
    decoder.close()
  }
}

/** @param {MediaStream} stream of the camera, which is switched off */
const release = (stream) => stream.getTracks().forEach((track) => track.stop())

/**
 * The middle of a square, moved so that the square lies inside of a picture.
 * @param {Point} middle
 * @param {number} size of the square
 * @param {{ width: number, height: number }} picture
 * @returns {Point}
 */
export function moveInside([x, y], size, { width, height }) {
  return [Math.min(Math.max(x, size / 2), width - size / 2), Math.min(Math.max(y, size / 2), height - size / 2)]
}
