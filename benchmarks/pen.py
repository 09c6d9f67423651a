"""How well the shipped network reads digits drawn with a pen: `python -m benchmarks.pen`, with the word `browser` on the page itself, too."""

from __future__ import annotations

import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from zlib import crc32

import torch
from playwright.sync_api import Page

from benchmarks.strokes import DIGITS, SIDE, Strokes, Way, placed, render, tilted, unsteady
from playground import environment
from playground.data.preprocessing import Pixels, to_digit
from playground.inference.models import DEFAULT_MODEL, Model, load_model
from tests.support.serving import browser, server

SIZES = (0.25, 0.5, 0.9)
"""Longer side of the digit, as a share of the canvas."""
PENS = {"thin": 0.03, "usual": 0.07, "thick": 0.14}
"""Width of the pen as a share of the canvas; the slider beside it goes from 8 to 40 of 280 pixels and begins at 20."""
TILTS = (-15.0, 0.0, 15.0)
"""Degrees, clockwise."""
PLACES = {"upper left": (0.0, 0.0), "middle": (0.5, 0.5), "lower right": (1.0, 1.0)}
"""Share of the room that the digit leaves along x and y."""
HANDS = {"steady": 0.0, "unsteady": 0.03}
"""How far points stray, as a share of the digit."""
READABLE = 0.3
"""A pen wider than this share of the digit fills its loops, so that people cannot read it either: counted apart."""
BATCH = 500
"""Drawings that the network reads at once."""
WAYS = sum(map(len, DIGITS.values()))
"""To write a digit."""
WATCH_ANSWERS = """() => {
  const ask = window.fetch
  for (const event of ['pointerdown', 'pointermove']) {
    window.addEventListener(event, ({ buttons }) => { if (buttons) window.drawn = performance.now() }, true)
  }
  window.fetch = async (...given) => {
    const asked = performance.now()
    const response = await ask(...given)
    if (!String(given[0]).includes('/api/draw/answer')) return response
    const read = response.text.bind(response)
    response.text = () => read().finally(() => setTimeout(() => { window.answered = asked }))
    return response
  }
}"""
"""Notes when the pen drew last, and when the question was asked whose answer is shown: the page shows it before the next task begins."""
SETTLED = "() => window.answered >= window.drawn"
"""Whether the answer to the finished drawing is shown."""
CLEAR = """() => {
  const roots = [document, ...[...document.querySelectorAll('*')].map((element) => element.shadowRoot).filter(Boolean)]
  return roots.map((root) => root.querySelector('.digit')).find(Boolean)?.textContent === '?'
}"""
"""Whether the page has forgotten the last drawing."""


@dataclass(frozen=True)
class Drawing:
    """One way to write a digit, somewhere on the canvas."""

    way: Way
    size: float
    """Longer side of the digit, as a share of the canvas."""
    pen: str
    """One of `PENS`."""
    tilt: float
    """Degrees, clockwise."""
    place: str
    """One of `PLACES`."""
    hand: str
    """One of `HANDS`."""

    @property
    def readable(self) -> bool:
        """Whether the pen leaves the loops open."""
        return PENS[self.pen] <= READABLE * self.size

    @property
    def ink(self) -> Pixels:
        """(SIDE, SIDE) from 0 to 255."""
        chosen = f"{self.way.digit} {self.way.name} {self.size} {self.pen} {self.tilt} {self.place}"
        strokes = unsteady(self.way.strokes, HANDS[self.hand], seed=crc32(chosen.encode()))
        return render(tilted(strokes, self.tilt), SIDE, PENS[self.pen], PLACES[self.place], self.size)


def drawings() -> Iterator[Drawing]:
    """Every way of every digit in every size, width, tilt and place, by a steady and an unsteady hand."""
    every = (way for ways in DIGITS.values() for way in ways)
    for choice in product(every, SIZES, PENS, TILTS, PLACES, HANDS):
        yield Drawing(*choice)


def read(model: Model) -> dict[Drawing, str]:
    """What the network says of each drawing, brought into its form as on the Draw page."""
    drawn = list(drawings())
    inputs = torch.stack([to_digit(drawing.ink).input for drawing in drawn])
    answers = torch.cat([model.probabilities(batch).argmax(dim=1) for batch in torch.split(inputs, BATCH)])
    return {drawing: model.info.classes[answer] for drawing, answer in zip(drawn, answers.tolist(), strict=True)}


