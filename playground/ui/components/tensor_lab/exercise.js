// An exercise: its statement with the result to aim for, hints one after another, and the verdict.

import { button, element, find, rich } from "../shared/dom.js"
import { short } from "../shared/format.js"
import { t } from "../shared/text.js"
import { largest, rem, shade } from "../shared/tile.js"
import { drawFigure, fit, operandOf } from "./equation.js"

/**
 * @import { ExerciseData, Target } from "./documents.js"
 * @import { Figure } from "./equation.js"
 */

const LARGEST = 2 // rem, of a cell of the target
const HEIGHT = 11 // rem, of the target; view.css has the same

export class ExercisePane {
  /**
   * @param {HTMLElement | ShadowRoot} root holds .task, .target, .hints, .hint-button and .verdict
   * @param {() => void} onNext called when the next exercise shall open
   */
  constructor(root, onNext) {
    /** @type {HTMLElement} */
    this.task = find(root, ".task")
    /** @type {HTMLElement} */
    this.target = find(root, ".target")
    /** @type {HTMLElement} */
    this.hints = find(root, ".hints")
    /** @type {HTMLButtonElement} */
    this.more = find(root, ".hint-button")
    /** @type {HTMLElement} */
    this.verdict = find(root, ".verdict")
    this.onNext = onNext
    /** @type {ExerciseData | null} */
    this.exercise = null
    this.drawn = "" // the target that is drawn
    this.more.onclick = () => this.reveal()
  }

  /** @param {ExerciseData | null} exercise null for none */
  open(exercise) {
    this.exercise = exercise
    this.task.hidden = this.more.hidden = !exercise
    this.hints.replaceChildren()
    this.verdict.replaceChildren()
    this.target.replaceChildren()
    this.drawn = ""
    if (!exercise) return
    find(this.task, ".level").textContent = exercise.level
    find(this.task, ".statement").replaceChildren(...rich("p", "", exercise.statement).childNodes)
    this.label()
  }

  /**
   * Show the result to aim for.
   * @param {Target} target
   */
  aim(target) {
    const drawn = JSON.stringify(target)
    if (drawn === this.drawn || !this.exercise) return
    this.drawn = drawn
    const { result: name } = this.exercise
    const figures = [...Object.entries(target.tensors).map(([input, tile]) => figure("input", input, tile)), figure("output", name, target.result)]
    const numbers = Object.entries(target.numbers)
    const list = element("dl", "numbers")
    for (const [input, value] of numbers) list.append(Object.assign(element("dt", "name", input), { translate: false }), element("dd", "", short(value)))
    const width = this.target.clientWidth - (numbers.length ? 10 : 2) * rem() // beside the numbers with their arrow
    const sizes = fit(figures.map(operandOf), { width, height: HEIGHT * rem(), rem: rem() }, { largest: LARGEST, squeeze: true })
    const row = element("div", "row")
    if (numbers.length) row.append(list)
    for (const [place, each] of figures.entries()) {
      if (place || numbers.length) row.append(element("span", "sign", place === figures.length - 1 ? "→" : ","))
      row.append(drawFigure(each, sizes[place]).figure)
    }
    this.target.replaceChildren(row)
    this.target.scrollLeft = this.target.scrollWidth // the result is in view
  }

  /**
   * Show whether a script solves the exercise. While it is typed, only that it does.
   * @param {{ feedback?: string, correct?: boolean }} grade
   * @param {boolean} typed
   */
  judge({ feedback, correct }, typed) {
    const box = this.verdict
    box.replaceChildren()
    box.className = `verdict ${correct ? "right" : "wrong"}`
    if (correct) {
      box.append(element("span", "mark", "✓"), element("span", "", t("Correct, for five random inputs.")))
      if (!this.exercise?.next) return
      const next = button(t("Next: {title}", { title: this.exercise.next }), this.onNext, { name: "next primary" })
      box.append(next)
      if (!typed) next.focus()
    } else if (feedback && !typed) box.append(element("span", "mark", "✕"), rich("span", "", feedback))
  }

  /** Show one hint more; after the last one, a solution. */
  reveal() {
    const { hints, solution } = /** @type {ExerciseData} */ (this.exercise)
    const shown = this.hints.childElementCount
    if (shown < hints.length) this.hints.append(rich("p", "tip", hints[shown]))
    else {
      const part = element("div", "tip")
      part.append(element("p", "", t("One solution; there are others.")), element("pre", "", solution))
      this.hints.append(part)
    }
    this.label()
  }

  /** Name the button after what it shows next. */
  label() {
    const { hints } = /** @type {ExerciseData} */ (this.exercise)
    const shown = this.hints.childElementCount
    this.more.hidden = shown > hints.length
    this.more.textContent = shown === hints.length ? t("Show a solution") : t("Hint {number} of {total}", { number: shown + 1, total: hints.length })
  }
}

/**
 * @param {string} role
 * @param {string} name
 * @param {Figure["tile"]} tile
 * @returns {Figure}
 */
const figure = (role, name, tile) => ({ role, name, tile, colour: (cell) => shade(tile.values[cell], largest([tile])) })
