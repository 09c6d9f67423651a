// An autograd graph, laid out in layers by dagre and drawn as SVG: values flow down, gradients flow up.
// Nodes may be in groups, folded until one is clicked. Which nodes are computed and which have a gradient is set from
// outside, step by step; nothing is requested from the server.

import { svg } from "./dom.js"
import { exact, shapeText, shortened } from "./format.js"
import { plural, t } from "./text.js"
import { largest, shade } from "./tile.js"
import { dagre } from "./vendor/dagre.js"

const WIDE = 172, HIGH = 74, CELL = 9
const PASSED = 10 // layers that a line may pass in the layout

/**
 * @import { Value } from "./format.js"
 * @import { Tile } from "./tile.js"
 */

/** @typedef {number | string | null} Norm the L2 norm of a gradient; null where none arrived, a text where it is not finite */
/** @typedef {{ x: number, y: number }} Point */

/**
 * What is drawn of a node.
 * @typedef {object} GraphNode
 * @property {string} id
 * @property {string} op the operation
 * @property {string} name may be empty
 * @property {string} kind operation, leaf, constant…
 * @property {string} [source] its expression in the script
 * @property {string | null} group the innermost group that holds it
 * @property {number[] | null} shape
 * @property {Tile | null} [value]
 * @property {Tile | null} [grad]
 * @property {Norm} [norm]
 */

/** @typedef {{ from: string, to: string, slot: number | null }} GraphEdge through `slot` a gradient flows back; none where it is null */

/**
 * What is drawn of nodes that belong together, such as those of a module.
 * @typedef {object} GraphGroup
 * @property {string} id
 * @property {string} title
 * @property {string} [name]
 * @property {string | null} parent the group around it
 * @property {number[] | null} [shape] of its result
 * @property {Norm} [norm]
 */

/** @typedef {GraphGroup & { members: string[] }} Members a group with the nodes in it */
/** @typedef {{ from: string, to: string, edges: number[], far: boolean, drawn: SVGElement }} Line what stands for one edge or more */
/** @typedef {{ computed: Set<string>, graded: Set<string>, current?: string, strange?: Set<string> }} Marks */

/**
 * The value of a key that a map must have.
 * @template Key, Found
 * @param {Map<Key, Found>} map
 * @param {Key} key
 */
const of = (map, key) => /** @type {Found} */ (map.get(key))

export class Graph {
  /**
   * @param {HTMLElement} box
   * @param {{ onPoint?: (id: string | null) => void, onPin?: (id: string) => void }} [options] `onPoint` gets the node under the pointer, null
   *   for none; `onPin` the one that was clicked
   */
  constructor(box, { onPoint = () => {}, onPin = () => {} } = {}) {
    this.box = box
    this.onPoint = onPoint
    this.onPin = onPin
    /** @type {(() => void) | undefined} called when a group was folded or unfolded */
    this.onFold = undefined
    this.view = { x: 0, y: 0, scale: 1 }
    this.size = { width: WIDE, height: HIGH }
    /** @type {{ x: number, y: number, from: { x: number, y: number, scale: number }, moved: boolean } | null} */
    this.drag = null
    this.held = false // whether the pointer was dragged, so that its click means nothing
    this.form = ""
    /** @type {Map<string, GraphNode>} */
    this.nodes = new Map()
    /** @type {GraphEdge[]} */
    this.edges = []
    /** @type {Map<string, Members>} */
    this.groups = new Map()
    /** @type {Set<string>} the groups that are unfolded */
    this.open = new Set()
    /** @type {Map<string, string>} what stands in the picture for a node */
    this.place = new Map()
    /** @type {Map<string, Line>} */
    this.lines = new Map()
    /** @type {Map<string, SVGElement>} */
    this.drawn = new Map()
    /** @type {Marks | undefined} */
    this.marked = undefined
    this.layout = new dagre.graphlib.Graph({ compound: true })
    this.world = svg("g")
    box.onwheel = (event) => { event.preventDefault(); this.zoom(event.deltaY < 0 ? 1.12 : 1 / 1.12, event.offsetX, event.offsetY) }
    box.onpointerdown = (event) => { this.drag = { x: event.clientX, y: event.clientY, from: this.view, moved: false } }
    box.onpointermove = (event) => this.move(event)
    box.onpointerup = box.onpointerleave = () => { this.held = this.drag?.moved ?? false; this.drag = null }
  }

