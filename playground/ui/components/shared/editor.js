// A code editor for Python: CodeMirror 6 with the playground's colours and only the extensions that a learner needs.
// Offsets count UTF-16 units, as JavaScript's strings do; Python counts code points, which differ behind an emoji.

import {
  Decoration, EditorView, HighlightStyle, Prec, StateEffect, StateField, acceptCompletion, autocompletion, bracketMatching,
  closeBrackets, closeBracketsKeymap, closeCompletion, defaultKeymap, highlightActiveLine, highlightActiveLineGutter, history, historyKeymap,
  indentOnInput, indentUnit, indentWithTab, isolateHistory, keymap, lineNumbers, lintGutter, nextDiagnostic, python,
  setDiagnostics, syntaxHighlighting, syntaxTree, tags, tooltips,
} from "./vendor/codemirror.js"

import { cleaned } from "./pasted.js"

/**
 * @import { CompletionContext, CompletionResult } from "@codemirror/autocomplete"
 * @import { EditorState } from "@codemirror/state"
 * @import { DecorationSet } from "@codemirror/view"
 */

/** @typedef {{ label: string, detail: string, info: string }} Entry what the editor can offer */
/** @typedef {{ start: number, end: number }} Span offsets in UTF-16 units */

/**
 * @param {string} colour of Streamlit's theme
 * @param {number} share in percent
 */
const veil = (colour, share) => `color-mix(in srgb, var(--st-${colour}) ${share}%, transparent)`
const bubble = {
  color: "var(--st-text-color)", background: "var(--st-background-color)",
  border: "1px solid var(--st-border-color)", borderRadius: "var(--st-base-radius)", boxShadow: "0 6px 24px rgb(0 0 0 / .18)",
}

// Only variables, no colours: the browser follows a change of Streamlit's theme, and nothing here needs to hear of it.
export const theme = EditorView.theme({
  "&": {
    fontSize: ".9375rem", color: "var(--st-text-color)", background: "var(--st-secondary-background-color, transparent)",
    border: "1px solid var(--st-border-color)", borderRadius: "var(--st-base-radius)", maxHeight: "var(--editor-max-height, 60vh)",
  },
  "&.cm-focused": { outline: "1px solid var(--st-primary-color)", borderColor: "var(--st-primary-color)" },
  ".cm-scroller": { fontFamily: "var(--st-code-font, monospace)", lineHeight: 1.55, overflow: "auto", borderRadius: "inherit" },
  ".cm-content, .cm-gutter": { minHeight: "var(--editor-min-height, 9.5em)" },
  ".cm-content": { padding: ".6em 0", caretColor: "var(--st-primary-color)" },
  ".cm-line": { padding: "0 .8em 0 .5em" },
  ".cm-content ::selection": { background: veil("primary-color", 15) },
  ".cm-gutters": { background: "var(--st-secondary-background-color)", color: "var(--st-gray-text-color)", border: "none" }, // long lines scroll beneath them
  ".cm-lineNumbers .cm-gutterElement": { minWidth: "2ch", padding: "0 .4em 0 0", fontVariantNumeric: "tabular-nums" },
  ".cm-activeLine, .cm-activeLineGutter": { background: "transparent" },
  "&.cm-focused .cm-activeLine": { background: veil("text-color", 4) },
  "&.cm-focused .cm-activeLineGutter": { color: "var(--st-text-color)" },
  ".cm-line.cm-lit": { background: veil("blue-color", 14), boxShadow: "inset 3px 0 var(--st-blue-color)" },
  "&.cm-focused .cm-matchingBracket": { background: veil("text-color", 14), borderRadius: "3px" },
  "&.cm-focused .cm-nonmatchingBracket": { background: veil("red-color", 25), borderRadius: "3px" },
  ".cm-lintRange-error": {
    backgroundImage: "none", textDecoration: "underline wavy var(--st-red-color) 1.5px", textUnderlineOffset: "3px",
  },
  ".cm-lintPoint:after": { borderBottomColor: "var(--st-red-color)" },
  ".cm-gutter-lint": { width: "1em" },
  ".cm-gutter-lint .cm-gutterElement": { padding: ".5em 0 0", display: "grid", justifyItems: "center" },
  ".cm-lint-marker": { content: "normal", width: ".5em", height: ".5em", borderRadius: "50%", background: "var(--st-red-color)" },
  ".cm-tooltip": bubble,
  ".cm-tooltip-lint": { maxWidth: "min(32em, 90vw)", overflow: "hidden", fontFamily: "var(--st-font)", lineHeight: 1.45 },
  ".cm-diagnostic": { padding: ".5em .8em", marginLeft: 0, borderLeft: "4px solid var(--st-red-color)" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": {
    fontFamily: "var(--st-code-font, monospace)", minWidth: "12em", maxHeight: "13em", borderRadius: "inherit",
  },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li": { padding: ".3em .7em", lineHeight: 1.4 },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { background: veil("primary-color", 18), color: "inherit" },
  ".cm-completionDetail": { color: "var(--st-gray-text-color)", fontStyle: "normal", marginLeft: "1em" },
  ".cm-tooltip.cm-completionInfo": { padding: ".5em .8em", fontFamily: "var(--st-font)", lineHeight: 1.5, maxWidth: "min(22em, 90vw)" },
  // Where there is no room beside the list, the explanation goes under it and not across it.
  ".cm-completionInfo-left-narrow, .cm-completionInfo-right-narrow": {
    left: "-1px !important", right: "-1px !important", width: "auto !important", maxWidth: "none !important",
    top: "calc(100% + 4px) !important", bottom: "auto !important",
  },
  ".cm-tooltip-above .cm-completionInfo-left-narrow, .cm-tooltip-above .cm-completionInfo-right-narrow": {
    top: "auto !important", bottom: "calc(100% + 4px) !important",
  },
})

