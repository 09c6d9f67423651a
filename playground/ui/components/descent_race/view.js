// Optimizers race down a loss surface: their paths on its landscape and their losses grow together, step by step. What a learner changes is computed
// in the browser at once; only the learner's own expression is evaluated by the server.

import "../shared/controls.js"
import { request } from "../shared/client.js"
import { CodeView } from "../shared/code.js"
import { button, element, find, svg } from "../shared/dom.js"
import { brief, grouped } from "../shared/format.js"
import { mounting } from "../shared/mounting.js"
import { OPTIMIZERS, colourOf, drawnShape, optimizerSlot } from "../shared/palette.js"
import { theme } from "../shared/plot.js"
import "../shared/term.js"
import { t } from "../shared/text.js"
import { Curves } from "./curves.js"
import { LOSSES, descend } from "./descent.js"
import { interpolated, lowestOf, paintGround } from "./ground.js"
import { Landscape } from "./landscape.js"
import { scriptOf } from "./source.js"

/**
 * @import { Component } from "../shared/mounting.js"
 * @import { Descent, RaceData, RaceSettings, SurfaceData } from "./documents.js"
 * @import { Pair, Path } from "./descent.js"
 * @import { Area } from "./ground.js"
 */

/**
 * What is drawn of an optimizer: its button with the loss, and its path with a mark at its end.
 * @typedef {object} Racer
 * @property {HTMLButtonElement} item
 * @property {HTMLElement} loss
 * @property {SVGElement} path
 * @property {SVGElement} mark
 * @property {number} slot of its colour
 * @property {Path} [run] none while it does not race
 * @property {string[]} places of the points of its path on the screen, as `x,y`
 */

const ADAM = OPTIMIZERS.indexOf("adam"), MUON = OPTIMIZERS.indexOf("muon")
const SPEED = 30 // steps a second
const SETTLED_MS = 400 // milliseconds without a further change before the address has it
const SHARE = 0.02 // of an axis, that an arrow key moves the start

class Race {
  /** @param {HTMLElement | ShadowRoot} root */
  constructor(root) {
    const part = (/** @type {string} */ name) => find(root, `.${name}`)
    this.root = part("race")
    this.parts = {
      ground: part("ground"), heights: part("heights"), paths: part("paths"), start: part("start-mark"), fault: part("fault"), play: part("play"), scrub: part("scrub"), where: part("where"),
      surface: part("surface"), expression: part("expression"), own: part("own"), field: part("own input"), rate: part("rate"), rateValue: part("rate-value"),
      momentum: part("momentum"), momentumValue: part("momentum-value"), racers: part("racers"), count: part("count"), code: part("code"), map: part("map"), turned: part("turned"), hint: part("hint"),
    }
    this.curves = new Curves(part("curves"))
    this.landscape = new Landscape(part("landscape"))
    this.script = new CodeView(part("script"), { label: t("The PyTorch code") })
    /** @type {RaceData | undefined} */
    this.data = undefined
    /** @type {RaceSettings} */
    this.settings = { surface: "", expression: "", rate: 0.1, momentum: 0.9, start: [0, 0], steps: 1, optimizers: [], view: "map" }
    /** @type {Component["setStateValue"]} */
    this.setState = () => {}
    /** @type {Map<string, Racer>} */
    this.racers = new Map()
    /** @type {Path[]} */
    this.paths = []
    /** @type {Area | null} none until the server has evaluated the learner's expression */
    this.area = null
    this.lowest = 0
    this.zoom = 1 // of texts, where the page's are larger
    this.page = "" // the colour of the page, by which another theme is noticed
    /** @type {{ loss?: Area["loss"], size?: string }} what the map shows */
    this.painted = {}
    this.at = 0 // steps that are shown
    this.asked = {} // marks the newest request
    this.since = 0 // when it began to play, in milliseconds
    /** @type {number | undefined} */
    this.frame = undefined
    /** @type {number | undefined} */
    this.telling = undefined
    this.listen(root)
    this.resized = new ResizeObserver(() => this.paint())
    this.resized.observe(this.parts.ground)
    this.resized.observe(part("curves"))
  }

