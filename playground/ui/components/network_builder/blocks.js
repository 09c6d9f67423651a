// A network as blocks, in SVG: for each layer a volume, a bar or a sheet in proportion to its output. It fills the size that it is given, and is
// self-contained, so that it can be saved.

import { shortened } from "../shared/format.js"
import { plural, t } from "../shared/text.js"
import { number } from "./texts.js"

/** @import { LayerAnalysis } from "./documents.js" */

/** @typedef {Pick<LayerAnalysis, "index" | "type" | "group" | "out_shape" | "parameters" | "error">} Step */
/**
 * One layer, or the input, whose index is −1.
 * @typedef {{ index: number, type: string, group: string, shape: number[] | null, error: string, summary: string, folds: boolean }} Piece `folds` if it stands close behind the one before
 */
/**
 * How a picture looks. `chosen` and `wrong` are indices of layers.
 * @typedef {object} Look
 * @property {number} width
 * @property {number} height
 * @property {number} [least] width of a layer with its followers
 * @property {number} [size] of the letters
 * @property {number} [chosen]
 * @property {number} [wrong]
 * @property {string} [text]
 * @property {string} [lit] the colour of the chosen layer
 * @property {string} [red] the colour of a layer that does not fit
 * @property {string} [font]
 */

/** @type {Record<string, string>} */
const COLOURS = { Input: "#7F7F7F", Linear: "#D55E00", Convolution: "#0072B2", Pooling: "#009E73", Activation: "#E69F00", Normalisation: "#56B4E9", Regularisation: "#999999", Shape: "#8C8C8C", Block: "#CC79A7" }
const FOLDED = ["Activation", "Normalisation", "Regularisation"] // groups of layers that stand close behind the one before
const THIN = 9 // width of one of these
const SLANT = 0.22 // how far a volume leans, as a share of its side
const LINE = 1.4, LETTER = 0.56 // height of a line and width of a letter, as shares of the letters' size

/** @param {string} text */
const escape = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;")

/**
 * The input and the layers, each with the activations and the like behind it.
 * @param {number[]} input
 * @param {Step[]} steps
 */
export function grouped(input, steps) {
  /** @type {Piece[][]} */
  const groups = [[{ index: -1, type: t("input"), group: "Input", shape: input, error: "", summary: t("Input: {shape}", { shape: input.join("×") }), folds: false }]]
  let before = input
  for (const { index, type, group, out_shape: shape, parameters, error } of steps) {
    const values = { type, before: before.join("×"), after: shape?.join("×"), n: number(parameters) }
    const summary = shape ? plural("{type}: {before} → {after}, {n} parameter", "{type}: {before} → {after}, {n} parameters", parameters, values) : error || t("An earlier layer does not fit.")
    const piece = { index, type, group, shape, error, summary, folds: shape !== null && FOLDED.includes(group) }
    if (piece.folds) groups[groups.length - 1].push(piece)
    else groups.push([piece])
    before = shape ?? before
  }
  return groups
}

/**
 * The picture, and the middle of each layer from the left.
 * @param {number[]} input
 * @param {Step[]} steps those of the analysis
 * @param {Look} look
 */
