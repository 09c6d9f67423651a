// Templates of lit-html. Drawn again, they change only what differs: the elements stay, and with them the focus, a click on them and what is being typed.

import { render } from "./vendor/lit-html.js"

export { html, live, nothing, repeat } from "./vendor/lit-html.js"

/**
 * Draw a template into a box. An element that has the focus keeps it when it changes its place.
 * @param {HTMLElement} box
 * @param {unknown} template
 */
export function draw(box, template) {
  const place = /** @type {Document | ShadowRoot} */ (box.getRootNode())
  const focused = place.activeElement
  render(template, box)
  if (focused instanceof HTMLElement && focused !== place.activeElement && box.contains(focused)) focused.focus({ preventScroll: true })
}
