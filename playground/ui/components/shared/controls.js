// The controls that all components share. A module that is imported for its effect: it defines the elements below, which work in html, in templates of lit-html and
// by `element("pick-one")`; controls.css gives them their look. They fire `change` (bubbling) as native fields do, when a learner has changed them, never when a script has.
//
// <pick-one label="Data set">            one of several. In html with <option value="…"> children, which are read once; in a script `options = [{ value, title, group?, disabled? }]`
//   <option value="a">A</option>         and `value`, in either order. A value that no option has shows the first option. `label` names it for screen readers.
// </pick-one>                            lit-html: <pick-one label=${…} .options=${…} .value=${…} @change=${(event) => … event.target.value}></pick-one>
// <slide-bar label="Zoom"                a slider; `value`, `min`, `max`, `step` are numbers, `step="any"` rounds nothing. `input` while it is moved, `change` once at the end.
//   min="1" max="4" step="0.05"          scale="log" for a learning rate: min must be above 0, and the stops are 1, 1.5, 2, 3, 5 and 7 of each power of ten.
//   value="2"></slide-bar>               `text = (value) => "…"` writes the value. While it is dragged, a `value` from a script does not move it.
// <disclosure-box label="Deleted runs">  its children are shown while it is `open`; `toggle` says that this has changed. A rich heading: append to `box.head`, its button.
// <tool-tip text="…">words</tool-tip>    a tip on its children, by pointer, focus and tap. Words become a Tab stop of their own; a control in it keeps its own.
// Colours and sizes: the tokens at the top of controls.css; for canvases and plots `tokens(root)` of tokens.js, or `theme(root)` of plot.js, which has them, too.
// draggable(element, { step, … })        lets a number be dragged, in an <input> or any other element (drag.js).

import { DisclosureBox } from "./disclosure.js"
import { PickOne } from "./pick.js"
import { SlideBar } from "./slider.js"
import { ToolTip } from "./tip.js"

export { draggable } from "./drag.js"

/** @type {Record<string, CustomElementConstructor>} */
const ELEMENTS = { "pick-one": PickOne, "slide-bar": SlideBar, "disclosure-box": DisclosureBox, "tool-tip": ToolTip }

const registry = globalThis.customElements // there is none where Node.js tests a module that imports this one
for (const [name, kind] of Object.entries(ELEMENTS)) if (registry && !registry.get(name)) registry.define(name, kind) // another version of the playground may have defined it on this page
