import type { Query } from "../shared/client.js"

/** A request for data of the evaluation; null where the server refuses or another network is shown by now. */
export type Ask = (path: string, query?: Query) => Promise<any>

/** One of the views: `take` gets an evaluation, `show` draws it when the view is opened. */
export interface View {
  box: HTMLElement
  take(evaluation: Summary): void
  show(): unknown
  close?(): void
}

/** The evaluation of a network on all test images: `playground.inference.evaluation.summary`. */
export interface Summary {
  model: string
  /** Title of the data set. */
  dataset: string
  /** Their number. */
  images: number
  leakage: string
  accuracy: number
  loss: number
  classes: string[]
  /** A row for each true class, a column for each predicted one. */
  confusion: number[][]
  table: ClassScores[]
  macro: Average
  weighted: Average
  calibration: Calibration
}

/** `playground.inference.evaluation._scores_as_json`; null is an undefined score. */
export interface ClassScores {
  class: string
  support: number
  precision: number | null
  recall: number | null
  f1: number | null
}

/** `playground.inference.metrics.Average` */
export interface Average {
  precision: number
  recall: number
  f1: number
}

/** `playground.inference.evaluation._calibration_as_json`; an empty bin has neither confidence nor accuracy. */
export interface Calibration {
  bins: { low: number; high: number; count: number; confidence: number | null; accuracy: number | null }[]
  expected_error: number
  maximum_error: number
  mean_confidence: number
}

/** Test images with their predictions: `playground.inference.evaluation.pictures`, with `total` and `offset` from `playground.server.routes.evaluation.pictures`. */
export interface Pictures {
  index: number[]
  /** (channels, height, width) of each */
  shape: number[]
  pixels: string
  labels: number[]
  predictions: number[]
  confidence: number[]
  /** For each image the most probable classes with their probabilities. */
  top: [label: number, probability: number][][]
  /** How many images pass the filter. */
  total: number
  offset: number
}

/** Projected features: `playground.inference.projection.points`. */
export interface Points {
  method: "pca" | "tsne"
  dimensions: 2 | 3
  coordinates: number[][]
  /** For PCA the explained variance ratio of each axis. */
  variance: number[]
  /** What is unusual about the projection; empty otherwise. */
  note: string
  index: number[]
  labels: number[]
  predictions: number[]
  confidence: number[]
  classes: string[]
  /** The layout of the picture with all images. */
  sheet: { columns: number; width: number; height: number }
}
