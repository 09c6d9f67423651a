// Written by `make declarations`; see playground/ui/components/declarations.py.

/** The `data` of the component. `playground.ui.components.autograd_lab` */
export interface LabData {
  source: string
  overrides: Record<string, Record<string, number>>
  device: string
  command: Command
}

/** What the editor of a script shall do once. `playground.ui.state` */
export interface Command {
  /** 0 before the first command. */
  id: number
  /** Whether the text replaces the script or follows it; both run it. */
  kind?: "open" | "append"
  text?: string
}

/** A run of a script; the same seed gives the same random numbers. `playground.autograd.sandbox_tasks` */
export interface AutogradRun<Values> {
  names: Record<string, TensorName | ArrayName | ValueName>
  graph: AutogradGraph<Values>
  /** The forward steps in the order of the statements, then those of each backward pass in the engine's order. */
  steps: Step<Values>[]
  leaves: Leaf<Values>[]
  nonfinite: NonFinite[]
  output: string
  figures: FigurePlots[]
  warnings: string[]
  error: Fault | null
  seed: number
}

/** A variable that holds a tensor. `playground.autograd.graph` */
export interface TensorName {
  kind: "tensor" | "array"
  shape: number[]
  dtype: string
  device: string
  strides: number[]
  offset: number
  contiguous: boolean
  requires_grad: boolean
  /** The same for all that lie in one storage. */
  storage: string
  /** Whether all of its cells were copied, so that they can be traced. */
  complete: boolean
  /** Nested lists. */
  values: unknown
  /** The same as `values`. */
  value: unknown
  /** Nested lists; null where there is no gradient. */
  grad: unknown
  is_leaf: boolean
  /** How often it was changed in place. */
  version: number
}

/** A variable that holds an array of NumPy. `playground.autograd.graph` */
export interface ArrayName {
  kind: "tensor" | "array"
  shape: number[]
  dtype: string
  device: string
  strides: number[]
  offset: number
  contiguous: boolean
  requires_grad: boolean
  /** The same for all that lie in one storage. */
  storage: string
  /** Whether all of its cells were copied, so that they can be traced. */
  complete: boolean
  /** Nested lists. */
  values: unknown
  /** The same as `values`. */
  value: unknown
  grad: null
}

/** A variable that holds another value. `playground.autograd.graph` */
export interface ValueName {
  kind: "value"
  type: string
  text: string
  shape: null
  dtype: string
  strides: null
  values: number | string | boolean | null
  storage: null
  /** The same as `values`. */
  value: unknown
  grad: null
}

/** The graph of the last backward pass; of a script without one, that of its last results. `playground.autograd.graph` */
export interface AutogradGraph<Values> {
  nodes: AutogradNode<Values>[]
  edges: AutogradEdge<Values>[]
  /** Empty for a small graph. */
  groups: ScriptGroup[]
}

/** An operation or a leaf of the graph, or a constant, which is an input without a gradient; constants lack some fields. `playground.autograd.graph` */
export interface AutogradNode<Values> {
  shape: number[] | null
  dtype: string | null
  value: Values | null
  /** How often the tensor had been changed in place. */
  version: number | null
  id: string
  kind: "operation" | "leaf" | "constant"
  /** PyTorch's name of the node; empty for a constant. */
  op: string
  /** The learner's; empty where there is none. */
  name: string
  /** The innermost group that holds it. */
  group: string | null
  /** Its upstream gradient. */
  grad: Values | null
  requires_grad: boolean
  is_leaf: boolean
  /** The expression that computed it. */
  source?: string
  line?: number | null
  formula?: string
  /** The formula of the gradient for each input. */
  derivatives?: string[]
  /** Whether it is a step inside the operation of a statement. */
  inner?: boolean
  /** Empty where it has only one. */
  outputs?: NodeOutput<Values>[]
  /** What it saved for the backward pass. */
  saved?: Record<string, Values | number | string | boolean | null>
}

/** One output of a node that has several. `playground.autograd.graph` */
export interface NodeOutput<Values> {
  output: number
  name: string
  value: Values | null
  grad: Values | null
}

/** From an input to a result. `playground.autograd.graph` */
export interface AutogradEdge<Values> {
  from: string
  /** The number of the output that is the input. */
  output: number
  to: string
  /** The place of the input; null for a constant. */
  slot: number | null
  /** The node's result for an upstream gradient of ones. */
  local: Values | null
  /** The gradient that flowed back. */
  passed: Values | null
  /** Whether that is the upstream gradient times `local`, cell by cell. */
  elementwise: boolean
}

