// Home: a network that learns, a canvas whose drawing it answers at each moment of its training, and where to go on.

import { request } from "../shared/client.js"
import { button, element, find, svg } from "../shared/dom.js"
import { grouped, percent } from "../shared/format.js"
import { mounting } from "../shared/mounting.js"
import { Paper } from "../shared/paper.js"
import { atRest, pictureOf, Stage } from "../shared/stage.js"
import { draw, html } from "../shared/templates.js"
import { withTerms } from "../shared/term.js"
import { t } from "../shared/text.js"
import { toDigit } from "./digit.js"
import { DIGITS, drawnUntil } from "./digits.js"
import { Network } from "./network.js"
import { Player } from "./player.js"

/**
 * @import { HomeData, Recording } from "./documents.js"
 * @import { Component } from "../shared/mounting.js"
 */

const PEN = 75 // thousandths of the canvas's height
const GHOST_MS = 900 // in which the first digit is drawn
const GHOST_SHARE = 0.1 // of it that is there at once: the network has something to look at
const FRAME_MS = 50 // between two pictures of the network that learns
const PULSES_MS = 2_500 // between two steps of training that are shown
const REFRESH_MS = 700 // between two questions to the server while a run trains

class Home {
  /**
   * @param {HTMLElement | ShadowRoot} root
   * @param {HomeData} data
   */
  constructor(root, data) {
    this.root = find(root, ".home")
    this.data = data
    /** @type {Player | null} */
    this.player = null
    /** @type {Network | null} */
    this.network = null
    /** @type {Uint8Array | null} what is drawn, as the network gets it */
    this.image = null
    /** @type {Promise<void> | undefined} until the recorded training is there */
    this.loading = undefined
    this.example = 0
    this.closed = false
    this.followed = "" // the run of the learner
    this.named = "" // the facts that are shown
    this.asking = this.stale = this.isLive = this.isTakenOver = false
    this.highest = this.shownAt = this.pulsedAt = 0 // loss of the curve; times
    this.still = matchMedia("(prefers-reduced-motion: reduce)")
    this.stage = new Stage(find(this.root, ".picture"))
    this.paper = new Paper(find(this.root, "canvas"), { side: data.side, changed: () => this.drawn(), ended: () => this.ended(), width: () => PEN })
    find(this.root, "canvas").addEventListener("pointerdown", () => this.takeOver(), { capture: true })
    find(this.root, ".clear").onclick = () => { this.takeOver(); this.paper.clear() }
    find(this.root, ".example").onclick = () => { this.takeOver(); this.write(DIGITS[++this.example % DIGITS.length]) }
    this.play = find(this.root, ".play")
    this.play.onclick = () => this.toggle()
    this.main = find(this.root, ".train")
    this.main.onclick = () => (this.data.model ? this.choose("run", this.data.model) : this.train())
    find(this.root, ".latest").onclick = () => this.choose("run", this.data.latest?.run)
  }

  /** @param {Component<HomeData>} component */
  update(component) {
    this.component = component
    this.data = component.data
    this.showCards(component.data)
    this.paper.paint() // the theme may have changed
    this.stage.repaint()
    this.introduce()
    this.loading ??= this.load(this.data.recording)
    if (this.data.model) this.follow(this.data.model)
  }

  /** The page starts a run, which takes a moment. */
  train() {
    this.main.disabled = true
    this.main.textContent = t("Starting…")
    this.choose("train")
  }

  /** Say what is shown until the learner's own network is. */
  introduce() {
    if (this.isLive || !this.player) return
    const { snapshots } = this.player.recording
    find(this.root, ".about").textContent = this.data.model
      ? t("Your own network is on its way. Until then, this is a recording of real PyTorch.")
      : t("A recording of real PyTorch: a tiny network sees {images} handwritten digits.", { images: grouped(snapshots[snapshots.length - 1].images) })
  }

  /**
   * Tell the page what was clicked.
   * @param {"train" | "page" | "run"} what
   * @param {string} [name]
   */
  choose(what, name = "") {
    this.component?.leave("chosen", { what, name, strokes: this.isTakenOver ? this.paper.strokes : [] })
  }

  /**
   * Load the recorded training and play it.
   * @param {string} recording where it is
   */
  async load(recording) {
    const answer = await request(recording)
    if (this.closed) return
    this.tell(answer.error)
    if (answer.error) return this.reveal()
    /** @type {Recording} */
    const made = answer
    this.player = new Player(made)
    this.network = new Network(made)
    this.drawLoss(made.snapshots.map(({ loss }) => loss))
    this.introduce()
    if (this.still.matches) this.player.finish()
    this.showPlay()
    this.write(DIGITS[0])
    this.tick(performance.now())
    this.reveal()
  }

