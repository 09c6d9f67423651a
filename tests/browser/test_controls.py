"""The elements of shared/controls.js in a browser, in the component of a page."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from ..support.controls import pick
from .conftest import KeptPage

GALLERY = """async (root) => {
    const address = performance.getEntriesByType("resource").map(({ name }) => name).find((name) => name.endsWith("/shared/dom.js"))
    const { draggable } = await import(address.replace("dom.js", "controls.js"))
    const box = Object.assign(document.createElement("div"), { className: "gallery" })
    Object.assign(box.style, { position: "fixed", inset: "4rem 0 auto", height: "200px", overflow: "hidden", zIndex: 9, background: "Canvas" })
    box.innerHTML = `
        <pick-one label="Axis">
            <option value="e">by epoch</option><option value="s" selected>by step</option><option value="t" disabled>by second</option>
        </pick-one>
        <slide-bar label="Zoom" min="0" max="1" step="0.1" value="0.5"></slide-bar>
        <slide-bar label="Rate" scale="log" min="0.00001" max="1" value="0.003"></slide-bar>
        <disclosure-box label="More"><p class="inside">inside</p></disclosure-box>
        <tool-tip text="The share that each step keeps.">momentum</tool-tip>
        <input class="number" type="number" value="1.5" aria-label="Number">
        <pick-one class="low" label="Layer" style="position: fixed; bottom: 4px; right: 4px"></pick-one>`
    root.append(box)
    const group = { Linear: "Weights", Conv2d: "Weights", ReLU: "Activations" }
    box.querySelector(".low").options = Object.keys(group).map((title) => ({ value: title, title, group: group[title] }))
    draggable(box.querySelector(".number"), { step: 0.01 })
    window.fired = []
    const note = ({ type, target }) => window.fired.push(`${type} ${target.label ?? target.ariaLabel} ${target.value}`)
    for (const kind of ["input", "change"]) box.addEventListener(kind, note)
}"""


@pytest.fixture
def gallery(kept: KeptPage, address: str) -> Page:
    """A page with one of each, in a box that clips what it holds."""
    page = kept.get(f"{address}/tensors")
    root = page.locator(".controls.mounted").first
    root.wait_for()
    page.locator(".gallery").evaluate_all("all => all.forEach((each) => each.remove())")
    root.evaluate(GALLERY)
    return page


def fired(page: Page) -> list[str]:
    events: list[str] = page.evaluate("() => window.fired.splice(0)")
    return events


def box(element: Locator) -> dict[str, float]:
    found = element.bounding_box()
    assert found is not None
    return dict(found)


def test_a_list_is_used_by_the_mouse(gallery: Page) -> None:
    axis = gallery.get_by_role("combobox", name="Axis")
    expect(axis).to_have_text("by step")
    pick(gallery, "Axis", "by epoch")
    expect(axis).to_have_text("by epoch")
    assert fired(gallery) == ["change Axis e"]
    axis.click()
    gallery.get_by_role("option", name="by second").click(force=True)
    expect(axis).to_have_text("by epoch")  # the other one is disabled
    gallery.mouse.click(600, 700)
    expect(gallery.get_by_role("option")).to_have_count(0)
    assert fired(gallery) == []


def test_a_list_is_used_by_the_keyboard(gallery: Page) -> None:
    axis = gallery.get_by_role("combobox", name="Axis")
    axis.press("ArrowDown")
    expect(axis).to_have_attribute("aria-expanded", "true")
    axis.press("ArrowUp")
    axis.press("Escape")
    expect(axis).to_have_text("by step")
    axis.press("Enter")
    axis.press("Home")
    axis.press("Space")
    expect(axis).to_have_text("by epoch")
    layer = gallery.get_by_role("combobox", name="Layer")
    layer.press("r")
    layer.press("Tab")
    expect(layer).to_have_text("ReLU")
    assert fired(gallery) == ["change Axis e", "change Layer ReLU"]


def test_an_open_list_stays_where_nothing_else_takes_the_focus(gallery: Page) -> None:
    axis, layer = gallery.get_by_role("combobox", name="Axis"), gallery.get_by_role("combobox", name="Layer")
    axis.click()
    axis.evaluate("(button) => button.blur()")
    expect(axis).to_be_focused()
    axis.press("Home")
    axis.press("Enter")
    expect(axis).to_have_text("by epoch")
    assert fired(gallery) == ["change Axis e"]
    axis.click()
    layer.focus()
    expect(axis).to_have_attribute("aria-expanded", "false")
    expect(gallery.get_by_role("option")).to_have_count(0)


def test_a_list_opens_where_there_is_room_and_is_not_clipped(gallery: Page) -> None:
    layer = gallery.get_by_role("combobox", name="Layer")
    layer.click()
    options = gallery.get_by_role("listbox", name="Layer")
    assert box(options)["y"] + box(options)["height"] <= box(layer)["y"]
    layer.press("Escape")
    axis = gallery.get_by_role("combobox", name="Axis")
    axis.click()
    opened = box(gallery.get_by_role("listbox", name="Axis"))
    assert opened["y"] >= box(axis)["y"] + box(axis)["height"]
    assert gallery.get_by_role("option", name="by second").evaluate(
        "option => { const { x, y } = option.getBoundingClientRect(); return option.getRootNode().elementFromPoint(x + 5, y + 5) === option }"
    )
    axis.press("Escape")


def test_a_slider_is_dragged_and_pressed(gallery: Page) -> None:
    zoom = gallery.get_by_role("slider", name="Zoom")
    place = box(zoom)
    gallery.mouse.move(place["x"] + place["width"] / 2, place["y"] + place["height"] / 2)
    gallery.mouse.down()
    gallery.mouse.move(place["x"] + place["width"] + 50, place["y"] + 100, steps=3)
    expect(gallery.locator(".slide-bubble").first).to_be_visible()
    zoom.evaluate("zoom => { zoom.value = 0.2 }")  # a script does not move it now
    gallery.mouse.up()
    expect(gallery.locator(".slide-bubble").first).to_be_hidden()
    events = fired(gallery)
    assert events[-1] == "change Zoom 1" and {each.split()[0] for each in events[:-1]} == {"input"}
    rate = gallery.get_by_role("slider", name="Rate")
    for key in ("ArrowRight", "ArrowRight", "PageDown", "End"):
        rate.press(key)
    assert [each for each in fired(gallery) if each.startswith("change")] == [f"change Rate {value}" for value in (0.005, 0.007, 0.0007, 1)]
    expect(rate).to_have_attribute("aria-valuetext", "1")


def test_a_disclosure_a_tip_and_a_number_that_is_dragged(gallery: Page) -> None:
    more = gallery.get_by_role("button", name="More")
    expect(gallery.locator(".inside")).to_be_hidden()
    more.press("Enter")
    expect(gallery.locator(".inside")).to_be_visible()
    expect(more).to_have_attribute("aria-expanded", "true")
    tip = gallery.get_by_role("tooltip")
    gallery.get_by_text("momentum").hover()
    expect(tip).to_have_text("The share that each step keeps.")
    gallery.mouse.move(600, 700)
    expect(tip).to_have_count(0)
    word = gallery.locator("tool-tip")
    word.evaluate("word => new Promise((resolve) => { word.onmouseenter = () => resolve(); word.style.cssText = 'position: fixed; left: 560px; top: 690px' })")
    expect(tip).to_have_count(0)  # the word came to the pointer, not the pointer to the word
    gallery.mouse.move(602, 702)
    expect(tip).to_have_count(1)
    gallery.mouse.move(1000, 300)
    expect(tip).to_have_count(0)
    word.evaluate("word => { word.style.cssText = '' }")
    number = gallery.get_by_label("Number")
    place = box(number)
    gallery.mouse.move(place["x"] + 20, place["y"] + 10)
    gallery.mouse.down()
    gallery.mouse.move(place["x"] + 50, place["y"] + 10, steps=3)
    gallery.mouse.up()
    expect(number).to_have_value("1.8")
    events = fired(gallery)
    assert events[-1] == "change Number 1.8" and "input Number 1.8" in events
