// Written by `make declarations`; see playground/ui/components/declarations.py.

/** The `data` of the component. `playground.ui.components.run_comparison` */
export interface ComparisonData {
  /** The runs selected at first. */
  chosen: string[]
  /** Identifies the reason for this selection; empty for none. */
  occasion: string
  /** Maximum number of runs in a comparison. */
  most: number
}

/** The runs that the learner may see, the queue and their deleted runs. `playground.server.routes.comparison` */
export interface RunsAnswer {
  runs: (ReadableRow | DamagedRow)[]
  /** The runs to select first. */
  first: string[]
  /** The running runs, then the queued ones in order. */
  queue: (OwnQueuedRun | OtherQueuedRun)[]
  workers: number
  trash: DeletedRun[]
  version: string
}

/** A run in the list. `playground.runs.views.summaries` */
export interface ReadableRow {
  run: string
  name: string
  note: string
  state: "queued" | "running" | "paused" | "finished" | "stopped" | "failed" | "interrupted"
  /** The name that all runs of its race share; empty if it is not in a race. */
  race: string
  /** Whether it is the learner's. */
  own: boolean
  step: number
  /** 0 before the run has started. */
  total_steps: number
  seconds: number
  /** Null before the first evaluation. */
  accuracy: number | null
  best_accuracy: number | null
  parameters: number
  multiply_adds: number
  compute: number
  /** Of the planned steps. */
  share: number
  compute_text: string
  /** Title of its data set. */
  dataset: string
  /** Title of its network. */
  network: string
  /** In seconds since 1970. */
  started: number
}

/** A run in the list whose files are damaged: nothing but the reason is known. `playground.runs.views.summaries` */
export interface DamagedRow {
  run: string
  name: string
  note: string
  state: "queued" | "running" | "paused" | "finished" | "stopped" | "failed" | "interrupted"
  /** The name that all runs of its race share; empty if it is not in a race. */
  race: string
  /** Whether it is the learner's. */
  own: boolean
  fault: string
}

/** A run of the learner that is running or queued. `playground.server.routes.comparison` */
export interface OwnQueuedRun {
  /** In the queue, counted from 1; 0 if it is running. */
  place: number
  own: true
  run: string
  name: string
}

/** Another run that is running or queued; another learner's has neither identifier nor name. `playground.server.routes.comparison` */
export interface OtherQueuedRun {
  /** In the queue, counted from 1; 0 if it is running. */
  place: number
  own: false
  run?: string
  name?: string
}

/** A run in the trash. `playground.server.routes.comparison` */
export interface DeletedRun {
  run: string
  name: string
}

/** The curves of the selected runs. `playground.server.routes.comparison` */
export interface CurvesAnswer {
  /** Of the runs whose curves have grown. */
  curves: Record<string, Curves>
  facts: Record<string, RunFacts>
  /** The settings in which the runs differ. */
  columns: SettingColumn[]
  /** In the order of the columns' values. */
  runs: string[]
  gone: string[]
  version: string
}

/** The curves of one run for a plot with several runs. `playground.server.routes.comparison` */
export interface Curves {
  state: "queued" | "running" | "paused" | "finished" | "stopped" | "failed" | "interrupted"
  /** Of the axis as planned; null if unknown. */
  end: number | null
  /** Means of the steps. */
  train: Curve
  test: Curve
  version: string
}

/** One curve of a run. `playground.runs.views.comparison` */
export interface Curve {
  x: number[]
  /** Null where a value is not finite. */
  y: (number | null)[]
}

/** A run's progress, results and cost: numbers to sort by, and a text to read. `playground.runs.views.comparison` */
export interface RunFacts {
  step: number
  /** 0 before the run has started. */
  total_steps: number
  seconds: number
  /** Null before the first evaluation. */
  accuracy: number | null
  best_accuracy: number | null
  parameters: number
  multiply_adds: number
  compute: number
  /** Of the planned steps. */
  share: number
  compute_text: string
}

/** One setting of several runs. `playground.runs.views.comparison` */
export interface SettingColumn {
  name: string
  title: string
  /** For each run its value as text; “–” where the setting does not apply. */
  texts: string[]
  /** For each run its value as a number; null where it is not a number. */
  numbers: (number | null)[]
}
