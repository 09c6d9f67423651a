// The losses by step. Plotly needs longer than a frame to draw them, so it draws them whole, once the paths have rested; while the race plays, a veil
// uncovers them. The map and the paths on it keep their sixty frames a second.

import { MARGIN, drawLines } from "../shared/chart.js"
import { element } from "../shared/dom.js"
import { brief } from "../shared/format.js"
import { t } from "../shared/text.js"
import { heightOf } from "./ground.js"

/**
 * @import { Look } from "../shared/plot.js"
 * @import { Path } from "./descent.js"
 */

const RESTED_MS = 150

export class Curves {
  /** @param {HTMLElement} box of a fixed size */
  constructor(box) {
    this.plot = element("div", "curves-plot")
    this.veil = element("div", "veil")
    box.append(this.plot, this.veil)
    /** @type {number | undefined} */
    this.timer = undefined
  }

  /**
   * @param {Path[]} paths
   * @param {string[]} colours of the paths
   * @param {number} lowest the lowest loss of the surface
   * @param {number} steps of the longest path
   * @param {Look} look
   */
  show(paths, colours, lowest, steps, look) {
    clearTimeout(this.timer)
    this.timer = setTimeout(() => drawLines(this.plot, {
      lines: paths.map(({ optimizer, points }, place) => ({
        name: "", title: optimizer, colour: colours[place], x: points.map((_, step) => step), y: points.map(([, , loss]) => heightOf(loss, lowest)),
      })),
      x: { title: t("step"), range: [0, steps] },
      y: { text: (height) => brief(lowest + Math.expm1(height)) },
    }, look), RESTED_MS)
    Object.assign(this.veil.style, { left: `${MARGIN.l * look.zoom}px`, right: `${MARGIN.r * look.zoom}px`, bottom: `${MARGIN.b * look.zoom}px` })
  }

  /**
   * Veil what comes after a step.
   * @param {number} share of all steps
   */
  reach(share) {
    this.veil.style.scale = `${1 - share} 1`
  }

  close() {
    clearTimeout(this.timer)
  }
}
