import type { Query } from "../shared/client.js"
import type { Evidence, PicturePage, Points, Summary } from "./documents.js"

/** What the routes of server/routes/evaluation.py return, by the end of their path. */
export interface Responses {
  "": Summary
  "/pictures": PicturePage
  "/evidence": Evidence
  "/points": Points
}

/** A request for data of the evaluation; null where the server refuses or another network is shown by now. */
export type Ask = <Path extends keyof Responses>(path: Path, query?: Query) => Promise<Responses[Path] | null>

/** One of the views: `take` gets an evaluation, `show` draws it when the view is opened. */
export interface View {
  box: HTMLElement
  take(evaluation: Summary): void
  show(): unknown
  close?(): void
}
