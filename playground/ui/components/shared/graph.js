// An autograd graph, laid out in layers by dagre: values flow from left to right, gradients flow back. A graph of many layers stands upright.
// Boxes are HTML, so that their numbers can be fields; lines are SVG beneath them. Nodes may be in groups, folded until one is clicked.
// Which nodes are computed and which have a gradient is set from outside, step by step; nothing is requested from the server.

import { button, element, svg } from "./dom.js"
import { far, of, ranksOf } from "./graph_layers.js"
import { GroupBox, NodeBox } from "./graph_nodes.js"
import { shortened } from "./format.js"
import { plural, t } from "./text.js"
import { dagre } from "./vendor/dagre.js"

const MOST_RANKS = 9 // layers of the longest graph that goes from left to right although it has to be moved to be seen
const NARROW = 560 // pixels of a box in which only what fits goes from left to right
const TEXT = 0.875 // the size of a graph's text in rem; it is shown at once only where it then is not smaller than the smallest texts
const LARGEST = 1.5 // the scale of a small graph
const MARGIN = 12 // pixels around the graph

/**
 * @import { Field } from "./graph_nodes.js"
 * @import { Tile } from "./tile.js"
 */

/** @typedef {number | string | null} Norm the L2 norm of a gradient; null where none arrived, a text where it is not finite */
/** @typedef {{ x: number, y: number }} Point */
/** @typedef {Point & { width: number, height: number }} Place the middle and the size of a box */

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

export class Graph {
  /**
   * @param {HTMLElement} box of a fixed height
   * @param {{ onPoint?: (id: string | null) => void, field?: Field }} [options] `onPoint` gets the node under the pointer; null for none
   */
  constructor(box, { onPoint = () => {}, field = () => null } = {}) {
    this.box = box
    this.onPoint = onPoint
    this.field = field
    /** @type {(() => void) | undefined} called when a group was folded or unfolded */
    this.onFold = undefined
    this.view = { x: 0, y: 0, scale: 1 }
    this.size = { width: 1, height: 1 }
    this.upright = false // whether values flow down, not to the right
    /** @type {{ x: number, y: number, from: { x: number, y: number, scale: number }, moved: boolean } | null} */
    this.drag = null
    this.held = false // whether the pointer was dragged, so that its click means nothing
    this.form = ""
    this.width = this.rem = 0 // of the box, and of the page's text, when the graph was arranged
    this.readable = 1 // the smallest scale at which its text can be read
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
    /** @type {Map<string, NodeBox | GroupBox>} */
    this.boxes = new Map()
    /** @type {Marks | undefined} */
    this.marked = undefined
    /** @type {string | null} the node that was clicked: it is described while the pointer is on none */
    this.pinned = null
    this.layout = new dagre.graphlib.Graph({ compound: true })
    this.world = element("div", "world")
    this.frames = element("div", "frames")
    this.wires = svg("svg", { class: "wires", "aria-hidden": "true" })
    this.cards = element("div", "cards")
    this.world.append(this.frames, this.wires, this.cards)
    this.bar = this.tools()
    box.replaceChildren(this.world, this.bar)
    box.addEventListener("wheel", (event) => this.wheel(event), { passive: false })
    box.onpointerdown = (event) => this.press(event)
    box.onpointermove = (event) => this.move(event)
    box.onpointerup = box.onpointerleave = () => { this.held = this.drag?.moved ?? false; this.drag = null }
    this.resized = new ResizeObserver(() => this.resize())
    this.resized.observe(box)
  }

