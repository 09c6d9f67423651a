// What the server sends to the comparison, and what its modules hand to each other.

/** `run_comparison` in `__init__.py`. */
export interface ComparisonData {
  chosen: string[]
  occasion: string
  most: number
}

/** `State` in playground/runs/run.py. */
export type State = "queued" | "running" | "paused" | "finished" | "stopped" | "failed" | "interrupted"

/** `Facts` in playground/runs/views/comparison.py, as `_facts` in playground/server/routes/comparison.py sends them. */
export interface Facts {
  step: number
  total_steps: number // 0 before the run has started
  seconds: number
  accuracy: number | null // null before the first evaluation
  best_accuracy: number | null
  parameters: number
  multiply_adds: number
  compute: number
  share: number // of the planned steps
  compute_text: string
}

/** What `_row` in playground/server/routes/comparison.py sends of every run. */
interface BaseRow {
  run: string
  name: string
  note: string
  state: State
  race: string // empty where the run is in none
  own: boolean // whether it is the learner's
}

export interface ReadableRow extends BaseRow, Facts {
  fault?: undefined
  dataset: string
  network: string
  started: number // in seconds since 1970
}

/** A run whose files are damaged: nothing but the reason is known. */
export interface DamagedRow extends BaseRow {
  fault: string
  dataset?: undefined
  network?: undefined
  started?: undefined
  accuracy?: undefined
}

export type Row = ReadableRow | DamagedRow

/** `_queue` in playground/server/routes/comparison.py; another learner's run has neither identifier nor name. */
export type Queued = { place: number } & ({ own: true; run: string; name: string } | { own: false; run?: string; name?: string })

/** `_list` in playground/server/routes/comparison.py; `news` in playground/server/respond.py adds the version. */
export interface RunsAnswer {
  version: string
  runs: Row[]
  first: string[]
  queue: Queued[]
  workers: number
  trash: { run: string; name: string }[]
}

export interface Curve {
  x: number[]
  y: (number | null)[] // null where a value is not finite
}

/** `overlay` in playground/runs/views/comparison.py, with a version from `_curves` in playground/server/routes/comparison.py. */
export interface Curves {
  version: string
  state: State
  end: number | null // of the axis as planned; null if unknown
  train: Curve
  test: Curve
}

/** `Column` in playground/runs/views/comparison.py. */
export interface Column {
  name: string
  title: string
  texts: string[]
  numbers: (number | null)[]
}

/** `_curves` in playground/server/routes/comparison.py; `news` in playground/server/respond.py adds the version. */
export interface CurvesAnswer {
  version: string
  curves: Record<string, Curves>
  facts: Record<string, Facts>
  columns: Column[]
  runs: string[]
  gone: string[]
}

/** A run of the comparison, as `Comparison.draw` hands it to each part. */
export interface Selected {
  run: string
  slot: number
  name: string
  note: string
  own: boolean
  place?: number // in the queue
  state: State
  facts: Facts | null
}

export type Axis = "epoch" | "step" | "seconds"
export type Sort = "name" | "started" | "accuracy"

/** What the plot and the list show and how. */
export interface Settings {
  x: Axis
  what: "loss" | "accuracy"
  show: "train" | "test" | "both"
  smoothing: number
  log: boolean
  filter: string
  dataset: string // its title; empty for all
  sort: Sort
  descending: boolean
}

/** What `Comparison.remember` stores in the browser. */
export interface Remembered {
  occasion?: string
  newest?: string
  view?: Partial<Settings>
  chosen?: [string, number][]
}
