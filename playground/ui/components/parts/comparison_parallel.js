// Parallel coordinates: an axis for each setting that differs, and one for the test accuracy.

import { loadPlotly, theme } from "./plot.js"

const WIDE = 20 // times the smallest value: from there on an axis is logarithmic

export class Parallel {
  constructor(box) {
    this.box = box
    this.plot = box.querySelector(".comparison-axes")
  }

  // `runs`: of each its `run` and `facts`; `columns`: where they differ, with values in the order of `order`.
  async show(runs, columns, order) {
    const known = order.map((run, at) => ({ at, facts: runs.find((each) => each.run === run)?.facts })).filter(({ facts }) => facts && facts.accuracy !== null)
    const look = theme(this.box)
    const says = JSON.stringify([known.map(({ at, facts }) => [at, facts.accuracy]), columns, look])
    if (says === this.says) return
    this.says = says
    const varied = columns.map((column) => axis(column, known.map(({ at }) => at))).filter((made) => made !== null)
    this.box.hidden = known.length < 2 || varied.length === 0
    if (this.box.hidden) return
    const Plotly = await loadPlotly()
    if (!this.plot.isConnected) return
    const values = known.map(({ facts }) => 100 * facts.accuracy)
    const spread = { label: "Test accuracy, %", values, tickformat: ".1f", range: padded(values) }
    await Plotly.react(this.plot, [{
      type: "parcoords", dimensions: [...varied, spread], labelfont: { size: 14 }, tickfont: { size: 14, color: look.text }, rangefont: { size: 1, color: "rgba(0,0,0,0)" },
      line: { color: values, colorscale: look.scale.map((colour, index) => [index / (look.scale.length - 1), colour]), cmin: padded(values)[0], cmax: padded(values)[1] },
      unselected: { line: { color: look.grid, opacity: 0.35 } },
    }], {
      height: 320, margin: { l: 90, r: 70, t: 56, b: 24 }, uirevision: columns.map(({ name }) => name).join(), paper_bgcolor: "rgba(0,0,0,0)",
      font: { family: look.font, size: 14, color: look.text },
    }, { responsive: true, displayModeBar: false })
  }

  close() {
    if (window.Plotly) window.Plotly.purge(this.plot)
  }
}

const padded = (values) => {
  const [low, high] = [Math.min(...values), Math.max(...values)]
  const room = Math.max(0.05 * (high - low), 0.05)
  return [low - room, high + room]
}

// An axis of the values that some runs have; numbers keep their distances, other values stand one above the other. None where all are alike.
function axis({ title, texts, numbers }, places) {
  const found = places.map((place) => texts[place])
  const kinds = [...new Set(found)]
  if (kinds.length < 2) return null
  const values = places.map((place) => numbers[place])
  if (values.some((value) => value === null)) {
    return { label: title, values: found.map((text) => kinds.indexOf(text)), tickvals: kinds.map((_, index) => index), ticktext: kinds.map(shortened), range: padded([0, kinds.length - 1]) }
  }
  const low = Math.min(...values)
  const scaled = low > 0 && Math.max(...values) / low >= WIDE ? values.map(Math.log10) : values
  const ticks = new Map(scaled.map((value, index) => [value, found[index]]))
  return { label: title, values: scaled, tickvals: [...ticks.keys()], ticktext: [...ticks.values()], range: padded(scaled) }
}

const shortened = (text) => (text.length > 18 ? `${text.slice(0, 17)}…` : text)
