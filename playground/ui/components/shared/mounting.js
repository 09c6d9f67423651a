// Keeps one view for each place of a component on a page.

import { followTheme } from "./colour.js"
import { inTurn } from "./telling.js"
import { translate } from "./text.js"

/**
 * What Streamlit hands to a component whenever its page is drawn.
 * @template [Data=any]
 * @typedef {object} FromStreamlit
 * @property {HTMLElement | ShadowRoot} parentElement
 * @property {Data} data
 * @property {(name: string, value: unknown) => void} setStateValue
 * @property {(name: string, value: unknown) => void} setTriggerValue
 */

/** @typedef {FromStreamlit<{ page: string, data: any }>} Mounted with the page of the component, as in its address; empty for Home */

/**
 * The same for a view: `data` is what the Python interface of the component gives, and a trigger that the page answers with another page or
 * another address is called `leave`.
 * @template [Data=any]
 * @typedef {FromStreamlit<Data> & { leave(name: string, value: unknown): void }} Component
 */

/** @typedef {{ update(component: Component): unknown, close?(): void }} View */

/** @type {WeakMap<ParentNode, { view: View, component: Component }>} */
const places = new WeakMap()

/**
 * What a component's view.js exports: Streamlit's page calls it whenever it is drawn. The first call for a place creates the view; each hands
 * it the data through `update(component)`, and so does a change of the theme. The function that is returned is called when a newer call has
 * come, and when the place is gone: then the view ends with `close()`, if it has one.
 * @param {new (root: HTMLElement | ShadowRoot) => View} View
 * @returns {(component: Mounted) => () => void}
 */
export const mounting = (View) => (mounted) => {
  if (!mounted.parentElement.isConnected) return () => {} // its page was left while the module loaded; it would take no colours, and never end
  const component = inTurn(mounted)
  const root = component.parentElement
  /** @type {HTMLElement | null} */
  const controls = root.querySelector(".controls")
  if (controls) followTheme(controls)
  const place = places.get(root) ?? { view: created(View, root, controls), component }
  places.set(root, place)
  place.component = component
  place.view.update(component)
  return () => {
    if (root.isConnected) return
    places.get(root)?.view.close?.()
    places.delete(root)
  }
}

/**
 * @param {new (root: HTMLElement | ShadowRoot) => View} View
 * @param {HTMLElement | ShadowRoot} root
 * @param {HTMLElement | null} controls its element with the class `controls`
 */
function created(View, root, controls) {
  translate(root)
  const view = new View(root)
  if (!controls) return view
  controls.classList.add("mounted")
  controls.addEventListener("transitionrun", ({ target, propertyName }) => {
    const place = places.get(root)
    if (target !== controls || propertyName !== "--theme" || !place) return // controls.css: it changes with the theme only
    followTheme(controls)
    view.update(place.component)
  })
  return view
}
