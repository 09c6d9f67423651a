// Written by `make declarations`; see playground/ui/components/declarations.py.

/** A network at work on one image. `playground.inference.network_picture` */
export interface NetworkPicture {
  view: "values" | "weights" | "gradient"
  /** The input, the layers, and the classes at the end. */
  columns: Column[]
  /** Of every class. */
  probabilities: number[]
}

/** The output of some layers: of each unit that is drawn its values, and what comes from the column before; or the same of another view. `playground.inference.network_picture` */
export interface Column {
  /** The first layer and the one after the last; both 0 for the network's input. */
  layers: [number, number]
  types: string[]
  /** Layers with weights in it; several can be unfolded. */
  blocks: number
  /** Of the output, without the batch. */
  shape: number[]
  /** Those that are drawn, ascending: the feature maps with the largest weights, tokens and features evenly spaced. */
  units: number[]
  /** Rows and columns of a unit as it is drawn. */
  size: [number, number]
  /** Of all drawn units, row by row: bytes with a sign, in base64; 127 is `scale`. */
  values: string
  /** The largest absolute value. */
  scale: number
  /** Three bytes each, in base64: places among the units of the column before and of this one, and the contribution, with a sign; 127 is the largest. */
  edges: string
}

/** An attribution. `playground.inference.attribution` */
export interface AttributionJson {
  /** Signed bytes in base64, row by row, of which 127 stands for `bound`. */
  values: string
  width: number
  height: number
  signed: boolean
  bound: number
  note: string
}

/** A calculation; a number that is not finite is None. `playground.inference.arithmetic.calculation` */
export interface CalculationJson {
  formula: string
  /** Index of the value in the layer's output. */
  place: number[]
  result: number | null
  terms: TermJson[]
  bias: number | null
  steps: StepJson[]
  /** Shape in which the terms are laid out. */
  grid: number[]
  /** Rows and columns of the input, each as (first, last + 1). */
  region: [[number, number], [number, number]] | null
  channel: number | null
  children: ChildJson[]
}

/** A term; a number that is not finite is None. `playground.inference.arithmetic.calculation` */
export interface TermJson {
  /** Index of the value in the layer's input; None in the padding. */
  place: number[] | null
  value: number | null
  /** Also None if the term is not a product. */
  weight: number | null
  product: number | null
  /** Index of the input value that the padding copies. */
  copied?: number[]
}

/** An intermediate result; a number that is not finite is None. `playground.inference.arithmetic.calculation` */
export interface StepJson {
  name: string
  value: number | null
}

/** The calculation of an inner layer of a block. `playground.inference.arithmetic.calculation` */
export interface ChildJson {
  formula: string
  /** Index of the value in the layer's output. */
  place: number[]
  result: number | null
  terms: TermJson[]
  bias: number | null
  steps: StepJson[]
  /** Shape in which the terms are laid out. */
  grid: number[]
  /** Rows and columns of the input, each as (first, last + 1). */
  region: [[number, number], [number, number]] | null
  channel: number | null
  children: ChildJson[]
  name: string
}

/** The layers of a network, without an image. `playground.server.routes.drawing` */
export interface NetworkLayers {
  layers: Layer[]
}

/** A layer without its values; a receptive field is None where input or output is not an image. `playground.inference.activations` */
export interface Layer {
  index: number
  type: string
  settings: string
  shape: number[]
  /** In the network's input. */
  receptive_field: Ranges | null
  /** In the layer's own input. */
  window: Ranges | null
}

/** For each row and each column of a layer's output, the range of rows or columns, (first, last + 1), that can influence it. `playground.inference.activations` */
export interface Ranges {
  rows: [number, number][]
  columns: [number, number][]
}

/** The input of a network and the output of each of its layers. `playground.server.routes.drawing` */
export interface Activations {
  outputs: Output[]
}

/** The values of a layer, perhaps not all of them. `playground.inference.activations` */
export interface Output {
  shape: number[]
  low: number
  high: number
  /** float16 in base64; at most the first `MAX_MAPS` feature maps. */
  values: string
}

/** How one value was computed. `playground.server.routes.drawing` */
export interface WrittenValue {
  calculation: CalculationJson
  /** Rows and columns of the network's input, each as (first, last + 1). */
  receptive_field: [[number, number], [number, number]] | null
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
