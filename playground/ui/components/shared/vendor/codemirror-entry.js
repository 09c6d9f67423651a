/*
CodeMirror 6, only the parts that editor.js imports, bundled and minified. The source is vendor/, what it is made of:
@codemirror/autocomplete 6.20.4, @codemirror/commands 6.11.1, @codemirror/lang-python 6.2.1, @codemirror/language 6.13.1,
@codemirror/lint 6.9.8, @codemirror/state 6.7.6, @codemirror/view 6.43.15, @lezer/common 1.5.5, @lezer/highlight 1.2.5,
@lezer/lr 1.4.12, @lezer/python 1.1.19, @marijn/find-cluster-break 1.0.4, crelt 1.0.7, style-mod 4.1.4, w3c-keyname 2.2.8

MIT License. Copyright (C) 2016-2024 by Marijn Haverbeke and others

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation
files (the "Software"), to deal in the Software without restriction, including without limitation the rights to use, copy,
modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the Software
is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE,
ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
*/

export { acceptCompletion, autocompletion, closeBrackets, closeBracketsKeymap, closeCompletion } from "@codemirror/autocomplete"
export { defaultKeymap, history, historyKeymap, indentWithTab, isolateHistory } from "@codemirror/commands"
export { python } from "@codemirror/lang-python"
export { HighlightStyle, bracketMatching, indentOnInput, indentUnit, syntaxHighlighting, syntaxTree } from "@codemirror/language"
export { lintGutter, nextDiagnostic, setDiagnostics } from "@codemirror/lint"
export { Prec, StateEffect, StateField } from "@codemirror/state"
export { Decoration, EditorView, highlightActiveLine, highlightActiveLineGutter, keymap, lineNumbers, tooltips } from "@codemirror/view"
export { tags } from "@lezer/highlight"
