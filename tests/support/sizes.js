// The sizes of the texts that are seen on a page, and the targets that are too small for a thumb.
() => {
  const roots = (root) => [root, ...[...root.querySelectorAll("*")].flatMap((each) => (each.shadowRoot ? roots(each.shadowRoot) : []))]
  const all = roots(document).flatMap((root) => [...root.querySelectorAll("*")])
  const isSeen = (element) => {
    const { width, height } = element.getBoundingClientRect()
    return width > 1 && height > 1 && element.checkVisibility({ opacityProperty: true, visibilityProperty: true })
  }
  const isText = (element) => [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent.trim())
  const name = (element) => `${element.tagName.toLowerCase()}.${element.className.baseVal ?? element.className}: ${(element.getAttribute("aria-label") ?? element.textContent).trim().slice(0, 30)}`
  const sizes = {}
  for (const element of all) {
    if (!isText(element) || !isSeen(element) || ["STYLE", "SCRIPT", "TITLE", "OPTION"].includes(element.tagName)) continue
    const scale = element.ownerSVGElement ? Math.hypot(element.getScreenCTM()?.a ?? 1, element.getScreenCTM()?.b ?? 0) : 1
    const size = Math.round(10 * scale * parseFloat(getComputedStyle(element).fontSize)) / 10
    ;(sizes[size] ??= []).push(name(element))
  }
  const TARGETS = "button, a[href], input:not([type=file]), select, textarea, [role=button], [role=tab], [role=slider], [role=checkbox], [role=option], [role=gridcell], summary, label:has(input)"
  const isExempt = (element) => element.matches(".term-word") || element.closest("[data-testid=stSidebar]") // a word within a text; a drawer that is closed
  const small = all.filter((element) => element.matches(TARGETS) && isSeen(element) && !isExempt(element)).flatMap((element) => {
    const { width, height } = (element.matches("input") && element.closest("label") ? element.closest("label") : element).getBoundingClientRect()
    return width < 43.5 || height < 43.5 ? [`${Math.round(width)}×${Math.round(height)} ${name(element)}`] : []
  })
  return { sizes, small }
}
