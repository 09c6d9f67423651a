// Autograd's gradients beside finite differences.

import { button, element } from "../shared/dom.js"
import { exact } from "../shared/format.js"
import { withTerms } from "../shared/term.js"
import { t } from "../shared/text.js"
import { titleOf } from "./numbers.js"

/** @import { GradientCheck } from "./documents.js" */

/**
 * Show the result of the check.
 * @param {HTMLElement} box
 * @param {GradientCheck | { error: string }} check
 */
export function showProof(box, check) {
  const head = element("header")
  box.replaceChildren(head)
  const close = () => button(t("Close"), () => box.replaceChildren(), { name: "close" })
  if ("error" in check) return head.append(element("p", "wrong", check.error), close())
  const { rows, passed, message, step, gradcheck, omitted } = check
  const verdict = passed ? t("✓ The gradients are correct: autograd and [[finite differences]] agree.") : t("✕ Autograd and [[finite differences]] disagree: backward() does not compute the slope of this loss.")
  head.append(withTerms("p", passed ? "right" : "wrong", verdict), close())
  const table = element("table", "differences")
  const titles = element("tr")
  titles.append(element("td"))
  for (const title of [t("autograd"), t("finite difference")]) titles.append(element("th", "", title))
  table.append(titles)
  for (const { name, cell, autograd, difference } of rows) {
    const row = element("tr")
    row.append(element("th", "", titleOf(name, cell)))
    for (const number of [autograd, difference]) row.append(element("td", "", number === null ? t("not finite") : exact(number, 9)))
    if (autograd === null || difference === null || Math.abs(autograd - difference) > 1e-5 + 1e-3 * Math.abs(difference)) row.className = "wrong"
    table.append(row)
  }
  box.append(table)
  box.append(element("p", "hint", t("Both in float64. Finite difference = (loss(value + {step}) − loss(value − {step})) / {double}; the script is run again for each loss.", { step, double: 2 * step })))
  if (omitted) box.append(element("p", "hint", t("Numbers that were not compared: {omitted}.", { omitted })))
  if (gradcheck) box.append(element("p", "hint", passed ? t("torch.autograd.gradcheck(…) returns True.") : t("torch.autograd.gradcheck(…) reports:")))
  if (message) box.append(element("pre", "printed", message))
}
