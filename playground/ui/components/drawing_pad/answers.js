// The predictions of one or two networks: predicted class, its probability, and a bar for each class; for several digits the number, and one of its digits.

import { bytesOf, paint } from "../shared/bytes.js"
import { element } from "../shared/dom.js"
import { percent } from "../shared/format.js"

export class Answers {
  // `chosen` is called with the number of the digit that was clicked, of several.
  constructor(chosen) {
    this.chosen = chosen
    this.box = element("div", "answers")
    this.columns = []
    this.piece = 0
  }

  prepare(titles, classes) {
    this.classes = classes
    this.columns = titles.map((title) => new Column(title, classes))
    this.pieces = element("div", "pieces")
    const columns = element("div", "columns")
    columns.append(...this.columns.map(({ box }) => box))
    this.box.replaceChildren(this.pieces, columns)
    this.box.classList.toggle("two", titles.length > 1)
  }

  // `pieces` are the digits from left to right; none where nothing is drawn.
  show(pieces, several) {
    this.shown = [pieces, several]
    this.piece = Math.min(this.piece, Math.max(0, pieces.length - 1))
    const piece = pieces[this.piece]
    this.columns.forEach((column, index) => column.show(piece?.answers[index], several ? pieces.map(({ answers }) => answers[index].label).join("") : null))
    this.pieces.hidden = !several || !pieces.length
    this.pieces.replaceChildren(...(several ? pieces.map((one, index) => this.card(one, index)) : []))
  }

  card({ answers, steps }, index) {
    const button = element("button", "piece")
    button.type = "button"
    button.setAttribute("aria-pressed", String(index === this.piece))
    button.setAttribute("aria-label", `Digit ${index + 1}: ${answers.map(({ label }) => label).join(", ")}`)
    button.append(seen(steps.centred, 2), element("span", "", answers.map(({ label, probabilities }) => `${label} ${percent(Math.max(...probabilities), 0)}`).join(" · ")))
    button.onclick = () => {
      this.piece = index
      this.show(...this.shown)
      this.chosen(index)
    }
    return button
  }
}

// The image after one step of the preprocessing, light on dark.
export function seen({ width, height, values }, zoom, label = "") {
  return paint(bytesOf(values), 0, [1, height, width], zoom, { label })
}

class Column {
  constructor(title, classes) {
    this.box = element("section", "column")
    this.digit = element("span", "digit", "?")
    this.sure = element("span", "sure")
    const verdict = element("div", "verdict")
    verdict.setAttribute("aria-live", "polite")
    verdict.append(this.digit, this.sure)
    this.doubt = element("p", "doubt")
    const bars = element("ol", "bars")
    bars.setAttribute("aria-label", "Probability of each class")
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

  show(answer, number) {
    const shares = answer?.probabilities ?? this.rows.map(() => 0)
    const top = answer ? shares.indexOf(Math.max(...shares)) : -1
    this.rows.forEach((row, index) => {
      row.classList.toggle("top", index === top)
      row.querySelector(".fill").style.transform = `translateX(${100 * shares[index] - 100 - (shares[index] ? 0 : 1)}%)`
      row.querySelector(".share").textContent = answer ? percent(shares[index], 0) : ""
    })
    this.box.classList.toggle("answered", Boolean(answer))
    this.box.classList.toggle("doubtful", Boolean(answer?.warning))
    this.digit.textContent = answer ? (number ?? answer.label) : "?"
    this.sure.textContent = answer && number === null ? percent(shares[top]) : ""
    this.doubt.textContent = answer?.warning ?? ""
  }
}
