// What components tell Streamlit, so that no click is lost.
//
// Streamlit obeys the newest request, whose page and address are those that the browser shows as it is sent. One that is sent while another page or
// another address is on its way brings back the old one. So what a component has to tell then waits, and is forgotten with the component.

/** @typedef {{ root: HTMLElement | ShadowRoot, send: () => void }} Message */

const LINKS = "[data-testid=stTopNavLink], [data-testid=stSidebarNavLink], [data-testid=stLogoLink]" // Streamlit's to its pages
const SCRIPT = "data-test-script-state" // whether it runs, at Streamlit's app
const LONGEST_MS = 2000 // where nothing shows that the page has come: a short run of the script may leave no trace

let isLeaving = false
let timer = 0
/** @type {Message[]} */
let held = []
/** @type {WeakMap<HTMLElement | ShadowRoot, string>} the page of each component, by its path */
const pages = new WeakMap()

function leave() {
  isLeaving = true
  clearTimeout(timer)
  timer = setTimeout(() => arrived(), LONGEST_MS)
}

/**
 * The page has come, or this one stays: send what was held back.
 * @param {boolean} [atRest] whether the script does not run: then every component belongs to the page that is shown
 */
export function arrived(atRest = false) {
  clearTimeout(timer)
  isLeaving = false
  const messages = held
  held = []
  for (const message of messages) {
    if (atRest) pages.set(message.root, location.pathname)
    tell(message)
  }
}

/** @param {Message} message */
function tell(message) {
  const { root, send } = message
  if (isLeaving) held.push(message)
  else if (root.isConnected && pages.get(root) !== location.pathname) held.push(message) // the browser shows the address of another page already
  else if (root.isConnected) send()
}

/**
 * The same component, for its view: what the view tells Streamlit takes its turn.
 * @param {import("./mounting.js").Mounted} component
 * @returns {import("./mounting.js").Component}
 */
export function inTurn(component) {
  const root = component.parentElement
  if (!pages.has(root)) pages.set(root, location.pathname)
  const inform = (/** @type {() => void} */ send) => tell({ root, send })
  return {
    ...component,
    setStateValue: (name, value) => inform(() => component.setStateValue(name, value)),
    setTriggerValue: (name, value) => inform(() => component.setTriggerValue(name, value)),
    leave: (name, value) => inform(() => { component.setTriggerValue(name, value); leave() }),
  }
}

new MutationObserver(() => { if (document.querySelector(`[${SCRIPT}=notRunning]`)) arrived(true) }).observe(document, { subtree: true, attributeFilter: [SCRIPT] })
addEventListener("popstate", leave, { capture: true })
addEventListener("click", (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return // then another tab shows the page
  if (event.target instanceof Element && event.target.closest(LINKS)) leave()
}, { capture: true })
