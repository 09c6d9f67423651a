import assert from "node:assert/strict"
import { test } from "node:test"

import { inWords, verdict } from "../../playground/ui/components/evaluation_lab/calibration.js"
import { lowest } from "../../playground/ui/components/evaluation_lab/classes.js"
import { certainty } from "../../playground/ui/components/evaluation_lab/cards.js"
import { sentence, step, worst } from "../../playground/ui/components/evaluation_lab/confusion.js"
import { explanation, traces } from "../../playground/ui/components/evaluation_lab/features.js"
import { titlesOf } from "../../playground/ui/components/evaluation_lab/reasons.js"

test("a network is well calibrated if its confidence is its accuracy", () => {
  assert.equal(verdict(0.952, 0.95), "The network is well [[calibrated|calibration]].")
  assert.equal(verdict(0.97, 0.95), "The network is [[overconfident]].")
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
  assert.deepEqual(worst([[9, 1, 0], [2, 7, 3], [0, 3, 5]]), { label: 1, predicted: 2 }, "the first of equal ones")
  assert.deepEqual(worst([[4, 0], [0, 4]]), { label: 0, predicted: 0 })
})

test("a cell of a confusion matrix is said in a sentence", () => {
  const said = (label, predicted) => sentence(["6", "7", "9"], [[97, 0, 3], [1, 0, 8], [0, 0, 0]], { label, predicted })
  assert.equal(said(1, 2), "8 of 9 images of class 7 were predicted as 9.")
  assert.equal(said(1, 0), "1 of 9 images of class 7 was predicted as 6.")
  assert.equal(said(0, 1), "No image of class 6 was predicted as 7.")
  assert.equal(said(0, 0), "97 of 100 images of class 6 were classified correctly: [[recall]] 97.0\u202f%.")
  assert.equal(said(2, 2), "0 of 0 images of class 9 were classified correctly: [[recall]] –.")
})

test("the arrow keys walk over the matrix and stop at its edges, Home and End go to the ends of a row", () => {
  const way = (keys, label, predicted) => keys.reduce((place, key) => step(key, place, 9), { label, predicted })
  assert.deepEqual(way(["ArrowRight", "ArrowDown"], 3, 3), { label: 4, predicted: 4 })
  assert.deepEqual(way(["ArrowLeft", "ArrowLeft", "ArrowUp"], 0, 1), { label: 0, predicted: 0 })
  assert.deepEqual(way(["End", "ArrowRight"], 2, 5), { label: 2, predicted: 9 })
  assert.deepEqual(way(["Home"], 2, 5), { label: 2, predicted: 0 })
  assert.equal(step("Enter", { label: 0, predicted: 0 }, 9), undefined)
})

test("the hardest class is that with the lowest F1", () => {
  const scores = (name, f1, precision, recall) => ({ class: name, f1, precision, recall, support: 100 })
  const table = [scores("cat", 0.8, 0.9, 0.72), scores("dog", 0.5, 0.4, 0.667), scores("none", null, null, null)]
  assert.equal(lowest(table), "Class dog has the lowest [[F1]], 50.0\u202f%: its [[precision]] is 40.0\u202f%, its [[recall]] 66.7\u202f%.")
})

test("the evidence is for the predicted class, and for the true one or the second most probable", () => {
  assert.deepEqual(titlesOf({ true: 1, classes: [2, 1] }, ["a", "b", "c"]), ["Evidence for c, the prediction", "Evidence for b, the true class"])
  assert.deepEqual(titlesOf({ true: 1, classes: [1, 0] }, ["a", "b", "c"]), ["Evidence for b, predicted and true", "Evidence for a, the second most probable"])
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
  assert.deepEqual([wrong.name, wrong.customdata, wrong.marker.size], ["misclassified", [2], 12])
})

test("points in three dimensions", () => {
  const look = { text: "black", colours: ["red", "blue"] }
  const [first, wrong] = traces({ dimensions: 3, coordinates: [[0, 1, 2]], labels: [0], predictions: [0] }, ["a"], look)
  assert.deepEqual([first.type, first.z, first.marker.size], ["scatter3d", [2], 4])
  assert.deepEqual([wrong.x, wrong.z, wrong.marker.size], [[], [], 7])
})
