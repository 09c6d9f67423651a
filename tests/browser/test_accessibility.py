"""Whether everyone can read and operate the pages: contrast of all texts in light and dark, and the rules of axe-core (https://dequeuniversity.com/rules/axe/)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from playground.network.presets import preset
from playground.runs.run import Run, create
from playground.server.identity import COOKIE, learner
from playground.training.config import TrainConfig

from ..support.accessibility import AXE, CONTRAST, check_accessibility, misbuilt, too_pale
from ..support.learners import BOB
from ..support.serving import new_context
from ..support.training import train
from ..support.visiting import visit
from .conftest import KeptPage
from .test_languages import settled
from .test_shell import TITLES


@pytest.fixture(scope="module")
def run(server_folder: Path, address: str) -> Run:
    """A finished run of a learner."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLAYGROUND_RUNS", str(server_folder / "runs"))
        patch.setenv("PLAYGROUND_DATA", str(server_folder / "data"))
        return train(create(TrainConfig(network="mnist-mlp", epochs=1.0), preset("mnist-mlp"), learner(BOB)))


@pytest.fixture
def page(kept: KeptPage, address: str) -> Page:
    """The page of a learner without runs."""
    page = kept.get(f"{address}/")
    page.get_by_role("heading", level=1).wait_for()  # then Streamlit knows the pages
    page.context.clear_cookies(name=COOKIE)
    return page


def go(page: Page, path: str) -> None:
    """Go to a page, and open what is folded."""
    visit(page, f"/{path}")
    expect(page).to_have_title(TITLES[path.partition("?")[0]])
    complete(page)
    page.locator("[data-testid=stExpander] details:not([open]) summary").evaluate_all("all => all.forEach((each) => each.click())")
    complete(page)


def complete(page: Page) -> None:
    """Wait until all of the page is there."""
    page.get_by_role("heading", level=1).first.wait_for()
    expect(page.locator(".controls:not(.mounted)")).to_have_count(0)
    settled(page)


def views(page: Page) -> Iterator[None]:
    """What the page shows at first, then each of its tabs."""
    yield
    for name in page.get_by_role("tab", selected=False).all_inner_texts():
        page.get_by_role("tab", name=name, exact=True).click()
        complete(page)
        yield


@pytest.mark.parametrize("name", TITLES)
def test_each_view_of_a_page(page: Page, name: str) -> None:
    go(page, name)
    for _ in views(page):
        check_accessibility(page)


@pytest.mark.parametrize("name", ["", "train", "evaluate", "compare", "draw"])
def test_each_view_of_a_page_with_a_run(page: Page, address: str, run: Run, name: str) -> None:
    page.context.add_cookies([{"name": COOKIE, "value": BOB, "url": address}])
    page.goto(f"{address}/{name}?run={run.id}&model={run.id}")
    complete(page)
    for _ in views(page):
        check_accessibility(page)


def test_a_dialog(page: Page) -> None:
    go(page, "compare")
    page.get_by_role("button", name="New race").click()
    page.get_by_role("dialog").wait_for()
    complete(page)
    check_accessibility(page)
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    settled(page)  # else the answer to the closed dialog would come after the next test has gone to another page


def test_an_open_list(page: Page, address: str) -> None:
    page.goto(f"{address}/evaluate")  # a session of its own: that of a learner whose cookie is gone still has their run selected
    complete(page)
    page.get_by_role("tab", name="Images").click()
    page.get_by_role("combobox", name="Order").click()
    page.get_by_role("option", name="as in the data set").wait_for()
    check_accessibility(page)


def test_the_check_finds_what_is_too_pale_and_what_has_no_name(page: Page) -> None:
    go(page, "tensors")
    page.evaluate("""() => {
        const box = document.querySelector(".stMainBlockContainer")
        box.insertAdjacentHTML("beforeend", `<p id="pale" style="opacity: .4">pale</p><button id="nameless"></button>
            <p id="veil"><span style="color: #777; background: #999">veil</span></p>`)
    }""")
    found = "\n".join([*too_pale(page), *misbuilt(page)])
    page.evaluate("() => document.querySelectorAll('#pale, #nameless, #veil').forEach((each) => each.remove())")
    assert "p.: pale" in found and "span.: veil" in found
    assert not AXE.exists() or "button-name" in found


def test_contrast_is_checked_although_something_was_folded_while_it_changed(chromium: Browser) -> None:
    page = new_context(chromium).new_page()
    page.set_content("<details open><summary>More</summary><p style='transition: color 1s'>Text</p></details>")
    is_changing = page.evaluate("""() => {
        const part = document.querySelector("p")
        getComputedStyle(part).color
        part.style.color = "#eee"
        const { length } = part.getAnimations()
        document.querySelector("details").open = false
        return length > 0
    }""")
    assert is_changing
    page.wait_for_function(f"window.checked ??= ({CONTRAST})()")  # which can be given up, as `evaluate` cannot
    page.context.close()
