"""The components' own controls, used as a learner does."""

from __future__ import annotations

from playwright.sync_api import Locator, Page


def pick(within: Page | Locator, label: str, title: str) -> None:
    """Choose from the list with this label."""
    within.get_by_role("combobox", name=label, exact=True).click()
    within.get_by_role("option", name=title, exact=True).click()


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
