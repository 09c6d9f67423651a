import assert from "node:assert/strict"
import { test } from "node:test"
import { inflateSync } from "node:zlib"

import { copyLink, packed } from "../../playground/ui/components/shared/link.js"

test("a script is packed as Python unpacks it: deflated, in the letters of an address", async () => {
  for (const script of ["", "x = torch.ones(2)\n", "# 你好 😀\n".repeat(50)]) {
    const text = await packed(script)
    assert.match(text, /^[\w-]+$/)
    assert.equal(inflateSync(Buffer.from(text, "base64url")).toString(), script)
  }
})

test("a button copies the address with a text in it, and says so until it is left", async () => {
  /** @type {string[]} */
  const copied = []
  let refuses = false
  const clipboard = { writeText: async (/** @type {string} */ text) => { if (refuses) throw new Error("not allowed"); copied.push(text) } }
  Object.assign(globalThis, { window: { location: { href: "http://playground.test/tensors?script=old" } } })
  Object.defineProperty(globalThis, "navigator", { value: { clipboard }, configurable: true })
  const button = /** @type {any} */ ({ textContent: "Copy link" }), words = { tooLong: "too long", refused: "refused" }
  await copyLink(button, "script", "x = 1", words)
  assert.deepEqual([button.textContent, copied], ["Copied", [`http://playground.test/tensors?script=${await packed("x = 1")}`]])
  button.onblur()
  assert.equal(button.textContent, "Copy link")
  refuses = true
  await copyLink(button, "script", "x = 1", words)
  assert.equal(button.textContent, "refused")
  await copyLink(button, "script", Array.from({ length: 9000 }, (_, place) => Math.sin(place)).join(), words)
  assert.deepEqual([button.textContent, copied.length], ["too long", 1])
})