  /**
   * Show a graph; one of the same nodes and edges as before keeps its layout, its place and what was unfolded.
   * @param {{ nodes: GraphNode[], edges: GraphEdge[], groups?: GraphGroup[] }} graph
   * @returns whether it is another graph than before
   */
  show({ nodes, edges, groups = [] }) {
    const form = JSON.stringify([nodes.map(({ id, op, name, group, value }) => [id, op, name, group, value?.shape]), edges.map(({ from, to }) => [from, to])])
    const same = form === this.form
    this.form = form
    this.nodes = new Map(nodes.map((node) => [node.id, node]))
    this.groups = new Map(groups.map((group) => [group.id, { ...group, members: /** @type {string[]} */ ([]) }]))
    for (const node of nodes) for (const group of this.around(node.group)) group.members.push(node.id)
    this.edges = edges
    if (same) {
      for (const [id, drawn] of this.boxes) if (drawn instanceof NodeBox) drawn.fill(of(this.nodes, id))
    } else {
      this.open = new Set()
      this.pinned = null
      this.arrange()
      this.fit()
    }
    return !same
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

  // Make the boxes that are to be seen, lay them out, and draw the lines between them.
  arrange() {
    this.place = new Map([...this.nodes.keys()].map((id) => [id, this.shown(id)]))
    this.lines = this.bundled()
    for (const line of far([...this.lines.values()])) line.far = true
    this.boxes = new Map([...new Set(this.place.values())].map((id) => [id, this.made(id)]))
    this.cards.replaceChildren(...[...this.boxes.values()].map(({ box }) => box))
    const sizes = new Map([...this.boxes].map(([id, { box }]) => [id, { width: box.offsetWidth, height: box.offsetHeight }]))
    this.width = this.box.clientWidth
    this.rem = rem()
    this.readable = Math.min(1, parseFloat(getComputedStyle(this.box).getPropertyValue("--size-small")) / TEXT)
    const ranks = ranksOf([...this.lines.values()].filter((line) => !line.far))
    if (ranks <= MOST_RANKS) this.lay(sizes, false)
    const fits = this.size.width * this.readable <= this.width
    if (ranks > MOST_RANKS || (!fits && this.width < NARROW)) this.lay(sizes, true)
    this.draw()
  }

  /** One line for all edges between the same two boxes. */
  bundled() {
    /** @type {Map<string, Line>} */
    const lines = new Map()
    this.edges.forEach((edge, index) => {
      const from = of(this.place, edge.from), to = of(this.place, edge.to)
      if (from === to) return
      const key = `${from} ${to}`
      if (!lines.has(key)) lines.set(key, { from, to, edges: [], far: false, drawn: svg("path") })
      of(lines, key).edges.push(index)
    })
    return lines
  }

  /** @param {string} id */
  made(id) {
    const group = this.groups.get(id)
    const made = group ? new GroupBox(group) : new NodeBox(of(this.nodes, id), this.field)
    made.box.onpointerenter = () => this.point(id)
    made.box.onpointerleave = () => this.point(null)
    made.head.onfocus = () => { this.reveal(id); this.point(id) }
    made.head.onblur = () => this.point(null)
    made.box.onclick = (event) => { if (!this.held && !(event.target instanceof HTMLInputElement)) group ? this.unfold(id) : this.pin(this.pinned === id ? null : id) }
    return made
  }

  /**
   * @param {Map<string, { width: number, height: number }>} sizes
   * @param {boolean} upright
   */
  lay(sizes, upright) {
    const layout = new dagre.graphlib.Graph({ compound: true })
    layout.setGraph({ rankdir: upright ? "TB" : "LR", nodesep: 1.1 * this.rem, ranksep: (upright ? 2.4 : 0.95) * this.rem, marginx: MARGIN, marginy: MARGIN })
    layout.setDefaultEdgeLabel(() => ({}))
    for (const [id, size] of sizes) layout.setNode(id, { ...size })
    for (const id of this.open) if (of(this.groups, id).members.some((member) => this.place.get(member) === member || this.groups.has(of(this.place, member)))) layout.setNode(id, {})
    for (const id of layout.nodes()) {
      const outer = this.groups.get(id)?.parent ?? this.nodes.get(id)?.group
      if (outer && this.open.has(outer)) layout.setParent(id, outer)
    }
    for (const { from, to, far: left } of this.lines.values()) if (!left) layout.setEdge(from, to)
    dagre.layout(layout)
    const { width = 1, height = 1 } = layout.graph()
    this.layout = layout
    this.upright = upright
    this.size = { width, height }
  }

  draw() {
    const layout = this.layout
    this.box.role = "group"
    this.box.setAttribute("aria-label", plural("Graph of {n} node", "Graph of {n} nodes", this.nodes.size))
    this.box.classList.toggle("upright", this.upright)
    this.frames.replaceChildren(...layout.nodes().filter((id) => this.open.has(id)).map((id) => this.frame(of(this.groups, id), layout.node(id))))
    for (const [id, { box }] of this.boxes) put(box, layout.node(id))
    for (const line of this.lines.values()) line.drawn = line.far ? this.bow(line) : this.line(layout.edge(line.from, line.to).points, line)
    this.wires.replaceChildren(...[...this.lines.values()].map(({ drawn }) => drawn))
    this.settle()
    if (this.marked) this.mark(this.marked)
    this.showPin()
  }

  // Zoom buttons, for those without a wheel.
  tools() {
    const bar = element("div", "zooming")
    bar.append(
      button("−", () => this.zoom(1 / 1.25), { label: t("Zoom out") }),
      button("+", () => this.zoom(1.25), { label: t("Zoom in") }),
      button("⤢", () => this.fit(0.05), { label: t("Show the whole graph") }),
    )
    return bar
  }

  /**
   * @param {Point[]} points
   * @param {Line} line
   */
  line(points, line) {
    const start = points[0], end = points[points.length - 1]
    const middle = points.slice(1, -1)
    const bend = (/** @type {Point} */ one, /** @type {Point} */ other) => {
      const half = this.upright ? (one.y + other.y) / 2 : (one.x + other.x) / 2
      return this.upright ? `C${one.x} ${half} ${other.x} ${half} ${other.x} ${other.y}` : `C${half} ${one.y} ${half} ${other.y} ${other.x} ${other.y}`
    }
    const stops = middle.length > 1 ? [start, ...middle, end] : [start, end]
    return this.path(`M${start.x} ${start.y}${stops.slice(1).map((stop, place) => bend(stops[place], stop)).join("")}`, line)
  }

  /**
   * A line that passes many layers: one bow beside them.
   * @param {Line} line
   */
  bow(line) {
    const [start, end] = [line.from, line.to].map((id) => this.layout.node(id))
    const side = start.x <= end.x ? -1 : 1
    const x = end.x + side * end.width / 2
    return this.path(`M${start.x} ${start.y + start.height / 2}C${start.x} ${start.y + start.height} ${x + side * 70} ${end.y - end.height} ${x} ${end.y}`, line)
  }

  /**
   * @param {string} path
   * @param {Line} line
   */
  path(path, { edges }) {
    return svg("path", { d: path, class: edges.every((index) => this.edges[index].slot === null) ? "edge constant" : "edge" })
  }

  /**
   * The frame around an unfolded group; a click on its title folds it.
   * @param {Members} group
   * @param {Place} at
   */
  frame(group, at) {
    const drawn = element("div", "frame")
    const title = button(`▾ ${shortened(group.title, Math.floor(at.width / 9))}`, () => { if (!this.held) this.unfold(group.id) })
    title.setAttribute("aria-label", t("{title}, unfolded", { title: group.title }))
    title.setAttribute("aria-expanded", "true")
    drawn.append(title)
    Object.assign(drawn.style, { width: `${at.width}px`, height: `${at.height}px` })
    put(drawn, at)
    return drawn
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
      const top = (/** @type {Place} */ at) => at.y - at.height / 2
      this.view = { ...this.view, x: this.view.x + (before.x - after.x) * this.view.scale, y: this.view.y + (top(before) - top(after)) * this.view.scale }
    }
    this.settle()
    this.point(null)
    this.onFold?.()
  }

