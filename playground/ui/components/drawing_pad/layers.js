// The activations of every layer for one drawing, the receptive field of each value, and the sum behind it.

import { bytesOf } from "../shared/bytes.js"
import { element } from "../shared/dom.js"
import { exact } from "../shared/format.js"
import { WrittenOut } from "./written.js"

const MAP = 64 // pixels on the screen that a feature map should have, about
const INPUT = 168 // … and the input
const CELL = 12 // … and a number of a vector
const ROW = 32 // numbers of a vector in a row
const FOLLOWS = new Set(["BatchNorm1d", "BatchNorm2d", "LayerNorm", "ReLU", "LeakyReLU", "GELU", "SiLU", "Sigmoid", "Tanh", "Dropout"])
const ALONE = new Set([...FOLLOWS, "MaxPool2d", "AvgPool2d", "AdaptiveAvgPool2d"].filter((type) => type !== "LayerNorm")) // whose output maps depend on one input map only

export class Layers {
  // `ask(path, query, withDrawing)` asks the server about the network, and about the drawing.
  constructor(ask) {
    this.ask = ask
    this.written = new WrittenOut()
    this.status = element("p", "status", "")
    this.status.setAttribute("role", "status")
    this.stack = element("div", "stack")
    this.side = element("aside", "side")
    this.box = element("section", "layers")
    this.box.append(element("p", "note", "Point at a value to see its receptive field in the previous layer and in the input. Click it to see the sum behind it."), this.stack, this.side)
    this.input = element("div")
    this.side.append(this.input, this.status, this.written.box)
  }

  // `model` names the network.
  async show(model) {
    if (this.model !== model) {
      const answer = await this.ask("network", { model })
      if (!answer) return
      this.model = model
      this.build(answer.layers)
    }
    const answer = await this.ask("layers", { model }, true)
    if (!answer) return this.clear()
    answer.outputs.forEach((output, index) => this.views[index].take(output))
    if (this.chosen) this.write(...this.chosen)
  }

  clear() {
    this.views?.forEach((view) => view.take(null))
    this.written.show(null)
  }

  build(layers) {
    this.layers = layers
    this.chosen = null
    this.written.show(null)
    this.views = [new Values("Input", "as the network receives it", INPUT), ...layers.map(({ index, type, settings }) => new Values(`${index} ${type}`, settings, MAP))]
    this.views.forEach((view, at) => {
      view.hover = (place) => this.point(at, place)
      view.click = (place) => at && this.write(at - 1, place)
    })
    this.input.replaceChildren(this.views[0].box)
    this.stack.replaceChildren(...this.views.slice(1).map(({ box }) => box))
  }

  // Frame a value's receptive field; `at` counts the input as 0.
  point(at, place) {
    this.views.forEach((view) => view.mark(null))
    if (!place) return
    const value = this.views[at].at(place)
    this.status.textContent = `${this.views[at].name}, ${where(place)}: ${exact(value, 3)}`
    this.views[at].mark([place.at(-2) ?? 0, (place.at(-2) ?? 0) + 1, place.at(-1), place.at(-1) + 1], place)
    if (!at) return
    const { receptive_field: field, window: before, type } = this.layers[at - 1]
    if (place.length !== 3) return
    if (field) this.views[0].mark([...field.rows[place[1]], ...field.columns[place[2]]])
    if (before && at > 1) this.views[at - 1].mark([...before.rows[place[1]], ...before.columns[place[2]]], ALONE.has(type) ? place : null)
  }

  async write(index, place) {
    this.chosen = [index, place]
    const answer = await this.ask("calculation", { model: this.model, layer: index, place: place.join(",") }, true)
    if (!answer || String(this.chosen) !== String([index, place])) return
    const beside = getComputedStyle(this.side).position === "sticky" // on a narrow screen it stands beneath the layer
    const host = beside ? this.side : this.views[index + 1].box
    host.append(this.written.box)
    this.written.show(answer.calculation, `${this.views[index + 1].name}, ${where(place)}`, this.after(index, place))
  }

  // The results of the following layers, as long as each depends on this value alone.
  after(index, place) {
    const following = []
    for (let at = index + 1; at < this.layers.length && FOLLOWS.has(this.layers[at].type); at++) following.push([this.layers[at].type, this.views[at + 1].at(place)])
    return following
  }
}

const where = (place) => (place.length === 3 ? `map ${place[0]}, row ${place[1]}, column ${place[2]}` : place.length === 2 ? `token ${place[0]}, feature ${place[1]}` : `number ${place[0]}`)

// The values of one layer on one canvas: its maps beside each other, or its numbers in rows.
class Values {
  constructor(name, settings, side) {
    Object.assign(this, { name, side })
    this.canvas = element("canvas")
    this.canvas.role = "img"
    this.frames = element("canvas", "frames")
    const field = element("div", "values")
    field.append(this.canvas, this.frames)
    this.facts = element("span", "fact")
    const title = element("header")
    title.append(element("b", "", name), this.facts)
    title.title = settings
    this.box = element("section", "layer")
    this.box.append(title, field)
    field.onpointermove = (event) => this.hover(this.placeOf(event))
    field.onpointerleave = () => this.hover(null)
    field.onclick = (event) => { const place = this.placeOf(event); if (place) this.click(place) }
  }

