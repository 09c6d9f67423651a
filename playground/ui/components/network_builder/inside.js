// One batch through an untrained network: for each layer a histogram of its activations, and the feature maps of one image.

import { element, svg } from "../shared/dom.js"
import { percent } from "../shared/format.js"
import { t } from "../shared/text.js"

/** @import { BatchOutputs, FeatureMaps, LayerStatistics, Plane } from "./documents.js" */

/** @typedef {{ error: string }} Failure what a request returns that failed */


export class Inside {
  /** @param {(request: { initialisation: string, seed: number }) => Promise<BatchOutputs | Failure>} ask sends a request about the network in the builder */
  constructor(ask) {
    this.ask = ask
    /** @type {object | null} the request whose answer is awaited */
    this.request = null
    /** @type {string | null} identifies what is shown; null for a network that does not fit */
    this.shown = null
    this.box = element("div", "inside")
    this.choice = element("select")
    this.choice.setAttribute("aria-label", t("Weight initialisation"))
    this.choice.onchange = () => this.load()
    const tools = element("div", "tools")
    const label = element("label")
    label.append(t("Weight initialisation"), " ", this.choice)
    tools.append(label)
    this.result = element("div", "rows")
    this.box.append(tools, this.result)
  }

  /** @param {[string, string][]} starts the weight initialisations, as pairs of name and title */
  offer(starts) {
    this.choice.replaceChildren(...starts.map(([name, title]) => new Option(title, name)))
  }

  /** @param {string | null} wanted identifies the network and the data set; null for a network that does not fit */
  show(wanted) {
    if (wanted === null) {
      this.request = null // a pending answer is about another network
      this.result.replaceChildren(element("p", "hint", t("A batch can be run as soon as every layer fits.")))
    } else if (wanted !== this.shown) this.load()
    this.shown = wanted
    return this.box
  }

  async load() {
    const request = (this.request = {})
    const answer = await this.ask({ initialisation: this.choice.value, seed: 0 })
    if (request !== this.request) return
    if ("error" in answer) return this.result.replaceChildren(element("p", "fault", answer.error))
    this.result.replaceChildren(element("p", "hint", answer.data), row(t("input"), answer.image), ...answer.layers.map((layer) => row(`${layer.index} ${layer.type}`, layer.maps, layer)))
  }
}

/**
 * @param {string} name
 * @param {FeatureMaps} maps
 * @param {LayerStatistics} [layer] none for the input
 */
function row(name, maps, layer) {
  const box = element("section", "row")
  const facts = element("div", "summary")
  facts.append(element("b", "", name), element("span", "fact", maps.shape.join("×")))
  box.append(facts)
  if (layer) {
    facts.append(element("span", "fact", statistics(layer)))
    box.append(histogram(layer))
  }
  const drawn = element("div", "maps")
  drawn.append(...maps.planes.map((plane) => paint(plane)))
  box.append(drawn)
  return box
}

/** @param {Pick<LayerStatistics, "mean" | "std" | "zeros">} layer */
export function statistics({ mean, std, zeros }) {
  if (mean === null || std === null) return t("only non-finite values")
  return t("mean {mean}, std {std}, {share} zeros", { mean: mean.toPrecision(2), std: std.toPrecision(2), share: percent(zeros, 0) })
}

/** @param {LayerStatistics} layer */
function histogram({ counts, low, high }) {
  const figure = element("figure", "histogram")
  const label = t("Histogram of the activations from {low} to {high}", { low: low.toPrecision(2), high: high.toPrecision(2) })
  const drawing = svg("svg", { viewBox: "0 0 164 44", role: "img", "aria-label": label })
  const most = Math.max(...counts, 1)
  counts.forEach((count, place) => {
    const height = count ? Math.max(1, 42 * Math.sqrt(count / most)) : 0 // by the root, so that a peak at 0 leaves the others visible
    drawing.append(svg("rect", { x: place * 4, y: 44 - height, width: 3.4, height }))
  })
  const scale = element("figcaption", "scale")
  scale.append(element("span", "", low.toPrecision(2)), element("span", "", high.toPrecision(2)))
  figure.append(drawing, scale)
  return figure
}

/** @param {Plane} plane */
function paint({ width, height, values }) {
  const canvas = document.createElement("canvas")
  canvas.width = width
  canvas.height = height
  const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"))
  const image = pen.createImageData(width, height)
  values.forEach((value, place) => image.data.set([value, value, value, 255], 4 * place))
  pen.putImageData(image, 0, 0)
  const scale = height === 1 ? 1.6 : Math.max(1, 56 / Math.max(width, height))
  canvas.style.width = `${width * scale}px`
  canvas.style.height = `${height === 1 ? 18 : height * scale}px`
  return canvas
}
