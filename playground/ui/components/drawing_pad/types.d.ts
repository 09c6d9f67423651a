import type { Query } from "../shared/client.js"
import type { Activations, AttributionJson, NetworkLayers, NetworkPicture, WrittenValue } from "../shared/documents.js"
import type {
  Comparison, DigitPiece, Drawing, DrawingData, OwnDrawings, PictureData, PicturePiece, Predictions, StartedRun,
} from "./documents.js"

export type Data = DrawingData | PictureData

/** The canvas for one digit, or the wide one for several. */
export type Mode = Drawing["mode"]

/** A point of a stroke: right, down. */
export type Point = [number, number]

/** Rows and columns as top, bottom, left, right; `bottom` and `right` are not included. */
export type Box = NonNullable<DigitPiece["box"]>

/** What the networks predict a class for. */
export type Piece = DigitPiece | PicturePiece

/** What the routes of server/routes/drawing.py return, by the last part of their path. */
export interface Responses {
  answer: Predictions
  network: NetworkLayers
  picture: NetworkPicture
  layers: Activations
  calculation: WrittenValue
  attribution: AttributionJson
}

/** Asks the server about the network or, with `withDrawing`, about the drawing; null where it reports an error, which is shown. */
export type Ask = <Path extends keyof Responses>(path: Path, query: Query, withDrawing?: boolean) => Promise<Responses[Path] | null>

/** What the routes of server/routes/fine_tuning.py return, by the last part of their path. */
export interface TeachingResponses {
  "": OwnDrawings
  add: OwnDrawings
  delete: OwnDrawings
  import: OwnDrawings
  "fine-tune": StartedRun
  comparison: Comparison
}
