"""The ways in which pixels may reach a network; plain data, known without torch."""

from __future__ import annotations

STANDARDISED, ZERO_TO_ONE, BYTES = "standardised", "0-1", "0-255"

INPUT_SCALINGS = {
    STANDARDISED: "Standardised",
    ZERO_TO_ONE: "From 0 to 1",
    BYTES: "From 0 to 255",
}
"""By name. Books do the first (`transforms.Normalize`); the second is `transforms.ToTensor` alone; the third forgets both."""
