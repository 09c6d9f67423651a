// The network at work on one image, in a dialog over the page. A click opens a layer, and another one the sum behind a value.

import { element } from "./dom.js"
import { Layers } from "./layers.js"
import { pictureOf, Stage } from "./stage.js"
import { t } from "./text.js"

/**
 * @import { Query } from "./client.js"
 * @import { NetworkPicture } from "./documents.js"
 * @import { Inside } from "./layers.js"
 * @import { Picture } from "./stage.js"
 */
/** @typedef {Inside & { picture: NetworkPicture }} Seen what routes of server/routes/drawing.py return, by the last part of their path */
/** @typedef {<Path extends keyof Seen>(path: Path, query: Query) => Promise<Seen[Path] | null>} Ask asks about one network and one image; null where there is no answer, which the page has explained */

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
    /** @type {Ask} */
    this.ask = async () => null
    this.layers = new Layers((path, query) => this.ask(path, query), () => this.whole())
    this.layers.box.hidden = true
    this.box.append(head, picture, this.layers.box, ...more)
    this.look = async () => false // shows another view of the same
    this.stage = new Stage(picture, { open: (column) => this.inside(column), look: () => this.look() })
    this.picture = picture
    this.network = "" // identifies it
    this.box.onclick = (event) => { if (event.target === this.box) this.box.close() } // beside the dialog
    this.box.oncancel = (event) => {
      if (this.picture.hidden) event.preventDefault()
      this.whole()
    }
  }

  /**
   * Open the layers of a column in place of the picture.
   * @param {number} column
   */
  inside(column) {
    const { layers } = /** @type {Picture} */ (this.stage.picture).columns[column]
    if (!layers[1]) return // the input has none
    this.picture.hidden = true
    this.layers.box.hidden = false
    this.layers.back.focus()
    return this.layers.open(this.network, layers)
  }

  /** Show the whole network again. */
  whole() {
    this.layers.forget()
    this.picture.hidden = false
    this.layers.box.hidden = true
  }

  /**
   * @param {string} title
   * @param {string} network identifies it
   * @param {readonly string[]} classes
   * @param {Ask} ask
   * @param {boolean} [again] whether the network may change, so that the picture is refreshed until the dialog is closed
   * @param {number | null} [layer] index of the layer that is looked at
   */
  async open(title, network, classes, ask, again = false, layer = null) {
    const mine = (this.shown = {})
    this.network = network
    this.ask = ask
    this.stage.unfolded = layer
    this.whole()
    const show = async () => {
      const picture = await ask("picture", { view: this.stage.view, unfolded: this.stage.unfolded ?? "" })
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
      if (this.picture.hidden) await this.layers.show(network)
    }
  }

  close() {
    this.shown = null
    this.stage.close()
  }
}
