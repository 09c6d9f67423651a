// Written by `make declarations`; see playground/ui/components/declarations.py.

/** The `data` of the component. `playground.ui.components.run_comparison` */
export interface ComparisonData {
  /** The runs selected at first. */
  chosen: string[]
  /** Identifies the reason for this selection; empty for none. */
  occasion: string
  /** Maximum number of runs in a comparison. */
  most: number
  /** A race to replay as long as there is no run; empty for none. */
  recorded: RecordedRun[]
}

/** A run of a recorded race: its test accuracies. `playground.ui.components.run_comparison` */
export interface RecordedRun {
  name: string
  optimizer: string
  /** Epochs. */
  x: number[]
  y: number[]
}

/** The runs that the learner may see, and their deleted runs. `playground.server.routes.comparison` */
export interface RunsAnswer {
  runs: (ReadableRow | DamagedRow)[]
  /** The runs to select first. */
  first: string[]
  /** Of each queued run its place in the queue, counted from 1; the runs of a race share one. */
  places: Record<string, number>
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
  /** Name of the optimizer that it started with. */
  optimizer: string
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
  /** The test accuracies, by which the runs are ranked, on the same axis. */
  accuracies: Curve
  /** Where on the axis the learner changed the learning rate or the optimizer. */
  cuts: number[]
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
