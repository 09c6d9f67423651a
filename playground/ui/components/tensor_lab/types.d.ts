// The JSON that the Tensors page gets from Streamlit and from the server.

import type { Size } from "../shared/dom.js"
import type { Value } from "../shared/format.js"
import type { Fault } from "../shared/lab.js"

/** The `data` of the component, from `tensor_lab` of playground/ui/components/tensor_lab/__init__.py. */
export interface LabData {
  exercise: string
  source: string
  device: string
  /** Its `id` is 0 before the first command. */
  command: { id?: number; kind?: "open" | "append"; text?: string }
  /** Correct predictions, and all. */
  score: [number, number]
}

/** A tensor or an array at one moment, from `tile` of playground/tensors/xray/report.py; `first` and `slots` count elements of its storage. */
export interface Tile {
  kind: "tensor" | "array"
  shape: number[]
  shown: number[]
  strides: number[]
  offset: number
  contiguous: boolean
  dtype: string
  device: string
  itemsize: number
  first: number
  slots: number
  values: Value[]
}

/** How a tensor got its memory, from `_origin` of playground/tensors/xray/report.py. */
export interface Origin {
  origin: "given" | "same" | "view" | "shared" | "copy" | "uninitialised" | "new"
  /** The name of the original; empty where there is none, or none any more. */
  of: string
  line: number
}

/** A variable that holds a tensor or an array, from `_facts` of playground/tensors/xray/report.py. */
export interface ArrayFacts extends Origin {
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
  complete: boolean
  tile: number
}

/** A variable that holds another value, from `_plain_facts` of playground/tensors/xray/report.py. */
export interface ValueFacts {
  kind: "value"
  type: string
  text: string
  shape: null
  dtype: string
  strides: null
  values: Value | null
  storage: null
}

/** For each input, and for each visible cell of an output, the visible cells of the input that it was computed from: `_cells` of playground/tensors/xray/report.py. */
export type Links = Record<string, number[][]>

/** How to draw an operation, from `_picture` of playground/tensors/xray/report.py. */
export interface Picture {
  kind: "call" | "pick" | "products" | "sign"
  word: string
  group: string
  /** For each operand the sizes along the dimensions of the result. */
  stretched?: Size[][]
}

/** One operation of a statement, from `_operations` of playground/tensors/xray/report.py; its links are by the position of the input. */
export interface Operation {
  source: string
  name: string
  inputs: { name: string; tile: number }[]
  outputs: { tile: number; from: Links }[]
  picture: Picture
}

/** A statement, from `_Writer.step` of playground/tensors/xray/report.py; its links are by the name of the input. */
export interface Step {
  line: number
  start: number
  end: number
  source: string
  times: number
  failed: boolean
  /** Why the sources of the cells are missing. */
  reason: "" | "large" | "unknown"
  inputs: { name: string; tile: number }[]
  outputs: { name: string; tile: number; from: Links }[]
  operations: Operation[]
  notes: string[]
  picture: Picture | null
}

/** The report on a script, from `report` of playground/tensors/xray/report.py. */
export interface Report {
  names: Record<string, ArrayFacts | ValueFacts>
  output: string
  warnings: string[]
  error: Fault | null
  steps: Step[]
  tiles: Tile[]
}

/** A report with the grade of an exercise, from `check_exercise` of playground/tensors/exercises/grading.py; no grade where no exercise is open. */
export interface GradedReport extends Report {
  feedback?: string
  correct?: boolean
}

/** What a request returns that failed. */
export interface Failure {
  error: string
}