/** The nodes of a statement, or of some turns of a loop. `playground.autograd.folding` */
export interface ScriptGroup {
  id: string
  /** The group around it. */
  parent: string | null
  title: string
  line: number
}

/** A step of the forward pass, without a `pass`, or of a backward pass. `playground.autograd.graph` */
export interface Step<Values> {
  pass: number | null
  kind: "forward" | "backward"
  /** Null for a node of an earlier pass that is not in the graph. */
  node: string | null
  line: number | null
  /** The gradient that arrives; absent of a forward step. */
  upstream?: Values | null
}

/** A named leaf or constant at the first `pass` that involves it. `playground.autograd.graph` */
export interface Leaf<Values> {
  pass: number
  name: string
  /** Null where it is not finite. */
  loss: number | null
  value: Values | null
  grad: Values | null
  requires_grad: boolean
  /** Cells whose values were changed by hand. */
  overridden: number[]
  /** Whether its values can be. */
  editable: boolean
}

/** Where NaN or infinity first appears, although all that the node gets is finite. `playground.autograd.graph` */
export interface NonFinite {
  node: string
  kind: "value" | "gradient"
  value: "NaN" | "infinity"
}

/** Plots side by side. `playground.tensors.language.figures` */
export interface FigurePlots {
  columns: number
  plots: Plot[]
}

/** One coordinate system. `playground.tensors.language.figures` */
export interface Plot {
  title: string
  across: string
  /** The names of the axes. */
  upward: string
  /** Which of the axes are, `x` and `y`. */
  logarithmic: string[]
  marks: Mark[]
}

/** A line, points, bars, the cells of a matrix, or a picture. `playground.tensors.language.figures` */
export interface Mark {
  kind: "line" | "points" | "bars" | "cells" | "picture"
  /** Empty for a horizontal line through the whole plot. */
  x: (number | string | null)[]
  /** Empty for a vertical line through the whole plot, for cells and for a picture. */
  y: (number | null)[]
  /** Of cells. */
  rows: ((number | null)[])[]
  label: string
  dashed: boolean
  /** Whether cells go from black to white. */
  grey: boolean
  /** Of a picture, a data URL. */
  source: string
}

/** What went wrong in a script; offsets count characters. `playground.tensors.xray.report` */
export interface Fault {
  line: number
  start: number
  end: number
  message: string
  explanation: string
  alignment: Mismatch | null
  /** The first one of the fixes. */
  fix: Replacement | null
  fixes: Replacement[]
}

/** Shapes that do not fit. `playground.tensors.xray.report` */
export interface Mismatch {
  rows: OperandShape[]
  /** Columns that do not match. */
  wrong: number[]
}

/** The shape of an operand, as a row of several that are aligned. `playground.tensors.xray.report` */
export interface OperandShape {
  name: string
  /** None where the operand has no such dimension. */
  sizes: (number | null)[]
}

/** A proposed change of the script. `playground.tensors.xray.report` */
export interface Replacement {
  label: string
  start: number
  end: number
  text: string
}

/** A tensor or an array at one moment. `playground.tensors.xray.report` */
export interface Tile {
  kind: "tensor" | "array"
  shape: number[]
  /** The shape of the visible part. */
  shown: number[]
  strides: number[]
  offset: number
  contiguous: boolean
  dtype: string
  device: string
  itemsize: number
  /** The place of the first cell, in elements from the start of its storage. */
  first: number
  /** The elements of its storage. */
  slots: number
  values: (number | string | boolean)[]
}

/** The loss as a function of one cell. `playground.autograd.sandbox_tasks` */
export interface LossCurve {
  /** Of the cell, at equal distances; fewer than were asked for where the script is slow. */
  values: number[]
  /** For each of them; null where one is not finite or the script fails. */
  losses: (number | null)[]
}

/** Gradients beside finite differences. `playground.autograd.gradient_check` */
export interface GradientCheck {
  rows: CheckedCell[]
  /** Whether all rows agree and `gradcheck` passed. */
  passed: boolean
  /** The error of `gradcheck`; else empty. */
  message: string
  /** How many cells were not compared. */
  omitted: number
  step: number
  /** Whether it ran. */
  gradcheck: boolean
}

/** A cell of a leaf, computed in float64; null where a number is not finite. `playground.autograd.gradient_check` */
export interface CheckedCell {
  name: string
  cell: number[]
  value: number | null
  autograd: number | null
  difference: number | null
}
