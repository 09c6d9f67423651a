"""The components' own controls, used as a learner does."""

from __future__ import annotations

import warnings

from playwright.sync_api import Error, Locator, Page

SHORT = 20_000
"""Milliseconds after which a list that is not there is looked at."""


def pick(within: Page | Locator, label: str, title: str) -> None:
    """Choose from the list with this label. One that closed by itself is opened once more, with a warning that says what has the focus."""
    button = within.get_by_role("combobox", name=label, exact=True)
    option = within.get_by_role("option", name=title, exact=True)
    button.click()
    try:
        option.click(timeout=SHORT)
    except Error:
        if button.get_attribute("aria-expanded") == "true":
            raise
        focused = button.evaluate("(button) => [button.getRootNode(), document].map((root) => root.activeElement?.outerHTML.slice(0, 200)).join()")
        warnings.warn(f"The list {label} closed by itself; the focus is at {focused}.", stacklevel=2)
        button.click()
        option.click()


def open_view(within: Page | Locator, name: str) -> None:
    """Open the tab with this name."""
    within.get_by_role("tab", name=name, exact=True).click()


def slide(within: Page | Locator, label: str, value: float) -> None:
    """Set a slider to a value, as a drag that ends there does."""
    within.get_by_role("slider", name=label, exact=True).evaluate(
        """(bar, value) => {
            bar.value = value
            for (const kind of ["input", "change"]) bar.dispatchEvent(new Event(kind, { bubbles: true }))
        }""",
        value,
    )
