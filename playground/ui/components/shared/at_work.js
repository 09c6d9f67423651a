// The network at work on one image, in a dialog over the page.

import { element } from "./dom.js"
import { pictureOf, Stage } from "./stage.js"
import { t } from "./text.js"

/** @import { NetworkPicture } from "./documents.js" */

const REFRESH_MS = 1500 // while a network trains

export class AtWork {
  constructor() {
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
   * @param {string} title
   * @param {readonly string[]} classes
   * @param {() => Promise<NetworkPicture | null>} ask for the picture; null where there is none, which the page has explained
   * @param {boolean} [again] whether the network may change, so that the picture is refreshed until the dialog is closed
   */
  async open(title, classes, ask, again = false) {
    const mine = (this.shown = {})
    for (let first = true; first || (again && this.box.open && this.shown === mine); first = false) {
      const picture = await ask()
      if (!picture || this.shown !== mine) return
      this.title.textContent = title
      if (first && !this.box.open) this.box.showModal()
      this.stage.show(pictureOf(picture), [...classes])
      if (first) await this.stage.pulse("forward")
      if (again) await new Promise((resolve) => setTimeout(resolve, REFRESH_MS))
    }
  }

  close() {
    this.shown = null
    this.stage.close()
  }
}
