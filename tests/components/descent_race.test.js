import assert from "node:assert/strict"
import { test } from "node:test"

import { LOSSES, OPTIMIZERS, descend } from "../../playground/ui/components/descent_race/descent.js"
import { heightOf, interpolated, lowestOf } from "../../playground/ui/components/descent_race/ground.js"
import { Landscape } from "../../playground/ui/components/descent_race/landscape.js"
import { scriptOf } from "../../playground/ui/components/descent_race/source.js"

test("the gradients are the slopes of the losses", () => {
  const step = 1e-6
  for (const { loss, gradient } of Object.values(LOSSES)) {
    for (const [x, y] of [[0.3, -0.7], [-1.2, 1.9]]) {
      const slopes = [(loss(x + step, y) - loss(x - step, y)) / (2 * step), (loss(x, y + step) - loss(x, y - step)) / (2 * step)]
      gradient(x, y).forEach((value, part) => assert.ok(Math.abs(value - slopes[part]) < 1e-4 * Math.max(1, Math.abs(value))))
    }
  }
})

test("a path begins at its start and ends when it diverges", () => {
  const path = descend(LOSSES.valley, "SGD", [1, 1], 1, 0.9, 50)
  assert.deepEqual(path.points[0], [1, 1, 5.05])
  assert.ok(path.diverged && path.points.length < 51)
})

test("between the points of a grid the loss is linear", () => {
  const loss = interpolated({ x: [0, 1, 2], y: [0, 10], z: [[0, 1, 2], [10, 11, 12]] })
  assert.ok(Math.abs(loss(1.5, 5) - 6.5) < 1e-6)
  assert.ok(Math.abs(loss(2, 10) - 12) < 1e-4)
})

test("the lowest place of an area is found, and has the height 0", () => {
  const lowest = lowestOf({ x: [-2, 2], y: [-2, 2], loss: (x, y) => x ** 2 + y ** 2 - 3 })
  assert.ok(Math.abs(lowest + 3) < 1e-9)
  assert.equal(heightOf(-3, lowest), 0)
  assert.equal(heightOf(-4, lowest), 0)
})

test("the script makes the optimizers that race", () => {
  const settings = { surface: "valley", expression: "", rate: 0.1, momentum: 0.9, start: [1, -2], steps: 300, optimizers: Object.keys(OPTIMIZERS) }
  const script = scriptOf(settings, { expression: "x**2 / 20 + 5 * y**2" })
  assert.equal([...script.matchAll(/torch\.optim\./g)].length, 6)
  assert.match(script, /y = torch\.tensor\(-2, dtype/)
  assert.match(script, /nesterov=True/)
  assert.match(script, /range\(300\)/)
})

test("on the landscape a path is cut into pieces, each on the surface and within a cell; what leaves the surface is left out", () => {
  const landscape = new Landscape(/** @type {any} */ ({}))
  const area = { x: [-2, 2], y: [-2, 2], loss: (x, y) => x ** 2 + y ** 2 }
  const points = [[-1, -1, 2], [1, 0.5, 1.25], [5, 0.5, 25]]
  landscape.show(area, 0, [{ optimizer: "SGD", points, diverged: false }], ["red"], /** @type {any} */ ({}))
  const pieces = [...landscape.pieces.values()].flat()
  assert.deepEqual([pieces[0].from.slice(0, 2), pieces.at(-1).to.slice(0, 2)], [[-0.5, -0.5], [0.5, 0.25]])
  assert.ok(pieces.length >= 22 && pieces.every(({ step, from, to }) => step === 1 && Math.abs(to[0] - from[0]) <= 2 / 44 + 1e-9))
  const lift = landscape.paths[0][0][2] - Math.log1p(2) / Math.log1p(8)
  assert.ok(lift > 0 && lift < 0.05)
})

test("a landscape can be turned around, but not seen from below", () => {
  const landscape = new Landscape(/** @type {any} */ ({ getContext: () => null }))
  const before = landscape.yaw
  landscape.turn(10, 1000)
  assert.ok(landscape.yaw !== before && landscape.pitch < Math.PI / 2)
  landscape.turn(0, -5000)
  assert.ok(landscape.pitch > 0)
})
