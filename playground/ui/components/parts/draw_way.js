// The way from the strokes to the network's input, a picture for each step; a step can be left out, to see what it is good for.

import { seen } from "./draw_answers.js"
import { element } from "./tile.js"

const STEPS = [
  ["crop", "cropped", "Cropped", "The empty margins are cut off, so that it does not matter where on the paper you draw."],
  ["fit", "fitted", "Fitted", "The longer side becomes 20 pixels, as MNIST’s digits were made: small and large ones become alike."],
  ["centre", "centred", "Centred", "Placed in 28×28 pixels with the centre of mass in the middle, again as in MNIST."],
  ["normalise", "centred", "Normalised", "Each pixel is brought to the range that the network learnt from. Without it pixels arrive from 0 to 255."],
]
const SIDE = 132 // pixels on the screen

export class Way {
  // `changed` is called when a step was left out or taken again.
  constructor(changed) {
    this.left = new Set()
    this.box = element("section", "way")
    this.figures = STEPS.map(([name, , title, text]) => {
      const figure = element("figure", "step")
      const picture = element("div", "picture")
      const label = element("label")
      const box = element("input")
      Object.assign(box, { type: "checkbox", checked: true })
      box.onchange = () => {
        this.left[box.checked ? "delete" : "add"](name)
        figure.classList.toggle("without", !box.checked)
        changed()
      }
      label.append(box, title)
      const caption = element("figcaption")
      caption.append(label, element("span", "", text))
      figure.append(picture, caption)
      return figure
    })
    const steps = element("div", "steps")
    steps.append(...this.figures)
    this.box.append(element("p", "note", "The network learnt from MNIST’s digits, so a drawing is brought into their form. Leave a step out and draw a small digit in a corner: the network fails."), steps)
  }

  get without() {
    return [...this.left].join(",")
  }

  show(piece) {
    STEPS.forEach(([name, step, title], index) => {
      const picture = this.figures[index].querySelector(".picture")
      if (!piece) return picture.replaceChildren()
      const { width, height } = piece.steps[step]
      const canvas = seen(piece.steps[step], SIDE / Math.max(width, height, step === "fitted" ? 28 : 1), `The drawing, ${title.toLowerCase()}: ${width} by ${height} pixels`)
      const range = name === "normalise" ? (this.left.has(name) ? "0 to 255" : "as in training") : `${width}×${height}`
      picture.replaceChildren(canvas, element("small", "", range))
    })
  }
}
