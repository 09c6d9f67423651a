// What a network says of every test image. The server is asked once for the numbers, and for images as they are looked at.

const VIEWS = { confusion: "Confusion", classes: "By class", images: "Images", calibration: "Calibration", features: "Features" }

async function load() {
  const [{ Confusion }, { Classes }, { Images }, { Calibration }, { Features }, { element }] = await Promise.all(
    ["evaluation_confusion", "evaluation_classes", "evaluation_images", "evaluation_calibration", "evaluation_features", "tile"].map(part),
  )
  const percent = (value, digits = 1) => `${(100 * value).toFixed(digits)} %`

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
      const asked = `${data.model} ${data.dataset}`
      this.data = data
      if (asked !== this.asked) {
        this.asked = asked
        this.look(asked)
      } else if (this.found) this.open(this.view) // the theme may have changed
    }

    address(path, query) {
      const address = new URL(`api/evaluation${path}`, document.baseURI)
      for (const [name, value] of Object.entries({ ...this.data, ...query })) address.searchParams.set(name, value)
      return address
    }

    async ask(path, query = {}) {
      const asked = this.asked
      const response = await fetch(this.address(path, query)).catch(() => null)
      if (asked !== this.asked || this.closed) return null
      if (!response) return this.tell("The server does not answer. Is it still running?")
      const answer = await response.json()
      return response.ok ? answer : this.tell(answer.error)
    }

    tell(message) {
      this.root.setAttribute("aria-busy", "false")
      this.find(".evaluation-told").textContent = message
      return null
    }

    async look(asked) {
      this.root.setAttribute("aria-busy", "true")
      this.find(".evaluation-told").textContent = "The network is looking at all test images…"
      const found = await this.ask("")
      if (!found || asked !== this.asked) return
      this.found = found
      this.tell("")
      this.find(".evaluation-facts").hidden = this.find(".evaluation-views").hidden = false
      const right = found.confusion.reduce((sum, row, index) => sum + row[index], 0)
      this.fact("accuracy", percent(found.accuracy, 2))
      this.fact("right", `${right.toLocaleString("en")} of ${found.images.toLocaleString("en")}`)
      this.fact("loss", found.loss.toPrecision(3))
      this.fact("f1", found.macro.f1.toFixed(4))
      this.fact("calibration", percent(found.calibration.expected_error, 2))
      this.find(".evaluation-honesty").textContent = found.honesty
      Object.values(this.parts).forEach((one) => one.take(found))
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