  /**
   * Show a graph; one of the same nodes and edges as before keeps its layout, its place and what was unfolded.
   * @param {{ nodes: GraphNode[], edges: GraphEdge[], groups?: GraphGroup[] }} graph
   */
  show({ nodes, edges, groups = [] }) {
    const form = JSON.stringify([nodes.map(({ id, op, name, group }) => [id, op, name, group]), edges.map(({ from, to }) => [from, to])])
    const same = form === this.form
    this.form = form
    this.nodes = new Map(nodes.map((node) => [node.id, node]))
    this.groups = new Map(groups.map((group) => [group.id, { ...group, members: /** @type {string[]} */ ([]) }]))
    for (const node of nodes) for (const group of this.around(node.group)) group.members.push(node.id)
    this.edges = edges
    if (!same) this.open = new Set()
    if (!same) this.arrange()
    this.draw()
    if (!same) this.fit()
  }

  /**
   * The groups that hold a group, and itself, from the outermost.
   * @param {string | null | undefined} id
   */
  around(id) {
    const groups = []
    for (let group = id ? this.groups.get(id) : undefined; group; group = group.parent ? this.groups.get(group.parent) : undefined) groups.unshift(group)
    return groups
  }

  /**
   * What stands in the picture for a node: itself, or the outermost group around it that is folded.
   * @param {string} id
   */
  shown(id) {
    const folded = this.around(of(this.nodes, id).group).find((group) => !this.open.has(group.id))
    return folded ? folded.id : id
  }

  arrange() {
    const place = new Map([...this.nodes.keys()].map((id) => [id, this.shown(id)]))
    this.place = place
    const layout = new dagre.graphlib.Graph({ compound: true })
    layout.setGraph({ rankdir: "TB", nodesep: 26, ranksep: 46, marginx: 16, marginy: 16 })
    layout.setDefaultEdgeLabel(() => ({}))
    for (const id of new Set(place.values())) layout.setNode(id, { width: WIDE, height: HIGH })
    for (const id of this.open) if (of(this.groups, id).members.some((member) => place.get(member) === member || this.groups.has(of(place, member)))) layout.setNode(id, {})
    for (const id of layout.nodes()) {
      const outer = this.groups.get(id)?.parent ?? this.nodes.get(id)?.group
      if (outer && this.open.has(outer)) layout.setParent(id, outer)
    }
    this.lines = new Map()
    this.edges.forEach((edge, index) => {
      const from = of(place, edge.from), to = of(place, edge.to)
      if (from === to) return
      const key = `${from} ${to}`
      if (!this.lines.has(key)) this.lines.set(key, { from, to, edges: [], far: false, drawn: svg("path") })
      of(this.lines, key).edges.push(index)
    })
    for (const line of far([...this.lines.values()])) line.far = true
    for (const { from, to, far: left } of this.lines.values()) if (!left) layout.setEdge(from, to)
    dagre.layout(layout)
    this.layout = layout
    const { width = 0, height = 0 } = layout.graph()
    this.size = { width: Math.max(width, WIDE), height: Math.max(height, HIGH) }
  }

  draw() {
    const layout = this.layout
    const canvas = svg("svg", { width: "100%", height: "100%", role: "img", "aria-label": plural("Graph of {n} node", "Graph of {n} nodes", this.nodes.size) })
    this.world = svg("g")
    const frames = layout.nodes().filter((id) => this.open.has(id)).map((id) => this.frame(of(this.groups, id), layout.node(id)))
    for (const line of this.lines.values()) line.drawn = line.far ? this.bow(line) : this.line(layout.edge(line.from, line.to).points, line)
    this.drawn = new Map(layout.nodes().filter((id) => !this.open.has(id)).map((id) => [id, this.groups.has(id) ? this.group(of(this.groups, id), layout.node(id)) : this.node(of(this.nodes, id), layout.node(id))]))
    this.world.append(...frames, ...[...this.lines.values()].map(({ drawn }) => drawn), ...this.drawn.values())
    canvas.append(this.world)
    this.box.replaceChildren(canvas, this.tools())
    this.box.style.height = `${Math.max(280, Math.min(620, this.size.height + 16))}px`
    this.settle()
    if (this.marked) this.mark(this.marked)
  }

  // Zoom buttons, for those without a wheel.
  tools() {
    const bar = document.createElement("div")
    bar.className = "zooming"
    /** @type {[string, string, () => void][]} */
    const buttons = [["−", t("Zoom out"), () => this.zoom(1 / 1.25)], ["+", t("Zoom in"), () => this.zoom(1.25)], ["⤢", t("Show the whole graph"), () => this.fit(0.05)]]
    for (const [sign, label, act] of buttons) {
      const button = document.createElement("button")
      button.type = "button"
      button.textContent = sign
      button.title = label
      button.setAttribute("aria-label", label)
      button.onclick = act
      bar.append(button)
    }
    return bar
  }

