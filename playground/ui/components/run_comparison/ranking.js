// The selected runs, the most accurate first: a ranking while they train, and the legend of the plot.

import { element, find } from "../shared/dom.js"
import { percent } from "../shared/format.js"
import { theme } from "../shared/plot.js"
import { t } from "../shared/text.js"
import { STATES, isActive, swatch } from "./marks.js"

/**
 * @import { Look } from "../shared/plot.js"
 * @import { Selected } from "./types.js"
 */

const MOVE_MS = 250

/** @param {Selected} run */
const accuracyOf = ({ facts }) => facts?.accuracy ?? null

/**
 * The most accurate first; those without a test accuracy come last.
 * @param {Selected[]} runs
 */
export const ranking = (runs) => [...runs].sort((one, other) => (accuracyOf(other) ?? -1) - (accuracyOf(one) ?? -1) || one.slot - other.slot)

/**
 * The test accuracy of a run, or what is to be known before there is one.
 * @param {Selected} run
 */
export function result(run) {
  const { state, place } = run
  const accuracy = accuracyOf(run)
  if (state === "queued") return place ? t("queued, position {place}", { place }) : STATES[state]
  return accuracy !== null ? percent(accuracy) : isActive(state) ? "…" : STATES[state]
}

export class Ranking {
  /**
   * @param {HTMLElement} root
   * @param {{ toggle: (run: string) => void, light: (run: string | null) => void }} act
   */
  constructor(root, act) {
    /** @type {HTMLElement} */
    this.section = find(root, ".comparison-ranked")
    /** @type {HTMLElement} */
    this.box = find(this.section, ".comparison-ranking")
    this.act = act
    /** @type {Map<string, ReturnType<Ranking["made"]>>} */
    this.items = new Map()
  }

  /**
   * @param {Selected[]} runs
   * @param {Set<string>} hidden those whose curves are not drawn
   */
  show(runs, hidden) {
    const look = theme(this.box)
    const before = new Map([...this.items].map(([run, { item }]) => [run, item.offsetTop]))
    for (const run of this.items.keys()) if (!runs.some((each) => each.run === run)) this.items.delete(run)
    const items = ranking(runs).map((each, index) => this.item(each, index, hidden.has(each.run), look))
    if (items.length !== this.box.childNodes.length || items.some((item, index) => item !== this.box.childNodes[index])) {
      const focused = this.box.ownerDocument.activeElement
      this.box.replaceChildren(...items)
      if (focused instanceof HTMLElement && this.box.contains(focused)) focused.focus()
      if (!matchMedia("(prefers-reduced-motion: reduce)").matches) this.slide(before)
    }
    this.section.hidden = runs.length === 0
  }

  /**
   * Let those that have changed places move there.
   * @param {Map<string, number>} before where each was, in pixels from the top
   */
  slide(before) {
    for (const [run, { item }] of this.items) {
      const by = (before.get(run) ?? item.offsetTop) - item.offsetTop
      if (by) item.animate([{ transform: `translateY(${by}px)` }, { transform: "none" }], { duration: MOVE_MS, easing: "ease-out" })
    }
  }

  /**
   * @param {Selected} selected
   * @param {number} index
   * @param {boolean} hidden
   * @param {Look} look
   */
  item(selected, index, hidden, look) {
    const { run, name, slot, state, facts, place } = selected
    const known = this.items.get(run) ?? this.made(run)
    const content = JSON.stringify([name, slot, state, facts, place, index, hidden, look.colours])
    if (known.content === content) return known.item
    known.content = content
    this.items.set(run, known)
    const { button, track, bar } = known
    button.setAttribute("aria-pressed", String(!hidden))
    button.title = hidden ? t("{name}: show its curves", { name }) : t("{name}: hide its curves", { name })
    const rank = element("span", "comparison-place", accuracyOf(selected) === null ? "" : `${index + 1}.`)
    button.replaceChildren(rank, swatch(look, slot), element("span", "comparison-name", name), element("span", "comparison-number", result(selected)))
    bar.style.transform = `scaleX(${facts?.share ?? 0})`
    track.classList.toggle("done", !isActive(state))
    return known.item
  }

  /** @param {string} run */
  made(run) {
    const item = element("li")
    const button = element("button")
    button.type = "button"
    button.onclick = () => this.act.toggle(run)
    button.onpointerenter = button.onfocus = () => this.act.light(run)
    button.onpointerleave = button.onblur = () => this.act.light(null)
    const track = element("div", "comparison-bar")
    const bar = element("span")
    track.append(bar)
    item.append(button, track)
    return { item, button, track, bar, content: "" }
  }
}
