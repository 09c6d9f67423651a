// The boxes of a graph: an operation or a leaf with its value and its gradient, as numbers where they are few, and a folded group.

import { element, named } from "./dom.js"
import { brief, exact, narrow, shapeText } from "./format.js"
import { plural, t } from "./text.js"
import { largest, miniature } from "./tile.js"

/**
 * @import { GraphNode, Members, Norm } from "./graph.js"
 * @import { Tile } from "./tile.js"
 */

/** @typedef {(node: GraphNode, cell: number) => HTMLElement | null} Field makes the field of a number that can be changed; null for one that cannot */
/** @typedef {{ tile: Tile | null, texts: HTMLElement[] }} Row the values or the gradients: what they are, and where each is written */

export const MOST_NUMBERS = 6 // values of the largest tensor whose numbers are written

export class NodeBox {
  /**
   * @param {GraphNode} node
   * @param {Field} field
   */
  constructor(node, field) {
    const kind = node.kind === "leaf" ? element("span", "kind", t("leaf")) : node.kind === "constant" ? element("span", "kind", t("constant")) : named("kind", node.op.replace(/Backward\d*$/, ""))
    const own = node.name || node.source?.split("\n")[0]
    this.box = framed(`node ${node.kind}`, [own, node.op || kind.textContent].filter(Boolean).join(", "))
    this.head = headed(this.box, ...(own ? [named("name", own), kind] : [Object.assign(kind, { className: "name" })]))
    this.head.title = [node.name || node.source, node.op || kind.textContent, node.shape && shapeText(node.shape)].filter(Boolean).join("\n")
    /** @type {Row[]} */
    this.rows = []
    const { value = null, grad = null } = node
    if (isSmall(value) || isSmall(grad)) this.write(node, field)
    else if (value || grad) this.draw()
    if (node.norm !== undefined && node.norm !== null) this.box.append(norm(node.norm))
    this.fill(node)
  }

  /**
   * Room for the numbers: a row of the tensor takes a row for its values, and one beneath it for their gradients.
   * @param {GraphNode} node
   * @param {Field} field
   */
  write(node, field) {
    const { shown, values } = /** @type {Tile} */ (isSmall(node.value) ? node.value : node.grad)
    const columns = shown.at(-1) ?? 1
    const grid = element("div", "numbers")
    grid.style.gridTemplateColumns = `auto repeat(${columns}, var(--number-width))`
    const fields = values.map((_, cell) => field(node, cell))
    const rows = ["value", "grad"].map((name) => values.map((_, cell) => (name === "value" && fields[cell]) || element("span", `number ${name}`)))
    for (let start = 0; start < values.length; start += columns) {
      rows.forEach((texts, row) => {
        if (row && node.kind === "constant") return
        grid.append(element("span", `label ${row ? "grad" : "value"}`, start ? "" : row ? t("grad") : t("value")), ...texts.slice(start, start + columns))
      })
    }
    this.rows = rows.map((texts, row) => ({ tile: null, texts: row || !fields[0] ? texts : [] })) // a field is filled by who made it
    this.box.append(grid)
  }

  /** Room for two small pictures. */
  draw() {
    const grid = element("div", "pictures")
    this.pictures = [element("span", "value"), element("span", "grad")]
    grid.append(element("span", "label value", t("value")), this.pictures[0], element("span", "label grad", t("grad")), this.pictures[1])
    this.box.append(grid)
  }

  /**
   * Write the values and gradients of a node that has changed.
   * @param {GraphNode} node
   */
  fill({ value = null, grad = null }) {
    for (const [row, tile] of [value, grad].entries()) {
      this.rows[row]?.texts.forEach((text, cell) => {
        const number = tile?.values[cell]
        text.textContent = number === undefined ? "" : narrow(number)
        text.title = number === undefined ? "" : exact(number, 7)
      })
      this.pictures?.[row].replaceChildren(...(tile ? [miniature(tile, largest([tile]))] : []))
    }
  }
}

export class GroupBox {
  /**
   * A folded group; a click unfolds it.
   * @param {Members} group
   */
  constructor(group) {
    const name = group.name ? `${group.name} ${group.title}` : group.title
    const nodes = plural("{n} node", "{n} nodes", group.members.length)
    this.box = framed("node group", plural("{name}, {n} operation, folded", "{name}, {n} operations, folded", group.members.length, { name }))
    this.head = headed(this.box, named("name", `▸ ${name}`), element("span", "kind", group.shape ? `${shapeText(group.shape)} · ${nodes}` : nodes))
    if (group.norm !== undefined && group.norm !== null) this.box.append(norm(group.norm))
  }
}

/**
 * @param {string} kind
 * @param {string} label
 */
function framed(kind, label) {
  const box = element("div", kind)
  box.role = "group"
  box.setAttribute("aria-label", label)
  return box
}

/**
 * @param {HTMLElement} box
 * @param {HTMLElement[]} parts
 */
function headed(box, ...parts) {
  const head = element("button", "title")
  head.type = "button"
  head.append(...parts)
  box.append(head)
  return head
}

/** @param {Tile | null | undefined} tile */
const isSmall = (tile) => Boolean(tile && tile.values.length && tile.values.length <= MOST_NUMBERS)

/**
 * The gradient's size: its L2 norm, and a bar on a logarithmic scale from 10⁻⁸ to 10⁴.
 * @param {NonNullable<Norm>} value
 */
function norm(value) {
  const drawn = element("div", "norm")
  const bar = element("span", "bar")
  const share = typeof value === "number" && value > 0 ? Math.min(1, Math.max(0.02, (Math.log10(value) + 8) / 12)) : 0
  bar.style.setProperty("--share", String(share))
  drawn.append(element("span", "number", t("‖gradient‖ {norm}", { norm: brief(value) })), bar)
  return drawn
}
