// The memory of a tensor: its slots in one row, and beneath them where each variable of the same storage lies.

import { element } from "../shared/dom.js"
import { grouped, shapeText, short } from "../shared/format.js"
import { withTerms } from "../shared/term.js"
import { plural, t } from "../shared/text.js"
import { largest, letters, rem, shade, smallest } from "../shared/tile.js"
import { slotsOf, storedValues } from "./report.js"

/** @import { Report, Tile } from "./documents.js" */

const SLOTS = 200 // that are drawn
const LABEL = 5 // rem, the width of the names

export class Memory {
  /** @param {HTMLElement} box */
  constructor(box) {
    this.box = box
    /** @type {Map<number, HTMLElement[]>} what is drawn of each slot: its number, and where it belongs to variables */
    this.slots = new Map()
    /** @type {number | null} the slot that is lit */
    this.lit = null
  }

  /**
   * @param {Report} report
   * @param {string} chosen the variable
   * @param {Tile} tile its tile
   * @param {((slot: number) => string) | undefined} colour of a slot, where it is not that of its value
   */
  show({ names, tiles }, chosen, tile, colour) {
    const { storage } = names[chosen]
    const sharing = Object.entries(names).flatMap(([name, other]) => (other.kind !== "value" && other.storage === storage ? [{ name, tile: tiles[other.tile] }] : []))
    this.slots = new Map()
    this.lit = null
    const count = Math.min(tile.slots, SLOTS)
    const values = storedValues(sharing.map((other) => other.tile), tile.itemsize)
    const most = largest([tile])
    const room = (this.box.clientWidth / rem() - LABEL) / Math.max(1, count)
    const written = room > letters([...values.values()]) * 0.52 * smallest() + 0.3
    const map = element("div", written ? "map" : "map dense")
    map.style.setProperty("--slots", String(count))
    map.append(element("span", "label", t("slots")))
    for (let slot = 0; slot < count; slot++) {
      const value = values.get(slot)
      const one = this.part(slot, value === undefined ? "slot unused" : "slot")
      one.style.background = value === undefined ? "transparent" : (colour?.(slot) ?? shade(value, most))
      if (written && value !== undefined) one.textContent = short(value)
      map.append(one)
    }
    for (const { name, tile: other } of sharing.length > 1 ? sharing : []) {
      map.append(element("code", name === chosen ? "label chosen" : "label", name))
      const its = new Set(slotsOf(other))
      for (let slot = 0; slot < count; slot++) map.append(this.part(slot, !its.has(slot) ? "gap" : name === chosen ? "lies chosen" : "lies"))
    }
    this.box.replaceChildren(this.head(tile, sharing.length), map)
  }

  /**
   * @param {number} slot
   * @param {string} kind
   */
  part(slot, kind) {
    const one = element("span", kind)
    one.dataset.slot = String(slot)
    this.slots.set(slot, [...(this.slots.get(slot) ?? []), one])
    return one
  }

  /**
   * @param {Tile} tile
   * @param {number} sharing how many variables lie in the storage
   */
  head(tile, sharing) {
    const head = element("header", "head")
    const title = sharing > 1 ? plural("One [[storage]], shared by {n} variable", "One [[storage]], shared by {n} variables", sharing) : t("[[Storage|storage]]")
    const size = { slots: grouped(tile.slots), bytes: tile.itemsize, device: tile.device }
    const layout = { strides: shapeText(tile.strides), offset: tile.offset }
    const facts = plural("{slots} [[slot]] × {bytes} B on {device}", "{slots} [[slots|slot]] × {bytes} B on {device}", tile.slots, size)
    const strides = tile.contiguous
      ? t("[[strides|stride]] {strides} · [[offset|storage offset]] {offset}", layout)
      : t("[[strides|stride]] {strides} · [[offset|storage offset]] {offset} · not [[contiguous]]", layout)
    head.append(withTerms("h2", "", title), withTerms("span", "fact", facts), withTerms("span", "fact", strides))
    if (tile.slots > SLOTS) head.append(element("span", "fact", plural("showing the first {n} slot", "showing the first {n} slots", SLOTS)))
    return head
  }

  clear() {
    this.slots = new Map()
    this.lit = null
    this.box.replaceChildren()
  }

  /** @param {number | null} slot null for none */
  light(slot) {
    for (const one of this.slots.get(this.lit ?? -1) ?? []) one.classList.remove("on")
    this.lit = slot
    for (const one of this.slots.get(slot ?? -1) ?? []) one.classList.add("on")
  }
}
