"""Every page in a language made up for tests: each text is translated, and has room for one that is 40 % longer."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from playground.data.catalogue import DATASETS
from playground.device import available
from playground.errors import DivergedError
from playground.network.catalogue import LAYERS
from playground.network.presets import load_presets, preset
from playground.runs.run import Run, create
from playground.server.identity import COOKIE, learner
from playground.training.config import TrainConfig
from playground.training.events import Failed, Started, Step
from playground.training.optimizers import OPTIMIZERS
from playground.ui.pages.autograd.graph import VIEWS

from ..support.learners import BOB
from ..support.pseudo import PSEUDO, pseudo
from ..support.script_editor import run_script
from ..support.serving import SEVEN, draw, excess_width
from ..support.training import train
from ..support.visiting import visit
from ..support.waiting import until
from .conftest import KeptPage

WIDE, NARROW = (1280, 800), (390, 844)
MARKED = re.compile(r"\[!!(?:(?!\[!!).)*?!!\]", re.DOTALL)
"""A translated text without another one in it."""
WORD = re.compile(r"[A-Za-z]{3,}[0-9]*")
STREAMLIT = {
    "Skip to main content", "Navigate to home page", "Sidebar", "App pages", "Link to heading", "Expand sidebar", "Collapse sidebar", "Choose an option",
    "Help", "Open", "Show/hide columns", "Download as CSV", "Search", "Fullscreen", "Decrement", "Increment", "progress", "Scroll tabs right",
    "Scroll tabs left", "Dismiss", "Close",
}  # fmt: skip
"""Texts of Streamlit itself, which it does not translate."""
NAMED = (
    *(device.title for device in available()),
    *(optimizer.title for optimizer in OPTIMIZERS),
    *(network.title for network in load_presets().networks.values()),
    *(info.title for info in DATASETS),
    *(layer.name for layer in LAYERS), *(param.name for layer in LAYERS for param in layer.params),
    "SGD with momentum", "Nesterov", "AccumulateGrad", "float32", "float64", "int64", "cpu",
    "arange", "transpose", "softmax", "int", "float", "Ellipsis", "ellipsis", "GMAC", "PCA", "SNE", "state_dict", "safetensors",
)  # fmt: skip
NAMES = {word for name in NAMED for word in WORD.findall(name)}
"""Words in names that stay as they are in every language."""
CODE = re.compile(r"\w+=\S+|\w+Backward\d|\w+Back\w*…|^Help for |^Fullscreen: |^\d+ more$")
"""Arguments and names of PyTorch, some of them shortened, and Streamlit's words for the help of a widget, for a picture and for links without a place."""
SHOWN = {"Graph": ".lab .node", "Pitfalls": ".version", "Network": "[data-testid=stNumberInput]", "Descent": ".race .racer"}
"""What is on the Autograd page in each view."""
READ = (Path(__file__).parent / "texts.js").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def run(server_folder: Path, address: str) -> Run:
    """A finished run of the learner."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLAYGROUND_RUNS", str(server_folder / "runs"))
        patch.setenv("PLAYGROUND_DATA", str(server_folder / "data"))
        return train(create(TrainConfig(network="mnist-mlp", epochs=1.0), preset("mnist-mlp"), learner(BOB)))


@pytest.fixture(scope="module")
def diverged(server_folder: Path, address: str) -> Run:
    """A run of the learner whose loss became infinite."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLAYGROUND_RUNS", str(server_folder / "runs"))
        run = create(TrainConfig(network="mnist-mlp"), preset("mnist-mlp"), learner(BOB))
        run.journal.append(Started(0.0, 0, 100, 10, "cpu", 1))
        run.journal.append(Step(1, 2.3, 0.1, 0.1, 0.1, 1000.0))
        run.journal.append(Failed(1.0, DivergedError(math.inf, 2).text, ""))
    return run


