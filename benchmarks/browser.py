"""How long a learner waits, measured in a real browser against a server of its own."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page

from tests.support.serving import browser, draw, server

TRAININGS = 9
STROKES = 25
STARTS = 3
WATCH_BARS = """() => {
  const roots = [document, ...[...document.querySelectorAll('*')].map((element) => element.shadowRoot).filter(Boolean)]
  const pad = roots.map((root) => root.querySelector('.pad')).find(Boolean)
  window.moved = []
  new MutationObserver(() => window.moved.push(performance.now())).observe(
    pad.querySelector('.bars'), { subtree: true, attributes: true, childList: true, characterData: true })
  pad.querySelector('canvas').addEventListener('pointerup', () => { window.lifted = performance.now() })
}"""
FIRST_LOSS = "() => document.querySelector('[data-plot=loss]')?.data?.[1]?.y?.length > 0"


@dataclass(frozen=True)
class Waiting:
    """Medians in seconds."""

    train_to_first_loss: float
    """From the click on *Train* until the first loss is drawn, the worker being warm."""
    stroke_to_answer: float
    """From the end of a stroke until the bars have settled."""
    start_to_page: float
    """From the start of the installed server until the first page can be used."""


def measure() -> Waiting:
    """Click, draw and start, several times each."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        started = [_start(folder) for _ in range(STARTS)]
        with server(folder, {"PLAYGROUND_WORKERS": "1"}) as address, browser() as chromium:
            page = chromium.new_page(viewport={"width": 1280, "height": 800})
            page.set_default_timeout(60_000)
            answered = _strokes(page, address)
            trained = _trainings(page, address)
    return Waiting(statistics.median(trained), statistics.median(answered), statistics.median(started))


def _start(folder: Path) -> float:
    """Seconds from the start of a server to a Home page whose button can be clicked."""
    with browser() as chromium:
        page = chromium.new_page()
        start = time.perf_counter()
        with server(folder) as address:
            page.goto(address)
            page.get_by_role("button", name="Watch a network learn").wait_for()
            page.locator(".paper canvas").wait_for()
            return time.perf_counter() - start


def _trainings(page: Page, address: str) -> list[float]:
    page.goto(f"{address}/train")
    epochs = page.get_by_role("spinbutton", name="Epochs")
    epochs.fill("1")
    epochs.press("Enter")
    seconds = []
    for _ in range(TRAININGS + 1):
        button = page.get_by_role("button", name="Train", exact=True)
        button.wait_for()
        before = page.url
        start = time.perf_counter()
        button.click()
        page.wait_for_function(
            f"(before) => location.href !== before && document.querySelector('.monitor-state')?.dataset.state !== 'finished' && ({FIRST_LOSS})()",
            arg=before,
            polling=10,
        )
        seconds.append(time.perf_counter() - start)
        page.locator(".monitor-state[data-state=finished]").wait_for()
    return seconds[1:]  # the first one loads the plotting library


def _strokes(page: Page, address: str) -> list[float]:
    page.goto(f"{address}/draw")
    page.locator(".paper canvas").wait_for()
    draw(page, ((0.5, 0.2), (0.5, 0.8)))
    page.locator(".pad.answered").wait_for()
    page.evaluate(WATCH_BARS)
    seconds = []
    for number in range(STROKES):
        page.get_by_role("button", name="Clear").click()
        page.wait_for_function("() => window.moved.length")
        page.evaluate("() => { window.moved = []; window.lifted = null }")
        shift = 0.01 * (number % 10)
        draw(page, ((0.3 + shift, 0.25), (0.7, 0.25 + shift), (0.5, 0.8)))
        page.wait_for_function("() => window.lifted && window.moved.some((at) => at > window.lifted)", polling=10)
        page.wait_for_function("() => performance.now() - window.moved.at(-1) > 300", polling=20)
        seconds.append(page.evaluate("() => (window.moved.at(-1) - window.lifted) / 1000"))
    return seconds


def available() -> bool:
    """Whether there is a browser to measure with."""
    from tests.support.serving import chromium_path

    return chromium_path() is not None and os.name == "posix"
