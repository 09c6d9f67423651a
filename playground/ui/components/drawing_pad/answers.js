// The predictions of one or two networks: predicted class, its probability, and the network at work; for several digits the number, and one of its digits.

import { bytesOf, paint } from "../shared/bytes.js"
import { element } from "../shared/dom.js"
import { percent } from "../shared/format.js"
import { Stage } from "../shared/stage.js"
import { t } from "../shared/text.js"

/**
 * @import { Picture, View } from "../shared/stage.js"
 * @import { Answer, GreyImage } from "./documents.js"
 * @import { Piece } from "./types.js"
 */

const MANY = 12 // from so many digits on they are written smaller

export class Answers {
  /**
   * @param {(index: number) => void} chosen called with the number of the digit that was clicked, of several
   * @param {(network: number, layers: [first: number, last: number]) => void} opened called when a column of a network is chosen
   * @param {() => unknown} changed called when the pictures are to be drawn anew: other layers share a column, or another view is chosen
   */
  constructor(chosen, opened, changed) {
    this.chosen = chosen
    this.opened = opened
    this.changed = changed
    this.box = element("div", "answers")
    this.cards = element("div", "pieces") // stand beside the paper
    /** @type {Column[]} */
    this.columns = []
    /** @type {Piece[]} */
    this.shown = []
    this.piece = 0
  }

  /**
   * @param {string[]} titles of the networks; empty for a single one
   */
  prepare(titles) {
    this.close()
    this.columns = titles.map((title, index) => new Column(title, { open: (layers) => this.opened(index, layers), look: (view) => this.look(view) }))
    const columns = element("div", "columns")
    columns.append(...this.columns.map(({ box }) => box))
    this.box.replaceChildren(columns)
    this.box.classList.toggle("two", titles.length > 1)
  }

  /**
   * @param {Piece[]} pieces the digits from left to right; none where nothing is drawn
   * @param {boolean} several
   */
  show(pieces, several) {
    this.shown = pieces
    this.piece = selectable(pieces, this.piece)
    const piece = pieces[this.piece]
    this.columns.forEach((column, index) => column.show(piece?.answers[index], several ? pieces.map(({ answers }) => answers[index]) : null))
    for (const { digit } of this.columns) {
      digit.classList.toggle("many", pieces.length > MANY)
      pieces.forEach((one, index) => digit.children[index]?.classList.toggle("next", index > 0 && lineOf(one) !== lineOf(pieces[index - 1])))
    }
    this.cards.hidden = !several
    const cards = several ? pieces.map((one, index) => this.card(one, index)) : []
    this.cards.replaceChildren(...(cards.length ? cards : [element("p", "note", t("Each digit gets a card here. Choose one to see the network at work on it."))]))
  }

  /**
   * Show the networks at work.
   * @param {(Picture | null)[]} pictures
   * @param {string[]} classes
   */
  showPictures(pictures, classes) {
    pictures.forEach((picture, index) => { if (picture) this.columns[index]?.stage.show(picture, classes) })
  }

  /**
   * Show another view of every network.
   * @param {View} view
   */
  look(view) {
    for (const { stage } of this.columns) stage.turn(view)
    return this.changed()
  }

  /** Let a pulse run through each network. */
  pulse() {
    for (const { stage } of this.columns) stage.flow()
  }

  /** The theme may have changed. */
  repaint() {
    for (const { stage } of this.columns) stage.repaint()
  }

  close() {
    for (const { stage } of this.columns) stage.close()
  }

  /**
   * @param {Piece} piece
   * @param {number} index
   */
  card(piece, index) {
    if (isSign(piece)) return signCard(piece)
    const { answers, steps } = piece
    const made = element("button", "piece")
    made.type = "button"
    made.setAttribute("aria-pressed", String(index === this.piece))
    const labels = answers.map(({ label, probabilities }) => `${label} ${percent(Math.max(...probabilities), 0)}`).join(" · ")
    made.setAttribute("aria-label", t("Digit {number}: {labels}", { number: index + 1, labels }))
    made.append(seen(steps.centred, 2), element("span", "", labels))
    const doubts = [...new Set(answers.flatMap(({ warning }) => warning || []))].join(" ")
    made.title = doubts // after its name, it is what a screen reader says
    if (doubts) made.append(element("span", "mark", "?"))
    made.classList.toggle("doubted", Boolean(doubts))
    made.onclick = () => {
      this.piece = index
      this.show(this.shown, true)
      this.chosen(index)
    }
    return made
  }
}

