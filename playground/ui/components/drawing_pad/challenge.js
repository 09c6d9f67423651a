// Ten digits to draw in random order: how many the network classifies correctly, how long it took, and which it confused.

import { button, element } from "../shared/dom.js"
import { t } from "../shared/text.js"
import { seen } from "./answers.js"

/** @import { Piece } from "./types.js" */

export class Challenge {
  /**
   * @param {() => void} clear clears the canvas
   * @param {HTMLElement} task the element above it that names the next digit
   */
  constructor(clear, task) {
    this.clear = clear
    this.task = task
    this.box = element("section", "challenge")
    /** @type {string[]} */
    this.titles = []
    /** @type {string[]} */
    this.classes = []
    /** @type {number[]} the classes in the order in which they are to be drawn */
    this.order = []
    /** @type {{ label: number, piece: Piece }[]} */
    this.drawn = []
    this.began = 0
    /** @type {Piece | null} */
    this.piece = null
    /** @type {HTMLButtonElement | null} to the next digit; none while no challenge runs */
    this.next = null
    this.clock = element("span", "clock")
    /** @type {number | undefined} the timer of the clock */
    this.ticking = undefined
    this.rest()
  }

  /**
   * Set the networks and the classes, in the order of the predictions; this ends a running challenge.
   * @param {string[]} titles
   * @param {string[]} classes
   */
  prepare(titles, classes) {
    this.titles = titles
    this.classes = classes
    this.rest()
  }

  rest() {
    this.stop()
    this.task.replaceChildren()
    this.box.replaceChildren(element("p", "note", t("Draw ten digits in random order, in your usual handwriting. Can the network classify all of them correctly?")), button(t("Start"), () => this.start(), { name: "go" }))
  }

  stop() {
    this.next = null
    clearInterval(this.ticking)
  }

  start() {
    this.order = shuffled(this.classes.map((_, index) => index))
    this.drawn = []
    this.began = performance.now()
    clearInterval(this.ticking)
    this.ticking = setInterval(() => this.tick(), 1000)
    this.tick()
    this.clear()
    this.ask()
  }

  tick() {
    this.clock.textContent = t("{seconds} s", { seconds: this.seconds.toFixed(0) })
  }

  get seconds() {
    return (performance.now() - this.began) / 1000
  }

  ask() {
    const instruction = element("p", "asked")
    instruction.setAttribute("aria-live", "polite")
    const [before, after] = t("Draw this digit: {digit}").split("{digit}")
    instruction.append(before, element("b", "", this.classes[this.order[this.drawn.length]]), after)
    this.next = button(this.drawn.length + 1 < this.order.length ? t("Next") : t("Finish"), () => this.take(), { name: "go" })
    this.next.disabled = true
    this.task.replaceChildren(instruction, element("span", "count", t("{n} of {all}", { n: this.drawn.length + 1, all: this.order.length })), this.clock, this.next, button(t("Stop"), () => this.rest(), { name: "go" }))
    const empty = this.order.slice(this.drawn.length).map(() => element("div", "card slot"))
    const cards = element("div", "pieces")
    cards.append(...this.drawn.map((one) => this.card(one)), ...empty)
    this.box.replaceChildren(element("p", "note", t("Draw the digit shown above, then press Next.")), cards)
    this.task.closest(".paper")?.firstElementChild?.scrollIntoView({ block: "nearest" })
  }

  /**
   * Take the predictions for the canvas; null if it is empty.
   * @param {Piece | null} piece
   */
  show(piece) {
    this.piece = piece
    if (this.next) this.next.disabled = !piece
  }

  take() {
    if (!this.piece) return
    this.drawn.push({ label: this.order[this.drawn.length], piece: this.piece })
    this.clear()
    if (this.drawn.length < this.order.length) this.ask()
    else this.report(this.seconds)
  }

  /**
   * A drawing with the prediction of the first network.
   * @param {{ label: number, piece: Piece }} drawn
   */
  card({ label, piece }) {
    const [name, prediction] = [this.classes[label], piece.answers[0].label]
    const card = element("figure", prediction === name ? "card right" : "card wrong")
    card.append(seen(piece.steps.centred, 2, t("Drawing with label {label}", { label: name })), element("figcaption", "", prediction === name ? `${name} ✓` : t("{label} predicted as {prediction}", { label: name, prediction })))
    return card
  }

  /** @param {number} seconds */
  report(seconds) {
    this.stop()
    this.task.replaceChildren()
    const scores = this.titles.map((title, at) => {
      const right = this.drawn.filter(({ label, piece }) => piece.answers[at].label === this.classes[label])
      const wrong = this.drawn.filter((one) => !right.includes(one)).map(({ label, piece }) => t("{label} predicted as {prediction}", { label: this.classes[label], prediction: piece.answers[at].label }))
      const line = element("p", "score")
      const result = element("b", "", t("{n} of {all} correctly classified.", { n: right.length, all: this.drawn.length }))
      line.append(title && t("{network}:", { network: title }), " ", result, " ", wrong.length ? t("Mistakes: {mistakes}.", { mistakes: wrong.join(", ") }) : t("No mistakes."))
      return line
    })
    const cards = element("div", "pieces")
    cards.append(...this.drawn.map((one) => this.card(one)))
    this.box.scrollIntoView({ block: "nearest" })
    this.box.replaceChildren(...scores, element("p", "note", t("Time: {seconds} s, {each} s per digit.", { seconds: seconds.toFixed(0), each: (seconds / this.drawn.length).toFixed(1) })), cards, button(t("Try again"), () => this.start(), { name: "go" }))
  }
}

/**
 * A random order, all orders equally likely: https://en.wikipedia.org/wiki/Fisher–Yates_shuffle
 * @param {number[]} items
 */
export function shuffled(items) {
  const order = [...items]
  for (let last = order.length - 1; last > 0; last--) {
    const other = Math.floor(Math.random() * (last + 1))
    ;[order[last], order[other]] = [order[other], order[last]]
  }
  return order
}
