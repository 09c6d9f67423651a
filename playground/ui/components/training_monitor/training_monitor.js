// A run's live view: asks the server for its curves, around Streamlit's script runs, and draws them in place.

const LIVE_MS = 300 // between two looks at a run that is training
const IDLE_MS = 1500 // … and at one that waits or rests
const STATES = {
  queued: "Waiting", running: "Training", paused: "Paused", finished: "Finished",
  stopped: "Stopped", failed: "Failed", interrupted: "Interrupted",
}
const BUTTONS = {
  queued: ["stop"], running: ["pause", "stop"], paused: ["resume", "step", "stop"],
  stopped: ["resume"], failed: [], interrupted: ["resume"], finished: [],
}
const ENDED = ["finished", "stopped", "failed", "interrupted"]
const monitors = new WeakMap()

let plotly = null
function loadPlotly() {
  plotly ??= new Promise((resolve, reject) => {
    if (window.Plotly) return resolve(window.Plotly)
    const script = document.createElement("script")
    script.src = new URL("plotly/plotly.min.js", document.baseURI)
    script.onload = () => resolve(window.Plotly)
    script.onerror = () => { plotly = null; reject(new Error("Plotly did not load")) }
    document.head.append(script)
  })
  return plotly
}

function rate(value) {
  return value >= 0.0001 ? String(Number(value.toPrecision(2))) : value.toExponential(0)
}

class Monitor {
  constructor(root) {
    this.root = root.querySelector(".monitor")
    this.root.querySelectorAll("[data-command]").forEach((button) => {
      button.onclick = () => this.command(button.dataset.command)
    })
    this.onVisible = () => { if (!document.hidden) this.look() }
    document.addEventListener("visibilitychange", this.onVisible)
  }

  update({ data, setTriggerValue }) {
    this.told = (state) => setTriggerValue("ended", { run: data.run, state })
    this.root.querySelector(".monitor-title").textContent = data.title
    if (this.run !== data.run) {
      this.run = data.run
      this.shown = null
      this.look()
    } else if (this.shown) this.draw(this.shown) // the theme may have changed
  }

  address(path = "") {
    return new URL(`api/runs/${this.run}${path}`, document.baseURI)
  }

  async look() {
    clearTimeout(this.timer)
    if (this.closed) return
    const run = this.run
    try {
      const address = this.address()
      if (this.shown) address.searchParams.set("seen", this.shown.version)
      const response = await fetch(address)
      if (run !== this.run || this.closed) return
      if (response.status === 200) this.show(await response.json())
      else if (response.status !== 204) this.complain((await response.json()).error)
    } catch {
      this.complain("The server does not answer. It is asked again in a moment.")
    }
    if (run !== this.run || this.closed || document.hidden) return // a hidden tab costs nothing
    clearTimeout(this.timer)
    const live = ["running", "queued"].includes(this.shown?.state)
    this.timer = setTimeout(() => this.look(), live ? LIVE_MS : IDLE_MS)
  }

  async command(name, value) {
    try {
      const response = await fetch(this.address("/command"), { method: "POST", body: JSON.stringify({ command: name, value }) })
      if (!response.ok) this.complain((await response.json()).error)
    } catch {
      this.complain("The server does not answer. Is it still running?")
    }
    this.look()
  }

  complain(message) {
    this.root.querySelector(".monitor-message").textContent = message ?? ""
  }

  show(shown) {
    const before = this.shown?.state
    this.shown = shown
    const badge = this.root.querySelector(".monitor-state")
    const place = shown.state === "queued" && shown.queue ? ` · place ${shown.queue}` : ""
    badge.textContent = STATES[shown.state] + place
    badge.dataset.state = shown.state
    this.root.querySelectorAll("[data-command]").forEach((button) => {
      button.hidden = !shown.steerable || !BUTTONS[shown.state].includes(button.dataset.command)
    })
    const share = shown.total_steps ? shown.step / shown.total_steps : 0
    const progress = this.root.querySelector(".monitor-progress")
    progress.setAttribute("aria-valuenow", Math.round(100 * share))
    progress.firstElementChild.style.transform = `scaleX(${share})`
    this.fact("epoch", shown.step ? `${shown.epoch.toFixed(1)} / ${shown.epochs}` : "–")
    this.fact("left", this.timeLeft(shown))
    this.fact("rate", shown.rate ? Math.round(shown.rate).toLocaleString("en") : "–")
    this.fact("learning_rate", shown.learning_rate === null ? "–" : rate(shown.learning_rate))
    this.fact("accuracy", shown.test_accuracy === null ? "–" : `${(100 * shown.test_accuracy).toFixed(1)} %`)
    this.complain(shown.message)
    this.draw(shown)
    if (before && !ENDED.includes(before) && ENDED.includes(shown.state)) this.told(shown.state)
  }