// Streamlit gives these colours a light and a dark value, all with a contrast above 4.5 to the editor's background.
export const shades = HighlightStyle.define([
  { tag: [tags.keyword, tags.modifier], color: "var(--st-violet-text-color)" },
  { tag: [tags.string, tags.special(tags.string), tags.escape], color: "var(--st-green-text-color)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--st-orange-text-color)" },
  { tag: [tags.function(tags.variableName), tags.function(tags.propertyName), tags.className], color: "var(--st-blue-text-color)" },
  { tag: [tags.comment], color: "var(--st-gray-text-color)", fontStyle: "italic" },
  { tag: [tags.meta], color: "var(--st-orange-text-color)" },
])

// Bubbles keep a little distance from the edges of the screen.
const space = () => ({ top: document.querySelector("header")?.getBoundingClientRect().bottom ?? 0, left: 8, bottom: window.innerHeight, right: document.documentElement.clientWidth - 8 })

/** @type {import("@codemirror/state").StateEffectType<DecorationSet>} */
const light = StateEffect.define()
/** @type {import("@codemirror/state").StateField<DecorationSet>} */
const lit = StateField.define({
  create: () => Decoration.none,
  update(marks, { changes, effects }) {
    for (const effect of effects) if (effect.is(light)) return effect.value
    return marks.map(changes)
  },
  provide: (field) => EditorView.decorations.from(field),
})

/**
 * Whether the cursor stands in a string or in a comment, where every sign means itself.
 * @param {EditorState} state
 */
const isInText = (state) => /String|Comment/.test(syntaxTree(state).resolveInner(state.selection.main.from, -1).name)

export class Editor {
  /**
   * @param {HTMLElement} parent must already lie in the page, because the styles go to the document or the shadow root that it is in
   * @param {{ text?: string, label?: string, onRun?: () => void, onNext?: () => void, onChange?: (text: string) => void }} [options] `onRun` for
   *   Ctrl+Enter, `onNext` for Shift+Enter
   */
  constructor(parent, { text = "", label = "", onRun, onNext, onChange } = {}) {
    /** @type {Entry[]} */
    this.entries = []
    const run = { key: "Mod-Enter", run: (/** @type {EditorView} */ view) => { closeCompletion(view); onRun?.(); return true } }
    const next = { key: "Shift-Enter", run: (/** @type {EditorView} */ view) => { closeCompletion(view); onNext?.(); return Boolean(onNext) } }
    this.view = new EditorView({
      parent,
      root: /** @type {Document | ShadowRoot} */ (parent.getRootNode()),
      doc: text,
      extensions: [
        Prec.highest(keymap.of([run, next])), // before the default keymap, where this key inserts a line
        // Tab indents, so that it does not leave the editor; Escape and then Tab does, for those who have no mouse.
        keymap.of([
          { key: "Tab", run: acceptCompletion }, { key: "F8", run: nextDiagnostic },
          ...closeBracketsKeymap, ...defaultKeymap, ...historyKeymap, indentWithTab,
        ]),
        python(), indentUnit.of("    "), indentOnInput(), history(), bracketMatching(), closeBrackets(),
        autocompletion({ override: [(context) => this.offer(context, context.explicit)], icons: false }), tooltips({ tooltipSpace: space }),
        lintGutter(), lineNumbers(), highlightActiveLine(), highlightActiveLineGutter(), lit,
        theme, syntaxHighlighting(shades),
        EditorView.clipboardInputFilter.of((text, state) => (isInText(state) ? text : cleaned(text))),
        EditorView.contentAttributes.of({ "aria-label": label, tabindex: "0" }),
        EditorView.updateListener.of((update) => { if (update.docChanged) onChange?.(this.text) }),
      ],
    })
  }

