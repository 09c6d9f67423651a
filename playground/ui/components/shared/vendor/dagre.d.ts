// The types of dagre.js, for tsc.

export { default as dagre } from "@dagrejs/dagre"
