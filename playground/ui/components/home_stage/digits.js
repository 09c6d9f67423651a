// Digits as a pen draws them, in thousandths of the canvas's height: right, down.

/** @typedef {[right: number, down: number][]} Line */

/** @type {Line[][]} */
export const DIGITS = [
  [[[280, 240], [500, 230], [720, 240], [640, 400], [560, 560], [500, 700], [460, 800]]],
  [[[300, 330], [360, 230], [500, 190], [630, 240], [670, 360], [610, 490], [480, 610], [340, 730], [290, 790], [450, 780], [700, 790]]],
  [[[680, 220], [400, 220], [370, 440], [520, 410], [650, 480], [680, 620], [610, 750], [470, 800], [330, 750]]],
  [[[500, 190], [370, 260], [310, 440], [320, 640], [410, 780], [530, 800], [640, 720], [690, 530], [670, 330], [590, 220], [490, 190]]],
  [[[560, 190], [430, 370], [300, 570], [490, 570], [720, 560]], [[580, 380], [570, 580], [560, 810]]],
  [[[320, 260], [430, 190], [590, 210], [650, 320], [590, 430], [460, 470], [610, 520], [680, 640], [610, 770], [450, 810], [320, 750]]],
]

/**
 * The points of a digit's lines up to a share of their length.
 * @param {Line[]} lines
 * @param {number} share
 */
export function drawnUntil(lines, share) {
  const all = lines.reduce((sum, line) => sum + lengthOf(line), 0)
  let left = all * Math.min(1, Math.max(0, share))
  /** @type {Line[]} */
  const drawn = []
  for (const line of lines) {
    if (left <= 0) break
    /** @type {Line} */
    const part = [line[0]]
    for (let at = 1; at < line.length && left > 0; at++) {
      const [[x, y], [right, down]] = [line[at - 1], line[at]]
      const length = Math.hypot(right - x, down - y)
      const taken = Math.min(1, left / length)
      part.push([Math.round(x + (right - x) * taken), Math.round(y + (down - y) * taken)])
      left -= length
    }
    drawn.push(part)
  }
  return drawn
}

/** @param {Line} line */
const lengthOf = (line) => line.slice(1).reduce((sum, [x, y], at) => sum + Math.hypot(x - line[at][0], y - line[at][1]), 0)
