"""Several digits drawn side by side, told apart and read in order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from playground.errors import DrawingError
from playground.inference.preprocessing import INK, Pixels, require_ink

MOST = 8
"""Digits that are read from one drawing, at most."""
PARTS = 60
"""Pieces of ink that are looked at, at most: a number drawn by hand has some ten."""
OVERLAP = 0.5
"""Two pieces belong to one digit when they share more than this part of the narrower one's width: the bar above a 5, the two strokes of a 4."""
SPECK = 0.3
"""A piece lower and narrower than this share of the highest is no digit: it belongs to the nearest one, if that is as near as it is large itself."""

_TOUCHING = np.ones((3, 3), dtype=int)


@dataclass(frozen=True)
class Piece:
    """One of several digits."""

    box: tuple[int, int, int, int]
    """First row, row behind the last, first column, column behind the last, in the drawing's pixels."""
    ink: Pixels
    """(H, W) of the whole drawing, the other digits' ink left out."""


@dataclass(frozen=True)
class _Part:
    """Ink that hangs together, or has been found to belong together."""

    labels: tuple[int, ...]
    top: int
    bottom: int
    left: int
    right: int

    @property
    def height(self) -> int:
        return self.bottom - self.top

    @property
    def width(self) -> int:
        return self.right - self.left

    def joined(self, other: _Part) -> _Part:
        return _Part(
            self.labels + other.labels,
            min(self.top, other.top),
            max(self.bottom, other.bottom),
            min(self.left, other.left),
            max(self.right, other.right),
        )

    def overlap(self, other: _Part) -> float:
        """The width that both cover, as a share of the narrower one's; negative for a gap."""
        return (min(self.right, other.right) - max(self.left, other.left)) / min(self.width, other.width)

    def gap(self, other: _Part) -> float:
        """Pixels between the two, by their boxes."""
        across = max(self.left, other.left) - min(self.right, other.right)
        down = max(self.top, other.top) - min(self.bottom, other.bottom)
        return float(np.hypot(max(across, 0), max(down, 0)))


def segment(ink: Pixels) -> list[Piece]:
    """The digits of a drawing, from left to right.

    Ink that hangs together is one piece; pieces above each other are one digit; a speck belongs to the digit beside it.

    Args:
        ink: (H, W), how much ink lies on each pixel.

    Raises:
        DrawingError: nothing was drawn, or more than `MOST` digits.
    """
    drawn = require_ink(ink)
    labels, count = ndimage.label(drawn > INK * drawn.max(), _TOUCHING)
    if count > PARTS:
        raise _too_many(count)
    parts = [
        _Part((number,), rows.start, rows.stop, columns.start, columns.stop) for number, (rows, columns) in enumerate(ndimage.find_objects(labels), start=1)
    ]
    digits = _without_specks(_stacked(parts))
    if len(digits) > MOST:
        raise _too_many(len(digits))
    ordered = sorted(digits, key=lambda part: part.left + part.right)
    return [Piece((part.top, part.bottom, part.left, part.right), np.where(np.isin(labels, part.labels), drawn, 0)) for part in ordered]


def _too_many(count: int) -> DrawingError:
    return DrawingError(f"These are {count} separate pieces, more than the {MOST} digits that can be read at once.", "Draw fewer, or larger.")


def _stacked(parts: list[_Part]) -> list[_Part]:
    """Parts above each other joined, until none is above another."""
    parts = list(parts)
    found = True
    while found:
        found = False
        for first in range(len(parts)):
            for second in range(first + 1, len(parts)):
                if parts[first].overlap(parts[second]) > OVERLAP:
                    parts[first] = parts[first].joined(parts.pop(second))
                    found = True
                    break
            if found:
                break
    return parts


def _without_specks(parts: list[_Part]) -> list[_Part]:
    """Specks joined to the digit beside them; one that lies alone stays."""
    highest = max(part.height for part in parts)
    whole = [part for part in parts if max(part.height, part.width) >= SPECK * highest]
    for speck in (part for part in parts if max(part.height, part.width) < SPECK * highest):
        nearest = min(range(len(whole)), key=lambda index: whole[index].gap(speck))
        if whole[nearest].gap(speck) <= max(speck.height, speck.width):
            whole[nearest] = whole[nearest].joined(speck)
        else:
            whole.append(speck)
    return whole
