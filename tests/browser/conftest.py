"""One server and one browser for all tests that need what only a browser shows."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from ..support.page_state import page_state
from ..support.pseudo import make_pseudo_language
from ..support.serving import PATIENCE, browser, chromium_path, new_context, server

FAILED = pytest.StashKey[bool]()

USUAL: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}, "reduced_motion": "reduce"}
"""What a page of a test is like: nothing on it is on its way while it is looked at. Tests of motion ask for motion."""

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
    make_pseudo_language(server_folder / "locales")
    two = {"PLAYGROUND_WORKERS": "2", "PLAYGROUND_THREADS": "1"}  # so that a run does not wait for another test's
    with server(server_folder, {**two, "PLAYGROUND_LOCALES": str(server_folder / "locales")}) as running:
        yield running


@pytest.fixture(autouse=True)
def no_bug_in_the_server(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test during which the server logged a bug, and show its traceback."""
    if "address" not in request.fixturenames:
        yield
        return
    request.getfixturevalue("address")
    log = request.getfixturevalue("server_folder") / "server.log"
    before = log.stat().st_size
    yield
    logged = log.read_bytes()[before:].decode(errors="replace")
    assert "Traceback (most recent call last)" not in logged, logged


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with browser() as running:
        yield running


@pytest.fixture(scope="session")
def context(chromium: Browser) -> Iterator[BrowserContext]:
    """What the pages of all tests share: the cache, so that the playground's scripts are loaded and compiled once."""
    context = new_context(chromium, **USUAL)
    yield context
    context.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the state of the pages to the report of a failure, and let `kept` see whether the test failed."""
    report = yield
    item.stash[FAILED] = item.stash.get(FAILED, False) or report.failed
    if report.failed and isinstance(item, pytest.Function):
        report.sections += [(f"page {name}", page_state(page)) for name, page in item.funcargs.items() if isinstance(page, Page)]
    return report


class KeptPage:
    """A page that stays open for all tests of a module, because loading Streamlit's scripts takes two seconds of processor time.

    The page of a failed test is closed, and the next test gets a new one.
    """

    def __init__(self, chromium: Browser) -> None:
        self.faults: list[str] = []
        """The JavaScript errors on it."""
        self._chromium = chromium
        self._page: Page | None = None

    def get(self, url: str) -> Page:
        """Return the page; if it is not open yet, open it at this address."""
        if self._page is None:
            context = new_context(self._chromium, **USUAL)
            self._page = context.new_page()
            self._page.on("pageerror", lambda error: self.faults.append(str(error)))
            self._page.goto(url)
        return self._page

    def close(self) -> None:
        """Close the page with its cookies and its cache."""
        if self._page is not None:
            self._page.context.close()
        self._page = None
        self.faults.clear()


@pytest.fixture(scope="module")
def module_page(chromium: Browser) -> Iterator[KeptPage]:
    """What `kept` keeps."""
    page = KeptPage(chromium)
    yield page
    page.close()


@pytest.fixture
def kept(module_page: KeptPage, request: pytest.FixtureRequest) -> Iterator[KeptPage]:
    """The page that the tests of a module share; a JavaScript error on it fails the test. Each test starts by bringing it into a state that it knows."""
    yield module_page
    faults = list(module_page.faults)
    if faults or request.node.stash.get(FAILED, False):
        module_page.close()
    assert not faults, faults


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
