// Written by `make declarations`; see playground/ui/components/declarations.py.

/** The `data` of the component. `playground.ui.components.training_monitor` */
export interface MonitorData {
  run: string
  /** That of the learner, else one that follows from its settings. */
  name: string
  config: RunSettings
  classes: string[]
  /** Name and title of each optimizer that the run can change to. */
  optimizers: [string, string][]
  /** Title of each layer. */
  layers: string[]
  parameters: number
  /** Whether the network can be drawn for. */
  reads_digits: boolean
}

/** The settings of a run that the views use. `playground.ui.components.training_monitor` */
export interface RunSettings {
  learning_rate: number
  optimizer: string
  epochs: number
  /** Images in a step. */
  batch_size: number
  betas: [number, number]
  precision: string
  /** Title of the schedule of the learning rate; empty if it is constant. */
  schedule: string
}

/** What the live view shows of a run. `playground.server.routes.runs` */
export interface LiveRun {
  state: "queued" | "running" | "paused" | "finished" | "stopped" | "failed" | "interrupted"
  /** Why the run failed; empty if it did not. */
  message: string
  /** Place in the queue, counted from 1; 0 if it is not queued. */
  queue: number
  step: number
  /** 0 before the start, as `per_epoch`. */
  total_steps: number
  per_epoch: number
  seconds: number
  seconds_left: number | null
  images_per_second: number
  learning_rate: number | null
  /** The optimizer that the learner changed to last; empty if it is still the configuration's. */
  optimizer: string
  test_accuracy: number | null
  batches: Batches
  tests: Tests
  /** By the learner. */
  changes: (RateChange | OptimizerChange)[]
  parent: ForkPoint | null
  /** Their steps. */
  checkpoints: number[]
  /** Whether the learner may control the run. */
  steerable: boolean
  version: string
}

/** The columns of the training curves; none before the first step. `playground.runs.views.curves` */
export interface Batches {
  /** The last one of each point. */
  step?: number[]
  seconds?: number[]
  learning_rate?: number[]
  loss?: number[]
  accuracy?: number[]
  loss_low?: number[]
  accuracy_low?: number[]
  loss_high?: number[]
  accuracy_high?: number[]
}

/** The columns of the evaluations. `playground.runs.views.curves` */
export interface Tests {
  step: number[]
  seconds: number[]
  loss: number[]
  accuracy: number[]
  train_loss: number[]
  train_accuracy: number[]
}

/** A change of the learning rate during training. `playground.runs.views.curves` */
export interface RateChange {
  step: number
  learning_rate: number
}

/** A change of the optimizer during training. `playground.runs.views.curves` */
export interface OptimizerChange {
  step: number
  optimizer: string
}

/** Where a run was forked from another. `playground.runs.views.curves` */
export interface ForkPoint {
  run: string
  step: number
}

/** The findings of the coach. `playground.server.routes.runs` */
export interface Judgement {
  findings: ReportedFinding[]
  version: string
}

/** A fault of a run, or something to try with a healthy one, as a page shows it. `playground.runs.coach.finding` */
export interface ReportedFinding {
  name: string
  title: string
  evidence: string
  why: string
  advice: string
  severity: "problem" | "hint" | "idea"
  step: number
  /** Index of the layer in which it shows; -1 for none in particular. */
  layer: number
  /** Titles of further faults that follow from this one. */
  explains: string[]
  /** Best first. */
  remedies: ProposedRemedy[]
  /** Sets back the learner's own change that caused it; empty if there is nothing to set back. */
  undo: UndoCommand[]
  /** Its text on the curves. */
  mark: string
}

/** A run that would do better, as a page offers it. `playground.runs.coach.finding` */
export interface ProposedRemedy {
  id: string
  label: string
  /** Settings that differ from the run's. */
  changes: Record<string, unknown>
  /** Name of the network to train instead; empty for the run's own. */
  network: string
  start: "fresh" | "fork"
  /** Step of the checkpoint to continue from; -1 to train from the start. */
  at: number
}

/** A command to the run that sets back what the learner changed. `playground.runs.coach.finding` */
export interface UndoCommand {
  command: "learning-rate" | "optimizer"
  value: number | string
}

