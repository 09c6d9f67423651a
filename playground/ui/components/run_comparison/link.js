// A link to a run on another page, which stays in the session of this one.

import { html } from "../shared/templates.js"

/** @typedef {"train" | "evaluate"} Destination */

/**
 * @param {{ run: string, name: string }} run
 * @param {Destination} where
 * @param {string} text
 * @param {(where: Destination, run: string) => void} go
 */
export function link({ run, name }, where, text, go) {
  const address = new URL(where === "train" ? `train?run=${run}` : `evaluate?model=${run}`, document.baseURI).href
  const open = (/** @type {MouseEvent} */ event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return // opens in a tab of its own
    event.preventDefault()
    go(where, run)
  }
  return html`<a class="comparison-link" href=${address} aria-label="${text}: ${name}" @click=${open}>${text}</a>`
}
