import assert from "node:assert/strict"
import { test } from "node:test"

import { newLines, shared } from "../../playground/ui/components/shared/code.js"

test("what two texts share at their beginning and their end", () => {
  assert.deepEqual(shared("abcd", "abxd"), { head: 2, tail: 1 })
  assert.deepEqual(shared("aa", "aaa"), { head: 2, tail: 0 }, "no letter counts twice")
  assert.deepEqual(shared("", "abc"), { head: 0, tail: 0 })
  assert.deepEqual(shared(["a", "b", "c"], ["a", "c"]), { head: 1, tail: 1 })
})

test("the lines that a change has made", () => {
  const lines = (before, after) => newLines(before.split(""), after.split(""))
  assert.deepEqual(lines("abcde", "aBcDe"), [2, 4])
  assert.deepEqual(lines("abc", "abc"), [])
  assert.deepEqual(lines("abc", "axbc"), [2])
  assert.deepEqual(lines("abcd", "ad"), [], "what is gone is no line")
  assert.deepEqual(lines("abab", "baab"), [2])
  assert.deepEqual(lines("", "xy"), [1, 2])
})
