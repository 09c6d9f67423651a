// Elements of a page.

import { t } from "./text.js"

/** What an element of one's own extends; Node.js, which tests modules without a page, has no such class. */
export const Base = /** @type {typeof HTMLElement} */ (globalThis.HTMLElement ?? class {})

/**
 * The element that matches a selector; one that is missing is a bug.
 * @param {ParentNode} root
 * @param {string} selector
 * @returns {any} an element, whose kind the selector implies
 */
export function find(root, selector) {
  const found = root.querySelector(selector)
  if (!found) throw new Error(`There is no ${selector}.`)
  return found
}

/**
 * Create an element with a class and a text, where they are given.
 * @template {keyof HTMLElementTagNameMap} Kind
 * @param {Kind} kind
 * @param {string} [name] its classes
 * @param {string} [text]
 */
export function element(kind, name, text) {
  const made = document.createElement(kind)
  if (name) made.className = name
  if (text !== undefined) made.textContent = text
  return made
}

const LETTER = /\p{L}/u

/**
 * Create a button.
 * @param {string} text
 * @param {() => unknown} act
 * @param {{ name?: string, label?: string }} [more] its classes, and a tooltip that says more than the text
 */
export function button(text, act, { name = "", label } = {}) {
  const made = element("button", name, text)
  made.type = "button"
  made.onclick = act
  if (label !== undefined) {
    made.title = label
    if (!LETTER.test(text) || label.toLowerCase().includes(text.toLowerCase())) made.setAttribute("aria-label", label) // what is said must be part of the name
  }
  return made
}

/**
 * Create a tab.
 * @param {string} view which it opens
 * @param {string} title
 * @param {() => unknown} open
 */
export function tab(view, title, open) {
  const made = button(title, open)
  made.role = "tab"
  made.dataset.view = view
  return made
}

/**
 * Create an element of a drawing in SVG.
 * @param {string} kind
 * @param {Record<string, string | number>} [attributes]
 * @param {string} [text]
 * @returns {SVGElement}
 */
export function svg(kind, attributes = {}, text) {
  const made = /** @type {SVGElement} */ (document.createElementNS("http://www.w3.org/2000/svg", kind))
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value))
  if (text !== undefined) made.textContent = text
  return made
}

/**
 * Create an element with names of PyTorch, which no language translates.
 * @param {string} name its classes
 * @param {string} text
 */
export const named = (name, text) => Object.assign(element("span", name, text), { translate: false })

/**
 * A sentence with its `code` marked.
 * @template {keyof HTMLElementTagNameMap} Kind
 * @param {Kind} kind
 * @param {string} name
 * @param {string} text
 */
export function rich(kind, name, text) {
  const box = element(kind, name)
  text.split("`").forEach((part, place) => box.append(place % 2 ? element("code", "", part) : part))
  return box
}

/**
 * A size of a shape; null where the shape has no such dimension.
 * @typedef {{ size: number | null, stretched?: boolean, wrong?: boolean }} Size
 */

/**
 * Shapes under one another, aligned at the right; stretched sizes are marked.
 * @param {Size[][]} rows
 * @param {string[]} names
 */
export function alignment(rows, names) {
  const table = element("table", "align")
  rows.forEach((row, place) => {
    const line = element("tr")
    line.append(element("th", "", names[place] ?? ""))
    for (const { size, stretched, wrong } of row) {
      const cell = element("td", wrong ? "wrong" : stretched ? "stretched" : "", size === null ? "–" : String(size))
      if (stretched && !wrong) cell.title = t("broadcast")
      line.append(cell)
    }
    table.append(line)
  })
  return table
}
