import type { Query } from "../shared/client.js"

/** A request for data of the run; null where the server has nothing new. Rejects where it refuses. */
export type Ask = (path: string, query?: Query) => Promise<any>

/** The data of the component: `playground.ui.components.training_monitor.training_monitor`. */
export interface Data {
  run: string
  title: string
  config: Config
  classes: string[]
  /** Name and title of each optimizer that the run can change to. */
  optimizers: [name: string, title: string][]
}

/** The settings of a run: `playground.training.config.TrainConfig.to_dict`. Named are those that the views use. */
export interface Config {
  learning_rate: number
  optimizer: string
  epochs: number
  betas: [number, number]
  precision: string
  [setting: string]: unknown
}

/** `playground.runs.run.State` */
export type State = "queued" | "running" | "paused" | "finished" | "stopped" | "failed" | "interrupted"

/** What the live view shows of a run: `playground.runs.views.curves.curves`, with `version` and `steerable` from `playground.server.routes.runs`. */
export interface LiveRun {
  version: string
  state: State
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
  changes: Change[]
  parent: { run: string; step: number } | null
  /** Their steps. */
  checkpoints: number[]
  /** Whether the learner may control the run. */
  steerable: boolean
}

/** The columns of the training curves, without any before the first step: `playground.runs.views.curves._batches`. */
export type Batches = Partial<Record<"step" | "seconds" | "learning_rate" | "loss" | "accuracy" | "loss_low" | "accuracy_low" | "loss_high" | "accuracy_high", number[]>>

/** The columns of the evaluations: `playground.runs.views.curves._tests`. */
export type Tests = Record<"step" | "seconds" | "loss" | "accuracy" | "train_loss" | "train_accuracy", number[]>

/** A change by the learner during training: `playground.runs.views.curves.curves`. */
export type Change = { step: number; learning_rate: number } | { step: number; optimizer: string }

/** The settings that a fork changes: `playground.runs.branching.fork`. */
export type ForkChanges = Partial<Pick<Config, "learning_rate" | "optimizer" | "epochs">>

/** A vertical line in the curves. */
export interface Mark {
  step: number
  kind: "change" | "fork" | "coach"
  text: string
}

/** The findings of the coach: `playground.server.routes.runs._findings`. */
export interface Judgement {
  version: string
  findings: Finding[]
}

/** `playground.runs.coach.finding.as_json` */
export interface Finding {
  name: string
  title: string
  evidence: string
  why: string
  advice: string
  severity: "problem" | "hint"
  step: number
  layer: number
  explains: string[]
  remedies: { label: string; changes: Record<string, unknown>; network: string; start: "fresh" | "fork"; at: number }[]
}

/** The layers and the gallery over the steps: `playground.runs.views.inside.inside`. */
export interface Inside {
  version: string
  layers: Layer[]
  steps: number[]
  /** Their steps. */
  snapshots: number[]
  /** Whether the snapshots have images of the first layer's filters. */
  filters: boolean
  /** For each layer what the newest snapshot has histograms of; empty without a snapshot. */
  histograms: string[][]
  gallery: Gallery
}

/** A layer's statistics over the steps: `playground.runs.views.inside.inside`; null where the layer has none. */
export interface Layer {
  index: number
  type: string
  gradient: (number | null)[] | null
  ratio: (number | null)[] | null
  std: (number | null)[] | null
  dead: (number | null)[] | null
}

/** Test images with the probabilities of each class in thousandths, for each snapshot: `playground.runs.views.inside._gallery`. */
export interface Gallery {
  /** (count, channels, height, width) */
  shape: number[]
  pixels: string
  labels: number[]
  classes: string[]
  predictions: number[][][]
}

/** One histogram for each snapshot: `playground.runs.views.inside.histogram`. */
export interface Histograms {
  steps: number[]
  low: number[]
  high: number[]
  counts: number[][]
}

/** `playground.runs.views.inside.filters` */
export interface Filters {
  step: number
  /** (count, channels, height, width) */
  shape: number[]
  bound: number
  pixels: string
}

/** One iteration: `playground.training.instruments.closeup.describe`, with `types` from `playground.server.routes.runs.run_closeup`. Null is a non-finite value. */
export interface Closeup {
  step: number
  /** The optimizer's name in a configuration. */
  optimizer: string
  learning_rate: number | null
  /** The number of all images. */
  batch: number
  /** (shown images, channels, height, width) */
  shape: number[]
  pixels: string
  labels: number[]
  input: Facts
  logits: (number | null)[][]
  probabilities: (number | null)[][]
  losses: (number | null)[]
  loss: number | null
  /** For each layer the norm of the gradient that was cleared; null if it had none. */
  erased: (number | null)[]
  layers: { shape: number[]; output: Facts; parameters: Parameter[] }[]
  before: number | null
  after: number | null
  /** The type of each layer. */
  types: string[]
}

/** `playground.training.instruments.closeup._facts` */
export type Facts = Record<"low" | "high" | "mean" | "std" | "zeros", number | null>

/** Norms of a parameter, and the arithmetic of its element with the largest update: `playground.training.instruments.closeup._parameter`. */
export interface Parameter {
  name: string
  shape: number[]
  weight: number | null
  gradient: number | null
  update: number | null
  example: Example
}

export interface Example {
  place: number[]
  before: number | null
  gradient: number | null
  update: number | null
  after: number | null
  /** The optimizer's state of the element, as far as it has one. */
  memory: { step?: number | null; mean?: number | null; square?: number | null; momentum?: number | null }
}