  /** Show the page once there is something in each of its boxes; until then app.css has a sketch of it. */
  reveal() {
    this.root.classList.add("ready")
  }

  /**
   * Draw a digit as a hand does.
   * @param {import("./digits.js").Line[]} lines
   */
  async write(lines) {
    const mine = (this.writing = {})
    const since = performance.now()
    for (let share = this.still.matches ? 1 : GHOST_SHARE; ; ) {
      if (this.writing !== mine || this.closed) return
      this.paper.set(drawnUntil(lines, share).map((points) => ({ width: PEN, points })))
      if (share >= 1) break
      share = Math.min(1, Math.max(GHOST_SHARE, ((await nextFrame()) - since) / GHOST_MS))
    }
    this.ended()
  }

  /** The learner draws: no digit is drawn for them any more. */
  takeOver() {
    this.isTakenOver = true
    if (this.writing) this.paper.set([])
    this.writing = null
  }

  drawn() {
    find(this.root, ".hint").hidden = this.paper.strokes.length > 0
    this.image = this.paper.strokes.length ? toDigit(this.paper.ink(), this.paper.side) : null
    this.show()
  }

  ended() {
    if (this.image) this.stage.pulse("forward")
  }

  /** @param {number} now */
  tick(now) {
    if (this.closed || !this.player) return
    requestAnimationFrame((next) => this.tick(next))
    const elapsed = now - this.shownAt
    if (elapsed < FRAME_MS) return
    this.shownAt = now
    if (!this.player.advance(Math.min(elapsed, 4 * FRAME_MS))) return
    this.show()
    if (this.image && !this.stage.pulsing && now - this.pulsedAt > PULSES_MS) this.pulse(now)
  }

  /**
   * One step of training: forward, and the gradients back.
   * @param {number} now
   */
  async pulse(now) {
    this.pulsedAt = now
    await this.stage.pulse("forward")
    await this.stage.pulse("backward")
  }

  /** Show the network as it is now, with what is drawn. */
  show() {
    if (this.isLive) return this.askServer()
    if (!this.player || !this.network) return
    this.network.load(this.player.current())
    const picture = this.network.run(this.image ?? new Uint8Array(28 * 28))
    this.stage.show(this.image ? picture : atRest(picture), this.player.recording.classes)
    this.showAnswer(this.image ? picture.probabilities : null)
    const { images, loss, accuracy } = this.player.facts
    this.showFacts([[t("digits seen"), grouped(images)], [t("[[test loss|loss]]"), loss.toFixed(2)], [t("[[test accuracy]]"), percent(accuracy)]])
    const share = this.player.position / (this.player.snapshots.length - 1)
    const course = find(this.root, ".course")
    course.style.setProperty("--share", share.toFixed(4))
    course.style.setProperty("--depth", heightOf(loss, this.highest).toFixed(4))
  }

  /**
   * The three most probable classes, which a phone shows under the canvas.
   * @param {number[] | null} probabilities
   */
  showAnswer(probabilities) {
    const { classes } = this.data
    const best = (probabilities ?? []).map((share, index) => ({ share, name: classes[index] })).sort((one, other) => other.share - one.share).slice(0, 3)
    find(this.root, ".digit").textContent = best[0]?.name ?? "?"
    draw(find(this.root, ".best"), best.map(({ share, name }) => html`<li style="--share: ${share.toFixed(3)}"><b>${name}</b><span></span>${percent(share, 0)}</li>`))
  }

  /** @param {[name: string, value: string][]} facts names have their terms in brackets */
  showFacts(facts) {
    const box = find(this.root, ".facts")
    const names = facts.map(([name]) => name)
    if (this.named !== names.join()) box.replaceChildren(...names.map((name) => { const fact = element("span"); fact.append(element("b"), " ", withTerms("span", "", name)); return fact }))
    this.named = names.join()
    facts.forEach(([, value], index) => {
      const number = box.children[index].firstChild
      number.textContent = value
      number.style.minWidth = `${value.length}ch`
    })
  }

  /** @param {number[]} losses */
  drawLoss(losses) {
    const line = find(this.root, ".loss")
    line.setAttribute("viewBox", "0 0 1000 100")
    this.highest = Math.max(...losses)
    const points = losses.map((loss, index) => `${((1000 * index) / (losses.length - 1)).toFixed(1)},${(100 * heightOf(loss, this.highest)).toFixed(1)}`).join(" ")
    line.replaceChildren(svg("polyline", { points }), svg("polyline", { points, class: "done" }))
  }

