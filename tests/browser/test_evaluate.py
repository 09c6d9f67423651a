"""The Evaluate page in a browser."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from playground.network.presets import preset
from playground.runs.history import History
from playground.runs.run import create
from playground.server.identity import COOKIE, learner
from playground.training import loop
from playground.training.config import TrainConfig

from ..support.accessibility import check_accessibility
from ..support.controls import open_view, pick
from ..support.serving import to_the_top
from ..support.training import train
from .conftest import KeptPage
from .test_train import STATE, settled

SHIPPED = "mnist-cnn"


@pytest.fixture
def evaluated(kept: KeptPage, address: str) -> Page:
    """The page with the network that comes with the playground."""
    page = kept.get(f"{address}/evaluate?model={SHIPPED}")
    if "/evaluate" not in page.url:
        page.get_by_role("link", name="Evaluate").click()
    page.get_by_role("heading", name="Evaluate a network").wait_for()
    settled(page)
    network = page.get_by_role("combobox", name="Network", exact=True)
    if not network.input_value().startswith(SHIPPED):
        with page.expect_response(re.compile(rf"/api/evaluation\?model={SHIPPED}&")):
            network.click()
            page.get_by_role("option", name=SHIPPED).click()
    page.locator(".evaluation[aria-busy=false]").wait_for()
    open_view(page, "Confusion matrix")
    return page


def cell(page: Page, label: int, predicted: int) -> Locator:
    return page.get_by_role("gridcell", name=re.compile(f"True class {label}, predicted class {predicted}:"))


def test_a_cell_of_the_confusion_matrix_opens_its_images(evaluated: Page) -> None:
    expect(evaluated.locator('[data-fact="accuracy"]')).to_have_text(re.compile(r"^9\d\.\d\d\u202f%$"))
    count = int(cell(evaluated, 3, 3).inner_text())
    cell(evaluated, 3, 3).click()
    expect(evaluated.locator(".evaluation-sentence")).to_have_text(re.compile(rf"^{count} of \d+ images of class 3 were classified correctly: recall "))
    expect(evaluated.locator(".evaluation-confusion .evaluation-card.right")).to_have_count(min(count, 120))
    for selector in (".evaluation-facts", ".evaluation-matrix", ".evaluation-sentence", ".evaluation-right"):
        expect(evaluated.locator(selector)).to_be_in_viewport(ratio=1)


def test_on_a_phone_the_confusion_matrix_scrolls_beside_the_names_of_its_rows(evaluated: Page) -> None:
    evaluated.set_viewport_size({"width": 390, "height": 844})
    last, first = (evaluated.get_by_label(re.compile(f"^True class 0, predicted class {digit}:")) for digit in (9, 0))
    first.click()
    first.press("End")
    last.press("Enter")
    expect(last).to_be_in_viewport(ratio=0.9)
    last.press("Home")
    name = evaluated.locator(".evaluation-matrix tr:nth-child(2) th")
    box, beside = first.bounding_box(), name.bounding_box()
    assert box is not None and beside is not None and box["x"] >= beside["x"] + beside["width"] >= 40
    evaluated.set_viewport_size({"width": 1280, "height": 800})


def test_the_confusion_matrix_is_one_stop_of_the_tab_key(evaluated: Page) -> None:
    cell(evaluated, 3, 3).click()
    expect(evaluated.locator("[role=gridcell][tabindex='0']")).to_have_count(1)
    cell(evaluated, 3, 3).focus()
    evaluated.keyboard.press("ArrowRight")
    evaluated.keyboard.press("ArrowUp")
    expect(cell(evaluated, 2, 4)).to_be_focused()
    expect(evaluated.locator(".evaluation-sentence")).to_have_text("No image of class 2 was predicted as 4.")
    expect(cell(evaluated, 3, 3)).to_have_attribute("aria-selected", "true")
    evaluated.keyboard.press("Home")
    evaluated.keyboard.press("ArrowUp")
    evaluated.keyboard.press("ArrowUp")
    evaluated.keyboard.press("Enter")
    expect(cell(evaluated, 0, 0)).to_have_attribute("aria-selected", "true")
    expect(evaluated.locator(".evaluation-card").first).to_contain_text("✓ 0")
    evaluated.keyboard.press("Tab")
    expect(evaluated.locator("[role=gridcell]:focus")).to_have_count(0)


def test_an_image_opens_the_network_at_work_on_it_and_the_evidence_in_it(evaluated: Page) -> None:
    cell(evaluated, 3, 3).click()
    expect(evaluated.locator(".evaluation-confusion .evaluation-card.right").first).to_contain_text("✓ 3")
    evaluated.locator(".evaluation-confusion .evaluation-card.right").first.click()
    dialog = evaluated.get_by_role("dialog")
    expect(dialog.locator("h2")).to_contain_text("3, predicted as 3")
    expect(dialog.locator(".stage-bars .top .stage-class")).to_have_text("3")
    expect(dialog.locator("figcaption")).to_have_text(["Evidence for 3, predicted and true", re.compile("^Evidence for [^3], the second most probable$")])
    dialog.locator(".stage-name").nth(1).click()
    dialog.get_by_role("button", name="One place on").click()
    expect(dialog.locator(".written h2")).to_have_text("0 Conv2d, map 0, row 0, column 1")
    check_accessibility(evaluated)
    evaluated.keyboard.press("Escape")
    expect(dialog.locator(".stage-bars")).to_be_visible()
    evaluated.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


def test_a_term_opens_its_card(evaluated: Page) -> None:
    """By the pointer, by the focus, which reaches its link, and by a tap; Escape closes it."""
    open_view(evaluated, "Calibration")
    term, card = evaluated.locator('.evaluation-summary glossary-term[name="expected calibration error"]'), evaluated.locator(".term-card:popover-open")
    word = term.locator(".term-word")
    word.hover()
    expect(card).to_contain_text("Mean distance between confidence and accuracy")
    expect(card.locator("svg")).to_be_visible()
    expect(card.get_by_role("link")).to_have_count(0)  # this is the page that shows it
    evaluated.mouse.move(0, 0)
    expect(card).to_have_count(0)
    word.focus()
    evaluated.keyboard.press("Shift+Tab")
    evaluated.keyboard.press("Tab")
    expect(card).to_have_count(1)
    evaluated.keyboard.press("Escape")
    expect(card).to_have_count(0)
    word.dispatch_event("pointerup", {"pointerType": "touch", "bubbles": True})
    expect(card).to_have_count(1)
    evaluated.locator("h1").dispatch_event("pointerdown", {"bubbles": True})
    expect(card).to_have_count(0)


def test_images_can_be_filtered(evaluated: Page) -> None:
    open_view(evaluated, "Images")
    pick(evaluated, "Images", "correctly classified")
    pick(evaluated, "True class", "7")
    expect(evaluated.locator(".evaluation-card b").first).to_have_text("✓ 7")
    before = evaluated.locator(".evaluation-card").count()
    pick(evaluated, "Images", "all")
    pick(evaluated, "True class", "any")
    evaluated.get_by_role("button", name="Show more").click()
    evaluated.wait_for_function(f"document.querySelectorAll('.evaluation-card').length > {max(before, 120)}")


def test_classes_calibration_and_features_are_plotted(evaluated: Page) -> None:
    open_view(evaluated, "By class")
    expect(evaluated.locator(".evaluation-table tr")).to_have_count(13)  # a head, ten classes, two means
    open_view(evaluated, "Calibration")
    evaluated.locator(".evaluation-calibration .barlayer .point").last.wait_for()
    open_view(evaluated, "Features")
    plot = evaluated.locator(".evaluation-plot.large")
    plot.locator(".nsewdrag").wait_for()
    plot.scroll_into_view_if_needed()
    place = evaluated.evaluate("""() => {
        const plot = document.querySelector('.evaluation-plot.large'), layout = plot._fullLayout, trace = plot._fullData[4], box = plot.getBoundingClientRect()
        return [box.x + layout.xaxis._offset + layout.xaxis.d2p(trace.x[0]), box.y + layout.yaxis._offset + layout.yaxis.d2p(trace.y[0])]
    }""")
    evaluated.mouse.move(place[0] + 40, place[1] + 40)
    evaluated.mouse.move(*place, steps=3)
    expect(evaluated.locator(".evaluation-point canvas")).to_have_count(1)
    expect(evaluated.locator(".evaluation-point")).to_contain_text("confidence")
    evaluated.mouse.click(*place)
    expect(evaluated.get_by_role("dialog")).to_be_visible()
    evaluated.keyboard.press("Escape")


def test_every_checkpoint_of_a_run_can_be_evaluated(kept: KeptPage, address: str, server_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = kept.get(f"{address}/evaluate?model={SHIPPED}")
    page.get_by_role("heading", name="Evaluate a network").wait_for()
    cookie = next(each["value"] for each in page.context.cookies() if each["name"] == COOKIE)
    monkeypatch.setenv("PLAYGROUND_RUNS", str(server_folder / "runs"))
    monkeypatch.setattr(loop, "EVALUATED_SECONDS", -1.0)  # a checkpoint at every evaluation, however fast the machine is
    run = train(create(TrainConfig(network="mnist-mlp", epochs=2), preset("mnist-mlp"), owner=learner(cookie)))
    reached = History(run).follow().test_accuracy or 0.0
    page.get_by_role("link", name="Train").click()
    page.locator(f"{STATE}[data-state=finished]").wait_for()
    page.get_by_role("button", name="Evaluate it").click()
    page.get_by_role("heading", name="Evaluate a network").wait_for()
    expect(page.locator('.evaluation [data-fact="accuracy"]')).to_have_text(f"{100 * reached:.2f}\u202f%")
    checkpoint = page.get_by_role("combobox", name="Checkpoint")
    page.locator(".evaluation-card").last.wait_for()
    to_the_top(page)
    checkpoint.click()
    with page.expect_response(re.compile(rf"/api/evaluation\?model={run.id}%40\d+")) as answer:
        page.get_by_role("option").last.click()
    assert answer.value.ok
    expect(page.locator(".evaluation-status")).to_contain_text("never used in training")