  timeLeft({ state, seconds, seconds_left: left }) {
    const format = (value) => (value < 90 ? `${Math.ceil(value)} s` : `${Math.ceil(value / 60)} min`)
    if (state === "finished") return `took ${format(seconds)}`
    return left === null || !["running", "paused"].includes(state) ? "–" : format(left)
  }

  fact(name, text) {
    this.root.querySelector(`[data-fact="${name}"]`).textContent = text
  }

  async draw(shown) {
    const Plotly = await loadPlotly().catch((error) => this.complain(error.message))
    if (!Plotly || this.closed || this.shown !== shown) return
    for (const [name, percent] of [["loss", false], ["accuracy", true]]) {
      const element = this.root.querySelector(`[data-plot="${name}"]`)
      Plotly.react(element, this.traces(shown, name, percent), this.layout(shown, name, percent), {
        responsive: true, displaylogo: false, modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d", "toImage"],
      })
    }
  }

  traces(shown, name, percent) {
    const [train, test] = this.style("--st-chart-categorical-colors").split(",").map((colour) => colour.trim())
    const curve = shown[`batch_${name}`]
    const format = percent ? "%{y:.1%}" : "%{y:.4f}"
    return [
      { x: curve.raw_x, y: curve.raw_y, mode: "lines", line: { color: train, width: 1 }, opacity: 0.35, hoverinfo: "skip", showlegend: false },
      { x: curve.x, y: curve.y, name: "training", mode: "lines", line: { color: train, width: 2.5 }, hovertemplate: `${format}<extra>training</extra>` },
      { x: shown.test.x, y: shown.test[name], name: "test", mode: "lines+markers", line: { color: test, width: 2.5, dash: "dot" }, marker: { size: 7 }, hovertemplate: `${format}<extra>test</extra>` },
    ]
  }

  layout(shown, name, percent) {
    const grid = this.style("--st-border-color")
    const range = percent ? { range: [0, 1.005], tickformat: ".0%" } : { rangemode: "tozero" }
    const axis = { gridcolor: grid, zerolinecolor: grid, linecolor: grid, automargin: false }
    return {
      uirevision: this.run, // a zoom survives the next refresh
      height: 320, margin: { l: 52, r: 12, t: 34, b: 44 }, hovermode: "x unified",
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: this.style("--st-font"), size: 14, color: this.style("--st-text-color") },
      hoverlabel: { bgcolor: this.style("--st-secondary-background-color"), font: { color: this.style("--st-text-color") } },
      legend: { orientation: "h", x: 1, xanchor: "right", y: 1.02, yanchor: "bottom" },
      xaxis: { ...axis, title: { text: "epoch", font: { size: 14 } }, range: [0, Math.max(shown.epochs, 0.01)] },
      yaxis: { ...axis, ...range },
    }
  }

  style(name) {
    return getComputedStyle(this.root).getPropertyValue(name).trim()
  }

  close() {
    this.closed = true
    clearTimeout(this.timer)
    document.removeEventListener("visibilitychange", this.onVisible)
    if (window.Plotly) this.root.querySelectorAll("[data-plot]").forEach((element) => window.Plotly.purge(element))
  }
}

export default function (component) {
  const root = component.parentElement
  if (!monitors.has(root)) monitors.set(root, new Monitor(root))
  const monitor = monitors.get(root)
  monitor.update(component)
  return () => {
    monitor.close()
    monitors.delete(root)
  }
}