def drawn_accuracy(model: Model) -> dict[str, dict[str, float]]:
    """Share of the drawings read rightly, by kind.

    `all`, `digit`, `way`, `size`, `pen`, `tilt`, `place` and `hand` count the readable ones, `pen in size` all.
    """
    return by_kind(read(model))


def by_kind(answers: dict[Drawing, str]) -> dict[str, dict[str, float]]:
    """Share of the answers that are right, as in `drawn_accuracy`."""
    right: dict[tuple[str, str], list[bool]] = defaultdict(list)
    for drawing, answer in answers.items():
        for kind_and_name in _kinds(drawing):
            right[kind_and_name].append(answer == drawing.way.digit)
    shares: dict[str, dict[str, float]] = defaultdict(dict)
    for (kind, name), hits in right.items():
        shares[kind][name] = sum(hits) / len(hits)
    return dict(shares)


def drawn_in_browser(address: str, size: float = 0.6) -> dict[Way, str]:
    """Draw every way of every digit with the mouse on the Draw page of the server at this address; the ways misread, and what was read instead."""
    with browser() as chromium:
        page = chromium.new_page(viewport={"width": 1280, "height": 800})
        page.set_default_timeout(60_000)
        page.goto(f"{address}/draw")
        page.locator(".digit").wait_for()  # the canvas is there earlier, when nobody listens to the pen yet
        page.evaluate(WATCH_ANSWERS)
        answers = {way: _drawn(page, placed(way.strokes, size)) for ways in DIGITS.values() for way in ways}
    return {way: answer for way, answer in answers.items() if answer != way.digit}


def rows() -> list[tuple[str, str, str]]:
    """The rows of the table."""
    misread = _misread_on_the_page()
    return [(f"Canvas: digits drawn with the mouse in {WAYS} styles, correctly classified", f"{1 - len(misread) / WAYS:.1%}", "≥ 97 %")]


def _misread_on_the_page() -> dict[Way, str]:
    with tempfile.TemporaryDirectory() as folder, server(Path(folder)) as address:
        return drawn_in_browser(address)


def main() -> int:
    """Print what is read rightly, by kind, and every way that is not always."""
    torch.set_num_threads(environment.training_threads())
    answers = read(load_model(DEFAULT_MODEL))
    for kind, shares in by_kind(answers).items():
        if kind != "way":
            print(f"{kind}: " + ", ".join(f"{name} {share:.1%}" for name, share in shares.items()))
    _print_misread(answers)
    if "browser" in sys.argv[1:]:
        misread = _misread_on_the_page()
        print(f"in the browser: {WAYS - len(misread)} of {WAYS} ways are read rightly")
        for way, answer in misread.items():
            print(f"  {way.digit} {way.name}: {answer}")
    return 0


def _kinds(drawing: Drawing) -> list[tuple[str, str]]:
    way = drawing.way
    apart = [("pen in size", f"{drawing.pen} in {drawing.size}")]
    if not drawing.readable:
        return apart
    kinds = {"all": "readable", "digit": way.digit, "way": f"{way.digit} {way.name}", "size": f"{drawing.size}", "pen": drawing.pen}
    return [*kinds.items(), ("tilt", f"{drawing.tilt:g}°"), ("place", drawing.place), ("hand", drawing.hand), *apart]


def _print_misread(answers: dict[Drawing, str]) -> None:
    readable: dict[Way, list[str]] = defaultdict(list)
    for drawing, answer in answers.items():
        if drawing.readable:
            readable[drawing.way].append(answer)
    shares = {way: given.count(way.digit) / len(given) for way, given in readable.items()}
    for way in sorted((way for way in shares if shares[way] < 1), key=shares.__getitem__):
        wrong = Counter(answer for answer in readable[way] if answer != way.digit)
        print(f"  {way.digit} {way.name}: {shares[way]:.0%} right, else " + ", ".join(f"{answer} {times}×" for answer, times in wrong.most_common()))


def _drawn(page: Page, strokes: Strokes) -> str:
    """What is read of these strokes on an empty canvas, which is cleared afterwards."""
    box = page.locator(".paper canvas").bounding_box()
    assert box is not None
    for stroke in strokes:
        places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in stroke]
        page.mouse.move(*places[0])
        page.mouse.down()
        for place in places[1:]:
            page.mouse.move(*place)
        page.mouse.up()
    page.wait_for_function(SETTLED, polling=20)
    answer = page.locator(".digit").inner_text()
    page.get_by_role("button", name="Clear").click()
    page.wait_for_function(CLEAR, polling=20)
    return answer


if __name__ == "__main__":
    sys.exit(main())
