// What stands around every page beside Streamlit's own navigation: large type for a projector, and on a phone a bar at the bottom.
// The server inserts this module into the page: playground/server/page.py. Its style is in playground/ui/shell/app.css.

import { button, element } from "../shared/dom.js"
import { t } from "../shared/text.js"

const KEPT = "playground-present" // in the browser's tab, so that it outlasts a change of page and a reload
const PARAMETER = "present"
const EDITABLE = "input, textarea, select, [contenteditable=true]"

/** @type {[path: string, title: string][]} the pages that a thumb reaches */
const PAGES = [[".", t("Home")], ["network", t("Network")], ["train", t("Train")], ["draw", t("Draw")]]

const isOn = () => document.documentElement.classList.contains("present")

/** @param {boolean} on */
function present(on) {
  document.documentElement.classList.toggle("present", on)
  sessionStorage.setItem(KEPT, on ? "1" : "")
  switched.setAttribute("aria-pressed", String(on))
  dispatchEvent(new Event("resize")) // what was laid out in pixels is laid out anew
}

/** Follow the address if it says whether large type is wanted, else what was chosen before. */
function wanted() {
  const asked = new URLSearchParams(location.search).get(PARAMETER)
  return asked === null ? Boolean(sessionStorage.getItem(KEPT)) : asked !== "0"
}

/**
 * Go to a page without loading the app again: Streamlit follows the address as for the button Back.
 * @param {MouseEvent} event on a link
 */
function go(event) {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return
  event.preventDefault()
  history.pushState({}, "", /** @type {HTMLAnchorElement} */ (event.currentTarget).href)
  dispatchEvent(new PopStateEvent("popstate"))
}

const switched = button(t("Present"), () => present(!isOn()), { name: "frame-present" })
switched.title = t("Large type for a projector (P)")
const links = PAGES.map(([path, title]) => {
  const link = element("a", "", title)
  link.href = new URL(path, document.baseURI).href
  link.onclick = go
  return link
})
const more = button(t("More"), () => /** @type {HTMLElement | null} */ (document.querySelector("[data-testid=stExpandSidebarButton]"))?.click())
const bar = element("nav", "frame-bar")
bar.setAttribute("aria-label", t("Main pages"))
bar.append(...links, more)
const halo = element("div", "frame-halo")
halo.setAttribute("aria-hidden", "true")
const frame = element("aside", "frame")
frame.setAttribute("aria-label", t("Display"))
frame.append(switched, bar, halo)

/** Dialogs are outside of Streamlit's app element, so they do not inherit its colour scheme. */
const themed = new MutationObserver(() => {
  if (frame.parentElement) document.documentElement.style.colorScheme = getComputedStyle(frame.parentElement).colorScheme
})

/** Stand in Streamlit's app, whose colours it has, and mark the page that is open. */
function settle() {
  const app = document.querySelector(".stApp")
  if (app && frame.parentElement !== app) {
    app.append(frame)
    document.documentElement.style.colorScheme = getComputedStyle(app).colorScheme
    themed.disconnect()
    themed.observe(app, { attributes: true, attributeFilter: ["class"] })
  }
  const path = location.pathname
  if (frame.dataset.path === path) return
  frame.dataset.path = path
  for (const link of links) {
    if (new URL(link.href).pathname === path) link.setAttribute("aria-current", "page")
    else link.removeAttribute("aria-current")
  }
}

present(wanted())
settle()
new MutationObserver(settle).observe(document.body, { childList: true, subtree: true })
addEventListener("click", ({ target }) => { // Streamlit closes its menu of pages only where the browser says that it is a phone's
  if (!(target instanceof Element) || !target.closest("[data-testid=stSidebarNavLink]")) return
  /** @type {HTMLElement | null} */ (document.querySelector("[data-testid=stSidebarCollapseButton] button"))?.click()
})
addEventListener("keydown", (event) => {
  const target = event.composedPath()[0]
  if (event.key.toLowerCase() !== "p" || event.ctrlKey || event.metaKey || event.altKey || (target instanceof Element && target.closest(EDITABLE))) return
  present(!isOn())
})
addEventListener("pointermove", ({ clientX, clientY }) => { if (isOn()) halo.style.transform = `translate(${clientX}px, ${clientY}px)` }, { passive: true })
