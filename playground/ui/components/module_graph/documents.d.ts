// Written by `make declarations`; see playground/ui/components/declarations.py.

/** A network's autograd graph, folded by module. `playground.autograd.module_graph` */
export interface ModuleGraph {
  nodes: ModuleNode[]
  edges: ModuleEdge[]
  groups: ModuleGroup[]
}

/** A node of a network's graph. `playground.autograd.module_graph` */
export interface ModuleNode {
  id: string
  kind: "operation" | "output" | "leaf"
  op: string
  /** The path of a parameter; else empty. */
  name: string
  /** The innermost group that holds it. */
  group: string | null
  /** With the batch dimension, as all shapes here. */
  shape: number[] | null
  dtype: string | null
  /** The L2 norm of its upstream gradients; null where none arrives. */
  norm: number | string | null
  formula: string
}

/** From an input to a result, against the gradients; `slot` is the place of the input. `playground.autograd.module_graph` */
export interface ModuleEdge {
  from: string
  to: string
  slot: number
}

/** A module with the nodes that it created. Where it ran several times, its last call is described. `playground.autograd.module_graph` */
export interface ModuleGroup {
  id: string
  /** The group around it. */
  parent: string | null
  /** The name of its class. */
  title: string
  /** Its path in the network. */
  name: string
  /** The shape of its output; null where its parent uses its weights without calling it. */
  shape: number[] | null
  /** The L2 norm of the gradient of its output; null where none arrives. */
  norm: number | string | null
  parameters: number
}
