// The colours of signed values, the same in every view: orange above zero, blue below, stronger the further away; at zero the page shows through.

import { tokens } from "./tokens.js"

const LIFT = 0.7 // exponent, so that small values are seen, too
const TINT = 0.45 // the strongest colour behind a text

/** The colours of the theme of now, as red, green and blue; those of the light one until a component is mounted. */
const now = { above: [224, 122, 31], below: [59, 130, 196], ink: [31, 33, 38] }

/**
 * Take the colours of the theme of now; all components of a page have the same.
 * @param {Element} root within a component
 */
export function followTheme(root) {
  const { above, below } = tokens(root)
  Object.assign(now, { above: rgb(above), below: rgb(below), ink: rgb(getComputedStyle(root).color) })
}

/**
 * A computed colour as red, green and blue.
 * @param {string} colour such as `rgb(224, 122, 31)`
 */
export const rgb = (colour) => colour.match(/\d+/g)?.slice(0, 3).map(Number) ?? []

/** @param {number} share of the largest value */
const strength = (share) => Math.min(1, Math.abs(share)) ** LIFT

/**
 * The colour of a pixel of an image, as red, green, blue and alpha; zero is transparent.
 * @param {number} share of the largest value, from −1 to 1
 */
export const pixel = (share) => [...(share < 0 ? now.below : now.above), Math.round(255 * strength(share))]

/**
 * The colour of a pixel of a drawing: ink on the paper, which shows through.
 * @param {number} byte amount of ink, from 0 to 255
 */
export const inked = (byte) => [...now.ink, byte]

/**
 * The colour behind a number, pale enough for text on it in light and dark; zero has none.
 * @param {number} share of the largest value, from −1 to 1
 */
export const tint = (share) => `rgb(${(share < 0 ? now.below : now.above).join(" ")} / ${(TINT * strength(share)).toFixed(3)})`
