// What the scripts of the Train page exchange, beside `documents.d.ts`.

import type { Query } from "../shared/client.js"
import type { LiveRun, RunSettings } from "./documents.js"

/** A request for data of the run; null where the server has nothing new. Rejects where it refuses. */
export type Ask = (path: string, query?: Query) => Promise<any>

export type State = LiveRun["state"]

/** The settings that a fork changes: `playground.runs.branching.fork`. */
export type ForkChanges = Partial<Pick<RunSettings, "learning_rate" | "optimizer" | "epochs">>

/** A vertical line in the curves. */
export interface Mark {
  step: number
  kind: "change" | "fork" | "coach"
  text: string
}
