"""How numbers are written, the same in every text."""

from __future__ import annotations


def percent(fraction: float, digits: int = 0) -> str:
    """Write a fraction as a percentage, with a narrow no-break space: 0.9965 becomes ``99.65 %`` with two digits."""
    return f"{100 * fraction:.{digits}f}\N{NARROW NO-BREAK SPACE}%"
