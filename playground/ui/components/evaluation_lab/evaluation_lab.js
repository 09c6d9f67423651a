// Shows how a network classifies every test image. The numbers are fetched once, images when they are opened.

const VIEWS = { confusion: "Confusion matrix", classes: "By class", images: "Images", calibration: "Calibration", features: "Features" }

async function load() {
  const [{ Confusion }, { Classes }, { Images }, { Calibration }, { Features }, { element }, { percent }] = await Promise.all(
    ["evaluation_confusion", "evaluation_classes", "evaluation_images", "evaluation_calibration", "evaluation_features", "tile", "numbers"].map(part),
  )

  return class Evaluation {
    constructor(root) {
      this.root = root.querySelector(".evaluation")
      this.find = (name) => this.root.querySelector(name)
      const ask = (path, query) => this.ask(path, query)
      const address = (path) => this.address(path, {})
      this.parts = { confusion: new Confusion(ask), classes: new Classes(), images: new Images(ask), calibration: new Calibration(), features: new Features(ask, address) }
      this.find(".evaluation-views").append(...Object.entries(VIEWS).map(([name, title]) => {
        const button = element("button", "", title)
        Object.assign(button, { type: "button", role: "tab", onclick: () => this.open(name) })
        button.dataset.view = name
        return button
      }))
      this.view = "confusion"
    }

    update({ data }) {
      const requested = `${data.model} ${data.dataset}`
      this.data = data
      if (requested !== this.requested) {
        this.requested = requested
        this.look(requested)
      } else if (this.evaluation) this.open(this.view) // the theme may have changed
    }

    address(path, query) {
      const address = new URL(`api/evaluation${path}`, document.baseURI)
      for (const [name, value] of Object.entries({ ...this.data, ...query })) address.searchParams.set(name, value)
      return address
    }

    async ask(path, query = {}) {
      const requested = this.requested
      const response = await fetch(this.address(path, query)).catch(() => null)
      if (requested !== this.requested || this.closed) return null
      if (!response) return this.showMessage("The server does not answer. Is it still running?")
      const answer = await response.json()
      return response.ok ? answer : this.showMessage(answer.error)
    }

    showMessage(message) {
      this.root.setAttribute("aria-busy", "false")
      this.find(".evaluation-status").textContent = message
      return null
    }

    async look(requested) {
      this.root.setAttribute("aria-busy", "true")
      this.find(".evaluation-status").textContent = "Evaluating the network on all test images…"
      const evaluation = await this.ask("")
      if (!evaluation || requested !== this.requested) return
      this.evaluation = evaluation
      this.showMessage("")
      this.find(".evaluation-facts").hidden = this.find(".evaluation-views").hidden = false
      const right = evaluation.confusion.reduce((sum, row, index) => sum + row[index], 0)
      this.fact("accuracy", percent(evaluation.accuracy, 2))
      this.fact("right", `${right.toLocaleString("en")} of ${evaluation.images.toLocaleString("en")}`)
      this.fact("loss", evaluation.loss.toPrecision(3))
      this.fact("f1", evaluation.macro.f1.toFixed(4))
      this.fact("calibration", percent(evaluation.calibration.expected_error, 2))
      this.find(".evaluation-honesty").textContent = evaluation.leakage
      Object.values(this.parts).forEach((one) => one.take(evaluation))
      this.open(this.view)
    }

    fact(name, text) {
      this.find(`[data-fact="${name}"]`).textContent = text
    }

    open(name) {
      this.view = name
      this.root.querySelectorAll("[data-view]").forEach((button) => button.setAttribute("aria-selected", button.dataset.view === name))
      this.find(".evaluation-view").replaceChildren(this.parts[name].box)
      this.parts[name].show()
    }

    close() {
      this.closed = true
      Object.values(this.parts).forEach((one) => one.close?.())
    }
  }
}
