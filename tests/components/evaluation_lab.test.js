import assert from "node:assert/strict"
import { test } from "node:test"

import { inWords, verdict } from "../../playground/ui/components/evaluation_lab/calibration.js"
import { certainty } from "../../playground/ui/components/evaluation_lab/cards.js"
import { worst } from "../../playground/ui/components/evaluation_lab/confusion.js"
import { explanation, traces } from "../../playground/ui/components/evaluation_lab/features.js"

test("a network is well calibrated if its confidence is its accuracy", () => {
  assert.equal(verdict(0.952, 0.95), "The network is well calibrated.")
  assert.equal(verdict(0.97, 0.95), "The network is overconfident.")
  assert.equal(verdict(0.93, 0.95), "The network is underconfident.")
})

test("a range of confidence has its number of images, their mean confidence and their accuracy, as far as there are any", () => {
  const bin = { low: 0.9, high: 1, count: 1234, confidence: 0.97, accuracy: 0.95 }
  assert.deepEqual(inWords(bin), ["Confidence 90–100\u202f%: 1,234 images", "mean confidence 97.0\u202f%", "accuracy 95.0\u202f%"])
  assert.equal(inWords({ ...bin, count: 1 })[0], "Confidence 90–100\u202f%: 1 image")
  assert.deepEqual(inWords({ ...bin, count: 0, confidence: null, accuracy: null }), ["Confidence 90–100\u202f%: 0 images"])
})

test("a probability near 1 is not written as 100 %", () => {
  assert.deepEqual([1, 0.99999, 0.999, 0.5].map(certainty), ["100.0\u202f%", "> 99.9\u202f%", "99.9\u202f%", "50.0\u202f%"])
})

test("the worst cell of a confusion matrix", () => {
  assert.deepEqual(worst([[9, 1, 0], [2, 7, 3], [0, 3, 5]]), { label: 1, predicted: 2, count: 3 }, "the first of equal ones")
  assert.deepEqual(worst([[4, 0], [0, 4]]), { label: 0, predicted: 0, count: 0 })
})

test("a projection is explained: its axes, or a note", () => {
  const points = { method: "pca", variance: [0.3, 0.125], note: "", index: new Array(1000) }
  assert.match(explanation(points), /1,000 test images, along its \[\[principal components\|PCA\]\], which hold 4[23]\u202f% of the variance\.$/)
  assert.match(explanation({ ...points, method: "tsne", variance: [] }), /arranged by \[\[t-SNE\]\]/)
  assert.equal(explanation({ ...points, note: "All images have the same features." }), "All images have the same features.")
})

test("points are drawn class by class, with rings around those that are misclassified", () => {
  const look = { text: "black", colours: ["red", "blue"] }
  const points = { dimensions: 2, coordinates: [[0, 1], [2, 3], [4, 5]], labels: [0, 2, 0], predictions: [0, 2, 1] }
  const [first, second, third, wrong] = traces(points, ["a", "b", "c"], look)
  assert.deepEqual([first.type, first.name, first.x, first.y, first.customdata], ["scattergl", "a", [0, 4], [1, 5], [0, 2]])
  assert.deepEqual([second.x, second.marker.color], [[], "blue"])
  assert.deepEqual([third.marker.color, third.marker.symbol, third.marker.size], ["red", "square", 7], "classes beyond the colours have another symbol")
  assert.deepEqual([wrong.name, wrong.customdata, wrong.marker.size], ["misclassified", [2], 13])
})

test("points in three dimensions", () => {
  const look = { text: "black", colours: ["red", "blue"] }
  const [first, wrong] = traces({ dimensions: 3, coordinates: [[0, 1, 2]], labels: [0], predictions: [0] }, ["a"], look)
  assert.deepEqual([first.type, first.z, first.marker.size], ["scatter3d", [2], 4])
  assert.deepEqual([wrong.x, wrong.z, wrong.marker.size], [[], [], 7])
})
