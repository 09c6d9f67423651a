"""The state of a page on which a test failed: what a traceback does not say."""

from __future__ import annotations

import json

from playwright.sync_api import Error, Page

STATE = """async () => {
    let frames = 0
    const count = () => { frames += 1; requestAnimationFrame(count) }
    count()
    await new Promise((resolve) => setTimeout(resolve, 1000))
    const all = [document, ...[...document.querySelectorAll("*")].map((each) => each.shadowRoot).filter(Boolean)]
    const find = (selector) => all.flatMap((root) => [...root.querySelectorAll(selector)])
    return {
        address: location.href, visibility: document.visibilityState, "frames in a second": frames - 1,
        dialogs: find("[role=dialog], [role=alertdialog], dialog[open]").map((each) => each.innerText),
        inert: find("[inert]").map((each) => each.outerHTML.slice(0, 200)),
        errors: find(".stException, .stAlert, .fault").map((each) => each.innerText).filter(Boolean),
        moving: document.getAnimations().map((each) => `${each.playState} ${each.effect.getComputedTiming().endTime} ${each.effect.target?.className}`),
    }
}"""


def page_state(page: Page) -> str:
    """Return what covers the page, what is inert on it, and whether it is drawn at all."""
    try:
        return json.dumps(page.wait_for_function(STATE, timeout=20_000, polling=500).json_value(), indent=1)
    except Error as error:
        return f"no answer: {error}"
