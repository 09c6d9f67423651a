import assert from "node:assert/strict"
import test from "node:test"

/** @type {Record<string, (event: any) => void>} */
const listeners = {}
let atRest = false
let changed = () => {}
class Logo {
  closest() { return this }
}
class Link extends Logo {
  /** @param {string} pathname */
  constructor(pathname) { super(); this.pathname = pathname }
}
let now = 0
/** @type {Map<number, [number, () => void]>} by number: when it rings, and what happens then; those of Node forget others when one that has rung is cleared */
const timers = new Map()
Object.assign(globalThis, {
  setTimeout: (/** @type {() => void} */ act, /** @type {number} */ delay) => { timers.set(timers.size + 1, [now + delay, act]); return timers.size },
  clearTimeout: (/** @type {number} */ timer) => timers.set(timer, [Infinity, () => {}]),
  document: { querySelector: () => (atRest ? {} : null) },
  location: { pathname: "/tensors" },
  addEventListener: (/** @type {string} */ name, /** @type {() => void} */ act) => { listeners[name] = act },
  Element: Logo,
  HTMLAnchorElement: Link,
  MutationObserver: class {
    /** @param {() => void} act */
    constructor(act) { changed = act }
    observe() {}
  },
})
const { inTurn } = await import("../../playground/ui/components/shared/telling.js")

/**
 * A component, what it has sent to Streamlit, and a way to draw it again.
 * @param {string} page
 */
function mounted(page) {
  /** @type {unknown[]} */
  const sent = []
  const root = { isConnected: true }
  const send = (/** @type {string} */ _name, /** @type {unknown} */ value) => sent.push(value)
  const draw = () => inTurn(/** @type {any} */ ({ parentElement: root, data: { page, data: "its own" }, setStateValue: send, setTriggerValue: send }))
  return { sent, root, draw, component: draw() }
}

/** @param {string} path of the page that the browser shows from now on */
function show(path) {
  Object.assign(globalThis.location, { pathname: path })
}

/** @param {string} path to which the learner goes back */
function back(path) {
  show(path)
  listeners.popstate({})
}

/** @param {string} path of the link that the learner clicks */
function click(path) {
  listeners.click({ target: new Link(path) })
}

/** @param {number} milliseconds that pass */
function pass(milliseconds) {
  now += milliseconds
  for (const [timer, [end, act]] of timers) {
    if (end > now) continue
    clearTimeout(timer)
    act()
  }
}

/** Streamlit's script has ended. */
function rest() {
  atRest = true
  changed()
  atRest = false
}

/** Tensors is shown, and nothing is on its way. */
function begin() {
  back("/tensors")
  rest()
}

test.beforeEach(begin)

test("what a component sends arrives at once, and its view does not see the page", () => {
  const { sent, component } = mounted("tensors")
  component.setStateValue("ran", 1)
  assert.deepEqual(sent, [1])
  assert.deepEqual(component.data, "its own")
})

const WAYS = { back, click }

test("what a component sends on the way to another page is forgotten with its component, however long the way is", () => {
  for (const [name, leave] of Object.entries(WAYS)) {
    begin()
    const { sent, root, component } = mounted("tensors")
    leave("/autograd")
    component.setStateValue("ran", 1)
    pass(10_000)
    component.setStateValue("ran", 2)
    assert.deepEqual(sent, [], name)
    show("/autograd")
    const other = mounted("autograd")
    other.component.setStateValue("ran", 1)
    component.setStateValue("ran", 3)
    assert.deepEqual([sent, other.sent], [[], [1]], name)
    root.isConnected = false
    rest()
    assert.deepEqual(sent, [], name)
  }
})

test("a run of the page that is left may still end, draw a component and show its address", () => {
  for (const [name, leave] of Object.entries(WAYS)) {
    begin()
    const { sent, draw, component } = mounted("tensors")
    leave("/autograd")
    show("/tensors")
    rest()
    draw()
    const late = mounted("tensors")
    component.setStateValue("ran", 1)
    late.component.setStateValue("ran", 1)
    assert.deepEqual([sent, late.sent], [[], []], name)
  }
})

test("what a component sends on the way arrives where the page stays after all", () => {
  const { sent, component } = mounted("tensors")
  back("/tensors")
  component.setStateValue("ran", 1)
  assert.deepEqual(sent, [])
  pass(10_000)
  assert.deepEqual(sent, [1])
})

test("a page that never comes is waited for no longer than a minute", () => {
  const { sent, component } = mounted("tensors")
  click("/autograd")
  component.setStateValue("ran", 1)
  pass(60_000)
  assert.deepEqual(sent, [1])
})

test("a trigger that leads away lets nothing pass until a page is drawn", () => {
  const { sent, draw, component } = mounted("tensors")
  component.leave("open", "a run")
  component.setStateValue("ran", 1)
  assert.deepEqual(sent, ["a run"])
  draw()
  assert.deepEqual(sent, ["a run", 1])
})

test("a click on the logo lets nothing pass until a page is drawn", () => {
  const { sent, draw, component } = mounted("tensors")
  listeners.click({ target: new Logo() })
  component.setStateValue("ran", 1)
  assert.deepEqual(sent, [])
  draw()
  assert.deepEqual(sent, [1])
})

test("a click with a key opens another tab, and a component of Home may always send", () => {
  const { sent, component } = mounted("")
  listeners.click({ target: new Link("/autograd"), ctrlKey: true })
  component.setStateValue("ran", 1)
  assert.deepEqual(sent, [1])
})