  /** @param {boolean} open */
  unfoldAll(open) {
    this.open = new Set(open ? this.groups.keys() : [])
    this.arrange()
    this.fit()
    this.onFold?.()
  }

  /**
   * How far the steps have come: `computed` and `graded` are sets of nodes, `current` the one at work, `strange` those where NaN or infinity was born.
   * @param {Marks} marks
   */
  mark({ computed, graded, current, strange = new Set() }) {
    this.marked = { computed, graded, current, strange }
    const at = (/** @type {Set<string>} */ ids) => new Set([...ids].map((id) => this.place.get(id)))
    const [done, back, odd] = [computed, graded, strange].map(at)
    const now = current === undefined ? undefined : this.place.get(current)
    for (const [id, { box }] of this.boxes) {
      box.classList.toggle("waiting", (this.groups.has(id) || of(this.nodes, id).kind === "operation") && !done.has(id))
      box.classList.toggle("graded", back.has(id))
      box.classList.toggle("current", id === now)
      box.classList.toggle("strange", odd.has(id))
    }
    for (const { to, edges, drawn } of this.lines.values()) {
      drawn.classList.toggle("back", edges.some((index) => graded.has(this.edges[index].to) && this.edges[index].slot !== null))
      drawn.classList.toggle("current", to === now)
    }
  }

