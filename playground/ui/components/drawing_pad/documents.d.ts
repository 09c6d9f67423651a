// Written by `make declarations`; see playground/ui/components/declarations.py.

/** The `data` for digits to draw. `playground.ui.components.drawing_pad` */
export interface DrawingData {
  models: Network[]
  classes: string[]
  methods: Method[]
  /** Rows of pixels of a drawing as the server gets it. */
  side: number
  /** How many times wider than high the canvas for several digits is. */
  wide: number
  drawing: Drawing | null
}

/** A network that predicts. `playground.ui.components.drawing_pad` */
export interface Network {
  /** Of a trained network, or the identifier of a run. */
  name: string
  title: string
}

/** An attribution method. `playground.ui.components.drawing_pad` */
export interface Method {
  name: string
  title: string
  explains: string
}

/** The strokes on both canvases. `playground.ui.components.drawing_pad` */
export interface Drawing {
  mode: "one" | "several"
  papers: Record<"one" | "several", Stroke[]>
  /** What was last cleared and can be brought back. */
  cleared?: Record<"one" | "several", Stroke[]>
}

/** A stroke of the pen, in thousandths of the canvas's height. `playground.ui.components.drawing_pad` */
export interface Stroke {
  width: number
  /** Right, down. */
  points: [number, number][]
}

/** The `data` for pictures to choose. `playground.ui.components.drawing_pad` */
export interface PictureData {
  models: Network[]
  classes: string[]
  methods: Method[]
  picture: true
}

/** The predictions for a drawing or a picture. `playground.server.routes.drawing` */
export interface Predictions {
  /** The digits from left to right. */
  pieces: (DigitPiece | PicturePiece)[]
  /** Number of digits that lie apart, without signs. */
  digit_count: number
  /** How the ink was found, if it is one of handwriting. */
  photograph?: PhotographSteps
}

/** A digit with its predictions. `playground.server.routes.drawing` */
export interface DigitPiece {
  answers: Answer[]
  steps: Steps
  /** Of several digits: top, bottom, left and right as fractions of the height of the canvas or the photograph. */
  box?: [number, number, number, number]
  /** Of several digits: a sign stands between them as one of them, and no network is asked about it. */
  kind?: "digit" | "dot" | "comma" | "minus" | "plus"
  /** Of a photograph: the line of writing, counted from 0. */
  line?: number
}

/** The prediction of one network. `playground.server.routes.drawing` */
export interface Answer {
  label: string
  /** None for a sign. */
  probabilities: number[]
  /** Why it should not be trusted; empty where it can be. */
  warning: string
}

/** The images that the preprocessing steps result in. `playground.server.routes.drawing` */
export interface Steps {
  cropped: GreyImage
  fitted: GreyImage
  centred: GreyImage
}

/** An image. `playground.server.routes.drawing` */
export interface GreyImage {
  width: number
  height: number
  /** A byte for each pixel, in base64. */
  values: string
}

/** A picture with its predictions. `playground.server.routes.drawing` */
export interface PicturePiece {
  answers: Answer[]
  steps: Record<string, never>
  /** The input of the first network. */
  seen: NetworkInput
}

/** The image that a network gets. `playground.server.routes.drawing` */
export interface NetworkInput {
  shape: number[]
  /** A byte for each channel of each pixel, in base64. */
  values: string
}

/** A photograph on the way to its ink. `playground.server.routes.drawing` */
export interface PhotographSteps {
  grey: GreyImage
  evened: GreyImage
  ink: GreyImage
}

/** All stored drawings of the learner, the oldest first. `playground.server.routes.fine_tuning` */
export interface OwnDrawings {
  drawings: OwnDrawing[]
}

/** A stored drawing of the learner. `playground.server.routes.fine_tuning` */
export interface OwnDrawing {
  label: string
  /** The class that the network predicted; may be empty. */
  predicted: string
  /** 28×28 bytes in base64. */
  image: string
}

/** The run that fine-tunes a network. `playground.server.routes.fine_tuning` */
export interface StartedRun {
  run: string
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

/** A network before and after fine-tuning. `playground.inference.fine_tuning` */
export interface Comparison {
  drawings: ComparedDrawing[]
  /** Title of the test set. */
  dataset: string
  /** Size of the test set. */
  images: number
  accuracy: Accuracies
  /** Those whose accuracy fell most. */
  forgotten: ForgottenClass[]
  /** Those whose accuracy on the test images fell most, or rose least. */
  rivals: RivalClass[]
}

/** The predictions for a drawing before and after fine-tuning. `playground.inference.fine_tuning` */
export interface ComparedDrawing {
  /** The true digit. */
  label: string
  before: Outcome
  after: Outcome
}

/** The prediction of one network for a drawing. `playground.inference.fine_tuning` */
export interface Outcome {
  /** The predicted class. */
  label: string
  probability: number
  /** The probability of the true digit. */
  true_probability: number
}

/** The accuracy on the test set before and after fine-tuning. `playground.inference.fine_tuning` */
export interface Accuracies {
  before: number
  after: number
}

/** A class whose accuracy fell. `playground.inference.fine_tuning` */
export interface ForgottenClass {
  class: string
  /** Number of images that are no longer classified correctly. */
  lost: number
  /** Number of all its images. */
  of: number
}

/** The class that the drawings of a taught digit most probably were before, beside the true one: what it learns may cost this class. `playground.inference.fine_tuning` */
export interface RivalClass {
  class: string
  /** The taught digit. */
  label: string
  /** Test images of the rival. */
  tested: Counts
  /** The rival drawn by other hands. */
  drawn: Counts
}

/** Number of correctly classified images before and after fine-tuning. `playground.inference.fine_tuning` */
export interface Counts {
  before: number
  after: number
  /** Number of all images. */
  of: number
}
