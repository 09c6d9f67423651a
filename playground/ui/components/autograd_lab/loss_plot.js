// The loss by one number: the curve, where the number stands, and the tangent there. A drag on it moves the number.

import { element, svg } from "../shared/dom.js"
import { brief } from "../shared/format.js"
import { t } from "../shared/text.js"

/** @typedef {{ places: number[], losses: (number | null)[] }} Curve */
/** @typedef {{ left: number, right: number, top: number, bottom: number }} Frame in pixels */

export class LossPlot {
  /**
   * @param {HTMLElement} box of a fixed size
   * @param {(value: number, done: boolean) => void} onMove
   */
  constructor(box, onMove) {
    this.box = box
    this.picture = svg("svg", { role: "img" })
    this.note = element("div", "note")
    this.held = false
    /** @type {((clientX: number) => number) | undefined} the number at a place of the screen */
    this.value = undefined
    /** @type {(() => void)} */
    this.again = () => {}
    box.append(this.picture, this.note)
    const move = (/** @type {PointerEvent} */ event, /** @type {boolean} */ done) => { if (this.held && this.value) onMove(this.value(event.clientX), done) }
    this.picture.onpointerdown = (event) => { this.held = true; this.picture.setPointerCapture(event.pointerId); move(event, false) }
    this.picture.onpointermove = (event) => move(event, false)
    this.picture.onpointerup = this.picture.onpointercancel = (event) => { move(event, true); this.held = false }
    this.resized = new ResizeObserver(() => this.again())
    this.resized.observe(box)
  }

  /**
   * @param {object} state
   * @param {string} state.title of the number
   * @param {Curve | null} state.line
   * @param {number} state.value
   * @param {boolean} state.settled whether `loss` and `slope` are those of `value`; until then they are read off the curve
   * @param {number | null} state.loss
   * @param {number | null} state.slope
   */
  draw(state) {
    this.again = () => this.draw(state)
    const { title, line, value, settled } = state
    this.picture.setAttribute("aria-label", t("Loss as a function of {cell}", { cell: title }))
    this.value = undefined
    const { clientWidth: width, clientHeight: height } = this.box
    if (!line || !width) return this.picture.replaceChildren() // that of another number, whose axis is another
    this.note.replaceChildren()
    const loss = settled ? state.loss : lossAt(line, value)
    const slope = settled || state.slope === null ? state.slope : slopeAt(line, value)
    const heights = [...line.losses, loss].filter((one) => one !== null)
    if (!heights.length) return this.picture.replaceChildren()
    const [low, high] = [Math.min(...heights), Math.max(...heights)]
    const [first, last] = [Math.min(line.places[0], value), Math.max(line.places.at(-1) ?? 0, value)]
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize)
    const frame = { left: 3.4 * rem, right: width - 0.8 * rem, top: 0.7 * rem, bottom: height - 1.6 * rem }
    const x = (/** @type {number} */ place) => frame.left + ((place - first) / (last - first)) * (frame.right - frame.left)
    const y = (/** @type {number} */ each) => frame.bottom - ((each - low) / (high - low || 1)) * (frame.bottom - frame.top)
    this.value = (clientX) => {
      const across = clientX - this.box.getBoundingClientRect().left
      return first + ((Math.min(frame.right, Math.max(frame.left, across)) - frame.left) / (frame.right - frame.left)) * (last - first)
    }
    const parts = [svg("path", { d: `M${frame.left} ${frame.top}V${frame.bottom}H${frame.right}`, class: "axis" }), svg("path", { d: pathOf(line, x, y), class: "curve" })]
    for (const each of [high, low]) parts.push(svg("text", { x: frame.left - 6, y: y(each) + 4, class: "tick end" }, brief(each)))
    for (const [place, side] of /** @type {const} */ ([[first, "tick"], [last, "tick end"]])) parts.push(svg("text", { x: x(place), y: height - 5, class: side }, brief(place)))
    parts.push(svg("text", { x: (frame.left + frame.right) / 2, y: height - 5, class: "tick name" }, title))
    if (loss !== null) {
      if (slope !== null) parts.push(tangent(x, y, { value, loss }, slope, 4.2 * rem))
      parts.push(svg("path", { d: `M${x(value)} ${y(loss)}V${frame.bottom}`, class: "drop" }), svg("circle", { cx: x(value), cy: y(loss), r: 0.42 * rem, class: "point" }))
    }
    this.picture.replaceChildren(...parts)
  }

  /** Say that the curve is awaited. */
  wait() {
    this.picture.replaceChildren()
    this.note.replaceChildren(element("p", "hint", t("Computing the loss for other values…")))
  }

  /**
   * Say why there is no curve.
   * @param {string} why
   * @param {HTMLElement[]} more what can be done about it
   */
  fail(why, ...more) {
    this.picture.replaceChildren()
    this.note.replaceChildren(element("p", "hint", why), ...more)
  }

  close() {
    this.resized.disconnect()
  }
}

/**
 * @param {Curve} curve
 * @param {(place: number) => number} x
 * @param {(height: number) => number} y
 */
function pathOf({ places, losses }, x, y) {
  let pen = "M"
  return losses.map((height, place) => {
    if (height === null) { pen = "M"; return "" }
    const part = `${pen}${x(places[place]).toFixed(1)} ${y(height).toFixed(1)}`
    pen = "L"
    return part
  }).join("")
}

/**
 * The loss of the curve at a number, between its points by a straight line; null beyond its ends and in its gaps.
 * @param {Curve} curve
 * @param {number} value
 */
export function lossAt({ places, losses }, value) {
  const at = ((value - places[0]) / (places[1] - places[0]))
  const one = Math.min(places.length - 2, Math.max(0, Math.floor(at)))
  const [before, after] = [losses[one], losses[one + 1]]
  return at < 0 || at > places.length - 1 || before == null || after == null ? null : before + (after - before) * (at - one)
}

/**
 * The slope of the curve at a number.
 * @param {Curve} curve
 * @param {number} value
 */
export function slopeAt(curve, value) {
  const apart = curve.places[1] - curve.places[0]
  const [before, after] = [lossAt(curve, value - apart), lossAt(curve, value + apart)]
  return before === null || after === null ? null : (after - before) / (2 * apart)
}

/**
 * A piece of the tangent of one length on the screen, however steep.
 * @param {(place: number) => number} x
 * @param {(height: number) => number} y
 * @param {{ value: number, loss: number }} point
 * @param {number} slope
 * @param {number} length
 */
function tangent(x, y, { value, loss }, slope, length) {
  const unit = 1 / (x(1) - x(0)) // of the number for one pixel
  const tall = y(0) - y(slope * unit) // pixels up for one across
  const reach = length / Math.hypot(1, tall)
  const line = (/** @type {number} */ way) => `${x(value) + way * reach} ${y(loss) - way * reach * tall}`
  return svg("path", { d: `M${line(-1)}L${line(1)}`, class: "tangent" })
}
