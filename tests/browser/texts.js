// What people read on a page: every visible text with its place, and those that are cut off. Code, editors and their like are left out.
() => {
  const CODE = "code, pre, kbd, textarea, canvas, script, style, [translate=no], .cm-editor, .material-symbols, [data-testid=stIconMaterial], .modebar *, [data-testid=stFileUploaderDropzone] *"
  const PLACES = ["title", "aria-label", "placeholder", "label", "text"]
  const texts = []
  const cut = []
  const name = (element) => `${element.tagName.toLowerCase()}.${element.getAttribute("class") ?? ""}`
  const read = (element) => {
    for (const place of PLACES) if (element.getAttribute(place)) texts.push([`${name(element)}@${place}`, element.getAttribute(place)])
    const own = [...element.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE).map((node) => node.textContent).join(" ").trim()
    if (!own) return
    texts.push([name(element), own])
    const style = getComputedStyle(element)
    if (["hidden", "clip"].includes(style.overflowX) && element.scrollWidth > element.clientWidth + 1 && element.clientWidth > 8 && !element.closest("[title]")) cut.push([name(element), own])
  }
  const walk = (parent) => {
    for (const element of parent.children) {
      if (!element.checkVisibility() && getComputedStyle(element).display !== "contents") continue // nor is anything in it
      if (element.shadowRoot) walk(element.shadowRoot)
      if (element.matches(CODE)) continue
      if (element.checkVisibility({ visibilityProperty: true }) && element.getClientRects().length > 0) read(element)
      walk(element)
    }
  }
  walk(document)
  return { texts, cut }
}
