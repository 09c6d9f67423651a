// The loss in three dimensions, with the paths on it, to be turned. It is drawn on a canvas: a surface of Plotly needs WebGL, and a computer that draws
// this without a graphics card needs two tenths of a second for each frame.

import { rgb } from "../shared/colour.js"
import { brief } from "../shared/format.js"
import { t } from "../shared/text.js"
import { heightOf } from "./ground.js"

/**
 * @import { Look } from "../shared/plot.js"
 * @import { Path } from "./descent.js"
 * @import { Area } from "./ground.js"
 */

/** @typedef {[number, number, number]} Spot x, y and the height: −1 to 1 across the surface, 0 to 1 upward */
/** @typedef {{ step: number, path: number, from: Spot, to: Spot }} Piece a piece of a path within a cell of the surface */

const CELLS = 44 // of the surface along each axis
const TALL = 0.9 // the height of the highest place, where the surface is 2 wide
const LIFT = 0.02 // of the paths above the surface, so that what is nearer does not cover them
const TURN = 0.01 // radians for a pixel
const KEYS = { ArrowLeft: [-12, 0], ArrowRight: [12, 0], ArrowUp: [0, -12], ArrowDown: [0, 12] } // pixels
const LOWEST = 0.25, STEEPEST = 1.4 // radians from which one can look down

