"""Going to an address in a page that is open."""

from __future__ import annotations

from playwright.sync_api import Page


def visit(page: Page, path: str) -> None:
    """Go to a path as the buttons Back and Forward do, without loading Streamlit's scripts anew, which takes seconds of processor time.

    Args:
        path: the path, perhaps with parameters, on the server of the page. What is there appears later: wait for something that was not on the page before.
    """
    page.evaluate("path => { history.pushState({}, '', path); dispatchEvent(new PopStateEvent('popstate')) }", path)
