"""Preprocessing with steps left out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from playground.data.preprocessing import FIELD, MIDDLE, Preprocessing, to_digit
from playground.inference.confidence import warn_about_drawing

from ..support.tiers import repetitions

SIDE = 140


def blot(top: int = 20, left: int = 90, height: int = 30, width: int = 10) -> np.ndarray:
    ink = np.zeros((SIDE, SIDE))
    ink[top : top + height, left : left + width] = 255
    return ink


@given(
    st.builds(Preprocessing, st.booleans(), st.booleans(), st.booleans(), st.booleans()),
    st.integers(0, 100),
    st.integers(0, 120),
    st.integers(1, 40),
    st.integers(1, 20),
)
@settings(max_examples=repetitions(80))
def test_the_result_is_28_by_28_whichever_steps_are_left_out(way: Preprocessing, top: int, left: int, height: int, width: int) -> None:
    digit = to_digit(blot(top, left, height, width), way)
    assert digit.centred.shape == (FIELD, FIELD)
    assert np.isfinite(digit.centred).all() and digit.centred.min() >= 0 and digit.centred.max() <= 255


def test_without_any_step_the_canvas_is_only_resized() -> None:
    digit = to_digit(blot(), Preprocessing(crop=False, fit=False, centre=False))
    small = np.asarray(Image.fromarray(blot().astype(np.float32), "F").resize((FIELD, FIELD), Image.Resampling.BICUBIC))
    expected = small.clip(min=0) * (255 / small.max())
    np.testing.assert_allclose(digit.centred, expected.clip(0, 255), atol=1e-3)


def test_without_cropping_the_margins_remain() -> None:
    assert to_digit(blot(), Preprocessing(crop=False)).cropped.shape == (SIDE, SIDE)
    assert max(to_digit(blot(), Preprocessing(crop=False)).fitted.shape) == 20


def test_without_fitting_the_digit_keeps_its_size() -> None:
    assert to_digit(blot(height=70, width=35), Preprocessing(fit=False)).fitted.shape == (14, 7)
    assert to_digit(blot(height=70, width=35)).fitted.shape == (20, 10)


def test_without_centring_the_digit_keeps_its_position() -> None:
    for way in (Preprocessing(centre=False), Preprocessing(fit=False, centre=False)):
        rows, columns = np.nonzero(to_digit(blot(top=100, left=60, height=20, width=20), way).centred)
        assert abs((rows.min() + rows.max() + 1) / 2 - min(110 / SIDE * FIELD, FIELD - (20 if way.fit else 4) / 2)) <= 0.51
        assert abs((columns.min() + columns.max() + 1) / 2 - 70 / SIDE * FIELD) <= 0.51
    rows, _ = np.nonzero(to_digit(blot(top=100, left=60, height=20, width=20)).centred)
    assert abs((rows.min() + rows.max() + 1) / 2 - MIDDLE) <= 0.51


@pytest.mark.parametrize(
    ("ink", "probabilities", "message"),
    [
        (blot(), [0.9, 0.1], ""),
        (blot(), [0.56, 0.44], ""),
        (blot(), [0.54, 0.46], "less than 55\N{NARROW NO-BREAK SPACE}%"),
        (blot(0, 0, SIDE, SIDE), [0.99, 0.01], "of the box is ink"),
    ],
    ids=["sure", "just sure", "unsure", "a blot"],
)
def test_doubtful_drawings_have_a_warning(ink: np.ndarray, probabilities: list[float], message: str) -> None:
    warning = warn_about_drawing(to_digit(ink), probabilities)
    assert (message in warning) and bool(warning) == bool(message)
