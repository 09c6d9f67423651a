// What the modules of the comparison hand to each other, beside `documents.d.ts`.

import type { DamagedRow, ReadableRow, RunFacts, RunsAnswer } from "./documents.js"

export type State = ReadableRow["state"]

/** A run of the list, which can be read where it has no fault. */
export type Row = (ReadableRow & { fault?: undefined }) | (DamagedRow & Partial<Record<"dataset" | "network" | "optimizer" | "started" | "accuracy" | "seconds", undefined>>)

export interface Runs extends Omit<RunsAnswer, "runs"> {
  runs: Row[]
}

/** A run of the comparison, as `Comparison.draw` hands it to each part. */
export interface Selected extends Pick<ReadableRow, "run" | "name" | "note" | "own" | "race" | "state"> {
  short: string // the name without what all runs of the comparison share
  slot: number
  place: number // in the queue, counted from 1; 0 if it is not queued
  accuracy: number | null // at the moment that is shown
  facts: RunFacts | null
}

export type Axis = "epoch" | "step" | "seconds"
export type Sort = "started" | "accuracy" | "name"

/** What the plot and the list show and how. */
export interface Settings {
  x: Axis
  what: "loss" | "accuracy"
  show: "train" | "test" | "both"
  smoothing: number
  log: boolean
  filter: string
  sort: Sort
}

/** What `Comparison.remember` stores in the browser. */
export interface Remembered {
  occasion?: string
  newest?: string
  view?: Partial<Settings>
  chosen?: [string, number][]
}
