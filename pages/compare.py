"""Compare: runs side by side, and races between settings."""

from playground.ui.pages.compare import page as compare

compare.heading()
compare.comparison()
