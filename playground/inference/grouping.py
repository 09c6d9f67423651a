"""Grouping: which neighbouring atoms of ink are one digit, by what a network makes of each group, by its size, and by the cuts around it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from heapq import nlargest
from itertools import combinations, pairwise

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
EACH_WIDTH, EACH_SHORTAGE, EACH_GAP = 3.0, 4.0, 3.0
"""What counts against a group, in natural logarithms of probability, for a height of the line: of additional width, of lacking height, between two parts."""
EACH_CUT, EACH_INK, EACH_STROKE = 0.6, 0.2, -0.15
"""The same for a cut, and for a pen width of the ink that it goes through. Where another stroke begins beside the last one, it is rather another digit."""
READINGS = 30
"""Readings of the atoms up to one that are followed further."""
OVERLAP = 0.5
"""Strokes that overlap by more than this share of the narrower one's width belong to one digit: the body of a 5 and its bar."""


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
    faults: dict[int, float]
    """Atom → what counts against dividing it from the one before, within a part."""

    def boxes(self) -> list[_Box]:
        """Return rows and columns of each atom as (first, last + 1, first, last + 1)."""
        return [(rows.start, rows.stop, columns.start, columns.stop) for rows, columns in ndimage.find_objects(self.labels)]


@dataclass(frozen=True)
class _Division:
    """A part, divided."""

    numbers: Labels
    """``(h, w)``: the number of the piece, counted from 0."""
    faults: tuple[float, ...]
    """What counts against each division."""


