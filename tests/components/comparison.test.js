import assert from "node:assert/strict"
import { test } from "node:test"

import { condition, listed, peculiarities, ranking, when } from "../../playground/ui/components/run_comparison/list.js"
import { compare, duration, freeSlot, isActive, withoutNetwork } from "../../playground/ui/components/run_comparison/marks.js"
import { apart, scaleOf } from "../../playground/ui/components/run_comparison/parallel.js"
import { isWaiting, steering } from "../../playground/ui/components/run_comparison/player.js"
import { ceilingOf, endOf, explanation, nowOf, until, valueAt } from "../../playground/ui/components/run_comparison/plot.js"
import { isBest, results, sorted } from "../../playground/ui/components/run_comparison/table.js"

const names = (runs) => runs.map(({ run }) => run).join(" ")
const selected = (run, facts, more) => ({ run, name: run, short: run, slot: 0, state: "finished", facts, ...more })

test("a new run has the lowest slot that is free", () => {
  assert.equal(freeSlot(new Map()), 0)
  assert.equal(freeSlot(new Map([["a", 0], ["b", 2], ["c", 1]])), 3)
  assert.equal(freeSlot(new Map([["a", 0], ["b", 2]])), 1)
})

test("a run has the slot of its optimizer, unless another run has it", () => {
  assert.equal(freeSlot(new Map(), "rmsprop"), 2)
  assert.equal(freeSlot(new Map([["a", 2]]), "rmsprop"), 0)
  assert.equal(freeSlot(new Map([["a", 0]]), "an optimizer without one"), 1)
})

test("a duration has the units that its length needs", () => {
  assert.deepEqual([0, 4.04, 9.96, 59.4, 59.6, 3661].map(duration), ["–", "4.0 s", "10 s", "59 s", "1 min 0 s", "1 h 1 min"])
})

test("values are compared as numbers or as texts, and texts come before numbers", () => {
  assert.deepEqual([3, "–", 20, "a", 1, 3].sort(compare), ["a", "–", 1, 3, 3, 20])
})

test("a run is active until it has ended", () => {
  assert.deepEqual(["queued", "running", "paused", "finished", "interrupted", undefined].filter(isActive), ["queued", "running", "paused"])
})

const ROWS = [
  { run: "1", name: "beta", note: "", dataset: "MNIST", network: "MLP", state: "finished", started: 10, accuracy: 0.9 },
  { run: "2", name: "Alpha", note: "Best one", dataset: "CIFAR-10", network: "MLP", state: "running", started: 30, accuracy: null },
  { run: "3", name: "alpha", note: "", dataset: "MNIST", network: "CNN", state: "finished", started: 20, accuracy: 0.8 },
  { run: "0", name: "0", note: "", state: "failed", fault: "Its record is damaged." },
  { run: "4", name: "4", note: "", state: "failed", fault: "Its record is damaged." },
]
const VIEW = { filter: "", sort: "name" }

test("runs are listed by name, start time or test accuracy; damaged ones come last", () => {
  assert.equal(names(listed(ROWS, VIEW)), "2 3 1 0 4")
  assert.equal(names(listed(ROWS, { ...VIEW, sort: "started" })), "2 3 1 4 0")
  assert.equal(names(listed(ROWS, { ...VIEW, sort: "accuracy" })), "1 3 2 4 0")
  assert.equal(names(listed(ROWS, { ...VIEW, sort: "an order of an earlier version" })), "2 3 1 4 0")
  assert.equal(names(ROWS), "1 2 3 0 4", "the runs themselves keep their order")
})

test("the filter leaves the runs that have each word, in their name, note, data set, network or state", () => {
  assert.equal(names(listed(ROWS, { ...VIEW, filter: " ALPHA best " })), "2")
  assert.equal(names(listed(ROWS, { ...VIEW, filter: "running" })), "2")
  assert.equal(names(listed(ROWS, { ...VIEW, filter: "mlp mnist" })), "1")
  assert.equal(names(listed(ROWS, { ...VIEW, filter: "nothing" })), "")
})

test("a run of today has its time, an earlier one its day", () => {
  assert.match(when(Date.now() / 1000), /^\d\d:\d\d$/)
  assert.match(when(86400 * 365), /^(?=.*\d)(?!.*:)/)
})

test("the ranking has the most accurate run first, then those without a test accuracy", () => {
  const ranked = [["a", null, 0], ["b", 0.5, 1], ["c", null, 2], ["d", 0.7, 3], ["e", 0.5, 0]].map(([run, accuracy, slot]) => selected(run, null, { accuracy, slot }))
  assert.equal(names(ranking(ranked)), "d e b a c")
})

