"""Warnings about predictions that should not be trusted: a network predicts a class for every input, even for a scribble."""

from __future__ import annotations

from collections.abc import Sequence

from playground.data.preprocessing import DIGIT_BOX, Digit
from playground.messages import msg
from playground.typography import percent

MIN_CONFIDENCE = 0.55
"""Probability of the predicted class below which the prediction is flagged. The included network gives 19 of 20 letters less, and fewer
than one in three hundred of MNIST's test images."""
MAX_INK = 0.6
"""Share of the 20×20 pixels of the digit's box above which a drawing is unlike a digit: 99.9 % of MNIST's digits fill less than 0.58 of it."""


def warn_about_drawing(digit: Digit, probabilities: Sequence[float]) -> str:
    """Explain in one sentence why a prediction should not be trusted; return an empty string where it can be.

    Args:
        digit: the drawing.
        probabilities: one for each class, adding up to 1.
    """
    ink_share = float((digit.centred > 127).sum()) / DIGIT_BOX**2
    if ink_share > MAX_INK:
        return msg(
            "This is probably no digit: {share} of the box is ink; digits in the training set rarely fill more than {most}.",
            share=percent(ink_share),
            most=percent(MAX_INK),
        )
    if max(probabilities) < MIN_CONFIDENCE:
        return msg("This is probably no digit: even the most probable class has less than {least}.", least=percent(MIN_CONFIDENCE))
    return ""


def warn_about_confidence(probabilities: Sequence[float]) -> str:
    """Explain that the confidence is low, by the probabilities alone; return an empty string where it is not."""
    if max(probabilities) >= MIN_CONFIDENCE:
        return ""
    return msg("No class is likely: even the most probable one has less than {least}.", least=percent(MIN_CONFIDENCE))
