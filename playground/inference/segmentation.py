"""Segmentation: split a drawing of several digits into one image per digit, from left to right."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from playground.data.preprocessing import INK, Pixels, require_ink
from playground.errors import DrawingError
from playground.messages import msg

MAX_DIGITS = 8
"""Largest number of digits in one drawing."""
MAX_COMPONENTS = 60
"""Largest number of connected components: a number drawn by hand has about ten."""
OVERLAP = 0.5
"""Components that overlap by more than this share of the narrower one's width belong to one digit: the bar above a 5, the two strokes of a 4."""
SPECK = 0.3
"""A component smaller than this share of the tallest one is a speck; it joins the nearest digit if the gap is no larger than the speck."""

_NEIGHBOURS = np.ones((3, 3), dtype=int)


@dataclass(frozen=True)
class Piece:
    """One digit of a drawing."""

    box: tuple[int, int, int, int]
    """Rows and columns as (first, last + 1, first, last + 1), in pixels of the drawing."""
    ink: Pixels
    """``(H, W)``: the whole drawing, without the ink of the other digits."""


@dataclass(frozen=True)
class _Part:
    """The bounding box of one or more connected components that belong to one digit."""

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

    def join(self, other: _Part) -> _Part:
        return _Part(
            self.labels + other.labels,
            min(self.top, other.top),
            max(self.bottom, other.bottom),
            min(self.left, other.left),
            max(self.right, other.right),
        )

    def overlap(self, other: _Part) -> float:
        """Return the shared width as a share of the narrower width; negative for a gap."""
        return (min(self.right, other.right) - max(self.left, other.left)) / min(self.width, other.width)

    def gap(self, other: _Part) -> float:
        """Return the distance between the two bounding boxes, in pixels."""
        across = max(self.left, other.left) - min(self.right, other.right)
        down = max(self.top, other.top) - min(self.bottom, other.bottom)
        return float(np.hypot(max(across, 0), max(down, 0)))


def segment(ink: Pixels) -> list[Piece]:
    """Split a drawing into its digits, from left to right.

    Components that lie above each other form one digit; a speck joins the digit beside it.

    Args:
        ink: ``(H, W)``, the amount of ink on each pixel.

    Raises:
        DrawingError: the drawing is empty, or has more than `MAX_DIGITS` digits.
    """
    drawn = require_ink(ink)
    labels, count = ndimage.label(drawn > INK * drawn.max(), _NEIGHBOURS)
    if count > MAX_COMPONENTS:
        raise _too_many(count)
    parts = [
        _Part((number,), rows.start, rows.stop, columns.start, columns.stop) for number, (rows, columns) in enumerate(ndimage.find_objects(labels), start=1)
    ]
    digits = _join_specks(_join_stacked(parts))
    if len(digits) > MAX_DIGITS:
        raise _too_many(len(digits))
    ordered = sorted(digits, key=lambda part: part.left + part.right)
    return [Piece((part.top, part.bottom, part.left, part.right), np.where(np.isin(labels, part.labels), drawn, 0)) for part in ordered]


def _too_many(count: int) -> DrawingError:
    return DrawingError(
        msg("The drawing has {count} separate parts; at most {most} digits can be read at once.", count=count, most=MAX_DIGITS),
        msg("Draw fewer digits, or larger ones."),
    )


def _join_stacked(parts: list[_Part]) -> list[_Part]:
    """Join parts that lie above each other, until no two overlap."""
    parts = list(parts)
    changed = True
    while changed:
        changed = False
        for first in range(len(parts)):
            for second in range(first + 1, len(parts)):
                if parts[first].overlap(parts[second]) > OVERLAP:
                    parts[first] = parts[first].join(parts.pop(second))
                    changed = True
                    break
            if changed:
                break
    return parts


def _join_specks(parts: list[_Part]) -> list[_Part]:
    """Join each speck to the nearest digit; leave a distant speck alone."""
    tallest = max(part.height for part in parts)
    large = [part for part in parts if max(part.height, part.width) >= SPECK * tallest]
    for speck in (part for part in parts if max(part.height, part.width) < SPECK * tallest):
        nearest = min(range(len(large)), key=lambda index: large[index].gap(speck))
        if large[nearest].gap(speck) <= max(speck.height, speck.width):
            large[nearest] = large[nearest].join(speck)
        else:
            large.append(speck)
    return large
