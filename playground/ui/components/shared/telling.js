// What components tell Streamlit, in an order that loses nothing.
//
// Streamlit obeys the newest request, whose page and address are those that the browser shows as it is sent. One that is sent while another page or
// another address is on its way brings back the old one, and the click that asked for the new one seems to be lost. So what a component has to tell
// waits then until the page's script has run, and is forgotten with the component.

/** @typedef {{ root: HTMLElement | ShadowRoot, send: () => void, leads: boolean }} Message */

const LINKS = "[data-testid=stTopNavLink], [data-testid=stSidebarNavLink], [data-testid=stLogoLink]" // Streamlit's to its pages
const SCRIPT = "data-test-script-state" // whether it runs, at Streamlit's app

let isLeaving = false
/** @type {Message[]} */
let held = []

/** @param {Message} message `leads` if the page's script may answer it with another page or address */
function tell(message) {
  if (isLeaving) held.push(message)
  else if (message.root.isConnected) {
    isLeaving = message.leads
    message.send()
  }
}

/**
 * The same component, for its view: what the view tells Streamlit takes its turn.
 * @param {import("./mounting.js").Component} component
 * @returns {import("./mounting.js").Component}
 */
export function inTurn(component) {
  const root = component.parentElement
  return {
    ...component,
    setStateValue: (name, value) => tell({ root, send: () => component.setStateValue(name, value), leads: false }),
    setTriggerValue: (name, value) => tell({ root, send: () => component.setTriggerValue(name, value), leads: true }),
  }
}

/** The script has run: send what was held back. */
function arrived() {
  isLeaving = false
  const messages = held
  held = []
  messages.forEach(tell)
}

new MutationObserver(() => { if (document.querySelector(`[${SCRIPT}=notRunning]`)) arrived() }).observe(document, { subtree: true, attributeFilter: [SCRIPT] })
addEventListener("popstate", () => { isLeaving = true }, { capture: true })
addEventListener("click", (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return // then another tab shows the page
  if (event.target instanceof Element && event.target.closest(LINKS)) isLeaving = true
}, { capture: true })
