"""Grouping: which neighbouring atoms of ink are one digit, by what a network makes of each group, by its size, and by the cuts around it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

from playground.data.preprocessing import Pixels, to_digit
from playground.inference.cuts import Cut, find_cuts
from playground.inference.signs import Mask

Classify = Callable[[Tensor], Tensor]
"""``(N, 1, 28, 28)`` uint8 → ``(N, classes)`` probabilities."""

MAX_GROUPS = 60
"""Largest number of groups that the network is shown."""
MAX_CUTS = 8
"""Largest number of cuts through one part."""
NARROW = 0.45
"""A part narrower than this share of the line's height is never cut."""
CUTS = 6
"""Cuts that are tried in a part as wide as the line is high."""
WIDE, TOO_WIDE = 0.9, 1.6
"""Widths in heights of the line: from the first on a group looks less like one digit, from the second on only a whole part may be one."""
SHORT = 0.75
"""A piece lower than this share of the line's height looks less like a digit."""
JOINED = 1.2
"""Width of two parts together up to which they may be one digit, in heights of the line."""
GAP = 0.25
"""Largest gap inside a digit, in heights of the line: the bar of a 5 hangs to the right of its body."""
EACH_WIDTH, EACH_SHORTAGE, EACH_CUT, EACH_INK, EACH_GAP = 3.0, 4.0, 0.5, 0.2, 3.0
"""What counts against a group, in natural logarithms of probability: a height of the line of additional width, or of lacking height;
a cut, a pen width of the ink that it goes through; a height of the line between two parts."""


Labels = np.ndarray[tuple[int, int], np.dtype[np.int64]]
_Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Group:
    """Neighbouring atoms that may be one digit."""

    first: int
    last: int
    """Numbers of its first and last atom."""
    box: _Box
    """Rows and columns as (first, last + 1, first, last + 1)."""
    fault: float
    """What counts against it, whatever it looks like."""


@dataclass(frozen=True)
class Atoms:
    """Pieces of ink that are not divided any further, numbered from 1, from left to right."""

    labels: Labels
    """``(H, W)``: the number of the atom; 0 where there is none."""
    parts: list[tuple[int, int]]
    """Numbers of the first and last atom of each part."""
    cuts: dict[int, float]
    """Atom → pen widths of ink in the cut that divides it from the one before, within a part."""

    def boxes(self) -> list[_Box]:
        """Return rows and columns of each atom as (first, last + 1, first, last + 1)."""
        return [(rows.start, rows.stop, columns.start, columns.stop) for rows, columns in ndimage.find_objects(self.labels)]


