// The JSON that the Network page gets from Streamlit and from the server.

/** The value of one parameter of a layer: `Value` of playground/network/types.py. */
export type Value = number | boolean | string

/** A layer with the parameters that are set, from `LayerSpec.to_dict` of playground/network/spec.py; the builder's own may be `off`. */
export type SavedLayer = { type: string; off?: boolean } & Record<string, Value>

/** A network, from `NetworkSpec.to_dict` of playground/network/spec.py, or from `_keep` of playground/ui/pages/network.py, which has no texts. */
export interface SavedNetwork {
  name: string
  title?: string
  summary?: string
  source?: string
  input_shape: number[]
  layers: SavedLayer[]
}

/** The `data` of the component, from `network_builder` of playground/ui/components/network_builder/__init__.py. */
export interface BuilderData {
  /** The name and the title of each weight initialisation. */
  starts: [string, string][]
  network: SavedNetwork
  presets: SavedNetwork[]
  shapes: number[][]
  dataset: string
  device: string
}

/** What a request returns that failed. */
export interface Failure {
  error: string
}

/** A parameter of a layer type, from `describe_layer_types` of playground/network/analysis.py. */
export interface Param {
  name: string
  kind: "int" | "float" | "bool" | "choice"
  default: Value
  low: number
  high: number
  choices: string[]
  summary: string
  help: string
}

/** A layer type, from `describe_layer_types` of playground/network/analysis.py. */
export interface LayerType {
  name: string
  title: string
  group: string
  summary: string
  module: string
  ranks: number[]
  params: Param[]
}

/** A changed network that solves a problem, from `_fix_as_json` of playground/network/analysis.py. */
export interface Fix {
  title: string
  layers: SavedLayer[]
}

/** `Extent` of playground/network/receptive_fields.py. */
export interface Extent {
  size: number
  effective_stride: number | null
  start: number
}

/** `ReceptiveField` of playground/network/receptive_fields.py. */
export interface ReceptiveField {
  height: Extent
  width: Extent
  covers_image: boolean
}

/** One layer of an analysed network, from `_describe_step` of playground/network/analysis.py. */
export interface Step {
  index: number
  type: string
  title: string
  group: string
  module: string
  params: Record<string, Value>
  set: Record<string, Value>
  in_shape: number[] | null
  out_shape: number[] | null
  parameters: number
  arithmetic: string
  multiply_adds: number
  multiply_arithmetic: string
  size_formula: string
  bytes: number
  receptive_field: ReceptiveField | null
  error: string
  fixes: Fix[]
}

/** `Totals` of playground/network/totals.py. */
export interface Totals {
  parameters: number
  multiply_adds: number
  activation_bytes: number
  disk_bytes: number
  layers: number
}

/** `Advice` of playground/network/advice.py. */
export interface Advice {
  kind: string
  layer: number | null
  text: string
  reason: string
  fixes: Fix[]
}

/** `Difference` of playground/network/differences.py. */
export interface Difference {
  kind: "input_shape" | "added" | "removed" | "changed" | "parameters"
  text: string
  index: number | null
  reference_index: number | null
  extra_parameters: number
}

/** An analysed network, from `_analyse` of playground/server/routes/networks.py; the last three only where it `fits`. */
export interface Analysis {
  valid: boolean
  problems: string[]
  fits: boolean
  refusal: string
  steps: Step[]
  totals: Totals | null
  advice: Advice[]
  module?: string
  sequential?: string
  compared?: Difference[] | null
}

/** A network that was read from code, from `_read` of playground/server/routes/networks.py. */
export interface Reading {
  network: SavedNetwork
  notes: string[]
}

/** Values from 0 to 255 in rows, from `feature_maps` of playground/inference/batch_outputs.py. */
export interface Plane {
  width: number
  height: number
  values: number[]
}

/** The feature maps of one sample, from `feature_maps` of playground/inference/batch_outputs.py. */
export interface FeatureMaps {
  shape: number[]
  low: number
  high: number
  planes: Plane[]
}

/** The activations of one layer, from `layer_statistics` of playground/inference/batch_outputs.py; no mean where no value is finite. */
export interface LayerStatistics {
  index: number
  type: string
  mean: number | null
  std: number | null
  zeros: number
  low: number
  high: number
  counts: number[]
  maps: FeatureMaps
}

/** One batch through a network, from `run_batch` of playground/inference/batch_outputs.py. */
export interface BatchOutputs {
  layers: LayerStatistics[]
  image: FeatureMaps
  data: string
}
