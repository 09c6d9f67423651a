import assert from "node:assert/strict"
import { test } from "node:test"

import rule, { isProse, textsOfHtml } from "./marked_texts.js"

const { RuleTester } = await import("eslint").catch(() => ({}))

test("prose has two words, and a capital letter or a sentence mark", () => {
  const texts = ["Two words", "✓ Two words", "two words.", "“Log scale” shows it.", "how many: \0", "Rename \0", "Drücke Größe"]
  assert.deepEqual(texts.filter((text) => !isProse(text)), [])
  const others = ["Word", "two words", "two-words Of-a-class", "M0 8H28", "repeat(3, 20px)", "\0: \0", "api/runs?seen=\0", "optimizer.step()", ""]
  assert.deepEqual(others.filter(isProse), [])
})

test("in html people read what is between the tags, and some attributes", () => {
  const html = `<p title="A title" class="two words" aria-label='A label: \0' alt=word data-kind="Two words" .value=\0>
    Two <b>words</b>&nbsp;<i>\0</i> · 3&nbsp;</p>\0 and <br title="a > b">`
  assert.deepEqual(textsOfHtml(html), ["Two", "words", "\0 and", "A title", "A label: \0", "word", "a > b"])
})

test("every text is a template of t() or plural()", { skip: !RuleTester && "ESLint is not installed: run `npm ci`" }, () => {
  const unmarked = (text) => [{ messageId: "unmarked", data: { text } }]
  const computed = (marker) => [{ messageId: "computed", data: { marker } }]
  new RuleTester().run("marked-texts", rule, {
    valid: [
      't("Two words")',
      't("Of {all} images", { all: t("All of them") })',
      'plural("There is {n} image.", "There are {n} images.", n)',
      "`${t(\"Two words\")}: ${value}`",
      'import "./Two words.js"',
      'export * from "./Two words.js"',
      'import("./Two words.js")',
      "console.error(`There is no ${name}.`, [\"Two words\"])",
      "throw new Error(`There is no ${name}.`)",
      'const code = "Two words" // no text: code',
      "const code = `\n  Two words\n` // no text: code",
      'const kind = "two words"',
      "html`<p class=\"Two words\" title=${t(\"Two words\")} aria-label=\"${text}: ${name}\">${t(\"Two words\")} · ${1 + 2}</p>`",
      "html`<code>${\"torch\"}</code>&nbsp;✎`",
      "html`<p>Two words</p>` // no text: code",
      "css`a b: c`",
    ],
    invalid: [
      { code: 'export class View { title = "Two words" }', errors: unmarked("Two words") },
      { code: 'const title = "Two words"', errors: unmarked("Two words") },
      { code: "const title = `Rename ${name}`", errors: unmarked("Rename …") },
      { code: 'const titles = { "Two words": 1 }', errors: unmarked("Two words") },
      { code: 'const title = "Two words" // no text:', errors: unmarked("Two words") },
      { code: 't("Known: {names}", { names: "Two words" })', errors: unmarked("Two words") },
      { code: 'plural("{n} image", "{n} images", "Two words")', errors: unmarked("Two words") },
      { code: 'translate("Two words")', errors: unmarked("Two words") },
      { code: 'page.t("Two words")', errors: unmarked("Two words") },
      { code: "html`<p>word</p>`", errors: unmarked("word") },
      { code: "html`<p>${count} words</p>`", errors: unmarked("… words") },
      { code: "html`<b>One</b> ${name} <b title='two'></b>`", errors: [...unmarked("One"), ...unmarked("two")] },
      { code: "html`<p>${one ? html`<b>word</b>` : `Two words`}</p>`", errors: [...unmarked("word"), ...unmarked("Two words")] },
      { code: "t(text)", errors: computed("t") },
      { code: "t(`word ${value}`)", errors: computed("t") },
      { code: 'plural("{n} image", one + more, n)', errors: computed("plural") },
      { code: "t('word')", errors: computed("t") },
      { code: "t(`word`)", errors: computed("t") },
    ],
  })
})
