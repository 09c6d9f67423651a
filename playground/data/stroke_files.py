"""Strokes that were recorded with a pen: digits of the pendigits collection, characters of other alphabets of Omniglot."""

from __future__ import annotations

import gzip
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from playground.data.pen import Random, Stroke, as_image
from playground.data.preprocessing import Pixels

DIGITS = "pendigits-train.gz"
DIGITS_SOURCE = "E. Alpaydin and F. Alimoglu, Pen-Based Recognition of Handwritten Digits, https://doi.org/10.24432/C5MG6K, CC BY 4.0"  # no text: a source
CHARACTERS = "omniglot-strokes-*.zip"
CHARACTERS_SOURCE = "B. Lake et al., Omniglot, https://github.com/brendenlake/omniglot, MIT"  # no text: a source
PENS = 3
"""How often each digit is drawn, with different pens."""
HELD_OUT = 3
"""Writers whose number is a multiple of it are left out of training."""
UNKNOWN_ALPHABET = "Tagalog"
"""The alphabet that is left out of training entirely."""
LIKE_DIGITS: Mapping[str, tuple[int, ...]] = {
    "Balinese": (5,),
    "Early_Aramaic": (1, 2, 3, 4, 6, 9, 10, 12, 14, 16, 17, 19, 20),
    "Greek": (2, 4, 6, 8, 9, 15, 18, 21),
    "Japanese_(katakana)": (8, 24, 27, 43),
    "Korean": (21, 22, 27, 33),
    "Latin": (2, 7, 9, 12, 15, 17, 19, 26),
    "Sanskrit": (13, 37),
    "Tagalog": (3, 4, 16),
}
"""Numbers of the characters that look like digits, by alphabet: in Latin b, g, i, l, o, q, s and z. They are used for nothing."""


@dataclass(frozen=True)
class Written:
    """One recorded digit."""

    digit: int
    writer: int
    strokes: list[Stroke]


def read_digits(path: Path) -> Iterator[Written]:
    """Read digits from a file in UNIPEN's text format, in which y grows upwards."""
    text = gzip.decompress(path.read_bytes()).decode("ascii", "replace")
    for segment in text.split(".SEGMENT")[1:]:
        comment = re.search(r"\.COMMENT\s+(\d+)\s+(\d+)", segment)
        strokes = [
            np.array([[float(x), -float(y)] for x, y in re.findall(r"(-?\d+)\s+(-?\d+)", part.split(".PEN_UP")[0])]) for part in segment.split(".PEN_DOWN")[1:]
        ]
        strokes = [stroke for stroke in strokes if len(stroke)]
        if comment and strokes:
            yield Written(int(comment[1]), int(comment[2]), strokes)


def digits(folder: Path, random: Random) -> tuple[list[Pixels], list[int]]:
    """Draw the recorded digits of the writers that are trained on, each with `PENS` pens: ``(28, 28)`` from 0 to 255, and their labels.

    Both are empty where the file is not in the folder.
    """
    path = folder / DIGITS
    trained_on = [each for each in read_digits(path) if each.writer % HELD_OUT] if path.exists() else []
    return [as_image(each.strokes, random) for each in trained_on for _ in range(PENS)], [each.digit for each in trained_on for _ in range(PENS)]


@dataclass(frozen=True)
class Character:
    """One recorded character."""

    alphabet: str
    number: int
    writer: int
    strokes: list[Stroke]


def read_characters(path: Path) -> Iterator[Character]:
    """Read the characters that look like no digit from one of Omniglot's archives."""
    with zipfile.ZipFile(path) as archive:
        for name in sorted(archive.namelist()):
            place = re.fullmatch(r"[^/]+/([^/]+)/character(\d+)/\d+_(\d+)\.txt", name)
            if place and int(place[2]) not in LIKE_DIGITS.get(place[1], ()):
                yield Character(place[1], int(place[2]), int(place[3]), _strokes_of(archive.read(name).decode("ascii", "replace")))


def _strokes_of(text: str) -> list[Stroke]:
    """Read lines of x, y and milliseconds, in which y grows upwards; a line with BREAK ends a stroke."""
    parts = [re.findall(r"^(-?[\d.]+),(-?[\d.]+)", part, re.MULTILINE) for part in text.split("BREAK")]
    return [np.array(part, dtype=np.float64) * (1, -1) for part in parts if part]


def characters(folder: Path, random: Random) -> list[Pixels]:
    """Draw the recorded characters that are trained on: ``(28, 28)`` from 0 to 255; none where no file is in the folder."""
    every = (each for path in sorted(folder.glob(CHARACTERS)) for each in read_characters(path))
    return [as_image(each.strokes, random) for each in every if each.writer % HELD_OUT and each.alphabet != UNKNOWN_ALPHABET]
