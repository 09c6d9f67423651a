"""The sizes of the texts that a page shows now, and of what is touched."""

from __future__ import annotations

from pathlib import Path
from typing import TypedDict

from playwright.sync_api import Page

MOST_SIZES = 6
SMALLEST = 13
SMALLEST_LARGE = 20
"""In large type."""
SIZES = (Path(__file__).parent / "sizes.js").read_text(encoding="utf-8")


class Sizes(TypedDict):
    """What sizes.js returns."""

    sizes: dict[str, list[str]]
    """Sizes in pixels, each with the texts that have it."""
    small: list[str]
    """Targets of less than 44 pixels."""


def measured(page: Page) -> Sizes:
    sizes: Sizes = page.evaluate(SIZES)
    return sizes


def size_faults(page: Page, smallest: float) -> list[str]:
    """What is wrong with the sizes of texts: too many of them, or one that is too small."""
    sizes = measured(page)["sizes"]
    faults = [f"{len(sizes)} sizes: { {size: texts[0] for size, texts in sizes.items()} }"] if len(sizes) > MOST_SIZES else []
    return faults + [f"{size} px: {texts[:3]}" for size, texts in sizes.items() if float(size) < smallest - 0.1]
