import type { GraphEdge, GraphGroup, GraphNode } from "../shared/graph.js"
import type { Fault } from "../shared/lab.js"
import type { Tile as AnyTile } from "../shared/tile.js"

/** A tensor of the graph: `playground.tensors.xray.report.tile`. */
export interface Tile extends AnyTile {
  shape: number[]
}

/** A node: `playground.autograd.graph`. */
export interface AutogradNode extends GraphNode {
  line: number | null
  dtype?: string | null
  value?: Tile | null
  grad?: Tile | null
  derivatives?: string[]
  is_leaf: boolean
  /** Whether it is a step inside the operation of a statement. */
  inner?: boolean
  outputs?: { output: number; name: string; value: Tile | null; grad: Tile | null }[]
  saved?: Record<string, Tile | string | number | null>
}

export interface AutogradEdge extends GraphEdge {
  output: number
  local: Tile | null
  passed: Tile | null
  elementwise: boolean
}

export interface Step {
  kind: "forward" | "backward"
  node: string
  line: number | null
  pass: number | null
}

/** A leaf whose numbers can be changed; `overridden` are the cells that were. */
export interface Leaf {
  name: string
  pass: number
  loss: number | null
  value: Tile
  grad: Tile | null
  requires_grad: boolean
  overridden: number[]
  editable: boolean
}

/** The response to a run of a script: `playground.autograd.graph.document`; without a graph where the script is no script. */
export interface Report {
  graph: { nodes: AutogradNode[]; edges: AutogradEdge[]; groups: GraphGroup[] }
  steps: Step[]
  leaves: Leaf[]
  nonfinite: { node: string; kind: "value" | "gradient"; value: string }[]
  seed: number
  error: Fault | string | null
}

/** Values changed by hand: of each tensor by its name, of each cell. */
export type Overrides = Record<string, Record<number, number>>

/** The response of `playground.autograd.gradient_check`. */
export interface GradientCheck {
  rows: { name: string; cell: number[]; autograd: number | null; difference: number | null }[]
  passed: boolean
  message: string
  step: number
  gradcheck: boolean
  omitted: number
  error?: string
}
