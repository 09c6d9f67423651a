"""Whether everyone can read and operate what a page shows now: contrast of all texts in light and dark, and the rules of axe-core
(https://dequeuniversity.com/rules/axe/)."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from playwright.sync_api import Page

from playground.environment import ROOT

from .serving import PATIENCE

CONTRAST = (Path(__file__).parent / "contrast.js").read_text(encoding="utf-8")
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
SCHEMES: tuple[Literal["dark", "light"], ...] = ("dark", "light")
RUN_AXE = """async () => {
    const without = { exclude: [".stCode pre", "[data-testid=stFileUploaderDropzone]"] }
    const { violations } = await axe.run(without, { resultTypes: ["violations"], rules: { "color-contrast": { enabled: false } } })
    return violations.flatMap(({ id, help, nodes }) => nodes.map(({ html }) => `${id}: ${help}: ${html.slice(0, 200)}`))
}"""
"""Contrast is judged by contrast.js, which knows both themes and all opacities. Two things of Streamlit are left out: its blocks of code, which today's
browsers let the keyboard scroll without a `tabindex`, and the box for a file, whose role contradicts its name."""


def too_pale(page: Page) -> list[str]:
    """What has too little contrast in the present theme."""
    found: list[str] = page.evaluate(CONTRAST)
    return found


def misbuilt(page: Page) -> list[str]:
    """What breaks a rule of axe-core; nothing where Node.js is not installed, and so axe-core is not."""
    if not AXE.exists():
        return []
    if not page.evaluate("'axe' in window"):
        page.add_script_tag(path=AXE)
    found: list[str] = page.evaluate(RUN_AXE)
    return found


def check_accessibility(page: Page) -> None:
    """Nothing is at fault, in either theme; plots are drawn anew a moment after it was changed."""
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        page.wait_for_function(f"() => getComputedStyle(document.querySelector('.stApp')).colorScheme === '{scheme}'")
        _check(page, too_pale, scheme)
    _check(page, misbuilt, "axe-core")  # whose rules do not hang on the theme


def _check(page: Page, faults: Callable[[Page], list[str]], where: str) -> None:
    deadline = time.monotonic() + PATIENCE / 4000
    while (found := faults(page)) and time.monotonic() < deadline:
        pass
    assert not found, "\n".join([where, *dict.fromkeys(found)])