  get text() {
    return this.view.state.doc.toString()
  }

  set text(value) {
    if (value !== this.text) this.apply({ start: 0, end: Infinity, text: value })
  }

  /** @param {Span & { text: string }} change */
  apply({ start, end, text }) {
    const [from, to] = this.range(start, end)
    this.view.dispatch({ changes: { from, to, insert: text }, annotations: isolateHistory.of("full") })
  }

  /** @param {(Span & { message: string })[]} faults */
  mark(faults) {
    /** @type {import("@codemirror/lint").Diagnostic[]} */
    const diagnostics = faults.map(({ start, end, message }) => {
      const [from, to] = this.range(start, end)
      return { from, to, message, severity: "error" }
    })
    this.view.dispatch(setDiagnostics(this.view.state, diagnostics))
  }

  /** @param {number[]} lineNumbers those to light, from 1 */
  lines(lineNumbers) {
    const doc = this.view.state.doc
    const known = lineNumbers.filter((number) => number >= 1 && number <= doc.lines)
    const marks = known.map((number) => Decoration.line({ class: "cm-lit" }).range(doc.line(number).from))
    this.view.dispatch({ effects: light.of(Decoration.set(marks, true)) })
  }

  /** @param {Entry[]} entries */
  complete(entries) {
    this.entries = entries
  }

  focus() {
    this.view.focus()
  }

  destroy() {
    this.view.destroy()
  }

  /**
   * @param {number} start
   * @param {number} end
   */
  range(start, end) {
    const from = Math.min(Math.max(start, 0), this.view.state.doc.length)
    return [from, Math.max(from, Math.min(end, this.view.state.doc.length))]
  }

  /**
   * While one types, only what begins like the word is offered, names from their second letter on, and nothing once the
   * word is whole: Enter then ends the line. Asked for with Ctrl+Space, it is all that contains the word.
   * @param {CompletionContext} context
   * @param {boolean} explicit
   * @returns {CompletionResult | null}
   */
  offer(context, explicit) {
    const { state, pos } = context
    const { from, text } = /** @type {{ from: number, text: string }} */ (context.matchBefore(/[\p{L}\d_.]*/u)) // the empty word matches everywhere
    if (/^\d|\.\./.test(text)) return null // a number or an ellipsis
    if (/[\p{L}\d_]/u.test(state.sliceDoc(pos, pos + 1))) return null // the middle of a word
    if (/String|Comment/.test(syntaxTree(state).resolveInner(pos, -1).name)) return null
    const typed = text.slice(text.lastIndexOf(".") + 1)
    // What stands before the last dot is a module that the entries know, or else any value, which has methods.
    let path = text.slice(0, text.length - typed.length)
    if (!this.entries.some(({ label }) => label.startsWith(path))) path = "."
    if (!explicit && !path && typed.length < 2) return null
    const fits = explicit ? (/** @type {string} */ name) => name.includes(typed) : (/** @type {string} */ name) => name.toLowerCase().startsWith(typed.toLowerCase())
    const options = []
    for (const { label, detail, info } of this.entries) {
      const name = label.slice(path.length)
      if (!label.startsWith(path) || !fits(name) || (!path && name.includes(".") && (!explicit || name[0] === "."))) continue
      if (!explicit && name === typed) return null
      options.push({ label: name, displayLabel: path === "." ? name : label, detail, info })
    }
    /** @param {{ label: string }} option */
    const rank = ({ label }) => Number(!label.startsWith(typed))
    options.sort((one, other) => rank(one) - rank(other))
    return { from: from + text.length - typed.length, options, filter: false, update: (_, start, end, next) => this.offer(next, explicit) }
  }
}
