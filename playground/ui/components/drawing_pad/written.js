// The sum behind one value of a layer: every product, their total, and what the following layers compute from it.

import { tint } from "../shared/colour.js"
import { element } from "../shared/dom.js"
import { exact } from "../shared/format.js"
import { plural, t } from "../shared/text.js"

const FEW = 64 // most terms shown in one table

/** @import { CalculationJson, ChildJson, TermJson } from "./documents.js" */

export class WrittenOut {
  constructor() {
    this.box = element("section", "written")
    this.box.setAttribute("aria-label", t("Sum behind a value"))
  }

  /**
   * @param {CalculationJson | null} written
   * @param {string} [title]
   * @param {[type: string, result: number][]} [after] the following layers and their results
   */
  show(written, title = "", after = []) {
    if (!written) return this.box.replaceChildren(element("p", "note", t("Click any value to see the sum behind it.")))
    const [formula, sum, ...rest] = this.parts(written)
    this.box.replaceChildren(element("h4", "", title), formula, sum, ...this.behind(after), ...rest)
  }

  /**
   * @param {CalculationJson} written
   * @returns {HTMLElement[]}
   */
  parts(written) {
    const steps = element("dl", "sum")
    /**
     * @param {string} name
     * @param {number | null} value
     */
    const say = (name, value, kind = "") => steps.append(element("dt", "", name), element("dd", kind, number(value, 6)))
    const weighted = written.terms.length > 0 && written.terms.every(({ weight }) => weight !== null)
    const alone = written.terms.length === 1 && !weighted
    if (alone) say("x", written.terms[0].value)
    const count = written.terms.length
    if (weighted && count > 1) say(plural("sum of {n} product", "sum of {n} products", count, { n: count.toLocaleString("en") }), total(written.terms))
    if (weighted && written.bias !== null) say(t("bias b"), written.bias)
    for (const { name, value } of written.steps) say(name, value)
    say(t("result"), written.result, "result")
    const terms = written.terms.length && !alone ? [written.grid.length === 3 && written.terms.length > 1 ? this.windows(written) : this.table(written.terms)] : []
    return [element("p", "formula", written.formula), steps, ...terms, ...written.children.map((child) => this.child(child))]
  }

  /** @param {ChildJson} child */
  child(child) {
    const box = element("disclosure-box")
    box.label = t("{name}: {value}", { name: child.name, value: number(child.result, 5) })
    box.ontoggle = () => { if (box.open && box.children.length === 1) box.append(...this.parts(child)) }
    return box
  }

  /**
   * A window for each channel, its products as they lie there.
   * @param {CalculationJson} written
   */
  windows({ terms, grid: [channels, rows, columns] }) {
    const most = Math.max(...terms.map(({ product }) => Math.abs(product ?? 0)), 1e-12)
    const each = rows * columns
    const detail = element("p", "note", "x × w = x·w")
    const box = element("div", "windows")
    for (let channel = 0; channel < channels; channel++) {
      const part = terms.slice(channel * each, (channel + 1) * each)
      const figure = element("figure", "window")
      const table = element("div", "cells")
      table.style.gridTemplateColumns = `repeat(${columns}, 1fr)`
      for (const term of part) {
        const cell = element("span", term.place || term.copied ? "" : "padding", number(term.product, 2))
        cell.style.background = tint((term.product ?? 0) / most)
        cell.title = words(term)
        cell.onpointerenter = () => { detail.textContent = words(term) }
        table.append(cell)
      }
      figure.append(table, element("figcaption", "", channels > 1 ? t("channel {channel}: {sum}", { channel, sum: exact(total(part), 4) }) : exact(total(part), 4)))
      box.append(figure)
    }
    const all = element("div")
    all.append(detail, box)
    return all
  }

  /** @param {TermJson[]} terms */
  table(terms) {
    const shown = terms.length > FEW ? [...terms].sort((one, other) => Math.abs(other.product ?? 0) - Math.abs(one.product ?? 0)).slice(0, FEW) : terms
    const box = element("div", "terms")
    const table = element("table")
    const head = element("tr")
    for (const name of terms[0].weight === null ? [t("from"), "x", "", "f(x)"] : [t("from"), "x", "w", "x·w"]) head.append(element("th", "", name))
    table.append(head, ...shown.map((term) => {
      const row = element("tr")
      for (const text of [from(term), number(term.value, 5), term.weight === null ? "" : exact(term.weight, 5), number(term.product, 5)]) row.append(element("td", "", text))
      return row
    }))
    if (shown.length < terms.length) box.append(element("p", "note", t("The {shown} largest of {all} products; the sum includes all of them.", { shown: FEW, all: terms.length.toLocaleString("en") })))
    box.append(table)
    return box
  }

  /** @param {[type: string, result: number][]} after */
  behind(after) {
    if (!after.length) return []
    const steps = element("dl", "sum")
    for (const [name, value] of after) steps.append(element("dt", "", t("then {layer}", { layer: name })), element("dd", "", exact(value, 4)))
    return [steps]
  }
}

/**
 * A number; a dash for one that is not finite.
 * @param {number | null} value
 * @param {number} digits
 */
const number = (value, digits) => (value === null ? "–" : exact(value, digits))

/** @param {TermJson[]} terms */
const total = (terms) => terms.reduce((sum, { product }) => sum + (product ?? 0), 0)

/** @param {Pick<TermJson, "place" | "copied">} term */
const from = ({ place, copied }) => (place ? place.join(", ") : copied ? t("a copy of {place}", { place: copied.join(", ") }) : t("padding"))

/**
 * A term in one line.
 * @param {TermJson} term
 */
export const words = (term) => `${from(term)}: ${number(term.value, 5)}${term.weight === null ? "" : ` × ${exact(term.weight, 5)}`} = ${number(term.product, 5)}`
