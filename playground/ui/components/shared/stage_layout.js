// Where everything of the network picture lies: columns from left to right, the classes at the right. All lengths are pixels of the screen.

/**
 * A column of the picture as far as its place depends on it.
 * @typedef {{ shape: number[], units: number[] }} Shown
 * @typedef {"image" | "maps" | "tokens" | "features" | "classes"} Kind
 * @typedef {{ kind: Kind, x: number, y: number, width: number, height: number, cell: number, gap: number, across: number }} Box
 * @typedef {{ boxes: Box[], width: number, height: number }} Layout width may be larger than there is room for: then the picture is scrolled sideways
 */

const LARGEST = { image: 144, maps: 72, tokens: 40, features: 18, classes: 0 }
const SMALLEST = { image: 56, maps: 22, tokens: 12, features: 7, classes: 0 }
const BETWEEN_CELLS = { image: 0, maps: 4, tokens: 3, features: 2, classes: 0 }
const CLASSES = 15 // width of the classes with their bars, in `unit`
const NARROW_CLASSES = 9.5
const NARROW = 720 // room in which the bars are shorter
const EDGES = [180, 44, 28] // widest and usual room for the edges between two columns, and the narrowest, where the picture would be scrolled otherwise
const NAME = 5.5 // room for the name of a column, in `unit`
const TALL = 16 // features above one another

/**
 * @param {Shown} column
 * @param {number} place
 * @param {number} count of all columns
 * @returns {Kind}
 */
export function kindOf({ shape }, place, count) {
  if (place === count - 1) return "classes"
  if (shape.length === 3) return place ? "maps" : "image"
  return shape.length === 2 ? "tokens" : "features"
}

/**
 * Cells beside each other: of maps as few as there is height for, because the columns share the width.
 * @param {Kind} kind
 * @param {number} count
 * @param {number} [down] maps that have room above one another
 */
export function acrossOf(kind, count, down = 4) {
  if (kind === "maps") return Math.max(Math.ceil(count / Math.max(down, 4)), count > 4 ? 2 : 1)
  if (kind === "tokens") return Math.ceil(Math.sqrt(count))
  return kind === "features" ? Math.ceil(count / TALL) : 1
}

/**
 * Place the columns, as large as there is room for.
 * @param {Shown[]} columns the input first, the classes last
 * @param {number} width
 * @param {number} height without the names beneath the columns
 * @param {number} unit pixels of a rem
 * @returns {Layout}
 */
export function layOut(columns, width, height, unit = 16) {
  const scale = unit / 16
  const gaps = columns.length - 1
  const sized = (/** @type {number} */ share, /** @type {number} */ classes) => columns.map((column, place) => boxOf(column, place, columns.length, height, share, scale, classes * unit))
  const wide = (/** @type {Box[]} */ all) => all.reduce((sum, box) => sum + box.width, 0)
  const between = (/** @type {number} */ place, /** @type {number} */ room) => Math.max(room, NAME * unit - (boxes[place].width + boxes[place + 1].width) / 2)
  const fits = (/** @type {Box[]} */ all) => wide(all) + gaps * EDGES[1] * scale <= width
  const least = width < NARROW * scale ? NARROW_CLASSES : CLASSES
  let share = 1
  let boxes = sized(share, least)
  while (!fits(boxes) && share > 0) boxes = sized((share = Math.max(0, share - 0.05)), least)
  if (!fits(boxes)) boxes = sized(0, NARROW_CLASSES)
  const room = Math.min(EDGES[0] * scale, Math.max(EDGES[2] * scale, (width - wide(boxes)) / gaps))
  let x = 1 // room for the line around a cell
  boxes.forEach((box, place) => {
    box.x = x
    box.y = (height - box.height) / 2
    x += box.width + (place < gaps ? between(place, room) : 0)
  })
  const spare = Math.min(Math.max(0, width - x + 1), 10 * unit) // goes to the classes, whose bars are then longer
  boxes[gaps].width += spare
  return { boxes, width: Math.ceil(x + spare), height }
}

/**
 * @param {Shown} column
 * @param {number} place
 * @param {number} count
 * @param {number} height
 * @param {number} share of the way from the smallest to the largest size
 * @param {number} scale
 * @param {number} classes
 * @returns {Box}
 */
function boxOf(column, place, count, height, share, scale, classes) {
  const kind = kindOf(column, place, count)
  if (kind === "classes") return { kind, x: 0, y: 0, width: classes, height, cell: 0, gap: 0, across: 1 }
  const shown = kind === "image" ? 1 : column.units.length
  const gap = BETWEEN_CELLS[kind]
  const wanted = (SMALLEST[kind] + (LARGEST[kind] - SMALLEST[kind]) * share) * scale
  const across = acrossOf(kind, shown, Math.floor((height - 2 + gap) / (wanted + gap)))
  const down = Math.ceil(shown / across)
  const cell = Math.max(4, Math.min(Math.floor(wanted), Math.floor((height - 2 + gap) / down) - gap))
  return { kind, x: 0, y: 0, width: across * (cell + gap) - gap, height: down * (cell + gap) - gap, cell, gap, across }
}

/**
 * The corner of a cell.
 * @param {Box} box
 * @param {number} place among the units that are drawn
 * @returns {[x: number, y: number]}
 */
export const cornerOf = (box, place) => [box.x + (place % box.across) * (box.cell + box.gap), box.y + Math.floor(place / box.across) * (box.cell + box.gap)]

/**
 * How high an edge leaves a column, or reaches it.
 * @param {Box} box
 * @param {number} place among the units that are drawn
 * @param {number} count of the units that are drawn
 */
export function heightOf(box, place, count) {
  if (box.kind === "classes") return box.y + (box.height * (place + 0.5)) / count
  if (box.kind === "image") return box.y + box.height / 2
  return cornerOf(box, place)[1] + box.cell / 2
}

/**
 * The unit at a point.
 * @param {Box[]} boxes
 * @param {number[]} counts units that are drawn of each column
 * @param {number} x
 * @param {number} y
 * @returns {{ column: number, place: number } | null}
 */
export function unitAt(boxes, counts, x, y) {
  for (const [column, box] of boxes.entries()) {
    if (x < box.x || x > box.x + box.width || y < box.y || y > box.y + box.height) continue
    if (box.kind === "image") return { column, place: 0 }
    if (box.kind === "classes") return { column, place: Math.min(counts[column] - 1, Math.floor(((y - box.y) / box.height) * counts[column])) }
    const place = Math.floor((y - box.y) / (box.cell + box.gap)) * box.across + Math.floor((x - box.x) / (box.cell + box.gap))
    return place < counts[column] ? { column, place } : null
  }
  return null
}