  /**
   * @param {Point[]} points
   * @param {Line} line
   */
  line(points, { edges }) {
    const end = points[points.length - 1]
    const middle = points.slice(1, -1).map(({ x, y }) => `${x} ${y}`)
    const path = `M${points[0].x} ${points[0].y} ${middle.length > 1 ? `C${middle[0]} ${middle.at(-1)}` : `Q${middle[0]}`} ${end.x} ${end.y}`
    return svg("path", { d: path, class: edges.every((index) => this.edges[index].slot === null) ? "edge constant" : "edge" })
  }

  /**
   * A line that passes many layers: one bow beside them.
   * @param {Line} line
   */
  bow({ from, to, edges }) {
    const [start, end] = [from, to].map((id) => this.layout.node(id))
    const side = start.x <= end.x ? -1 : 1
    const x = end.x + side * WIDE / 2
    const path = `M${start.x} ${start.y + HIGH / 2}C${start.x} ${start.y + HIGH} ${x + side * 70} ${end.y - HIGH} ${x} ${end.y}`
    return svg("path", { d: path, class: edges.every((index) => this.edges[index].slot === null) ? "edge constant" : "edge" })
  }

  /**
   * @param {string} kind
   * @param {string} label
   * @param {Point} at
   */
  card(kind, label, { x, y }) {
    return svg("g", { class: `node ${kind}`, transform: `translate(${x - WIDE / 2} ${y - HIGH / 2})`, tabindex: 0, role: "button", "aria-label": label })
  }

  /**
   * @param {GraphNode} node
   * @param {Point} at
   */
  node(node, at) {
    const name = node.name || node.source?.split("\n")[0] || (node.kind === "constant" ? t("constant") : "")
    const group = this.card(node.kind, `${name || node.op}, ${node.op || t("constant")}`, at)
    group.append(svg("rect", { width: WIDE, height: HIGH, rx: 10 }), svg("text", { x: 12, y: 21, class: "name" }, shortened(name || node.op, 17)))
    group.append(svg("text", { x: 12, y: 38, class: "op" }, shortened(name ? node.op || t("constant") : shapeOf(node), 21)))
    group.append(this.values(node.value, 12, 46, "value"), this.values(node.grad, 96, 46, "grad"))
    if (node.norm !== undefined && node.norm !== null) group.append(norm(node.norm))
    this.reacts(group, node.id, () => this.onPin(node.id))
    return group
  }

  /**
   * A folded group; a click unfolds it.
   * @param {Members} group
   * @param {Point} at
   */
  group(group, at) {
    const name = group.name ? `${group.name} ${group.title}` : group.title
    const count = group.members.length
    const drawn = this.card("group", plural("{name}, {n} operation, folded", "{name}, {n} operations, folded", count, { name }), at)
    const nodes = plural("{n} node", "{n} nodes", count)
    drawn.append(svg("rect", { x: 5, y: 5, width: WIDE, height: HIGH, rx: 10, class: "shadow" }), svg("rect", { width: WIDE, height: HIGH, rx: 10 }))
    drawn.append(svg("text", { x: 12, y: 21, class: "name" }, shortened(`▸ ${name}`, 18)))
    drawn.append(svg("text", { x: 12, y: 38, class: "op" }, shortened(group.shape ? `${shapeOf(group)} · ${nodes}` : nodes, 22)))
    if (group.norm !== undefined && group.norm !== null) drawn.append(norm(group.norm))
    this.reacts(drawn, group.id, () => this.unfold(group.id))
    return drawn
  }

