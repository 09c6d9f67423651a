// Small pictures of terms, without words, so that no language needs its own. Colours are the tokens of controls.css; 240 units are 15 rem wide.

const SIDE = 22 // of a cell
const WIDTH = 240

/**
 * @param {number} height
 * @param {...string} parts
 */
const picture = (height, ...parts) => `<svg viewBox="0 0 ${WIDTH} ${height}" fill="none" stroke="currentColor" stroke-width="1.5" stroke-linecap="round" aria-hidden="true">${parts.join("")}</svg>`

/**
 * @param {number} x
 * @param {number} y
 * @param {string | number} text
 * @param {string} [more] attributes
 */
const word = (x, y, text, more = "") => `<text x="${x}" y="${y}" text-anchor="middle" stroke="none" fill="currentColor" font-size="13" ${more}>${text}</text>`

/**
 * A cell with its text: "lit" is filled, "ghost" is dashed, "" is plain.
 * @param {number} x
 * @param {number} y
 * @param {string | number} text
 * @param {"" | "lit" | "ghost"} [kind]
 */
const cell = (x, y, text, kind = "") =>
  `<rect x="${x}" y="${y}" width="${SIDE}" height="${SIDE}" stroke-width="1" ${kind === "lit" ? 'fill="var(--above)" fill-opacity=".35"' : ""} ${kind === "ghost" ? 'stroke-dasharray="3 3"' : ""}/>` +
  (text === "" ? "" : word(x + SIDE / 2, y + 16, text))

/**
 * Cells in rows; `kind` says how each looks.
 * @param {number} x
 * @param {number} y
 * @param {(string | number)[][]} rows
 * @param {(row: number, column: number) => "" | "lit" | "ghost"} [kind]
 */
const grid = (x, y, rows, kind = () => "") => rows.map((row, line) => row.map((text, column) => cell(x + column * SIDE, y + line * SIDE, text, kind(line, column))).join("")).join("")

/**
 * @param {number} rows
 * @param {number} columns
 */
const blank = (rows, columns) => Array.from({ length: rows }, () => Array.from({ length: columns }, () => ""))

/**
 * A jump from one place in the memory to another, above its row of cells.
 * @param {number} from
 * @param {number} to
 * @param {number} y
 * @param {string} [colour]
 */
const jump = (from, to, y, colour = "var(--accent-ink)") => {
  const [start, end] = [from, to].map((place) => 40 + place * SIDE + SIDE / 2)
  return `<path stroke="${colour}" d="M${start} ${y}Q${(start + end) / 2} ${y - 10 - Math.abs(to - from) * 5} ${end} ${y}m-5 -5l5 5l${to > from ? "-6" : "1"} ${to > from ? "2" : "-7"}"/>`
}

/**
 * @param {string} d
 * @param {string} [colour]
 */
const line = (d, colour = "currentColor") => `<path stroke="${colour}" d="${d}"/>`

/**
 * @param {number} x
 * @param {number} y
 * @param {string} [colour]
 * @param {number} [radius]
 */
const dot = (x, y, colour = "var(--accent-ink)", radius = 4) => `<circle cx="${x}" cy="${y}" r="${radius}" fill="${colour}" stroke="none"/>`

/**
 * Bars on a base line; negative ones hang from it.
 * @param {number} x
 * @param {number} base
 * @param {number[]} heights
 * @param {string} [colour]
 */
const bars = (x, base, heights, colour = "var(--below)") =>
  line(`M${x - 4} ${base}h${heights.length * 22 + 4}`, "var(--soft)") +
  heights.map((height, place) => `<rect x="${x + place * 22}" y="${base - Math.max(height, 0)}" width="16" height="${Math.abs(height)}" fill="${colour}" stroke="none"/>`).join("")

const arrow = (/** @type {number} */ x, /** @type {number} */ y) => line(`M${x} ${y}h18m-5 -5l5 5l-5 5`, "var(--soft)")
const valley = (/** @type {number} */ x) => line(`M${x} 8Q${x + 45} 128 ${x + 90} 8`, "var(--soft)")
const CALIBRATED = picture(84, bars(78, 76, [10, 22, 36, 52]), line("M74 76L164 10", "var(--accent-ink)"))
const MEMORY = [[0, 1, 2, 3, 4, 5]]
const node = (/** @type {number} */ x, /** @type {number} */ y, /** @type {string} */ text, isLit = false) =>
  `<circle cx="${x}" cy="${y}" r="13" ${isLit ? 'fill="var(--gradient)" fill-opacity=".3" stroke="var(--gradient)"' : ""}/>${word(x, y + 5, text)}`

