import assert from "node:assert/strict"
import { test } from "node:test"

import { Edges } from "../../playground/ui/components/shared/stage_edges.js"
import { acrossOf, cornerOf, heightOf, kindOf, layOut, unitAt } from "../../playground/ui/components/shared/stage_layout.js"

const units = (count) => Array.from({ length: count }, (_, unit) => unit)
const IMAGE = { shape: [1, 28, 28], units: [0] }
const CLASSES = { shape: [10], units: units(10) }
const maps = (count) => ({ shape: [count, 12, 12], units: units(Math.min(12, count)) })
const deep = (count) => [IMAGE, ...Array.from({ length: count }, () => maps(64)), CLASSES]

test("the kind of a column follows from its shape and its place", () => {
  const columns = [IMAGE, maps(3), { shape: [16, 64], units: units(16) }, { shape: [128], units: units(48) }, CLASSES]
  assert.deepEqual(columns.map((column, place) => kindOf(column, place, columns.length)), ["image", "maps", "tokens", "features", "classes"])
})

test("few maps stand above one another, tokens in a square, features in strips of sixteen", () => {
  assert.deepEqual([4, 8, 12].map((count) => acrossOf("maps", count)), [1, 2, 3])
  assert.deepEqual([4, 8, 12].map((count) => acrossOf("maps", count, 6)), [1, 2, 2])
  assert.equal(acrossOf("tokens", 16), 4)
  assert.equal(acrossOf("tokens", 17), 5)
  assert.deepEqual([16, 17, 48].map((count) => acrossOf("features", count)), [1, 2, 3])
})

test("columns lie beside each other, within the height that there is", () => {
  for (const [width, height] of [[960, 290], [1600, 420], [500, 200]]) {
    for (const columns of [deep(0), deep(2), deep(5)]) {
      const { boxes } = layOut(columns, width, height)
      assert.equal(boxes.length, columns.length)
      boxes.forEach((box, index) => {
        assert.ok(box.y >= 0 && box.y + box.height <= height + 1, `column ${index}`)
        if (index) assert.ok(box.x >= boxes[index - 1].x + boxes[index - 1].width + 27, `room for the edges before column ${index}`)
      })
    }
  }
})

test("what has room for it is not scrolled, and a deeper network in less room is", () => {
  assert.ok(layOut(deep(3), 960, 290).width <= 961)
  assert.ok(layOut(deep(12), 500, 290).width > 500)
})

test("a network of sixty layers, folded into seven columns, fits beside the pad", () => {
  assert.ok(layOut(deep(7), 884, 290).width <= 885)
})

test("the names of columns have room beside each other, however narrow the picture", () => {
  for (const count of [2, 8, 12]) {
    for (const width of [300, 700, 1200]) {
      const middles = layOut(deep(count), width, 290).boxes.map(({ x, width: wide }) => x + wide / 2)
      middles.forEach((middle, index) => { if (index) assert.ok(middle - middles[index - 1] >= 87, `column ${index} of ${count} in ${width}`) })
    }
  }
})

test("a larger font makes everything larger", () => {
  const [small, large] = [16, 22].map((unit) => layOut(deep(2), 1800, 500, unit).boxes[1])
  assert.ok(large.cell > small.cell)
})

test("each unit is found at the middle of its cell, and none between the columns", () => {
  const columns = deep(2)
  const counts = columns.map(({ units: shown }) => shown.length)
  const { boxes } = layOut(columns, 960, 290)
  for (const column of [1, 2]) {
    for (const place of units(12)) {
      const [x, y] = cornerOf(boxes[column], place)
      assert.deepEqual(unitAt(boxes, counts, x + boxes[column].cell / 2, y + boxes[column].cell / 2), { column, place })
      assert.equal(heightOf(boxes[column], place, 12), y + boxes[column].cell / 2)
    }
  }
  assert.equal(unitAt(boxes, counts, boxes[1].x - 10, 145), null)
  assert.deepEqual(unitAt(boxes, counts, boxes[3].x + 5, heightOf(boxes[3], 7, 10)), { column: 3, place: 7 })
  assert.deepEqual(unitAt(boxes, counts, boxes[0].x + 5, boxes[0].y + 5), { column: 0, place: 0 })
})

test("an edge moves to its new contribution, and vanishes where there is none any more", () => {
  const edges = new Edges()
  edges.aim(Int8Array.from([0, 1, 127, 2, 1, -64]))
  assert.equal(edges.step(0), false)
  assert.equal(edges.all.every(({ share }) => share === 0), true)
  edges.step(30)
  const [weak, strong] = edges.all
  assert.ok(strong.share > 0.3 && strong.share < 1 && weak.share < 0)
  assert.equal(edges.step(Infinity), true)
  assert.deepEqual(edges.all.map(({ from, to, share }) => [from, to, Math.round(100 * share)]), [[2, 1, -50], [0, 1, 100]])
  edges.aim(Int8Array.from([0, 1, 127]))
  edges.step(Infinity)
  assert.equal(edges.all.length, 1)
})
