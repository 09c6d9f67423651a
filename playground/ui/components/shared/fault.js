// What went wrong in a script: the message, the shapes that do not fit, an explanation, and a button for each repair.

import { alignment, button, rich } from "./dom.js"
import { t } from "./text.js"

/**
 * @import { Editor } from "./editor.js"
 * @import { Fault as ScriptFault } from "../tensor_lab/documents.js"
 */

/** @typedef {Pick<ScriptFault, "message" | "explanation" | "fixes"> & Partial<ScriptFault> & { retry?: boolean }} Fault of a request that failed there is only a message, and whether to try again */

/**
 * The fault in an answer to a request that runs a script; undefined where there is none.
 * @param {{ error?: any, retry?: boolean, unreachable?: boolean }} answer
 * @returns {Fault | undefined}
 */
export const faultOf = ({ error, retry, unreachable }) => (typeof error === "string" ? { message: error, explanation: "", fixes: [], retry: retry || unreachable } : error ?? undefined)

/**
 * Show a fault, and mark it in the script.
 * @param {HTMLElement} box
 * @param {Fault | undefined} fault none empties the box
 * @param {string} source which was run; what is edited since is not marked
 * @param {Editor} editor
 * @param {() => unknown} run
 */
export function showFault(box, fault, source, editor, run) {
  box.replaceChildren()
  editor.mark([])
  if (!fault) return
  const { start = 0, end = 0 } = fault
  const unit = (/** @type {number} */ offset) => [...source].slice(0, offset).join("").length // Python counts characters, JavaScript UTF-16 units
  if (end > start && source === editor.text) editor.mark([{ start: unit(start), end: unit(end), message: fault.message }])
  box.append(rich("p", "message", fault.line ? t("Line {line}: {message}", { line: fault.line, message: fault.message }) : fault.message))
  if (fault.alignment) {
    const { rows, wrong } = fault.alignment
    box.append(alignment(rows.map((row) => row.sizes.map((size, place) => ({ size, wrong: wrong.includes(place) }))), rows.map((row) => row.name)))
  }
  if (fault.explanation) box.append(rich("p", "why", fault.explanation))
  for (const fix of fault.fixes) {
    const made = rich("button", "fix", fix.label)
    made.type = "button"
    made.onclick = () => {
      editor.apply({ start: unit(fix.start), end: unit(fix.end), text: fix.text })
      run()
    }
    box.append(made)
  }
  if (fault.retry) box.append(button(t("Try again"), run))
}
