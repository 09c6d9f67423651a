// What a script has plotted, drawn by Plotly in the page's style.

import { element } from "./dom.js"
import { layout, loadPlotly, theme } from "./plot.js"
import { t } from "./text.js"

/**
 * @import { FigurePlots, Mark, Plot } from "./documents.js"
 * @import { Look } from "./plot.js"
 */

const HEIGHT = 16, LOW = 9 // rem: of a plot alone, and of one beside others
const GREYS = [[0, "#000"], [1, "#fff"]]

export class Figures {
  /** @param {HTMLElement} box which is hidden without any */
  constructor(box) {
    this.box = box
    /** @type {FigurePlots[]} */
    this.figures = []
    this.ink = "" // that they were drawn in
    /** @type {Promise<void>} */
    this.drawn = Promise.resolve()
  }

  /** @param {FigurePlots[]} figures */
  show(figures) {
    const isFirst = !this.figures.length
    this.figures = figures
    this.box.hidden = !figures.length
    if (figures.length || !isFirst) this.drawn = this.drawn.catch(() => {}).then(() => this.draw(figures)) // Plotly removes no plot that it is drawing
    return this.drawn
  }

  /** @param {FigurePlots[]} figures */
  async draw(figures) {
    if (this.figures !== figures) return
    const Plotly = await loadPlotly()
    for (const plot of this.box.querySelectorAll(".figure-plot")) Plotly.purge(/** @type {HTMLElement} */ (plot))
    this.box.replaceChildren(...figures.map(framed))
    const look = theme(this.box)
    this.ink = look.text
    await Promise.all(figures.flatMap(({ plots }, place) => plots.map((plot, at) => {
      return draw(Plotly, /** @type {HTMLElement} */ (this.box.children[place].children[at]), plot, look, plots.length > 1)
    })))
  }

  /** Draw them again where the page has changed between light and dark. */
  async follow() {
    if (this.figures.length && theme(this.box).text !== this.ink) await this.show(this.figures)
  }
}

/**
 * @param {FigurePlots} figure
 * @param {number} place
 */
function framed({ columns, plots }, place) {
  const figure = element("figure", "figure")
  figure.setAttribute("aria-label", t("Figure {number}", { number: place + 1 }))
  figure.style.setProperty("--columns", String(Math.min(columns, plots.length)))
  figure.append(...plots.map(() => element("div", "figure-plot")))
  return figure
}

/**
 * @param {Plotly} Plotly
 * @param {HTMLElement} box
 * @param {Plot} plot
 * @param {Look} look
 * @param {boolean} isOneOfSeveral
 */
function draw(Plotly, box, plot, look, isOneOfSeveral) {
  const isImage = plot.marks.some(({ kind }) => kind === "cells" || kind === "picture")
  const traces = plot.marks.filter((mark) => !isThrough(mark)).map((mark, place) => traceOf(mark, look.colours[place % look.colours.length]))
  const height = (isOneOfSeveral ? LOW : HEIGHT) * 16 * look.zoom
  const titled = (/** @type {string} */ text) => ({ text, font: { size: look.size } })
  const axis = (/** @type {"x" | "y"} */ name) => ({ visible: !isImage, ...(plot.logarithmic.includes(name) ? { type: "log" } : {}) })
  const made = layout(look, height, axis("x"), { ...axis("y"), title: titled(plot.upward), ...(isImage ? { autorange: "reversed", scaleanchor: "x" } : {}) }, {
    title: { ...titled(plot.title), x: 0.5, y: 0.98, yanchor: "top" }, margin: isImage ? imageMargin(plot, look) : margin(plot, look), hovermode: "closest",
    showlegend: plot.marks.some(({ label }) => label), legend: { x: 1, xanchor: "right", y: 1, bgcolor: "rgba(0,0,0,0)" },
    shapes: plot.marks.filter(isThrough).map((mark) => lineThrough(mark, look)),
  })
  return Plotly.react(box, traces, { ...made, xaxis: { ...made.xaxis, title: titled(plot.across) } }, { displayModeBar: false, responsive: true })
}

/**
 * @param {Plot} plot
 * @param {Look} look
 */
const margin = ({ title, across, upward }, { zoom }) => ({ l: (upward ? 62 : 44) * zoom, r: 8, t: (title ? 28 : 8) * zoom, b: (across ? 42 : 24) * zoom })

/**
 * @param {Plot} plot
 * @param {Look} look
 */
const imageMargin = ({ title }, { zoom }) => ({ l: 4, r: 4, t: title ? 24 * zoom : 4, b: 4 })

/**
 * Whether a line goes through the whole plot, straight across or straight up.
 * @param {Mark} mark
 */
const isThrough = ({ kind, x, y }) => kind === "line" && !(x.length && y.length)

/**
 * @param {Mark} mark
 * @param {Look} look
 */
const lineThrough = ({ x, y }, { text }) => ({
  type: "line", line: { color: text, width: 1, dash: "dash" },
  ...(y.length ? { xref: "paper", x0: 0, x1: 1, y0: y[0], y1: y[0] } : { yref: "paper", y0: 0, y1: 1, x0: x[0], x1: x[0] }),
})

/**
 * What Plotly draws for a mark.
 * @param {Mark} mark
 * @param {string} colour
 */
export function traceOf({ kind, x, y, rows, label, dashed, grey, source }, colour) {
  if (kind === "cells") return { type: "heatmap", z: rows, colorscale: grey ? GREYS : "Viridis", showscale: false, hovertemplate: "%{z}<extra></extra>" }
  if (kind === "picture") return { type: "image", source, hoverinfo: "skip" }
  if (kind === "bars") return { type: "bar", x, y, name: label, marker: { color: colour } }
  return { type: "scatter", mode: kind === "line" ? "lines" : "markers", x, y, name: label, line: { color: colour, width: 2, dash: dashed ? "dash" : "solid" }, marker: { color: colour, size: 6 } }
}
