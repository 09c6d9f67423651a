// The layers of a graph: how far each node is from the inputs, and which lines pass too many of them to be laid out.

const PASSED = 10 // layers that a line may pass in the layout

/**
 * The value of a key that a map must have.
 * @template Key, Found
 * @param {Map<Key, Found>} map
 * @param {Key} key
 */
export const of = (map, key) => /** @type {Found} */ (map.get(key))

/**
 * The lines that pass so many layers that the layout would take minutes for them, and nobody could follow them: it does
 * without them. Those that alone hold a node to the rest stay.
 * @template {{ from: string, to: string }} Way
 * @param {Way[]} lines
 */
export function far(lines) {
  const layers = layersOf(lines)
  /** @type {Map<string, number>} */
  const left = new Map()
  for (const { from, to } of lines) for (const id of [from, to]) left.set(id, (left.get(id) ?? 0) + 1)
  return lines.filter(({ from, to }) => {
    if (of(layers, to) - of(layers, from) <= PASSED || of(left, from) < 2 || of(left, to) < 2) return false
    for (const id of [from, to]) left.set(id, of(left, id) - 1)
    return true
  })
}

/**
 * The layer of each node: one below the lowest that leads to it; one that nothing leads to stands right above its first use.
 * @param {{ from: string, to: string }[]} lines
 */
export function layersOf(lines) {
  /** @type {Map<string, number>} */
  const waiting = new Map()
  /** @type {Map<string, string[]>} */
  const after = new Map()
  for (const { from, to } of lines) {
    waiting.set(from, waiting.get(from) ?? 0)
    waiting.set(to, (waiting.get(to) ?? 0) + 1)
    after.set(from, [...(after.get(from) ?? []), to])
  }
  const sources = [...waiting.keys()].filter((id) => waiting.get(id) === 0)
  const layers = new Map(sources.map((id) => [id, 0]))
  const ready = [...sources]
  for (let id = ready.pop(); id !== undefined; id = ready.pop()) {
    for (const to of after.get(id) ?? []) {
      layers.set(to, Math.max(layers.get(to) ?? 0, of(layers, id) + 1))
      waiting.set(to, of(waiting, to) - 1)
      if (waiting.get(to) === 0) ready.push(to)
    }
  }
  for (const id of sources) layers.set(id, Math.min(...of(after, id).map((to) => of(layers, to))) - 1)
  return layers
}

/**
 * How many layers there are.
 * @param {{ from: string, to: string }[]} lines
 */
export function ranksOf(lines) {
  const layers = [...layersOf(lines).values()]
  return layers.length ? Math.max(...layers) - Math.min(...layers) + 1 : 1
}
