// The colours of controls.css for scripts: plots and canvases cannot follow light-dark().

const NAMES = /** @type {const} */ (["accent", "accent-ink", "above", "below", "above-ink", "below-ink", "gradient", "training", "test", "test-ink", "right", "wrong", "soft", "stage", "theme"])

/** @typedef {typeof NAMES[number]} Token */

for (const name of NAMES) register(name)

/**
 * Make a browser compute a token as a colour, so that what is read is the colour for the theme of now.
 * @param {Token} name
 */
function register(name) {
  try {
    globalThis.CSS?.registerProperty({ name: `--${name}`, syntax: "<color>", inherits: true, initialValue: "transparent" })
  } catch (error) { // another version of this module has done it
    if (!(error instanceof DOMException && error.name === "InvalidModificationError")) throw error
  }
}

/**
 * The colours of the theme of now, by their names in controls.css: `tokens(root).gradient`.
 * @param {Element} root within a component
 */
export function tokens(root) {
  const style = getComputedStyle(root)
  return /** @type {Record<Token, string>} */ (Object.fromEntries(NAMES.map((name) => [name, style.getPropertyValue(`--${name}`)])))
}
