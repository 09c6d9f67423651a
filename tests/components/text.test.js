import assert from "node:assert/strict"
import { beforeEach, mock, test } from "node:test"

const RUSSIAN = {
  "Latest runs": "Последние запуски",
  "Step {step} of {all}": "Из {all} шагов — {step}-й",
  "{n} image": ["{n} изображение", "{n} изображения", "{n} изображений"],
  "{n} run of {name}": "not a list of forms",
}
let imports = 0
let reported

beforeEach(() => {
  mock.restoreAll()
  reported = mock.method(console, "error", () => {})
  globalThis.Node = { TEXT_NODE: 3 }
})

/** The module as a page in this language loads it; `respond` answers its request. */
function load(language, respond = async () => Response.json(RUSSIAN)) {
  const cookie = language && `theme=dark; playground_language=${language}; last=1`
  globalThis.document = { cookie, baseURI: "http://playground.test/train/", documentElement: { lang: "" } }
  const fetched = mock.method(globalThis, "fetch", respond)
  return import(`../../playground/ui/components/shared/text.js?${imports++}`).then((module) => ({ ...module, fetched }))
}

/** An element with attributes, and nodes of text and of other kinds. */
function element(attributes, ...texts) {
  const childNodes = [...texts.map((textContent) => ({ nodeType: 3, textContent })), { nodeType: 8, textContent: "Latest runs" }]
  return { attributes, childNodes, getAttribute: (name) => attributes[name] ?? null, setAttribute: (name, value) => { attributes[name] = value } }
}

const textsOf = ({ childNodes }) => childNodes.map(({ textContent }) => textContent)

test("without a language a text is its template, and no catalogue is loaded", async () => {
  for (const chosen of ["", "en"]) {
    const { language, t, fetched } = await load(chosen)
    assert.deepEqual([language, t("Latest runs"), fetched.mock.callCount()], ["en", "Latest runs", 0])
  }
})

test("values fill the gaps of their names, as often as they occur; a gap without a value stays", async () => {
  const { t } = await load("")
  assert.equal(t("{a} and {b} and {a}", { a: 1, b: "$& {a}" }), "1 and $& {a} and 1")
  assert.equal(t("Step {step} of {all}", { step: 0 }), "Step 0 of {all}")
  assert.equal(t("%{y:.3g} {}", { y: 1 }), "%{y:.3g} {}")
})

test("a number chooses between two templates, and may be written in another way", async () => {
  const { plural } = await load("")
  assert.deepEqual([0, 1, 2].map((n) => plural("{n} image", "{n} images", n)), ["0 images", "1 image", "2 images"])
  assert.equal(plural("{n} image of {all}", "{n} images of {all}", 1000, { n: "1,000", all: 2000 }), "1,000 images of 2000")
})

test("a page in another language loads its catalogue, and says which language it is in", async () => {
  const { language, fetched } = await load("ru")
  assert.equal(language, "ru")
  assert.equal(globalThis.document.documentElement.lang, "ru")
  assert.deepEqual(fetched.mock.calls.map(({ arguments: [url] }) => url.href), ["http://playground.test/train/api/text/ru.json"])
})

test("a text is translated with its values, and stays English without a translation", async () => {
  const { t } = await load("ru")
  assert.equal(t("Latest runs"), "Последние запуски")
  assert.equal(t("Step {step} of {all}", { step: 3, all: 10 }), "Из 10 шагов — 3-й")
  assert.equal(t("Not translated: {text}", { text: "Latest runs" }), "Not translated: Latest runs")
  assert.equal(t("{n} image", { n: 1 }), "1 изображение", "the form for one")
})

test("a language has the plural forms of gettext, in their order", async () => {
  const { plural } = await load("ru")
  const images = [1, 2, 5, 11, 21, 0].map((n) => plural("{n} image", "{n} images", n))
  assert.deepEqual(images, ["1 изображение", "2 изображения", "5 изображений", "11 изображений", "21 изображение", "0 изображений"])
  assert.equal(plural("{n} run", "{n} runs", 2), "2 runs")
  assert.equal(plural("{n} run of {name}", "{n} runs of {name}", 2, { name: "Ada" }), "2 runs of Ada")
  const chinese = await load("zh-CN", async () => Response.json({ "{n} image": ["{n} 张图像"] }))
  assert.deepEqual([1, 2].map((n) => chinese.plural("{n} image", "{n} images", n)), ["1 张图像", "2 张图像"])
})

test("the html of a component is translated: texts, whose spaces around them stay, and what people read in attributes", async () => {
  const { translate } = await load("ru")
  const [one, other] = [element({ title: "Latest runs", class: "Latest runs" }, "\n  Latest\n  runs ", " \n"), element({}, "MNIST", "Latest runs")]
  translate({ querySelectorAll: () => [one, other] })
  assert.deepEqual(one.attributes, { title: "Последние запуски", class: "Latest runs" })
  assert.deepEqual(textsOf(one), ["\n  Последние запуски ", " \n", "Latest runs"])
  assert.deepEqual(textsOf(other), ["MNIST", "Последние запуски", "Latest runs"])
})

test("the html of a component stays as it is in English", async () => {
  const { translate } = await load("en")
  translate({ querySelectorAll: () => assert.fail("nothing to look for") })
})

test("without its catalogue a page is in English, and the console says why", async () => {
  const failure = new TypeError("Failed to fetch")
  const answers = [async () => new Response("", { status: 404 }), async () => { throw failure }, async () => new Response("<html>")]
  for (const answer of answers) assert.equal((await load("ru", answer)).t("Latest runs"), "Latest runs")
  const [missing, unreachable, broken] = reported.mock.calls.map(({ arguments: [what] }) => what)
  assert.match(missing, /“ru”: 404/)
  assert.equal(unreachable, failure)
  assert.ok(broken instanceof SyntaxError)
})
