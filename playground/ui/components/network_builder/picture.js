// A picture of a network as SVG: volumes for feature maps, bars for vectors, sheets for tokens, in proportion to their shapes.
// It is self-contained, so that it can be downloaded.

import { plural, t } from "../shared/text.js"
import { number } from "./texts.js"

/** @import { LayerAnalysis } from "./documents.js" */

/** @type {Record<string, string>} */
const COLOURS = { Input: "#7F7F7F", Linear: "#D55E00", Convolution: "#0072B2", Pooling: "#009E73", Activation: "#E69F00", Normalisation: "#56B4E9", Regularisation: "#999999", Shape: "#8C8C8C", Block: "#CC79A7" }
const WRONG = "#C62828"
const TALL = 110, GAP = 26, BASE = 168, HEAD = 26

/** @param {string} text */
const escape = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;")

/**
 * The picture of an input and the layers behind it.
 * @param {number[]} input
 * @param {Pick<LayerAnalysis, "index" | "type" | "group" | "out_shape" | "parameters" | "error">[]} steps those of the analysis
 * @param {{ chosen?: number, text?: string, lit?: string }} [look] `chosen` is the index of the step whose outline is `lit`
 */
export function picture(input, steps, { chosen = -1, text = "currentColor", lit = "#D9400F" } = {}) {
  const shapes = [input, ...steps.flatMap((step) => (step.out_shape ? [step.out_shape] : []))]
  const widest = Math.max(...shapes.filter((shape) => shape.length === 3).map((shape) => shape[1]), 1)
  const longest = Math.max(...shapes.filter((shape) => shape.length < 3).map((shape) => shape[shape.length - 1]), 1)
  /** @type {string[]} */
  const parts = []
  let x = 14
  /**
   * @param {string} group
   * @param {number[]} shape
   * @param {string} label
   * @param {number} index
   * @param {{ thin: boolean, summary: string }} facts
   */
  const place = (group, shape, label, index, { thin, summary }) => {
    const drawn = block(shape, { widest, longest, colour: COLOURS[group] ?? COLOURS.Shape, thin })
    const look = index === chosen ? ` stroke="${lit}" stroke-width="3"` : ` stroke="${text}" stroke-opacity=".45"`
    parts.push(`<g class="piece" data-index="${index}" transform="translate(${x} 0)"${look}><title>${escape(summary)}</title>${drawn.shapes}`)
    parts.push(`<g stroke="none" fill="${text}" font-size="11.5"><text x="${drawn.width / 2}" y="${BASE + 20}" text-anchor="end" transform="rotate(-38 ${drawn.width / 2} ${BASE + 20})">${escape(label)}</text>`)
    if (!thin) parts.push(`<text x="${drawn.width / 2}" y="${drawn.top - 8}" text-anchor="middle">${escape(shape.join("×"))}</text>`)
    parts.push("</g></g>")
    const from = x
    x += drawn.width + (thin ? 10 : GAP)
    return { from, width: drawn.width, top: drawn.top }
  }
  place("Input", input, t("input"), -1, { thin: false, summary: t("input") })
  let before = input
  for (const step of steps) {
    if (!step.out_shape) {
      parts.push(`<g class="piece" data-index="${step.index}" transform="translate(${x} 0)"><title>${escape(step.error || t("An earlier layer does not fit."))}</title><rect x="0" y="${BASE - 60}" width="26" height="60" fill="${step.error ? WRONG : "none"}" fill-opacity=".25" stroke="${WRONG}" stroke-dasharray="4 3"/><text x="13" y="${BASE + 20}" font-size="11.5" fill="${text}" text-anchor="end" transform="rotate(-38 13 ${BASE + 20})">${escape(step.type)}</text></g>`)
      x += 44
      continue
    }
    const thin = String(before) === String(step.out_shape) && step.group !== "Block"
    const values = { type: step.type, before: before.join("×"), after: step.out_shape.join("×"), n: number(step.parameters) }
    const facts = { thin, summary: plural("{type}: {before} → {after}, {n} parameter", "{type}: {before} → {after}, {n} parameters", step.parameters, values) }
    const at = place(step.group, step.out_shape, step.type, step.index, facts)
    if (step.type === "ResidualBlock") parts.push(`<path d="M${at.from - GAP + 4} ${at.top - 4}C${at.from - GAP + 4} ${at.top - 46} ${at.from + at.width} ${at.top - 46} ${at.from + at.width - 4} ${at.top - 22}" fill="none" stroke="${COLOURS.Block}" stroke-width="2.5" stroke-dasharray="6 3"><title>${escape(t("Shortcut connection: the input of the block is added to its output."))}</title></path>`)
    before = step.out_shape
  }
  const width = Math.max(x + 20, 200), height = BASE + 92
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 ${-HEAD} ${width} ${height + HEAD}" width="${width}" height="${height + HEAD}" font-family="sans-serif" color="${text}" role="img" aria-label="${escape(t("The network as blocks"))}">${parts.join("")}</svg>`
}

