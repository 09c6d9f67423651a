// The sum behind one value of a layer: every product, their total, and what the following layers compute from it.

import { tint } from "./colour.js"
import { element } from "./dom.js"
import { exact, short } from "./format.js"
import { plural, t } from "./text.js"

const FEW = 64 // most terms shown in one table
const WINDOWS = 2 // most channels whose windows are shown at once
const NUMBERED = 3 // cells beside each other that have room for numbers

/** @import { CalculationJson, ChildJson, TermJson } from "./documents.js" */
/**
 * @typedef {"value" | "weight" | "product"} Factor
 * @typedef {{ channel: number, terms: TermJson[] }} Part the terms of a channel
 * @typedef {{ detail: HTMLElement, cells: Element[] }} Lit the place that is lit in the tables, and its term in words
 */
/** @type {[factor: Factor, name: string, before: string][]} */
const FACTORS = [["value", "x", ""], ["weight", "w", "×"], ["product", "x·w", "="]]

export class WrittenOut {
  /** @param {(term: TermJson | null) => void} [light] called with the term under the pointer */
  constructor(light = () => {}) {
    this.light = light
    this.box = element("section", "written")
    this.box.tabIndex = 0 // scrolled with the keyboard
    this.box.setAttribute("aria-label", t("Sum behind a value"))
  }

  /**
   * @param {CalculationJson | null} written
   * @param {string} [title]
   * @param {[type: string, result: number][]} [after] the following layers and their results
   */
  show(written, title = "", after = []) {
    if (!written) return this.box.replaceChildren()
    const [formula, ...parts] = this.parts(written, after)
    const head = element("header")
    head.append(element("h2", "", title), formula)
    this.box.replaceChildren(head, ...parts)
  }

  /**
   * @param {CalculationJson} written
   * @param {[type: string, result: number][]} [after]
   * @returns {HTMLElement[]}
   */
  parts(written, after = []) {
    const count = written.terms.length
    const steps = element("dl", "sum")
    /**
     * @param {string} name
     * @param {number | null} value
     */
    const say = (name, value, kind = "") => steps.append(element("dt", "", name), element("dd", kind, number(value, 6)))
    const weighted = count > 0 && written.terms.every(({ weight }) => weight !== null)
    const alone = count === 1 && !weighted
    if (alone) say("x", written.terms[0].value)
    if (weighted && count > 1) say(plural("sum of {n} product", "sum of {n} products", count, { n: count.toLocaleString("en") }), total(written.terms))
    if (weighted && written.bias !== null) say(t("bias b"), written.bias)
    for (const { name, value } of written.steps) say(name, value)
    say(t("result"), written.result, "result")
    for (const [name, value] of after) say(t("then {layer}", { layer: name }), value)
    const children = written.children.map((child) => this.child(child))
    if (written.grid.length === 3 && count > 1) {
      const [windows, ...more] = this.windows(written)
      return [element("p", "formula", written.formula), windows, steps, ...more, ...children]
    }
    return [element("p", "formula", written.formula), steps, ...(count && !alone ? [this.table(written.terms)] : []), ...children]
  }

  /** @param {ChildJson} child */
  child(child) {
    const box = element("disclosure-box")
    box.label = t("{name}: {value}", { name: child.name, value: number(child.result, 5) })
    box.ontoggle = () => { if (box.open && box.children.length === 1) box.append(...this.parts(child)) }
    return box
  }

  /**
   * A window for each channel, those with the largest weights first: what lies in it, its weights and the products. Of many, most are folded.
   * @param {CalculationJson} written
   * @returns {HTMLElement[]}
   */
  windows({ terms, grid: [channels, rows, columns] }) {
    const each = rows * columns
    const parts = Array.from({ length: channels }, (_, channel) => ({ channel, terms: terms.slice(channel * each, (channel + 1) * each) }))
    const size = (/** @type {Part} */ part) => part.terms.reduce((sum, { weight }) => sum + Math.abs(weight ?? 0), 0)
    parts.sort((one, other) => size(other) - size(one))
    const most = { value: largest(terms, "value"), weight: largest(terms, "weight"), product: largest(terms, "product") }
    const detail = element("p", "detail")
    /** @type {Lit} */
    const lit = { detail, cells: [] }
    const window = (/** @type {Part} */ part) => this.window(part, columns, most, lit, channels > 1)
    const box = element("div", "windows")
    box.onpointerleave = () => this.light(null)
    box.append(detail, ...parts.slice(0, WINDOWS).map(window))
    if (parts.length <= WINDOWS) return [box]
    const rest = element("disclosure-box")
    rest.label = plural("{n} more channel", "{n} more channels", parts.length - WINDOWS, { n: parts.length - WINDOWS })
    rest.ontoggle = () => { if (rest.open && rest.children.length === 1) rest.append(...parts.slice(WINDOWS).map(window)) }
    return [box, rest]
  }

