// What components tell Streamlit, so that no click is lost.
//
// Streamlit obeys the newest request, whose page and address are those that the browser shows as it is sent. One that is sent while another page or
// another address is on its way brings back the old one. So what a component has to tell then waits, and is forgotten with the component.
// To which page a component belongs, Python says: it may appear after the browser shows the address of the next one.

/**
 * @typedef {object} Message
 * @property {HTMLElement | ShadowRoot} root
 * @property {string} page whose component it is, as in its address; empty for Home
 * @property {() => void} send
 */

const LINKS = "[data-testid=stTopNavLink], [data-testid=stSidebarNavLink], [data-testid=stLogoLink]" // Streamlit's to its pages
const SCRIPT = "data-test-script-state" // whether it runs, at Streamlit's app
const ADDRESS_MS = 2000 // where nothing shows that another address of the page has come: a short run of the script may leave no trace
const PAGE_MS = 60_000 // where a page does not come at all

let isLeaving = false
let destination = "" // the path of the page that is on its way, if it is known
let addressTimer = 0
let pageTimer = 0
/** @type {Message[]} */
let held = []

/** @param {string} [path] of the page, if it is known */
function leave(path = "") {
  isLeaving = true
  destination = path
  clearTimeout(addressTimer)
  clearTimeout(pageTimer)
  addressTimer = setTimeout(stay, ADDRESS_MS)
  pageTimer = setTimeout(() => { destination = ""; stay() }, PAGE_MS)
}

/** Send what was held back, unless it belongs to another page than that which comes. */
function stay() {
  clearTimeout(addressTimer)
  isLeaving = false
  const messages = held
  held = []
  for (const message of messages) tell(message)
}

/** @param {(path: string) => boolean} isShown whether the page with this path is that which the browser shows now */
function arrived(isShown) {
  if (destination && !isShown(destination)) return
  destination = ""
  clearTimeout(pageTimer)
  stay()
}

/**
 * @param {string} page
 * @param {string} path
 */
const hasPath = (page, path) => !page || path.endsWith(`/${page}`) // where Home lies depends on the server

/** @param {Message} message */
function tell(message) {
  const { root, page, send } = message
  if (isLeaving || !hasPath(page, destination || location.pathname)) held.push(message)
  else if (root.isConnected) send()
}

/**
 * The same component, for its view: what the view tells Streamlit takes its turn.
 * @param {import("./mounting.js").Mounted} component as Streamlit hands it over, which it does when a page has come
 * @returns {import("./mounting.js").Component}
 */
export function inTurn(component) {
  const root = component.parentElement
  const { page, data } = component.data
  arrived((path) => hasPath(page, path))
  const inform = (/** @type {() => void} */ send) => tell({ root, page, send })
  return {
    ...component,
    data,
    setStateValue: (name, value) => inform(() => component.setStateValue(name, value)),
    setTriggerValue: (name, value) => inform(() => component.setTriggerValue(name, value)),
    leave: (name, value) => inform(() => { component.setTriggerValue(name, value); leave() }),
  }
}

new MutationObserver(() => { if (document.querySelector(`[${SCRIPT}=notRunning]`)) arrived((path) => path === location.pathname) })
  .observe(document, { subtree: true, attributeFilter: [SCRIPT] })
addEventListener("popstate", () => leave(location.pathname), { capture: true })
addEventListener("click", (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return // then another tab shows the page
  const link = event.target instanceof Element && event.target.closest(LINKS)
  if (link) leave(link instanceof HTMLAnchorElement ? link.pathname : "") // the logo, which leads to Home, is a button
}, { capture: true })
