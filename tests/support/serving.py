"""A playground server of one's own, and a browser to look at it with."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from playground.environment import ROOT

from .ports import free_port

FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",  # a camera that films a clock, and nobody who must allow it
)  # fmt: skip
SEVEN = ((0.3, 0.25), (0.7, 0.25), (0.6, 0.5), (0.48, 0.8))
"""A seven as a pen draws it, in shares of the canvas."""
ONE = ((0.5, 0.2), (0.5, 0.8))

PATIENCE = 120_000
"""Milliseconds that anything on a page may take: a busy machine is slow, not wrong."""

Points = Sequence[tuple[float, float]]


def chromium_path() -> str | None:
    """Debian's Chromium or another one that is installed; None where there is none. The one without windows takes half of the processor time."""
    names = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
    return next((path for name in names if (path := shutil.which(name))), None)


@contextmanager
def server(folder: Path, environment: Mapping[str, str] | None = None, port: int | None = None, script: Path | None = None) -> Iterator[str]:
    """A server on a free port of this machine, with data and runs under `folder`; yields its address.

    Args:
        script: what is served with the settings of the playground instead of it.
    """
    port = port or free_port()
    inherited = {name: value for name, value in os.environ.items() if name != "PLAYGROUND_THREADS"}
    variables = {**inherited, "PLAYGROUND_DATA": str(folder / "data"), "PLAYGROUND_RUNS": str(folder / "runs"), **(environment or {})}
    command = [sys.executable, "-m", "streamlit", "run", *([str(script)] if script else []), "--server.port", str(port), "--server.address", "127.0.0.1"]
    with (folder / "server.log").open("ab") as log, subprocess.Popen(command, cwd=ROOT, env=variables, stdout=log, stderr=log) as process:
        try:
            address = f"http://127.0.0.1:{port}"
            _wait_for(address, process, folder / "server.log")
            yield address
        finally:
            process.terminate()
            process.wait(30)


@contextmanager
def browser() -> Iterator[Browser]:
    """A headless Chromium."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=chromium_path(), args=list(FLAGS))
        yield chromium
        chromium.close()


def new_context(chromium: Browser, **options: Any) -> BrowserContext:
    """Open a context, with cookies and a cache of its own, whose pages wait as long as a busy machine needs.

    Args:
        options: those of `Browser.new_context`.
    """
    context = chromium.new_context(**options)
    context.set_default_timeout(PATIENCE)
    return context


def excess_width(page: Page) -> int:
    """Return by how many pixels the page can be scrolled sideways. Streamlit scrolls its main area, not the document."""
    pixels: int = page.evaluate("""() => Math.max(...[document.documentElement, document.querySelector('[data-testid=stMain]')]
        .map((area) => area.scrollWidth - area.clientWidth))""")
    return pixels


def to_the_top(page: Page) -> None:
    """Scroll a page to its beginning, and wait until it stands: a list that is open while its page scrolls is closed by Streamlit."""
    page.evaluate("""() => new Promise((resolve) => {
        document.querySelector("[data-testid=stMain]").scrollTo({ top: 0, behavior: "instant" })
        requestAnimationFrame(() => requestAnimationFrame(resolve))
    })""")


def draw(page: Page, points: Points, canvas: str = ".paper canvas") -> None:
    """Draw one stroke on the canvas with the mouse."""
    box = page.locator(canvas).bounding_box()
    assert box is not None
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=5)
    page.mouse.up()


def _wait_for(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=2) as response:
                if response.status == 200:
                    return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"the server did not start: {log.read_text()}")
