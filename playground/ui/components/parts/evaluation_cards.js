// Test images with what the network said of them.

import { bytesOf, paint } from "./bytes.js"
import { element } from "./tile.js"

const SIDE = 64 // pixels on the screen

const percent = (value) => (value > 0.9995 && value < 1 ? "> 99.9 %" : `${(100 * value).toFixed(1)} %`)

// `found`: what the server sends of some images; a card for each.
export function cards(found, classes) {
  const bytes = bytesOf(found.pixels)
  return found.index.map((index, place) => {
    const [label, named] = [found.labels[place], found.predictions[place]]
    const right = label === named
    const card = element("figure", `evaluation-card ${right ? "right" : "wrong"}`)
    card.title = `Test image ${index}. ${found.top[place].map(([one, share]) => `${classes[one]}: ${percent(share)}`).join(", ")}`
    const caption = element("figcaption")
    caption.append(element("b", "", right ? `✓ ${classes[named]}` : `✗ ${classes[named]}`), element("span", "", percent(found.confidence[place])))
    if (!right) caption.append(element("span", "", `is ${classes[label]}`))
    card.append(paint(bytes, place, found.shape, SIDE / found.shape[2], { label: `${classes[label]}, named ${classes[named]}` }), caption)
    return card
  })
}
