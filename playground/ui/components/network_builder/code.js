// The code of the network, which follows every change, and how the network differs from the preset that it was made of.

import { CodeView } from "../shared/code.js"
import { find } from "../shared/dom.js"
import { draw, html, nothing } from "../shared/templates.js"
import { t } from "../shared/text.js"
import { saveText } from "../shared/files.js"

/** @import { Builder } from "./view.js" */

export class CodePanel {
  /**
   * @param {HTMLElement} box
   * @param {Builder} builder
   */
  constructor(box, builder) {
    this.box = box
    this.builder = builder
    /** @type {"module" | "sequential" | "changes"} what is shown */
    this.view = "module"
    this.copied = ""
    /** @type {CodeView | null} */
    this.editor = null
  }

  draw() {
    const { fitting, stack } = this.builder
    const code = this.view === "changes" ? undefined : fitting?.[this.view]
    const views = [{ value: "module", title: t("Code as a class") }, { value: "sequential", title: t("Code as nn.Sequential") }, { value: "changes", title: t("Changes to the preset") }]
    const isOld = this.view !== "changes" && !code && this.editor !== null
    draw(this.box, html`
      <header>
        <pick-one class="style" label=${t("What is shown of the network")} .options=${views} .value=${this.view} @change=${(/** @type {any} */ { target }) => { this.view = target.value; this.draw() }}></pick-one>
        <span class="gap"></span>
        <button type="button" class="copy-code" ?disabled=${!code} @click=${() => this.copy(code ?? "")} @blur=${() => this.say("")}>${this.copied || t("Copy")}</button>
        <button type="button" class="save-code" ?disabled=${!code} @click=${() => saveText(code ?? "", `${stack.state.name.replaceAll("-", "_")}.py`)}>${t("Download")}</button>
      </header>
      ${this.view === "changes" ? this.changes() : code ? nothing : html`<p class=${`help${isOld ? " old" : ""}`}>${isOld ? t("This is still the code of the last network that fitted.") : t("The code appears as soon as every layer fits.")}</p>`}
      <div class="text" ?hidden=${!code && !isOld}></div>`)
    if (code === undefined) return
    this.editor ??= new CodeView(find(this.box, ".text"), { label: t("Code of the network") })
    this.editor.show(code)
  }

  changes() {
    const { stack, data, fitting } = this.builder
    const from = data.presets.find(({ name }) => name === stack.state.name)
    if (!from || !fitting?.compared) return html`<p class="help">${t("Open a preset and change it to see the differences here.")}</p>`
    const network = from.title || from.name
    if (!fitting.compared.length) return html`<p class="help">${t("There is no difference from {network}.", { network })}</p>`
    return html`<p>${t("Compared with {network}:", { network })}</p><ul class="differences">${fitting.compared.map(({ text }) => html`<li>${text}</li>`)}</ul>`
  }

  /** @param {string} text */
  async copy(text) {
    try {
      await navigator.clipboard.writeText(text)
      this.say(t("Copied"))
    } catch {
      this.say(t("The browser did not allow it"))
    }
  }

  /** @param {string} text on the button that copies */
  say(text) {
    this.copied = text
    this.draw()
  }

  close() {
    this.editor?.destroy()
  }
}
