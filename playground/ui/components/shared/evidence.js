// Attribution as a picture: the pixels that are evidence for a class, and those that are evidence against it.

import { signed as signedBytes } from "./bytes.js"
import { pixel } from "./colour.js"
import { element } from "./dom.js"
import { exact } from "./format.js"
import { t } from "./text.js"

/** @import { AttributionJson } from "./documents.js" */

/**
 * @param {string} title
 * @param {AttributionJson} attribution
 * @param {string} side its width on the screen
 */
export function evidence(title, { width, height, values, signed, bound }, side) {
  const figure = element("figure")
  const canvas = element("canvas")
  Object.assign(canvas, { width, height, role: "img" })
  canvas.setAttribute("aria-label", title)
  Object.assign(canvas.style, { width: side, aspectRatio: `${width} / ${height}` })
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"))
  const image = context.createImageData(width, height)
  signedBytes(values).forEach((byte, cell) => image.data.set(pixel(byte / 127), 4 * cell))
  context.putImageData(image, 0, 0)
  const legend = signed ? t("orange: for, blue: against, up to ±{bound}", { bound: exact(bound, 2) }) : t("up to {bound}", { bound: exact(bound, 2) })
  figure.append(canvas, element("figcaption", "", title), element("small", "", legend))
  return figure
}
