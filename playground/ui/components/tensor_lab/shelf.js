// The shelf: a card for each variable, in one row.

import { element } from "../shared/dom.js"
import { exact, shapeText } from "../shared/format.js"
import { t } from "../shared/text.js"
import { largest, miniature } from "../shared/tile.js"
import { originText } from "./report.js"

/** @import { ArrayFacts, Report, Tile, ValueFacts } from "./documents.js" */

export class Shelf {
  /**
   * @param {HTMLElement} box
   * @param {(name: string) => void} onChoose
   */
  constructor(box, onChoose) {
    this.box = box
    this.onChoose = onChoose
    /** @type {HTMLElement[]} */
    this.cards = []
  }

  /** @param {Report} report */
  show({ names, tiles }) {
    const shown = Object.entries(names).filter(([, facts]) => facts.kind !== "value" || facts.type !== "ellipsis") // `y = ...` is a gap to fill
    this.cards = shown.map(([name, facts]) => (facts.kind === "value" ? valueCard(name, facts) : this.arrayCard(name, facts, tiles[facts.tile])))
    this.box.replaceChildren(...this.cards)
  }

  /** @param {string} name of the variable that is looked at */
  select(name) {
    for (const card of this.cards) {
      if (card instanceof HTMLButtonElement) card.setAttribute("aria-pressed", String(card.dataset.name === name))
      if (card.dataset.name === name) this.reveal(card)
    }
  }

  /** @param {HTMLElement} card to which the row, and not the page, is scrolled */
  reveal({ offsetLeft, offsetWidth }) {
    const { scrollLeft, clientWidth } = this.box
    const start = offsetLeft - this.box.offsetLeft
    if (start < scrollLeft || start + offsetWidth > scrollLeft + clientWidth) this.box.scrollLeft = start - (clientWidth - offsetWidth) / 2
  }

  /**
   * @param {string} name
   * @param {ArrayFacts} facts
   * @param {Tile} tile
   */
  arrayCard(name, facts, tile) {
    const card = element("button", "card")
    card.dataset.name = name
    card.type = "button"
    card.onclick = () => this.onChoose(name)
    const single = tile.values.length === 1 && !tile.shape.length
    const picture = element("span", "picture")
    picture.append(single ? element("span", "plain", exact(tile.values[0])) : miniature(tile, largest([tile])))
    const slice = tile.shape.length > 2 && tile.values.length ? `${name}[${tile.shown.slice(0, -2).map(() => 0).join(", ")}]` : ""
    const origin = originText(facts)
    const note = element("span", "note")
    if (tile.kind === "tensor" && tile.device !== "cpu") note.append(element("span", "device", tile.device))
    if (slice) note.append(element("span", "slice", t("picture of {slice}", { slice })))
    if (origin) note.append(element("span", `origin ${facts.origin}`, origin))
    card.append(picture, lines(element("code", "name", name), element("span", "fact", `${shapeText(tile.shape)} ${tile.kind === "array" ? "np." : ""}${tile.dtype}`), note))
    return card
  }
}

/**
 * @param {string} name
 * @param {ValueFacts} facts
 */
function valueCard(name, facts) {
  const card = element("div", "card")
  card.dataset.name = name
  const picture = element("span", "picture")
  picture.append(element("span", "plain", facts.text))
  card.append(picture, lines(element("code", "name", name), element("span", "fact", facts.type)))
  return card
}

/** @param {HTMLElement[]} parts of a card beside its picture */
function lines(...parts) {
  const box = element("span", "lines")
  box.append(...parts)
  return box
}
