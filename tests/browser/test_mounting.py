"""Mounting and removing a component's view, with calls in the orders in which Streamlit makes them."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Route

from playground.ui.components import SCRIPT, SHARED

VIEW = """
import { mounting } from "../shared/mounting.js"

export default mounting(class {
  constructor(root) { root.append(document.createElement("i")) }
  update(component) {
    window.seen.push(component.data)
    window.component = component
  }
  close() { window.seen.push("closed") }
})
"""
SHARED_FILES = {
    f"/web/shared/{name}": (SHARED / name).read_text(encoding="utf-8") for name in ("mounting.js", "telling.js", "text.js", "colour.js", "tokens.js")
}
FILES = {"/": "<!doctype html>", "/web/example/view.js": VIEW, **SHARED_FILES}


@pytest.fixture
def place(page: Page) -> Page:
    """A page with `mount(data)`, which mounts a view on `place` and returns the function that removes it."""

    def serve(route: Route) -> None:
        path = urlsplit(route.request.url).path
        route.fulfill(body=FILES[path], content_type="text/javascript" if path.endswith(".js") else "text/html")

    page.route("http://example.test/**", serve)
    page.goto("http://example.test/")
    page.evaluate(
        """async (script) => {
            window.seen = []
            window.place = document.body.appendChild(document.createElement("div"))
            const { default: mount } = await import(URL.createObjectURL(new Blob([script], { type: "text/javascript" })))
            const send = (name, value) => window.seen.push(`${name} ${value}`)
            window.mount = (data) => mount({ parentElement: window.place, data: { page: "", data }, setStateValue: send, setTriggerValue: send })
            window.goBack = () => dispatchEvent(new PopStateEvent("popstate"))
            window.settled = () => new Promise((resolve) => setTimeout(resolve))
            await import("/web/example/view.js")
        }""",
        SCRIPT.format(address="web", name="example"),
    )
    return page


def calls_of(place: Page, script: str) -> object:
    """Run a script on the page; what the view saw, and how many views were made."""
    return json.loads(place.evaluate(f"async () => {{ {script}; await settled(); return JSON.stringify([seen, place.children.length]) }}"))


def test_new_data_updates_the_existing_view(place: Page) -> None:
    assert calls_of(place, "mount(1); await settled(); mount(2)") == [[1, 2], 1]


def test_data_that_comes_while_the_module_loads_is_shown_in_its_order(place: Page) -> None:
    assert calls_of(place, "mount(1); mount(2)") == [[1, 2], 1]


def test_an_overtaken_call_does_not_close_the_view(place: Page) -> None:
    """Streamlit calls what the first call returned as soon as it has it, if newer data came while the module was loading."""
    assert calls_of(place, "const overtaken = mount(1); mount(2); overtaken(); await settled(); mount(3)") == [[1, 2, 3], 1]


def test_a_view_is_closed_with_its_element(place: Page) -> None:
    assert calls_of(place, "const remove = mount(1); await settled(); place.remove(); remove()") == [[1, "closed"], 1]


def test_what_is_gone_before_its_module_has_loaded_gets_no_view(place: Page) -> None:
    assert calls_of(place, "mount(1); place.remove()") == [[], 0]


def test_another_theme_updates_the_view(place: Page) -> None:
    place.evaluate("""() => {
        window.place.innerHTML = `<div class="controls" style="--theme: light-dark(white, black); transition: --theme 1ms"></div>`
        document.documentElement.style.colorScheme = "light"
    }""")
    assert calls_of(place, "mount(1)") == [[1], 2]
    place.evaluate("() => { seen.length = 0; document.documentElement.style.colorScheme = 'dark' }")
    place.wait_for_function("() => seen.length > 0")
    assert set(place.evaluate("() => seen")) == {1}


@pytest.mark.parametrize("leave", ["goBack()", "component.leave('go', 'there')"])
def test_what_a_view_tells_waits_while_another_page_is_on_its_way(place: Page, leave: str) -> None:
    sent = ["go there"] if "component" in leave else []
    assert calls_of(place, f"mount(1); await settled(); {leave}; component.setStateValue('ran', 1)") == [[1, *sent], 1]
    assert calls_of(place, "mount(2)") == [[1, *sent, "ran 1", 2], 1]


def test_what_a_view_tells_is_forgotten_with_it_and_waits_no_longer_than_two_seconds(place: Page) -> None:
    assert calls_of(place, "mount(1); await settled()") == [[1], 1]
    place.clock.install()
    place.evaluate("() => { goBack(); component.setTriggerValue('ended', 1); place.remove() }")
    place.clock.run_for(2100)
    place.evaluate("() => { document.body.append(place); goBack(); component.setStateValue('ran', 2) }")
    place.clock.run_for(2100)
    assert place.evaluate("() => seen") == [1, "ran 2"]
