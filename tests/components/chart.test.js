import assert from "node:assert/strict"
import { test } from "node:test"

import { apart, endLabels, verticalRange } from "../../playground/ui/components/shared/chart.js"

const line = (name, y, x = y.map((_, index) => index)) => ({ name, x, y, colour: "" })
const room = { width: 400, height: 200 }

test("the vertical axis begins at 0 and ends above the highest value; shares end at 1", () => {
  const lines = [line("a", [1, null, 3]), line("b", [2, NaN])]
  assert.deepEqual(verticalRange(lines, { range: [0, 10] }, {}), [0, 3.06])
  assert.deepEqual(verticalRange(lines, { range: [0, 10] }, { share: true }), [0, 1])
  assert.deepEqual(verticalRange([], { range: [0, 10] }, {}), [0, 1.02])
})

test("what is zoomed into is shown as large as it can be", () => {
  const [low, high] = verticalRange([line("a", [0.1, 0.9, 0.95, 0.97])], { range: [1, 3], zoomed: true }, { share: true })
  assert.ok(low > 0.89 && low < 0.9 && high > 0.97 && high < 0.98)
  const [from, to] = verticalRange([line("a", [2, 2])], { range: [0, 1], zoomed: true }, {})
  assert.ok(from < 2 && to > 2, "equal values do not make an empty axis")
})

test("a logarithmic axis has whole powers of ten, at least two, and no zero", () => {
  assert.deepEqual(verticalRange([line("a", [0, 0.02, 3])], { range: [0, 9] }, { log: true }), [-2, 1])
  assert.deepEqual(verticalRange([line("a", [1, 1])], { range: [0, 9] }, { log: true }), [0, 1])
})

test("the names of lines stand right of their ends, one line of text apart", () => {
  const [test, training] = endLabels([line("test", [0, 0.5]), line("training", [0, 0.51])], [0, 10], [0, 1], false, room)
  assert.ok(!test.left && !training.left)
  assert.ok(Math.abs(training.up - test.up - 17) < 1e-9)
  assert.ok(Math.abs((training.up + test.up) / 2 - 101) < 1e-9, "both as close to their lines as they can be")
})

test("at the right edge names stand inside, below lines that are high and above those that are low", () => {
  const high = endLabels([line("test", [0, 0.98]), line("training", [0, 0.99])], [0, 1], [0, 1], false, room)
  assert.ok(high.every(({ left }) => left))
  assert.ok(high.every(({ up }) => up < 196 - 10))
  assert.ok(Math.abs(high[0].up - high[1].up) >= 17)
  const [low] = endLabels([line("training", [2, 0.05])], [0, 1], [0, 2], false, room)
  assert.ok(low.left && low.up > 5 + 10)
})

test("a short name stands inside as well, where a longer one beside it must", () => {
  const ends = endLabels([line("training", [2, 0.03], [0, 7.2]), line("test", [2, 0.02], [0, 7])], [0, 10.5], [0, 2], false, { width: 150, height: 80 })
  assert.ok(ends.every(({ left }) => left) && Math.abs(ends[0].up - ends[1].up) >= 17)
  const apart = endLabels([line("training", [2, 0.03], [0, 9.4]), line("test", [2, 0.02], [0, 1])], [0, 10.5], [0, 2], false, room)
  assert.deepEqual(apart.map(({ line: { name }, left }) => [name, left]), [["test", false], ["training", true]])
})

test("a name can stand beyond the end of its line", () => {
  const [label] = endLabels([{ ...line("test", [0, 0.5], [0, 3]), nameAt: 5 }], [0, 10], [0, 1], false, room)
  assert.equal(label.x, 5)
})

test("names do not touch the title of the horizontal axis, at its lower right", () => {
  const end = (x) => endLabels([line("training", [2, 0.01], [0, x]), line("test", [2, 0], [0, x])], [0, 10], [0, 2], false, room).map(({ up }) => up)
  assert.ok(end(7.6).every((up) => up >= 25) && end(10).every((up) => up >= 25))
  assert.ok(Math.min(...end(3)) < 10, "where there is no title, they stand at their lines")
  assert.ok(Math.abs(end(3)[0] - end(3)[1]) >= 17)
})

test("a line without a name or without points in sight has none at its end", () => {
  assert.deepEqual(endLabels([line("", [1]), line("a", [null]), line("b", [1], [20])], [0, 10], [0, 1], false, room), [])
})

test("positions are moved apart, and no more than needed", () => {
  assert.deepEqual(apart([0, 100], 17), [0, 100])
  assert.deepEqual(apart([50, 50], 10), [45, 55])
  assert.deepEqual(apart([], 10), [])
  assert.deepEqual(apart([2, 3], 10, 5, 100), [5, 15], "above the lower bound")
  assert.deepEqual(apart([99, 98], 10, 5, 100), [100, 90], "below the upper one")
})
