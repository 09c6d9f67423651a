"""The editor for scripts on the Tensors and the Autograd page, in a browser."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect


def run_script(page: Page, source: str, address: str) -> None:
    """Type a script, press Ctrl+Enter, and wait until the response from `address` is shown."""
    page.locator(".cm-content").click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(source)
    with page.expect_response(re.compile(address)):
        page.keyboard.press("Control+Enter")
    expect(page.locator(".lab.busy")).to_have_count(0)
