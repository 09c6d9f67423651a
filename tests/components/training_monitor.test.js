import assert from "node:assert/strict"
import { test } from "node:test"

import { endOf, placeOf, places, stepAt } from "../../playground/ui/components/training_monitor/axis.js"
import { current, figures, learningRate, marks, status } from "../../playground/ui/components/training_monitor/facts.js"
import { changes, checkpointAt } from "../../playground/ui/components/training_monitor/fork.js"
import { ranking } from "../../playground/ui/components/training_monitor/images.js"
import { digits, isWeighing } from "../../playground/ui/components/training_monitor/inside.js"
import { last, spread } from "../../playground/ui/components/training_monitor/layers.js"
import { arithmetic, largestUpdate, parameters } from "../../playground/ui/components/training_monitor/numbers.js"
import { moments } from "../../playground/ui/components/training_monitor/strip.js"

const run = { total_steps: 100, per_epoch: 20, seconds: 3, seconds_left: 2, batches: { step: [10, 20, 30], seconds: [1, 2, 3] } }
const waiting = { total_steps: 0, per_epoch: 0, seconds: 0, seconds_left: null, batches: {} }

test("steps have places on each axis", () => {
  assert.deepEqual(places("step", run.batches, 20), [10, 20, 30])
  assert.deepEqual(places("epoch", run.batches, 20), [0.5, 1, 1.5])
  assert.deepEqual(places("seconds", run.batches, 20), [1, 2, 3])
  for (const axis of ["step", "epoch", "seconds"]) assert.deepEqual(places(axis, {}, 0), [])
  assert.deepEqual(places("epoch", { step: [7] }, 0), [7])
})

test("an axis ends where the run ends, and is never empty", () => {
  assert.deepEqual(["step", "epoch", "seconds"].map((axis) => endOf(axis, run)), [100, 5, 5])
  assert.deepEqual(["step", "epoch", "seconds"].map((axis) => endOf(axis, waiting)), [0.01, 0.01, 0.01])
  assert.equal(endOf("step", { ...waiting, batches: { step: [10, 60] } }), 60) // a fork that waits
})

test("the place of a step; in seconds that of the next recorded one, if there is any", () => {
  assert.deepEqual(["step", "epoch", "seconds"].map((axis) => placeOf(axis, 15, run)), [15, 0.75, 2])
  assert.equal(placeOf("seconds", 31, run), null)
  assert.equal(placeOf("seconds", 0, waiting), null)
  assert.equal(placeOf("epoch", 3, waiting), 3)
})

test("the step at a place; in seconds the next recorded one, else the last", () => {
  assert.deepEqual([stepAt("step", 15, run), stepAt("epoch", 0.75, run), stepAt("seconds", 1.5, run)], [15, 15, 20])
  assert.equal(stepAt("seconds", 9, run), 30)
  assert.equal(stepAt("seconds", 9, waiting), 0)
  assert.equal(stepAt("epoch", 3, waiting), 3)
})

test("learning rates have two digits, small ones an exponent", () => {
  assert.deepEqual([0.3, 0.00123, 0.0001, 0.00002].map(learningRate), ["0.3", "0.0012", "0.0001", "2e-5"])
})

test("the state of a run in a few words, with the time left or taken", () => {
  const run = { queue: 0, seconds: 91, seconds_left: 89.5 }
  const words = (state, more = {}) => status({ ...run, state, ...more })
  assert.equal(words("finished"), "Done in 2 min")
  assert.equal(words("running"), "Learning · 90 s left")
  assert.equal(words("running", { seconds_left: null }), "Learning")
  assert.equal(words("queued"), "Queued")
  assert.equal(words("queued", { queue: 2 }), "Queued · position 2")
  assert.deepEqual(["paused", "stopped", "failed", "interrupted"].map((state) => words(state)), ["Paused", "Stopped", "Failed", "Interrupted"])
})

