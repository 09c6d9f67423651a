// The visible texts of a page whose contrast with what is behind them is too low, by WCAG 2.2: 4.5, or 3 for large texts and icons. Opacity is counted.
async () => {
  const ENOUGH = 4.5, ENOUGH_LARGE = 3
  const EXEMPT = ":disabled, [aria-disabled=true], [disabled]" // which WCAG exempts
  const pen = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true })
  const known = new Map()

  /** A colour of CSS as red, green, blue and alpha, each from 0 to 1. */
  const parsed = (colour) => {
    if (!known.has(colour)) {
      pen.clearRect(0, 0, 1, 1)
      pen.fillStyle = colour
      pen.fillRect(0, 0, 1, 1)
      known.set(colour, [...pen.getImageData(0, 0, 1, 1).data].map((part) => part / 255))
    }
    return known.get(colour)
  }

  const over = ([r, g, b, a], [R, G, B, A]) => {
    const alpha = a + A * (1 - a)
    return alpha ? [...[[r, R], [g, G], [b, B]].map(([top, under]) => (top * a + under * A * (1 - a)) / alpha), alpha] : [0, 0, 0, 0]
  }
  const faded = ([r, g, b, a], opacity) => [r, g, b, a * opacity]
  const luminance = (colour) => {
    const [r, g, b] = colour.map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const ratio = (one, other) => {
    const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b)
    return (high + 0.05) / (low + 0.05)
  }

  const parentOf = (element) => element.assignedSlot ?? element.parentElement ?? element.getRootNode().host ?? null

  /** Whether the middle of an element is within another one. */
  const surrounds = (outer, inner) => {
    const box = inner.getBoundingClientRect(), around = outer.getBoundingClientRect()
    const x = box.left + box.width / 2, y = box.top + box.height / 2
    return x >= around.left && x <= around.right && y >= around.top && y <= around.bottom
  }

  /** What an element paints behind its content; several colours for a gradient, null for a picture. */
  const grounds = (style) => {
    const base = parsed(style.backgroundColor)
    if (style.backgroundImage === "none") return [base]
    if (style.backgroundImage.includes("url(")) return null
    const stops = style.backgroundImage.match(/(?:rgba?|color|oklch|oklab|hsla?)\([^()]*\)/g) ?? []
    return stops.map((stop) => over(parsed(stop), base))
  }

  /** The shape that lies behind a text of a drawing. */
  const shapeBehind = (element) => {
    const { left, top, width, height } = element.getBoundingClientRect()
    const under = element.getRootNode().elementsFromPoint(left + width / 2, top + height / 2)
    const shape = under.slice(under.indexOf(element) + 1).find((each) => each instanceof SVGGeometryElement && getComputedStyle(each).fill !== "none" && parsed(getComputedStyle(each).fill)[3] > 0)
    if (!shape) return [0, 0, 0, 0]
    const style = getComputedStyle(shape)
    return faded(parsed(style.fill), Number(style.fillOpacity) * Number(style.opacity))
  }

  /** The lowest contrast of a text; null where a picture is behind it, or where it is transparent. */
  const contrast = (element) => {
    const isDrawn = element instanceof SVGElement
    const style = getComputedStyle(element)
    const text = isDrawn ? faded(parsed(style.fill), Number(style.fillOpacity)) : parsed(style.color)
    if (!text[3]) return null
    let layers = [[text, [0, 0, 0, 0]]]
    if (isDrawn) { const shape = shapeBehind(element); layers = [[over(text, shape), shape]] }
    for (let each = element; each; each = parentOf(each)) {
      const its = getComputedStyle(each)
      const isBehind = each === element || surrounds(each, element)
      const behind = each instanceof SVGElement || !isBehind ? [[0, 0, 0, 0]] : grounds(its)
      if (!behind) return null
      layers = layers.flatMap(([one, other]) => behind.map((ground) => [over(one, ground), over(other, ground)].map((colour) => faded(colour, Number(its.opacity)))))
    }
    const paper = getComputedStyle(document.querySelector(".stApp") ?? document.body).colorScheme === "dark" ? [0, 0, 0, 1] : [1, 1, 1, 1]
    return Math.min(...layers.map(([one, other]) => ratio(over(one, paper), over(other, paper))))
  }

  const isLarge = (element, style) => {
    const size = parseFloat(style.fontSize)
    return size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700) || element.matches("[data-testid=stIconMaterial], [aria-hidden=true]")
  }

  const isExempt = (element) => {
    for (let each = element; each; each = parentOf(each)) if (each.matches(EXEMPT) || (each instanceof HTMLLabelElement && each.control?.disabled)) return true
    return false
  }

  const frame = () => new Promise((resolve) => requestAnimationFrame(resolve))

  /** Wait until no colour changes any more. `finished` of an animation is never resolved in a `details` that was closed meanwhile; `playState` is right there, too. */
  const still = async (root) => {
    const isMoving = (each) => each.playState === "running" && each.effect.getComputedTiming().endTime !== Infinity
    while (root.getAnimations({ subtree: true }).some(isMoving)) await frame()
    for (const element of root.querySelectorAll("*")) if (element.shadowRoot) await still(element.shadowRoot)
  }

  const faults = []
  const check = (element) => {
    const own = [...element.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE).map((node) => node.textContent).join(" ").trim()
    if (!own || !element.checkVisibility({ visibilityProperty: true, opacityProperty: true }) || !element.getClientRects().length || isExempt(element)) return
    const style = getComputedStyle(element)
    const { width, height } = element.getBoundingClientRect()
    if (width < 2 || height < 2) return // for screen readers only
    const least = contrast(element)
    if (least !== null && least < (isLarge(element, style) ? ENOUGH_LARGE : ENOUGH) - 0.005) faults.push(`${least.toFixed(2)} ${element.tagName.toLowerCase()}.${element.getAttribute("class") ?? ""}: ${own.slice(0, 50)}`)
  }
  const walk = (parent) => {
    for (const element of parent.children) {
      if (element.matches("script, style, noscript, template")) continue
      check(element)
      if (element.shadowRoot) walk(element.shadowRoot)
      walk(element)
    }
  }
  await frame()
  await frame()
  await still(document)
  walk(document.body)
  return faults
}
