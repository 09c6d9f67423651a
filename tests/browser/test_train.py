"""The Train page in a browser."""

from __future__ import annotations

import re
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Response, expect

from playground.network.presets import load_presets, preset
from playground.runs.history import History
from playground.runs.run import ACTIVE, create
from playground.server.identity import COOKIE, learner
from playground.training.config import TrainConfig

from ..support.learners import ADA
from ..support.mouse import zoom
from ..support.ports import free_port
from ..support.serving import PATIENCE, SEVEN, draw, new_context, server, to_the_top
from ..support.waiting import until
from .conftest import KeptPage

STATE = ".monitor-state"
LENET = "LeNet-5"
"""Its epoch takes a second."""


def settled(page: Page) -> None:
    """Wait until Streamlit has drawn the page: what it is about to draw anew swallows a click."""
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")


@contextmanager
def train_page(kept: KeptPage, address: str) -> Iterator[Page]:
    """The page that stays open, at Train, where no run is active."""
    page = kept.get(f"{address}/train")
    if "/train" not in page.url:
        page.get_by_role("link", name="Train").click()
    page.get_by_role("heading", name="Train a network").wait_for()
    settled(page)
    expect(page.locator(", ".join(f"{STATE}[data-state={state}]" for state in ACTIVE))).to_have_count(0)
    yield page
    for run in re.findall(r"[?&]run=([\w-]+)", page.url):  # one that a failed test left behind
        page.request.post(f"{address}/api/runs/{run}/command", data={"command": "stop"})


def choose_network(page: Page, title: str) -> None:
    choice = page.get_by_role("combobox", name="Network", exact=True)
    if choice.input_value() != title:
        summary = next(each.summary for each in load_presets().networks.values() if each.title == title)
        to_the_top(page)
        choice.click()
        page.get_by_role("option", name=title, exact=True).click()
        page.get_by_text(summary).wait_for()
        settled(page)


def fill_in(page: Page, label: str, value: str) -> None:
    page.get_by_role("button", name="Train", exact=True).wait_for()  # below all fields
    field = page.get_by_test_id("stNumberInput").get_by_role("spinbutton", name=label, exact=True)
    if not field.is_visible():
        page.get_by_text("More settings").click()
    field.fill(value)
    field.press("Enter")


@contextmanager
def another_run(page: Page) -> Iterator[None]:
    """Wait until the page watches the run that is started within."""
    before = page.url

    def is_of_another(answer: Response) -> bool:
        asked = re.search(r"/api/runs/([\w-]+)$", answer.url)
        return answer.ok and asked is not None and asked[1] not in before

    with page.expect_response(is_of_another) as answer:
        yield
    page.wait_for_url(f"**run={answer.value.url.split('/')[-1]}")


def start_run(page: Page, epochs: int) -> None:
    """Start a run of so many epochs as it is set up on the Train page, and open its curves."""
    fill_in(page, "Epochs", str(epochs))
    with another_run(page):
        page.get_by_role("button", name="Train", exact=True).click()
    page.get_by_role("tab", name="Curves", exact=True).click()


def start_training(page: Page, epochs: int) -> None:
    """Start a run, and wait until it learns."""
    start_run(page, epochs)
    page.locator(f"{STATE}[data-state=running]").wait_for()


def pause(page: Page) -> None:
    page.locator(".monitor").get_by_role("button", name="Pause", exact=True).click()
    page.locator(f"{STATE}[data-state=paused]").wait_for()


def stop(page: Page) -> None:
    page.locator(".monitor").get_by_role("button", name="Stop", exact=True).click()
    page.locator(f"{STATE}[data-state=stopped]").wait_for()


@pytest.fixture
def train(kept: KeptPage, address: str) -> Iterator[Page]:
    """The page with the form for LeNet-5."""
    with train_page(kept, address) as page:
        choose_network(page, LENET)
        yield page


def test_one_click_on_home_trains_a_network_that_classifies_a_digit(kept: KeptPage, address: str) -> None:
    page = kept.get(address)
    page.get_by_role("link", name="Home").click()
    page.get_by_role("button", name="Watch a network learn").click()
    page.locator(f"{STATE}[data-state=running]").wait_for()
    page.locator('[data-plot="loss"] .scatterlayer').wait_for()
    page.wait_for_function("""parseFloat(document.querySelector('[data-fact="accuracy"]').textContent) > 97""")
    stop(page)
    page.get_by_role("button", name="Draw a digit with this network").click()
    page.get_by_role("heading", name="Draw a digit").wait_for()
    expect(page.get_by_role("combobox", name="Network", exact=True)).to_have_value(re.compile("^recommended settings · "))
    page.locator(".paper canvas").wait_for()
    draw(page, SEVEN)
    expect(page.locator(".digit")).to_have_text("7")


