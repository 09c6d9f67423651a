// Written by `make declarations`; see playground/ui/components/declarations.py.

/** The `data` of the component. `playground.ui.components.descent_race` */
export interface RaceData {
  /** The last is the learner's own. */
  surfaces: SurfaceData[]
  /** All that can race. */
  optimizers: string[]
  settings: RaceSettings
  /** Grows when the settings do not come from the component itself. */
  version: number
}

/** A loss of two parameters. `playground.ui.components.descent_race` */
export interface SurfaceData {
  name: string
  title: string
  /** The loss in `x` and `y`, as in a script. */
  expression: string
  x: [number, number]
  /** Limits of the drawn part along each axis. */
  y: [number, number]
  start: [number, number]
  learning_rate: number
  /** How many the optimizers can take. */
  steps: number[]
  usual_steps: number
}

/** What the learner can choose. `playground.ui.components.descent_race` */
export interface RaceSettings {
  surface: string
  /** The learner's own surface. */
  expression: string
  /** The learning rate. */
  rate: number
  momentum: number
  start: [number, number]
  steps: number
  optimizers: string[]
  /** Seen from above, or in three dimensions. */
  view: "map" | "surface"
}

/** A surface and the paths of some optimizers. `playground.autograd.descent` */
export interface Descent {
  x: number[]
  y: number[]
  /** A row for each y. */
  z: number[][]
  paths: OptimizerPath[]
}

/** A path as plain data. `playground.autograd.descent` */
export interface OptimizerPath {
  optimizer: string
  points: [number, number, number][]
  diverged: boolean
}
