// Teaching a network one's own handwriting: corrections are kept, a short run learns them, and what it changed is told.

import { bytesOf, paint } from "./bytes.js"
import { element } from "./tile.js"

const POLL_MS = 250
const ENDED = ["finished", "stopped", "failed", "interrupted"]

export class Teach {
  // `ink()` is the drawing; `clear` empties the paper; `taught(before, run)` is called when a network has learnt.
  constructor({ ink, clear, taught }) {
    Object.assign(this, { ink, clear, taught })
    this.box = element("section", "teach")
    this.question = element("p", "ask")
    this.labels = element("div", "labels")
    this.cards = element("div", "pieces")
    this.told = element("p", "status")
    this.told.setAttribute("role", "status")
    this.result = element("div")
    this.go = this.button("Teach the network", () => this.teach())
    this.take = element("a", "", "Download my digits")
    Object.assign(this.take, { href: new URL("api/own/my-digits.zip", document.baseURI).href, download: "my-digits.zip" })
    this.box.append(
      element("p", "note", "Was a drawing read wrongly? Say what it was, draw a few more, then let the network learn them. It goes on from what it knows, with old digits mixed in, as a run of its own. The run keeps your drawings: who gets its file gets them, too."),
      this.question, this.labels, this.cards, this.go, this.told, this.result, this.files(),
    )
  }

  button(text, act) {
    const button = element("button", "go", text)
    Object.assign(button, { type: "button", onclick: act })
    return button
  }

  files() {
    const box = element("p", "files")
    const label = element("label", "choose", "Add digits from a file")
    const input = element("input")
    Object.assign(input, { type: "file", accept: ".zip" })
    input.onchange = async () => {
      if (input.files.length) await this.change("unpack", {}, input.files[0])
      input.value = ""
    }
    label.append(input)
    box.append(this.take, label)
    return box
  }

  prepare(model, classes) {
    Object.assign(this, { model, classes })
    this.labels.replaceChildren(...classes.map((name) => {
      const button = element("button", "", name)
      Object.assign(button, { type: "button", onclick: () => this.keep(name) })
      button.setAttribute("aria-label", `It was a ${name}`)
      return button
    }))
    this.show(null)
  }

  // What is on the paper now, with the network's answers; null for nothing.
  show(piece) {
    this.piece = piece
    this.question.textContent = piece ? `The network says ${piece.answers[0].label}. What is it?` : "Draw a digit, then say here what it is."
    this.labels.querySelectorAll("button").forEach((button) => { button.disabled = !piece })
    if (!this.drawings) {
      this.drawings = []
      this.refresh()
    }
  }

  async refresh() {
    const answer = await this.reach("")
    if (answer) this.list(answer.drawings)
  }

  async reach(path, query = {}, body) {
    const address = new URL(`api/own${path && `/${path}`}`, document.baseURI)
    for (const [name, value] of Object.entries(query)) address.searchParams.set(name, value)
    try {
      const response = await fetch(address, body === undefined ? {} : { method: "POST", body })
      const answer = await response.json()
      if (response.ok) return answer
      this.told.textContent = answer.error
    } catch {
      this.told.textContent = "The server does not answer. Is it still running?"
    }
    return null
  }

  async change(path, query, body) {
    const answer = await this.reach(path, query, body)
    if (answer) this.list(answer.drawings)
    return answer
  }

  async keep(label) {
    if (!(await this.change("keep", { label, said: this.piece.answers[0].label }, this.ink()))) return
    this.told.textContent = `Kept as a ${label}.`
    this.clear()
  }

  list(drawings) {
    this.drawings = drawings
    this.cards.replaceChildren(...drawings.map(({ label, said, image }, index) => {
      const card = element("figure", "card own")
      const remove = element("button", "remove", "×")
      Object.assign(remove, { type: "button", title: "Delete this drawing", onclick: () => this.change("forget", { index }, "") })
      remove.setAttribute("aria-label", `Delete drawing ${index + 1}, a ${label}`)
      card.append(paint(bytesOf(image), 0, [1, 28, 28], 2, { label: `A drawn ${label}` }), element("figcaption", "", said && said !== label ? `${label}, read as ${said}` : label), remove)
      return card
    }))
    this.go.disabled = !drawings.length || Boolean(this.learning)
    this.take.hidden = !drawings.length
  }

  async teach() {
    const before = this.model
    this.learning = true
    this.go.disabled = true
    this.result.replaceChildren()
    this.told.textContent = "The network is learning…"
    const started = await this.reach("teach", { model: before }, "")
    if (started && (await this.ended(started.run))) await this.compare(before, started.run)
    this.learning = false
    this.go.disabled = !this.drawings.length
  }

  // Whether the run has learnt to its end.
  async ended(run) {
    for (;;) {
      const state = await fetch(new URL(`api/runs/${run}`, document.baseURI)).then((response) => response.json()).catch(() => ({}))
      if (state.step) this.told.textContent = `The network is learning: ${Math.round((100 * state.step) / state.total_steps)} %`
      if (ENDED.includes(state.state)) {
        if (state.state !== "finished") this.told.textContent = state.message || "The run did not come to its end."
        return state.state === "finished"
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS))
    }
  }

  async compare(before, run) {
    this.told.textContent = "The network is tried on all test images, as it was and as it is now…"
    const found = await this.reach("taught", { model: before, run })
    if (!found) return
    const percent = (share) => `${(100 * share).toFixed(2)} %`
    const right = (when) => found.drawings.filter((one) => one[when].label === one.label).length
    const lost = found.forgotten.map(({ class: name, lost: count, of }) => `${name} (${count} of ${of.toLocaleString("en")})`)
    const table = element("table", "changed")
    const row = (kind, ...texts) => { const made = element("tr"); made.append(...texts.map((text) => element(kind, "", text))); return made }
    table.append(
      row("th", "", "before", "after"),
      row("td", "Your drawings read rightly", `${right("before")} of ${found.drawings.length}`, `${right("after")} of ${found.drawings.length}`),
      row("td", `${found.dataset}, ${found.images.toLocaleString("en")} test images`, percent(found.accuracy.before), percent(found.accuracy.after)),
    )
    this.result.replaceChildren(table, element("p", "note", lost.length ? `Forgotten most: ${lost.join(", ")}.` : "No class lost anything."))
    this.told.textContent = "It has learnt. Draw the next digit: both networks answer it, the taught one first."
    this.taught(before, run)
  }
}