def divide(parts: Labels, drawn: Pixels, pen: float, height: int, classify: Classify, strokes: Labels | None = None) -> Atoms:
    """Divide the parts of a drawing into their strokes; where a part is one stroke, or the strokes are not known, at thin places.

    There are at most about `MAX_GROUPS` groups of the atoms.

    Args:
        parts: ``(H, W)``: the number of the part, counted from 1 from left to right; 0 where there is none.
        drawn: ``(H, W)``, the amount of ink on each pixel.
        pen: width of the pen, in pixels.
        height: of the line of writing, in pixels.
        classify: the network, whose probabilities are about equal for what is no digit.
        strokes: ``(H, W)``: the number of the stroke that drew the pixel last; 0 where there is none.
    """
    boxes = ndimage.find_objects(parts)
    masks = [parts[box] == number for number, box in enumerate(boxes, start=1)]
    uncut = [_at_cuts(mask, []) for mask in masks]
    whole = _atoms(parts.shape, boxes, masks, uncut)
    groups = [group for group in candidates(whole, height) if group.first == group.last]
    _, scores = _judged(groups, whole, drawn, classify)
    written = [None if strokes is None else _at_strokes(mask, strokes[box], pen) for mask, box in zip(masks, boxes, strict=True)]
    doubtful = [score < -EACH_CUT for score in scores]  # else no group after a cut could be better
    cuts = [_cuts_of(mask, pen, height) if doubt and not known else [] for mask, doubt, known in zip(masks, doubtful, written, strict=True)]
    thinnest = sorted((cut for some in cuts for cut in some), key=lambda cut: cut.ink)
    while True:
        kept = [_at_cuts(mask, [cut for cut in some if cut in thinnest]) for mask, some in zip(masks, cuts, strict=True)]
        atoms = _atoms(parts.shape, boxes, masks, [known or cut for known, cut in zip(written, kept, strict=True)])
        if len(candidates(atoms, height)) <= MAX_GROUPS:
            return atoms
        if not thinnest:
            return whole
        thinnest = thinnest[: len(thinnest) * 3 // 4]


@dataclass(frozen=True)
class Way:
    """A way to group the atoms, from left to right."""

    groups: tuple[Group, ...] = ()
    score: float = 0.0
    """How much its groups look like digits: a sum of logarithms of probability."""
    shared: float = 0.0
    """The same of all ways with the same reading, together."""

    def then(self, group: Group, score: float) -> Way:
        return Way((*self.groups, group), self.score + score, self.shared + score)

    def joined(self, other: Way) -> Way:
        """Return the better one of two ways with the same reading, which stands for both."""
        return replace(max(self, other, key=lambda way: way.score), shared=float(np.logaddexp(self.shared, other.shared)))


def best_groups(atoms: Atoms, drawn: Pixels, height: int, classify: Classify) -> tuple[tuple[Group, ...], float]:
    """Return the groups, from left to right, that together look most like digits, and the probability of their reading among all readings.

    The arguments are those of `divide`.
    """
    groups = candidates(atoms, height)
    readings: list[dict[tuple[int, ...], Way]] = [{(): Way()}]  # for the atoms up to each one, by the classes of the groups
    judged = list(zip(groups, *_judged(groups, atoms, drawn, classify), strict=True))
    for last in range(1, atoms.parts[-1][1] + 1):
        found: dict[tuple[int, ...], Way] = {}
        for group, label, score in (each for each in judged if each[0].last == last):
            for before, way in readings[group.first - 1].items():
                reading, longer = (*before, label), way.then(group, score)
                found[reading] = found[reading].joined(longer) if reading in found else longer
        readings.append(dict(nlargest(READINGS, found.items(), key=lambda item: item[1].shared)))
    best = max(readings[-1].values(), key=lambda way: way.score)
    return best.groups, float(np.exp(best.shared - np.logaddexp.reduce([way.shared for way in readings[-1].values()])))


def _judged(groups: list[Group], atoms: Atoms, drawn: Pixels, classify: Classify) -> tuple[list[int], list[float]]:
    """Return the class of each group, and how much it looks like a digit: the logarithm of the highest probability, less its fault."""
    probabilities, labels = classify(torch.stack([to_digit(_cropped(group, atoms, drawn)).input for group in groups])).max(dim=1)
    return labels.tolist(), [score - group.fault for score, group in zip(probabilities.clamp(min=1e-6).log().tolist(), groups, strict=True)]


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
    width = (right - left) / max(height, bottom - top)
    fault = EACH_WIDTH * max(0.0, width - WIDE) + EACH_SHORTAGE * max(0.0, SHORT - (bottom - top) / height)
    fault += atoms.faults.get(first, 0.0)
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


def _at_cuts(mask: Mask, cuts: list[Cut]) -> _Division:
    numbers = np.zeros(mask.shape, dtype=np.int64)
    for cut in cuts:
        numbers += np.arange(mask.shape[1]) >= cut.columns[:, None]
    return _Division(numbers, tuple(EACH_CUT + EACH_INK * cut.ink for cut in cuts))


def _at_strokes(mask: Mask, strokes: Labels, pen: float) -> _Division | None:
    """Divide a part where another stroke begins; None where its strokes lie above each other, are too many, or one is hardly more than a blot."""
    drawn = np.where(mask, strokes, 0)
    spans = [_Span(columns.start, columns.stop, (number,)) for number, columns in _columns_of(drawn)]
    while pair := next((pair for pair in combinations(spans, 2) if pair[0].overlap(pair[1]) > OVERLAP), None):
        spans = [span for span in spans if span not in pair] + [pair[0].join(pair[1])]
    spans.sort(key=lambda span: span.left + span.right)
    pieces = [np.isin(drawn, span.strokes) for span in spans]
    if not 2 <= len(pieces) <= MAX_CUTS or min(int(piece.sum()) for piece in pieces) < pen**2:
        return None
    return _Division(np.einsum("nhw,n->hw", np.stack(pieces), np.arange(len(pieces))), (EACH_STROKE,) * (len(pieces) - 1))


def _columns_of(numbers: Labels) -> list[tuple[int, slice]]:
    """Return each number that there is with its columns."""
    return [(number, box[1]) for number, box in enumerate(ndimage.find_objects(numbers), start=1) if box]


@dataclass(frozen=True)
class _Span:
    """The columns of one or more strokes."""

    left: int
    right: int
    strokes: tuple[int, ...]

    def overlap(self, other: _Span) -> float:
        """Return the columns that both have, as a share of those of the narrower one."""
        return (min(self.right, other.right) - max(self.left, other.left)) / min(self.right - self.left, other.right - other.left)

    def join(self, other: _Span) -> _Span:
        return _Span(min(self.left, other.left), max(self.right, other.right), self.strokes + other.strokes)


def _atoms(shape: tuple[int, ...], boxes: list[tuple[slice, slice]], masks: list[Mask], divisions: list[_Division]) -> Atoms:
    """Number the pieces of all parts."""
    labels = np.zeros((shape[0], shape[1]), dtype=np.int64)
    spans: list[tuple[int, int]] = []
    faults: dict[int, float] = {}
    for box, mask, division in zip(boxes, masks, divisions, strict=True):
        first = spans[-1][1] + 1 if spans else 1
        labels[box] += np.where(mask, first + division.numbers, 0)
        spans.append((first, first + len(division.faults)))
        faults |= {first + place: fault for place, fault in enumerate(division.faults, start=1)}
    return Atoms(labels, spans, faults)


def _around(boxes: list[_Box]) -> _Box:
    tops, bottoms, lefts, rights = zip(*boxes, strict=True)
    return min(tops), max(bottoms), min(lefts), max(rights)


def _cropped(group: Group, atoms: Atoms, drawn: Pixels) -> Pixels:
    top, bottom, left, right = group.box
    numbers = atoms.labels[top:bottom, left:right]
    return np.where((numbers >= group.first) & (numbers <= group.last), drawn[top:bottom, left:right], 0.0)