/**
 * One shape: its svg, its width and where it begins from above.
 * @param {number[]} shape
 * @param {{ widest: number, longest: number, colour: string, thin: boolean }} look the sizes of the largest image and of the longest vector
 */
function block(shape, { widest, longest, colour, thin }) {
  if (shape.length === 3) {
    const [channels, rows] = shape
    const side = 16 + (TALL - 16) * Math.sqrt(rows / widest)
    const deep = thin ? 7 : 8 + 7 * Math.log2(channels + 1)
    const slant = thin ? 0 : side * 0.22
    const top = BASE - side
    const front = `<rect x="0" y="${top}" width="${deep}" height="${side}" fill="${colour}" fill-opacity="${thin ? 0.55 : 0.75}"/>`
    if (thin) return { shapes: front, width: deep, top }
    const roof = `<path d="M0 ${top}l${slant} ${-slant}h${deep}l${-slant} ${slant}z" fill="${colour}" fill-opacity=".45"/>`
    const wall = `<path d="M${deep} ${top}l${slant} ${-slant}v${side}l${-slant} ${slant}z" fill="${colour}" fill-opacity=".6"/>`
    return { shapes: front + roof + wall, width: deep + slant, top: top - slant }
  }
  const high = 14 + (TALL - 14) * (Math.log2(shape[shape.length - 1] + 1) / Math.log2(longest + 1))
  const wide = thin ? 7 : shape.length === 2 ? 8 + 5 * Math.log2(shape[0] + 1) : 14
  return { shapes: `<rect x="0" y="${BASE - high}" width="${wide}" height="${high}" rx="2" fill="${colour}" fill-opacity="${thin ? 0.55 : 0.75}"/>`, width: wide, top: BASE - high }
}

/**
 * Save a picture as SVG, or drawn as PNG at twice its size.
 * @param {string} svg
 * @param {string} name of the file, without its ending
 * @param {"svg" | "png"} kind
 */
export function save(svg, name, kind) {
  const url = URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" }))
  if (kind === "svg") return download(url, `${name}.svg`)
  const image = new Image()
  image.onload = () => {
    const canvas = document.createElement("canvas")
    canvas.width = 2 * image.width
    canvas.height = 2 * image.height
    const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"))
    pen.fillStyle = "#FFFFFF"
    pen.fillRect(0, 0, canvas.width, canvas.height)
    pen.drawImage(image, 0, 0, canvas.width, canvas.height)
    canvas.toBlob((blob) => { if (blob) download(URL.createObjectURL(blob), `${name}.png`) }, "image/png") // none of a picture too large for the browser
    URL.revokeObjectURL(url)
  }
  image.src = url
}

/**
 * @param {string} text
 * @param {string} name of the file
 * @param {string} [kind] its media type
 */
export function saveText(text, name, kind = "text/plain") {
  download(URL.createObjectURL(new Blob([text], { type: kind })), name)
}

/**
 * @param {string} url
 * @param {string} name of the file
 */
function download(url, name) {
  const link = document.createElement("a")
  link.href = url
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(url), 10000)
}
