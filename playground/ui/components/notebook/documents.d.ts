// Written by `make declarations`; see playground/ui/components/declarations.py.

/** The `data` of the component. `playground.ui.components.notebook` */
export interface NotebookData {
  /** When the component appears, or when another notebook is opened. */
  cells: NotebookCell[]
  /** Counts the notebooks that were opened by a link or an example. */
  opened: number
  device: string
}

/** A cell as a learner writes it. `playground.ui.components.notebook` */
export interface NotebookCell {
  kind: "code" | "text"
  source: string
}

/** What a cell has done so far. `playground.tensors.notebook.process` */
export interface Progress {
  /** Since the last one. */
  printed: string
  /** Inside each other. */
  loops: RunningLoop[]
  curves: Record<string, (number | null)[]>
}

/** A loop of the cell that runs. `playground.tensors.notebook.process` */
export interface RunningLoop {
  line: number
  /** From 1. */
  turn: number
  /** None where it is not known how many there are. */
  turns: number | null
}

/** The last line of a cell: one of its fields. `playground.tensors.notebook.process` */
export interface Answer {
  report?: CellReport
  /** Why there is no report. */
  error?: string
  /** Whether the process ended, and the variables with it. */
  is_gone?: boolean
}

/** The report on a cell; its names are those of the whole notebook. `playground.tensors.notebook.process` */
export interface CellReport {
  names: Record<string, ArrayFacts | ValueFacts>
  output: string
  figures: FigurePlots[]
  warnings: string[]
  error: Fault | null
  steps: Step[]
  tiles: Tile[]
  curves: Record<string, (number | null)[]>
  /** Whether the process is new, without the variables of any other cell. */
  is_first: boolean
  /** The code of an earlier cell, in a function, that raised the error; empty for none. Its repair is not offered: it would change this cell. */
  raised_in: string
}

/** A variable that holds a tensor or an array. `playground.tensors.xray.report` */
export interface ArrayFacts {
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
  origin: "given" | "same" | "view" | "shared" | "copy" | "uninitialised" | "new"
  /** The name of the original; empty where there is none, or none any more. */
  of: string
  /** Where the name was assigned. */
  line: number
  tile: number
}

/** A variable that holds another value. `playground.tensors.xray.report` */
export interface ValueFacts {
  kind: "value"
  type: string
  text: string
  shape: null
  dtype: string
  strides: null
  values: number | string | boolean | null
  storage: null
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

/** A statement. `playground.tensors.xray.report` */
export interface Step {
  line: number
  start: number
  end: number
  source: string
  /** How often it ran. */
  times: number
  /** Which of these runs is reported, from 1: the last one that was recorded. */
  shown: number
  failed: boolean
  /** Why the sources of the cells are missing. */
  reason: "" | "large" | "unknown"
  inputs: Input[]
  outputs: Output[]
  operations: StepOperation[]
  notes: string[]
  picture: Picture | null
}

/** A tensor that is read; its name is empty where it has none. `playground.tensors.xray.report` */
export interface Input {
  name: string
  tile: number
}

/** A result of a statement; `from` has its links, by the name of the input. `playground.tensors.xray.report` */
export interface Output {
  from: Record<string, number[][]>
  name: string
  tile: number
  /** Whether it was there before, and changed in place. */
  changed: boolean
}

/** One operation of a statement. `playground.tensors.xray.report` */
export interface StepOperation {
  source: string
  name: string
  inputs: Input[]
  outputs: Result[]
  picture: Picture
}

/** A result of an operation; `from` has its links, by the position of the input. `playground.tensors.xray.report` */
export interface Result {
  from: Record<string, number[][]>
  tile: number
}

/** How to draw an operation. `playground.tensors.xray.report` */
export interface Picture {
  kind: "call" | "pick" | "products" | "sign"
  word: string
  group: string
  /** For each operand; absent where none is broadcast. */
  stretched?: Dimension[][]
}

/** The size of an operand along a dimension of the result; None where it has no such dimension. `playground.tensors.xray.report` */
export interface Dimension {
  size: number | null
  stretched: boolean
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
