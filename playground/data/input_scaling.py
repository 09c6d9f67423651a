"""Input scaling: the ranges to which pixels can be scaled for a network; importable without torch."""

from __future__ import annotations

from playground.messages import msg

STANDARDISED, ZERO_TO_ONE, BYTES = "standardised", "0-1", "0-255"

INPUT_SCALINGS = {
    STANDARDISED: msg("Standardised"),
    ZERO_TO_ONE: msg("From 0 to 1"),
    BYTES: msg("From 0 to 255"),
}
"""Titles by name. The first is `transforms.Normalize`, as is usual; the second is `transforms.ToTensor` alone; the third applies neither."""
