// What the slider “Smoothing” does to a curve, the same on every page.

export const SMOOTHING = 0.4 // at first
const HALF = 0.08 // of the axis: the distance after which a point counts half at the strongest smoothing

/**
 * A running mean in which a point counts half after a distance that follows from `smoothing` and from where the axis ends: so it means the
 * same however densely the points lie and however long the run already is. The mean is not drawn towards zero at its start
 * (https://arxiv.org/abs/1412.6980, section 3).
 * @param {{ x: number[], y: (number | null)[] }} curve
 * @param {number} smoothing 0 for none, to 1
 * @param {number} end of the axis
 * @param {number[]} cuts where the mean begins anew: no point counts beyond a change of the learning rate
 */
export function smooth({ x, y }, smoothing, end, cuts = []) {
  const half = smoothing * smoothing * HALF * end
  if (!half) return y
  let sum = 0
  let count = 0
  return y.map((value, index) => {
    if (value === null) return null
    const before = x[index - 1] ?? 0
    if (cuts.some((cut) => before <= cut && cut < x[index])) sum = count = 0
    const weight = 0.5 ** ((x[index] - before) / half)
    sum = weight * sum + (1 - weight) * value
    count = weight * count + (1 - weight)
    return count ? sum / count : value
  })
}
