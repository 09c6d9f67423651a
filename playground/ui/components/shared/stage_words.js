// What the network picture says: names of its columns, and a sentence for each view and for what is under the pointer.

import { t } from "./text.js"

/** @import { Picture, PictureColumn, Unit, View } from "./stage.js" */

/**
 * The layers of a column in a few words.
 * @param {Pick<PictureColumn, "layers" | "types" | "blocks">} column
 */
export function titleOf({ layers, types, blocks }) {
  if (!layers[1]) return t("Input")
  if (blocks > 1) return t("+ {n} layers", { n: types.length })
  const main = types.filter((type) => !AT_THE_SIDE.has(type))
  return main.join(" → ")
}

const AT_THE_SIDE = new Set(["Dropout", "Dropout2d", "Flatten", "BatchNorm1d", "BatchNorm2d", "LayerNorm", "Identity"])

/** @param {Pick<PictureColumn, "shape">} column */
export const sizeOf = ({ shape }) => shape.join("×")

/**
 * What a view shows, in one sentence.
 * @param {View} view
 * @param {Picture} picture
 * @param {string[]} classes
 */
export function wordsForView(view, { columns, probabilities }, classes) {
  if (view === "values") return t("Squares: the [[activations|activation]] of each [[layer]]. Orange edges add to the next value, blue ones subtract.")
  if (view === "gradient") return probabilities.some(Boolean) ? t("Violet: how much the score of “{name}” would change with each value: its [[gradient]].", { name: classes[probabilities.indexOf(Math.max(...probabilities))] ?? "" }) : t("Violet: how much the score of a class would change with each value. Draw something to see it.")
  if (columns.slice(1, -1).some(({ values }) => values.every((value) => !value))) return t("Squares: the weights of each [[filter]], the same for every image. Tokens have none of their own.")
  if (columns.slice(1).some(({ edges }) => !edges.length)) return t("Squares: the weights of each [[filter]], the same for every image. Edges are drawn where one layer lies between.")
  return t("Squares: the weights of each [[filter]], the same for every image. Thick edges stand for large weights.")
}

/**
 * What the unit under the pointer is.
 * @param {Picture} picture
 * @param {Unit} unit
 * @param {string[]} classes
 */
export function wordsFor({ view, columns }, { column, place }, classes) {
  const { shape, units } = columns[column]
  const values = { layer: titleOf(columns[column]), unit: units[place], last: shape[0] - 1 }
  if (column === 0 && shape.length === 3) return view === "gradient" ? t("How much each pixel would change the score.") : t("The image as the network receives it.")
  if (column === columns.length - 1 && view === "values") return t("Orange edges raise the score of “{name}”, blue ones lower it.", { name: classes[units[place]] ?? units[place] })
  if (column === columns.length - 1) return t("The score of “{name}”.", { name: classes[units[place]] ?? units[place] })
  if (shape.length === 3) return t("Feature map {unit} (they are numbered from 0 to {last}), after {layer}.", values)
  return shape.length === 2 ? t("Token {unit} (they are numbered from 0 to {last}), after {layer}.", values) : t("Feature {unit} (they are numbered from 0 to {last}), after {layer}.", values)
}
