"""The Train page in a browser."""

from __future__ import annotations

import re
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, FloatRect, Page, expect

from playground.network.presets import load_presets, preset
from playground.runs.history import History
from playground.runs.run import ACTIVE, create
from playground.server.identity import COOKIE, learner
from playground.training.config import TrainConfig

from ..support.accessibility import check_accessibility
from ..support.learners import ADA
from ..support.mouse import zoom
from ..support.ports import free_port
from ..support.serving import PATIENCE, SEVEN, draw, new_context, server, to_the_top
from ..support.waiting import until
from .conftest import KeptPage
from .test_shell import SHIFTS

RUN_IN_ADDRESS = re.compile(r"[?&]run=([\w-]+)")
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
    if page.get_by_role("dialog").count():  # a test left it open
        page.keyboard.press("Escape")
    settled(page)
    expect(page.locator(", ".join(f"{STATE}[data-state={state}]" for state in ACTIVE))).to_have_count(0)
    yield page
    for run in re.findall(r"[?&]run=([\w-]+)", page.url):  # one that a failed test left behind
        page.request.post(f"{address}/api/runs/{run}/command", data={"command": "stop"})


def set_up(page: Page) -> None:
    """Show the settings of a new run: they are on the page of a learner without a run, and in a drawer on that of others."""
    if page.locator(".monitor").count() and not page.get_by_role("dialog").count():
        page.get_by_role("button", name="Set up a new run").click()
        page.get_by_role("dialog").wait_for()
    page.get_by_role("button", name="Train", exact=True).wait_for()  # what is drawn last
    settled(page)


def choose_network(page: Page, title: str) -> None:
    """Show the settings of a new run for a network."""
    set_up(page)
    choice = page.get_by_role("combobox", name="Network", exact=True)
    if choice.input_value() != title:
        summary = next(each.summary for each in load_presets().networks.values() if each.title == title)
        if not page.get_by_role("dialog").count():
            to_the_top(page)
        option = page.get_by_role("option", name=title, exact=True)
        while not option.is_visible():  # a drawer that has just been opened closes the list
            if choice.get_attribute("aria-expanded") != "true":
                choice.click()
        option.click()
        page.get_by_text(summary).wait_for()
        settled(page)


def fill_in(page: Page, label: str, value: str) -> None:
    field = page.get_by_test_id("stNumberInput").get_by_role("spinbutton", name=label, exact=True)
    field.fill(value)
    field.press("Enter")
    settled(page)


@contextmanager
def another_run(page: Page) -> Iterator[None]:
    """Wait until the page watches the run that is started within."""
    before = RUN_IN_ADDRESS.findall(page.url)
    yield
    page.wait_for_url(lambda url: RUN_IN_ADDRESS.findall(url) not in ([], before))
    page.locator(f".monitor[data-run='{RUN_IN_ADDRESS.findall(page.url)[0]}']").wait_for()


def start_run(page: Page, epochs: int) -> None:
    """Start a run of so many epochs as it is set up."""
    fill_in(page, "Epochs", str(epochs))
    with another_run(page):
        page.get_by_role("button", name="Train", exact=True).click()


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
    """The page with the settings for LeNet-5."""
    with train_page(kept, address) as page:
        choose_network(page, LENET)
        yield page


def boxes(page: Page, *selectors: str) -> list[FloatRect]:
    """Where elements are on the page, in pixels."""
    found = [box for selector in selectors for each in page.locator(selector).all() if (box := each.bounding_box())]
    assert len(found) >= len(selectors)
    return found


def test_all_of_a_run_is_on_one_screen_and_nothing_moves(train: Page) -> None:
    choose_network(train, "Small modern CNN")
    start_training(train, epochs=1000)
    train.locator('[data-plot="accuracy"] .scatterlayer .trace').first.wait_for()
    train.locator(".monitor-row").first.wait_for()
    train.locator(".monitor-image.right, .monitor-image.wrong").first.wait_for()
    train.locator(".monitor-filters canvas").first.wait_for()
    panels = (".monitor-panel:visible", ".monitor-coach", ".monitor-code li", ".monitor-image")
    parts = (*panels, ".monitor-plot[data-plot=loss]", ".monitor-plot[data-plot=accuracy]")
    for box in boxes(train, *parts):
        assert box["x"] >= 0 and box["y"] >= 0 and box["x"] + box["width"] <= 1280 and box["y"] + box["height"] <= 800
    fixed = (*parts, ".monitor-go > *", ".monitor-name", ".monitor-rate slide-bar", ".monitor-optimizer", ".monitor-setup")
    running = boxes(train, *fixed)
    pause(train)
    assert boxes(train, *fixed) == running
    train.get_by_role("button", name="Step", exact=True).click()
    train.locator(".monitor-code .lit").wait_for()
    train.keyboard.press("Escape")
    expect(train.locator(".monitor-code .lit")).to_have_count(0)
    assert boxes(train, *fixed) == running
    stop(train)
    assert boxes(train, *fixed) == running


