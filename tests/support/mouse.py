"""Gestures of the mouse in a browser."""

from __future__ import annotations

from playwright.sync_api import Locator, Page


def zoom(page: Page, plot: Locator) -> None:
    """Drag a rectangle over a plot: from 20 % to 60 % of its width, and from 30 % to 80 % of its height."""
    box = plot.locator(".nsewdrag").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + 0.3 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 0.8 * box["height"], steps=8)
    page.mouse.up()
