"""The coach on the Train page: it names what the learner changed and undoes it, and its line never moves what is around it."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from ..support.waiting import until
from .conftest import KeptPage
from .test_train import choose_network, start_run, stop, train_page

RATE, HUGE_RATE = 0.003, 50.0


def test_the_learners_own_change_is_named_and_undone(kept: KeptPage, address: str) -> None:
    with train_page(kept, address) as page:
        choose_network(page, "Multilayer perceptron")
        start_run(page, epochs=1000)
        run = f"{address}/api/runs/{re.findall(r'[?&]run=([^&]+)', page.url)[0]}"
        coach = page.locator(".monitor-coach")
        until(lambda: page.request.get(run).json()["step"] > 300)
        place = _place(page)
        page.request.post(f"{run}/command", data={"command": "learning-rate", "value": HUGE_RATE})
        expect(coach).to_contain_text(re.compile(r"You raised the learning rate from 0\.003 to 50 at step [\d,]+\."))
        undo = coach.get_by_role("button", name="Undo", exact=True)
        expect(undo).to_be_visible()
        coach.get_by_role("button", name="Why?").click()
        expect(coach.locator(".coach-reasons")).to_be_visible()
        assert _place(page) == place  # the reasons lie over the page
        page.keyboard.press("Escape")
        expect(coach.locator(".coach-reasons")).to_be_hidden()
        undo.click()
        until(lambda: page.request.get(run).json()["changes"][-1].get("learning_rate") == RATE)
        expect(undo).to_have_count(0)
        stop(page)


def _place(page: Page) -> list[float]:
    """Where the coach's line begins and ends in the window, in pixels."""
    box = page.locator(".monitor-coach").bounding_box()
    assert box is not None
    return [box["y"], box["y"] + box["height"]]