  /**
   * One channel: x, w and x·w in three tables, in which the same place is lit.
   * @param {Part} part
   * @param {number} columns
   * @param {Record<Factor, number>} most the largest of all channels
   * @param {Lit} lit
   * @param {boolean} named whether there are other channels
   */
  window({ channel, terms }, columns, most, lit, named) {
    const figure = element("figure", "window")
    const tables = FACTORS.filter(([factor]) => factor === "value" || terms.some((term) => term.weight !== null)).map(([factor, name, before]) => {
      const table = element("div", columns <= NUMBERED ? "cells numbered" : "cells")
      table.style.gridTemplateColumns = `repeat(${columns}, minmax(0, 1fr))`
      table.append(...terms.map((term) => {
        const cell = element("span", term.place || term.copied ? "" : "padding", columns <= NUMBERED ? small(term[factor]) : "")
        cell.style.background = tint((term[factor] ?? 0) / most[factor])
        cell.title = words(term)
        return cell
      }))
      const column = element("div", "factor")
      column.append(element("b", "", name), table)
      figure.append(...(before ? [element("span", "sign", before)] : []), column)
      return table
    })
    const light = (/** @type {number} */ place) => {
      for (const cell of lit.cells) cell.classList.remove("lit")
      lit.cells = tables.map((table) => table.children[place])
      for (const cell of lit.cells) cell.classList.add("lit")
      lit.detail.textContent = words(terms[place])
    }
    for (const table of tables) [...table.children].forEach((cell, place) => { /** @type {HTMLElement} */ (cell).onpointerenter = () => { light(place); this.light(terms[place]) } })
    if (!lit.cells.length) light(terms.reduce((best, term, place) => (Math.abs(term.product ?? 0) > Math.abs(terms[best].product ?? 0) ? place : best), 0))
    const sum = { channel, sum: exact(total(terms), 4) }
    figure.append(element("figcaption", "", named ? t("channel {channel}: {sum}", sum) : t("sum: {sum}", sum)))
    return figure
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
}

/**
 * A number; a dash for one that is not finite.
 * @param {number | null} value
 * @param {number} digits
 */
const number = (value, digits) => (value === null ? "–" : exact(value, digits))

/** @param {number | null} value */
const small = (value) => (value === null ? "–" : short(value))

/**
 * The largest absolute value of a factor, for its colours.
 * @param {TermJson[]} terms
 * @param {Factor} factor
 */
const largest = (terms, factor) => Math.max(...terms.map((term) => Math.abs(term[factor] ?? 0)), 1e-12)

/** @param {TermJson[]} terms */
const total = (terms) => terms.reduce((sum, { product }) => sum + (product ?? 0), 0)

/**
 * A place in words.
 * @param {number[]} place
 */
export function where([first, second, third]) {
  if (second === undefined) return t("number {number}", { number: first })
  if (third === undefined) return t("token {token}, feature {feature}", { token: first, feature: second })
  return t("map {map}, row {row}, column {column}", { map: first, row: second, column: third })
}

/** @param {Pick<TermJson, "place" | "copied">} term */
const from = ({ place, copied }) => (place ? where(place) : copied ? t("a copy of {place}", { place: where(copied) }) : t("padding"))

/**
 * A term in one line.
 * @param {TermJson} term
 */
export const words = (term) => `${from(term)}: ${number(term.value, 5)}${term.weight === null ? "" : ` × ${exact(term.weight, 5)}`} = ${number(term.product, 5)}`
