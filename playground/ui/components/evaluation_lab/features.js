// The features of a thousand test images, the input of the last layer: nearby points are similar to the network. Pointing at one shows its image, a click the network at work on it.

import { element } from "../shared/dom.js"
import { grouped, percent } from "../shared/format.js"
import { CONFIG, layout, loadPlotly, theme } from "../shared/plot.js"
import { draw } from "../shared/templates.js"
import { marked } from "../shared/term.js"
import { t } from "../shared/text.js"
import { titleOf } from "./cards.js"

/**
 * @import { Look } from "../shared/plot.js"
 * @import { Points, Summary } from "./documents.js"
 * @import { Ask } from "./types.js"
 */

const ZOOM = 3
const SYMBOLS = ["circle", "square", "diamond", "cross"]

export class Features {
  /**
   * @param {Ask} ask
   * @param {() => URL} sheetAddress returns the address of the picture with all test images
   * @param {(index: number, title: string) => void} open called with an image that was clicked
   */
  constructor(ask, sheetAddress, open) {
    this.ask = ask
    this.open = open
    this.sheetAddress = sheetAddress
    /** @type {string[]} */
    this.classes = []
    this.fresh = false // whether the points are still to be requested
    /** @type {Points | null} */
    this.points = null
    /** @type {HTMLImageElement | null} */
    this.sheet = null
    this.box = element("div", "evaluation-features")
    this.method = element("pick-one")
    this.method.options = [{ value: "pca", title: "PCA" }, { value: "tsne", title: "t-SNE" }]
    this.method.label = t("Method")
    this.dimensions = element("pick-one")
    this.dimensions.options = [{ value: "2", title: t("in two dimensions") }, { value: "3", title: t("in three dimensions") }]
    this.dimensions.label = t("Dimensions")
    for (const input of [this.method, this.dimensions]) input.onchange = () => this.load()
    const tools = element("div", "evaluation-tools")
    this.status = element("p", "evaluation-hint")
    tools.append(this.method, this.dimensions, this.status)
    /** @type {HTMLElement} */
    this.plot = element("div", "evaluation-plot large")
    this.card = element("div", "evaluation-point")
    this.card.setAttribute("aria-live", "polite")
    const body = element("div", "evaluation-space")
    body.append(this.plot, this.card)
    this.box.append(tools, body)
  }

  /** @param {Summary} evaluation */
  take({ classes }) {
    this.classes = classes
    this.fresh = true
    this.sheet = null
  }

  show() {
    if (this.fresh) this.load()
    else if (this.points) this.draw()
  }

  async load() {
    this.fresh = false
    draw(this.status, this.method.value === "tsne" ? t("Computing t-SNE. This takes a few seconds.") : t("Computing the points…"))
    const query = { method: this.method.value, dimensions: this.dimensions.value }
    const points = await this.ask("/points", query)
    if (!points || query.method !== this.method.value || query.dimensions !== this.dimensions.value) return
    this.points = points
    if (!this.sheet) {
      this.sheet = new Image()
      this.sheet.src = this.sheetAddress().href
    }
    this.draw()
  }

  async draw() {
    const Plotly = await loadPlotly()
    const { points } = this
    if (!points || !this.box.isConnected) return
    const look = theme(this.box)
    draw(this.status, marked(explanation(points)))
    const three = points.dimensions === 3
    const axis = { showgrid: true, zeroline: false, showticklabels: false, title: { text: "" }, gridcolor: look.grid, backgroundcolor: "rgba(0,0,0,0)" }
    const options = three
      ? { scene: { xaxis: axis, yaxis: axis, zaxis: axis }, margin: { l: 0, r: 0, t: 8, b: 0 } }
      : { margin: { l: 12, r: 12, t: 8, b: 12 } }
    const made = layout(look, this.plot.clientHeight, { ...axis, title: "" }, { ...axis, scaleanchor: "x" }, { ...options, hovermode: "closest", uirevision: `${points.method}${points.dimensions}`, legend: { x: 1.02, y: 1, itemsizing: "constant" } })
    await Plotly.react(this.plot, traces(points, this.classes, look), made, { ...CONFIG, displayModeBar: false })
    const drawn = /** @type {PlotElement} */ (this.plot)
    if (!drawn.removeAllListeners) return // the page was left meanwhile, and the plot with it
    drawn.removeAllListeners("plotly_hover")
    drawn.removeAllListeners("plotly_click")
    drawn.on("plotly_hover", ({ points: [point] }) => this.point(point.customdata))
    drawn.on("plotly_click", ({ points: [point] }) => this.open(points.index[point.customdata], titleOf(points.index[point.customdata], this.classes[points.labels[point.customdata]], this.classes[points.predictions[point.customdata]])))
  }

