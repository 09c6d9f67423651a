"""Compare: runs side by side, and races."""

from playground.ui import compare

compare.heading()
compare.comparison()
