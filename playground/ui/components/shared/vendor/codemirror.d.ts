// The types of codemirror.js, for tsc.

export { acceptCompletion, autocompletion, closeBrackets, closeBracketsKeymap, closeCompletion } from "@codemirror/autocomplete"
export { defaultKeymap, history, historyKeymap, indentWithTab, isolateHistory } from "@codemirror/commands"
export { python } from "@codemirror/lang-python"
export { HighlightStyle, bracketMatching, indentOnInput, indentUnit, syntaxHighlighting, syntaxTree } from "@codemirror/language"
export { lintGutter, nextDiagnostic, setDiagnostics } from "@codemirror/lint"
export { Prec, StateEffect, StateField } from "@codemirror/state"
export { Decoration, EditorView, highlightActiveLine, highlightActiveLineGutter, keymap, lineNumbers, tooltips } from "@codemirror/view"
export { tags } from "@lezer/highlight"
