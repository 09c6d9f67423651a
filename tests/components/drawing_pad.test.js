import assert from "node:assert/strict"
import { afterEach, mock, test } from "node:test"

import { doubtOf, isSign, selectable } from "../../playground/ui/components/drawing_pad/answers.js"
import { shuffled } from "../../playground/ui/components/drawing_pad/challenge.js"
import { halves } from "../../playground/ui/components/shared/values.js"
import { clearedOf, extend, isUndo, nearest, reachOf, sheetOf, toSegment } from "../../playground/ui/components/shared/paper.js"
import { moveInside } from "../../playground/ui/components/drawing_pad/photo.js"
import { ranking } from "../../playground/ui/components/drawing_pad/why.js"
import { where, words } from "../../playground/ui/components/shared/written.js"

afterEach(() => mock.restoreAll())

test("the distance to a segment is that to its nearest point", () => {
  assert.equal(toSegment([5, 3], [0, 0], [10, 0]), 3)
  assert.equal(toSegment([13, 4], [0, 0], [10, 0]), 5)
  assert.equal(toSegment([-3, 4], [0, 0], [10, 0]), 5)
  assert.equal(toSegment([3, 4], [0, 0], [0, 0]), 5)
})

test("a stroke gets a point that is far enough from its last one", () => {
  const points = [[0, 0]]
  extend(points, [1, 1])
  extend(points, [0, 2])
  assert.deepEqual(points, [[0, 0], [0, 2]])
})

test("a pointer takes the nearest stroke, measured from its edge", () => {
  const thin = { width: 10, points: [[0, 0], [0, 1000]] }
  const thick = { width: 200, points: [[300, 500]] }
  assert.equal(nearest([thin, thick], [40, 500]), thin)
  assert.equal(nearest([thin, thick], [150, 500]), thick)
  assert.equal(nearest([thin], [64, 500]), thin)
  assert.equal(nearest([thin], [66, 500]), null)
  assert.equal(nearest([], [0, 0]), null)
})

test("a sheet that is laid again has a past: its strokes one by one, and before them what was cleared", () => {
  const [one, two, three] = [1, 2, 3].map((place) => ({ width: 10, points: [[place, place]] }))
  assert.deepEqual(sheetOf([one, two]).past, [[], [one]])
  assert.deepEqual(sheetOf([three], [one, two]).past, [[], [one], [one, two], []])
  assert.deepEqual(sheetOf([], [one]).past, [[], [one]])
  assert.deepEqual(sheetOf([]).past, [])
})

test("what was cleared last can be told from what was only undone", () => {
  const [one, two] = [1, 2].map((place) => ({ width: 10, points: [[place, place]] }))
  assert.deepEqual(clearedOf(sheetOf([two], [one])), [one])
  assert.deepEqual(clearedOf(sheetOf([], [one, two])), [one, two])
  assert.deepEqual(clearedOf(sheetOf([one, two])), [])
  assert.deepEqual(clearedOf(sheetOf([])), [])
})

test("how far strokes reach is measured in heights of the paper", () => {
  assert.equal(reachOf([]), 0)
  assert.equal(reachOf([{ width: 10, points: [[100, 0], [2500, 900]] }, { width: 10, points: [[300, 0]] }]), 2.5)
})

test("Ctrl+Z undoes, and so does Cmd+Z; with Shift it is another key", () => {
  assert.ok(isUndo({ key: "z", ctrlKey: true, metaKey: false, shiftKey: false }))
  assert.ok(isUndo({ key: "Z", ctrlKey: false, metaKey: true, shiftKey: false }))
  assert.ok(!isUndo({ key: "Z", ctrlKey: true, metaKey: false, shiftKey: true }))
  assert.ok(!isUndo({ key: "z", ctrlKey: false, metaKey: false, shiftKey: false }))
})

test("of several digits, the doubt about the chosen one is said, else that about the first doubtful one", () => {
  const [sure, low, thick] = ["", "Low.", "Thick."].map((warning) => ({ label: "1", probabilities: [1], warning }))
  assert.equal(doubtOf(sure, [sure, low, thick]), "Digit 2: Low.")
  assert.equal(doubtOf(thick, [sure, low, thick]), "Digit 3: Thick.")
  assert.equal(doubtOf(sure, [sure, sure]), "")
  assert.equal(doubtOf(low, null), "Low.")
})

test("the square of a picture stays inside of it", () => {
  const picture = { width: 300, height: 200 }
  assert.deepEqual(moveInside([150, 100], 100, picture), [150, 100])
  assert.deepEqual(moveInside([0, 0], 100, picture), [50, 50])
  assert.deepEqual(moveInside([999, 999], 100, picture), [250, 150])
})

test("classes are ranked by probability, equal ones in their order", () => {
  assert.deepEqual(ranking([0.1, 0.6, 0.1, 0.2]), [1, 3, 0, 2])
})

test("the digits of a challenge are shuffled", () => {
  const digits = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
  assert.deepEqual(shuffled(digits).sort(), digits)
  mock.method(Math, "random", () => 0)
  assert.deepEqual(shuffled([0, 1, 2, 3]), [1, 2, 3, 0])
  assert.deepEqual(shuffled([]), [])
})

test("a place is put in words by the dimensions of its layer", () => {
  assert.equal(where([2, 5, 7]), "map 2, row 5, column 7")
  assert.equal(where([3, 12]), "token 3, feature 12")
  assert.equal(where([4]), "number 4")
})

test("float16 values: normal, subnormal, negative, the largest", () => {
  const text = btoa(String.fromCharCode(0x00, 0x00, 0x00, 0x3c, 0x00, 0xc1, 0x01, 0x00, 0xff, 0x7b))
  assert.deepEqual([...halves(text)], [0, 1, -2.5, 2 ** -24, 65504])
})

test("a term in words: where it is from, its factors and its product", () => {
  assert.equal(words({ place: [0, 1, 2], value: 2, weight: -0.5, product: -1 }), "map 0, row 1, column 2: 2 × −0.5 = −1")
  assert.equal(words({ place: [3], value: 2, weight: null, product: 0.25 }), "number 3: 2 = 0.25")
  assert.equal(words({ place: null, value: 2, weight: 1, product: 2, copied: [0, 4, 4] }), "a copy of map 0, row 4, column 4: 2 × 1 = 2")
})

test("the padding of max pooling has no finite value", () => {
  assert.equal(words({ place: null, value: null, weight: 0, product: 0 }), "padding: – × 0 = 0")
  assert.equal(words({ place: [0], value: null, weight: null, product: null }), "number 0: – = –")
})

test("signs are told from digits, and cannot be chosen", () => {
  const [three, dot, five] = ["digit", "dot", "digit"].map((kind) => ({ kind, answers: [] }))
  assert.equal(isSign(dot), true)
  assert.equal(isSign(three), false)
  assert.equal(isSign({ answers: [] }), false) // on the canvas for one digit
  assert.equal(selectable([three, dot, five], 2), 2)
  assert.equal(selectable([three, dot, five], 1), 0)
  assert.equal(selectable([dot, five], 0), 1)
  assert.equal(selectable([three, dot], 4), 0)
  assert.equal(selectable([dot], 0), 0)
  assert.equal(selectable([], 3), 0)
})
