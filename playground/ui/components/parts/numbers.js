// How numbers are written, the same in every view.

// A fraction as a percentage, with a narrow no-break space; a dash for none.
export const percent = (fraction, digits = 1) => (fraction === null || fraction === undefined ? "–" : `${(100 * fraction).toFixed(digits)}\u202f%`)
