// Draws a network's autograd graph, folded by module; a click unfolds a module, pointing shows its numbers.

import { element, find } from "../shared/dom.js"
import { exact, shapeText } from "../shared/format.js"
import { Graph } from "../shared/graph.js"
import { mounting } from "../shared/mounting.js"

/**
 * @import { GraphEdge, GraphGroup, GraphNode, Norm } from "../shared/graph.js"
 * @import { Component } from "../shared/mounting.js"
 */

/** @param {Norm | undefined} norm */
const size = (norm) => (norm === null || norm === undefined ? "no gradient arrived" : `‖gradient‖ ${typeof norm === "number" ? exact(norm) : norm}`)

class Modules {
  /** @param {HTMLElement | ShadowRoot} root */
  constructor(root) {
    this.details = find(root, ".details")
    this.all = find(root, ".unfold")
    /** @type {string | null} the box that was clicked last */
    this.pinned = null
    this.graph = new Graph(find(root, ".canvas"), { onPoint: (id) => this.describe(id ?? this.pinned), onPin: (id) => { this.pinned = id } })
    this.all.onclick = () => this.graph.unfoldAll(!this.graph.open.size)
    this.graph.onFold = () => this.label()
  }

  /** @param {Component} component */
  update({ data }) {
    this.pinned = null
    /** @type {{ nodes: GraphNode[], edges: GraphEdge[], groups: GraphGroup[] }} as `playground.autograd.module_graph` observed it */
    const graph = data.graph
    this.graph.show(graph)
    const ids = graph.nodes.map(({ id }) => id)
    this.graph.mark({ computed: new Set(ids), graded: new Set(graph.nodes.filter(({ norm }) => norm !== null && norm !== 0).map(({ id }) => id)) })
    this.describe(null)
    this.label()
  }

  label() {
    this.all.textContent = this.graph.open.size ? "Fold all" : "Unfold all"
  }

  /** @param {string | null} id */
  describe(id) {
    const group = this.graph.groups.get(id ?? ""), node = this.graph.nodes.get(id ?? "")
    const described = group ?? node
    if (!described) return this.details.replaceChildren(element("p", "hint", "Each box is a module. Click it to see the operations that PyTorch recorded in it. Point at a box to see its numbers."))
    const head = element("header", "head")
    head.append(element("code", "source", group ? `${group.name}  ${group.title}` : node?.name || node?.op))
    const { shape, norm } = described
    for (const fact of [shape && shapeText(shape), group ? `${group.parameters?.toLocaleString("en")} parameters` : node?.name && node.op, size(norm)]) if (fact) head.append(element("span", "fact", fact))
    this.details.replaceChildren(head, ...(node?.formula ? [element("p", "formula", node.formula)] : []))
  }
}

export default mounting(Modules)
