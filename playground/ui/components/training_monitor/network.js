// What can be done with the network of a run: see it at work, draw for it, evaluate it. With its newest checkpoint, or with that of the moment to which the learner went back.

import { AtWork } from "../shared/at_work.js"
import { request } from "../shared/client.js"
import { button } from "../shared/dom.js"
import { grouped } from "../shared/format.js"
import { t } from "../shared/text.js"
import { checkpointAt } from "./fork.js"

/**
 * @import { Ask } from "../shared/at_work.js"
 * @import { LiveRun, MonitorData } from "./documents.js"
 */

const LIVE = ["queued", "running", "paused"]

export class Network {
  /**
   * @param {HTMLElement} box of the two buttons
   * @param {(to: "draw" | "evaluate", step?: number) => void} leave opens another page with the network
   * @param {(message: string) => void} complain
   */
  constructor(box, leave, complain) {
    this.complain = complain
    this.draws = button(t("Draw with it"), () => leave("draw", this.earlier), { name: "monitor-small" })
    this.evaluates = button(t("Evaluate it"), () => leave("evaluate", this.earlier), { name: "monitor-small" })
    box.append(this.draws, this.evaluates)
    this.atWork = new AtWork()
    /** @type {MonitorData | undefined} */
    this.data = undefined
    this.isLearning = this.isReady = false
    /** @type {number | undefined} the step of the checkpoint to which the learner went back */
    this.earlier = undefined
  }

  /**
   * @param {MonitorData} data
   * @param {LiveRun} shown
   * @param {number | null} at the step to which the learner went back
   */
  show(data, { checkpoints, state }, at) {
    this.data = data
    this.isLearning = state === "running"
    this.isReady = checkpoints.length > 0
    this.earlier = at === null ? undefined : checkpointAt(checkpoints, at)
    const waits = LIVE.includes(state) ? t("It works from the first checkpoint on: in a few seconds, or when you press Pause.") : t("The run ended before its first checkpoint, so there are no weights.")
    for (const each of [this.draws, this.evaluates]) Object.assign(each, { disabled: !this.isReady, title: this.isReady ? "" : waits })
    this.draws.hidden = !data.reads_digits
  }

  /**
   * @param {number} index of one of the test images
   * @param {string} name of its class
   */
  showImage(index, name) {
    const { earlier: step } = this
    return this.open(step === undefined ? t("{class}, as the network sees it now", { class: name }) : t("{class}, as the network saw it at step {step}", { class: name, step: grouped(step) }), index)
  }

  /**
   * @param {string} title
   * @param {number | null} layer that is looked at; null for none in particular
   */
  showLayer(title, layer) {
    const { earlier: step } = this
    return this.open(step === undefined ? title : t("{title}, at step {step}", { title, step: grouped(step) }), 0, layer)
  }

  /**
   * @param {string} title
   * @param {number} gallery index of the image
   * @param {number | null} layer
   */
  open(title, gallery, layer = null) {
    const { run, classes } = /** @type {MonitorData} */ (this.data)
    const model = this.earlier === undefined ? run : `${run}@${this.earlier}`
    /** @type {Ask} */
    const ask = async (path, query) => {
      const answer = await request(`api/draw/${path}`, { query: { model, gallery, ...query }, body: path === "network" ? undefined : new Uint8Array() })
      this.complain(answer.error ?? "")
      return answer.error ? null : answer
    }
    return this.atWork.open(title, model, classes, ask, this.isLearning && model === run, layer)
  }

  close() {
    this.atWork.close()
  }
}
