// The base of every page with a script: an editor, a run by fetch, its output, and errors with explanations and fixes.
// A page's class extends it with `present(answer, source)`. Streamlit receives each run afterwards.

import { Editor } from "./editor.js"
import { request } from "./server.js"
import { alignment, rich } from "./xray.js"

export class Lab {
  // `root` holds .lab with .editor, .run, .link, .fault and .printed; scripts are sent to `address`.
  constructor(root, address) {
    const find = (name) => root.querySelector(name)
    this.root = find(".lab")
    this.address = address
    this.fault = find(".fault")
    this.printed = find(".printed")
    this.run = this.run.bind(this)
    this.editor = new Editor(find(".editor"), { label: "Script. Ctrl+Enter runs it; Escape and then Tab leaves the editor.", onRun: this.run })
    find(".run").onclick = this.run
    find(".link").onclick = (event) => this.copyLink(event.currentTarget)
    this.complete()
  }

  update({ data, setStateValue }) {
    this.setState = setStateValue
    const first = this.data === undefined
    this.data = data
    if (first) {
      this.done = data.command.id ?? 0
      this.editor.text = data.source
      this.run()
    } else if ((data.command.id ?? 0) > this.done) {
      this.done = data.command.id
      const before = this.editor.text.trimEnd()
      this.editor.text = data.command.kind === "append" && before ? `${before}\n${data.command.text}\n` : data.command.text
      this.run()
    }
    return first
  }

  async complete() {
    const entries = await request(new URL("api/tensors/reference", document.baseURI))
    if (entries.error) return // the editor works without completions
    this.editor.complete(entries.map(({ label, group, signature, summary }) => ({ label, detail: group, info: [signature, summary].filter(Boolean).join("\n") })))
  }

  // One request at a time; a run requested meanwhile follows with the newest script.
  async run() {
    if (this.asking) {
      this.again = true
      return
    }
    this.asking = true
    this.root.classList.add("busy")
    const source = this.editor.text
    const answer = await this.ask(this.body(source))
    this.asking = false
    this.root.classList.remove("busy")
    if (this.again) {
      this.again = false
      return this.run()
    }
    this.failed = typeof answer.error === "string" ? { message: answer.error, explanation: "", fixes: [] } : answer.error
    this.showFault(this.failed, source)
    this.printed.textContent = [answer.output ?? "", ...(answer.warnings ?? []).map((text) => `Warning: ${text}\n`)].join("")
    this.present(answer, source)
    this.setState("ran", this.summary(answer, source))
  }

  // The body of a request for a run; `summary` is what Streamlit receives of it.
  body(source) {
    return { source, device: this.data.device }
  }

  summary(answer, source) {
    return { source }
  }

  ask(body, address = this.address) {
    return request(new URL(address, document.baseURI), { method: "POST", body: JSON.stringify(body) })
  }

  showFault(fault, source) {
    const box = this.fault
    box.replaceChildren()
    this.editor.mark([])
    if (!fault) return
    const unit = (offset) => [...source].slice(0, offset).join("").length // Python counts characters, JavaScript UTF-16 units
    if (fault.end > fault.start && source === this.editor.text) this.editor.mark([{ start: unit(fault.start), end: unit(fault.end), message: fault.message }])
    box.append(rich("p", "message", fault.line ? `Line ${fault.line}: ${fault.message}` : fault.message))
    if (fault.alignment) {
      const { rows, wrong } = fault.alignment
      box.append(alignment(rows.map((row) => row.sizes.map((size, place) => ({ size, wrong: wrong.includes(place) }))), rows.map((row) => row.name)))
    }
    if (fault.explanation) box.append(rich("p", "why", fault.explanation))
    for (const fix of fault.fixes) {
      const button = rich("button", "fix", fix.label)
      button.type = "button"
      button.onclick = () => {
        this.editor.apply({ start: unit(fix.start), end: unit(fix.end), text: fix.text })
        this.run()
      }
      box.append(button)
    }
  }

  async copyLink(button) {
    try {
      await navigator.clipboard.writeText(window.location.href)
      button.textContent = "Copied"
    } catch {
      button.textContent = "Copy it from the address bar"
    }
    button.onblur = button.onpointerleave = () => { button.textContent = "Copy link" }
  }

  close() {
    this.editor.destroy()
  }
}
