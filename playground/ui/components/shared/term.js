// A term of the glossary: underlined with dots, its card opens by pointer, focus and tap, and says what it means, with a picture and a link to where it can be seen.
//
// <glossary-term name="stride">strides</glossary-term>    in html and in templates of lit-html; `name` is that of playground/glossary/terms.py
// term("stride")                                          the element for a script; term("stride", t("Strides")) with another text
// marked(t("Each [[stride]] is a step in memory."))       a sentence with its terms, for a template; another text stands before a bar, as in translations: [[步幅|stride]]
// withTerms("p", "hint", t("…"))                          the same as an element for a script

import { address, request } from "./client.js"
import { element, rich } from "./dom.js"
import { html } from "./templates.js"
import { PICTURES } from "./term_pictures.js"
import { t } from "./text.js"
import { ToolTip } from "./tip.js"

/** @typedef {{ title: string, meaning: string, see: string }} Card `playground.glossary.ShownTerm` */

/** @type {Record<string, Card>} */
let cards = {}
/** @type {Promise<void> | undefined} */
let loading

class GlossaryTerm extends ToolTip {
  static observedAttributes = ["name"]

  connectedCallback() {
    if (this.box.parentNode === this) return
    const word = Object.assign(element("span", "term-word"), { tabIndex: 0, role: "button" })
    word.append(...this.childNodes)
    this.append(word)
    this.box.classList.add("term-card")
    super.connectedCallback()
    loading ??= request("api/glossary").then((answer) => { if (!answer.error) cards = answer })
    loading.then(() => { if (this.isPointed) this.show() })
  }

  attributeChangedCallback() {} // the card is made when it is shown

  get name() { return this.getAttribute("name") ?? "" }
  get text() { return cards[this.name]?.meaning ?? "" }

  show() {
    const card = cards[this.name]
    if (card && !this.isShown) this.box.replaceChildren(...contents(this.name, card))
    super.show()
  }
}

/**
 * @param {string} name
 * @param {Card} card
 */
function contents(name, { title, meaning, see }) {
  const picture = element("span", "term-picture")
  picture.innerHTML = PICTURES[name] ?? ""
  const link = element("a", "", t("See it"))
  const place = address(see)
  link.href = place.href
  const isElsewhere = see && (place.search || place.pathname !== location.pathname)
  return [element("b", "", title), rich("span", "term-meaning", meaning), ...(PICTURES[name] ? [picture] : []), ...(isElsewhere ? [link] : [])]
}

/**
 * @param {string} name
 * @param {string} [text] instead of the name
 */
export function term(name, text = name) {
  const made = element("glossary-term", "", text)
  made.setAttribute("name", name)
  return made
}

/**
 * The parts of a sentence; a term has a name.
 * @param {string} sentence
 * @returns {{ text: string, name?: string }[]}
 */
export function partsOf(sentence) {
  return sentence.split(/(\[\[.+?\]\])/).filter(Boolean).map((part) => {
    if (!part.startsWith("[[")) return { text: part }
    const [text, name = text] = part.slice(2, -2).split("|")
    return { text, name }
  })
}

/** @param {string} sentence with terms in double brackets */
export const marked = (sentence) => partsOf(sentence).map(({ text, name }) => (name ? html`<glossary-term name=${name}>${text}</glossary-term>` : text))

/**
 * An element with a sentence, its terms and its `code`.
 * @template {keyof HTMLElementTagNameMap} Kind
 * @param {Kind} kind
 * @param {string} name its classes
 * @param {string} sentence with terms in double brackets
 */
export function withTerms(kind, name, sentence) {
  const made = element(kind, name)
  for (const { text, name: known } of partsOf(sentence)) made.append(...(known ? [term(known, text)] : rich("span", "", text).childNodes))
  return made
}

const registry = globalThis.customElements
if (registry && !registry.get("glossary-term")) registry.define("glossary-term", GlossaryTerm)
