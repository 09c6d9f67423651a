// Test images with their predictions.

import { bytesOf, paint } from "../shared/bytes.js"
import { element } from "../shared/dom.js"
import { percent } from "../shared/format.js"

/** @import { Pictures } from "./types.js" */

const SIDE = 64 // pixels on the screen

/**
 * A probability near 1 is not written as 100 %.
 * @param {number} probability
 */
export const certainty = (probability) => (probability >= 0.9995 && probability < 1 ? `> ${percent(0.999)}` : percent(probability))

/**
 * A card for each image.
 * @param {Pictures} page
 * @param {string[]} classes
 */
export function cards(page, classes) {
  const bytes = bytesOf(page.pixels)
  return page.index.map((index, place) => {
    const [label, predicted] = [page.labels[place], page.predictions[place]]
    const right = label === predicted
    const card = element("figure", `evaluation-card ${right ? "right" : "wrong"}`)
    card.title = `Test image ${index}. ${page.top[place].map(([one, share]) => `${classes[one]}: ${certainty(share)}`).join(", ")}`
    const caption = element("figcaption")
    caption.append(element("b", "", right ? `✓ ${classes[predicted]}` : `✗ ${classes[predicted]}`), element("span", "", certainty(page.confidence[place])))
    if (!right) caption.append(element("span", "", `true: ${classes[label]}`))
    card.append(paint(bytes, place, page.shape, SIDE / page.shape[2], { label: `${classes[label]}, predicted as ${classes[predicted]}` }), caption)
    return card
  })
}
