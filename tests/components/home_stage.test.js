import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { test } from "node:test"

import { bounds, fit, toDigit } from "../../playground/ui/components/home_stage/digit.js"
import { DIGITS, drawnUntil } from "../../playground/ui/components/home_stage/digits.js"
import { Network } from "../../playground/ui/components/home_stage/network.js"
import { Player } from "../../playground/ui/components/home_stage/player.js"

const recording = JSON.parse(readFileSync("models/pretrained/tiny-cnn.recording.json", "utf-8"))
const SIDE = 140

/** A filled rectangle. */
function rectangle(top, left, height, width) {
  const ink = new Uint8Array(SIDE * SIDE)
  for (let row = top; row < top + height; row++) ink.fill(255, row * SIDE + left, row * SIDE + left + width)
  return ink
}

test("a drawing is cropped to its ink, fitted into 20 pixels, and its centre of mass is in the middle", () => {
  const ink = rectangle(10, 20, 100, 50)
  assert.deepEqual(bounds(ink, SIDE), { top: 10, left: 20, height: 100, width: 50 })
  const { rows, columns, values } = fit(ink, SIDE, { top: 10, left: 20, height: 100, width: 50 })
  assert.deepEqual([rows, columns], [20, 10])
  assert.ok(values.every((value) => value === 255))
  const image = toDigit(ink, SIDE)
  const lit = [...image.keys()].filter((at) => image[at])
  assert.equal(lit.length, 200)
  assert.deepEqual([Math.floor(lit[0] / 28), lit[0] % 28], [5, 10])
})

test("where nothing is drawn there is no image", () => {
  assert.equal(toDigit(new Uint8Array(SIDE * SIDE), SIDE), null)
})

test("a digit that is drawn for the learner grows to its whole length", () => {
  const length = (lines) => lines.flatMap((line) => line.slice(1).map(([x, y], at) => Math.hypot(x - line[at][0], y - line[at][1]))).reduce((sum, part) => sum + part, 0)
  for (const lines of DIGITS) {
    assert.deepEqual(drawnUntil(lines, 0), [])
    assert.ok(Math.abs(length(drawnUntil(lines, 0.5)) / length(lines) - 0.5) < 0.01)
    assert.deepEqual(drawnUntil(lines, 1), lines)
  }
})

test("the recording is played from its first snapshot to its last, which stays for a while", () => {
  const player = new Player(recording)
  const last = recording.snapshots.length - 1
  assert.equal(player.position, 0)
  assert.equal(player.facts.accuracy, recording.snapshots[0].accuracy)
  player.advance(8_000)
  assert.ok(player.position > 0.4 * last && player.position < 0.6 * last)
  player.advance(8_000)
  assert.equal(player.position, last)
  assert.deepEqual(player.facts, { images: recording.snapshots[last].images, loss: recording.snapshots[last].loss, accuracy: recording.snapshots[last].accuracy })
  assert.equal(player.advance(1_000), false)
  player.advance(5_000)
  assert.ok(player.position < 3)
  player.paused = true
  assert.equal(player.advance(1_000), false)
  player.finish()
  assert.equal(player.position, last)
})

test("between two snapshots the weights lie between theirs", () => {
  const player = new Player(recording)
  const [one, other] = player.snapshots
  player.elapsed = 16_000 / (recording.snapshots.length - 1) / 2
  player.current().forEach((weight, at) => assert.ok(Math.abs(weight - (one[at] + other[at]) / 2) < 1e-6))
})

test("the trained network reads the digits that are drawn, and each class has its strongest contributions", () => {
  const player = new Player(recording)
  const network = new Network(recording)
  player.finish()
  network.load(player.current())
  const line = rectangle(20, 65, 100, 12) // a one
  const { columns, probabilities } = network.run(toDigit(line, SIDE))
  assert.equal(probabilities.indexOf(Math.max(...probabilities)), 1)
  assert.ok(Math.abs(probabilities.reduce((sum, share) => sum + share, 0) - 1) < 1e-6)
  assert.deepEqual(columns.map(({ shape }) => shape), [[1, 28, 28], [9, 14, 14], [12, 5, 5], [10]])
  assert.deepEqual(columns.map(({ layers }) => layers), [[0, 0], [0, 3], [3, 6], [6, 8]])
  assert.deepEqual(columns.map(({ types }) => types.length), [0, 3, 3, 2])
  for (const { edges } of columns.slice(1)) assert.ok(edges.length % 3 === 0 && edges.length > 0)
})