@pytest.fixture
def reader(kept: KeptPage, address: str) -> Page:
    """The page of the learner, in the made-up language."""
    page = kept.get("about:blank")
    if page.url == "about:blank":
        page.context.add_cookies([{"name": COOKIE, "value": BOB, "url": address}])
        page.goto(f"{address}/?lang={PSEUDO}")
        page.get_by_role("heading", level=1).wait_for()  # then Streamlit knows the pages
    return page


def rest(text: str) -> str:
    """What remains of a text without its translated parts."""
    while (less := MARKED.sub("", text)) != text:
        text = less
    return CODE.sub("", text)


def widen(page: Page) -> None:
    page.set_viewport_size({"width": WIDE[0], "height": WIDE[1]})


def go(page: Page, path: str, *title: str) -> None:
    """Go to a page with this title, which may consist of several texts, on a wide screen."""
    widen(page)
    visit(page, path)
    expect(page.get_by_role("heading", level=1)).to_have_text(" ".join(pseudo(each) for each in title))
    settled(page)


def check(page: Page) -> None:
    """Every word is translated and nothing is cut off, at both widths: at first that which the page has, then the other."""
    faults: list[str] = []
    first = (page.viewport_size or {})["width"]
    for width, height in sorted((WIDE, NARROW), key=lambda size: size[0] != first):
        page.set_viewport_size({"width": width, "height": height})
        until(lambda: excess_width(page) == 0)  # Streamlit's tables follow the width a moment later
        found = page.evaluate(READ)
        faults += [f"{where}: {text}" for where, text in found["texts"] if text not in STREAMLIT and not set(WORD.findall(rest(text))) <= NAMES]
        faults += [f"cut off at {width}: {where}: {text}" for where, text in found["cut"]]
    assert not faults, "\n".join(dict.fromkeys(faults))


def each_tab(page: Page) -> Iterator[None]:
    """Open one after the other, and wait for what is in it."""
    tabs = page.get_by_role("tab")
    for index in range(tabs.count()):
        tabs.nth(index).click()
        expect(tabs.nth(index)).to_have_attribute("aria-selected", "true")
        if page.locator("[data-testid=stTabPanel]").count():  # one of Streamlit, which a run of the script fills
            page.locator("[data-testid=stTabPanel] [data-testid=stElementContainer]").first.wait_for(state="attached")
        settled(page)
        yield


def settled(page: Page) -> None:
    """Streamlit runs no script, and the components wait for no answer."""
    expect(page.locator("[data-testid=stApp][data-test-script-state=running], [data-stale=true], [aria-busy=true], .busy")).to_have_count(0)


def test_home(reader: Page) -> None:
    go(reader, "/", "A network is learning to read.", "Draw something for it.")
    reader.locator(".stage-bars li").first.wait_for()
    expect(reader.locator("html")).to_have_attribute("lang", PSEUDO)
    check(reader)


def test_tensors(reader: Page) -> None:
    go(reader, "/tensors", "Tensors")
    reader.locator(".shelf .card").first.wait_for()
    check(reader)
    run_script(reader, "a = torch.ones(2, 3)\nb = torch.ones(4, 5)\nprint(a)\nc = a @ b", "/api/tensors/run")
    reader.locator(".fault").wait_for()
    check(reader)
    reader.locator("[data-testid=stExpander] summary").last.click()
    reader.locator("[data-testid=stDataFrame]").wait_for()
    check(reader)
    reader.locator("[data-testid=stButtonGroup] button").nth(2).click()
    reader.locator("[data-testid=stSelectbox]").first.wait_for()
    check(reader)


def test_notebook(reader: Page) -> None:
    go(reader, "/tensors", "Tensors")
    reader.locator("[data-testid=stButtonGroup] button").nth(1).click()
    cells = reader.locator(".notebook-cell")
    cells.first.wait_for()
    cells.nth(1).locator(".run").click()
    reader.locator(".shelf .card").first.wait_for()
    cells.nth(2).hover()
    check(reader)