test("a run says what it does, until it has finished", () => {
  assert.equal(condition({ state: "queued", place: 1 }), "next in the queue")
  assert.equal(condition({ state: "queued", place: 3 }), "number 3 in the queue")
  assert.equal(condition({ state: "queued", place: 0 }), "queued", "its worker is being started")
  assert.deepEqual(["running", "paused", "failed", "finished"].map((state) => condition({ state, place: 0 })), ["running", "paused", "failed", ""])
})

test("a row has the settings that differ and cannot be read in its name", () => {
  const columns = [
    { title: "Optimizer", texts: ["SGD", "Adam"], numbers: [null, null] }, { title: "Learning rate", texts: ["0.1", "0.02"], numbers: [0.1, 0.02] },
    { title: "Momentum", texts: ["0.9", "–"], numbers: [0.9, null] },
  ]
  const chips = (run, short) => peculiarities({ run, short }, columns, ["a", "b"])
  assert.deepEqual(chips("a", "sgd, fast"), ["Learning rate 0.1", "Momentum 0.9"])
  assert.deepEqual(chips("b", "Adam, learning rate 0.02"), ["Learning rate 0.02"], "the name is longer than its row")
  assert.deepEqual(chips("a run whose values have not come", ""), [])
})

const column = (texts, numbers = texts.map(() => null)) => ({ name: "setting", title: "A setting with a long title", texts, numbers })

test("an axis of numbers keeps their distances, on a logarithmic scale where they span a wide range", () => {
  assert.deepEqual(scaleOf(column(["1", "2", "5"], [1, 2, 5]), [0, 1, 2]).values, [0, 0.25, 1])
  assert.deepEqual(scaleOf(column(["0.01", "0.1", "1"], [0.01, 0.1, 1]), [0, 1, 2]).values, [0, 0.5, 1])
  assert.deepEqual(scaleOf(column(["0", "5", "100"], [0, 5, 100]), [0, 1, 2]).values, [0, 0.05, 1])
})

test("an axis of texts has them one above the other, and none has an axis where all are alike", () => {
  const { title, values, ticks } = scaleOf(column(["sgd", "0.1", "sgd", "a very long setting"], [null, 0.1, null, null]), [0, 1, 2, 3])
  assert.equal(title, "A setting with a …")
  assert.deepEqual(values, [0, 0.5, 0, 1])
  assert.deepEqual(ticks.map(({ text }) => text), ["sgd", "0.1", "sgd", "a very long s…"])
  assert.equal(scaleOf(column(["sgd", "adam", "sgd"]), [0, 2]), null)
  assert.deepEqual(scaleOf(column(["1", "1.0"], [1, 1]), [0, 1]).values, [0.5, 0.5], "equal numbers, written differently")
})

test("ticks that would cover each other are left out; the lowest and the highest stay", () => {
  const ticks = [1, 0, 0.98, 0.5, 0.51, 0.01, 0.5].map((at) => ({ at, text: String(at) }))
  assert.deepEqual(apart(ticks).map(({ at }) => at), [0, 0.5, 1])
  assert.deepEqual(apart(ticks.slice(0, 1)), ticks.slice(0, 1))
})

test("a curve is shown up to a moment, and reaches to it between two points", () => {
  const curve = { x: [1, 2, 4], y: [0, 10, 30] }
  assert.deepEqual(until(curve, Infinity), curve)
  assert.deepEqual(until(curve, 4), curve)
  assert.deepEqual(until(curve, 3), { x: [1, 2, 3], y: [0, 10, 20] })
  assert.deepEqual(until(curve, 0.5), { x: [], y: [] })
  assert.deepEqual(until({ x: [1, 2], y: [5, null] }, 1.5), { x: [1], y: [5] })
})

test("the ranking of a moment has the last accuracy before it", () => {
  const accuracies = { x: [1, 2], y: [0.5, 0.75] }
  assert.deepEqual([0.5, 1, 1.9, 2, 7].map((moment) => valueAt(accuracies, moment)), [null, 0.5, 0.5, 0.75, 0.75])
  assert.equal(valueAt(undefined, 1), null)
})

const curve = (y) => ({ x: y.map((_, index) => index), y })
const curves = (train, test = [], end = null) => ({ end, train: curve(train), test: curve(test) })

test("the axis ends where the longest run has been planned to end, or has come", () => {
  assert.equal(endOf([]), 0)
  assert.equal(endOf([curves([]), curves([1, 1, 1])]), 2)
  assert.equal(endOf([curves([1, 1, 1]), curves([1], [], 5)]), 5)
  assert.equal(nowOf([curves([1, 1, 1]), curves([1], [1, 1, 1, 1], 5)]), 3)
})

