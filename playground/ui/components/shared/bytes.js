// Images sent as bytes in base64.

import { inked, pixel } from "./colour.js"

/** @param {string} text */
export const bytesOf = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))

/**
 * The same, each with a sign.
 * @param {string} text
 */
export const signed = (text) => new Int8Array(bytesOf(text).buffer)

/**
 * Draw one image of (channels, height, width) bytes on a canvas, `zoom` times as large; with `signed`, 128 is zero. A grey image
 * is drawn as ink on whatever is behind it, as on paper.
 * @param {Uint8Array} bytes of one image or several, one behind another
 * @param {number} at which image
 * @param {number[]} shape
 * @param {number} zoom
 * @param {{ signed?: boolean, label?: string }} [options]
 */
export function paint(bytes, at, [channels, height, width], zoom, { signed = false, label = "" } = {}) {
  const canvas = document.createElement("canvas")
  Object.assign(canvas, { width, height })
  Object.assign(canvas.style, { width: `${width * zoom}px`, height: `${height * zoom}px`, imageRendering: "pixelated" })
  if (label) { canvas.role = "img"; canvas.setAttribute("aria-label", label) }
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"))
  const image = context.createImageData(width, height)
  const size = height * width
  const start = at * channels * size
  for (let cell = 0; cell < size; cell++) {
    const byte = bytes[start + cell]
    const rgba = channels > 1 ? [...[0, 1, 2].map((channel) => bytes[start + channel * size + cell]), 255] : signed ? pixel((byte - 128) / 127) : inked(byte)
    image.data.set(rgba, 4 * cell)
  }
  context.putImageData(image, 0, 0)
  return canvas
}
