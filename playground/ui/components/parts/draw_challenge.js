// Ten digits to draw, in random order: how many the network reads, how long it took, and what it took them for.

import { seen } from "./draw_answers.js"
import { element } from "./tile.js"

export class Challenge {
  // `clear` empties the paper; `task` is the place above it where the next digit is asked for.
  constructor(clear, task) {
    Object.assign(this, { clear, task })
    this.box = element("section", "challenge")
    this.rest()
  }

  // The networks and the classes, in the order of the answers; a challenge against others begins anew.
  prepare(titles, classes) {
    Object.assign(this, { titles, classes })
    this.rest()
  }

  rest() {
    this.drawn = this.next = null
    this.task.replaceChildren()
    this.box.replaceChildren(element("p", "note", "The page asks for ten digits in random order. Draw each as you always write it, then press Next. The network has to read them all."), this.button("Start", () => this.start()))
  }

  button(text, act) {
    const button = element("button", "go", text)
    Object.assign(button, { type: "button", onclick: act })
    return button
  }

  start() {
    this.order = shuffled(this.classes.map((_, index) => index))
    this.drawn = []
    this.began = performance.now()
    this.clear()
    this.ask()
  }

  ask() {
    const asked = element("p", "asked")
    asked.setAttribute("aria-live", "polite")
    asked.append("Draw a ", element("b", "", this.classes[this.order[this.drawn.length]]))
    this.next = this.button(this.drawn.length + 1 < this.order.length ? "Next" : "Finish", () => this.take())
    this.next.disabled = true
    this.task.replaceChildren(asked, element("span", "count", `${this.drawn.length + 1} of ${this.order.length}`), this.next, this.button("Stop", () => this.rest()))
    this.box.replaceChildren(element("p", "note", "The digit to draw stands above the paper. Press Next when you are content with your drawing."))
    this.task.scrollIntoView({ block: "nearest" })
  }

  // The answer to what is on the paper now; null where nothing is.
  show(piece) {
    this.piece = piece
    if (this.next) this.next.disabled = !piece
  }

  take() {
    this.drawn.push({ asked: this.order[this.drawn.length], piece: this.piece })
    this.clear()
    if (this.drawn.length < this.order.length) this.ask()
    else this.report((performance.now() - this.began) / 1000)
  }

  report(seconds) {
    this.next = null
    this.task.replaceChildren()
    const told = this.titles.map((title, at) => {
      const right = this.drawn.filter(({ asked, piece }) => piece.answers[at].label === this.classes[asked])
      const wrong = this.drawn.filter((one) => !right.includes(one)).map(({ asked, piece }) => `a ${this.classes[asked]} for a ${piece.answers[at].label}`)
      const line = element("p", "score")
      line.append(...(title ? [element("span", "", `${title}: `)] : []), element("b", "", `${right.length} of ${this.drawn.length} read rightly`), element("span", "", wrong.length ? ` Taken wrongly: ${wrong.join(", ")}.` : " No confusion at all."))
      return line
    })
    const cards = element("div", "pieces")
    cards.append(...this.drawn.map(({ asked, piece }) => {
      const card = element("figure", piece.answers[0].label === this.classes[asked] ? "card right" : "card wrong")
      card.append(seen(piece.steps.centred, 2, `A drawn ${this.classes[asked]}`), element("figcaption", "", piece.answers[0].label === this.classes[asked] ? `${this.classes[asked]} ✓` : `${this.classes[asked]}, read as ${piece.answers[0].label}`))
      return card
    }))
    this.box.scrollIntoView({ block: "nearest" })
    this.box.replaceChildren(...told, element("p", "note", `It took ${seconds.toFixed(0)} seconds, ${(seconds / this.drawn.length).toFixed(1)} for a digit.`), cards, this.button("Once more", () => this.start()))
  }
}

// In random order, each as likely: https://en.wikipedia.org/wiki/Fisher–Yates_shuffle
function shuffled(items) {
  const order = [...items]
  for (let last = order.length - 1; last > 0; last--) {
    const other = Math.floor(Math.random() * (last + 1))
    ;[order[last], order[other]] = [order[other], order[last]]
  }
  return order
}