/** The network at one step. `playground.server.routes.runs` */
export interface Moment {
  /** Of the layer statistics; 0 before the first. */
  step: number
  /** For each layer the norm of its gradient; null where it has none. */
  gradients: (number | null)[]
  /** Norm of the update of all parameters ÷ their norm. */
  movement: number | null
  /** The steps of all snapshots. */
  snapshots: number[]
  /** For each image of the gallery the probability of each class, in thousandths; empty before the first snapshot. */
  predictions: number[][]
  /** Of the first layer, if they can be shown. */
  filters: Filters | null
  version: string
}

/** The first layer's weights as images, in one snapshot. `playground.runs.views.inside` */
export interface Filters {
  step: number
  /** (count, channels, height, width) */
  shape: number[]
  /** The largest magnitude. */
  bound: number
  /** A byte each in base64: 128 for zero, 1 and 255 for minus and plus the bound. */
  pixels: string
}

/** The layers over the steps. `playground.server.routes.runs` */
export interface Inside {
  layers: Layer[]
  steps: number[]
  /** For each layer what the newest snapshot has histograms of; empty without a snapshot. */
  histograms: string[][]
  version: string
}

/** A layer's statistics over the steps; null where the layer has none. `playground.runs.views.inside` */
export interface Layer {
  index: number
  type: string
  gradient: (number | null)[] | null
  /** Update ÷ weights. */
  ratio: (number | null)[] | null
  std: (number | null)[] | null
  dead: (number | null)[] | null
}

/** Test images whose predictions are recorded. `playground.runs.views.inside` */
export interface Gallery {
  /** (count, channels, height, width) */
  shape: number[]
  /** A byte each in base64. */
  pixels: string
  labels: number[]
  classes: string[]
}

/** One histogram of a layer for each snapshot. `playground.runs.views.inside` */
export interface Histograms {
  steps: number[]
  low: number[]
  high: number[]
  counts: number[][]
}

/** Everything that one iteration computed. `playground.training.instruments.closeup` */
export interface RecordedStep {
  step: number
  /** Its name in a configuration. */
  optimizer: string
  learning_rate: number | null
  /** The number of all images. */
  batch: number
  /** (shown images, channels, height, width) */
  shape: number[]
  /** A byte each in base64. */
  pixels: string
  /** Of the shown images, as the three below. */
  labels: number[]
  /** Of what the network received. */
  input: ValueFacts
  logits: ((number | null)[])[]
  probabilities: ((number | null)[])[]
  losses: (number | null)[]
  /** Their mean over all images. */
  loss: number | null
  /** For each layer the norm of the gradient that was cleared; null if it had none. */
  erased: (number | null)[]
  layers: RecordedLayer[]
  /** None if the first layer has none that can be shown; missing in records of earlier versions. */
  filter?: RecordedFilter | null
  /** The loss of the batch before the step, without dropout … */
  before: number | null
  /** … and after it. */
  after: number | null
}

/** Facts about the values of a tensor; null is a non-finite value, here and below. `playground.training.instruments.closeup` */
export interface ValueFacts {
  low: number | null
  high: number | null
  mean: number | null
  std: number | null
  /** Share of them that are 0. */
  zeros: number | null
}

/** What an iteration computed in one layer. `playground.training.instruments.closeup` */
export interface RecordedLayer {
  /** Of the output of one image. */
  shape: number[]
  output: ValueFacts
  parameters: Parameter[]
}

/** Norms of a parameter. `playground.training.instruments.closeup` */
export interface Parameter {
  name: string
  shape: number[]
  weight: number | null
  gradient: number | null
  update: number | null
  /** Its element with the largest update. */
  example: Example
}

/** The arithmetic of one element of a parameter. `playground.training.instruments.closeup` */
export interface Example {
  place: number[]
  before: number | null
  gradient: number | null
  update: number | null
  after: number | null
  memory: Memory
}

/** The optimizer's state of one element, as far as it has one. `playground.training.instruments.closeup` */
export interface Memory {
  step?: number | null
  mean?: number | null
  square?: number | null
  momentum?: number | null
}

/** The filter of the first layer whose weights moved most, or the weights of one of its units as an image. `playground.training.instruments.closeup` */
export interface RecordedFilter {
  layer: number
  /** Which of the layer's filters. */
  index: number
  /** (channels, height, width) */
  shape: number[]
  /** Its weights before the step, row by row. */
  before: (number | null)[]
  update: (number | null)[]
}

/** A new run, a fork or a remedy, that has been submitted. `playground.server.routes.runs` */
export interface StartedRun {
  run: string
}
