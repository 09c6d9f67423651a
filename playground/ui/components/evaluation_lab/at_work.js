// The network at work on one test image, in a dialog over the page.

import { element } from "../shared/dom.js"
import { pictureOf, Stage } from "../shared/stage.js"
import { t } from "../shared/text.js"

/** @import { Ask } from "./types.js" */

export class AtWork {
  /** @param {Ask} ask */
  constructor(ask) {
    this.ask = ask
    this.box = element("dialog", "at-work")
    this.title = element("h2")
    const close = element("button", "", t("Close"))
    close.type = "button"
    close.onclick = () => this.box.close()
    const head = element("header")
    head.append(this.title, close)
    const picture = element("div", "at-work-picture")
    this.box.append(head, picture)
    this.stage = new Stage(picture)
    this.box.onclick = (event) => { if (event.target === this.box) this.box.close() } // beside the dialog
  }

  /**
   * @param {number} index of the test image
   * @param {string[]} classes
   * @param {string} title
   */
  async open(index, classes, title) {
    const answer = await this.ask("/picture", { index })
    if (!answer) return
    this.title.textContent = title
    this.box.showModal()
    this.stage.show(pictureOf(answer), classes)
    await this.stage.pulse("forward")
  }

  close() {
    this.stage.close()
  }
}
