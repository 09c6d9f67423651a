// Charts of lines, drawn by Plotly: the name of a line stands at its end, marks stay inside, and everything grows with the page's text.

import { loadPlotly } from "./plot.js"

/** @import { Look } from "./plot.js" */

/**
 * A line of a chart. Its name stands at its end: there is no legend.
 * @typedef {object} Line
 * @property {string} name empty for none
 * @property {string} [title] what it is called where the pointer is, if it has no name at its end
 * @property {number[]} x
 * @property {(number | null)[]} y
 * @property {string} colour
 * @property {number} [nameAt] where its name stands on the horizontal axis, if not at its end
 * @property {string} [ink] the colour of its name, if it is not that of the line
 * @property {string} [dash] of Plotly, such as "dot"
 * @property {number} [width]
 * @property {string} [shape] of Plotly, "hv" for steps
 * @property {object} [marker] of Plotly; without one the points are not drawn
 * @property {{ low: number[], high: number[] }} [band] drawn faintly behind the line
 * @property {boolean} [dot] whether its last point is marked
 */

/**
 * A vertical line with a text.
 * @typedef {{ at: number, text: string, colour?: string, dash?: string }} Mark
 */

/**
 * @typedef {object} Chart
 * @property {Line[]} lines
 * @property {{ title: string, range: [number, number], zoomed?: boolean }} x
 * @property {{ share?: boolean, log?: boolean, ceiling?: number | null, text?: (height: number) => string }} [y] shares reach from 0 to 1; what is higher than the ceiling is not shown;
 *   `text` writes the value that is drawn at a height, where the axis has a scale of its own
 * @property {Mark[]} [marks]
 * @property {number} [room] pixels at the right, at the usual size, for the names of lines that end there
 * @property {number} [veil] what lies beyond is veiled: seen from an earlier moment, it has not happened yet
 * @property {(low?: number, high?: number) => void} [zoomed] called with the visible part of the horizontal axis, and without arguments when all is visible
 */

const LABEL = 17 // pixels of a line of text at the usual size, as those below
const READABLE = 12 // lines whose values are shown together where the pointer is
const LETTER = 7
const TITLE = 60 // the width that the title of the horizontal axis takes …
const ABOVE_TITLE = 29 // … and the height above the axis at which a name does not touch it
export const MARGIN = { l: 46, r: 10, t: 12, b: 24 }

/**
 * Draw lines into a box, which they fill: three ticks, a name at each line's end, marks that stay inside. Sizes follow the size of the page's text.
 * @param {HTMLElement} plot has a height of its own
 * @param {Chart} chart
 * @param {Look} look
 */
