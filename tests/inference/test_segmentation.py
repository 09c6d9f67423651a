"""Segmentation of a drawing into digits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from playground.errors import DrawingError
from playground.inference.segmentation import MAX_DIGITS, segment

from ..support.tiers import repetitions

Stroke = list[tuple[int, int]]


def canvas_with(*strokes: Stroke, width: int = 8) -> np.ndarray:
    image = Image.new("L", (420, 140))
    draw = ImageDraw.Draw(image)
    for stroke in strokes:
        draw.line(stroke, fill=255, width=width)
    return np.asarray(image, dtype=np.float64)


def bar(left: int, top: int = 20, bottom: int = 120) -> Stroke:
    return [(left, top), (left, bottom)]


@given(st.lists(st.integers(0, 380), min_size=1, max_size=6, unique=True))
@settings(max_examples=repetitions(50))
def test_separate_bars_are_separate_digits_in_order(lefts: list[int]) -> None:
    apart = [left for index, left in enumerate(sorted(lefts)) if index == 0 or left - sorted(lefts)[index - 1] > 12]
    separate = [left for index, left in enumerate(apart) if index == 0 or left - apart[index - 1] > 12]
    pieces = segment(canvas_with(*(bar(left + 15) for left in separate)))
    assert len(pieces) == len(separate)
    assert [piece.box[2] for piece in pieces] == sorted(piece.box[2] for piece in pieces)


def test_the_pieces_partition_the_ink() -> None:
    ink = canvas_with(bar(50), [(200, 30), (260, 30), (220, 120)])
    pieces = segment(ink)
    np.testing.assert_array_equal(sum(piece.ink for piece in pieces), ink)
    for piece in pieces:
        top, bottom, left, right = piece.box
        assert piece.ink[top:bottom, left:right].sum() == piece.ink.sum() > 0


@pytest.mark.parametrize(
    "strokes",
    [
        ([(60, 60), (60, 120), (100, 120)], [(64, 30), (104, 30)]),  # a 5 whose bar hangs in the air
        ([(50, 20), (40, 80), (100, 80)], [(80, 40), (80, 130)]),  # an open 4
        (bar(60, 20, 64), bar(60, 76, 120)),  # a 1 in two strokes
        ([(60, 30), (110, 30), (80, 130)], [(112, 74), (120, 74)]),  # the end of a bar that broke off
    ],
    ids=["five", "four", "broken one", "speck"],
)
def test_parts_of_one_digit_stay_together(strokes: tuple[Stroke, ...]) -> None:
    assert len(segment(canvas_with(*strokes))) == 1


def test_slanted_neighbours_are_two_digits() -> None:
    assert len(segment(canvas_with([(60, 120), (100, 20)], [(90, 120), (130, 20)]))) == 2


def test_an_isolated_dot_is_a_piece() -> None:
    assert len(segment(canvas_with(bar(50), [(300, 70), (301, 71)]))) == 2


def test_an_empty_drawing_and_too_many_digits_are_refused() -> None:
    with pytest.raises(DrawingError, match="canvas is empty"):
        segment(np.zeros((140, 420)))
    with pytest.raises(DrawingError, match="separate parts"):
        segment(canvas_with(*(bar(20 + 40 * index) for index in range(MAX_DIGITS + 1))))
