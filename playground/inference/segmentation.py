"""Segmentation: split a drawing of a number into its digits and signs, from left to right.

Connected components that lie above each other are one digit; a dot, a comma, a minus and a plus are recognised by their size and place. Where digits
touch, components are divided between strokes of the pen or at thin places, and of all ways to group the pieces the one is taken whose groups look
most like digits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from playground.data.preprocessing import INK, Pixels, require_ink
from playground.errors import DrawingError
from playground.inference.cuts import pen_width
from playground.inference.grouping import Classify, Labels, best_groups, divide
from playground.inference.signs import DUST, Kind, Line, Mask, sign_of
from playground.messages import msg

MAX_DIGITS = 8
"""Largest number of digits in one drawing."""
MAX_COMPONENTS = 60
"""Largest number of connected components: a number drawn by hand has about ten."""
OVERLAP = 0.5
"""Components that overlap by more than this share of the narrower one's width belong to one digit: the bar above a 5, the two strokes of a 4."""
SPECK = 0.3
"""A component smaller than this share of the tallest one is a speck; it joins the nearest digit if the gap is no larger than the speck, or if the
speck was not drawn with the pen."""
TALL = 0.5
"""Components of this share of the tallest one's height show where the line of writing is."""
BESIDE = 0.3
"""Minus and plus overlap with no other component by more than this share of the narrower one's width."""
WIDE = 1.3
"""A piece wider than so many heights of the line is wider than a digit."""

_NEIGHBOURS = np.ones((3, 3), dtype=int)


@dataclass(frozen=True)
class Piece:
    """One digit or sign of a drawing."""

    kind: Kind
    box: tuple[int, int, int, int]
    """Rows and columns as (first, last + 1, first, last + 1), in pixels of the drawing."""
    crop: Pixels
    """The ink of the piece in its box, without that of the other pieces."""
    paper: tuple[int, int]
    """Height and width of the drawing."""
    too_wide: bool
    """Whether it is wider than a digit: perhaps it is several that could not be separated."""
    share: float = 1.0
    """Probability, among all readings, of the one for which it was cut or joined; 1 of a connected component as it is."""

    @property
    def ink(self) -> Pixels:
        """``(H, W)``: the whole drawing, without the ink of the other pieces."""
        top, bottom, left, right = self.box
        drawing = np.zeros(self.paper)
        drawing[top:bottom, left:right] = self.crop
        return drawing


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

    @property
    def middle(self) -> float:
        return (self.left + self.right) / 2

    @property
    def rows(self) -> slice:
        return slice(self.top, self.bottom)

    @property
    def columns(self) -> slice:
        return slice(self.left, self.right)

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


def segment(ink: Pixels, classify: Classify | None = None, strokes: Labels | None = None) -> list[Piece]:
    """Split a drawing into its digits and signs, from left to right.

    Args:
        ink: ``(H, W)``, the amount of ink on each pixel.
        classify: a network trained on digits, which separates digits that touch; without it they remain one piece.
        strokes: ``(H, W)``: the number of the stroke of the pen that drew the pixel last, where that is known; 0 where there is none.

    Raises:
        DrawingError: the drawing is empty, or has more than `MAX_DIGITS` digits.
    """
    drawn = require_ink(ink)
    labels, count = ndimage.label(drawn > INK * drawn.max(), _NEIGHBOURS)
    if count > MAX_COMPONENTS:
        raise _too_many(count)
    components = [
        _Part((number,), rows.start, rows.stop, columns.start, columns.stop) for number, (rows, columns) in enumerate(ndimage.find_objects(labels), start=1)
    ]
    pen = pen_width(labels > 0)
    kinds = [_kind_of(part, components, labels, pen) for part in components]
    signs = [part for part, kind in zip(components, kinds, strict=True) if kind != "digit"]
    digits = _join_specks(_join_stacked([part for part, kind in zip(components, kinds, strict=True) if kind == "digit"]), DUST * pen)
    if len(digits) > 2 * MAX_DIGITS:
        raise _too_many(len(digits))
    height = max((part.height for part in digits), default=1)
    pieces = [_piece(kinds[part.labels[0] - 1], np.isin(labels, part.labels), drawn, height) for part in signs]
    for parts in _between(signs, sorted(digits, key=lambda part: part.middle)):
        pieces += [_piece("digit", mask, drawn, height, share) for mask, share in _separated(parts, labels, drawn, pen, height, classify, strokes)]
    if sum(piece.kind == "digit" for piece in pieces) > MAX_DIGITS or len(pieces) > 2 * MAX_DIGITS:
        raise _too_many(len(pieces))
    return sorted(pieces, key=lambda piece: piece.box[2] + piece.box[3])


