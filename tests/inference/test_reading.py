"""The order in which the digits of a photograph are read."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from benchmarks.photographs import HANDS, photographed, written
from playground.data.image_files import brightness
from playground.data.photographs import find_ink
from playground.data.preprocessing import to_digit
from playground.errors import DrawingError
from playground.inference.models import DEFAULT_MODEL, load_model
from playground.inference.reading import MAX_DIGITS, separate


@pytest.mark.parametrize("text", ["7", "31", "20\n26", "123\n4\n56"])
def test_lines_are_read_from_top_to_bottom_and_from_left_to_right(text: str) -> None:
    random = np.random.default_rng(5)
    image = photographed(written(text, HANDS[1], random), HANDS[1], random, ruled=True)
    model = load_model(DEFAULT_MODEL)
    lines = separate(find_ink(brightness(image)).ink, model.probabilities)
    assert "\n".join("".join(model.predict(to_digit(piece.ink).input).label for piece in line) for line in lines) == text


def test_the_bar_above_a_five_belongs_to_its_line() -> None:
    ink = np.zeros((200, 200))
    ink[20:26, 50:100] = ink[34:120, 50:56] = ink[150:190, 60:66] = 255
    ((five,), (one,)) = separate(ink)
    assert five.box == (20, 120, 50, 100) and one.box == (150, 190, 60, 66)


def test_a_line_may_rise() -> None:
    ink = np.zeros((300, 500))
    for number in range(8):
        ink[100 - 8 * number : 150 - 8 * number, 20 + 60 * number : 28 + 60 * number] = 255
    (line,) = separate(ink)
    assert [piece.box[2] for piece in line] == [20 + 60 * number for number in range(8)]


def test_a_page_of_900_digits_is_refused() -> None:
    digit = Image.new("L", (30, 30))
    digit.paste(255, (12, 5, 16, 25))
    with pytest.raises(DrawingError, match=f"900 separate parts; at most {MAX_DIGITS} digits"):
        separate(np.tile(np.asarray(digit, dtype=np.float64), (30, 30)))
