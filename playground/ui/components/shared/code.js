// Code to read: in the colours of the editor, and the lines that a change has made light up for a moment.

import { Decoration, EditorView, StateEffect, StateField, lineNumbers, python, syntaxHighlighting } from "./vendor/codemirror.js"
import { shades, theme } from "./editor.js"

/** @import { DecorationSet } from "@codemirror/view" */

const FLASHES = ["cm-flash-one", "cm-flash-two"] // two names, so that the same line can light up twice

/** @type {import("@codemirror/state").StateEffectType<DecorationSet>} */
const flash = StateEffect.define()
/** @type {import("@codemirror/state").StateField<DecorationSet>} */
const flashing = StateField.define({
  create: () => Decoration.none,
  update(marks, { changes, effects }) {
    for (const effect of effects) if (effect.is(flash)) return effect.value
    return marks.map(changes)
  },
  provide: (field) => EditorView.decorations.from(field),
})

// What is animated is said in controls.css: CodeMirror would rename it.
const quiet = EditorView.theme({
  "&": { height: "100%", maxHeight: "none" },
  ".cm-line.cm-flash-one": { animation: "flash-one 1.2s ease-out" },
  ".cm-line.cm-flash-two": { animation: "flash-two 1.2s ease-out" },
})

/**
 * How many items two lists share at their beginning and, of the rest, at their end.
 * @param {ArrayLike<string>} one
 * @param {ArrayLike<string>} other
 */
export function shared(one, other) {
  const shorter = Math.min(one.length, other.length)
  let head = 0, tail = 0
  while (head < shorter && one[head] === other[head]) head++
  while (tail < shorter - head && one[one.length - 1 - tail] === other[other.length - 1 - tail]) tail++
  return { head, tail }
}

/**
 * The lines of a text that were not in the one before, counted from 1: those outside the longest sequence that both have.
 * @param {string[]} before
 * @param {string[]} after
 */
export function newLines(before, after) {
  const { head, tail } = shared(before, after)
  const old = before.slice(head, before.length - tail), now = after.slice(head, after.length - tail)
  const longest = Array.from({ length: old.length + 1 }, () => new Uint16Array(now.length + 1)) // of what begins at a line of each
  for (let one = old.length - 1; one >= 0; one--) {
    for (let other = now.length - 1; other >= 0; other--) longest[one][other] = old[one] === now[other] ? longest[one + 1][other + 1] + 1 : Math.max(longest[one + 1][other], longest[one][other + 1])
  }
  const fresh = []
  for (let one = 0, other = 0; other < now.length;) {
    if (old[one] === now[other]) { one++; other++ }
    else if (one < old.length && longest[one + 1][other] >= longest[one][other + 1]) one++
    else fresh.push(head + ++other)
  }
  return fresh
}

export class CodeView {
  /**
   * @param {HTMLElement} parent must already lie in the page, as for an Editor
   * @param {{ label?: string }} [options]
   */
  constructor(parent, { label = "" } = {}) {
    this.turn = 0
    this.view = new EditorView({
      parent,
      root: /** @type {Document | ShadowRoot} */ (parent.getRootNode()),
      extensions: [
        python(), lineNumbers(), flashing, theme, quiet, syntaxHighlighting(shades),
        EditorView.editable.of(false), EditorView.contentAttributes.of({ "aria-label": label, "tabindex": "0", "aria-readonly": "true" }),
      ],
    })
  }

  get text() {
    return this.view.state.doc.toString()
  }

  /**
   * Show another text; the lines in which it differs from the one before light up.
   * @param {string} text
   */
  show(text) {
    const before = this.text
    if (text === before) return
    const { head, tail } = shared(before, text)
    this.view.dispatch({ changes: { from: head, to: before.length - tail, insert: text.slice(head, text.length - tail) } })
    if (!before) return
    this.flash(newLines(before.split("\n"), text.split("\n")))
  }

  /**
   * Light up lines, and scroll to the first one.
   * @param {number[]} lines counted from 1
   */
  flash(lines) {
    const { view } = this
    const name = FLASHES[(this.turn = 1 - this.turn)]
    const starts = lines.map((line) => view.state.doc.line(line).from)
    view.dispatch({ effects: flash.of(Decoration.set(starts.map((start) => Decoration.line({ class: name }).range(start)))) })
    if (!starts.length) return
    const { top, bottom } = view.lineBlockAt(starts[0])
    const { scrollTop, clientHeight } = view.scrollDOM
    if (top < scrollTop || bottom > scrollTop + clientHeight) view.scrollDOM.scrollTop = top - clientHeight / 3
  }

  destroy() {
    this.view.destroy()
  }
}
