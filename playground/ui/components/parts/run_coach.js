// What the coach has seen in a run: a word for each finding, and behind it the evidence, why it matters, and what to try.

import { element } from "./tile.js"

export class Coach {
  // `remedy(finding, index)` starts the run that a finding proposes.
  constructor(remedy) {
    this.remedy = remedy
    this.box = element("section", "monitor-coach")
    this.box.setAttribute("aria-label", "Coach")
    this.open = new Map() // whether a finding is unfolded, by its name, where the learner has said so
  }

  // What was said of another run is no longer true.
  clear() {
    this.key = ""
    this.box.replaceChildren()
  }

  show(run, findings, state) {
    if (this.run !== run) this.open.clear()
    this.run = run
    const key = JSON.stringify([run, findings, state === "running"])
    if (key === this.key) return
    this.key = key
    if (!findings.length) {
      const text = { running: "Coach: nothing wrong so far.", paused: "Coach: nothing wrong so far.", queued: "", interrupted: "" }[state] ?? "Coach: this run looks healthy."
      return this.box.replaceChildren(element("p", "monitor-hint", text))
    }
    this.box.replaceChildren(...findings.map((finding) => this.card(finding)))
  }

  card(finding) {
    const card = element("details", `monitor-finding ${finding.severity}`)
    card.open = this.open.get(finding.name) ?? finding.severity === "problem"
    card.ontoggle = () => this.open.set(finding.name, card.open)
    const summary = element("summary")
    summary.append(element("b", "", finding.title), element("span", "", finding.saw))
    const remedies = element("div", "monitor-tools")
    finding.remedies.forEach((one, index) => {
      const button = element("button", "", one.label)
      button.type = "button"
      button.onclick = () => this.remedy(finding.name, index)
      remedies.append(button)
    })
    card.append(summary, element("p", "", finding.why), element("p", "", finding.advice))
    if (finding.explains.length) card.append(element("p", "", `This also explains: ${finding.explains.join("; ")}.`))
    if (finding.remedies.length) card.append(remedies)
    return card
  }
}