@pytest.mark.parametrize("view", VIEWS)
def test_autograd(reader: Page, view: str) -> None:
    go(reader, f"/autograd?view={view}", "Autograd")
    expect(reader.get_by_role("radio", name=pseudo(VIEWS[view]), exact=True).first).to_be_checked()
    settled(reader)
    reader.locator(SHOWN[view]).first.wait_for()
    check(reader)


def test_network(reader: Page) -> None:
    go(reader, "/network", "Network")
    reader.locator(".list .row").first.wait_for()
    settled(reader)
    check(reader)
    reader.get_by_role("button", name=pseudo("▶ Run one batch")).click()
    reader.locator(".stage-name").first.wait_for()
    check(reader)
    reader.locator(".list .add").click()
    check(reader)
    reader.keyboard.press("Escape")
    reader.get_by_role("button", name=pseudo("Paste code")).click()
    reader.get_by_role("dialog").wait_for()
    check(reader)


def test_train(reader: Page, run: Run) -> None:
    go(reader, "/train", "Train a network")
    check(reader)
    go(reader, f"/train?run={run.id}", "Train a network")
    reader.locator(".monitor-state[data-state=finished]").wait_for()
    for _ in each_tab(reader):
        check(reader)
    reader.get_by_role("button", name=pseudo("Set up a new run")).click()
    reader.get_by_role("dialog").wait_for()
    settled(reader)
    check(reader)
    reader.keyboard.press("Escape")
    expect(reader.get_by_role("dialog")).to_have_count(0)


def test_a_run_while_it_trains_and_while_it_is_paused(reader: Page, run: Run) -> None:
    go(reader, f"/train?run={run.id}", "Train a network")
    reader.get_by_role("button", name=pseudo("Set up a new run")).click()
    reader.get_by_role("button", name=pseudo("Train"), exact=True).click()
    reader.locator(".monitor-state[data-state=running]").wait_for()
    reader.locator("[data-plot=loss] .scatterlayer").wait_for()
    check(reader)
    monitor = reader.locator(".monitor")
    monitor.get_by_role("button", name=pseudo("Step"), exact=True).click()
    reader.locator(".monitor-state[data-state=paused]").wait_for()
    reader.locator(".drawing-forgotten").wait_for()
    for line in reader.locator(".monitor-code button").all():
        line.click()
        check(reader)
    monitor.get_by_role("button", name=pseudo("Axes")).click()
    check(reader)
    reader.keyboard.press("Escape")
    monitor.get_by_role("button", name=pseudo("Stop"), exact=True).click()
    reader.locator(".monitor-state[data-state=stopped]").wait_for()
    monitor.get_by_role("button", name=pseudo("Continue from here…")).click()
    check(reader)
    reader.keyboard.press("Escape")


def test_a_run_that_failed_says_why(reader: Page, diverged: Run) -> None:
    go(reader, f"/train?run={diverged.id}", "Train a network")
    expect(reader.locator(".coach-reasons")).to_contain_text(pseudo("Train again with a smaller learning rate, for example a tenth of it."))
    settled(reader)
    check(reader)


def test_evaluate(reader: Page) -> None:
    go(reader, "/evaluate?model=mnist-cnn", "Evaluate a network")
    reader.locator(".evaluation[aria-busy=false]").wait_for()
    for _ in each_tab(reader):
        check(reader)


def test_compare(reader: Page, run: Run) -> None:
    go(reader, f"/compare?runs={run.id}", "Compare runs")
    reader.locator(".comparison-plot .scatterlayer .trace").first.wait_for()
    check(reader)
    reader.get_by_role("button", name=pseudo("New race")).click()
    reader.get_by_role("dialog").get_by_role("button").last.wait_for()
    settled(reader)
    check(reader)


def test_draw(reader: Page) -> None:
    go(reader, "/draw", "Draw a digit")
    reader.locator(".paper canvas").wait_for()
    check(reader)
    widen(reader)
    draw(reader, SEVEN)
    expect(reader.locator(".digit")).to_have_text("7")
    for _ in each_tab(reader):
        check(reader)
