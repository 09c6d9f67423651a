// Packs a script into a part of an address, as playground/tensors/link.py does.

export const LONGEST = 4000 // characters of a packed script

/**
 * A script as part of an address, as `pack` in playground/tensors/link.py makes it.
 * @param {string} source
 */
export async function packed(source) {
  const stream = new Blob([source]).stream().pipeThrough(new CompressionStream("deflate"))
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer())
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "")
}
