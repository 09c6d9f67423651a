"""Mounting and removing a component's view, with calls in the orders in which Streamlit makes them."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Page

from playground.ui.components import MOUNTING

VIEW = """
async function load() {
  return class {
    constructor(root) { root.append(document.createElement("i")) }
    update({ data }) { window.seen.push(data) }
    close() { window.seen.push("closed") }
  }
}
"""


@pytest.fixture
def place(page: Page) -> Page:
    """A page with `mount(data)`, which mounts a view on `place` and returns the function that removes it."""
    page.goto("about:blank")
    page.evaluate(
        """async (script) => {
            window.seen = []
            window.place = document.body.appendChild(document.createElement("div"))
            const { default: mount } = await import(URL.createObjectURL(new Blob([script], { type: "text/javascript" })))
            window.mount = (data) => mount({ parentElement: window.place, data })
            window.settled = () => new Promise((resolve) => setTimeout(resolve))
        }""",
        MOUNTING + VIEW,
    )
    return page


def calls_of(place: Page, script: str) -> object:
    """Run a script on the page; what the view saw, and how many views were made."""
    return json.loads(place.evaluate(f"async () => {{ {script}; await settled(); return JSON.stringify([seen, place.children.length]) }}"))


def test_new_data_updates_the_existing_view(place: Page) -> None:
    assert calls_of(place, "mount(1); await settled(); mount(2)") == [[1, 2], 1]


def test_overtaken_data_is_not_shown(place: Page) -> None:
    assert calls_of(place, "mount(1); mount(2)") == [[2], 1]


def test_an_overtaken_call_does_not_close_the_view(place: Page) -> None:
    """Streamlit calls what the first call returned as soon as it has it, if newer data came while the script was loading."""
    assert calls_of(place, "const overtaken = mount(1); mount(2); overtaken(); await settled(); mount(3)") == [[2, 3], 1]


def test_a_view_is_closed_with_its_element(place: Page) -> None:
    assert calls_of(place, "const remove = mount(1); await settled(); place.remove(); remove()") == [[1, "closed"], 1]