def _kind_of(part: _Part, components: list[_Part], labels: Labels, pen: float) -> Kind:
    """Tell a sign from a digit by the nearest tall components on its left and on its right."""
    others = [other for other in components if other is not part]
    tall = [other for other in others if other.height >= TALL * max(each.height for each in components)]
    left, right = ([other for other in tall if (other.middle < part.middle) == before] for before in (True, False))
    beside = [min(side, key=lambda other: abs(other.middle - part.middle)) for side in (left, right) if side]
    line = Line(min(other.top for other in beside), max(other.bottom for other in beside)) if beside else None
    kind = sign_of(labels[part.rows, part.columns] == part.labels[0], part.top, pen, line)
    if kind in ("minus", "plus") and any(part.overlap(other) > BESIDE for other in others):
        return "digit"
    return kind


def _between(signs: list[_Part], digits: list[_Part]) -> list[list[_Part]]:
    """Divide the digits, from left to right, at the signs."""
    places = [sum(sign.middle < digit.middle for sign in signs) for digit in digits]
    return [[digit for digit, place in zip(digits, places, strict=True) if place == one] for one in sorted(set(places))]


def _separated(
    parts: list[_Part], labels: Labels, drawn: Pixels, pen: float, height: int, classify: Classify | None, strokes: Labels | None
) -> list[tuple[Mask, float]]:
    """Return the ``(H, W)`` mask of each digit of neighbouring parts, with its `Piece.share`."""
    if classify is None:
        return [(np.isin(labels, part.labels), 1.0) for part in parts]
    numbers = np.zeros(labels.max() + 1, dtype=np.int64)
    for number, part in enumerate(parts, start=1):
        numbers[list(part.labels)] = number
    atoms = divide(numbers[labels], drawn, pen, height, classify, strokes)
    groups, share = best_groups(atoms, drawn, height, classify)
    whole = {first for first, last in atoms.parts if first == last}
    return [
        ((atoms.labels >= group.first) & (atoms.labels <= group.last), 1.0 if group.first == group.last and group.first in whole else share) for group in groups
    ]


def _piece(kind: Kind, mask: Mask, drawn: Pixels, height: int, share: float = 1.0) -> Piece:
    ((rows, columns),) = ndimage.find_objects(mask.astype(np.int64))
    box = (rows.start, rows.stop, columns.start, columns.stop)
    return Piece(kind, box, np.where(mask[rows, columns], drawn[rows, columns], 0.0), drawn.shape, kind == "digit" and box[3] - box[2] > WIDE * height, share)


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


def _join_specks(parts: list[_Part], dust: float) -> list[_Part]:
    """Join each speck to the nearest digit; leave a distant one alone unless it is smaller than `dust`."""
    tallest = max((part.height for part in parts), default=0)
    large = [part for part in parts if max(part.height, part.width) >= SPECK * tallest]
    for speck in (part for part in parts if max(part.height, part.width) < SPECK * tallest):
        nearest = min(range(len(large)), key=lambda index: large[index].gap(speck))
        size = max(speck.height, speck.width)
        if large[nearest].gap(speck) <= size or size < dust:
            large[nearest] = large[nearest].join(speck)
        else:
            large.append(speck)
    return large
