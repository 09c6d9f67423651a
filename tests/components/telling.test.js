import assert from "node:assert/strict"
import test from "node:test"

/** @type {Record<string, (event: any) => void>} */
const listeners = {}
let atRest = false
let changed = () => {}
Object.assign(globalThis, {
  document: { querySelector: () => (atRest ? {} : null) },
  location: { pathname: "/tensors" },
  addEventListener: (/** @type {string} */ name, /** @type {() => void} */ act) => { listeners[name] = act },
  MutationObserver: class {
    /** @param {() => void} act */
    constructor(act) { changed = act }
    observe() {}
  },
})
const { arrived, inTurn } = await import("../../playground/ui/components/shared/telling.js")

/** A component on the page that is shown now, and what it has sent to Streamlit. */
function mounted() {
  /** @type {unknown[]} */
  const sent = []
  const root = { isConnected: true }
  const component = inTurn(/** @type {any} */ ({ parentElement: root, data: {}, setStateValue: (/** @type {string} */ _name, /** @type {unknown} */ value) => sent.push(value), setTriggerValue: () => {} }))
  return { sent, root, component }
}

/** @param {string} path of the page that the browser shows from now on */
function go(path) {
  Object.assign(globalThis.location, { pathname: path })
  listeners.popstate({})
}

/** Streamlit's script has ended. */
function rest() {
  atRest = true
  changed()
  atRest = false
}

test("what a component sends arrives at once", () => {
  const { sent, component } = mounted()
  component.setStateValue("ran", 1)
  assert.deepEqual(sent, [1])
})

test("what a component sends on the way to another page is forgotten with its component, however long the way is", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] })
  const { sent, root, component } = mounted()
  go("/autograd")
  component.setStateValue("ran", 1)
  context.mock.timers.tick(10_000)
  component.setStateValue("ran", 2)
  arrived() // a component of the new page is there
  assert.deepEqual(sent, [])
  root.isConnected = false
  rest()
  assert.deepEqual(sent, [])
  Object.assign(globalThis.location, { pathname: "/tensors" })
})

test("what a component sends on the way arrives where the page stays after all", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] })
  const { sent, component } = mounted()
  go("/tensors")
  component.setStateValue("ran", 1)
  assert.deepEqual(sent, [])
  context.mock.timers.tick(10_000)
  assert.deepEqual(sent, [1])
})

test("a component that was mounted before the address changed belongs to the page that is shown once the script rests", () => {
  const { sent, component } = mounted()
  Object.assign(globalThis.location, { pathname: "/network" })
  component.setStateValue("ran", 1)
  assert.deepEqual(sent, [])
  rest()
  component.setStateValue("ran", 2)
  assert.deepEqual(sent, [1, 2])
  Object.assign(globalThis.location, { pathname: "/tensors" })
})
