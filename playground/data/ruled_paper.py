"""Ruled paper: remove the lines of lined and squared paper from the ink of a photograph."""

from __future__ import annotations

import math

import numpy as np
from scipy import ndimage

RULE_SHARE = 0.4
"""Share of the picture's width that a line of lined paper spans at least."""
RULE_WIDTH = 0.02
"""Largest thickness of such a line, as a share of the picture's shorter side."""
SLOPES = tuple(sorted((float(slope) for slope in np.linspace(-0.12, 0.12, 49)), key=abs))
"""Slopes that such a line may have, the flattest first."""
MAX_POINTS = 20_000
"""Pixels by which the slope is found."""
PASSES = 2
"""How often lines are looked for: seen from the side, those of one sheet have several slopes."""
CROSSING = 0.04
"""Longest gap in such a line where a stroke crosses it, as a share of the picture's width."""
INTERRUPTION = 0.3
"""Longest gap behind which it goes on, likewise, where a thick digit lies on it …"""
COVERED = 0.7
"""… and the share of its length that is seen at least: the bars of several sevens are no line."""
MANY_RULES = 3
"""From so many lines on they are lines of the paper even if they are as thick as the pen."""
THIN = 0.5
"""A single line is one of the paper if it is thinner than this share of the pen."""

Mask = np.ndarray[tuple[int, int], np.dtype[np.bool_]]

_NEIGHBOURS = np.ones((3, 3), dtype=int)


def without_rules(mask: Mask) -> Mask:
    """Remove the lines of lined and squared paper, but not where a stroke crosses them.

    Source: staff lines are found by their length and thickness, C. Dalitz et al., A comparative study of staff removal algorithms, 2008
    """
    removed, count = np.zeros_like(mask), 0
    for _ in range(PASSES):
        level, level_count = _rules(mask & ~removed)
        upright, upright_count = _rules((mask & ~removed & ~level).T)  # where two lines cross, each is as long as a stroke
        removed |= level | upright.T
        count += level_count + upright_count
    remaining = mask & ~removed
    width = thickness(removed)
    if count < MANY_RULES and width > THIN * thickness(remaining):
        return mask  # a single line as thick as the pen is the bar of a seven
    return mask & _closing(remaining, (round(width) + 2,) * 2)


def _rules(mask: Mask) -> tuple[Mask, int]:
    """Return the pixels of nearly level lines across the picture that no stroke crosses, and the number of these lines."""
    most = max(2, round(RULE_WIDTH * min(mask.shape)))
    slope = _slope(mask & ~_opening(mask, (most + 1, 1)))
    rules, count = _level_rules(_sheared(mask, slope), most)
    return _sheared(rules, -slope), count


def _slope(mask: Mask) -> float:
    """Return the slope of the lines that most pixels lie on.

    Source: W. Postl, Detection of linear oblique structures and skew scan in digitized documents, 1986
    """
    rows, columns = np.nonzero(mask)
    every = max(1, len(rows) // MAX_POINTS)
    rows, columns = rows[::every], columns[::every]

    def sharpness(slope: float) -> int:
        return int((np.bincount((rows - slope * columns + mask.shape[1]).astype(int)) ** 2).sum())

    return max(SLOPES, key=sharpness)


def _sheared(mask: Mask, slope: float) -> Mask:
    """Move each column up by the slope, so that a line of this slope becomes level."""
    columns = np.arange(mask.shape[1])
    rows = np.arange(mask.shape[0])[:, None] + np.round(slope * columns).astype(int)
    sheared: Mask = mask[rows % mask.shape[0], columns]
    return sheared


def _level_rules(mask: Mask, most: int) -> tuple[Mask, int]:
    """Do the same for lines that are level and at most so thick."""
    width = mask.shape[1]
    thin = mask & ~_opening(mask, (most + 1, 1))
    slanted = ndimage.maximum_filter(thin, (3, 1))
    joined = _closing(slanted, (1, max(3, round(CROSSING * width))))  # strokes cross it
    runs = _opening(joined, (1, max(3, round(1.5 * CROSSING * width))))
    labels, _ = ndimage.label(_closing(runs, (1, max(3, round(INTERRUPTION * width)))), _NEIGHBOURS)
    rules, length = [], 0
    for number, place in enumerate(ndimage.find_objects(labels), start=1):
        covered = int((runs[place] & (labels[place] == number)).any(axis=0).sum())
        if covered >= RULE_SHARE * width and covered >= COVERED * (place[1].stop - place[1].start):
            rules.append(number)
            length += covered
    zone = thin & np.isin(labels, rules)
    if not rules:
        return zone, 0
    return zone & ~_opening(mask, (math.ceil(1.5 * zone.sum() / length) + 2, 1)), len(rules)


def thickness(mask: Mask) -> float:
    """Return the width of the strokes: on average, a pixel of a stroke is a quarter of its width away from its edge."""
    return 4 * float(ndimage.distance_transform_cdt(mask)[mask].mean()) if mask.any() else 0.0


def _opening(mask: Mask, size: tuple[int, int]) -> Mask:
    """Keep the pixels that a rectangle covers which lies in the mask altogether."""
    least = ndimage.minimum_filter(mask, size, mode="constant")
    opened: Mask = ndimage.maximum_filter(least, size, mode="constant", origin=tuple(-1 if length % 2 == 0 else 0 for length in size))
    return opened


def _closing(mask: Mask, size: tuple[int, int]) -> Mask:
    """Fill what no rectangle outside of the mask covers."""
    return ~_opening(~mask, size)
