// The predictions of one or two networks: predicted class, its probability, and a bar for each class; for several digits the number, and one of its digits.

import { bytesOf, paint } from "../shared/bytes.js"
import { element, find } from "../shared/dom.js"
import { percent } from "../shared/format.js"
import { t } from "../shared/text.js"

/**
 * @import { Answer, GreyImage } from "./documents.js"
 * @import { Piece } from "./types.js"
 */

export class Answers {
  /** @param {(index: number) => void} chosen called with the number of the digit that was clicked, of several */
  constructor(chosen) {
    this.chosen = chosen
    this.box = element("div", "answers")
    this.cards = element("div", "pieces")
    /** @type {Column[]} */
    this.columns = []
    /** @type {Piece[]} */
    this.shown = []
    this.piece = 0
  }

  /**
   * @param {string[]} titles of the networks; empty for a single one
   * @param {string[]} classes
   */
  prepare(titles, classes) {
    this.columns = titles.map((title) => new Column(title, classes))
    const columns = element("div", "columns")
    columns.append(...this.columns.map(({ box }) => box))
    this.box.replaceChildren(this.cards, columns)
    this.box.classList.toggle("two", titles.length > 1)
  }

  /**
   * @param {Piece[]} pieces the digits from left to right; none where nothing is drawn
   * @param {boolean} several
   */
  show(pieces, several) {
    this.shown = pieces
    this.piece = Math.min(this.piece, Math.max(0, pieces.length - 1))
    const piece = pieces[this.piece]
    this.columns.forEach((column, index) => column.show(piece?.answers[index], several ? pieces.map(({ answers }) => answers[index].label).join("") : null))
    this.cards.hidden = !several || !pieces.length
    this.cards.replaceChildren(...(several ? pieces.map((one, index) => this.card(one, index)) : []))
  }

  /**
   * @param {Piece} piece
   * @param {number} index
   */
  card({ answers, steps }, index) {
    const button = element("button", "piece")
    button.type = "button"
    button.setAttribute("aria-pressed", String(index === this.piece))
    button.setAttribute("aria-label", t("Digit {number}: {labels}", { number: index + 1, labels: answers.map(({ label }) => label).join(", ") }))
    button.append(seen(steps.centred, 2), element("span", "", answers.map(({ label, probabilities }) => `${label} ${percent(Math.max(...probabilities), 0)}`).join(" · ")))
    button.onclick = () => {
      this.piece = index
      this.show(this.shown, true)
      this.chosen(index)
    }
    return button
  }
}

/**
 * The image after one step of the preprocessing, light on dark.
 * @param {GreyImage} image
 * @param {number} zoom
 */
export function seen({ width, height, values }, zoom, label = "") {
  return paint(bytesOf(values), 0, [1, height, width], zoom, { label })
}

class Column {
  /**
   * @param {string} title
   * @param {string[]} classes
   */
  constructor(title, classes) {
    this.box = element("section", "column")
    this.digit = element("span", "digit", "?")
    this.sure = element("span", "sure")
    const verdict = element("div", "verdict")
    verdict.setAttribute("aria-live", "polite")
    verdict.append(this.digit, this.sure)
    this.doubt = element("p", "doubt")
    const bars = element("ol", "bars")
    bars.setAttribute("aria-label", t("Probability of each class"))
    this.rows = classes.map((name) => {
      const row = element("li")
      const track = element("span", "track")
      track.append(element("span", "fill"))
      row.append(element("span", "name", name), track, element("span", "share"))
      bars.append(row)
      return row
    })
    this.box.append(element("p", "who", title), verdict, this.doubt, bars)
  }

  /**
   * @param {Answer | undefined} answer none where nothing is drawn
   * @param {string | null} number the labels of several digits
   */
  show(answer, number) {
    const shares = answer?.probabilities ?? this.rows.map(() => 0)
    const top = answer ? shares.indexOf(Math.max(...shares)) : -1
    this.rows.forEach((row, index) => {
      row.classList.toggle("top", index === top)
      find(row, ".fill").style.transform = `translateX(${shares[index] < 0.005 ? -101 : 100 * shares[index] - 100}%)` // a bar of no percent has no end to be seen
      find(row, ".share").textContent = answer ? percent(shares[index], 0) : ""
    })
    this.box.classList.toggle("answered", Boolean(answer))
    this.box.classList.toggle("doubtful", Boolean(answer?.warning))
    this.digit.textContent = answer ? (number ?? answer.label) : "?"
    this.sure.textContent = answer && number === null ? percent(shares[top]) : ""
    this.doubt.textContent = answer?.warning ?? ""
  }
}
