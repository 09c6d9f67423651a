// Shows how a network classifies every test image. The numbers are fetched once, images and the network at work on one when they are opened.

import { AtWork } from "../shared/at_work.js"
import { address, request } from "../shared/client.js"
import "../shared/controls.js"
import { find, tab } from "../shared/dom.js"
import { grouped, percent } from "../shared/format.js"
import { mounting } from "../shared/mounting.js"
import { Tabs } from "../shared/tabs.js"
import "../shared/term.js"
import { t } from "../shared/text.js"
import { Calibration } from "./calibration.js"
import { Classes } from "./classes.js"
import { Confusion } from "./confusion.js"
import { Reasons } from "./reasons.js"
import { Features } from "./features.js"
import { Images } from "./images.js"

/**
 * @import { Query } from "../shared/client.js"
 * @import { Component } from "../shared/mounting.js"
 * @import { LabData, Summary } from "./documents.js"
 * @import { Ask, Responses, View } from "./types.js"
 */

/** @typedef {"confusion" | "classes" | "images" | "calibration" | "features"} ViewName */

/** @type {[ViewName, string][]} */
const VIEWS = [
  ["confusion", t("Confusion matrix")], ["classes", t("By class")], ["images", t("Images")], ["calibration", t("Calibration")], ["features", t("Features")],
]

class Evaluation {
  /** @param {HTMLElement | ShadowRoot} root */
  constructor(root) {
    /** @type {HTMLElement} */
    this.root = find(root, ".evaluation")
    /** @type {LabData} */
    this.data = { model: "", dataset: "" }
    this.requested = ""
    /** @type {Summary | null} */
    this.evaluation = null
    this.closed = false
    /** @type {Ask} */
    const ask = (path, query) => this.ask(path, query)
    const sheet = () => address("api/evaluation/sheet", { ...this.data })
    this.reasons = new Reasons(ask)
    this.atWork = new AtWork(this.reasons.box)
    this.root.append(this.atWork.box)
    const look = (/** @type {number} */ index, /** @type {string} */ title) => this.lookAt(index, title)
    /** @type {Record<ViewName, View>} */
    this.parts = { confusion: new Confusion(ask, look), classes: new Classes(), images: new Images(ask, look), calibration: new Calibration(), features: new Features(ask, sheet, look) }
    this.tabs = new Tabs(find(this.root, ".evaluation-views"))
    this.tabs.list.append(...VIEWS.map(([name, title]) => tab(name, title, () => this.open(name))))
    /** @type {ViewName} */
    this.view = "confusion"
  }

  /** @param {Component<LabData>} component */
  update({ data }) {
    const requested = `${data.model} ${data.dataset}`
    this.data = data
    if (requested !== this.requested) {
      this.requested = requested
      this.look(requested)
    } else if (this.evaluation) this.open(this.view) // the theme may have changed
  }

  /**
   * @template {keyof Responses} Path
   * @param {Path} path
   * @param {Query} [query]
   * @returns {Promise<Responses[Path] | null>}
   */
  async ask(path, query = {}) {
    const requested = this.requested
    const answer = await request(`api/evaluation${path}`, { query: { ...this.data, ...query } })
    if (requested !== this.requested || this.closed) return null
    return answer.error ? this.say(answer.error) : answer
  }

  /** @param {string} text */
  say(text) {
    find(this.root, ".evaluation-status").textContent = text
    return null
  }

  /** @param {string} requested */
  async look(requested) {
    this.root.setAttribute("aria-busy", "true")
    this.say(t("Evaluating the network on all test images…"))
    const evaluation = await this.ask("")
    if (requested !== this.requested || this.closed) return
    this.root.setAttribute("aria-busy", "false")
    this.root.classList.toggle("evaluated", evaluation !== null) // else what is shown is another network's
    this.evaluation = evaluation
    if (!evaluation) return
    const right = evaluation.confusion.reduce((sum, row, index) => sum + row[index], 0)
    this.fact("accuracy", percent(evaluation.accuracy, 2))
    this.fact("right", t("{right} of {all}", { right: grouped(right), all: grouped(evaluation.images) }))
    this.fact("loss", evaluation.loss.toPrecision(3))
    this.say(evaluation.leakage)
    Object.values(this.parts).forEach((one) => one.take(evaluation))
    this.open(this.view)
  }

  /**
   * @param {string} name
   * @param {string} text
   */
  fact(name, text) {
    find(this.root, `[data-fact="${name}"]`).textContent = text
  }

  /**
   * Open the network at work on a test image, with the evidence in it.
   * @param {number} index
   * @param {string} title
   */
  lookAt(index, title) {
    if (!this.evaluation) return
    const { classes } = this.evaluation
    this.reasons.show(index, classes)
    const { model, dataset } = this.data
    this.atWork.open(title, model, classes, async (path, query) => {
      const answer = await request(`api/draw/${path}`, { query: { model, dataset, test: index, ...query }, body: path === "network" ? undefined : new Uint8Array() })
      return answer.error ? this.say(answer.error) : answer
    })
  }

  /** @param {ViewName} name */
  open(name) {
    this.view = name
    this.tabs.select(name)
    find(this.root, ".evaluation-view").replaceChildren(this.parts[name].box)
    this.parts[name].show()
  }

  close() {
    this.closed = true
    this.atWork.close()
    Object.values(this.parts).forEach((one) => one.close?.())
  }
}

export default mounting(Evaluation)
