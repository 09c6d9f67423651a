// Written by `make declarations`; see playground/ui/components/declarations.py.

/** The `data` of the component. `playground.ui.components.network_builder` */
export interface BuilderData {
  /** The name and the title of each weight initialisation. */
  starts: [string, string][]
  network: SavedNetwork
  presets: SavedNetwork[]
  datasets: BuilderDataset[]
  /** Empty for none. */
  dataset: string
  device: string
}

/** A network as it is saved; one that was written elsewhere may lack the texts. `playground.network.spec` */
export interface SavedNetwork {
  name: string
  title?: string
  summary?: string
  source?: string
  input_shape: number[]
  /** Of each its `type` and the parameters that are set; on the Network page one may be `off`. */
  layers: (Record<string, number | boolean | string>)[]
}

/** A data set that a network can be built for. `playground.ui.components.network_builder` */
export interface BuilderDataset {
  name: string
  title: string
  input_shape: number[]
  classes: number
}

/** A kind of layer. `playground.network.analysis` */
export interface LayerKind {
  name: string
  title: string
  group: string
  group_title: string
  summary: string
  /** Import path of its class. */
  module: string
  /** Of one input sample. */
  ranks: number[]
  /** Of the glossary, which says more; empty for none. */
  term: string
  params: LayerParam[]
}

/** A parameter of a kind of layer. `playground.network.analysis` */
export interface LayerParam {
  name: string
  kind: "int" | "float" | "bool" | "choice"
  default: number | boolean | string
  low: number
  high: number
  choices: string[]
  /** What it means. */
  help: string
  /** Of the glossary, which says more; empty for none. */
  term: string
}

/** An analysed network. `playground.network.analysis` */
export interface NetworkAnalysis {
  /** Whether the document is a network. */
  valid: boolean
  /** Why it is not. */
  problems: string[]
  /** Whether every layer fits and the network is small enough to be built. */
  fits: boolean
  /** Why it is not. */
  refusal: string
  /** Empty where the document is not a network, as is the advice. */
  steps: LayerAnalysis[]
  totals: NetworkTotals | null
  advice: NetworkHint[]
}

/** One layer of an analysed network; shapes and costs are those of one sample. `playground.network.analysis` */
export interface LayerAnalysis {
  index: number
  type: string
  title: string
  group: string
  /** Import path of its class. */
  module: string
  /** All parameters. */
  params: Record<string, number | boolean | string>
  /** Those in the document. */
  set: Record<string, number | boolean | string>
  in_shape: number[] | null
  out_shape: number[] | null
  parameters: number
  /** The formula of their number. */
  arithmetic: string
  multiply_adds: number
  /** The formula of their number. */
  multiply_arithmetic: string
  size_formula: string
  /** Of the output. */
  bytes: number
  receptive_field: LayerField | null
  /** Why the layer does not fit; empty for all but the first that does not. */
  error: string
  fixes: LayerFix[]
}

/** The receptive field of a layer. `playground.network.analysis` */
export interface LayerField {
  height: FieldExtent
  width: FieldExtent
  /** Whether every value depends on the whole image. */
  covers_image: boolean
}

/** The extent of a receptive field along one axis of the input image, in pixels. `playground.network.analysis` */
export interface FieldExtent {
  size: number
  /** Distance between the fields of neighbouring outputs; 0 where all have the same field, null where the distances differ. */
  effective_stride: number | null
  /** Of the first output; negative in the padding. */
  start: number
}

/** A change of a network that solves a problem. `playground.network.analysis` */
export interface LayerFix {
  title: string
  /** All layers of the changed network. */
  layers: (Record<string, number | boolean | string>)[]
  /** Its input shape; null where it stays. */
  input_shape: number[] | null
}

/** Sums over all layers of a network. `playground.network.analysis` */
export interface NetworkTotals {
  parameters: number
  /** For one sample. */
  multiply_adds: number
  /** For one sample. */
  activation_bytes: number
  disk_bytes: number
  layers: number
}

/** One hint about a network. `playground.network.analysis` */
export interface NetworkHint {
  /** The rule, such as `softmax-before-loss`. */
  kind: string
  /** Null for the whole network. */
  layer: number | null
  /** The mistake, with its values. */
  text: string
  /** Why it is a mistake and what to do, with terms of the glossary in double brackets. */
  reason: string
  fixes: LayerFix[]
}

/** An analysed network that fits, with its code. `playground.server.routes.networks` */
export interface FittingNetwork {
  /** Whether the document is a network. */
  valid: boolean
  /** Why it is not. */
  problems: string[]
  /** Whether every layer fits and the network is small enough to be built. */
  fits: boolean
  /** Why it is not. */
  refusal: string
  /** Empty where the document is not a network, as is the advice. */
  steps: LayerAnalysis[]
  totals: NetworkTotals | null
  advice: NetworkHint[]
  module: string
  sequential: string
  /** With the preset of its name; null where there is none. */
  compared: PresetDifference[] | null
}

/** One difference of a network from a preset. `playground.server.routes.networks` */
export interface PresetDifference {
  kind: "input_shape" | "added" | "removed" | "changed" | "parameters"
  text: string
  /** Of the layer in the network; null where the network lacks it. */
  index: number | null
  /** Of the layer in the preset; null where the preset lacks it. */
  reference_index: number | null
  /** More than the preset has, negative for fewer; 0 for all kinds but `parameters`. */
  extra_parameters: number
}

/** A network that was read from code. `playground.pasted.task_types` */
export interface ReadNetwork {
  network: SavedNetwork
  notes: string[]
  /** All networks of the code. */
  candidates: NetworkOfCode[]
  /** Which of them this one is. */
  chosen: number
  missing: MissingArgument[]
}

/** One of several networks of a text. `playground.pasted.task_types` */
export interface NetworkOfCode {
  name: string
  line: number | null
}

/** An argument of a network's constructor that the code does not give. `playground.pasted.task_types` */
export interface MissingArgument {
  name: string
  /** The value used instead. */
  value: boolean | number | string
}

/** One batch through an untrained network. `playground.inference.batch_outputs` */
export interface BatchOutputs {
  layers: LayerStatistics[]
  /** The network at work on the first sample, in evaluation mode. */
  picture: NetworkPicture
  /** Of the data set; empty for random samples. */
  classes: string[]
  /** One sentence about the source of the batch. */
  data: string
}

/** The activations of a layer on a batch. `playground.inference.batch_outputs` */
export interface LayerStatistics {
  /** None where no value is finite. */
  mean: number | null
  std: number | null
  /** The share of exact zeros. */
  zeros: number
  /** Where the first bin begins. */
  low: number
  /** Where the last bin ends. */
  high: number
  counts: number[]
  index: number
  type: string
}

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

/** One value of a layer's output for the first sample of the batch. `playground.inference.batch_outputs` */
export interface BatchValue {
  place: number[]
  calculation: CalculationJson
  /** The feature map that it lies in; null where the output has none, or a very large one. */
  map: number[][] | null
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
