// Autograd's gradients beside finite differences.

import { element, exact } from "./tile.js"

// Fill `box` with what the server has found.
export function showProof(box, { rows, passed, said, step, gradcheck, left_out: leftOut, error }) {
  box.replaceChildren()
  if (error) return box.append(element("p", "wrong", error))
  const verdict = passed ? "The gradients are proved: autograd and finite differences agree." : "They do not agree: what backward() computes is not the slope of this loss."
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
  box.append(element("p", "hint", `Both in float64. A finite difference is (loss at value + ${step} less loss at value − ${step}) / ${2 * step}; the script was run anew for each.`))
  if (leftOut) box.append(element("p", "hint", `${leftOut} more numbers were not compared.`))
  if (gradcheck) box.append(element("p", "hint", passed ? "torch.autograd.gradcheck(…) returns True." : "torch.autograd.gradcheck(…) says:"))
  if (said) box.append(element("pre", "printed", said))
}
