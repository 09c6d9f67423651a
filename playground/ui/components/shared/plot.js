// Plotly, loaded once, and the style that all plots share.

import { tokens } from "./tokens.js"

/** @type {Promise<Plotly> | null} */
let loading = null

/** @returns {Promise<Plotly>} */
export function loadPlotly() {
  loading ??= new Promise((resolve, reject) => {
    if (window.Plotly) return resolve(window.Plotly)
    const script = document.createElement("script")
    script.src = new URL("../plotly/plotly.min.js", import.meta.url).href
    script.onload = () => resolve(/** @type {Plotly} */ (window.Plotly))
    script.onerror = () => { loading = null; reject(new Error("Plotly did not load")) }
    document.head.append(script)
  })
  return loading
}

// No plot offers to be uploaded.
export const CONFIG = { responsive: true, displaylogo: false, showSendToCloud: false, modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d", "toImage", "zoomIn2d", "zoomOut2d"] }

/** @typedef {ReturnType<typeof theme>} Look */

/**
 * The theme as the page has it now, with the colours of controls.css by their names.
 * @param {Element} root
 */
export function theme(root) {
  const style = getComputedStyle(root)
  /** @param {string} name */
  const of = (name) => style.getPropertyValue(`--st-${name}`).trim()
  const rem = parseFloat(getComputedStyle(document.documentElement).fontSize)
  return {
    size: parseFloat(style.getPropertyValue("--size-small")) * rem, // of texts, in pixels
    zoom: rem / 16, // of everything else
    ...tokens(root),
    text: of("text-color"), grid: of("border-color"), font: of("font"), back: of("secondary-background-color"), page: of("background-color"),
    colours: of("chart-categorical-colors").split(",").map((colour) => colour.trim()),
    scale: of("chart-sequential-colors").split(",").map((colour) => colour.trim()),
  }
}

/**
 * A layout to which a plot adds its own.
 * @param {Look} look
 * @param {number} height in pixels
 * @param {{ title?: string, [setting: string]: unknown }} x the horizontal axis
 * @param {{ [setting: string]: unknown }} y the vertical axis
 * @param {{ [setting: string]: unknown }} [more]
 */
export function layout(look, height, x, y, more = {}) {
  const axis = { gridcolor: look.grid, zerolinecolor: look.grid, linecolor: look.grid, automargin: false }
  return {
    height, margin: { l: 58 * look.zoom, r: 12, t: 30, b: 42 * look.zoom }, hovermode: "x unified", paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: look.font, size: look.size, color: look.text }, hoverlabel: { bgcolor: look.back, font: { color: look.text, size: look.size } },
    legend: { orientation: "h", x: 0, xanchor: "left", y: 1.02, yanchor: "bottom" },
    modebar: { bgcolor: "rgba(0,0,0,0)", color: `${look.text}80`, activecolor: look.text }, // half as strong as the text
    xaxis: { ...axis, ...x, title: { text: x.title } }, yaxis: { ...axis, ...y }, ...more,
  }
}

/**
 * The colour of one of `count` layers: along the scale, without its palest end.
 * @param {Look} look
 * @param {number} index
 * @param {number} count
 */
export function depth(look, index, count) {
  const last = Math.round((look.scale.length - 1) * 0.85)
  return look.scale[Math.round((count > 1 ? index / (count - 1) : 0) * last)]
}
