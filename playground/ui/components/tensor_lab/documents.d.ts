// Written by `make declarations`; see playground/ui/components/declarations.py.

/** The `data` of the component. `playground.ui.components.tensor_lab` */
export interface LabData {
  /** None while exploring. */
  exercise: ExerciseData | null
  source: string
  device: string
  command: Command
  /** Correct predictions, and all. */
  score: [number, number]
}

/** The exercise that is open. `playground.ui.components.tensor_lab` */
export interface ExerciseData {
  name: string
  title: string
  level: string
  /** The task, with `code` marked. */
  statement: string
  hints: string[]
  solution: string
  /** The name of the variable to assign. */
  result: string
  /** The title of the next exercise that is not solved; empty where all others are. */
  next: string
}

/** What the editor of a script shall do once. `playground.ui.state` */
export interface Command {
  /** 0 before the first command. */
  id: number
  /** Whether the text replaces the script or follows it; both run it. */
  kind?: "open" | "append"
  text?: string
}

/** The report on a script. `playground.tensors.xray.report` */
export interface Report {
  names: Record<string, ArrayFacts | ValueFacts>
  output: string
  figures: FigurePlots[]
  warnings: string[]
  error: Fault | null
  steps: Step[]
  tiles: Tile[]
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

/** The report of one run, with the grade of an exercise. `playground.tensors.exercises.grading` */
export interface GradedReport {
  names: Record<string, ArrayFacts | ValueFacts>
  output: string
  figures: FigurePlots[]
  warnings: string[]
  error: Fault | null
  steps: Step[]
  tiles: Tile[]
  target: Target
  /** One sentence on what is wrong; empty where nothing is, or where the script failed. */
  feedback: string
  correct: boolean
}

/** The first set of inputs, and the result of a correct answer for them. `playground.tensors.exercises.grading` */
export interface Target {
  /** The inputs that are plain numbers. */
  numbers: Record<string, number>
  /** The other inputs. */
  tensors: Record<string, Tile>
  result: Tile
}

/** A function, a method or an attribute that scripts can use. `playground.server.routes.reference` */
export interface ReferenceEntry {
  name: string
  group: string
  signature: string
  /** A line of help. */
  summary: string
  /** The same as the name, for the editor. */
  label: string
}
