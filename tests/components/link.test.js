import assert from "node:assert/strict"
import { test } from "node:test"
import { inflateSync } from "node:zlib"

import { packed } from "../../playground/ui/components/shared/link.js"

test("a script is packed as Python unpacks it: deflated, in the letters of an address", async () => {
  for (const script of ["", "x = torch.ones(2)\n", "# 你好 😀\n".repeat(50)]) {
    const text = await packed(script)
    assert.match(text, /^[\w-]+$/)
    assert.equal(inflateSync(Buffer.from(text, "base64url")).toString(), script)
  }
})
