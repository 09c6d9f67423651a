// Where something that pops up beside an element stands: beneath it, or above it where there is more room, always inside the window.

const EDGE = 8 // pixels that stay free at the window's edges

/**
 * @param {{ top: number, bottom: number, left: number, width: number }} anchor the element, in pixels of the window
 * @param {{ width: number, height: number }} size of what pops up, as it would like to be
 * @param {{ width: number, height: number }} room the window
 * @param {{ gap?: number, centred?: boolean, above?: boolean }} [wish] pixels between the two; whether their middles agree; whether above is tried first
 */
export function placed(anchor, size, room, { gap = 4, centred = false, above = false } = {}) {
  const over = anchor.top - gap - EDGE
  const under = room.height - anchor.bottom - gap - EDGE
  const isAbove = above ? over >= size.height || over > under : under < size.height && over > under
  const height = Math.max(0, Math.min(size.height, isAbove ? over : under))
  const wanted = centred ? anchor.left + (anchor.width - size.width) / 2 : anchor.left
  const left = Math.max(EDGE, Math.min(wanted, room.width - size.width - EDGE))
  return { left, top: isAbove ? anchor.top - gap - height : anchor.bottom + gap, height }
}

/**
 * Put an element that lies above the page beside another one.
 * @param {HTMLElement} popped
 * @param {Element} anchor
 * @param {Parameters<typeof placed>[3]} [wish]
 */
export function placeBeside(popped, anchor, wish) {
  popped.style.maxHeight = ""
  const { left, top, height } = placed(anchor.getBoundingClientRect(), { width: popped.offsetWidth, height: popped.offsetHeight }, { width: innerWidth, height: innerHeight }, wish)
  Object.assign(popped.style, { left: `${left}px`, top: `${top}px`, maxHeight: `${height}px` })
}