  /** @param {HTMLElement | ShadowRoot} root */
  listen(root) {
    const { parts } = this
    const act = (/** @type {string} */ name, /** @type {() => void} */ then) => { find(root, `.${name}`).onclick = then }
    act("first", () => this.goto(0))
    act("back", () => this.goto(this.at - 1))
    act("next", () => this.goto(this.at + 1))
    act("last", () => this.goto(this.steps))
    act("play", () => (this.frame === undefined ? this.play() : this.pause()))
    parts.scrub.oninput = () => this.goto(parts.scrub.value)
    parts.surface.onchange = () => this.choose(this.fitted(parts.surface.value), true)
    parts.field.onchange = () => this.choose({ expression: parts.field.value }, true)
    parts.rate.text = (/** @type {number} */ value) => String(value)
    parts.rate.oninput = () => this.choose({ rate: parts.rate.value }, false)
    parts.momentum.oninput = () => this.choose({ momentum: parts.momentum.value }, false)
    parts.count.onchange = () => this.choose({ steps: Number(parts.count.value) }, true)
    parts.map.onclick = () => this.turn("map")
    parts.turned.onclick = () => this.turn("surface")
    parts.rate.onchange = parts.momentum.onchange = () => this.choose({}, true)
    parts.code.addEventListener("toggle", () => this.write())
    let held = false
    const move = (/** @type {PointerEvent} */ event, /** @type {boolean} */ done) => { if (held) this.choose({ start: this.placeOf(event) }, done) }
    parts.ground.onpointerdown = (/** @type {PointerEvent} */ event) => {
      if (this.settings.view !== "map" || (event.target instanceof Element && event.target.closest(".fault, .segments"))) return
      held = true
      parts.ground.setPointerCapture(event.pointerId)
      move(event, false)
    }
    parts.ground.onpointermove = (/** @type {PointerEvent} */ event) => move(event, false)
    parts.ground.onpointerup = parts.ground.onpointercancel = (/** @type {PointerEvent} */ event) => { move(event, true); held = false }
    parts.start.onkeydown = (/** @type {KeyboardEvent} */ event) => {
      const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key]
      if (!way) return
      event.preventDefault()
      const { x, y } = this.surface
      const [across, up] = this.settings.start
      this.choose({ start: this.within([across + way[0] * SHARE * (x[1] - x[0]), up + way[1] * SHARE * (y[1] - y[0])]) }, true)
    }
  }

  /** @param {Component<RaceData>} component */
  update({ data, setStateValue }) {
    this.setState = setStateValue
    const before = this.data
    this.data = data
    if (before?.version === data.version) return theme(this.root).page === this.page ? undefined : this.paint() // in another theme
    this.settings = data.settings
    if (!before) this.build(data)
    this.show()
    this.compute(true)
  }

  /** @param {RaceData} data */
  build({ surfaces, optimizers }) {
    this.parts.surface.options = surfaces.map(({ name, title }) => ({ value: name, title }))
    for (const name of optimizers) {
      const slot = optimizerSlot(name) ?? 0
      const item = button("", () => this.toggle(name), { name: "racer" })
      const sample = svg("svg", { viewBox: "0 0 28 16", "aria-hidden": "true" })
      sample.innerHTML = drawnShape(slot)
      const loss = element("span", "loss")
      item.append(sample, Object.assign(element("span", "", name), { translate: false }), loss)
      const line = element("li")
      line.append(item)
      this.parts.racers.append(line)
      const mark = svg("g", { class: "mark" })
      mark.innerHTML = drawnShape(slot)
      this.racers.set(name, { item, loss, path: svg("polyline"), mark, slot, places: [] })
    }
  }

  /** @returns {SurfaceData} */
  get surface() {
    const { surfaces } = /** @type {RaceData} */ (this.data)
    const chosen = surfaces.find(({ name }) => name === this.settings.surface) ?? surfaces[0]
    return chosen.name in LOSSES ? chosen : { ...chosen, expression: this.settings.expression }
  }

  /** The steps of the longest path. */
  get steps() {
    return Math.max(1, ...this.paths.map(({ points }) => points.length - 1))
  }

  /**
   * The settings with which a surface begins.
   * @param {string} name
   * @returns {Partial<RaceSettings>}
   */
  fitted(name) {
    const surface = this.data?.surfaces.find((each) => each.name === name)
    return surface ? { surface: name, rate: surface.learning_rate, start: surface.start, steps: surface.usual_steps } : {}
  }

  /**
   * Change settings. While something is dragged, whole paths are shown; when it is let go of, the race begins again.
   * @param {Partial<RaceSettings>} change
   * @param {boolean} done
   */
  choose(change, done) {
    this.settings = { ...this.settings, ...change }
    this.show()
    this.compute(done)
    if (done) this.tell()
  }

  /**
   * Look at the surface from above, or in three dimensions.
   * @param {RaceSettings["view"]} view
   */
  turn(view) {
    this.settings = { ...this.settings, view }
    this.show()
    this.paint()
    this.tell()
  }

  /** Let the address have the settings, once they have not changed for a while. */
  tell() {
    clearTimeout(this.telling)
    this.telling = setTimeout(() => this.setState("settings", this.settings), SETTLED_MS)
  }

  /** @param {string} name */
  toggle(name) {
    const { optimizers } = this.settings
    const all = this.data?.optimizers ?? []
    this.choose({ optimizers: all.filter((each) => (each === name) !== optimizers.includes(each)) }, true)
  }

  /** Show the settings. */
  show() {
    const { parts, settings, surface } = this
    const isOwn = !(surface.name in LOSSES)
    parts.surface.value = surface.name
    parts.expression.hidden = isOwn
    parts.own.hidden = !isOwn
    parts.expression.textContent = `loss = ${surface.expression}`
    if (parts.field !== parts.field.getRootNode().activeElement) parts.field.value = settings.expression
    parts.rate.value = settings.rate
    parts.rateValue.textContent = String(settings.rate)
    parts.momentum.value = settings.momentum
    parts.momentumValue.textContent = settings.momentum.toFixed(2)
    parts.count.options = surface.steps.map((count) => ({ value: String(count), title: grouped(count) }))
    parts.count.value = settings.steps
    const isMap = settings.view === "map"
    this.root.classList.toggle("turns", !isMap)
    parts.map.setAttribute("aria-pressed", String(isMap))
    parts.turned.setAttribute("aria-pressed", String(!isMap))
    parts.hint.textContent = isMap ? t("Drag the circle: the race starts there.") : t("Drag the surface to turn it.")
    const [x, y] = settings.start
    const label = t("The start, at x = {x} and y = {y}. The arrow keys move it.", { x: brief(x), y: brief(y) })
    parts.start.title = label
    parts.start.setAttribute("aria-label", label)
    for (const [name, { item }] of this.racers) item.setAttribute("aria-pressed", String(settings.optimizers.includes(name)))
    this.write()
  }

  /** Write the script, if it can be seen. */
  write() {
    if (this.parts.code.hasAttribute("open")) this.script.show(scriptOf(this.settings, this.surface))
  }

  /** @param {boolean} done whether the race begins again */
  compute(done) {
    const { surface, settings } = this
    const loss = LOSSES[surface.name]
    if (!loss) return done ? this.request() : this.paint()
    this.asked = {}
    this.fail("")
    this.take({ x: surface.x, y: surface.y, loss: loss.loss }, settings.optimizers.map((name) => descend(loss, name, settings.start, settings.rate, settings.momentum, settings.steps)), done)
  }

  /** Let the server evaluate the learner's expression. */
  async request() {
    const asked = (this.asked = {})
    const { expression, start, rate, momentum, steps, optimizers } = this.settings
    this.pause()
    this.fail("")
    this.parts.ground.classList.add("busy")
    /** @type {Partial<Descent> & { error?: string }} */
    const answer = await request("api/autograd/descend", { body: { expression, start, learning_rate: rate, momentum, steps, optimizers } })
    if (asked !== this.asked) return
    this.parts.ground.classList.remove("busy")
    if (answer.error) return this.fail(answer.error)
    const { x = [], y = [], z = [], paths = [] } = answer
    this.take({ x: [x[0], x[x.length - 1]], y: [y[0], y[y.length - 1]], loss: interpolated({ x, y, z }) }, paths, true)
  }

  /** @param {string} why empty for no fault */
  fail(why) {
    this.parts.ground.classList.remove("busy")
    this.parts.fault.replaceChildren(...(why ? [element("p", "", why), button(t("Try again"), () => this.request())] : []))
  }

  /**
   * @param {Area} area
   * @param {Path[]} paths
   * @param {boolean} done
   */
  take(area, paths, done) {
    if (this.area?.loss !== area.loss) this.lowest = lowestOf(area)
    this.area = area
    this.paths = paths
    this.parts.scrub.max = this.steps
    this.paint()
    if (!done || matchMedia("(prefers-reduced-motion: reduce)").matches) this.goto(this.steps)
    else this.play(0)
  }

  /** @param {number} [from] */
  play(from = this.at >= this.steps ? 0 : this.at) {
    this.goto(from)
    this.since = performance.now() - (1000 * from) / SPEED
    const next = (/** @type {number} */ now) => {
      const step = Math.floor((Math.max(0, now - this.since) * SPEED) / 1000)
      if (step !== this.at) this.reach(step)
      this.frame = this.at < this.steps ? requestAnimationFrame(next) : undefined
      this.label()
    }
    this.frame = requestAnimationFrame(next)
    this.label()
  }

  pause() {
    if (this.frame !== undefined) cancelAnimationFrame(this.frame)
    this.frame = undefined
    this.label()
  }

  label() {
    const text = this.frame === undefined ? t("▶ Play") : t("❚❚ Pause")
    if (this.parts.play.textContent !== text) this.parts.play.textContent = text
  }

  /** @param {number} step */
  goto(step) {
    this.pause()
    this.reach(step)
  }

  /**
   * Show the race after so many steps.
   * @param {number} step
   */
  reach(step) {
    this.at = Math.max(0, Math.min(this.steps, step))
    this.parts.scrub.value = this.at
    this.parts.where.textContent = t("step {at} of {count}", { at: this.at, count: this.steps })
    this.draw()
  }

  /** Draw what does not change from step to step: the surface, the curves, colours and axes. */
  paint() {
    const { area, parts } = this
    if (!area || !parts.ground.clientWidth) return
    const look = theme(this.root)
    this.zoom = look.zoom
    this.page = look.page
    const { clientWidth: width, clientHeight: height } = parts.ground
    const colourAt = (/** @type {number} */ slot) => {
      const own = colourOf(look, slot)
      return slot !== ADAM && own === colourOf(look, ADAM) ? colourOf(look, MUON) : own // there are more optimizers than colours, but Muon does not race
    }
    for (const { item, path, mark, slot } of this.racers.values()) {
      const colour = colourAt(slot)
      path.style.stroke = colour
      for (const shape of [mark, /** @type {SVGElement} */ (item.firstElementChild)]) shape.style.fill = colour
    }
    parts.paths.replaceChildren(...this.ticks(area, width, height), ...[...this.racers.values()].flatMap(({ path, mark }) => [path, mark]))
    const colours = this.paths.map(({ optimizer }) => colourAt(this.racers.get(optimizer)?.slot ?? 0))
    this.curves.show(this.paths, colours, this.lowest, this.steps, look)
    if (this.settings.view === "surface") this.landscape.show(area, this.lowest, this.paths, colours, look)
    else {
      const size = [width, height, look.page].join()
      if (this.painted.loss !== area.loss || this.painted.size !== size) paintGround(parts.heights, area, this.lowest)
      this.painted = { loss: area.loss, size }
    }
    this.locate()
  }

  /**
   * The limits of both axes.
   * @param {Area} area
   * @param {number} width
   * @param {number} height
   */
  ticks({ x, y }, width, height) {
    const { zoom } = this
    return [
      tick(10 * zoom, height - 9 * zoom, "", `x = ${brief(x[0])}`), tick(width - 10 * zoom, height - 9 * zoom, "end", `x = ${brief(x[1])}`),
      tick(10 * zoom, height - 28 * zoom, "", `y = ${brief(y[0])}`), tick(10 * zoom, 21 * zoom, "", `y = ${brief(y[1])}`),
    ]
  }

  /** Find the places of all points on the screen. */
  locate() {
    const { area, parts } = this
    if (!area) return
    const { clientWidth: width, clientHeight: height } = parts.ground
    const across = (/** @type {number} */ x) => ((x - area.x[0]) / (area.x[1] - area.x[0])) * width
    const down = (/** @type {number} */ y) => height - ((y - area.y[0]) / (area.y[1] - area.y[0])) * height
    const written = (/** @type {number} */ x, /** @type {number} */ y) => `${x.toFixed(1)},${y.toFixed(1)}`
    const shown = new Map(this.paths.map((path) => [path.optimizer, path]))
    for (const [name, racer] of this.racers) {
      racer.run = shown.get(name)
      racer.places = racer.run?.points.map(([x, y]) => written(across(x), down(y))) ?? []
    }
    const [x, y] = this.settings.start
    parts.start.style.transform = `translate(${across(x)}px, ${down(y)}px)`
    this.draw()
  }

  /** Draw paths, marks and losses up to the step that is reached. */
  draw() {
    this.curves.reach(this.at / this.steps)
    if (this.settings.view === "surface") this.landscape.reach(this.at)
    const scale = 1.5 * this.zoom
    for (const [name, { run, places, item, loss, path, mark }] of this.racers) {
      const last = run?.points.slice(0, this.at + 1).at(-1)
      const isLost = Boolean(run?.diverged && this.at >= run.points.length)
      path.setAttribute("points", places.slice(0, this.at + 1).join(" "))
      mark.style.display = last ? "" : "none"
      const [x, y] = places.slice(0, this.at + 1).at(-1)?.split(",").map(Number) ?? []
      if (last) mark.setAttribute("transform", `translate(${x - 14 * scale} ${y - 8 * scale}) scale(${scale})`)
      loss.textContent = isLost ? t("✕ diverged") : last ? brief(last[2]) : ""
      loss.classList.toggle("diverged", isLost)
      item.title = isLost ? t("{optimizer} diverged after {n} steps: the loss grew without bound. Try a smaller learning rate.", { optimizer: name, n: run?.points.length }) : ""
    }
  }

  /**
   * The point of the surface under the pointer.
   * @param {PointerEvent} event
   */
  placeOf({ clientX, clientY }) {
    const { left, top, width, height } = this.parts.ground.getBoundingClientRect()
    const { x, y } = this.surface
    return this.within([x[0] + ((clientX - left) / width) * (x[1] - x[0]), y[1] - ((clientY - top) / height) * (y[1] - y[0])])
  }

  /**
   * @param {Pair} place
   * @returns {Pair}
   */
  within([across, up]) {
    const { x, y } = this.surface
    const held = (/** @type {number} */ value, /** @type {Pair} */ [low, high]) => Number(Math.min(high, Math.max(low, value)).toFixed(2))
    return [held(across, x), held(up, y)]
  }

  close() {
    this.pause()
    clearTimeout(this.telling)
    this.curves.close()
    this.resized.disconnect()
    this.script.destroy()
  }
}

/**
 * @param {number} x
 * @param {number} y
 * @param {string} side where the text is held: empty for its beginning, or "end"
 * @param {string} content
 */
const tick = (x, y, side, content) => svg("text", { x, y, class: `tick ${side}` }, content)

export default mounting(Race)
