// Requests to the playground's server. The server reports in words what a learner can change; any other failure is a bug and goes to the console, too.

import { t } from "./text.js"

const PATIENCE_MS = 120_000 // until a request is given up

/**
 * Parameters of an address; one with several values has an array.
 * @typedef {Record<string, string | number | boolean | (string | number)[]>} Query
 */

/**
 * The URL of a path of the server, such as "api/runs".
 * @param {string} path
 * @param {Query} [query]
 */
export function address(path, query = {}) {
  const url = new URL(path, document.baseURI)
  for (const [name, value] of Object.entries(query)) for (const one of [value].flat()) url.searchParams.append(name, String(one))
  return url
}

/**
 * The JSON of the response, null where the server has nothing new (204), or `{ error }` with a text for the learner; `unreachable` is
 * true where there was no response.
 * @param {string} path
 * @param {{ query?: Query, body?: string | Blob | Uint8Array<ArrayBuffer> | Record<string, unknown> }} [options] with a body the request is a POST; an object is sent as JSON
 * @returns {Promise<any>}
 */
export async function request(path, { query, body } = {}) {
  const url = address(path, query)
  /** @type {RequestInit} */
  const post = body === undefined ? {} : { method: "POST", body: isPlain(body) ? JSON.stringify(body) : body }
  let response, text
  try {
    response = await fetch(url, { ...post, signal: AbortSignal.timeout(PATIENCE_MS) })
    text = await response.text()
  } catch {
    return { error: t("The server does not answer. Is it still running?"), unreachable: true }
  }
  if (response.status === 204) return null
  const answer = parsed(text)
  if (answer && (response.ok || answer.error)) return answer
  console.error(`${post.method ?? "GET"} ${url} was answered with ${response.status} ${response.statusText}`, text)
  return {
    error: t("The playground has a bug: the server responded with status {status} and no explanation. Its log has the details.", { status: response.status }),
  }
}

/**
 * The lines of JSON of a response, as they come; at last `{ error }` with a text for the learner where the request failed.
 * @param {string} path
 * @param {Record<string, unknown>} body
 * @returns {AsyncGenerator<any>}
 */
export async function* lines(path, body) {
  const lost = { error: t("The server does not answer. Is it still running?"), unreachable: true }
  try {
    const response = await fetch(address(path), { method: "POST", body: JSON.stringify(body) })
    if (!response.ok || !response.body) {
      yield parsed(await response.text()) ?? lost
      return
    }
    let rest = ""
    for (const reader = response.body.pipeThrough(new TextDecoderStream()).getReader(); ;) {
      const { value, done } = await reader.read()
      if (done) return
      const parts = (rest + value).split("\n")
      rest = /** @type {string} */ (parts.pop())
      for (const part of parts) yield parsed(part)
    }
  } catch {
    yield lost
  }
}

/**
 * @param {string | Blob | Uint8Array<ArrayBuffer> | Record<string, unknown>} body
 * @returns {body is Record<string, unknown>}
 */
const isPlain = (body) => Object.getPrototypeOf(body) === Object.prototype

/** @param {string} text */
function parsed(text) {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