  /**
   * One image, cut out of the sheet.
   * @param {number} place of its point
   */
  point(place) {
    const { points, sheet, classes } = this
    if (!points || !sheet) return
    const { sheet: { columns, width, height }, labels, predictions, confidence, index } = points
    const canvas = document.createElement("canvas")
    Object.assign(canvas, { width, height, role: "img" })
    canvas.setAttribute("aria-label", classes[labels[place]])
    Object.assign(canvas.style, { width: `${width * ZOOM}px`, height: `${height * ZOOM}px`, imageRendering: "pixelated" })
    const cut = () => canvas.getContext("2d")?.drawImage(sheet, (place % columns) * width, Math.floor(place / columns) * height, width, height, 0, 0, width, height)
    if (sheet.complete) cut()
    else sheet.addEventListener("load", cut)
    const names = { class: classes[labels[place]], predicted: classes[predictions[place]] }
    const title = labels[place] === predictions[place] ? `✓ ${names.class}` : t("✕ {class}, predicted as {predicted}", names)
    const lines = [t("confidence {confidence}", { confidence: percent(confidence[place]) }), t("test image {index}", { index: index[place] })]
    this.card.replaceChildren(canvas, element("b", "", title), ...lines.map((text) => element("span", "", text)))
  }

  close() {
    window.Plotly?.purge(this.plot)
  }
}

/**
 * What the points are, and what their distances mean; terms are in double brackets.
 * @param {Pick<Points, "method" | "variance" | "note" | "index">} points
 */
export function explanation({ method, variance, note, index }) {
  const share = variance.reduce((sum, one) => sum + one, 0)
  if (note) return note
  const values = { images: grouped(index.length), share: percent(share, 0) }
  return method === "pca"
    ? t("The input of the last [[layer]] for {images} test images, along its [[principal components|PCA]], which hold {share} of the variance.", values)
    : t("The input of the last [[layer]] for {images} test images, arranged by [[t-SNE]]. Neighbours are similar to the network; distances between groups have no meaning.", values)
}

/**
 * The points of each class, and rings around those that are misclassified.
 * @param {Pick<Points, "dimensions" | "coordinates" | "labels" | "predictions">} points
 * @param {string[]} classes
 * @param {Pick<Look, "text" | "colours">} look
 */
export function traces({ dimensions, coordinates, labels, predictions }, classes, look) {
  const three = dimensions === 3
  /** @type {(chosen: number[], more: object) => object} */
  const trace = (chosen, more) => ({
    type: three ? "scatter3d" : "scattergl", mode: "markers", customdata: chosen, hoverinfo: "none",
    ...Object.fromEntries(["x", "y", ...(three ? ["z"] : [])].map((name, place) => [name, chosen.map((index) => coordinates[index][place])])), ...more,
  })
  const all = labels.map((_, index) => index)
  const count = look.colours.length
  const groups = classes.map((name, label) => trace(all.filter((index) => labels[index] === label), {
    name, marker: { size: three ? 4 : 7, color: look.colours[label % count], symbol: SYMBOLS[Math.floor(label / count)], opacity: 0.85 },
  }))
  const wrong = all.filter((index) => labels[index] !== predictions[index])
  const ring = { size: three ? 7 : 12, color: look.text, symbol: "circle-open", opacity: 0.7, line: { color: look.text, width: 1.5 } }
  return [...groups, trace(wrong, { name: t("misclassified"), marker: ring })]
}
