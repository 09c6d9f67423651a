// The edges of the network picture: what each unit contributes to the units of the next column, eased from one image to the next.

const EASE_MS = 60 // in this time two thirds of a change are done
const NEGLIGIBLE = 0.004

/** @typedef {{ from: number, to: number, share: number, wanted: number }} Edge share of the strongest contribution, with its sign: as it is drawn, and as it will be */

export class Edges {
  constructor() {
    /** @type {Map<number, Edge>} */
    this.byEnds = new Map()
  }

  /**
   * Aim at new contributions.
   * @param {Int8Array} triples from, to and the contribution, 127 being the largest
   */
  aim(triples) {
    for (const edge of this.byEnds.values()) edge.wanted = 0
    for (let at = 0; at < triples.length; at += 3) {
      const [from, to, share] = [triples[at], triples[at + 1], triples[at + 2] / 127]
      const ends = from * 256 + to
      const edge = this.byEnds.get(ends)
      if (edge) edge.wanted = share
      else this.byEnds.set(ends, { from, to, share: 0, wanted: share })
    }
  }

  /**
   * Come nearer to what is wanted.
   * @param {number} elapsed milliseconds; Infinity arrives at once
   * @returns {boolean} whether it is reached
   */
  step(elapsed) {
    const kept = Math.exp(-elapsed / EASE_MS)
    let reached = true
    for (const [ends, edge] of this.byEnds) {
      edge.share = edge.wanted + (edge.share - edge.wanted) * kept
      if (Math.abs(edge.share - edge.wanted) < NEGLIGIBLE) edge.share = edge.wanted
      else reached = false
      if (!edge.share && !edge.wanted) this.byEnds.delete(ends)
    }
    return reached
  }

  /** @returns {Edge[]} the weakest first, so that the strongest are drawn above them */
  get all() {
    return [...this.byEnds.values()].sort((one, other) => Math.abs(one.share) - Math.abs(other.share))
  }
}
