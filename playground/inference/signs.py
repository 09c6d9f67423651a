"""Signs: distinguish dot, comma, minus and plus from digits by their size and place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import ndimage

Mask = np.ndarray[tuple[int, int], np.dtype[np.bool_]]
Kind = Literal["digit", "dot", "comma", "minus", "plus"]
"""What a piece of a drawing is."""

BLOB = 0.2
"""A dot is smaller than this share of the line's height, or than `DOT` pen widths."""
DOT = 1.9
DUST = 0.7
"""What is smaller than so many pen widths was not drawn with the pen."""
ROUND = 1.8
"""A dot is at most so many times as high as wide."""
LOW = 0.72
"""The middle of a dot lies lower than this share of the line's height."""
BELOW, DEEP = 1.1, 1.6
"""A dot ends above the first of these shares of the line's height, a comma above the second."""
MIDDLE = (0.25, 0.75)
"""The middle of minus and plus lies between these shares of the line's height."""
LEVEL = 2.0
"""A bar is level if it is so many times as wide as high."""
CROSSING = 1.25
"""Where two bars cross, the ink reaches so many pen widths from the middle."""
ARM = 0.15
"""Each arm of a plus is at least this share of its size."""
BENT = 0.35
"""An arm of a plus leaves its axis by at most this share of its length, beside the width of the pen."""

SYMBOLS: Mapping[Kind, str] = {"dot": ".", "comma": ",", "minus": "−", "plus": "+"}
"""How each sign is written."""


@dataclass(frozen=True)
class Line:
    """The line of writing, as the digits beside a component show it."""

    top: int
    bottom: int

    @property
    def height(self) -> int:
        return self.bottom - self.top

    def share(self, row: float) -> float:
        """Return how far below the top a row lies, as a share of the height."""
        return (row - self.top) / self.height


def sign_of(mask: Mask, top: int, pen: float, line: Line | None) -> Kind:
    """Tell a sign from a digit.

    Args:
        mask: ``(H, W)``, the ink of one connected component in its bounding box.
        top: the row of the drawing in which it begins.
        pen: width of the pen, in pixels.
        line: None where no digit stands beside it.
    """
    if line is None:
        round_enough = max(mask.shape) <= DOT * pen and mask.shape[0] <= ROUND * mask.shape[1]
        return "dot" if round_enough else "minus" if _is_bar(mask, pen) else "digit"
    middle = line.share(top + mask.shape[0] / 2)
    if middle >= LOW:
        return _point(mask, top, pen, line)
    if not MIDDLE[0] <= middle <= MIDDLE[1]:
        return "digit"
    if _is_bar(mask, pen) and 0.2 * line.height <= mask.shape[1] <= 1.2 * line.height:
        return "minus"
    return "plus" if 0.25 * line.height <= max(mask.shape) <= 0.95 * line.height and _is_cross(mask, pen) else "digit"


def _is_bar(mask: Mask, pen: float) -> bool:
    """Return whether this is one level stroke."""
    height, width = mask.shape
    return width >= LEVEL * max(height, 1.2 * pen) and mask.sum() <= 1.5 * pen * width


def _is_cross(mask: Mask, pen: float) -> bool:
    """Return whether four straight arms of about one length meet: without the crossing they are four pieces."""
    size = max(mask.shape)
    if min(mask.shape) < 0.5 * size or size < 3 * pen:
        return False
    depth = ndimage.gaussian_filter(ndimage.distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1], pen / 4)
    row, column = np.unravel_index(depth.argmax(), mask.shape)
    down, right = np.ogrid[: mask.shape[0], : mask.shape[1]]
    arms, count = ndimage.label(mask & (np.hypot(down - row, right - column) > CROSSING * pen), np.ones((3, 3)))
    if count != 4:
        return False
    directions = set()
    for arm in range(1, 5):
        rows, columns = np.nonzero(arms == arm)
        across, along = sorted((np.ptp(rows) + 1, np.ptp(columns) + 1))
        if along < ARM * size or across > pen + BENT * along:
            return False
        away = (float(rows.mean() - row), float(columns.mean() - column))
        vertical = abs(away[0]) > abs(away[1])
        directions.add((vertical, away[0 if vertical else 1] > 0))
    return len(directions) == 4


def _point(mask: Mask, top: int, pen: float, line: Line) -> Kind:
    """Tell a dot and a comma from a digit, for what lies low."""
    height, width = mask.shape
    start, end = line.share(top), line.share(top + height)
    if end > DEEP or width > 2 * height or max(height, width) < DUST * pen:
        return "digit"
    small = max(height, width) <= max(DOT * pen, BLOB * line.height)
    if small and (end <= BELOW or height <= 1.2 * width) and height <= ROUND * width:
        return "dot"
    slim = 1.2 * width <= height <= 0.45 * line.height and width <= max(2 * pen, 0.3 * line.height)
    return "comma" if slim and start > 0.55 else "digit"
