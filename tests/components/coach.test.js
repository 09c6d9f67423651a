import assert from "node:assert/strict"
import { test } from "node:test"

import { line } from "../../playground/ui/components/training_monitor/coach.js"

const nothing = new Set()
/** A finding, with what matters to the line. */
const finding = (/** @type {object} */ more) => ({ name: "a", title: "A", severity: "problem", undo: [], remedies: [], ...more })
const undo = [{ command: "learning-rate", value: 0.003 }]

test("without a finding the line is calm and offers nothing", () => {
  assert.deepEqual(line([], nothing), { finding: null, kind: "calm", act: "" })
})

test("the learner's own change can be undone, an idea be tried; of another problem the line says what it is", () => {
  const own = finding({ undo })
  assert.deepEqual(line([own, finding({ name: "b" })], nothing), { finding: own, kind: "problem", act: "undo" })
  const idea = finding({ severity: "idea", remedies: [{ id: "1", label: "Try it on a copy" }] })
  assert.deepEqual(line([idea], nothing), { finding: idea, kind: "idea", act: "remedy" })
  const watching = finding({ severity: "idea" })
  assert.deepEqual(line([watching], nothing), { finding: watching, kind: "idea", act: "" })
  const late = finding({ name: "own-change", remedies: [{ id: "1", label: "Go back to step 660, before the change" }] })
  assert.deepEqual(line([late], nothing), { finding: late, kind: "problem", act: "remedy" })
  const other = finding({ remedies: [{ id: "1", label: "Train with AdamW" }] })
  assert.deepEqual(line([other], nothing), { finding: other, kind: "problem", act: "" })
})

test("a finding that is watched makes way for the next one; the last one stays, without insisting, and can still be undone", () => {
  const own = finding({ undo })
  const other = finding({ name: "b", severity: "hint" })
  const watched = new Set(["a A"])
  assert.deepEqual(line([own, other], watched), { finding: other, kind: "hint", act: "" })
  assert.deepEqual(line([own], watched), { finding: own, kind: "calm", act: "undo" })
})

test("another change of one's own is not watched yet", () => {
  const again = finding({ undo, title: "B" })
  assert.equal(line([again], new Set(["a A"])).kind, "problem")
})