test("figures are those of the moment that is shown", () => {
  const run = { step: 40, test_accuracy: 0.9, batches: { step: [10, 20, 40], loss: [2, 1, 0.5] }, tests: { step: [20, 40], accuracy: [0.7, 0.9] } }
  assert.deepEqual(figures(run, null), { step: 40, loss: 0.5, accuracy: 0.9 })
  assert.deepEqual(figures(run, 25), { step: 25, loss: 1, accuracy: 0.7 })
  assert.deepEqual(figures(run, 5), { step: 5, loss: undefined, accuracy: undefined })
})

test("learning rate and optimizer are those that the learner set last", () => {
  const config = { learning_rate: 0.003, optimizer: "adam" }
  assert.deepEqual(current({ changes: [], optimizer: "" }, config), { peak: 0.003, optimizer: "adam" })
  const changes = [{ step: 1, learning_rate: 0.3 }, { step: 2, learning_rate: 0.1 }, { step: 3, optimizer: "sgd" }]
  assert.deepEqual(current({ changes, optimizer: "sgd" }, config), { peak: 0.1, optimizer: "sgd" })
})

test("the curves are marked where the run was forked and changed, and where the coach found a problem", () => {
  const changed = [{ step: 5, learning_rate: 0.00123 }, { step: 9, optimizer: "sgd" }]
  const findings = [
    { step: 7, severity: "problem", mark: "Overfitting" },
    { step: 8, severity: "hint", mark: "A hint" },
    { step: 0, severity: "problem", mark: "At the start" },
  ]
  assert.deepEqual(marks({ changes: changed, parent: { run: "other", step: 3 } }, findings, [["sgd", "SGD"]]), [
    { step: 3, kind: "fork", text: "forked here" },
    { step: 5, kind: "change", text: "learning rate 0.0012" },
    { step: 9, kind: "change", text: "SGD" },
    { step: 7, kind: "coach", text: "Overfitting" },
  ])
  assert.deepEqual(marks({ changes: [], parent: null }, [], []), [])
})

test("classes are ranked by their probability", () => {
  assert.deepEqual(ranking([100, 700, 200]), [1, 2, 0])
})

test("statistics of a layer: the last number of a series, in three digits", () => {
  assert.equal(last([null, 1, 2, null]), 2)
  assert.equal(last([null]), null)
  assert.equal(last(null), null)
  assert.deepEqual([null, 0, 0.12345, -12.345, 1000, 0.0001].map(digits), ["", "0", "0.123", "-12.3", "1.0e+3", "1.0e−4"])
})

test("a histogram is spread over other bins without loss", () => {
  const total = (bins) => bins.reduce((sum, root) => sum + root ** 2, 0)
  const bins = spread([1, 3], -1, 1, -2, 4 / 60)
  assert.equal(bins.length, 60)
  assert.ok(Math.abs(total(bins) - 1) < 1e-12)
  assert.ok(bins.every((root, bin) => (bin < 15 || bin >= 45 ? root < 1e-6 : root > 0)), "only bins between −1 and 1 have values")
  assert.ok(Math.abs(bins[40] ** 2 / bins[20] ** 2 - 3) < 1e-9)
})

test("equal values fill one bin", () => {
  assert.deepEqual(spread([1], 1, 1, 0, 1 / 60).map((root, bin) => [root, bin]).filter(([root]) => root), [[1, 59]])
  assert.equal(spread([1], 0.5, 0.5, 0, 1 / 60).indexOf(1), 30)
})

test("a fork changes the settings that differ from those at the start of the run", () => {
  const start = { optimizer: "adam", epochs: 10 }
  assert.deepEqual(changes({ rate: "", optimizer: "adam", epochs: "10" }, "adam", start), {})
  assert.deepEqual(changes({ rate: "0.1", optimizer: "sgd", epochs: "20" }, "adam", start), { learning_rate: 0.1, optimizer: "sgd", epochs: 20 })
  assert.deepEqual(changes({ rate: "", optimizer: "adam", epochs: "10" }, "sgd", start), { optimizer: "adam" }, "the run itself was changed meanwhile")
})

