// What the component gets: its data from Python, and the JSON of the routes in server/routes/drawing.py and server/routes/fine_tuning.py.

import type { Query } from "../shared/client.js"

/** A point of a stroke: right, down. */
export type Point = [number, number]

/** A stroke of the pen, in thousandths of the canvas's height. */
export interface Stroke {
  width: number
  points: Point[]
}

/** The canvas for one digit, or the wide one for several. */
export type Mode = "one" | "several"

/** The strokes on both canvases: what the browser sends, and `state.DRAWING` holds. */
export interface Drawing {
  mode: Mode
  papers: Record<Mode, Stroke[]>
}

/** `name` of a trained network, or the identifier of a run. */
export interface Network {
  name: string
  title: string
}

/** An attribution method: `pad` in ui/pages/draw.py. */
export interface Method {
  name: string
  title: string
  explains: string
}

/** `_data` in ui/components/drawing_pad. */
interface Common {
  models: Network[]
  classes: string[]
  /** Without any, only the canvas for one digit and the prediction are shown. */
  methods: Method[]
}

/** `drawing_pad` in ui/components/drawing_pad. */
export interface DrawingData extends Common {
  picture?: undefined
  /** Rows of pixels of a drawing as the server gets it. */
  side: number
  /** How many times wider than high the canvas for several digits is. */
  wide: number
  drawing: Drawing | null
}

/** `picture_pad` in ui/components/drawing_pad. */
export interface PictureData extends Common {
  picture: true
}

export type Data = DrawingData | PictureData

/** The prediction of one network: `_predict_digit` and `_predict_image` in server/routes/drawing.py. */
export interface Answer {
  label: string
  probabilities: number[]
  /** Why it should not be trusted; empty where it can be. */
  warning: string
}

/** An image with one byte per pixel, in base64: `_picture` in server/routes/drawing.py. */
export interface GreyImage {
  width: number
  height: number
  values: string
}

/** Rows and columns as top, bottom, left, right; `bottom` and `right` are not included. */
export type Box = [top: number, bottom: number, left: number, right: number]

/** The preprocessing steps that result in an image. */
export type Step = "cropped" | "fitted" | "centred"

/** `_predict_digit` in server/routes/drawing.py; of several digits `_answers` adds the `box`, as fractions of the canvas's height. */
export interface Digit {
  answers: Answer[]
  steps: Record<Step, GreyImage>
  box?: Box
}

/** `_predict_image` in server/routes/drawing.py; `values` are bytes in base64. */
export interface Picture {
  answers: Answer[]
  steps: Record<string, never>
  seen: { shape: number[], values: string }
  box?: undefined
}

/** What the networks predict a class for. */
export type Piece = Digit | Picture

/** The first row or column, and the last one + 1. */
export type Range = [first: number, end: number]

/** The range for each row and each column of a layer's output: `_receptive_ranges` in inference/activations.py. */
export interface Ranges {
  rows: Range[]
  columns: Range[]
}

/** `describe_layers` in inference/activations.py; null where the input or the output is not an image. */
export interface Layer {
  index: number
  type: string
  settings: string
  shape: number[]
  receptive_field: Ranges | null
  window: Ranges | null
}

/** The values of a layer, perhaps not all of them, as float16 in base64: `_encode` in inference/activations.py. */
export interface Output {
  shape: number[]
  low: number
  high: number
  values: string
}

/** Index of a value in a layer's output: (map, row, column), (token, feature) or (number). */
export type Place = number[]

/** `_term` in inference/arithmetic/calculation.py; a number that is not finite is null. */
export interface Term {
  place: Place | null
  value: number | null
  weight: number | null
  product: number | null
  copied?: Place
}

/** `as_json` in inference/arithmetic/calculation.py; a number that is not finite is null. */
export interface Calculation {
  formula: string
  place: Place
  result: number | null
  terms: Term[]
  bias: number | null
  steps: { name: string, value: number | null }[]
  grid: number[]
  region: [rows: Range, columns: Range] | null
  channel: number | null
  children: (Calculation & { name: string })[]
}

/** `as_json` in inference/attribution.py; `values` are signed bytes in base64, of which 127 stands for `bound`. */
export interface Attribution {
  width: number
  height: number
  values: string
  signed: boolean
  bound: number
  note: string
}

/** What the routes of server/routes/drawing.py return, by the last part of their path. */
export interface Responses {
  answer: { pieces: Piece[], digit_count: number }
  network: { layers: Layer[] }
  layers: { outputs: Output[] }
  calculation: { calculation: Calculation, receptive_field: [rows: Range, columns: Range] | null }
  attribution: Attribution
}

/** Asks the server about the network or, with `withDrawing`, about the drawing; null where it reports an error, which is shown. */
export type Ask = <Path extends keyof Responses>(path: Path, query: Query, withDrawing?: boolean) => Promise<Responses[Path] | null>

/** A stored drawing of the learner: `_drawings_as_json` in server/routes/fine_tuning.py; `image` is 28×28 bytes in base64. */
export interface OwnDrawing {
  label: string
  /** The class that the network predicted; may be empty. */
  predicted: string
  image: string
}

/** The prediction of one network for a drawing: `_predictions` in inference/fine_tuning.py. */
interface Outcome {
  label: string
  probability: number
  true_probability: number
}

/** A network before and after fine-tuning: `compare_networks` in inference/fine_tuning.py. */
export interface Comparison {
  drawings: { label: string, before: Outcome, after: Outcome }[]
  dataset: string
  images: number
  accuracy: { before: number, after: number }
  forgotten: { class: string, lost: number, of: number }[]
}

/** What is needed here of `curves` in runs/views/curves.py. */
export interface Progress {
  state: "queued" | "running" | "paused" | "finished" | "stopped" | "failed" | "interrupted"
  message: string
  step: number
  total_steps: number
}
