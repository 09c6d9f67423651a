// A number that is changed by dragging it sideways: in a field, in a cell, or as a text of a drawing.

const FREE = 3 // pixels that a click may slip

/**
 * The value after a way; with `fine`, a tenth of it.
 * @param {number} start
 * @param {number} pixels to the right
 * @param {number} step how much a pixel is
 */
export function draggedTo(start, pixels, step, fine = false) {
  const each = fine ? step / 10 : step
  return Number((start + Math.round(pixels) * each).toFixed(Math.min(12, Math.max(0, Math.ceil(-Math.log10(each)) + 1))))
}

/**
 * Let a number be dragged; the Shift key makes it ten times as slow. A click that does not move stays a click, so a field can still be typed into.
 * On a field, `value`, `change` and `ended` may be missing: then it is changed as if it were typed, with `input` and `change`.
 * @param {HTMLElement | SVGElement} target
 * @param {object} how
 * @param {number} how.step how much a pixel is
 * @param {() => number} [how.value]
 * @param {(value: number) => unknown} [how.change] called while it is dragged
 * @param {(value: number) => unknown} [how.ended] called when it is let go of
 */
export function draggable(target, { step, value, change, ended }) {
  const field = /** @type {HTMLInputElement} */ (target)
  const read = value ?? (() => Number(field.value))
  const write = change ?? ((/** @type {number} */ next) => { field.value = String(next); field.dispatchEvent(new Event("input", { bubbles: true })) })
  const end = ended ?? (() => field.dispatchEvent(new Event("change", { bubbles: true })))
  /** @type {{ x: number, value: number, last: number, moves: boolean } | null} */
  let drag = null
  target.classList.add("drags")
  target.onpointerdown = (event) => {
    if (event.button || field.disabled) return
    const start = read()
    drag = { x: event.clientX, value: start, last: start, moves: false }
    target.setPointerCapture(event.pointerId)
  }
  target.onpointermove = (event) => {
    if (!drag || (!drag.moves && Math.abs(event.clientX - drag.x) <= FREE)) return
    drag.moves = true
    target.classList.add("dragged")
    const next = draggedTo(drag.value, event.clientX - drag.x, step, event.shiftKey)
    if (next !== drag.last) write((drag.last = next))
  }
  target.onpointerup = target.onpointercancel = () => {
    const done = drag
    drag = null
    target.classList.remove("dragged")
    if (done?.moves) end(done.last)
  }
}
