// An autograd graph, laid out in layers by dagre and drawn as SVG: values flow down, gradients flow up.
// Which nodes are computed and which have their gradient is set from outside, step by step; nothing is asked of the server.

import { dagre } from "./dagre.js"
import { exact, largest, shade } from "./tile.js"

const WIDE = 172, HIGH = 74, CELL = 9
const SPACE = "http://www.w3.org/2000/svg"

const svg = (kind, attributes = {}, text) => {
  const made = document.createElementNS(SPACE, kind)
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value)
  if (text !== undefined) made.textContent = text
  return made
}

const cut = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text)

export class Graph {
  // `onPoint(id)` is told which node is pointed at, null for none; `onPin(id)` which was clicked.
  constructor(box, { onPoint, onPin }) {
    this.box = box
    this.onPoint = onPoint
    this.onPin = onPin
    this.view = { x: 0, y: 0, scale: 1 }
    box.onwheel = (event) => { event.preventDefault(); this.zoom(event.deltaY < 0 ? 1.12 : 1 / 1.12, event.offsetX, event.offsetY) }
    box.onpointerdown = (event) => { this.drag = { x: event.clientX, y: event.clientY, from: this.view, moved: false } }
    box.onpointermove = (event) => this.move(event)
    box.onpointerup = box.onpointerleave = () => { this.drag = null }
  }

  show({ nodes, edges }) {
    this.nodes = new Map(nodes.map((node) => [node.id, node]))
    this.edges = edges
    const layout = new dagre.graphlib.Graph({ multigraph: true })
    layout.setGraph({ rankdir: "TB", nodesep: 26, ranksep: 46, marginx: 16, marginy: 16 })
    layout.setDefaultEdgeLabel(() => ({}))
    for (const node of nodes) layout.setNode(node.id, { width: WIDE, height: HIGH })
    edges.forEach((edge, place) => layout.setEdge(edge.from, edge.to, {}, String(place)))
    dagre.layout(layout)
    const { width, height } = layout.graph()
    this.size = { width: Math.max(width, WIDE), height: Math.max(height, HIGH) }
    this.canvas = svg("svg", { width: "100%", height: "100%", role: "img", "aria-label": `Graph of ${nodes.length} nodes` })
    this.world = svg("g")
    this.drawnEdges = edges.map((edge, place) => this.edge(layout.edge(edge.from, edge.to, String(place)).points, edge))
    this.drawnNodes = new Map(nodes.map((node) => [node.id, this.node(node, layout.node(node.id))]))
    this.world.append(...this.drawnEdges, ...this.drawnNodes.values())
    this.canvas.append(this.world)
    this.box.replaceChildren(this.canvas)
    this.box.style.height = `${Math.max(280, Math.min(620, this.size.height + 16))}px`
    this.fit()
  }

  edge(points, edge) {
    const middle = points.slice(1, -1).map(({ x, y }) => `${x} ${y}`)
    const path = `M${points[0].x} ${points[0].y} ${middle.length > 1 ? `C${middle[0]} ${middle.at(-1)}` : `Q${middle[0]}`} ${points.at(-1).x} ${points.at(-1).y}`
    const line = svg("path", { d: path, class: edge.slot === null ? "edge constant" : "edge" })
    return line
  }

