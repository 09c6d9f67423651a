import assert from "node:assert/strict"
import { test } from "node:test"

import { shared } from "../../playground/ui/components/shared/code.js"

test("what two texts share at their beginning and their end", () => {
  assert.deepEqual(shared("abcd", "abxd"), { head: 2, tail: 1 })
  assert.deepEqual(shared("aa", "aaa"), { head: 2, tail: 0 }, "no letter counts twice")
  assert.deepEqual(shared("", "abc"), { head: 0, tail: 0 })
  assert.deepEqual(shared(["a", "b", "c"], ["a", "c"]), { head: 1, tail: 1 })
})
