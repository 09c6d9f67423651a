// The preprocessing from strokes to the network's input, an image for each step; a step can be switched off, to see what it is for.

import { bytesOf } from "../shared/bytes.js"
import { element, find } from "../shared/dom.js"
import { withTerms } from "../shared/term.js"
import { t } from "../shared/text.js"
import { seen } from "./answers.js"

/**
 * @import { GreyImage, PhotographSteps, Steps } from "./documents.js"
 * @import { Piece } from "./types.js"
 */

/** @type {[name: string, image: keyof Steps, title: string, text: string][]} */
const STEPS = [
  ["crop", "cropped", t("Cropped"), t("Empty margins are cut off, so it does not matter where you draw.")],
  ["fit", "fitted", t("Fitted"), t("The longer side is scaled to 20 pixels, as in MNIST, so it does not matter how large you draw.")],
  ["centre", "centred", t("Centred"), t("The digit is placed in 28×28 pixels with its centre of mass in the middle, as in MNIST.")],
  ["normalise", "centred", t("Normalised"), t("Pixels are scaled to the range the network was trained on. Without this step they range from 0 to 255.")],
]
/** @type {[image: keyof PhotographSteps, title: string, text: string][]} */
const BEFORE = [
  ["grey", t("Photo"), t("Only its brightness counts; the direction is the one that the telephone noted.")],
  ["evened", t("Light evened"), t("Each pixel is divided by the paper around it, so that shadows and the desk disappear.")],
  ["ink", t("Ink"), t("A threshold tells ink from paper; lines of the paper, frames and specks are removed.")],
]
const SIDE = 132 // pixels on the screen

export class Preprocessing {
  /** @param {() => void} changed called when a step is switched on or off */
  constructor(changed) {
    /** @type {Set<string>} */
    this.skipped = new Set()
    /** @type {PhotographSteps | null} how the ink was found, if it is that of a photograph */
    this.photograph = null
    this.box = element("section", "way")
    this.before = BEFORE.map(([, title, text]) => {
      const figure = element("figure", "step before")
      const caption = element("figcaption")
      caption.append(element("b", "", title), element("span", "", text))
      figure.append(element("div", "picture"), caption)
      return figure
    })
    this.figures = STEPS.map(([name, , title, text]) => {
      const figure = element("figure", "step")
      const picture = element("div", "picture")
      const label = element("label")
      const box = element("input")
      Object.assign(box, { type: "checkbox", checked: true })
      box.onchange = () => {
        this.skipped[box.checked ? "delete" : "add"](name)
        figure.classList.toggle("without", !box.checked)
        changed()
      }
      label.append(box, title)
      const caption = element("figcaption")
      caption.append(label, element("span", "", text))
      figure.append(picture, caption)
      return figure
    })
    this.steps = element("div", "steps")
    this.steps.append(...this.figures)
    this.box.append(withTerms("p", "note", t("The network was trained on MNIST digits, so [[preprocessing]] converts your drawing to the same form. Switch a step off and draw a small digit in a corner: the [[prediction]] fails.")), this.steps)
  }

  get without() {
    return [...this.skipped].join(",")
  }

  /** @param {boolean} reading whether a photograph comes before the drawing */
  turn(reading) {
    this.box.classList.toggle("photographed", reading)
    if (reading) this.steps.prepend(...this.before)
    else for (const figure of this.before) figure.remove()
  }

  /** @param {Piece | undefined} piece none where nothing is drawn */
  show(piece) {
    const photograph = piece ? this.photograph : null
    BEFORE.forEach(([name, title], index) => {
      const picture = find(this.before[index], ".picture")
      if (!photograph) return picture.replaceChildren()
      const { width, height } = photograph[name]
      const zoom = SIDE / Math.max(width, height)
      picture.replaceChildren(name === "ink" ? seen(photograph.ink, zoom, title) : grey(photograph[name], zoom, title))
    })
    STEPS.forEach(([name, step, title], index) => {
      const picture = find(this.figures[index], ".picture")
      if (!piece) return picture.replaceChildren()
      const { width, height } = piece.steps[step]
      const canvas = seen(piece.steps[step], SIDE / Math.max(width, height, step === "fitted" ? 28 : 1), t("Drawing after the step “{step}”, {width} by {height} pixels", { step: title, width, height }))
      const range = name === "normalise" ? (this.skipped.has(name) ? t("0 to 255") : t("as in training")) : `${width}×${height}`
      picture.replaceChildren(canvas, element("small", "", range))
    })
  }
}

/**
 * A grey image as it is, in light and dark alike.
 * @param {GreyImage} image
 * @param {number} zoom
 * @param {string} label
 */
function grey({ width, height, values }, zoom, label) {
  const canvas = element("canvas")
  Object.assign(canvas, { width, height, role: "img", ariaLabel: label })
  Object.assign(canvas.style, { width: `${width * zoom}px`, height: `${height * zoom}px` })
  const image = new ImageData(width, height)
  bytesOf(values).forEach((byte, cell) => image.data.set([byte, byte, byte, 255], 4 * cell))
  canvas.getContext("2d")?.putImageData(image, 0, 0)
  return canvas
}
