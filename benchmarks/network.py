"""How long a learner waits on the Network page: from an edited parameter of one of thirty layers to every shape drawn anew.

`python -m benchmarks.network` measures this alone.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path

from playground.network.spec import LayerSpec, NetworkSpec
from tests.support.serving import browser, server

EDITS = 30
THIRTY = NetworkSpec(
    "thirty",
    (1, 28, 28),
    (
        *(LayerSpec("Conv2d", {"out_channels": 16, "padding": 1}), LayerSpec("BatchNorm2d"), LayerSpec("ReLU")) * 8,
        LayerSpec("MaxPool2d"),
        LayerSpec("Flatten"),
        LayerSpec("Linear", {"out_features": 64}),
        LayerSpec("ReLU"),
        LayerSpec("Dropout"),
        LayerSpec("Linear", {"out_features": 10}),
    ),
)
EDIT = """(value) => new Promise((resolve) => {
  const root = [...document.querySelectorAll('*')].map((each) => each.shadowRoot).find((each) => each?.querySelector('.builder'))
  const builder = root.querySelector('.builder'), field = root.querySelector('[data-param=out_channels]')
  const start = performance.now()
  new MutationObserver((_, observer) => {
    if (builder.classList.contains('busy')) return
    observer.disconnect()
    requestAnimationFrame(() => setTimeout(() => resolve((performance.now() - start) / 1000)))
  }).observe(builder, { attributeFilter: ['class'] })
  field.value = value
  field.dispatchEvent(new Event('input', { bubbles: true }))
})"""


def measure() -> float:
    """Seconds, the median of many edits of the first convolution, which changes what enters every layer behind it."""
    with tempfile.TemporaryDirectory() as name, server(Path(name)) as address, browser() as chromium:
        page = chromium.new_page(viewport={"width": 1280, "height": 1000})
        page.set_default_timeout(60_000)
        page.goto(f"{address}/network")
        page.locator(".row").first.wait_for()
        saved = Path(name) / "thirty.json"
        saved.write_text(THIRTY.to_json(), encoding="utf-8")
        page.locator("input.chosen").set_input_files(saved)
        page.locator(".row").nth(29).wait_for()
        page.locator(".builder:not(.busy)").wait_for()
        edits = [page.evaluate(EDIT, value) for value in range(20, 20 + EDITS)]
    return statistics.median(edits[3:])


def rows() -> list[tuple[str, str, str]]:
    """The rows of the table."""
    return [("Network: time from editing a parameter of a network of 30 layers to all its shapes", f"{1000 * measure():.0f} ms", "≤ 200 ms")]


if __name__ == "__main__":
    for what, value, bound in rows():
        print(f"{what}: {value}, held to {bound}")
    sys.exit(0)
