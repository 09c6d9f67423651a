"""How soon the bars move behind the pen, in a browser: of one learner alone, and of one among ten who draw at once, the others by the routes.

`python -m benchmarks.latency` prints both.
"""

from __future__ import annotations

import http.client
import statistics
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from urllib.parse import urlsplit

import numpy as np

from benchmarks.strokes import DIGITS, Way, render
from playground.inference.canvas import CANVAS
from playground.inference.models import DEFAULT_MODEL
from tests.support.serving import browser, server

LEARNERS = 10
MOVE = 1 / 60
"""Seconds between two movements of a pen: a question is asked for each, or as soon as the last is answered."""
MOVES = 12
"""Points of a stroke in the browser."""
STROKES = 15
WATCH = """() => {
  const roots = [document, ...[...document.querySelectorAll('*')].map((element) => element.shadowRoot).filter(Boolean)]
  const pad = roots.map((root) => root.querySelector('.pad')).find(Boolean)
  window.waits = []
  let since = null
  pad.querySelector('.sheet canvas').addEventListener('pointermove', () => { since ??= performance.now() })
  const fetch = window.fetch
  window.fetch = async (address, ...rest) => {  // a question takes along what was drawn until now; what comes later waits for the next
    const asked = String(address).includes('/api/draw/picture') ? since : null
    if (asked !== null) since = null
    const answer = await fetch(address, ...rest)
    if (asked !== null) window.due = asked
    return answer
  }
  new MutationObserver(() => {
    if (window.due) window.waits.push(performance.now() - window.due)
    window.due = null
  }).observe(pad.querySelector('.stage-bars'), { subtree: true, attributes: true, childList: true, characterData: true })
}"""


@dataclass(frozen=True)
class Latency:
    """Seconds from a point of a stroke until the bars have moved."""

    alone: list[float]
    among_ten: list[float]


def measure() -> Latency:
    """Draw, alone and together, at a server of its own."""
    with tempfile.TemporaryDirectory() as name, server(Path(name)) as address:
        _ask_until_warm(address)
        alone = _drawn(address)
        with _others(address):
            return Latency(alone, _drawn(address))


def _drawn(address: str) -> list[float]:
    with browser() as chromium:
        page = chromium.new_page(viewport={"width": 1280, "height": 800})
        page.goto(f"{address}/draw")
        canvas = page.locator(".sheet canvas")
        canvas.wait_for()
        page.evaluate(WATCH)
        box = canvas.bounding_box()
        assert box is not None
        for stroke in range(STROKES):
            for point in range(MOVES):
                page.mouse.move(box["x"] + box["width"] * (0.2 + 0.04 * stroke), box["y"] + box["height"] * (0.2 + 0.05 * point))
                page.mouse.down() if point == 0 else page.wait_for_timeout(1000 * MOVE)
            page.mouse.up()
            page.wait_for_timeout(200)
        waits: list[float] = page.evaluate("window.waits")
        return [wait / 1000 for wait in waits]


@contextmanager
def _others(address: str) -> Iterator[None]:
    """Nine who draw without a pause."""
    ways: list[Way] = [way for kept in DIGITS.values() for way in kept]
    inks = [render(way.strokes).round().astype(np.uint8).tobytes() for way in ways[:40]]
    over = Event()

    def learner(number: int) -> None:
        at = number
        while not over.is_set():
            start = time.perf_counter()
            _ask(address, inks[at % len(inks)])
            at += 1
            over.wait(max(0.0, MOVE - (time.perf_counter() - start)))

    with ThreadPoolExecutor(LEARNERS - 1) as pool:
        drawing = [pool.submit(learner, number) for number in range(LEARNERS - 1)]
        try:
            yield
        finally:
            over.set()
        for each in drawing:
            each.result()


def _ask_until_warm(address: str) -> None:
    _ask(address, render(next(iter(DIGITS.values()))[0].strokes).round().astype(np.uint8).tobytes())


def _ask(address: str, ink: bytes) -> None:
    """Ask what the page asks for every movement: the picture of the network at work, and its prediction."""
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=120)
    for path in ("picture", "answer"):
        connection.request("POST", f"/api/draw/{path}?model={DEFAULT_MODEL}", ink)
        answer = connection.getresponse()
        assert answer.status == 200 and len(ink) == CANVAS * CANVAS, answer.read()
        answer.read()
    connection.close()


def _format_delays(waits: list[float]) -> str:
    return f"{1000 * statistics.median(waits):.0f} ms, p95 {1000 * float(np.quantile(waits, 0.95)):.0f} ms"


def rows() -> list[tuple[str, str, str]]:
    """The rows of the table."""
    result = measure()
    return [
        ("Canvas: time from pen movement to updated probabilities, one learner (median, 95th percentile)", _format_delays(result.alone), "≤ 100 ms, ≤ 200 ms"),
        (
            f"Canvas: time from pen movement to updated probabilities, {LEARNERS} learners drawing at once (median, 95th percentile)",
            _format_delays(result.among_ten),
            "p95 ≤ 500 ms",
        ),
    ]


if __name__ == "__main__":
    for what, value, bound in rows():
        print(f"{what}: {value}, held to {bound}")
