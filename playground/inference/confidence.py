"""When no answer is likely: a network always names a class, even for a scribble."""

from __future__ import annotations

from collections.abc import Sequence

from playground.inference.preprocessing import DIGIT_BOX, Digit
from playground.typography import percent

SURE = 0.6
"""The likeliest class's probability below which nothing is said to be likely."""
FULL = 0.6
"""Share of the box of 20×20 pixels that is ink, above which a drawing is a blot: 99.9 % of MNIST's digits fill less than 0.58 of it."""


def doubt(digit: Digit, probabilities: Sequence[float]) -> str:
    """Why no answer is likely, in a sentence; empty where one is.

    Args:
        digit: the drawing.
        probabilities: one for each class, adding up to 1.
    """
    filled = float((digit.centred > 127).sum()) / DIGIT_BOX**2
    if filled > FULL:
        return f"No class is likely: {percent(filled)} of the box is ink; the digits that the network was trained on rarely fill more than {percent(FULL)}."
    return unlikely(probabilities)


def unlikely(probabilities: Sequence[float]) -> str:
    """The same of any image, by the probabilities alone."""
    return f"No class is likely: even the most probable one has less than {percent(SURE)}." if max(probabilities) < SURE else ""
