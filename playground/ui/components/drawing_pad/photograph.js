// A photograph of handwriting, for networks trained on digits: all of it is sent, made smaller, and the digits that were found in it are framed.

import { t } from "../shared/text.js"
import { Photo } from "./photo.js"

const LONGEST = 1000 // pixels of the longer side as it is sent; the server would reduce it to as many
const LARGEST_BYTES = 1_900_000 // of the file that is sent
const MARGIN = 4 // pixels between a digit and its frame

export class Photograph extends Photo {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {ConstructorParameters<typeof Photo>[1]} options
   */
  constructor(canvas, options) {
    super(canvas, options)
    canvas.role = "img"
    canvas.ariaLabel = t("Photograph of handwriting. The digits that were found are framed.")
  }

  /** Make all of the picture ready to be sent. Where it is transparent it stays so: the server chooses a ground that its ink stands out from. */
  async cut() {
    const { source } = this
    if (!source) return
    const scale = Math.min(1, LONGEST / Math.max(source.width, source.height))
    this.square = new OffscreenCanvas(Math.max(1, Math.round(source.width * scale)), Math.max(1, Math.round(source.height * scale)))
    const context = /** @type {OffscreenCanvasRenderingContext2D} */ (this.square.getContext("2d"))
    context.imageSmoothingQuality = "high"
    context.drawImage(source, 0, 0, this.square.width, this.square.height)
    this.boxes = []
    this.paint()
    const png = await this.square.convertToBlob({ type: "image/png" })
    const file = png.size > LARGEST_BYTES ? await this.square.convertToBlob({ type: "image/jpeg", quality: 0.9 }) : png
    if (this.source !== source) return // another one, or cleared meanwhile
    this.file = file
    this.strokes = [source]
    this.changed()
  }

  /** All of it is seen: there is nothing to drag. */
  grab() {}

  paint() {
    const [width, height] = [this.canvas.clientWidth, this.canvas.clientHeight].map((side) => Math.round(side * (window.devicePixelRatio || 1)))
    if (!width || !height) return
    if (this.canvas.width !== width || this.canvas.height !== height) Object.assign(this.canvas, { width, height })
    const { context, square } = this
    context.clearRect(0, 0, width, height)
    if (!this.source) return
    const scale = Math.min(width / square.width, height / square.height)
    const [left, top] = [(width - square.width * scale) / 2, (height - square.height * scale) / 2]
    context.drawImage(square, left, top, square.width * scale, square.height * scale)
    context.strokeStyle = getComputedStyle(this.canvas).outlineColor
    context.lineWidth = 2 * (window.devicePixelRatio || 1)
    const unit = square.height * scale // boxes are in shares of the height
    for (const [up, down, first, last] of this.boxes) {
      context.strokeRect(left + first * unit - MARGIN, top + up * unit - MARGIN, (last - first) * unit + 2 * MARGIN, (down - up) * unit + 2 * MARGIN)
    }
  }
}
