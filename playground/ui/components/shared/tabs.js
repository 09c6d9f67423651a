// A row of tabs, one of which is selected: the arrow keys, Home and End go to another tab and open it, the Tab key leaves the row.

/** @type {Record<string, (place: number, count: number) => number>} */
const STEPS = {
  ArrowRight: (place, count) => (place + 1) % count,
  ArrowLeft: (place, count) => (place + count - 1) % count,
  Home: () => 0,
  End: (_place, count) => count - 1,
}

export class Tabs {
  /** @param {HTMLElement} list with the role `tablist`; its tabs say in `data-view` what they open */
  constructor(list) {
    this.list = list
    list.onkeydown = (event) => this.step(event)
  }

  /** @returns {HTMLElement[]} those that can be seen */
  get all() {
    return /** @type {HTMLElement[]} */ ([...this.list.querySelectorAll("[role=tab]:not([hidden])")])
  }

  /** @param {string | undefined} view of the tab to select */
  select(view) {
    for (const each of this.all) {
      const isSelected = each.dataset.view === view
      each.setAttribute("aria-selected", String(isSelected))
      each.tabIndex = isSelected ? 0 : -1
    }
  }

  /** @param {KeyboardEvent} event */
  step(event) {
    const next = STEPS[event.key]
    const { all } = this
    const place = all.findIndex((each) => each === event.target)
    if (!next || place < 0) return
    event.preventDefault()
    const other = all[next(place, all.length)]
    other.focus()
    other.click()
  }
}
