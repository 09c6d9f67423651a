// An exercise: its statement with the result to aim for, hints one after another, and the verdict.

import { button, element, find, rich } from "../shared/dom.js"
import { short } from "../shared/format.js"
import { withTerms } from "../shared/term.js"
import { t } from "../shared/text.js"
import { indexOf, largest, rem, shade, smallest } from "../shared/tile.js"
import { drawFigure, fit, operandOf, spaced } from "./equation.js"

/**
 * @import { ExerciseData, Target } from "./documents.js"
 * @import { Figure } from "./equation.js"
 */

const LARGEST = 2 // rem, of a cell of the target
const HEIGHT = 10.625 // rem, inside the target; view.css has its height
const SIGN = 1.75 // rem, with the space around it; view.css has the same

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
    find(this.task, ".statement").replaceChildren(...withTerms("p", "", exercise.statement).childNodes)
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
    const row = element("div", "row")
    this.target.replaceChildren(row)
    if (numbers.length) row.append(list)
    const width = this.target.clientWidth - 2 * rem() - (numbers.length ? list.offsetWidth + SIGN * rem() : 0)
    const sizes = fit(figures.map(operandOf), { width, height: HEIGHT * rem(), rem: rem(), smallest: smallest() }, { largest: LARGEST, sign: SIGN })
    for (const [place, each] of figures.entries()) {
      if (place || numbers.length) row.append(element("span", "sign", place === figures.length - 1 ? "→" : ","))
      row.append(drawFigure(each, sizes[place]).figure)
    }
    spaced(row, this.target)
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
      const title = this.exercise?.next
      const text = title ? t("Correct, for five random inputs.") : t("Correct, for five random inputs. You have solved all exercises.")
      box.append(element("span", "mark", "✓"), element("span", "", text))
      if (!title) return
      const next = button(t("Next: {title}", { title }), this.onNext, { name: "next primary" })
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
    this.hints.lastElementChild?.scrollIntoView({ block: "nearest" })
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
function figure(role, name, tile) {
  const part = first(tile), most = largest([tile])
  return { role, name, tile: part, colour: (cell) => shade(part.values[cell], most) }
}

/**
 * A tile with more than three dimensions has many grids: the first one of them.
 * @param {Figure["tile"]} tile
 * @returns {Figure["tile"]}
 */
function first(tile) {
  const leading = tile.shown.length > 3 ? tile.shown.length - 2 : 0
  const isFirst = (/** @type {number} */ cell) => indexOf(tile.shown, cell).slice(0, leading).every((place) => !place)
  return { ...tile, shown: tile.shown.map((size, axis) => (axis < leading ? 1 : size)), values: tile.values.filter((_, cell) => isFirst(cell)) }
}