/** @type {Record<string, string>} by the name of the term */
export const PICTURES = {
  stride: picture(62, grid(40, 34, MEMORY, (_row, column) => (column % 3 ? "" : "lit")), jump(0, 3, 32), word(106, 12, "3", 'fill="var(--accent-ink)"')),
  "storage offset": picture(50, grid(40, 24, MEMORY, (_row, column) => (column < 2 ? "ghost" : "lit")), line("M95 4v16m-5 -5l5 5l5 -5", "var(--accent-ink)")),
  contiguous: picture(58, grid(40, 30, MEMORY), [0, 1, 2, 3, 4].map((place) => jump(place, place + 1, 28, "var(--right)")).join("")),
  broadcasting: picture(76, grid(14, 4, [[0], [10], [20]], () => "lit"), word(50, 42, "+"), grid(64, 26, [[1, 2, 3]], () => "lit"), word(146, 42, "="), grid(160, 4, [[1, 2, 3], [11, 12, 13], [21, 22, 23]])),
  convolution: picture(98, grid(30, 5, blank(4, 4), (row, column) => (row < 3 && column < 3 ? "lit" : "")), arrow(132, 49), grid(166, 27, blank(2, 2), (row, column) => (row + column ? "" : "lit"))),
  padding: picture(120, grid(65, 5, Array.from({ length: 5 }, (_, row) => Array.from({ length: 5 }, (_, column) => (row % 4 && column % 4 ? "" : 0))), (row, column) => (row % 4 && column % 4 ? "lit" : "ghost"))),
  "max pooling": picture(98, grid(30, 5, [[1, 3, 0, 2], [5, 2, 1, 1], [0, 1, 7, 4], [2, 1, 3, 0]], (row, column) => (["1 0", "0 3", "3 0", "2 2"].includes(`${row} ${column}`) ? "lit" : "")), arrow(132, 49), grid(166, 27, [[5, 2], [2, 7]], () => "lit")),
  gradient: picture(80, line("M20 10Q110 130 220 10", "var(--soft)"), line("M20 26L112 84", "var(--gradient)"), dot(66, 55)),
  "gradient descent": picture(80, valley(75), dot(82, 24), dot(92, 43), dot(103, 58), dot(114, 66), line("M84 28l6 10m4 8l6 8m5 6l6 4", "var(--accent-ink)")),
  "learning rate": picture(80, valley(10), dot(17, 24), dot(22, 35), dot(27, 44), dot(32, 51), valley(140), dot(158, 44), dot(214, 41), dot(146, 22), line("M158 44L214 41L146 22", "var(--wrong)")),
  softmax: picture(78, bars(20, 50, [40, 20, -18]), arrow(108, 50), bars(150, 70, [43, 16, 3], "var(--right)")),
  logits: picture(78, bars(76, 50, [40, 20, -18, 8]), word(62, 55, "0")),
  "label smoothing": picture(70, bars(20, 62, [50, 0, 0]), arrow(108, 36), bars(150, 62, [43, 5, 5])),
  "receptive field": picture(92, grid(65, 66, blank(1, 5), () => "lit"), grid(87, 36, blank(1, 3), () => "lit"), grid(109, 6, blank(1, 1), () => "lit"), line("M109 28L87 36M131 28L153 36M87 58L65 66M153 58L175 66", "var(--accent-ink)")),
  overfitting: picture(80, line("M30 72V6M30 72H216", "var(--soft)"), line("M34 12Q70 66 212 68", "var(--training)"), `<path stroke="var(--test)" stroke-dasharray="2 4" d="M34 14Q80 66 120 50T212 20"/>`),
  "confusion matrix": picture(76, grid(87, 5, [[9, 1, ""], ["", 8, 2], [1, "", 9]], (row, column) => (row === column ? "lit" : ""))),
  calibration: CALIBRATED,
  "expected calibration error": CALIBRATED,
  PCA: picture(80, ...[[60, 58], [80, 60], [92, 44], [112, 50], [120, 34], [140, 38], [150, 24], [172, 26], [104, 32], [132, 52]].map(([x, y]) => dot(x, y, "var(--below)", 3)), line("M44 64L192 16m-9 -2l9 2l-5 8", "var(--accent-ink)")),
  leaf: picture(90, node(50, 22, "w", true), node(50, 68, "x"), node(120, 45, "×"), node(190, 45, "L"), line("M63 26L108 40M63 64L108 50M133 45H177", "var(--soft)")),
  batch: picture(52, grid(10, 4, blank(2, 10), (_row, column) => (column >= 2 && column < 4 ? "lit" : ""))),
  ReLU: picture(70, line("M30 50H210M120 64V6", "var(--soft)"), line("M34 50H120L164 8", "var(--accent-ink)")),
  dropout: picture(74, ...[[60, 14], [60, 37], [60, 60], [120, 14], [120, 37], [120, 60]].map(([x, y], place) => (place === 1 || place === 5 ? line(`M${x - 6} ${y - 6}l12 12m0 -12l-12 12`, "var(--wrong)") : dot(x, y, "currentColor", 7))), dot(180, 37, "currentColor", 7), line("M67 14H113M67 14L113 37M67 60L113 14M67 60L113 37M127 14L173 37M127 37H173", "var(--soft)")),
}
