"""Reading: the digits of a photograph or a scan in the order in which one reads them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from playground.data.preprocessing import INK, Pixels, require_ink
from playground.errors import DrawingError
from playground.inference.grouping import Classify
from playground.inference.segmentation import Piece, segment
from playground.inference.signs import SYMBOLS
from playground.messages import msg

MAX_PARTS = 200
"""Largest number of connected components that count as writing."""
MAX_DIGITS = 40
"""Largest number of digits in one image."""
SURE = 0.95
"""Probability from which on a wide piece counts as one wide digit."""
LIKELY = 0.4
"""Probability of a reading below which its divisions are doubted."""
SAME_LINE = 0.4
"""Components whose heights overlap by more than this share of the lower one stand in one line."""
GAP = 0.3
"""Components one above the other belong together if the gap between them is smaller than this share of the taller one: the bar of a 5."""

_NEIGHBOURS = np.ones((3, 3), dtype=int)


def separate(ink: Pixels, classify: Classify | None = None) -> list[list[Piece]]:
    """Split writing into its lines from top to bottom, and each of them into its digits and signs from left to right.

    Args:
        ink: ``(H, W)``, the amount of ink on each pixel.
        classify: as for `segment`.

    Raises:
        DrawingError: there is no ink, or too much for digits.
    """
    drawn = require_ink(ink)
    labels, count = ndimage.label(drawn > INK * drawn.max(), _NEIGHBOURS)
    if count > MAX_PARTS:
        raise _too_many(count)
    lines = [segment(np.where(np.isin(labels, line), drawn, 0.0), classify) for line in _lines(ndimage.find_objects(labels))]
    pieces = sum(map(len, lines))
    if pieces > MAX_DIGITS:
        raise _too_many(pieces)
    return lines


def warn_about_piece(piece: Piece, probabilities: Sequence[float], *, alone: bool) -> str:
    """Explain in one sentence why a piece may be no digit, by its shape; return an empty string where it may be one.

    Args:
        piece: one of those that `separate` or `segment` returns.
        probabilities: one for each class; none of a sign.
        alone: whether there is no digit at all.
    """
    if piece.kind != "digit":
        return msg("This is a sign without a digit next to it: {sign}", sign=SYMBOLS[piece.kind]) if alone else ""
    if piece.too_wide and max(probabilities) < SURE:
        return msg("This piece is wider than a digit: if it is several, draw them with a gap between them.")
    if piece.share < LIKELY:
        return msg("The digits could be divided in another way here: draw them with a gap between them.")
    return ""


def _too_many(count: int) -> DrawingError:
    return DrawingError(
        msg("The image has {count} separate parts; at most {most} digits can be read at once.", count=count, most=MAX_DIGITS),
        msg("Cut out the digits that you mean."),
    )


def _lines(boxes: list[tuple[slice, slice]]) -> list[list[int]]:
    """Group components, numbered from 1, into lines of writing from top to bottom."""
    line_of = list(range(len(boxes)))
    for first, one in enumerate(boxes):
        for second, other in enumerate(boxes[:first]):
            if line_of[first] != line_of[second] and _stand_together(one, other):
                line_of = [line_of[second] if line == line_of[first] else line for line in line_of]
    lines = [[number for number, line in enumerate(line_of, start=1) if line == name] for name in dict.fromkeys(line_of)]
    return sorted(lines, key=lambda line: float(np.mean([boxes[number - 1][0].start + boxes[number - 1][0].stop for number in line])))


def _stand_together(one: tuple[slice, slice], other: tuple[slice, slice]) -> bool:
    """Whether two components are neighbours in one line, or parts of one digit above each other."""
    (rows, columns), (other_rows, other_columns) = one, other
    heights = rows.stop - rows.start, other_rows.stop - other_rows.start
    shared = min(rows.stop, other_rows.stop) - max(rows.start, other_rows.start)
    if shared > SAME_LINE * min(heights):
        return True
    beside = min(columns.stop, other_columns.stop) - max(columns.start, other_columns.start)
    return bool(beside > 0 and -shared < GAP * max(heights))
