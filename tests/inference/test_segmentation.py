"""Segmentation of a drawing into digits."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw
from torch import Tensor

from benchmarks.strokes import DIGITS, render
from playground.data.images import ImageSet
from playground.errors import DrawingError
from playground.inference.cuts import find_cuts, pen_width
from playground.inference.grouping import MAX_GROUPS
from playground.inference.models import DEFAULT_MODEL, load_model
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


def classify(images: Tensor) -> Tensor:
    return load_model(DEFAULT_MODEL).probabilities(images)


def rings(images: Tensor) -> Tensor:
    """Take for a digit what is as wide as a ring below, and nothing else."""
    columns, rows = (images[:, 0].amax(dim=axis).gt(38).sum(dim=1) for axis in (1, 2))
    return torch.where((0.5 * rows < columns) & (columns < 0.8 * rows), 0.99, 0.1).unsqueeze(1).repeat(1, 10)


def ring(left: int, width: int = 50) -> Stroke:
    angles = np.linspace(0, 2 * np.pi, 40)
    return [(round(left + width / 2 * (1 + np.cos(angle))), round(70 + 45 * np.sin(angle))) for angle in angles]


def test_touching_rings_are_separated_where_they_touch() -> None:
    ink = canvas_with(ring(60), ring(118))
    assert len(segment(ink)) == 1
    first, second = segment(ink, rings)
    assert first.box[3] - second.box[2] <= 8
    assert first.crop.sum() == pytest.approx(second.crop.sum(), rel=0.2)
    np.testing.assert_array_equal(first.ink + second.ink, ink)


def test_strokes_separate_overlapping_digits() -> None:
    """Also where the network takes both together for a digit; the strokes of one digit stay together."""
    left, right, bar = ring(60), ring(112), [(135, 20), (139, 120)]
    ink, strokes = canvas_with(left, right, bar), np.zeros((140, 420), dtype=np.int64)
    for number, stroke in enumerate((left, right, bar), start=1):
        strokes[canvas_with(stroke) > 0] = number
    sure = lambda images: torch.full((len(images), 10), 0.99)  # noqa: E731
    assert len(segment(ink, sure)) == 1
    first, second = segment(ink, sure, strokes)
    np.testing.assert_array_equal(first.ink > 0, strokes == 1)
    np.testing.assert_array_equal(second.ink > 0, strokes > 1)


def test_what_cannot_be_separated_is_said_to_be_too_wide() -> None:
    (piece,) = segment(canvas_with([(60, 40), (300, 100), (60, 100), (300, 40)]), lambda images: torch.full((len(images), 10), 0.1))
    assert piece.too_wide
    assert not any(piece.too_wide for piece in segment(canvas_with(ring(60), ring(200)), rings))


@pytest.mark.parametrize(
    ("strokes", "kinds"),
    [
        ([bar(60), [(90, 117), (92, 118)], bar(130)], ["digit", "dot", "digit"]),
        ([ring(40), [(97, 117), (98, 118)], ring(106)], ["digit", "dot", "digit"]),  # nearer than the dot is large
        ([bar(60), [(94, 114), (88, 132)], bar(130)], ["digit", "comma", "digit"]),
        ([[(40, 72), (80, 68)], bar(110)], ["minus", "digit"]),
        ([bar(60), [(84, 70), (124, 72)], [(104, 48), (103, 92)], bar(150)], ["digit", "plus", "digit"]),
        ([bar(60), [(84, 24), (124, 22)], bar(150)], ["digit", "digit", "digit"]),  # a bar at the top is no minus
        ([[(60, 60), (60, 100)]], ["digit"]),
        ([[(60, 70), (120, 72)]], ["minus"]),
        ([[(57, 70), (63, 70)]], ["dot"]),
        ([[(50, 20), (40, 80), (100, 80)], [(80, 40), (80, 130)], bar(160)], ["digit", "digit"]),  # an open 4
    ],
    ids=["dot", "dot close by", "comma", "minus", "plus", "high bar", "short one", "level bar alone", "dot alone", "open four"],
)
def test_signs_are_recognised_by_size_and_place(strokes: list[Stroke], kinds: list[str]) -> None:
    ink = canvas_with(*strokes)
    assert [piece.kind for piece in segment(ink)] == kinds


@given(st.lists(st.lists(st.tuples(st.integers(0, 419), st.integers(0, 139)), min_size=2, max_size=6), min_size=1, max_size=6), st.integers(1, 30))
@settings(max_examples=repetitions(100))
def test_pieces_of_any_drawing_partition_its_ink_from_left_to_right(strokes: list[Stroke], width: int) -> None:
    ink = canvas_with(*strokes, width=width)
    batches = []

    def watched(images: Tensor) -> Tensor:
        batches.append(len(images))
        return rings(images)

    try:
        pieces = segment(ink, watched)
    except DrawingError:
        return
    np.testing.assert_array_equal(sum(piece.ink for piece in pieces), ink)
    assert all(piece.crop.any() for piece in pieces)
    middles = [piece.box[2] + piece.box[3] for piece in pieces]
    assert middles == sorted(middles)
    assert max(batches, default=0) <= MAX_GROUPS


def test_cuts_go_through_the_thin_places() -> None:
    mask = canvas_with([(20, 20), (20, 120)], [(20, 70), (120, 70)], [(120, 20), (120, 120)])[16:125, 16:125] > 38
    pen = pen_width(mask)
    assert pen == pytest.approx(8, abs=1.5)
    cuts = find_cuts(mask, pen, 3)
    assert cuts and all(cut.ink == pytest.approx(1, abs=0.4) for cut in cuts)
    assert [cut.columns.mean() for cut in cuts] == sorted(cut.columns.mean() for cut in cuts)


def on_wide_canvas(square: np.ndarray) -> np.ndarray:
    return np.pad(square.astype(np.float64), ((0, 0), (100, 180)))


def test_digits_are_not_cut(digits: ImageSet) -> None:
    """A few of MNIST's digits come with a blot beside them, which looks like a dot."""
    images = digits.test_images[: repetitions(1000), 0].numpy()
    enlarged = (np.asarray(Image.fromarray(image).resize((140, 140), Image.Resampling.BICUBIC)) for image in images)
    drawn = (render(way.strokes) for ways in DIGITS.values() for way in ways)
    pieces = [[piece.kind for piece in segment(on_wide_canvas(square), classify)] for square in (*enlarged, *drawn)]
    assert sum(kinds != ["digit"] for kinds in pieces) <= 0.005 * len(pieces)