test("a fork continues from the last checkpoint before the moment that is shown", () => {
  assert.deepEqual([null, 25, 20, 5].map((at) => checkpointAt([10, 20, 30], at)), [30, 20, 20, 10])
})

test("one can go back to snapshots and checkpoints, and the present is the last moment", () => {
  assert.deepEqual(moments([1, 20, 30], [20, 25], 30), [1, 20, 25, 30])
  assert.deepEqual(moments([], [], 0), [0])
})

test("among the layers that fit into the first screen are those that weigh, not those that scale", () => {
  assert.deepEqual(["Conv2d 1→32", "BatchNorm2d", "LayerNorm", "Linear 3→4"].filter(isWeighing), ["Conv2d 1→32", "Linear 3→4"])
})

test("a parameter has the index of its layer in its name", () => {
  const layers = [{ parameters: [{ name: "weight" }, { name: "bias" }] }, { parameters: [] }, { parameters: [{ name: "weight" }] }]
  assert.deepEqual(parameters({ layers }).map(({ name }) => name), ["0.weight", "0.bias", "2.weight"])
})

test("the parameter with the largest update is named with the place of its element", () => {
  const example = (place, update) => ({ place, before: 1, gradient: 1, update, after: 1 + update, memory: {} })
  const layers = [{ parameters: [{ name: "weight", example: example([2, 0], 0.1) }] }, { parameters: [{ name: "bias", example: example([3], -0.2) }, { name: "weight", example: example([1], null) }] }]
  const { element, lines } = largestUpdate({ layers, optimizer: "sgd", learning_rate: 0.1 }, [0, 0])
  assert.equal(element, "1.bias[3]")
  assert.equal(lines.at(-1), "new value = 1 + (−0.2) = 0.8")
})

test("each optimizer’s update is computed in numbers", () => {
  const example = { before: 1, gradient: 0.5, update: -0.05, after: 0.95, memory: {} }
  const lines = (optimizer, memory) => arithmetic({ ...example, memory }, optimizer, 0.1, [0.9, 0.99])
  const ends = ["gradient g = 0.5", "new value = 1 + (−0.05) = 0.95"]
  assert.deepEqual(lines("sgd", {}), [ends[0], "update = −learning rate × g = −0.1 × 0.5 = −0.05", ends[1]])
  assert.deepEqual(lines("sgd", { momentum: 0.5 }).slice(1, 3), ["momentum v = 0.5, from earlier gradients and this one", "update = −learning rate × v = −0.1 × 0.5 ≈ −0.05"])
  assert.deepEqual(lines("adam", { mean: 0.05, square: 0.0025, step: 1 }).slice(1, 4), [
    "running mean of g: m = 0.05, corrected for its start at 0: m̂ = m ÷ 0.1 = 0.5",
    "running mean of g²: v = 0.0025, corrected: v̂ = v ÷ 0.01 = 0.25",
    "update = −learning rate × m̂ ÷ (√v̂ + ε) = −0.1 × 0.5 ÷ 0.5 = −0.05",
  ])
  assert.deepEqual(lines("nadam", { mean: 0.05, square: 0.0025, step: 1 }).slice(1, 3), ["running mean of g²: v = 0.0025", "update = −0.05, learning rate 0.1"])
  assert.deepEqual(lines("rmsprop", { square: 0.0025 }).slice(1, 3), ["running mean of g²: v = 0.0025", "update = −0.05, learning rate 0.1"])
  assert.deepEqual(lines("lbfgs", {}).slice(1, 2), ["update = −0.05, learning rate 0.1"])
})

test("a non-finite running mean is not computed with", () => {
  const example = { before: 1, gradient: null, update: null, after: null, memory: { mean: 0.1, square: null, step: 1 } }
  assert.deepEqual(arithmetic(example, "adam", null, [0.9, 0.99]), ["gradient g = –", "running mean of g²: v = –", "update = –, learning rate –", "new value = 1 + (–) = –"])
})
