// The selected runs, the most accurate first: a ranking while they train, and the legend of the plot.

import { element } from "../shared/dom.js"
import { percent } from "../shared/format.js"
import { theme } from "../shared/plot.js"
import { ACTIVE, STATES, swatch } from "./marks.js"

const MOVE_MS = 250

export class Ranking {
  // `act` holds the actions: toggle(run), light(run or null).
  constructor(box, act) {
    Object.assign(this, { box, act, items: new Map() })
  }

  // `runs`: of each its `run`, `name`, `slot`, `state`, `facts` and `place` in the queue; `hidden`: those whose curves are not drawn.
  show(runs, hidden) {
    const look = theme(this.box)
    const ranked = [...runs].sort((one, other) => (other.facts?.accuracy ?? -1) - (one.facts?.accuracy ?? -1) || one.slot - other.slot)
    const before = new Map([...this.items].map(([run, { item }]) => [run, item.offsetTop]))
    for (const run of this.items.keys()) if (!runs.some((each) => each.run === run)) this.items.delete(run)
    const items = ranked.map((each, index) => this.item(each, index, hidden.has(each.run), look))
    if (items.length !== this.box.childNodes.length || items.some((item, index) => item !== this.box.childNodes[index])) {
      const focused = this.box.ownerDocument.activeElement
      this.box.replaceChildren(...items)
      if (this.box.contains(focused)) focused.focus()
      if (!matchMedia("(prefers-reduced-motion: reduce)").matches) this.slide(before)
    }
    this.box.parentElement.hidden = runs.length === 0
  }

  // Let those that have changed places move there.
  slide(before) {
    for (const [run, { item }] of this.items) {
      const by = (before.get(run) ?? item.offsetTop) - item.offsetTop
      if (by) item.animate([{ transform: `translateY(${by}px)` }, { transform: "none" }], { duration: MOVE_MS, easing: "ease-out" })
    }
  }

  item({ run, name, slot, state, facts, place }, index, hidden, look) {
    const known = this.items.get(run) ?? this.made(run)
    const content = JSON.stringify([name, slot, state, facts, place, index, hidden, look.colours])
    if (known.content === content) return known.item
    known.content = content
    this.items.set(run, known)
    const { button, bar } = known
    button.setAttribute("aria-pressed", String(!hidden))
    button.title = hidden ? `${name}: show its curves` : `${name}: hide its curves`
    const ranked = facts?.accuracy !== null && facts?.accuracy !== undefined
    const result = state === "queued" ? (place ? `queued, position ${place}` : STATES[state]) : ranked ? percent(facts.accuracy) : ACTIVE.includes(state) ? "…" : STATES[state]
    button.replaceChildren(element("span", "comparison-place", ranked ? `${index + 1}.` : ""), swatch(look, slot), element("span", "comparison-name", name), element("span", "comparison-number", result))
    bar.style.transform = `scaleX(${facts?.share ?? 0})`
    bar.parentElement.classList.toggle("done", !ACTIVE.includes(state))
    return known.item
  }

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
    return { item, button, bar }
  }
}
