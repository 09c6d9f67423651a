// Keeps one view for each place of a component on a page.

import { followTheme } from "./colour.js"
import { translate } from "./text.js"

/**
 * What Streamlit hands to a component whenever its page is drawn.
 * @template [Data=any]
 * @typedef {object} Component
 * @property {HTMLElement | ShadowRoot} parentElement
 * @property {Data} data what the Python interface of the component gives
 * @property {(name: string, value: unknown) => void} setStateValue
 * @property {(name: string, value: unknown) => void} setTriggerValue
 */

/** @typedef {{ update(component: Component): unknown, close?(): void }} View */

/** @type {WeakMap<ParentNode, View>} */
const views = new WeakMap()

/**
 * What a component's view.js exports: Streamlit's page calls it whenever it is drawn. The first call for a place creates the view; each hands
 * it the data through `update(component)`. The function that is returned is called when a newer call has come, and when the place is gone:
 * then the view ends with `close()`, if it has one.
 * @param {new (root: HTMLElement | ShadowRoot) => View} View
 * @returns {(component: Component) => () => void}
 */
export const mounting = (View) => (component) => {
  const root = component.parentElement
  const controls = root.querySelector(".controls")
  if (controls) followTheme(controls)
  let view = views.get(root)
  if (!view) {
    translate(root)
    view = new View(root)
    views.set(root, view)
    controls?.classList.add("mounted")
  }
  view.update(component)
  return () => {
    if (root.isConnected) return
    views.get(root)?.close?.()
    views.delete(root)
  }
}