  /** @param {string | null} id */
  pin(id) {
    this.pinned = id
    this.showPin()
  }

  showPin() {
    for (const [id, { box, head }] of this.boxes) {
      box.classList.toggle("pinned", id === this.pinned)
      if (!this.groups.has(id)) head.setAttribute("aria-pressed", String(id === this.pinned))
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
    for (const [other, { box }] of this.boxes) box.classList.toggle("dim", id !== null && !lit.has(other))
    for (const { to, drawn } of this.lines.values()) drawn.classList.toggle("dim", id !== null && !lit.has(to))
    this.onPoint(id)
  }

  // The whole graph where it can be read so; else the beginning of it, where the leaves are.
  fit(smallest = this.readable) {
    const { clientWidth, clientHeight } = this.room()
    const scale = Math.max(smallest, Math.min(LARGEST, clientWidth / this.size.width, clientHeight / this.size.height))
    const room = (/** @type {number} */ inner, /** @type {number} */ outer) => Math.max(0, (outer - inner * scale) / 2)
    const wide = this.size.width * scale > clientWidth
    this.view = { scale, x: wide && this.upright ? (clientWidth - this.size.width * scale) / 2 : room(this.size.width, clientWidth), y: room(this.size.height, clientHeight) }
    this.settle()
  }

  // Arrange the graph anew for another width, or text of another size.
  resize() {
    const { clientWidth } = this.box
    if (!this.nodes.size || !clientWidth || (Math.abs(clientWidth - this.width) < 2 && this.rem === rem())) return
    this.arrange()
    this.fit()
  }

  /** The part of the box that is not covered by the buttons. */
  room() {
    const { clientWidth, clientHeight } = this.box
    return { clientWidth, clientHeight: clientHeight - this.bar.offsetHeight }
  }

  /**
   * Bring a node into the picture, or the group that it is folded into.
   * @param {string} id
   */
  reveal(id) {
    const at = this.layout.node(this.place.get(id) ?? id)
    if (!at) return
    const { clientWidth, clientHeight } = this.room()
    const { scale } = this.view
    const shift = (/** @type {number} */ middle, /** @type {number} */ size, /** @type {number} */ offset, /** @type {number} */ room) => {
      const start = (middle - size / 2) * scale + offset - MARGIN, end = (middle + size / 2) * scale + offset + MARGIN
      return end > room ? offset - end + room : start < 0 ? offset - start : offset
    }
    this.view = { scale, x: shift(at.x, at.width, this.view.x, clientWidth), y: shift(at.y, at.height, this.view.y, clientHeight) }
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

  /**
   * With Ctrl the wheel zooms; alone it scrolls the page.
   * @param {WheelEvent} event
   */
  wheel(event) {
    if (!event.ctrlKey && !event.metaKey) return
    event.preventDefault()
    const { left, top } = this.box.getBoundingClientRect()
    this.zoom(event.deltaY < 0 ? 1.12 : 1 / 1.12, event.clientX - left, event.clientY - top)
  }

  /**
   * Begin to move the graph; at a number, let the whole graph be seen while it is dragged.
   * @param {PointerEvent} event
   */
  press(event) {
    if (event.target instanceof HTMLInputElement) this.point(null)
    else this.drag = { x: event.clientX, y: event.clientY, from: this.view, moved: false }
  }

  /** @param {PointerEvent} event */
  move(event) {
    if (!this.drag) return
    const dx = event.clientX - this.drag.x, dy = event.clientY - this.drag.y
    this.drag.moved ||= Math.hypot(dx, dy) > 4
    if (!this.drag.moved) return
    this.view = { ...this.drag.from, x: this.drag.from.x + dx, y: this.drag.from.y + dy }
    this.settle()
  }

  settle() {
    this.world.classList.toggle("moved", this.drag !== null)
    this.world.style.transform = `translate(${this.view.x}px, ${this.view.y}px) scale(${this.view.scale})`
  }

  close() {
    this.resized.disconnect()
  }
}

/** The size of the page's text in pixels. */
const rem = () => parseFloat(getComputedStyle(document.documentElement).fontSize)

/**
 * @param {HTMLElement} box
 * @param {Place} at
 */
function put(box, { x, y, width, height }) {
  box.style.transform = `translate(${x - width / 2}px, ${y - height / 2}px)`
}
