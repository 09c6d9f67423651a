// What the page has beside the modules: Plotly, which a script puts there, and the elements that controls.js defines.

/** A plot of Plotly: an element with its own way to listen. */
interface PlotElement extends HTMLElement {
  on(event: string, act: (event: any) => void): void
  removeAllListeners(event: string): void
}

interface Plotly {
  react(plot: HTMLElement, traces: object[], layout: object, config: object): Promise<void>
  purge(plot: HTMLElement): void
}

interface Window {
  Plotly?: Plotly
}

interface HTMLElementTagNameMap {
  "pick-one": import("./pick.js").PickOne
  "slide-bar": import("./slider.js").SlideBar
  "disclosure-box": import("./disclosure.js").DisclosureBox
  "tool-tip": import("./tip.js").ToolTip
  "glossary-term": import("./tip.js").ToolTip
}
