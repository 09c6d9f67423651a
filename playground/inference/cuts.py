"""Cuts: the thin places at which a piece of ink may be divided, because two digits touch there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from playground.inference.signs import Mask

SLANTS = (-0.3, 0.0, 0.3)
"""Columns that a cut moves to the right in each row: digits lean to both sides."""
STRAY = 1.0
"""Pen widths by which a cut may leave its line, to pass through a thin place."""
BEND = 0.6
"""Cost of each column aside, in pixels of ink: of two cuts through equally much ink the straighter one is taken."""
HOLE = 0.25
"""Cost of each pixel in a hole, in pixels of ink: a cut through the loop of an 8 goes through less ink than one between two digits."""
APART = 0.3
"""Least ink between two cuts, as a share of that of a straight stroke of the piece's height."""
FINEST = 150
"""Rows to which a higher piece is thinned out, which bounds the time."""

_Integers = np.ndarray[tuple[int, ...], np.dtype[np.int64]]
_Floats = np.ndarray[tuple[int, ...], np.dtype[np.float64]]


@dataclass(frozen=True, eq=False)
class Cut:
    """A way from the upper to the lower edge of a piece of ink."""

    columns: _Integers
    """``(H,)``: in each row the first column on its right side."""
    ink: float
    """The ink that it goes through, in pen widths."""


def pen_width(mask: Mask) -> float:
    """Estimate the width of the pen in pixels: across a stroke, the mean distance to the edge is a quarter of its width."""
    inner = ndimage.distance_transform_edt(np.pad(mask, 1))
    return max(1.0, 4 * float(inner[inner > 0].mean()) - 2)


def find_cuts(mask: Mask, pen: float, most: int) -> list[Cut]:
    """Find the cuts that go through the least ink, from left to right.

    Args:
        mask: ``(H, W)``, where there is ink.
        pen: width of the pen, in pixels.
        most: largest number of cuts.
    """
    height, step = mask.shape[0], 1 + mask.shape[0] // FINEST
    thinned, pen = mask[::step, ::step], max(1.0, pen / step)
    columns, costs, left = _ways(thinned, pen)
    chosen: list[int] = []
    for index in np.argsort(costs, kind="stable"):
        if len(chosen) < most and all(_is_another(left[other] - left[index], pen) for other in chosen):
            chosen.append(int(index))
    chosen.sort(key=lambda index: float(columns[index].mean()))
    return [Cut(np.repeat(columns[index], step)[:height] * step, float(costs[index]) / pen) for index in chosen]


def _is_another(between: _Integers, pen: float) -> bool:
    """Return whether two cuts divide the ink differently without crossing; `between` is the signed ink between them in each row, ``(H,)``."""
    crossing = min(int(between.clip(min=0).sum()), int((-between).clip(min=0).sum()))
    return abs(int(between.sum())) >= APART * len(between) * pen and crossing <= 0.1 * pen**2


def _ways(mask: Mask, pen: float) -> tuple[_Integers, _Floats, _Integers]:
    """Find the cheapest way beside each of many lines that leaves ink on both sides.

    Returns:
        ``(K, H)`` the first column to the right, ``(K,)`` costs in pixels of ink, and ``(K, H)`` the ink to the left.
    """
    height, width = mask.shape
    reach, step = max(1, round(STRAY * pen)), max(1, round(pen / 3))
    rows = np.arange(height)
    middles = np.arange(step, width, step)
    lines = np.concatenate([middles[:, None] + np.round(slant * (rows - height / 2)).astype(np.int64) for slant in SLANTS])  # (K, H)
    places = lines[:, :, None] + np.arange(-reach, reach + 1)  # (K, H, offsets)
    offsets, costs = _cheapest(_costs(mask)[rows[None, :, None], places.clip(0, width)])
    columns = lines + offsets - reach
    cumulated = np.pad(mask.cumsum(axis=1), ((0, 0), (1, 0)))  # (H, W + 1)
    left: _Integers = cumulated[rows, columns.clip(0, width)]
    share = left.sum(axis=1)
    divides = (share >= pen**2) & (share <= mask.sum() - pen**2)
    return columns[divides], costs[divides], left[divides]


def _costs(mask: Mask) -> _Floats:
    """Return what a cut to the left of each column costs in each row: ``(H, W + 1)``."""
    costs = np.zeros((mask.shape[0], mask.shape[1] + 1))
    costs[:, 1:-1] = mask[:, 1:] & mask[:, :-1]
    costs[:, :-1] += HOLE * (ndimage.binary_fill_holes(mask) & ~mask)
    return costs


def _cheapest(costs: _Floats) -> tuple[_Integers, _Floats]:
    """Find the cheapest way down through each strip by dynamic programming: ``(K, H, offsets)`` → ``(K, H)`` offsets and ``(K,)`` costs."""
    total, moves = costs[:, 0], np.zeros(costs.shape, dtype=np.int8)
    for row in range(1, costs.shape[1]):
        beside = np.pad(total, ((0, 0), (1, 1)), constant_values=np.inf)
        left, right = beside[:, :-2] + BEND, beside[:, 2:] + BEND
        moves[:, row] = np.where(total <= np.minimum(left, right), 0, np.where(left <= right, -1, 1))
        total = np.minimum(total, np.minimum(left, right)) + costs[:, row]
    ways = np.arange(len(costs))
    offsets = np.empty(costs.shape[:2], dtype=np.int64)
    offsets[:, -1] = total.argmin(axis=1)
    for row in range(costs.shape[1] - 1, 0, -1):
        offsets[:, row - 1] = offsets[:, row] + moves[ways, row, offsets[:, row]]
    return offsets, total.min(axis=1)
