import assert from "node:assert/strict"
import { beforeEach, mock, test } from "node:test"

import { address, lines, request } from "../../playground/ui/components/shared/client.js"

globalThis.document = { baseURI: "http://playground.test/" }
let reported

beforeEach(() => {
  mock.restoreAll()
  reported = mock.method(console, "error", () => {})
})

const respond = (body, status = 200) => mock.method(globalThis, "fetch", async () => new Response(status === 204 ? null : body, { status }))

test("a parameter may have several values", () => {
  assert.equal(address("api/draw", { model: ["a", "b"], piece: 0 }).href, "http://playground.test/api/draw?model=a&model=b&piece=0")
})

test("an object is posted as JSON, anything else as it is", async () => {
  const fetched = respond("{}")
  await request("api/runs")
  await request("api/runs", { body: { name: "x" } })
  await request("api/runs", { body: "" })
  const bytes = new Uint8Array(3)
  await request("api/runs", { body: bytes })
  assert.deepEqual(fetched.mock.calls.map(({ arguments: [, { method, body }] }) => [method, body]), [[undefined, undefined], ["POST", '{"name":"x"}'], ["POST", ""], ["POST", bytes]])
})

test("nothing new is null", async () => {
  respond("", 204)
  assert.equal(await request("api/runs"), null)
})

test("what a learner can change is reported in the server's words", async () => {
  respond('{"error": "The run is finished."}', 400)
  assert.deepEqual(await request("api/runs"), { error: "The run is finished." })
  assert.equal(reported.mock.callCount(), 0)
})

test("a bug of the server is shown as one and logged", async () => {
  for (const body of ["Internal Server Error", "{}"]) {
    respond(body, 500)
    assert.match((await request("api/runs")).error, /^The playground has a bug: the server responded with status 500/)
  }
  assert.equal(reported.mock.callCount(), 2)
})

test("a response that is no JSON is a bug", async () => {
  respond("<html>")
  assert.match((await request("api/runs")).error, /^The playground has a bug/)
})

test("a server that does not answer", async () => {
  mock.method(globalThis, "fetch", async () => { throw new TypeError("Failed to fetch") })
  assert.deepEqual(await request("api/runs"), { error: "The server does not answer. Is it still running?", unreachable: true })
})

/** Everything that `lines` yields. */
async function all() {
  const found = []
  for await (const line of lines("api/notebook/run", { source: "x" })) found.push(line)
  return found
}

test("lines of JSON come one by one, wherever the response was cut", async () => {
  const parts = ['{"a', '": 1}\n{"b": "', "gr\u00f6\u00dfe", '"}\n'].map((text) => new TextEncoder().encode(text))
  const cut = new Uint8Array([...parts[2]].slice(0, 3)), rest = parts[2].slice(3)
  respond(new ReadableStream({ start(controller) { for (const part of [parts[0], parts[1], cut, rest, parts[3]]) controller.enqueue(part); controller.close() } }))
  assert.deepEqual(await all(), [{ a: 1 }, { b: "gr\u00f6\u00dfe" }])
})

test("where there are no lines, the last one is the reason", async () => {
  respond('{"error": "Another cell runs."}', 400)
  assert.deepEqual(await all(), [{ error: "Another cell runs." }])
  respond("no JSON", 500)
  assert.match((await all())[0].error, /does not answer/)
  mock.method(globalThis, "fetch", async () => { throw new TypeError("no connection") })
  assert.deepEqual((await all()).map(({ unreachable }) => unreachable), [true])
})
