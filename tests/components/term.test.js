import assert from "node:assert/strict"
import { test } from "node:test"

import { partsOf } from "../../playground/ui/components/shared/term.js"
import { PICTURES } from "../../playground/ui/components/shared/term_pictures.js"

test("a sentence names its terms in double brackets; a translation names them behind a bar", () => {
  assert.deepEqual(partsOf("Each [[stride]] is a step in memory."), [{ text: "Each " }, { text: "stride", name: "stride" }, { text: " is a step in memory." }])
  assert.deepEqual(partsOf("[[步幅|stride]]"), [{ text: "步幅", name: "stride" }])
  assert.deepEqual(partsOf("grad[0] and [!! none"), [{ text: "grad[0] and [!! none" }])
  assert.deepEqual(partsOf(""), [])
})

test("a picture is one drawing without words", () => {
  for (const [name, picture] of Object.entries(PICTURES)) {
    assert.match(picture, /^<svg [^>]+>.+<\/svg>$/, name)
    assert.doesNotMatch(picture, /NaN|undefined/, name)
    for (const [, text] of picture.matchAll(/<text[^>]*>([^<]*)/g)) assert.ok(text.length <= 2, `${name}: ${text}`)
  }
})
