// Packs a script into a part of an address, as playground/tensors/link.py does.

import { t } from "./text.js"

const LONGEST = 4000 // characters of a packed script

/**
 * A script as part of an address, as `pack` in playground/tensors/link.py makes it.
 * @param {string} source
 */
export async function packed(source) {
  const stream = new Blob([source]).stream().pipeThrough(new CompressionStream("deflate"))
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer())
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "")
}

/**
 * Copy the address of the page with a text in it; the button says what became of it until it is left.
 * @param {HTMLButtonElement} button
 * @param {string} name of the part of the address
 * @param {string} text
 * @param {{ tooLong: string, refused: string }} words what the button says of a text that is too long, and where the browser copies nothing
 */
export async function copyLink(button, name, text, { tooLong, refused }) {
  const url = new URL(window.location.href)
  const part = await packed(text)
  url.searchParams.set(name, part)
  try {
    if (part.length <= LONGEST) await navigator.clipboard.writeText(url.href)
    button.textContent = part.length <= LONGEST ? t("Copied") : tooLong
  } catch {
    button.textContent = refused
  }
  button.onblur = button.onpointerleave = () => { button.textContent = t("Copy link") }
}