  /**
   * The frame around an unfolded group; a click on its title folds it.
   * @param {Members} group
   * @param {Point & { width: number, height: number }} at
   */
  frame(group, { x, y, width, height }) {
    const drawn = svg("g", { class: "frame", transform: `translate(${x - width / 2} ${y - height / 2})`, tabindex: 0, role: "button", "aria-label": t("{title}, unfolded", { title: group.title }) })
    drawn.append(svg("rect", { width, height, rx: 12 }), svg("text", { x: 12, y: 18, class: "op" }, `▾ ${shortened(group.title, Math.floor(width / 9))}`))
    const fold = () => this.unfold(group.id)
    drawn.onclick = () => { if (!this.held) fold() }
    drawn.onkeydown = (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); fold() } }
    return drawn
  }

  /**
   * @param {SVGElement} drawn
   * @param {string} id
   * @param {() => void} act
   */
  reacts(drawn, id, act) {
    drawn.onpointerenter = () => this.point(id)
    drawn.onfocus = () => { this.reveal(id); this.point(id) }
    drawn.onpointerleave = drawn.onblur = () => this.point(null)
    drawn.onclick = () => { if (!this.held) act() }
    drawn.onkeydown = (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); act() } }
  }

  /**
   * Unfold a group, or fold it again; what was clicked stays where it is.
   * @param {string} id
   */
  unfold(id) {
    const before = this.layout.node(id)
    if (!this.open.delete(id)) this.open.add(id)
    this.arrange()
    const after = this.layout.node(id)
    if (before && after) {
      const top = (/** @type {{ y: number, height: number }} */ at) => at.y - at.height / 2
      this.view = { ...this.view, x: this.view.x + (before.x - after.x) * this.view.scale, y: this.view.y + (top(before) - top(after)) * this.view.scale }
    }
    this.draw()
    this.point(null)
    this.onFold?.()
  }

  /** @param {boolean} open */
  unfoldAll(open) {
    this.open = new Set(open ? this.groups.keys() : [])
    this.arrange()
    this.draw()
    this.fit()
    this.onFold?.()
  }

  /**
   * A number, or a small heat-map of the first rows and columns.
   * @param {Tile | null | undefined} tile
   * @param {number} x
   * @param {number} y
   * @param {string} kind
   */
  values(tile, x, y, kind) {
    const group = svg("g", { class: kind, transform: `translate(${x} ${y})` })
    if (!tile) return group
    if (tile.values.length === 1) {
      group.append(svg("text", { y: 15, class: "number" }, shortened(exact(tile.values[0]), 8)))
      return group
    }
    const columns = tile.shown.at(-1) ?? 1
    const most = largest([tile])
    tile.values.forEach((value, cell) => {
      const row = Math.floor(cell / columns), column = cell % columns
      if (row > 1 || column > 6) return
      const fill = shade(value, most)
      group.append(svg("rect", { x: column * (CELL + 1), y: row * (CELL + 1), width: CELL, height: CELL, class: "cell", style: fill.startsWith("rep") ? "fill: rgb(128 128 128 / .4)" : `fill: ${fill}` })) // no text: a style
    })
    return group
  }

  /**
   * How far the steps have come: `computed` and `graded` are sets of nodes, `current` the one at work, `strange` those where NaN or infinity was born.
   * @param {Marks} marks
   */
  mark({ computed, graded, current, strange = new Set() }) {
    this.marked = { computed, graded, current, strange }
    const at = (/** @type {Set<string>} */ ids) => new Set([...ids].map((id) => of(this.place, id)))
    const [done, back, odd] = [computed, graded, strange].map(at)
    const now = current === undefined ? undefined : this.place.get(current)
    for (const [id, group] of this.drawn) {
      group.classList.toggle("waiting", (this.groups.has(id) || of(this.nodes, id).kind === "operation") && !done.has(id))
      group.classList.toggle("graded", back.has(id))
      group.classList.toggle("current", id === now)
      group.classList.toggle("strange", odd.has(id))
    }
    for (const { to, edges, drawn } of this.lines.values()) {
      drawn.classList.toggle("back", edges.some((index) => graded.has(this.edges[index].to) && this.edges[index].slot !== null))
      drawn.classList.toggle("current", to === now)
    }
  }

  /**
   * Light everything between a node and the leaves that it was made from.
   * @param {string | null} id
   */
  point(id) {
    const lit = new Set(id ? [id] : [])
    const queue = [...lit]
    for (let now = queue.pop(); now !== undefined; now = queue.pop()) {
      for (const { from, to } of this.lines.values()) if (to === now && !lit.has(from)) { lit.add(from); queue.push(from) }
    }
    for (const [other, group] of this.drawn) group.classList.toggle("dim", id !== null && !lit.has(other))
    for (const { to, drawn } of this.lines.values()) drawn.classList.toggle("dim", id !== null && !lit.has(to))
    this.onPoint(id)
  }

  // The whole graph where it can be read so; else the end of it, where the loss is.
  fit(smallest = 0.6) {
    const { clientWidth, clientHeight } = this.box
    const scale = Math.max(smallest, Math.min(1, (clientWidth - 8) / this.size.width, (clientHeight - 8) / this.size.height))
    this.view = { scale, x: (clientWidth - this.size.width * scale) / 2, y: Math.min((clientHeight - this.size.height * scale) / 2, clientHeight - this.size.height * scale) }
    if (this.size.height * scale <= clientHeight) this.view.y = (clientHeight - this.size.height * scale) / 2
    this.settle()
  }

  /**
   * Bring a node that the keyboard has come to into the picture.
   * @param {string} id
   */
  reveal(id) {
    const { clientWidth, clientHeight } = this.box
    const { scale } = this.view
    const at = this.layout.node(id)
    const x = at.x * scale + this.view.x, y = at.y * scale + this.view.y
    if (x > 0 && x < clientWidth && y > 0 && y < clientHeight) return
    this.view = { scale, x: clientWidth / 2 - at.x * scale, y: clientHeight / 2 - at.y * scale }
    this.settle()
  }

  /**
   * @param {number} factor
   * @param {number} [x] what stays where it is, in pixels
   * @param {number} [y]
   */
  zoom(factor, x = this.box.clientWidth / 2, y = this.box.clientHeight / 2) {
    const scale = Math.min(2.5, Math.max(0.05, this.view.scale * factor))
    const real = scale / this.view.scale
    this.view = { scale, x: x - (x - this.view.x) * real, y: y - (y - this.view.y) * real }
    this.settle()
  }

  /** @param {PointerEvent} event */
  move(event) {
    if (!this.drag) return
    const dx = event.clientX - this.drag.x, dy = event.clientY - this.drag.y
    this.drag.moved ||= Math.hypot(dx, dy) > 4
    this.view = { ...this.drag.from, x: this.drag.from.x + dx, y: this.drag.from.y + dy }
    this.settle()
  }

  settle() {
    this.world.setAttribute("transform", `translate(${this.view.x} ${this.view.y}) scale(${this.view.scale})`)
  }
}

