"""One server and one browser for all tests that need what only a browser shows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from ..support.serving import PATIENCE, browser, chromium_path, new_context, server

expect.set_options(timeout=PATIENCE)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Say plainly what is skipped where there is no browser."""
    missing = pytest.mark.skip(reason="Chromium is not installed: what only a browser shows was not tested")
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if chromium_path() is None:
                item.add_marker(missing)


@pytest.fixture(scope="session")
def server_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the server keeps its data and its runs."""
    return tmp_path_factory.mktemp("server")


@pytest.fixture(scope="session")
def address(server_folder: Path) -> Iterator[str]:
    two = {"PLAYGROUND_WORKERS": "2", "PLAYGROUND_THREADS": "1"}  # so that a run does not wait for another test's
    with server(server_folder, two) as running:
        yield running


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with browser() as running:
        yield running


@pytest.fixture(scope="session")
def context(chromium: Browser) -> Iterator[BrowserContext]:
    """What the pages of all tests share: the cache, so that the playground's scripts are loaded and compiled once."""
    context = new_context(chromium, viewport={"width": 1280, "height": 800})
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page of a learner of its own; a JavaScript error on it fails the test."""
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    yield page
    for run in re.findall(r"[?&]run=([\w-]+)", page.url):  # one that a failed test left behind would keep the others waiting
        page.request.post(f"{page.url.split('/train')[0]}/api/runs/{run}/command", data={"command": "stop"})
    context.set_offline(False)
    if page.url.startswith("http"):
        page.evaluate("localStorage.clear()")
    page.close()
    context.clear_cookies()
    assert not faults