def test_a_run_can_be_controlled_and_survives_a_reload(train: Page) -> None:
    start_training(train, epochs=1000)
    pause(train)
    epoch = train.locator('[data-fact="epoch"]').inner_text()
    train.reload()
    train.locator(f"{STATE}[data-state=paused]").wait_for()
    expect(train.locator('[data-fact="epoch"]')).to_have_text(epoch)
    train.get_by_role("button", name="Resume").click()
    train.locator(f"{STATE}[data-state=running]").wait_for()
    stop(train)


def test_a_zoom_survives_the_refreshes(train: Page) -> None:
    start_training(train, epochs=300)
    plot = train.locator('[data-plot="loss"]')
    ranges = "['loss', 'accuracy', 'rate'].map((name) => document.querySelector(`[data-plot=${name}]`)._fullLayout?.xaxis.range)"
    train.wait_for_function(f"{ranges}.every((range) => String(range) === '0,300')")
    plot.scroll_into_view_if_needed()
    zoom(train, plot)
    train.wait_for_function(f"{ranges}.every((range) => String(range) !== '0,300')")
    zoomed = plot.evaluate("(element) => element._fullLayout.xaxis.range")
    assert 30 < zoomed[0] < zoomed[1] < 270
    train.wait_for_function(f"new Set({ranges}.map(String)).size === 1")  # the other plots follow
    for _ in range(2):
        before = train.locator('[data-fact="epoch"]').inner_text()
        expect(train.locator('[data-fact="epoch"]')).not_to_have_text(before)
        assert train.evaluate(ranges) == [zoomed] * 3
    plot.locator(".nsewdrag").dblclick(position={"x": 60, "y": 60})
    train.wait_for_function(f"{ranges}.every((range) => String(range) === '0,300')")
    stop(train)


def test_another_learner_can_neither_see_nor_control_a_run(page: Page, address: str, server_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLAYGROUND_RUNS", str(server_folder / "runs"))
    run = create(TrainConfig(network="mnist-mlp"), preset("mnist-mlp"), owner=learner(ADA)).id
    page.goto(f"{address}/train?run={run}")
    page.get_by_role("heading", name="Train a network").wait_for()
    page.get_by_text("training images").wait_for()
    assert page.locator(".monitor").count() == 0
    assert page.request.get(f"{address}/api/runs/{run}").status == 403
    assert page.request.post(f"{address}/api/runs/{run}/command", data={"command": "stop"}).status == 403
    with urllib.request.urlopen(urllib.request.Request(f"{address}/api/runs/{run}", headers={"Cookie": f"{COOKIE}={ADA}"})) as answer:
        assert answer.status == 200


def test_all_invalid_settings_are_shown_together(train: Page) -> None:
    choose_network(train, "Tutorial CNN")  # the other tests keep their settings
    fill_in(train, "Batch size, images", "5000")
    fill_in(train, "Learning rate", "0")
    alert = train.get_by_role("alert").filter(has_text="learning rate")
    expect(alert).to_have_count(0)
    train.get_by_role("button", name="Train", exact=True).click()
    expect(alert).to_contain_text("A batch of 5,000 is larger than MNIST 5k")


def test_a_run_continues_after_a_restart_of_the_server(chromium: Browser, tmp_path: Path, data_folder: Path) -> None:
    variables, port = {"PLAYGROUND_DATA": str(data_folder)}, free_port()
    run = create(TrainConfig(network="mnist-mlp", epochs=1000), preset("mnist-mlp"), owner=learner(ADA))
    with server(tmp_path, variables, port):  # trains what was queued when it started
        until(lambda: History(run).follow().step > 0, PATIENCE / 1000)
    context = new_context(chromium)
    with server(tmp_path, variables, port) as address:
        context.add_cookies([{"name": COOKIE, "value": ADA, "url": address}])
        page = context.new_page()
        page.goto(f"{address}/train?run={run.id}")
        page.locator(f"{STATE}[data-state=interrupted]").wait_for()
        before = page.locator('[data-fact="epoch"]').inner_text()
        assert before.endswith("/ 1000")
        page.get_by_role("button", name="Resume").click()
        page.locator(f"{STATE}[data-state=running]").wait_for()
        expect(page.locator('[data-fact="epoch"]')).not_to_have_text(before)
    context.close()
