// Written by `make declarations`; see playground/ui/components/declarations.py.

/** The `data` of the component. `playground.ui.components.evaluation_lab` */
export interface LabData {
  model: string
  dataset: string
}

/** The evaluation of a network on all test images. `playground.inference.evaluation` */
export interface Summary {
  model: string
  /** Title of the data set. */
  dataset: string
  /** Their number. */
  images: number
  /** One sentence on whether the network may have been trained on these images. */
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

/** The scores of a class; None is an undefined score. `playground.inference.evaluation` */
export interface ClassScores {
  class: string
  /** Number of images of this class. */
  support: number
  precision: number | null
  recall: number | null
  f1: number | null
}

/** The scores averaged over all classes. `playground.inference.evaluation` */
export interface Average {
  precision: number
  recall: number
  f1: number
}

/** A reliability diagram, and its errors. `playground.inference.evaluation` */
export interface Calibration {
  bins: Bin[]
  expected_error: number
  maximum_error: number
  mean_confidence: number
}

/** The predictions whose confidence lies in a range; an empty one has neither confidence nor accuracy. `playground.inference.evaluation` */
export interface Bin {
  low: number
  high: number
  count: number
  /** Their mean. */
  confidence: number | null
  accuracy: number | null
}

/** One page of the test images that pass a filter. `playground.server.routes.evaluation` */
export interface PicturePage {
  index: number[]
  /** (channels, height, width) of each. */
  shape: number[]
  /** A byte for each channel of each pixel, one image after another, in base64. */
  pixels: string
  labels: number[]
  predictions: number[]
  confidence: number[]
  /** For each image the most probable classes with their probabilities. */
  top: [number, number][][]
  /** How many images pass the filter. */
  total: number
  offset: number
}

/** What in an image is evidence for its predicted class, and for the class that it rivals with. `playground.server.routes.evaluation` */
export interface Evidence {
  /** The true class. */
  true: number
  /** The predicted class, and the true one, or where they are the same the second most probable. */
  classes: number[]
  /** For each of these classes. */
  attributions: AttributionJson[]
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

/** The features of a sample of test images, projected. `playground.inference.projection` */
export interface Points {
  method: "pca" | "tsne"
  /** 2 or 3. */
  dimensions: number
  coordinates: number[][]
  /** For PCA, the explained variance ratio of each axis. */
  variance: number[]
  /** What is unusual about the projection; empty otherwise. */
  note: string
  index: number[]
  labels: number[]
  predictions: number[]
  confidence: number[]
  classes: string[]
  /** Of the image with all of them. */
  sheet: SheetLayout
}

/** The layout of a sprite sheet; width and height are those of an image in it. `playground.inference.projection` */
export interface SheetLayout {
  columns: number
  width: number
  height: number
}
