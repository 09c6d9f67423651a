"""How well numbers are read whose digits lie apart, touch or overlap: `python -m benchmarks.numbers [MODEL]`.

Their digits are those of `strokes.py`, and those of writers that the network was never trained on, from the folder `pen` of the data folder.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from benchmarks import hands
from benchmarks.strokes import DIGITS, SIDE, Strokes, ink, tilted
from playground import environment
from playground.data.preprocessing import INK, Pixels, to_digit
from playground.inference.canvas import WIDE
from playground.inference.grouping import Labels
from playground.inference.models import DEFAULT_MODEL, Model, load_model
from playground.inference.reading import warn_about_piece
from playground.inference.segmentation import segment
from playground.inference.signs import SYMBOLS

COUNT = 300
"""Numbers of each kind."""
APART, TOUCHING, OVERLAPPING = (0.05, 0.3), (0.0, 0.0), (-0.05, -0.05)
"""Least and largest gap between the ink of two digits, in heights of a digit."""
PENS, HEIGHTS = (0.045, 0.08), (0.4, 0.65)
"""Width of the pen and height of a digit, as shares of the canvas's height."""
ALIKE = ("10", "11", "100", "007", "101")
"""Numbers whose digits are easily taken together, or apart."""
SURE = 0.9

Hand = Callable[[str], Strokes]
"""Writes a digit."""


@dataclass(frozen=True)
class Result:
    """Shares of the numbers of one kind."""

    read: float
    """All digits found and correctly classified."""
    sure: float
    """Wrongly read with a probability above `SURE` for every digit, and no doubt about one."""

    def __str__(self) -> str:
        return f"{self.read:.1%}, {self.sure:.1%}"


def in_styles(random: np.random.Generator) -> Hand:
    """One hand that writes each digit in any of the styles, all about equally tilted."""
    tilt = random.uniform(-8, 8)

    def write(digit: str) -> Strokes:
        return tilted(DIGITS[digit][random.integers(len(DIGITS[digit]))].strokes, tilt + random.uniform(-4, 4))

    return write


def of_a_writer(random: np.random.Generator) -> Hand:
    """One of the writers that the network was never trained on."""
    writer = random.choice(sorted({each.writer for each in hands.written()}))

    def write(digit: str) -> Strokes:
        samples = [each.strokes for each in hands.written() if each.writer == writer and each.digit == int(digit)]
        return tuple(tuple((float(x), float(y)) for x, y in stroke) for stroke in samples[random.integers(len(samples))])

    return write


@dataclass(frozen=True)
class Number:
    """A written number."""

    text: str
    drawn: Pixels
    """``(SIDE, WIDE × SIDE)`` from 0 to 255."""
    strokes: Labels
    """``(SIDE, WIDE × SIDE)``: the number of the stroke that drew the pixel last, as the page sends it."""


def numbers(source: Callable[[np.random.Generator], Hand], gaps: tuple[float, float], texts: Sequence[str] = ()) -> list[Number]:
    """Write numbers of two to four digits, or these ones in turns."""
    made: list[Number] = []
    random = np.random.default_rng(0)
    while len(made) < COUNT:
        text = texts[len(made) % len(texts)] if texts else "".join(map(str, random.integers(0, 10, random.integers(2, 5))))
        pen, height, hand = random.uniform(*PENS), random.uniform(*HEIGHTS), source(random)
        placed, right = [], 0.0
        for digit in text:
            strokes = _scaled(hand(digit), height * random.uniform(0.9, 1.1))
            placed.append(_moved(strokes, right, 0.5 - height / 2 + random.uniform(-0.03, 0.03)))
            right = max(x for stroke in placed[-1] for x, _ in stroke) + pen + height * random.uniform(*gaps)
        if right < WIDE - 0.1:
            written = tuple(stroke for strokes in placed for stroke in _moved(strokes, pen, 0))
            made.append(Number(text, ink(written, SIDE, pen, WIDE), _strokes_of(written, pen)))
    return made


