// The network at work on one image, in a dialog over the page.

import { element } from "./dom.js"
import { pictureOf, Stage } from "./stage.js"
import { t } from "./text.js"

/**
 * @import { NetworkPicture } from "./documents.js"
 * @import { View } from "./stage.js"
 */

const REFRESH_MS = 1500 // while a network trains

export class AtWork {
  /** @param {HTMLElement[]} more what stands beneath the picture */
  constructor(...more) {
    this.box = element("dialog", "at-work")
    this.title = element("h2")
    const close = element("button", "", t("Close"))
    close.type = "button"
    close.onclick = () => this.box.close()
    const head = element("header")
    head.append(this.title, close)
    const picture = element("div", "at-work-picture")
    this.box.append(head, picture, ...more)
    this.look = async () => false // shows another view of the same
    this.stage = new Stage(picture, { look: () => this.look() })
    this.box.onclick = (event) => { if (event.target === this.box) this.box.close() } // beside the dialog
  }

  /**
   * @param {string} title
   * @param {readonly string[]} classes
   * @param {(view: View) => Promise<NetworkPicture | null>} ask for the picture; null where there is none, which the page has explained
   * @param {boolean} [again] whether the network may change, so that the picture is refreshed until the dialog is closed
   * @param {number | null} [layer] index of the layer that is looked at
   */
  async open(title, classes, ask, again = false, layer = null) {
    const mine = (this.shown = {})
    const show = async () => {
      const picture = await ask(this.stage.view)
      if (!picture || this.shown !== mine) return false
      this.title.textContent = title
      if (!this.box.open) this.box.showModal()
      this.stage.show(pictureOf(picture), [...classes])
      return true
    }
    this.look = show
    if (!(await show())) return
    if (layer !== null) this.stage.pointAt(layer)
    await this.stage.flow()
    while (again && this.box.open && this.shown === mine) {
      await new Promise((resolve) => setTimeout(resolve, REFRESH_MS))
      if (!this.box.open || !(await show())) return
    }
  }

  close() {
    this.shown = null
    this.stage.close()
  }
}
