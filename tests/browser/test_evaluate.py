"""The Evaluate page in a browser."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from .test_run_views import open_view
from .test_train import STATE, start_training


def open_shipped(page: Page, address: str) -> None:
    page.goto(f"{address}/evaluate?model=mnist-cnn")
    page.locator(".evaluation[aria-busy=false]").wait_for()


def test_a_cell_of_the_confusion_matrix_opens_its_images(page: Page, address: str) -> None:
    open_shipped(page, address)
    expect(page.locator('[data-fact="accuracy"]')).to_have_text(re.compile(r"^9\d\.\d\d\u202f%$"))
    cell = page.get_by_role("button", name=re.compile("True class 3, predicted class 3:"))
    count = int(cell.inner_text())
    cell.click()
    expect(page.locator(".evaluation-confusion h4")).to_contain_text("Class 3, correctly classified")
    expect(page.locator(".evaluation-confusion .evaluation-card.right")).to_have_count(min(count, 120))


def test_images_can_be_filtered(page: Page, address: str) -> None:
    open_shipped(page, address)
    open_view(page, "Images")
    page.get_by_label("Images", exact=True).select_option("right")
    page.get_by_label("True class").select_option("7")
    expect(page.locator(".evaluation-card figcaption b").first).to_have_text("✓ 7")
    before = page.locator(".evaluation-card").count()
    page.get_by_label("Images", exact=True).select_option("all")
    page.get_by_label("True class").select_option("")
    page.get_by_role("button", name="Show more").click()
    page.wait_for_function(f"document.querySelectorAll('.evaluation-card').length > {max(before, 120)}")


def test_classes_calibration_and_features_are_plotted(page: Page, address: str) -> None:
    open_shipped(page, address)
    open_view(page, "By class")
    expect(page.locator(".evaluation-table tr")).to_have_count(13)  # a head, ten classes, two means
    open_view(page, "Calibration")
    page.locator(".evaluation-calibration .barlayer .point").last.wait_for()
    open_view(page, "Features")
    plot = page.locator(".evaluation-plot.large")
    plot.locator(".nsewdrag").wait_for()
    plot.scroll_into_view_if_needed()
    place = page.evaluate("""() => {
        const plot = document.querySelector('.evaluation-plot.large'), layout = plot._fullLayout, trace = plot._fullData[4], box = plot.getBoundingClientRect()
        return [box.x + layout.xaxis._offset + layout.xaxis.d2p(trace.x[0]), box.y + layout.yaxis._offset + layout.yaxis.d2p(trace.y[0])]
    }""")
    page.mouse.move(place[0] + 40, place[1] + 40)
    page.mouse.move(*place, steps=3)
    expect(page.locator(".evaluation-point canvas")).to_have_count(1)
    expect(page.locator(".evaluation-point")).to_contain_text("confidence")


def test_every_checkpoint_of_a_run_can_be_evaluated(page: Page, address: str) -> None:
    start_training(page, address, epochs=2)
    page.locator(f"{STATE}[data-state=finished]").wait_for()
    page.get_by_role("button", name="Evaluate it").click()
    page.get_by_role("heading", name="Evaluate a network").wait_for()
    accuracy = page.locator('[data-fact="accuracy"]')
    expect(accuracy).to_contain_text("%")
    page.get_by_role("combobox", name="Checkpoint").click()
    with page.expect_response(re.compile(r"/api/evaluation\?model=.+%40\d+")) as answer:
        page.get_by_role("option").last.click()
    assert answer.value.ok
    expect(page.locator(".evaluation-honesty")).to_contain_text("never used in training")