def divide(parts: Labels, drawn: Pixels, pen: float, height: int, classify: Classify) -> Atoms:
    """Divide the parts of a drawing that may be several digits at their thin places, as long as there are not too many groups.

    Args:
        parts: ``(H, W)``: the number of the part, counted from 1 from left to right; 0 where there is none.
        drawn: ``(H, W)``, the amount of ink on each pixel.
        pen: width of the pen, in pixels.
        height: of the line of writing, in pixels.
        classify: the network, whose probabilities are about equal for what is no digit.
    """
    boxes = ndimage.find_objects(parts)
    whole = _atoms(parts, boxes, [[] for _ in boxes])
    groups = [group for group in candidates(whole, height) if group.first == group.last]
    scores = _scores(groups, whole, drawn, classify)
    doubtful = [score < -EACH_CUT for score in scores]  # else no group after a cut could be better
    cuts = [_cuts_of(parts[box] == number, pen, height) if doubtful[number - 1] else [] for number, box in enumerate(boxes, start=1)]
    thinnest = sorted((cut for some in cuts for cut in some), key=lambda cut: cut.ink)
    while True:
        atoms = _atoms(parts, boxes, [[cut for cut in some if cut in thinnest] for some in cuts])
        if not thinnest or len(candidates(atoms, height)) <= MAX_GROUPS:
            return atoms
        thinnest = thinnest[: len(thinnest) * 3 // 4]


def best_groups(atoms: Atoms, drawn: Pixels, height: int, classify: Classify) -> list[Group]:
    """Return the groups, from left to right, that together look most like digits; the arguments are those of `divide`."""
    groups = candidates(atoms, height)
    best: dict[int, tuple[float, list[Group]]] = {0: (0.0, [])}  # the best way to group the atoms up to this one
    for group, score in zip(groups, _scores(groups, atoms, drawn, classify), strict=True):  # sorted by their last atom
        before, chosen = best[group.first - 1]
        if group.last not in best or before + score > best[group.last][0]:
            best[group.last] = (before + score, [*chosen, group])
    return best[atoms.parts[-1][1]][1]


def _scores(groups: list[Group], atoms: Atoms, drawn: Pixels, classify: Classify) -> list[float]:
    """Return how much each group looks like a digit: the logarithm of the highest probability, less its fault."""
    probabilities = classify(torch.stack([to_digit(_cropped(group, atoms, drawn)).input for group in groups])).max(dim=1).values
    return [score - group.fault for score, group in zip(probabilities.clamp(min=1e-6).log().tolist(), groups, strict=True)]


def candidates(atoms: Atoms, height: int) -> list[Group]:
    """Return every group that may be a digit by its size; those that end with the same atom stand together, from left to right."""
    boxes, groups = atoms.boxes(), []
    for last in range(1, len(boxes) + 1):
        for first in range(1, last + 1):
            fault = _fault(atoms, boxes, first, last, height)
            if fault is not None:
                groups.append(Group(first, last, _around(boxes[first - 1 : last]), fault))
    return groups


def _fault(atoms: Atoms, boxes: list[_Box], first: int, last: int, height: int) -> float | None:
    """Return what counts against a group; None if it cannot be a digit."""
    top, bottom, left, right = _around(boxes[first - 1 : last])
    width, cut = (right - left) / max(height, bottom - top), atoms.cuts.get(first)
    fault = EACH_WIDTH * max(0.0, width - WIDE) + EACH_SHORTAGE * max(0.0, SHORT - (bottom - top) / height)
    fault += 0.0 if cut is None else EACH_CUT + EACH_INK * cut
    if (first, last) in atoms.parts:
        return fault
    inside = [_around(boxes[max(first, start) - 1 : min(last, end)]) for start, end in atoms.parts if start <= last and end >= first]
    if last > first and (len(inside) > 2 or width > (TOO_WIDE if len(inside) == 1 else JOINED)):
        return None
    for one, other in pairwise(inside):
        gap = max(0, other[2] - one[3]) / height
        if gap > GAP or min(one[1] - one[0], other[1] - other[0]) > SHORT * height:
            return None
        fault += EACH_GAP * gap
    return fault


def _cuts_of(mask: Mask, pen: float, height: int) -> list[Cut]:
    width = mask.shape[1] / height
    return find_cuts(mask, pen, min(MAX_CUTS, int(np.ceil(CUTS * width)))) if width > NARROW else []


def _atoms(parts: Labels, boxes: list[tuple[slice, slice]], cuts: list[list[Cut]]) -> Atoms:
    """Number the pieces between the cuts."""
    labels = np.zeros_like(parts)
    spans: list[tuple[int, int]] = []
    inks: dict[int, float] = {}
    for number, (box, some) in enumerate(zip(boxes, cuts, strict=True), start=1):
        first = spans[-1][1] + 1 if spans else 1
        mask = parts[box] == number
        crossed = sum((np.arange(mask.shape[1]) >= cut.columns[:, None] for cut in some), np.zeros(mask.shape, dtype=np.int64))
        labels[box] += np.where(mask, first + crossed, 0)
        spans.append((first, first + len(some)))
        inks |= {first + place: cut.ink for place, cut in enumerate(some, start=1)}
    return Atoms(labels, spans, inks)


def _around(boxes: list[_Box]) -> _Box:
    tops, bottoms, lefts, rights = zip(*boxes, strict=True)
    return min(tops), max(bottoms), min(lefts), max(rights)


def _cropped(group: Group, atoms: Atoms, drawn: Pixels) -> Pixels:
    top, bottom, left, right = group.box
    numbers = atoms.labels[top:bottom, left:right]
    return np.where((numbers >= group.first) & (numbers <= group.last), drawn[top:bottom, left:right], 0.0)
