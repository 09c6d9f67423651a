// What the page has beside the modules: Plotly, which a script puts there.

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