export async function drawLines(plot, chart, look) {
  const Plotly = await loadPlotly()
  const { clientWidth: width, clientHeight: height } = plot
  if (!width || !height) return // it is hidden, or the page was left
  const { lines, x, y = {}, marks = [], room = 0 } = chart
  const { zoom } = look
  const [low, high] = verticalRange(lines, x, y)
  const inner = { width: width - zoom * (MARGIN.l + MARGIN.r + room), height: height - zoom * (MARGIN.t + MARGIN.b) }
  const ends = endLabels(lines, x.range, [low, high], y.log ?? false, { width: inner.width / zoom, height: inner.height / zoom, beside: room })
  const ticks = y.log ? [...new Set([low, Math.round((low + high) / 2), high])].map((power) => 10 ** power) : [low, (low + high) / 2, high]
  const axis = { zeroline: false, fixedrange: true, ticks: "outside", tickcolor: "rgba(0,0,0,0)", ticklen: 4 * zoom, tickfont: { color: look.soft, size: look.size } }
  const text = { showarrow: false, font: { size: look.size } }
  await Plotly.react(plot, lines.flatMap((line) => tracesOf(line, y, zoom)), {
    width, height, margin: Object.fromEntries(Object.entries({ ...MARGIN, r: MARGIN.r + room }).map(([side, size]) => [side, zoom * size])), showlegend: false, hovermode: lines.length > READABLE ? "closest" : "x unified",
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", font: { family: look.font, size: look.size, color: look.text },
    hoverlabel: { bgcolor: look.back, font: { color: look.text, size: look.size } }, dragmode: chart.zoomed && !hasCoarsePointer() ? "zoom" : false,
    xaxis: { ...axis, range: x.range, showgrid: false, showline: true, linecolor: look.grid, nticks: 6, fixedrange: !chart.zoomed, hoverformat: ".3~g", spikecolor: look.soft, spikethickness: 1, spikedash: "dot" },
    yaxis: { ...axis, type: y.log ? "log" : "linear", range: [low, high], gridcolor: look.grid, tickvals: ticks, ticktext: ticks.map(y.text ?? (y.share ? share : tick)) },
    shapes: [
      ...marks.map(({ at, colour = look.soft, dash = "dash" }) => ({ type: "line", x0: at, x1: at, yref: "paper", y0: 0, y1: 1, line: { color: colour, width: 1.5 * zoom, dash } })),
      ...(chart.veil === undefined ? [] : [{ type: "rect", x0: chart.veil, x1: x.range[1], yref: "paper", y0: 0, y1: 1.1, line: { width: 0 }, fillcolor: look.page, opacity: 0.8, layer: "above" }]),
    ],
    annotations: [
      { ...text, text: x.title, xref: "paper", x: 1, xanchor: "right", yref: "paper", y: 0, yanchor: "bottom", font: { size: look.size, color: look.soft } },
      ...marks.filter(({ text: words }) => words).map((mark, index) => {
        const left = (inner.width / zoom) * (1 - (mark.at - x.range[0]) / (x.range[1] - x.range[0])) < LETTER * mark.text.length + 8
        return { ...text, name: "mark", text: mark.text, x: mark.at, xanchor: left ? "right" : "left", xshift: zoom * (left ? -4 : 4), yref: "paper", y: 1, yanchor: "top", yshift: -zoom * LABEL * (index % 4), bgcolor: look.page, opacity: 0.9 }
      }),
      ...ends.map(({ line, x: at, up, left }) => ({
        ...text, name: "end", text: `<b>${line.name}</b>`, font: { size: look.size, color: line.ink ?? line.colour }, x: at, xanchor: left ? "right" : "left", xshift: left ? 0 : 10 * zoom,
        yref: "paper", y: 0, yanchor: "middle", yshift: zoom * up,
      })),
    ],
  }, { displayModeBar: false, doubleClick: false, showTips: false })
  listen(/** @type {PlotElement} */ (plot), chart.zoomed)
}

/**
 * @param {PlotElement} plot
 * @param {Chart["zoomed"]} zoomed
 */
function listen(plot, zoomed) {
  if (!plot.removeAllListeners) return // the page was left meanwhile, and the plot with it
  for (const event of ["plotly_relayout", "plotly_doubleclick"]) plot.removeAllListeners(event)
  if (!zoomed) return
  plot.on("plotly_relayout", (change) => { if ("xaxis.range[0]" in change) zoomed(change["xaxis.range[0]"], change["xaxis.range[1]"]) })
  plot.on("plotly_doubleclick", () => zoomed())
}

/**
 * @param {Line} line
 * @param {NonNullable<Chart["y"]>} axis
 * @param {number} zoom
 */
function tracesOf({ name, title = name, x, y, colour, dash, width = 2.25, shape, marker, band, dot }, { share: isShare, text }, zoom) {
  const format = text ? "%{text}" : isShare ? "%{y:.1%}" : "%{y:.4~g}"
  const edge = { mode: "lines", line: { width: 0 }, hoverinfo: "skip" }
  const last = y.findLastIndex((value) => value !== null)
  return [
    ...(band ? [{ ...edge, x, y: band.low }, { ...edge, x, y: band.high, fill: "tonexty", fillcolor: colour.replace(/^rgb\((.*)\)$/, "rgba($1, 0.16)") }] : []),
    { x, y, name, mode: marker ? "lines+markers" : "lines", line: { color: colour, width: width * zoom, dash, shape }, cliponaxis: false, ...(marker && { marker }), ...(text && { text: y.map((height) => (height === null ? "" : text(height))) }), hovertemplate: `${format}<extra>${title}</extra>` },
    ...(dot && last >= 0 ? [{ x: [x[last]], y: [y[last]], mode: "markers", marker: { color: colour, size: 9 * zoom }, hoverinfo: "skip" }] : []),
  ]
}

/**
 * The range of the vertical axis; with `log`, whole powers of ten. What is zoomed into is shown as large as it can be.
 * @param {Pick<Line, "x" | "y">[]} lines
 * @param {Chart["x"]} x
 * @param {NonNullable<Chart["y"]>} y
 */