export class Landscape {
  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.canvas = canvas
    this.yaw = 0.6
    this.pitch = 0.65
    this.at = 0 // steps that are shown
    /** @type {Area | null} */
    this.area = null
    /** @type {Look | null} */
    this.look = null
    /** @type {string[]} */
    this.colours = []
    /** @type {number[][]} heights from 0 to 1, a row for each y */
    this.heights = []
    /** @type {Spot[][]} the points of each path */
    this.paths = []
    /** @type {Map<number, Piece[]>} by the cell that they lie in */
    this.pieces = new Map()
    let held = false
    canvas.onpointerdown = (event) => { held = true; canvas.setPointerCapture(event.pointerId) }
    canvas.onpointermove = (event) => { if (held) this.turn(event.movementX, event.movementY) }
    canvas.onpointerup = canvas.onpointercancel = () => { held = false }
    canvas.onkeydown = (event) => {
      if (!(event.key in KEYS)) return
      event.preventDefault()
      const [across, down] = KEYS[/** @type {keyof typeof KEYS} */ (event.key)]
      this.turn(across, down)
    }
  }

  /**
   * @param {number} across in pixels
   * @param {number} down
   */
  turn(across, down) {
    this.yaw -= TURN * across
    this.pitch = Math.min(STEEPEST, Math.max(LOWEST, this.pitch + TURN * down))
    this.draw()
  }

  /**
   * @param {Area} area
   * @param {number} lowest its lowest loss
   * @param {Path[]} paths
   * @param {string[]} colours of the paths
   * @param {Look} look
   */
  show(area, lowest, paths, colours, look) {
    Object.assign(this, { area, colours, look })
    const along = (/** @type {number[]} */ [low, high], /** @type {number} */ share) => low + (high - low) * share
    const raw = (/** @type {number} */ x, /** @type {number} */ y) => heightOf(area.loss(along(area.x, (x + 1) / 2), along(area.y, (y + 1) / 2)), lowest)
    const grid = Array.from({ length: CELLS + 1 }, (_, row) => Array.from({ length: CELLS + 1 }, (_, column) => raw(edge(column), edge(row))))
    const highest = Math.max(1e-9, ...grid.flat().filter(Number.isFinite))
    const share = (/** @type {number} */ height) => (Number.isFinite(height) ? Math.min(1, height / highest) : 1)
    const spot = (/** @type {number} */ x, /** @type {number} */ y) => /** @type {Spot} */ ([x, y, share(raw(x, y)) + LIFT])
    this.heights = grid.map((row) => row.map(share))
    this.paths = paths.map(({ points }) => points.map(([x, y]) => spot(outward(area.x, x), outward(area.y, y))))
    this.pieces = new Map()
    this.paths.forEach((points, path) => points.slice(1).forEach((to, step) => this.cut(points[step], to, step + 1, path, spot)))
  }

  /**
   * Cut a step of a path into pieces that lie on the surface, each in one cell.
   * @param {Spot} from
   * @param {Spot} to
   * @param {number} step
   * @param {number} path
   * @param {(x: number, y: number) => Spot} spot
   */
  cut([x, y], [endX, endY], step, path, spot) {
    if (Math.max(Math.abs(x), Math.abs(y), Math.abs(endX), Math.abs(endY)) > 1) return // beyond the edge
    const count = Math.max(1, Math.ceil((Math.max(Math.abs(endX - x), Math.abs(endY - y)) * CELLS) / 2))
    const spots = Array.from({ length: count + 1 }, (_, part) => spot(x + ((endX - x) * part) / count, y + ((endY - y) * part) / count))
    spots.slice(1).forEach((to, part) => {
      const from = spots[part]
      const cell = place((from[1] + to[1]) / 2) * CELLS + place((from[0] + to[0]) / 2)
      this.pieces.set(cell, [...(this.pieces.get(cell) ?? []), { step, path, from, to }])
    })
  }

  /**
   * Show the paths up to a step.
   * @param {number} at
   */
  reach(at) {
    this.at = at
    this.draw()
  }

  /** Draw the cells from the furthest to the nearest, each with the pieces of paths on it. */
  draw() {
    const { canvas, look, heights } = this
    const { clientWidth: width, clientHeight: height } = canvas
    const pen = canvas.getContext("2d")
    if (!pen || !look || !width) return
    const dots = window.devicePixelRatio
    if (canvas.width !== Math.round(width * dots) || canvas.height !== Math.round(height * dots)) Object.assign(canvas, { width: Math.round(width * dots), height: Math.round(height * dots) })
    pen.setTransform(dots, 0, 0, dots, 0, 0)
    pen.clearRect(0, 0, width, height)
    const seen = this.view(width, height)
    this.axes(pen, seen, look)
    const shades = shadesOf(look)
    const [right, away] = [Math.sin(this.yaw) > 0, Math.cos(this.yaw) > 0]
    pen.lineJoin = "round"
    pen.lineCap = "round"
    for (let outer = 0; outer < CELLS; outer++) for (let inner = 0; inner < CELLS; inner++) {
      const row = away ? CELLS - 1 - outer : outer, column = right ? CELLS - 1 - inner : inner
      const corners = [[column, row], [column + 1, row], [column + 1, row + 1], [column, row + 1]]
      pen.beginPath()
      for (const [x, y] of corners) pen.lineTo(...seen([edge(x), edge(y), heights[y][x]]))
      pen.closePath()
      pen.fillStyle = shades[Math.round((shades.length - 1) * heights[row][column])]
      pen.fill()
      pen.lineWidth = 0.5
      pen.strokeStyle = look.soft
      pen.stroke()
      for (const piece of this.pieces.get(row * CELLS + column) ?? []) if (piece.step <= this.at) this.stroke(pen, seen, piece, look)
    }
    this.paths.forEach((points, path) => {
      const last = points.slice(0, this.at + 1).at(-1)
      if (!last || Math.max(Math.abs(last[0]), Math.abs(last[1])) > 1) return
      pen.beginPath()
      pen.arc(...seen(last), 6 * look.zoom, 0, 2 * Math.PI)
      pen.fillStyle = this.colours[path]
      pen.fill()
      pen.lineWidth = 1.5
      pen.strokeStyle = look.page
      pen.stroke()
    })
  }

  /**
   * Where a spot is seen, from far away, so that parallel lines stay parallel.
   * @param {number} width
   * @param {number} height
   * @returns {(spot: Spot) => [number, number]}
   */
  view(width, height) {
    const [sine, cosine, tilt, rise] = [Math.sin(this.yaw), Math.cos(this.yaw), Math.sin(this.pitch), Math.cos(this.pitch)]
    const scale = Math.min(width / 3.7, height / 2.9)
    return ([x, y, up]) => [
      width / 2 + scale * (x * cosine - y * sine),
      height / 2 - scale * ((x * sine + y * cosine) * tilt + TALL * (up - 0.5) * rise),
    ]
  }

  /**
   * @param {CanvasRenderingContext2D} pen
   * @param {(spot: Spot) => [number, number]} seen
   * @param {Piece} piece
   * @param {Look} look
   */
  stroke(pen, seen, { path, from, to }, look) {
    pen.beginPath()
    pen.moveTo(...seen(from))
    pen.lineTo(...seen(to))
    pen.lineWidth = 3 * look.zoom
    pen.strokeStyle = this.colours[path]
    pen.stroke()
  }

  /**
   * The frame of the ground, and at its nearer edges the names and limits of both axes.
   * @param {CanvasRenderingContext2D} pen
   * @param {(spot: Spot) => [number, number]} seen
   * @param {Look} look
   */
  axes(pen, seen, look) {
    if (!this.area) return
    pen.beginPath()
    for (const [x, y] of [[-1, -1], [1, -1], [1, 1], [-1, 1], [-1, -1]]) pen.lineTo(...seen([x, y, 0]))
    pen.lineWidth = 1
    pen.strokeStyle = look.grid
    pen.stroke()
    pen.font = `${look.size}px ${look.font}`
    pen.fillStyle = look.text
    pen.textAlign = "center"
    pen.textBaseline = "middle"
    const nearX = Math.sin(this.yaw) > 0 ? -1.16 : 1.16, nearY = Math.cos(this.yaw) > 0 ? -1.16 : 1.16
    const [x, y] = [this.area.x, this.area.y]
    for (const [text, at] of /** @type {[string, Spot][]} */ ([
      ["x", [0, nearY, 0]], [brief(x[0]), [-0.9, nearY, 0]], [brief(x[1]), [0.9, nearY, 0]],
      ["y", [nearX, 0, 0]], [brief(y[0]), [nearX, -0.9, 0]], [brief(y[1]), [nearX, 0.9, 0]],
      [t("loss"), [-nearX, nearY, 0.5]],
    ])) pen.fillText(text, ...seen(at))
  }
}

/** @param {number} index of a line of the grid */
const edge = (index) => (2 * index) / CELLS - 1

/** @param {number} across from −1 to 1 */
const place = (across) => Math.min(CELLS - 1, Math.max(0, Math.floor(((across + 1) / 2) * CELLS)))

/**
 * @param {number[]} limits of an axis
 * @param {number} value
 */
const outward = ([low, high], value) => (2 * (value - low)) / (high - low) - 1

/**
 * The colours of the surface by its height: the higher the darker, as on the map.
 * @param {Look} look
 */
function shadesOf({ soft, stage }) {
  const [high, low] = [rgb(soft), rgb(stage)]
  return Array.from({ length: 21 }, (_, level) => `rgb(${low.map((part, place) => Math.round(part + (high[place] - part) * (0.04 + 0.4 * (level / 20)))).join(",")})`)
}
