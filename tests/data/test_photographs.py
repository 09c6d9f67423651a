"""Photographs of handwriting: uneven light, shadows, desks, lines and frames, and pictures without writing."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra import numpy as arrays
from PIL import Image, ImageDraw

from benchmarks.photographs import CONDITIONS, HEIGHT, WIDTH, Random, on_desk, ramp, shadow_edge
from benchmarks.photographs import frame as framed
from benchmarks.photographs import lines as ruled
from playground.data.image_files import brightness
from playground.data.photographs import find_ink, otsu
from playground.data.preprocessing import Pixels
from playground.errors import DrawingError

from ..support.tiers import repetitions


def ring() -> Pixels:
    """Shares of ink: a zero in the middle of a photograph."""
    image = Image.new("L", (WIDTH, HEIGHT))
    ImageDraw.Draw(image).ellipse((340, 200, 460, 400), outline=255, width=16)
    return np.asarray(image, dtype=np.float64) / 255


@pytest.mark.parametrize("make", CONDITIONS.values(), ids=CONDITIONS)
def test_the_ink_is_found_and_nothing_else(make: Callable[[Pixels, Random], Image.Image]) -> None:
    ink = find_ink(brightness(make(ring(), np.random.default_rng(1)))).ink > 127
    drawn = ring() > 0.5
    assert (ink & drawn).sum() > 0.9 * drawn.sum() and (ink & ~drawn).sum() < 0.15 * drawn.sum()


def test_a_photograph_of_flat_light_is_taken_as_it_is() -> None:
    grey = 255 * (1 - ring())
    photograph = find_ink(grey)
    np.testing.assert_array_equal(photograph.evened, grey)
    np.testing.assert_array_equal(photograph.ink, 255 - grey)


def test_the_evened_ground_has_one_brightness() -> None:
    grey = np.asarray(CONDITIONS["light from 130 to 235 across the sheet"](ring(), np.random.default_rng(2)), dtype=np.float64)
    ground = ring() == 0
    assert np.ptp(grey[ground]) > 90
    assert np.quantile(find_ink(grey).evened[ground], 0.01) > 230


@pytest.mark.parametrize("degrees", [-4, 2, 5])
def test_slanted_lines_are_removed(degrees: int) -> None:
    image = ruled(ring(), np.random.default_rng(3), squared=True).rotate(degrees, Image.Resampling.BICUBIC, fillcolor=235)
    rows, columns = np.nonzero(find_ink(brightness(image)).ink)
    assert rows.min() > 180 and rows.max() < 420 and columns.min() > 320 and columns.max() < 480


def test_the_bar_of_a_seven_that_fills_its_picture_is_no_line() -> None:
    image = Image.new("L", (300, 400), 255)
    ImageDraw.Draw(image).line([(0, 12), (290, 12), (120, 399)], fill=0, width=24)
    assert find_ink(brightness(image)).ink[12, 10:280].min() > 127


def test_a_second_digit_at_the_edge_of_a_photograph_is_left_out() -> None:
    share = ring()
    share[250:350, 770:] = 1
    ink = find_ink(ramp(share.shape, 150, 235, 20) * (1 - 0.8 * share)).ink
    assert ink[:, 300:500].any() and not ink[:, 700:].any()


def test_digits_that_touch_all_edges_are_kept() -> None:
    image = Image.new("L", (200, 200), 255)
    pen = ImageDraw.Draw(image)
    pen.line([(6, 0), (6, 199)], fill=0, width=12)
    pen.line([(60, 5), (199, 5), (120, 199)], fill=0, width=12)
    assert find_ink(brightness(image)).ink[100, 6] == 255


EMPTY = np.zeros((HEIGHT, WIDTH))
BLANK = {
    "white": lambda _random: np.full(EMPTY.shape, 255.0),
    "black": lambda _random: EMPTY,
    "one pixel": lambda _random: np.zeros((1, 1)),
    "grain": lambda random: 230 + random.normal(0, 4, EMPTY.shape),
    "shadow": lambda random: brightness(shadow_edge(EMPTY, random)),
    "desk": lambda random: brightness(on_desk(EMPTY, random)),
    "lines": lambda random: brightness(ruled(EMPTY, random)),
    "squares": lambda random: brightness(ruled(EMPTY, random, squared=True)),
    "frame": lambda random: brightness(framed(EMPTY, random)),
}


@pytest.mark.parametrize("make", BLANK.values(), ids=BLANK)
def test_a_picture_without_writing_is_refused(make: Callable[[Random], Pixels]) -> None:
    with pytest.raises(DrawingError, match="no writing"):
        find_ink(make(np.random.default_rng(4)))


@settings(max_examples=repetitions(60))
@given(arrays.arrays(np.uint8, arrays.array_shapes(min_dims=2, max_dims=2, max_side=40)))
def test_any_image_has_ink_or_is_refused(grey: np.ndarray) -> None:
    try:
        photograph = find_ink(grey.astype(np.float64))
    except DrawingError:
        return
    assert photograph.ink.shape == grey.shape and photograph.ink.max() == pytest.approx(255) and photograph.ink.min() >= 0


def test_a_large_photograph_is_reduced() -> None:
    assert max(find_ink(np.kron(255 * (1 - ring()), np.ones((3, 3)))).ink.shape) == 1000


def test_otsu_splits_two_classes() -> None:
    values = np.concatenate([np.random.default_rng(0).normal(40, 5, 900), np.random.default_rng(1).normal(200, 5, 100)])
    assert 50 < otsu(values) < 190