export function verticalRange(lines, { range: [from, to], zoomed }, { share: isShare, log, ceiling }) {
  const visible = lines.flatMap((line) => line.y.filter((value, at) => value !== null && Number.isFinite(value) && line.x[at] >= from && line.x[at] <= to && (!log || value > 0)))
  const values = /** @type {number[]} */ (visible)
  const [low, high] = values.length ? [Math.min(...values), Math.max(...values)] : [log ? 0.1 : 0, 1]
  if (log) return [Math.floor(Math.log10(low)), Math.max(Math.ceil(Math.log10(high)), Math.floor(Math.log10(low)) + 1)]
  if (!zoomed) return [0, isShare ? 1 : (ceiling ?? high * 1.02) || 1]
  const room = 0.05 * (high - low) || 0.05 * Math.abs(high) || 0.5
  return [Math.max(low - room, low >= 0 ? 0 : low - room), isShare ? Math.min(high + room, 1) : high + room]
}

/**
 * Where the names of lines stand: right of their ends, or where there is no room left of it and on the side where the line is not; one under another.
 * @param {Line[]} lines
 * @param {[number, number]} horizontal the range of the axis
 * @param {number[]} vertical
 * @param {boolean} log
 * @param {{ width: number, height: number, beside?: number }} room
 */
export function endLabels(lines, [from, to], [low, high], log, { width, height, beside: margin = 0 }) {
  const found = lines.flatMap((line) => {
    const last = line.x.findLastIndex((value, at) => value <= to && value >= from && line.y[at] !== null)
    if (last < 0 || !line.name) return []
    const value = Number(line.y[last])
    const up = (height * ((log ? Math.log10(value) : value) - low)) / (high - low)
    const x = line.nameAt ?? line.x[last]
    const left = width * ((to - x) / (to - from)) + margin < LETTER * line.name.length + 14
    return [{ line, x, up: Math.min(Math.max(up, 0), height), left }]
  })
  const pixels = (/** @type {number} */ distance) => (width * distance) / (to - from)
  for (const label of found) { // a name right of its end would lie on one that stands left of a later end
    const reach = (/** @type {string} */ other) => LETTER * (label.line.name.length + other.length) + 10
    label.left ||= found.some(({ left, x, line }) => left && x > label.x && pixels(x - label.x) < reach(line.name))
  }
  const beside = found.filter(({ left }) => !left)
  const furthest = Math.max(...beside.map(({ x }) => x))
  for (const label of beside) label.x = furthest // no name lies on another line
  const reach = Math.max(...beside.map(({ line }) => LETTER * line.name.length))
  const isAtTitle = width * ((to - furthest) / (to - from)) < TITLE + reach // that of the axis stands at the lower right
  const places = apart(beside.map(({ up }) => up), LABEL, isAtTitle ? ABOVE_TITLE : LABEL / 3, height)
  beside.forEach((label, place) => { label.up = places[place] })
  const inside = found.filter(({ left }) => left)
  const below = inside.length > 0 && inside.reduce((sum, { up }) => sum + up, 0) / inside.length > height / 2
  inside.sort((one, other) => (below ? other.up - one.up : one.up - other.up))
  const first = below ? Math.min(...inside.map(({ up }) => up)) - 0.8 * LABEL : Math.max(ABOVE_TITLE, ...inside.map(({ up }) => up + 0.8 * LABEL))
  inside.forEach((label, place) => { label.up = first + (below ? -1 : 1) * LABEL * place })
  return [...beside, ...inside]
}

/**
 * Positions at least `gap` apart between two bounds, each close to where it wants to be.
 * @param {number[]} positions
 * @param {number} gap
 * @param {number} low
 * @param {number} high
 */
export function apart(positions, gap, low = -Infinity, high = Infinity) {
  const order = positions.map((_, index) => index).sort((one, other) => positions[one] - positions[other])
  const moved = [...positions]
  const excess = order.slice(1).reduce((sum, index, place) => sum + Math.max(0, gap - (positions[index] - positions[order[place]])), 0)
  if (order.length) moved[order[0]] = Math.max(low, Math.min(moved[order[0]] - excess / 2, high - gap * (order.length - 1)))
  order.slice(1).forEach((index, place) => { moved[index] = Math.max(Math.min(moved[index], high - gap * (order.length - 2 - place)), moved[order[place]] + gap) })
  return moved
}

const hasCoarsePointer = () => matchMedia("(pointer: coarse)").matches // no text: a media query. With a finger, a drag scrolls the page.

/** @param {number} value */
const tick = (value) => (value === 0 ? "0" : Math.abs(value) >= 0.001 && Math.abs(value) < 10000 ? String(Number(value.toPrecision(2))) : value.toExponential(0).replace("e+", "e").replace("-", "−"))

/** @param {number} value */
const share = (value) => `${Number((100 * value).toPrecision(3))}\u202f%`
