// Optimizers that descend a loss of two parameters, step by step as torch.optim does; a test compares every step with it.
// The formulas: https://docs.pytorch.org/docs/stable/optim.html

/** @typedef {[number, number]} Pair of x and y */
/** @typedef {[number, number, number]} Point x, y and the loss */
/** @typedef {{ optimizer: string, points: Point[], diverged: boolean }} Path its first point is the start */
/** @typedef {{ loss: (x: number, y: number) => number, gradient: (x: number, y: number) => Pair }} Loss */
/** @typedef {(gradient: Pair, at: Pair) => Pair} Step the change of both parameters */

const DIVERGED_ABOVE = 1e6 // magnitude of a parameter or loss above which a descent has diverged

/** @type {Record<string, Loss>} the surfaces of playground/autograd/surfaces.py by name */
export const LOSSES = {
  valley: {
    loss: (x, y) => x ** 2 / 20 + 5 * y ** 2,
    gradient: (x, y) => [x / 10, 10 * y],
  },
  rosenbrock: {
    loss: (x, y) => (1 - x) ** 2 + 100 * (y - x ** 2) ** 2,
    gradient: (x, y) => [-2 * (1 - x) - 400 * x * (y - x ** 2), 200 * (y - x ** 2)],
  },
  saddle: {
    loss: (x, y) => x ** 2 - y ** 2 + y ** 4 / 4,
    gradient: (x, y) => [2 * x, y ** 3 - 2 * y],
  },
  minima: {
    loss: (x, y) => (x ** 2 + y - 11) ** 2 + (x + y ** 2 - 7) ** 2,
    gradient: (x, y) => [4 * x * (x ** 2 + y - 11) + 2 * (x + y ** 2 - 7), 2 * (x ** 2 + y - 11) + 4 * y * (x + y ** 2 - 7)],
  },
}

/**
 * @param {(part: 0 | 1) => number} value
 * @returns {Pair}
 */
const both = (value) => [value(0), value(1)]

/**
 * SGD, with momentum where it is above 0.
 * @param {number} rate the learning rate
 * @param {number} momentum
 * @param {boolean} nesterov
 * @returns {Step}
 */
function sgd(rate, momentum, nesterov) {
  /** @type {Pair | undefined} */
  let buffer
  return (gradient) => {
    const before = buffer
    const now = (buffer = both((part) => (before ? momentum * before[part] + gradient[part] : gradient[part])))
    return both((part) => -rate * (nesterov ? gradient[part] + momentum * now[part] : now[part]))
  }
}

/**
 * @param {number} rate
 * @returns {Step}
 */
function rmsprop(rate, alpha = 0.99, eps = 1e-8) {
  let square = both(() => 0)
  return (gradient) => {
    const before = square
    const now = (square = both((part) => alpha * before[part] + (1 - alpha) * gradient[part] ** 2))
    return both((part) => (-rate * gradient[part]) / (Math.sqrt(now[part]) + eps))
  }
}

/**
 * Adam; with weight decay AdamW, which shrinks the parameters before the step.
 * @param {number} rate
 * @returns {Step}
 */
function adam(rate, decay = 0, beta1 = 0.9, beta2 = 0.999, eps = 1e-8) {
  let mean = both(() => 0), square = both(() => 0), count = 0
  return (gradient, at) => {
    const [before, squared] = [mean, square]
    const first = (mean = both((part) => beta1 * before[part] + (1 - beta1) * gradient[part]))
    const second = (square = both((part) => beta2 * squared[part] + (1 - beta2) * gradient[part] ** 2))
    count++
    const scale = rate / (1 - beta1 ** count), correction = Math.sqrt(1 - beta2 ** count)
    return both((part) => -rate * decay * at[part] - (scale * first[part]) / (Math.sqrt(second[part]) / correction + eps))
  }
}

/** @type {Record<string, (rate: number, momentum: number) => Step>} those of playground/autograd/descent.py, in its order */
export const OPTIMIZERS = {
  "SGD": (rate) => sgd(rate, 0, false),
  "SGD with momentum": (rate, momentum) => sgd(rate, momentum, false), // no text: a name
  "Nesterov": (rate, momentum) => sgd(rate, momentum, true),
  "RMSprop": (rate) => rmsprop(rate),
  "Adam": (rate) => adam(rate),
  "AdamW": (rate) => adam(rate, 0.01),
}

/**
 * Let one optimizer descend.
 * @param {Loss} surface
 * @param {string} optimizer
 * @param {Pair} start
 * @param {number} rate the learning rate
 * @param {number} momentum
 * @param {number} steps
 * @returns {Path}
 */
export function descend({ loss, gradient }, optimizer, start, rate, momentum, steps) {
  const step = OPTIMIZERS[optimizer](rate, momentum)
  /** @type {Point[]} */
  const points = []
  let at = start
  for (let count = 0; count <= steps; count++) {
    /** @type {Point} */
    const point = [...at, loss(...at)]
    if (!point.every((value) => Math.abs(value) < DIVERGED_ABOVE)) return { optimizer, points, diverged: true } // neither is what is not a number
    points.push(point)
    const here = at, change = step(gradient(...here), here)
    at = both((part) => here[part] + change[part])
  }
  return { optimizer, points, diverged: false }
}
