"""The main states of every page, for the contact sheets: how a learner gets to each of them."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page

from tests.support.serving import SEVEN, draw

PAUSED = ".monitor-state[data-state=paused]"
DONE = ".monitor-state[data-state=finished]"


def tensors_pinned(page: Page) -> None:
    page.locator(".stage figure.output .cell").first.click()


def tensors_exercise(page: Page) -> None:
    page.get_by_text("Exercises", exact=True).click()
    page.get_by_role("heading", level=2).first.wait_for()


def autograd_gradients(page: Page) -> None:
    page.get_by_role("slider", name="Step").press("End")


def autograd_race(page: Page) -> None:
    page.get_by_text("Race downhill", exact=True).click()
    page.get_by_text("Momentum", exact=True).first.wait_for()


def autograd_pitfall(page: Page) -> None:
    page.get_by_text("Pitfalls", exact=True).click()
    page.get_by_text("What PyTorch does", exact=True).wait_for()


def network_misfit(page: Page) -> None:
    page.locator(".list .row").first.click()
    size = page.locator(".layer [data-param=kernel_size]")
    size.fill("30")
    size.press("Enter")
    page.locator(".problem .message").first.wait_for()


def network_batch(page: Page) -> None:
    page.locator(".batch").click()
    page.locator(".stage-bars").wait_for()


def train_running(page: Page) -> None:
    page.get_by_role("button", name="Train", exact=True).first.click()
    page.locator("[data-plot=accuracy] .scatterlayer .trace").first.wait_for()


def train_paused(page: Page) -> None:
    train_running(page)
    page.locator(".monitor").get_by_role("button", name="Pause", exact=True).click()
    page.locator(PAUSED).wait_for()
    page.get_by_role("button", name="Step", exact=True).click()
    page.locator(".monitor-code .lit").first.wait_for()


def train_finished(page: Page) -> None:
    train_running(page)
    page.locator(DONE).wait_for()


def evaluate_image(page: Page) -> None:
    page.locator(".evaluation[aria-busy=false]").wait_for()
    page.get_by_role("gridcell", name=re.compile("True class 3, predicted class 3:")).click()
    page.locator(".evaluation-confusion .evaluation-card").first.click()
    page.get_by_role("dialog").locator(".stage-bars").wait_for()


def compare_race(page: Page) -> None:
    page.get_by_role("button", name="Start the race").click()
    page.get_by_role("button", name="Replay").and_(page.locator(":enabled")).wait_for()


def draw_answered(page: Page) -> None:
    draw(page, SEVEN)
    page.locator(".stage-bars .top").wait_for()


def home_answered(page: Page) -> None:
    draw(page, SEVEN, ".sheet canvas")


STATES: dict[str, tuple[str, Callable[[Page], None]]] = {
    "Home, a drawing": ("", home_answered),
    "Tensors, a cell that is pinned": ("tensors", tensors_pinned),
    "Tensors, an exercise": ("tensors", tensors_exercise),
    "Autograd, after the backward pass": ("autograd", autograd_gradients),
    "Autograd, a pitfall": ("autograd", autograd_pitfall),
    "Autograd, the race downhill": ("autograd", autograd_race),
    "Network, a layer that does not fit": ("network", network_misfit),
    "Network, one batch": ("network", network_batch),
    "Train, a run that learns": ("train", train_running),
    "Train, one step": ("train", train_paused),
    "Train, a finished run": ("train", train_finished),
    "Evaluate, an image": ("evaluate", evaluate_image),
    "Compare, a race": ("compare", compare_race),
    "Draw, an answer": ("draw", draw_answered),
}
"""By their titles: the path of the page, and what is done there."""
