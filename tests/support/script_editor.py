"""The editor for scripts on the Tensors and the Autograd page, in a browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page, Request, expect

NOTHING = "pass"
"""A script without a tensor, an output or a fault: what a page that stays open shows before each test."""


def run_script(page: Page, source: str, address: str) -> None:
    """Type a script, press Ctrl+Enter, and wait until the response from `address` is shown."""
    page.locator(".cm-content").click()
    expect(page.locator(".cm-content")).to_be_focused()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(source)
    with page.expect_response(re.compile(address)):
        page.keyboard.press("Control+Enter")
    expect(page.locator(".lab.busy")).to_have_count(0)


@contextmanager
def without_requests(page: Page) -> Iterator[None]:
    """Fail if the page asks the server for something meanwhile."""
    requests: list[str] = []

    def note(request: Request) -> None:
        requests.append(request.url)

    page.on("request", note)
    yield
    page.remove_listener("request", note)
    assert [url for url in requests if "api" in url] == []


def choose_example(page: Page, title: str) -> None:
    """Open an example by the menu."""
    page.get_by_role("button", name="Examples").click()
    page.get_by_role("menuitem", name=title, exact=True).or_(page.get_by_role("option", name=title, exact=True)).click()