def accuracy(model: Model, written: list[Number], with_strokes: bool = True) -> Result:
    """Read numbers as the Draw page does, or by their ink alone, as on a photograph."""
    read = [(number.text, *_read(model, number.drawn, number.strokes if with_strokes else None)) for number in written]
    right, sure = (sum(kind) / len(read) for kind in ([got == text for text, got, _ in read], [got != text and least > SURE for text, got, least in read]))
    return Result(right, sure)


def rows(model: Model | None = None) -> list[tuple[str, str, str]]:
    """The rows of the table."""
    model = model or load_model(DEFAULT_MODEL)
    sources = {f"in {sum(map(len, DIGITS.values()))} styles": in_styles}
    if hands.has_strokes():
        sources["by writers that the network never saw"] = of_a_writer
    kinds = {"apart": (APART, "≥ 97 %"), "touching": (TOUCHING, "≥ 88 %"), "overlapping by a twentieth": (OVERLAPPING, "≥ 75 %")}
    made = []
    for who, source in sources.items():
        for kind, (gaps, bound) in kinds.items():
            what = f"Canvas: numbers of two to four digits {who}, {kind}: all read; wrong with more than 90 % each and no doubt (by the ink alone)"
            written = numbers(source, gaps)
            made.append((what, f"{accuracy(model, written)} ({accuracy(model, written, with_strokes=False)})", f"{bound}, ≤ 1 %"))
        alike = [f"{accuracy(model, numbers(source, gaps, ALIKE)).read:.1%}" for gaps in (APART, OVERLAPPING)]
        made.append((f"Canvas: {', '.join(ALIKE)} {who}, apart · overlapping: all read", " · ".join(alike), "≥ 95 % · ≥ 75 %"))
    return [*made, _speed(model)]


def _speed(model: Model) -> tuple[str, str, str]:
    times = []
    for number in numbers(in_styles, OVERLAPPING, ["1964", "2785", "3068"])[:60]:
        start = time.perf_counter()
        segment(number.drawn, model.probabilities)
        times.append(time.perf_counter() - start)
    return ("Canvas: time to separate a number of four overlapping digits by the ink alone", f"{1000 * np.median(times):.0f} ms", "≤ 60 ms")


def _strokes_of(strokes: Strokes, pen: float) -> Labels:
    numbers = np.zeros((SIDE, WIDE * SIDE), dtype=np.int64)
    for number, stroke in enumerate(strokes, start=1):
        numbers[ink((stroke,), SIDE, pen, WIDE) > INK * 255] = number
    return numbers


def _read(model: Model, drawn: Pixels, strokes: Labels | None) -> tuple[str, float]:
    """Return what is read, and the least of its probabilities; 0 where the page says that a digit is doubtful."""
    text, least = "", 1.0
    for piece in segment(drawn, model.probabilities, strokes):
        if piece.kind == "digit":
            prediction = model.predict(to_digit(piece.ink).input)
            doubt = warn_about_piece(piece, prediction.probabilities, alone=False)
            text, least = text + prediction.label, 0.0 if doubt else min(least, max(prediction.probabilities))
        else:
            text += SYMBOLS[piece.kind]
    return text, least


def _scaled(strokes: Strokes, longer: float) -> Strokes:
    """The longer side of their box made so long, its upper left corner at (0, 0)."""
    points = np.array([point for stroke in strokes for point in stroke])
    (left, top), factor = points.min(axis=0), longer / float(np.ptp(points, axis=0).max())
    return tuple(tuple((float(factor * (x - left)), float(factor * (y - top))) for x, y in stroke) for stroke in strokes)


def _moved(strokes: Strokes, right: float, down: float) -> Strokes:
    return tuple(tuple((x + right, y + down) for x, y in stroke) for stroke in strokes)


if __name__ == "__main__":
    torch.set_num_threads(environment.training_threads())
    for what, value, bound in rows(load_model(sys.argv[1]) if sys.argv[1:] else None):
        print(f"{what}: {value}, held to {bound}")
