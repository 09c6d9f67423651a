// The colours of signed values, the same in every view: orange above zero, blue below, stronger the further away.

const ABOVE = [217, 95, 2]
const BELOW = [33, 102, 172]
const ZERO = 247
const LIFT = 0.7 // exponent, so that small values are seen, too
const TINT = 0.6 // the strongest colour behind a text

/** @param {number} share of the largest value */
const strength = (share) => Math.min(1, Math.abs(share)) ** LIFT

/**
 * The colour of a pixel of an image, as red, green, blue and alpha; zero is white.
 * @param {number} share of the largest value, from −1 to 1
 */
export const pixel = (share) => [...(share < 0 ? BELOW : ABOVE).map((part) => Math.round(ZERO + (part - ZERO) * strength(share))), 255]

/**
 * The colour behind a number, through which the page is seen; zero has none.
 * @param {number} share of the largest value, from −1 to 1
 */
export const tint = (share) => `rgb(${(share < 0 ? BELOW : ABOVE).join(" ")} / ${(TINT * strength(share)).toFixed(3)})`
