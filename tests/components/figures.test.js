import assert from "node:assert/strict"
import test from "node:test"

import { traceOf } from "../../playground/ui/components/shared/figures.js"

const NOTHING = { kind: /** @type {const} */ ("line"), x: [0, 1], y: [2, 3], rows: [], label: "", dashed: false, grey: false, source: "" }

test("lines and points have the colour of their turn", () => {
  const line = traceOf({ ...NOTHING, label: "loss", dashed: true }, "red")
  assert.deepEqual([line.type, line.mode, line.name, line.line?.color, line.line?.dash], ["scatter", "lines", "loss", "red", "dash"])
  assert.equal(traceOf({ ...NOTHING, kind: "points" }, "red").mode, "markers")
})

test("cells go from black to white, or along matplotlib's usual scale", () => {
  const rows = [[0, 1]]
  assert.deepEqual(traceOf({ ...NOTHING, kind: "cells", rows, grey: true }, "red").colorscale, [[0, "#000"], [1, "#fff"]])
  assert.equal(traceOf({ ...NOTHING, kind: "cells", rows }, "red").colorscale, "Viridis")
})

test("pictures are drawn as they are, and bars where they stand", () => {
  assert.deepEqual(traceOf({ ...NOTHING, kind: "picture", source: "data:image/png;base64," }, "red"), { type: "image", source: "data:image/png;base64,", hoverinfo: "skip" })
  assert.equal(traceOf({ ...NOTHING, kind: "bars" }, "red").type, "bar")
})
