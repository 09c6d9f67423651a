import assert from "node:assert/strict"
import test from "node:test"

import { MOST_CELLS, MOST_LETTERS, Past, curveOf, fromJupyter, partsOf, piecesOf, toJupyter } from "../../playground/ui/components/notebook/document.js"

/** @type {import("../../playground/ui/components/notebook/documents.js").NotebookCell[]} */
const CELLS = [{ kind: "text", source: "# A title\n\nand a text" }, { kind: "code", source: "x = 1\nprint('größe')\n" }, { kind: "code", source: "x" }]

test("what is saved for Jupyter is read again, cell by cell", () => {
  const text = toJupyter(CELLS), saved = JSON.parse(text)
  assert.deepEqual(fromJupyter(text), CELLS)
  assert.deepEqual([saved.nbformat, saved.cells[0].cell_type, saved.cells[1].source, saved.cells[1].outputs], [4, "markdown", ["x = 1\n", "print('größe')\n"], []])
  assert.equal(new Set(saved.cells.map((/** @type {{ id: string }} */ { id }) => id)).size, 3)
})

test("a file of Jupyter is read without its outputs and empty cells, in its older form, too", () => {
  const cells = [{ cell_type: "code", source: ["a = 1\n", "b = 2"], outputs: [{ text: "no" }] }, { cell_type: "raw", source: "plain" }, { cell_type: "code", source: " " }, { cell_type: "strange", source: "x" }, null]
  const expected = [{ kind: "code", source: "a = 1\nb = 2" }, { kind: "text", source: "plain" }]
  assert.deepEqual(fromJupyter(JSON.stringify({ cells, nbformat: 4 })), expected)
  assert.deepEqual(fromJupyter(JSON.stringify({ worksheets: [{ cells: [{ cell_type: "code", input: "a = 1" }] }] })), [{ kind: "code", source: "a = 1" }])
})

test("a file that is no notebook, or too large, is refused with a sentence", () => {
  const code = (/** @type {number} */ count, source = "x") => JSON.stringify({ cells: Array(count).fill({ cell_type: "code", source }) })
  for (const [text, reason] of /** @type {[string, RegExp][]} */ ([
    ["x = 1", /not JSON/], ["[]", /no cells/], ["null", /no cells/], ['{"cells": 3}', /no cells/], ['{"cells": []}', /no cell with code/], ['{"cells": [{"cell_type": "code", "source": {"a": 1}}]}', /no cell with code/],
    [code(MOST_CELLS + 1), /at most/], [code(1, "x".repeat(MOST_LETTERS + 1)), /longer than/],
  ])) assert.throws(() => fromJupyter(text), reason)
  assert.equal(fromJupyter(code(MOST_CELLS, "x".repeat(MOST_LETTERS))).length, MOST_CELLS)
})

test("changes are undone from the last to the first, a hundred of them", () => {
  const past = new Past()
  assert.equal(past.undo(), undefined)
  for (let count = 0; count < 120; count += 1) past.keep([{ kind: "code", source: String(count) }])
  const undone = []
  for (let cells = past.undo(); cells; cells = past.undo()) undone.push(Number(cells[0].source))
  assert.deepEqual([undone.length, undone[0], undone.at(-1)], [100, 119, 20])
})

test("a text of Markdown has headings, paragraphs, lists and code", () => {
  const parts = partsOf("# One\ntext\ngoes on\n\nmore\n- a\n- b\n1. c\n\n```python\nx = 1\n\n# no heading\n```\n### Three\n")
  assert.deepEqual(parts, [
    { kind: "h2", lines: ["One"], level: 1 }, { kind: "p", lines: ["text goes on"] }, { kind: "p", lines: ["more"] }, { kind: "ul", lines: ["a", "b", "c"] },
    { kind: "pre", lines: ["x = 1", "", "# no heading"] }, { kind: "h2", lines: ["Three"], level: 3 },
  ])
  assert.deepEqual(partsOf(""), [])
  assert.deepEqual(partsOf("- a\n  goes on"), [{ kind: "ul", lines: ["a goes on"] }])
})

test("a line of Markdown has code, strong and emphasised pieces; links are their text", () => {
  const read = (/** @type {string} */ line) => piecesOf(line).map(({ kind, text }) => (kind ? `<${kind}>${text}` : text))
  assert.deepEqual(read("a `b*c*` **d** *e f* g"), ["a ", "<code>b*c*", " ", "<strong>d", " ", "<em>e f", " g"])
  assert.deepEqual(read("2 * 3 * 4 and [here](http://example.test)"), ["2 * 3 * 4 and here"])
  assert.deepEqual(read("<b>no</b>"), ["<b>no</b>"])
})

test("a curve fills its box, and has a gap where a number is missing", () => {
  assert.deepEqual(curveOf([1, 3, 2]), { path: "M0.00 40.00L50.00 0.00L100.00 20.00", low: 1, high: 3 })
  assert.equal(curveOf([1, null, 2]).path, "M0.00 40.00M100.00 0.00")
  assert.equal(curveOf([5, 5]).path, "M0.00 40.00L100.00 40.00")
})