test("a few losses far above all others lie above the plot", () => {
  const train = [...Array(99).fill(1), 50]
  assert.equal(ceilingOf([curves(train, [1])], "both"), 1.6)
  assert.equal(ceilingOf([curves(train, [1, null])], "train"), 1.6)
  assert.equal(ceilingOf([curves(train, [1])], "test"), null)
  assert.equal(ceilingOf([curves([null])], "train"), null)
})

test("multiply-adds are a result only where they differ", () => {
  const shown = (...runs) => results(runs).some(({ name }) => name === "multiply_adds")
  assert.ok(!shown(selected("a", { multiply_adds: 5 }), selected("b", { multiply_adds: 5 })))
  assert.ok(shown(selected("a", { multiply_adds: 5 }), selected("b", { multiply_adds: 6 })))
})

test("a result is written as its kind, a dash where there is none", () => {
  const facts = { accuracy: null, best_accuracy: 0.5, seconds: 0, step: 12000, parameters: 0, multiply_adds: 1, compute: 0, compute_text: "0 MAC" }
  const written = (each) => results([selected("a", each), selected("b", null)]).map(({ write }) => write(each))
  assert.deepEqual(written(facts), ["–", "50.0\u202f%", "–", "12,000", "–", "1", "–"])
  assert.equal(written({ ...facts, compute: 3, compute_text: "3 MAC" }).at(-1), "3 MAC")
})

test("the best result is that of the runs none of which is better, unless all are equal", () => {
  const facts = { a: { accuracy: 0.9, seconds: 7 }, b: { accuracy: 0.8, seconds: 3 }, c: { accuracy: 0.9, seconds: 0 }, d: null }
  const runs = Object.entries(facts).map(([run, each]) => selected(run, each))
  const best = (name, better, all = runs) => names(all.filter((run) => isBest({ name, better }, run, all)))
  assert.equal(best("accuracy", 1), "a c")
  assert.equal(best("seconds", -1), "b")
  assert.equal(best("accuracy", 0), "")
  assert.equal(best("accuracy", 1, [runs[0], runs[2]]), "")
})

test("the table is sorted by name, by a result or by a setting", () => {
  const runs = [selected("b", { step: 5 }), selected("C", null), selected("a", { step: 0 })]
  const columns = [column(["3", "–", "20"], [3, null, 20])]
  const by = (sort, descending = false) => names(sorted(runs, columns, ["b", "C", "a"], sort, descending))
  assert.equal(by(null), "b C a")
  assert.equal(by("name"), "a b C")
  assert.equal(by("name", true), "C b a")
  assert.equal(by("step", true), "b a C")
  assert.equal(by("setting"), "C b a")
  assert.equal(by("setting", true), "a b C", "runs to which the setting does not apply come last")
  assert.equal(by("a setting that no longer differs"), "b C a")
  assert.equal(names(sorted(runs, columns, [], "setting", false)), "b C a", "before the values have come")
})

test("the button pauses what trains, resumes what was paused, and resumes an interrupted race as one", () => {
  const runs = (...states) => states.map((state) => ({ own: true, race: "a", state }))
  assert.equal(steering(runs("running", "paused", "interrupted")), "pause")
  assert.equal(steering(runs("paused", "interrupted")), "resume")
  assert.equal(steering(runs("interrupted", "finished")), "restart")
  assert.equal(steering(runs("queued", "interrupted")), null, "it is resumed already")
  assert.equal(steering(runs("finished", "stopped", "failed")), null)
  assert.equal(steering([{ own: true, race: "", state: "interrupted" }]), null, "a run alone is resumed on its own page")
  assert.equal(steering([{ own: false, race: "a", state: "running" }]), null, "another learner's run")
})

test("runs that wait leave nothing to play again", () => {
  const runs = (...states) => states.map((state) => ({ own: true, state }))
  assert.ok(isWaiting(runs("queued", "interrupted")))
  assert.ok(!isWaiting(runs("queued", "finished")))
  assert.ok(!isWaiting(runs("finished")))
})

test("an empty plot says why it is empty", () => {
  const runs = (...states) => states.map((state) => ({ state }))
  assert.match(explanation([], 0), /Choose runs/)
  assert.match(explanation(runs("queued", "queued"), 0), /starts when/)
  assert.match(explanation(runs("queued", "running"), 0), /first steps/)
  assert.equal(explanation(runs("running"), 0.1), "")
  assert.equal(explanation(runs("failed", "queued"), 0), "")
})

test("a name leaves out the network that it begins with", () => {
  assert.equal(withoutNetwork("MLP, SGD, learning rate 0.1", "MLP"), "SGD, learning rate 0.1")
  assert.equal(withoutNetwork("MLP on MNIST 5k", "MLP"), "MLP on MNIST 5k")
  assert.equal(withoutNetwork("My best", "MLP"), "My best")
  assert.equal(withoutNetwork("deleted meanwhile", undefined), "deleted meanwhile")
})
