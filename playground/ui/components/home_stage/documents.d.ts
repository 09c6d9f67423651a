// Written by `make declarations`; see playground/ui/components/declarations.py.

/** The `data` of the component. `playground.ui.components.home_stage` */
export interface HomeData {
  /** Rows of pixels of a drawing as the server gets it. */
  side: number
  recording: string
  /** A run of the learner, whose network is shown instead of the recorded one. */
  model: string | null
  classes: string[]
  cards: Card[]
  latest: LatestRun | null
}

/** What one can do next. `playground.ui.components.home_stage` */
export interface Card {
  title: string
  text: string
  /** The name of the page that it leads to. */
  page: string
}

/** The learner's latest run. `playground.ui.components.home_stage` */
export interface LatestRun {
  run: string
  name: string
  /** On the test images, if it was evaluated. */
  accuracy: number | null
}

/** A recorded training. `playground.inference.recording` */
export interface Recording {
  network: SavedNetwork
  dataset: string
  train_size: number
  test_size: number
  classes: string[]
  /** Factor of a pixel from 0 to 255 … */
  scale: number
  /** … and what is added then, before the network gets it. */
  shift: number
  /** Names and shapes, in the order of the weights. */
  parameters: [string, number[]][]
  snapshots: Snapshot[]
  /** The command, and the version of PyTorch that ran it. */
  made_by: string
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

/** The network at one step, with the figures of the weights as they are stored here. `playground.inference.recording` */
export interface Snapshot {
  step: number
  /** Training images that it has processed until then, counted each time. */
  images: number
  /** On the test images. */
  loss: number
  /** On the test images. */
  accuracy: number
  /** All parameters one behind another, as bytes with a sign in base64; 127 is the scale of the parameter. */
  weights: string
  /** Of each parameter its largest absolute value. */
  scales: number[]
}

/** The progress of a run. `playground.server.routes.home` */
export interface FollowedRun {
  name: string
  step: number
  /** 0 before the run has started. */
  total_steps: number
  /** On the test images, at the last evaluation. */
  accuracy: number | null
  /** Whether it has a checkpoint, whose network can classify. */
  has_network: boolean
  /** Whether it trains no further. */
  is_over: boolean
}
