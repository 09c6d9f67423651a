import assert from "node:assert/strict"
import { test } from "node:test"

import { Tabs } from "../../playground/ui/components/shared/tabs.js"

/** A row of tabs as far as Tabs looks at it; what was opened and focused is in `seen`. */
function row(...views) {
  const seen = []
  const tabs = views.map((view) => ({
    dataset: { view }, tabIndex: 0, attributes: {},
    setAttribute(name, value) { this.attributes[name] = value },
    focus() { seen.push(`focus ${view}`) },
    click() { seen.push(`open ${view}`) },
  }))
  const list = { onkeydown: null, querySelectorAll: () => tabs }
  const made = new Tabs(list)
  const press = (place, key) => { let prevented = false; list.onkeydown({ key, target: tabs[place], preventDefault: () => { prevented = true } }); return prevented }
  return { tabs, made, press, seen }
}

test("one tab is selected, and the Tab key reaches only this one", () => {
  const { tabs, made } = row("a", "b", "c")
  made.select("b")
  assert.deepEqual(tabs.map((each) => each.attributes["aria-selected"]), ["false", "true", "false"])
  assert.deepEqual(tabs.map((each) => each.tabIndex), [-1, 0, -1])
})

test("arrow keys open the next tab, around the ends", () => {
  const { press, seen } = row("a", "b", "c")
  for (const [place, key] of [[0, "ArrowRight"], [2, "ArrowRight"], [0, "ArrowLeft"], [1, "Home"], [0, "End"]]) assert.ok(press(place, key))
  assert.deepEqual(seen.filter((each) => each.startsWith("open")), ["open b", "open a", "open c", "open a", "open c"])
  assert.equal(seen.length, 10)
})

test("other keys, and keys that come from elsewhere, stay", () => {
  const { press, seen } = row("a", "b")
  assert.ok(!press(0, "Enter"))
  assert.ok(!press(9, "ArrowRight"))
  assert.deepEqual(seen, [])
})
