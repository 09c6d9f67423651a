import assert from "node:assert/strict"
import { afterEach, mock, test } from "node:test"

import { shuffled } from "../../playground/ui/components/drawing_pad/challenge.js"
import { halves } from "../../playground/ui/components/shared/values.js"
import { extend, nearest, toSegment } from "../../playground/ui/components/shared/paper.js"
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
