// Autograd's gradients beside finite differences.

import { element } from "../shared/dom.js"
import { exact } from "../shared/format.js"

/** @import { GradientCheck } from "./types.js" */

/**
 * Show the result of the check.
 * @param {HTMLElement} box
 * @param {GradientCheck} check
 */
export function showProof(box, { rows, passed, message, step, gradcheck, omitted, error }) {
  box.replaceChildren()
  if (error) return box.append(element("p", "wrong", error))
  const verdict = passed ? "The gradients are correct: autograd and finite differences agree." : "Autograd and finite differences disagree: backward() does not compute the slope of this loss."
  box.append(element("p", passed ? "right" : "wrong", verdict))
  const table = element("table", "differences")
  const head = element("tr")
  for (const title of ["", "autograd", "finite difference"]) head.append(element("th", "", title))
  table.append(head)
  for (const { name, cell, autograd, difference } of rows) {
    const row = element("tr")
    row.append(element("th", "", `${name}${cell.length ? `[${cell.join(", ")}]` : ""}`))
    for (const number of [autograd, difference]) row.append(element("td", "", number === null ? "not finite" : exact(number, 9)))
    if (autograd === null || difference === null || Math.abs(autograd - difference) > 1e-5 + 1e-3 * Math.abs(difference)) row.className = "wrong"
    table.append(row)
  }
  box.append(table)
  box.append(element("p", "hint", `Both in float64. Finite difference = (loss(value + ${step}) − loss(value − ${step})) / ${2 * step}; the script is run again for each loss.`))
  if (omitted) box.append(element("p", "hint", `Numbers that were not compared: ${omitted}.`))
  if (gradcheck) box.append(element("p", "hint", passed ? "torch.autograd.gradcheck(…) returns True." : "torch.autograd.gradcheck(…) reports:"))
  if (message) box.append(element("pre", "printed", message))
}
