// Draws a network's autograd graph, folded by module; a click unfolds a module, pointing shows its numbers.

import { element, find } from "../shared/dom.js"
import { brief, grouped, shapeText } from "../shared/format.js"
import { Graph } from "../shared/graph.js"
import { mounting } from "../shared/mounting.js"
import { withTerms } from "../shared/term.js"
import { plural, t } from "../shared/text.js"

/**
 * @import { Norm } from "../shared/graph.js"
 * @import { Component } from "../shared/mounting.js"
 * @import { ModuleGraph, ModuleGroup, ModuleNode } from "./documents.js"
 */

/** @param {Norm} norm */
const size = (norm) => (norm === null ? t("no gradient arrived") : t("‖gradient‖ {norm}", { norm: typeof norm === "number" ? brief(norm) : norm }))

class Modules {
  /** @param {HTMLElement | ShadowRoot} root */
  constructor(root) {
    this.details = find(root, ".details")
    this.all = find(root, ".unfold")
    /** @type {Map<string, ModuleNode>} */
    this.nodes = new Map()
    /** @type {Map<string, ModuleGroup>} */
    this.groups = new Map()
    this.graph = new Graph(find(root, ".canvas"), { onPoint: (id) => this.describe(id ?? this.graph.pinned) })
    this.all.onclick = () => this.graph.unfoldAll(!this.graph.open.size)
    this.graph.onFold = () => this.label()
  }

  /** @param {Component<ModuleGraph>} component */
  update({ data }) {
    /** @type {ModuleGraph} */
    const graph = data
    this.nodes = new Map(graph.nodes.map((node) => [node.id, node]))
    this.groups = new Map(graph.groups.map((group) => [group.id, group]))
    this.graph.show(graph)
    this.graph.mark({ computed: new Set(this.nodes.keys()), graded: new Set(graph.nodes.filter(({ norm }) => norm !== null && norm !== 0).map(({ id }) => id)) })
    this.describe(this.graph.pinned)
    this.label()
  }

  label() {
    this.all.textContent = this.graph.open.size ? t("Fold all") : t("Unfold all")
  }

  /** @param {string | null} id */
  describe(id) {
    const group = this.groups.get(id ?? ""), node = this.nodes.get(id ?? "")
    const described = group ?? node
    if (!described) return this.details.replaceChildren(withTerms("p", "hint", t("Each box is a [[module]]. Click it to see the operations that PyTorch recorded in it. Point at a box to see its numbers.")))
    const head = element("header", "head")
    head.append(element("code", "source", group ? `${group.name}  ${group.title}` : node?.name || node?.op))
    const { shape, norm } = described
    const { parameters = 0 } = group ?? {}
    const counted = plural("{n} parameter", "{n} parameters", parameters, { n: grouped(parameters) })
    for (const fact of [shape && shapeText(shape), group ? counted : node?.name && node.op, size(norm)]) if (fact) head.append(element("span", "fact", fact))
    this.details.replaceChildren(head, ...(node?.formula ? [element("p", "formula", node.formula)] : []))
  }

  close() {
    this.graph.close()
  }
}

export default mounting(Modules)