/**
 * The lines that pass so many layers that the layout would take minutes for them, and nobody could follow them: it does
 * without them. Those that alone hold a node to the rest stay.
 * @template {{ from: string, to: string }} Way
 * @param {Way[]} lines
 */
export function far(lines) {
  const layers = layersOf(lines)
  /** @type {Map<string, number>} */
  const left = new Map()
  for (const { from, to } of lines) for (const id of [from, to]) left.set(id, (left.get(id) ?? 0) + 1)
  return lines.filter(({ from, to }) => {
    if (of(layers, to) - of(layers, from) <= PASSED || of(left, from) < 2 || of(left, to) < 2) return false
    for (const id of [from, to]) left.set(id, of(left, id) - 1)
    return true
  })
}

/**
 * The layer of each node: one below the lowest that leads to it; one that nothing leads to stands right above its first use.
 * @param {{ from: string, to: string }[]} lines
 */
export function layersOf(lines) {
  /** @type {Map<string, number>} */
  const waiting = new Map()
  /** @type {Map<string, string[]>} */
  const after = new Map()
  for (const { from, to } of lines) {
    waiting.set(from, waiting.get(from) ?? 0)
    waiting.set(to, (waiting.get(to) ?? 0) + 1)
    after.set(from, [...(after.get(from) ?? []), to])
  }
  const sources = [...waiting.keys()].filter((id) => waiting.get(id) === 0)
  const layers = new Map(sources.map((id) => [id, 0]))
  const ready = [...sources]
  for (let id = ready.pop(); id !== undefined; id = ready.pop()) {
    for (const to of after.get(id) ?? []) {
      layers.set(to, Math.max(layers.get(to) ?? 0, of(layers, id) + 1))
      waiting.set(to, of(waiting, to) - 1)
      if (waiting.get(to) === 0) ready.push(to)
    }
  }
  for (const id of sources) layers.set(id, Math.min(...of(after, id).map((to) => of(layers, to))) - 1)
  return layers
}

/** @param {{ shape?: number[] | null }} part */
const shapeOf = ({ shape }) => (shape ? shapeText(shape) : "")

/**
 * The gradient's size: its L2 norm, and a bar on a logarithmic scale from 10⁻⁸ to 10⁴.
 * @param {number | string} value
 */
function norm(value) {
  const drawn = svg("g", { class: "norm", transform: "translate(12 46)" })
  const share = typeof value === "number" && value > 0 ? Math.min(1, Math.max(0.02, (Math.log10(value) + 8) / 12)) : 0
  drawn.append(svg("rect", { y: 14, width: WIDE - 24, height: 5, rx: 2.5, class: "rail" }), svg("rect", { y: 14, width: (WIDE - 24) * share, height: 5, rx: 2.5, class: "share" }))
  drawn.append(svg("text", { y: 9, class: "number" }, t("‖gradient‖ {norm}", { norm: typeof value === "number" ? exact(Number(value.toPrecision(3))) : value })))
  return drawn
}
