"""When no answer is likely: a network always names a class, even for a scribble."""

from __future__ import annotations

from collections.abc import Sequence

from playground.inference.preprocessing import DIGIT_BOX, Digit

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
        return f"No answer is likely: {filled:.0%} of the box is ink, and hardly any digit that the network learnt from fills more than {FULL:.0%}."
    return unlikely(probabilities)


def unlikely(probabilities: Sequence[float]) -> str:
    """The same of any image, by the probabilities alone."""
    return f"No answer is likely: even the best one has less than {SURE:.0%}." if max(probabilities) < SURE else ""