export function picture(input, steps, look) {
  const { height, least = 18, size = 13, text = "currentColor", font = "sans-serif" } = look
  const groups = grouped(input, steps)
  const width = Math.max(look.width, groups.length * least)
  const shapes = groups.flatMap(([{ shape }]) => (shape ? [shape] : []))
  const room = {
    slot: width / groups.length, top: LINE * size, base: height - 2 * LINE * size - 4,
    widest: Math.max(...shapes.filter((shape) => shape.length === 3).map((shape) => shape[1]), 1),
    longest: Math.max(...shapes.filter((shape) => shape.length < 3).map((shape) => shape[shape.length - 1]), 1),
  }
  /** @type {Map<number, number>} */
  const centres = new Map()
  let edge = 0 // where the group before ends
  const parts = groups.map((group, place) => {
    const middle = room.slot * (place + 0.5)
    const drawn = built(group, look, room)
    const left = middle - drawn.width / 2
    drawn.middles.forEach((x, at) => centres.set(group[at].index, left + x))
    const arrow = place && left - edge > 14 ? `<path d="M${edge + 5} ${drawn.axis}H${left - 6}m-4 -4l4 4l-4 4" fill="none" stroke="${text}" stroke-opacity=".35" stroke-width="1.5"/>` : ""
    edge = left + drawn.width
    return `${arrow}<g transform="translate(${left} 0)">${drawn.svg}</g>${labels(group, middle, drawn.top, look, room)}`
  })
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="${font}" font-size="${size}" color="${text}" role="img" aria-label="${escape(t("The network as blocks"))}">${parts.join("")}</svg>`
  return { svg, centres }
}

/** @typedef {{ slot: number, top: number, base: number, widest: number, longest: number }} Room the width of a group; from where to where blocks reach; the largest sizes */
/** @typedef {{ svg: string, width: number, top: number, axis: number, middles: number[] }} Drawn a group: `middles` are those of its layers, `axis` is where an arrow meets it */

/**
 * A group as blocks.
 * @param {Piece[]} group
 * @param {Look} look
 * @param {Room} room
 * @returns {Drawn}
 */
function built([first, ...thin], look, room) {
  const { shapes, width, top } = first.shape ? block(first, thin.length, room) : { shapes: missing(first, look, room), width: Math.min(26, room.slot - 4), top: room.base - 60 }
  const parts = [piece(first, shapes, look)]
  const middles = [width / 2]
  const step = Math.min(THIN + 3, Math.max(3, (room.slot - 6 - width) / Math.max(1, thin.length)))
  thin.forEach((layer, place) => {
    const x = width + 3 + place * step
    const slab = `<rect x="${x}" y="${top}" width="${step - 3 > 2 ? step - 3 : 2}" height="${room.base - top}" fill="${COLOURS[layer.group] ?? COLOURS.Shape}" fill-opacity=".55"/>`
    parts.push(piece(layer, slab, look))
    middles.push(x + step / 2)
  })
  return { svg: parts.join(""), width: width + thin.length * step, top, axis: (top + 2 * room.base) / 3, middles }
}

/**
 * What belongs to a layer: a click on it chooses the layer.
 * @param {Piece} layer
 * @param {string} shapes
 * @param {Look} look
 */
function piece({ index, summary }, shapes, { chosen, wrong, text = "currentColor", lit = "#C93A18", red = "#B3261E" }) {
  const line = index === wrong ? ` stroke="${red}" stroke-width="2.5" stroke-dasharray="5 3"` : index === chosen ? ` stroke="${lit}" stroke-width="2.5"` : ` stroke="${text}" stroke-opacity=".45"`
  return `<g class="piece" data-index="${index}"${line}><title>${escape(summary)}</title>${shapes}</g>`
}

/**
 * One shape: its svg, its width and where it begins from above.
 * @param {Piece} layer
 * @param {number} followers layers that stand close behind it
 * @param {Room} room
 */
function block({ type, group, shape: sizes }, followers, { slot, top, base, widest, longest }) {
  const shape = sizes ?? []
  const colour = COLOURS[group] ?? COLOURS.Shape
  const tall = base - top - 4, zoom = Math.min(1.6, Math.max(0.6, slot / 110))
  const most = Math.max(6, slot - 10 - followers * (THIN + 3))
  if (shape.length < 3) {
    const high = tall * (0.15 + 0.85 * (Math.log2(shape[shape.length - 1] + 1) / Math.log2(longest + 1)))
    const wide = Math.min(most, zoom * (shape.length === 2 ? 8 + 5 * Math.log2(shape[0] + 1) : 14))
    return { shapes: `<rect x="0" y="${base - high}" width="${wide}" height="${high}" rx="2" fill="${colour}" fill-opacity=".75"/>`, width: wide, top: base - high }
  }
  const [channels, rows] = shape
  const side = (tall / (1 + SLANT)) * (0.15 + 0.85 * Math.sqrt(rows / widest))
  const slant = Math.min(side * SLANT, most / 3)
  const deep = Math.max(3, Math.min(most - slant, zoom * (6 + 6 * Math.log2(channels + 1))))
  const y = base - side
  const front = `<rect x="0" y="${y}" width="${deep}" height="${side}" fill="${colour}" fill-opacity=".75"/>`
  const roof = `<path d="M0 ${y}l${slant} ${-slant}h${deep}l${-slant} ${slant}z" fill="${colour}" fill-opacity=".45"/>`
  const wall = `<path d="M${deep} ${y}l${slant} ${-slant}v${side}l${-slant} ${slant}z" fill="${colour}" fill-opacity=".6"/>`
  const arc = type === "ResidualBlock" ? `<path d="M-8 ${base - side / 2}C-8 ${y - 2 * slant} ${deep + slant} ${y - 2 * slant} ${deep + slant} ${y - slant}" fill="none" stroke="${COLOURS.Block}" stroke-width="2.5" stroke-dasharray="6 3"><title>${escape(t("Shortcut connection: the input of the block is added to its output."))}</title></path>` : ""
  return { shapes: front + roof + wall + arc, width: deep + slant, top: y - slant }
}

/**
 * A layer without a shape: the one that does not fit, or one behind it.
 * @param {Piece} layer
 * @param {Look} look
 * @param {Room} room
 */
function missing({ error }, { text = "currentColor", red = "#B3261E", size = 13 }, { slot, base }) {
  const wide = Math.min(26, slot - 4)
  const box = `<rect x="0" y="${base - 60}" width="${wide}" height="60" rx="3" fill="${error ? red : "none"}" fill-opacity=".18" stroke="${error ? red : text}" stroke-opacity="${error ? 1 : 0.35}" stroke-dasharray="4 3"/>`
  return error ? `${box}<text x="${wide / 2}" y="${base - 24}" text-anchor="middle" stroke="none" fill="${red}" font-size="${1.3 * size}" font-weight="700">!</text>` : box
}

/**
 * The names of a group's layers beneath it, and its shape above it, where they have room; those of the chosen layer always.
 * @param {Piece[]} group
 * @param {number} middle
 * @param {number} top
 * @param {Look} look
 * @param {Room} room
 */
function labels(group, middle, top, { size = 13, text = "currentColor", red = "#B3261E", chosen, wrong }, { slot, base }) {
  const [first, ...thin] = group
  const isChosen = group.some(({ index }) => index === chosen)
  const letters = Math.floor((slot - 4) / (LETTER * size))
  const name = isChosen && letters < 6 ? first.type : letters >= 4 ? shortened(first.type, letters) : ""
  const others = thin.map(({ type }) => type).join(" · ")
  const shape = first.shape?.join("×") ?? ""
  const isWrong = first.error || group.some(({ index }) => index === wrong)
  /** @type {(words: string, y: number, colour: string, more?: string) => string} */
  const line = (words, y, colour, more = "") => (words ? `<text x="${middle}" y="${y}" text-anchor="middle" fill="${colour}"${more}>${escape(words)}</text>` : "")
  const bold = isChosen || isWrong ? ' font-weight="700"' : ""
  return `<g class="piece" data-index="${first.index}">${line(shape.length <= letters || isChosen ? shape : "", top - 5, text, ' fill-opacity=".8"')}${
    line(name, base + LINE * size, isWrong ? red : text, bold)}${line(letters < 8 && others.length > letters ? "" : shortened(others, letters), base + 2 * LINE * size, text, ' fill-opacity=".75"')}</g>`
}
