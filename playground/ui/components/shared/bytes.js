// Images sent as bytes in base64.

/** @param {string} text */
export const bytesOf = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))

/**
 * Draw one image of (channels, height, width) bytes on a canvas, `zoom` times as large; with `signed`, 128 is zero: blue below, orange above.
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
    const colour = channels === 1 ? (signed ? signedColour(bytes[start + cell]) : [bytes[start + cell], bytes[start + cell], bytes[start + cell]]) : [0, 1, 2].map((channel) => bytes[start + channel * size + cell])
    image.data.set([...colour, 255], 4 * cell)
  }
  context.putImageData(image, 0, 0)
  return canvas
}

/** @param {number} byte */
function signedColour(byte) {
  const share = (byte - 128) / 127
  const end = share < 0 ? [33, 102, 172] : [217, 95, 2]
  return end.map((part) => Math.round(247 + (part - 247) * Math.min(1, Math.abs(share))))
}
