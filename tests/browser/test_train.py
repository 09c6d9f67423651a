"""The Train page in a browser."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from ..support.mouse import zoom
from ..support.ports import free_port
from ..support.serving import SEVEN, draw, new_context, server

STATE = ".monitor-state"


def start_training(page: Page, address: str, epochs: int) -> None:
    """Start a run of so many epochs on the Train page, and wait until it learns."""
    page.goto(f"{address}/train")
    field = page.get_by_role("spinbutton", name="Epochs")
    field.fill(str(epochs))
    field.press("Enter")
    page.get_by_role("button", name="Train", exact=True).click()
    page.locator(f"{STATE}[data-state=running]").wait_for()


def test_one_click_on_home_trains_a_network_that_classifies_a_digit(page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_role("button", name="Watch a network learn").click()
    page.locator(f"{STATE}[data-state=running]").wait_for()
    page.locator('[data-plot="loss"] .scatterlayer').wait_for()
    page.locator(f"{STATE}[data-state=finished]").wait_for()
    accuracy = float(page.locator('[data-fact="accuracy"]').inner_text().removesuffix("\N{NARROW NO-BREAK SPACE}%"))
    assert accuracy > 97
    page.get_by_role("button", name="Draw a digit with this network").click()
    page.get_by_role("heading", name="Draw a digit").wait_for()
    expect(page.get_by_role("combobox", name="Network", exact=True)).to_have_value(re.compile("^recommended settings · "))
    page.locator(".paper canvas").wait_for()
    draw(page, SEVEN)
    expect(page.locator(".digit")).to_have_text("7")


def test_a_run_can_be_controlled_and_survives_a_reload(page: Page, address: str) -> None:
    start_training(page, address, epochs=200)
    page.get_by_role("button", name="Pause").click()
    page.locator(f"{STATE}[data-state=paused]").wait_for()
    epoch = page.locator('[data-fact="epoch"]').inner_text()
    page.reload()
    page.locator(f"{STATE}[data-state=paused]").wait_for()
    expect(page.locator('[data-fact="epoch"]')).to_have_text(epoch)
    page.get_by_role("button", name="Resume").click()
    page.locator(f"{STATE}[data-state=running]").wait_for()
    page.get_by_role("button", name="Stop").click()
    page.locator(f"{STATE}[data-state=stopped]").wait_for()


def test_a_zoom_survives_the_refreshes(page: Page, address: str) -> None:
    start_training(page, address, epochs=300)
    plot = page.locator('[data-plot="loss"]')
    plot.locator(".scatterlayer").wait_for()
    zoom(page, plot)
    zoomed = plot.evaluate("(element) => element._fullLayout.xaxis.range")
    assert 30 < zoomed[0] < zoomed[1] < 270
    ranges = "['loss', 'accuracy', 'rate'].map((name) => document.querySelector(`[data-plot=${name}]`)._fullLayout.xaxis.range)"
    page.wait_for_function(f"new Set({ranges}.map(String)).size === 1")  # the other plots follow
    for _ in range(2):
        before = page.locator('[data-fact="epoch"]').inner_text()
        expect(page.locator('[data-fact="epoch"]')).not_to_have_text(before)
        assert page.evaluate(ranges) == [zoomed] * 3
    plot.locator(".nsewdrag").dblclick(position={"x": 60, "y": 60})
    page.wait_for_function(f"{ranges}.every((range) => String(range) === '0,300')")
    page.get_by_role("button", name="Stop").click()
    page.locator(f"{STATE}[data-state=stopped]").wait_for()


def test_another_learner_can_neither_see_nor_control_a_run(page: Page, chromium: Browser, address: str) -> None:
    page.goto(address)
    page.get_by_role("button", name="Watch a network learn").click()
    page.locator(f"{STATE}[data-state]").wait_for()
    page.wait_for_url("**run=*")
    run = page.url.split("run=")[1]
    other = new_context(chromium)
    stranger = other.new_page()
    stranger.goto(f"{address}/train?run={run}")
    stranger.get_by_role("heading", name="Train a network").wait_for()
    stranger.get_by_text("training images").wait_for()
    assert stranger.locator(".monitor").count() == 0
    assert other.request.get(f"{address}/api/runs/{run}").status == 403
    assert other.request.post(f"{address}/api/runs/{run}/command", data={"command": "stop"}).status == 403
    assert page.request.get(f"{address}/api/runs/{run}").status == 200
    other.close()


def test_all_invalid_settings_are_shown_together(page: Page, address: str) -> None:
    page.goto(f"{address}/train")
    page.get_by_text("More settings").click()
    for label, value in (("Batch size, images", "5000"), ("Learning rate", "0")):
        field = page.get_by_role("spinbutton", name=label, exact=True)
        field.fill(value)
        field.press("Enter")
    page.get_by_role("button", name="Train", exact=True).click()
    alert = page.get_by_role("alert").filter(has_text="learning rate")
    expect(alert).to_contain_text("A batch of 5,000 is larger than MNIST 5k")


def test_a_run_continues_after_a_restart_of_the_server(chromium: Browser, tmp_path: Path) -> None:
    port = free_port()
    page = new_context(chromium).new_page()
    with server(tmp_path, port=port) as address:
        start_training(page, address, epochs=300)
        expect(page.locator('[data-fact="epoch"]')).to_contain_text("/ 300")
    with server(tmp_path, port=port):
        page.reload()
        page.locator(f"{STATE}[data-state=interrupted]").wait_for()
        before = page.locator('[data-fact="epoch"]').inner_text()
        page.get_by_role("button", name="Resume").click()
        page.locator(f"{STATE}[data-state=running]").wait_for()
        expect(page.locator('[data-fact="epoch"]')).not_to_have_text(before)
    page.close()