  take(output) {
    this.output = output
    if (!output) return this.canvas.getContext("2d").clearRect(0, 0, this.canvas.width, this.canvas.height)
    this.values = halves(output.values)
    const [rows, columns] = output.shape.length === 3 ? output.shape.slice(1) : output.shape.length === 2 ? output.shape : [Math.ceil(this.values.length / ROW), Math.min(ROW, this.values.length)]
    this.count = output.shape.length === 3 ? this.values.length / (rows * columns) : 1
    this.zoom = output.shape.length === 3 ? Math.max(1, Math.min(24, Math.round(this.side / Math.max(rows, columns)))) : output.shape.length === 2 ? 5 : CELL
    Object.assign(this, { rows, columns })
    this.facts.textContent = `${output.shape.join("×")} · ${exact(output.low, 2)} to ${exact(output.high, 2)}`
    this.across = Math.max(1, Math.min(this.count, Math.floor(Math.max(240, this.box.clientWidth - 4) / (columns * this.zoom + 3))))
    this.draw()
  }

  draw() {
    const { rows, columns, across, count } = this
    const [wide, high] = [columns * this.zoom + 3, rows * this.zoom + 3]
    const [width, height] = [across * wide - 3, Math.ceil(count / across) * high - 3]
    for (const canvas of [this.canvas, this.frames]) if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height })
    this.canvas.setAttribute("aria-label", `${this.name}: ${this.output.shape.join("×")} values`)
    const context = this.canvas.getContext("2d")
    const image = context.createImageData(columns, rows)
    const most = Math.max(Math.abs(this.output.low), Math.abs(this.output.high)) || 1
    this.plane ??= document.createElement("canvas")
    Object.assign(this.plane, { width: columns, height: rows })
    context.imageSmoothingEnabled = false
    context.clearRect(0, 0, width, height)
    for (let map = 0; map < count; map++) {
      for (let cell = 0; cell < rows * columns; cell++) {
        const value = this.values[map * rows * columns + cell]
        image.data.set(value === undefined ? [0, 0, 0, 0] : colour(value / most), 4 * cell)
      }
      this.plane.getContext("2d").putImageData(image, 0, 0)
      context.drawImage(this.plane, (map % across) * wide, Math.floor(map / across) * high, columns * this.zoom, rows * this.zoom)
    }
  }

  placeOf(event) {
    if (!this.output) return null
    const box = this.canvas.getBoundingClientRect()
    const [x, y] = [event.clientX - box.left, event.clientY - box.top]
    const [wide, high] = [this.columns * this.zoom + 3, this.rows * this.zoom + 3]
    const map = Math.floor(y / high) * this.across + Math.floor(x / wide)
    const [row, column] = [Math.floor((y % high) / this.zoom), Math.floor((x % wide) / this.zoom)]
    if (x < 0 || y < 0 || map >= this.count || row >= this.rows || column >= this.columns || x >= this.across * wide) return null
    if (this.output.shape.length === 3) return [map, row, column]
    if (this.output.shape.length === 2) return [row, column]
    const number = row * ROW + column
    return number < this.values.length ? [number] : null
  }

  at(place) {
    const [map, row, column] = place.length === 3 ? place : place.length === 2 ? [0, ...place] : [0, 0, place[0]]
    return this.values[(map * this.rows + row) * this.columns + column]
  }

  // A frame around rows and columns, on every map or on the one that `place` names.
  mark(box, place) {
    const context = this.frames.getContext("2d")
    context.clearRect(0, 0, this.frames.width, this.frames.height)
    if (!box || !this.output) return
    const [wide, high] = [this.columns * this.zoom + 3, this.rows * this.zoom + 3]
    let [top, bottom, left, right] = box
    if (place?.length === 1) [top, bottom, left, right] = [Math.floor(place[0] / ROW), Math.floor(place[0] / ROW) + 1, place[0] % ROW, (place[0] % ROW) + 1]
    context.strokeStyle = getComputedStyle(this.box).getPropertyValue("--st-primary-color")
    context.lineWidth = 2
    for (let map = 0; map < this.count; map++) {
      if (place?.length === 3 && map !== place[0]) continue
      context.strokeRect((map % this.across) * wide + left * this.zoom, Math.floor(map / this.across) * high + top * this.zoom, (right - left) * this.zoom, (bottom - top) * this.zoom)
    }
  }
}

// Numbers of 16 bits, the least byte first: https://en.wikipedia.org/wiki/Half-precision_floating-point_format
function halves(text) {
  const bytes = bytesOf(text)
  const view = new DataView(bytes.buffer)
  return Float32Array.from({ length: bytes.length / 2 }, (_, index) => {
    const bits = view.getUint16(2 * index, true)
    const [sign, exponent, fraction] = [bits >> 15 ? -1 : 1, (bits >> 10) & 31, bits & 1023]
    return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -14 * (fraction / 1024))
  })
}

// Blue below zero, orange above, white at it.
function colour(share) {
  const end = share < 0 ? [33, 102, 172] : [217, 95, 2]
  const strength = Math.min(1, Math.abs(share)) ** 0.7 // so that small values are seen, too
  return [...end.map((part) => Math.round(247 + (part - 247) * strength)), 255]
}