  toggle() {
    if (!this.player) return
    if (this.still.matches && this.player.elapsed) this.player.elapsed = 0 // it was asked for
    this.player.paused = !this.player.paused
    this.showPlay()
  }

  showPlay() {
    this.play.textContent = this.player?.paused ? t("▶ Play") : t("❚❚ Pause")
  }

  /** @param {HomeData} data */
  showCards({ cards, latest, model }) {
    this.main.disabled = false
    this.main.textContent = model ? t("Open this run") : t("Train it here")
    find(this.root, ".cards").replaceChildren(...cards.map(({ title, text, page }, index) => {
      const card = button("", () => this.choose("page", page))
      card.append(element("i", "", String(index + 1)), element("b", "", title), element("span", "", text))
      return card
    }))
    const open = find(this.root, ".latest")
    open.hidden = !latest
    if (latest) open.textContent = latest.accuracy === null ? t("Continue with “{name}”", { name: latest.name }) : t("Continue with “{name}”, {accuracy}", { name: latest.name, accuracy: percent(latest.accuracy) })
  }

  /**
   * Follow a run of the learner, and show its network as soon as it has one.
   * @param {string} run
   */
  async follow(run) {
    if (this.followed === run) return
    this.followed = run
    await this.loading
    while (!this.closed && this.followed === run) {
      const answer = await request("api/home/run", { query: { run } })
      if (answer.error) return this.tell(answer.error)
      if (answer.has_network && !this.isLive) await this.goLive()
      if (this.isLive) this.showRun(answer)
      if (answer.is_over && this.isLive) return
      await new Promise((resolve) => setTimeout(resolve, REFRESH_MS))
    }
  }

  /** From its first answer on the learner's own network is shown; until then the recorded one learns on. */
  async goLive() {
    if (!this.paper.strokes.length) await this.write(DIGITS[0])
    const picture = await this.ask()
    if (!picture || this.closed) return
    this.isLive = true
    this.player = this.network = null
    this.root.classList.add("live")
    this.stage.show(pictureOf(picture), this.data.classes)
    this.stage.pulse("forward")
  }

  /** @param {import("./documents.js").FollowedRun} run */
  showRun({ name, step, total_steps: total, accuracy, is_over: isOver }) {
    this.showFacts([[t("of {total} [[steps|step]]", { total: grouped(total) }), grouped(step)], [t("[[test accuracy]]"), percent(accuracy)]])
    const about = find(this.root, ".about")
    about.textContent = isOver ? t("Your network: “{name}”. Draw, and see how it reads you.", { name }) : t("Your network “{name}” is learning on this machine right now.", { name })
    find(this.root, ".done-share").style.transform = `scaleX(${total ? step / total : 0})`
    this.show()
  }

  /** @param {string} [fault] for the learner */
  tell(fault = "") {
    find(this.root, ".fault").textContent = fault
  }

  /** One request at a time; the newest drawing follows. */
  async askServer() {
    if (!this.image) return this.showNothing()
    this.stale = true
    if (this.asking) return
    this.asking = true
    while (this.stale && !this.closed && this.image) {
      this.stale = false
      const picture = await this.ask()
      if (!picture) break
      if (!this.image) this.showNothing() // the drawing was cleared meanwhile
      else {
        this.stage.show(pictureOf(picture), this.data.classes)
        this.showAnswer(picture.probabilities)
      }
    }
    this.asking = false
  }

  /** The drawing on its way through the learner's network; null if the server has no answer. */
  async ask() {
    const answer = await request("api/draw/picture", { query: { model: this.data.model ?? "" }, body: this.paper.ink() })
    this.tell(answer.error)
    return answer.error ? null : answer
  }

  showNothing() {
    this.stage.rest()
    this.showAnswer(null)
  }

  close() {
    this.closed = true
    this.stage.close()
    this.paper.close()
  }
}

/**
 * How far beneath the top of its drawing a loss lies, as a share of its height.
 * @param {number} loss
 * @param {number} highest
 */
const heightOf = (loss, highest) => 0.98 - (0.94 * loss) / highest

/** @returns {Promise<number>} */
const nextFrame = () => new Promise((resolve) => requestAnimationFrame(resolve))

/** Makes the page's stage when its data have come. */
class View {
  /** @param {HTMLElement | ShadowRoot} root */
  constructor(root) {
    this.root = root
    /** @type {Home | null} */
    this.home = null
  }

  /** @param {Component<HomeData>} component */
  update(component) {
    this.home ??= new Home(this.root, component.data)
    this.home.update(component)
  }

  close() {
    this.home?.close()
  }
}

export default mounting(View)
