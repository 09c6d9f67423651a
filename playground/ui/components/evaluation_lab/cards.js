// Test images with their predictions.

import { bytesOf, paint } from "../shared/bytes.js"
import { button, element } from "../shared/dom.js"
import { percent } from "../shared/format.js"
import { t } from "../shared/text.js"

/** @import { PicturePage } from "./documents.js" */

const SIDE = 64 // pixels on the screen

/**
 * A probability near 1 is not written as 100 %.
 * @param {number} probability
 */
export const certainty = (probability) => (probability >= 0.9995 && probability < 1 ? `> ${percent(0.999)}` : percent(probability))

/**
 * What the network at work on an image is called.
 * @param {number} index of the test image
 * @param {string} label
 * @param {string} predicted
 */
export const titleOf = (index, label, predicted) => t("Test image {index}: {class}, predicted as {predicted}", { index, class: label, predicted })

/**
 * A card for each image, to be clicked.
 * @param {PicturePage} page
 * @param {string[]} classes
 * @param {(index: number, title: string) => void} open called with the image's index in the test set, and a title for it
 */
export function cards(page, classes, open) {
  const bytes = bytesOf(page.pixels)
  return page.index.map((index, place) => {
    const [label, predicted] = [page.labels[place], page.predictions[place]]
    const right = label === predicted
    const card = button("", () => open(index, titleOf(index, classes[label], classes[predicted])), {
      name: `evaluation-card ${right ? "right" : "wrong"}`,
    })
    const predictions = page.top[place].map(([one, share]) => `${classes[one]}: ${certainty(share)}`).join(", ")
    card.title = t("Test image {index}. {predictions}", { index, predictions })
    const caption = element("span", "evaluation-caption")
    caption.append(element("b", "", right ? `✓ ${classes[predicted]}` : `✕ ${classes[predicted]}`), element("span", "", certainty(page.confidence[place])))
    if (!right) caption.append(element("span", "", t("true: {class}", { class: classes[label] })))
    const description = t("{class}, predicted as {predicted}", { class: classes[label], predicted: classes[predicted] })
    card.append(paint(bytes, place, page.shape, SIDE / page.shape[2], { label: description }), caption)
    return card
  })
}