  node(node, { x, y }) {
    const group = svg("g", { class: `node ${node.kind}`, transform: `translate(${x - WIDE / 2} ${y - HIGH / 2})`, tabindex: 0, role: "button" })
    const name = node.name || (node.kind === "operation" ? node.source.split("\n")[0] : "constant")
    group.setAttribute("aria-label", `${name}, ${node.op || "constant"}`)
    group.append(svg("rect", { width: WIDE, height: HIGH, rx: 10 }), svg("text", { x: 12, y: 21, class: "name" }, cut(name, 17)))
    group.append(svg("text", { x: 12, y: 38, class: "op" }, cut(node.op || "constant", 21)))
    group.append(this.values(node.value, 12, 46, "value"), this.values(node.grad, 96, 46, "grad"))
    group.onpointerenter = group.onfocus = () => this.point(node.id)
    group.onpointerleave = group.onblur = () => this.point(null)
    group.onclick = () => { if (!this.drag?.moved) this.onPin(node.id) }
    group.onkeydown = (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); this.onPin(node.id) } }
    return group
  }

  // A number, or a small heat-map of the first rows and columns.
  values(tile, x, y, kind) {
    const group = svg("g", { class: kind, transform: `translate(${x} ${y})` })
    if (!tile) return group
    if (tile.values.length === 1) {
      group.append(svg("text", { y: 15, class: "number" }, cut(exact(tile.values[0]), 8)))
      return group
    }
    const columns = tile.shown.at(-1) ?? 1
    const most = largest([tile])
    tile.values.forEach((value, cell) => {
      const row = Math.floor(cell / columns), column = cell % columns
      if (row > 1 || column > 6) return
      const fill = shade(value, most)
      group.append(svg("rect", { x: column * (CELL + 1), y: row * (CELL + 1), width: CELL, height: CELL, class: "cell", style: fill.startsWith("rep") ? "fill: rgb(128 128 128 / .4)" : `fill: ${fill}` }))
    })
    return group
  }

  // How far the steps have come: `computed` and `graded` are sets of nodes, `current` the one at work.
  mark({ computed, graded, current }) {
    for (const [id, group] of this.drawnNodes) {
      const node = this.nodes.get(id)
      group.classList.toggle("waiting", node.kind === "operation" && !computed.has(id))
      group.classList.toggle("graded", graded.has(id))
      group.classList.toggle("current", id === current)
    }
    this.edges.forEach((edge, place) => {
      this.drawnEdges[place].classList.toggle("back", graded.has(edge.to) && edge.slot !== null)
      this.drawnEdges[place].classList.toggle("current", edge.to === current)
    })
  }

  // Light everything between a node and the leaves that it was made from.
  point(id) {
    const lit = new Set(id ? [id] : [])
    const queue = [...lit]
    while (queue.length) {
      const now = queue.pop()
      for (const { from, to } of this.edges) if (to === now && !lit.has(from)) { lit.add(from); queue.push(from) }
    }
    for (const [other, group] of this.drawnNodes) group.classList.toggle("dim", id !== null && !lit.has(other))
    this.edges.forEach(({ to }, place) => this.drawnEdges[place].classList.toggle("dim", id !== null && !lit.has(to)))
    this.onPoint(id)
  }

  // The whole graph where it can be read so; else the end of it, where the loss is.
  fit() {
    const { clientWidth, clientHeight } = this.box
    const scale = Math.max(0.6, Math.min(1, (clientWidth - 8) / this.size.width, (clientHeight - 8) / this.size.height))
    this.view = { scale, x: (clientWidth - this.size.width * scale) / 2, y: Math.min((clientHeight - this.size.height * scale) / 2, clientHeight - this.size.height * scale) }
    if (this.size.height * scale <= clientHeight) this.view.y = (clientHeight - this.size.height * scale) / 2
    this.place()
  }

  zoom(factor, x = this.box.clientWidth / 2, y = this.box.clientHeight / 2) {
    const scale = Math.min(2.5, Math.max(0.15, this.view.scale * factor))
    const real = scale / this.view.scale
    this.view = { scale, x: x - (x - this.view.x) * real, y: y - (y - this.view.y) * real }
    this.place()
  }

  move(event) {
    if (!this.drag) return
    const dx = event.clientX - this.drag.x, dy = event.clientY - this.drag.y
    this.drag.moved ||= Math.hypot(dx, dy) > 4
    this.view = { ...this.drag.from, x: this.drag.from.x + dx, y: this.drag.from.y + dy }
    this.place()
  }

  place() {
    this.world.setAttribute("transform", `translate(${this.view.x} ${this.view.y}) scale(${this.view.scale})`)
  }
}