/**
 * The line of writing that a digit of a photograph stands in.
 * @param {Piece} piece
 */
const lineOf = (piece) => ("line" in piece && piece.line) || 0

/**
 * The image after one step of the preprocessing.
 * @param {GreyImage} image
 * @param {number} zoom
 */
export function seen({ width, height, values }, zoom, label = "") {
  return paint(bytesOf(values), 0, [1, height, width], zoom, { label })
}

/**
 * Whether this is a dot, a comma, a minus or a plus, about which no network is asked.
 * @param {Piece} piece
 */
export function isSign(piece) {
  return "kind" in piece && piece.kind !== "digit"
}

/**
 * The card of a sign, which cannot be chosen.
 * @param {Piece} piece
 */
function signCard({ answers: [{ label, warning }], steps }) {
  const made = element("div", "piece sign")
  made.setAttribute("role", "img")
  made.setAttribute("aria-label", t("Sign: {label}", { label }))
  made.append(seen(steps.centred, 2), element("span", "", label))
  made.title = warning
  return made
}

/**
 * Which piece the networks are shown at work on: the chosen one, or the first digit where that is a sign or gone.
 * @param {Piece[]} pieces
 * @param {number} chosen
 */
export function selectable(pieces, chosen) {
  const last = Math.min(chosen, Math.max(0, pieces.length - 1))
  return pieces.length && isSign(pieces[last]) ? Math.max(0, pieces.findIndex((piece) => !isSign(piece))) : last
}

/** What one network says: the class, its probability, a warning, and the picture of how it came there. */
class Column {
  /**
   * @param {string} title
   * @param {object} actions
   * @param {(layers: [first: number, last: number]) => void} actions.open called when a column of the picture is chosen
   * @param {(view: View) => unknown} actions.look called when another view is chosen, or other layers share a column
   */
  constructor(title, { open, look }) {
    this.box = element("section", "column")
    this.digit = element("span", "digit", "?")
    this.sure = element("span", "sure")
    this.doubt = element("p", "doubt")
    const verdict = element("div", "verdict")
    verdict.setAttribute("aria-live", "polite")
    verdict.append(this.digit, this.sure, element("p", "who", title), this.doubt)
    const picture = element("div", "network")
    this.stage = new Stage(picture, { open: (column) => { if (this.stage.picture) open(this.stage.picture.columns[column].layers) }, look })
    this.box.append(verdict, picture)
  }

  /**
   * @param {Answer | undefined} answer none where nothing is drawn
   * @param {Answer[] | null} all those for several digits, of which `answer` is one
   */
  show(answer, all) {
    this.box.classList.toggle("answered", Boolean(answer))
    this.digit.replaceChildren(...(answer ? (all ?? [answer]).map(({ label, warning }) => element("span", warning ? "doubted" : "", label)) : ["?"]))
    this.sure.textContent = answer && !all ? percent(Math.max(...answer.probabilities)) : ""
    this.doubt.textContent = answer ? doubtOf(answer, all) : ""
    if (!answer) this.stage.rest()
  }
}

/**
 * Why an answer should not be trusted; where it can be, why the first one of several should not.
 * @param {Answer} answer
 * @param {Answer[] | null} all
 */
export function doubtOf(answer, all) {
  if (!all || all.length === 1) return answer.warning
  const doubted = answer.warning ? answer : all.find(({ warning }) => warning)
  return doubted ? t("Digit {number}: {warning}", { number: all.indexOf(doubted) + 1, warning: doubted.warning }) : ""
}