def test_a_network_that_still_learns_can_be_evaluated_and_drawn_for(train: Page, address: str) -> None:
    start_training(train, epochs=1000)
    pause(train)  # with a checkpoint, and with the five lines of its last step
    expect(train.get_by_role("button", name="Draw with it")).to_be_enabled()
    train.get_by_role("button", name="loss.backward()").click()
    train.locator(".drawing-flow").wait_for()
    train.keyboard.press("Escape")
    train.get_by_role("button", name="Conv2d 6→16").click()
    expect(train.locator(".at-work h2")).to_have_text("Conv2d 6→16 at work")
    expect(train.locator(".at-work .stage-status")).to_contain_text("Feature map")
    check_accessibility(train)
    train.get_by_role("button", name="Close", exact=True).click()
    run = train.url.split("run=")[1]
    train.get_by_role("button", name="Draw with it").click()
    train.get_by_role("heading", name="Draw a digit").wait_for()
    expect(train.get_by_role("combobox", name="Network", exact=True)).to_have_value(re.compile(r"^LeNet-5, epochs 1000"))
    train.locator(".paper canvas").wait_for()
    draw(train, SEVEN)
    expect(train.locator(".digit")).to_have_text(re.compile("[0-9]"))
    train.goto(f"{address}/train?run={run}")
    train.get_by_role("button", name="Evaluate it").click()
    train.get_by_role("heading", name="Evaluate a network").wait_for()
    train.locator(".evaluation[aria-busy=false]").wait_for()
    assert f"model={run}" in train.url
    assert train.request.post(f"{address}/api/runs/{run}/command", data={"command": "stop"}).ok


def test_a_run_can_be_named(train: Page, address: str) -> None:
    start_run(train, epochs=1)
    name = train.get_by_label("Name of the run")
    expect(name).to_have_value("LeNet-5, epochs 1")
    name.fill("My first run")
    name.press("Enter")
    train.wait_for_function("document.activeElement.className !== 'monitor-name'")
    settled(train)
    train.locator(f"{STATE}[data-state=finished]").wait_for()
    train.reload()
    expect(train.get_by_label("Name of the run")).to_have_value("My first run")


def test_settings_stay_open_and_their_button_in_sight(train: Page) -> None:
    start_run(train, epochs=1)
    set_up(train)
    train.locator(f"{STATE}[data-state=finished]").wait_for()  # the page is run again meanwhile
    settled(train)
    drawer = train.get_by_role("dialog")
    button = drawer.get_by_role("button", name="Train", exact=True)
    expect(button).to_be_in_viewport(ratio=1)
    drawer.get_by_text("More settings").click()
    drawer.get_by_text("Seed").scroll_into_view_if_needed()
    expect(button).to_be_in_viewport(ratio=1)
    train.keyboard.press("Escape")
    expect(drawer).to_have_count(0)


def test_nothing_moves_while_the_page_of_a_run_loads(train: Page) -> None:
    start_run(train, epochs=1)
    train.locator(f"{STATE}[data-state=finished]").wait_for()
    train.add_init_script(SHIFTS)
    shifts = {}
    for width, height in ((390, 844), (1280, 800)):
        train.set_viewport_size({"width": width, "height": height})
        train.reload()
        train.locator(".monitor-row").first.wait_for()
        train.locator('[data-plot="accuracy"] .scatterlayer .trace').first.wait_for()
        train.wait_for_load_state("networkidle")
        shifts[width] = train.evaluate("window.shifts")
    assert {width: shift for width, shift in shifts.items() if shift >= 0.05} == {}


def test_a_run_can_be_controlled_and_survives_a_reload(train: Page) -> None:
    start_training(train, epochs=1000)
    pause(train)
    epoch = train.locator('[data-fact="epoch"]').inner_text()
    train.reload()
    train.locator(f"{STATE}[data-state=paused]").wait_for()
    expect(train.locator('[data-fact="epoch"]')).to_have_text(epoch)
    train.get_by_role("button", name="Resume", exact=True).click()
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
    fill_in(train, "Learning rate, peak of the schedule", "0")
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
        assert before.endswith("of 1000")
        page.get_by_role("button", name="Resume", exact=True).click()
        page.locator(f"{STATE}[data-state=running]").wait_for()
        expect(page.locator('[data-fact="epoch"]')).not_to_have_text(before)
    context.close()
