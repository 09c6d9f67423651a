"""Every page in a language made up for tests: each text is translated, and has room for one that is 40 % longer."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

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

from ..support.learners import ADA
from ..support.pseudo import PSEUDO, make_pseudo_language, pseudo
from ..support.script_editor import run_script
from ..support.serving import SEVEN, draw, excess_width, new_context, server
from ..support.training import train
from ..support.waiting import until

WIDTHS = ((1280, 800), (390, 844))
MARKED = re.compile(r"\[!!(?:(?!\[!!).)*?!!\]", re.DOTALL)
"""A translated text without another one in it."""
WORD = re.compile(r"[A-Za-z]{3,}[0-9]*")
STREAMLIT = {
    "Skip to main content", "Sidebar", "App pages", "Link to heading", "Expand sidebar", "Collapse sidebar", "Choose an option", "Open",
    "Show/hide columns", "Download as CSV", "Search", "Fullscreen", "Decrement", "Increment", "progress", "Scroll tabs right",
    "Scroll tabs left", "Dismiss", "Close",
}  # fmt: skip
"""Texts of Streamlit itself, which it does not translate."""
NAMED = (
    *(device.title for device in available()),
    *(optimizer.title for optimizer in OPTIMIZERS),
    *(network.title for network in load_presets().networks.values()),
    *(info.title for info in DATASETS),
    *(layer.name for layer in LAYERS), "SGD with momentum", "Nesterov", "AccumulateGrad", "float32", "float64", "int64", "cpu",
    "arange", "transpose", "softmax", "int", "float", "Ellipsis", "ellipsis", "GMAC", "state_dict", "safetensors",
)  # fmt: skip
NAMES = {word for name in NAMED for word in WORD.findall(name)}
"""Words in names that stay as they are in every language."""
CODE = re.compile(r"\w+=\S+|\w+Backward\d|^Help for ")
"""Arguments and names of PyTorch, and Streamlit's words for the help of a widget."""
READ = (Path(__file__).parent / "texts.js").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("languages")
    make_pseudo_language(folder / "locales")
    return folder


@pytest.fixture(scope="module")
def place(folder: Path) -> Iterator[str]:
    with server(folder, {"PLAYGROUND_LOCALES": str(folder / "locales")}) as running:
        yield running


@pytest.fixture(scope="module")
def run(folder: Path, place: str) -> Run:
    """A finished run of the learner."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLAYGROUND_RUNS", str(folder / "runs"))
        patch.setenv("PLAYGROUND_DATA", str(folder / "data"))
        return train(create(TrainConfig(network="mnist-mlp", epochs=1.0), preset("mnist-mlp"), learner(ADA)))


@pytest.fixture(scope="module")
def diverged(folder: Path, place: str) -> Run:
    """A run of the learner whose loss became infinite."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLAYGROUND_RUNS", str(folder / "runs"))
        run = create(TrainConfig(network="mnist-mlp"), preset("mnist-mlp"), learner(ADA))
        run.journal.append(Started(0.0, 0, 100, 10, "cpu", 1))
        run.journal.append(Step(1, 2.3, 0.1, 0.1, 0.1, 1000.0))
        run.journal.append(Failed(1.0, DivergedError(math.inf, 2).text, ""))
    return run


@pytest.fixture(scope="module")
def reader(chromium: Browser, place: str) -> Iterator[Page]:
    context = new_context(chromium, viewport={"width": 1280, "height": 800})
    context.add_cookies([{"name": COOKIE, "value": ADA, "url": place}])
    page = context.new_page()
    page.goto(f"{place}/?lang={PSEUDO}")
    yield page
    context.close()


def rest(text: str) -> str:
    """What remains of a text without its translated parts."""
    while (less := MARKED.sub("", text)) != text:
        text = less
    return CODE.sub("", text)


def check(page: Page) -> None:
    """Every word is translated and nothing is cut off, at both widths."""
    faults: list[str] = []
    for width, height in WIDTHS:
        page.set_viewport_size({"width": width, "height": height})
        found = page.evaluate(READ)
        faults += [f"{where}: {text}" for where, text in found["texts"] if text not in STREAMLIT and not set(WORD.findall(rest(text))) <= NAMES]
        faults += [f"cut off at {width}: {where}: {text}" for where, text in found["cut"]]
        until(lambda: excess_width(page) == 0)  # Streamlit's tables follow the width a moment later
    page.set_viewport_size({"width": 1280, "height": 800})
    assert not faults, "\n".join(dict.fromkeys(faults))


def each_tab(page: Page) -> Iterator[None]:
    for index in range(page.get_by_role("tab").count()):
        page.get_by_role("tab").nth(index).click()
        yield


def test_home(reader: Page, place: str) -> None:
    reader.goto(place)
    reader.locator(".paper canvas").wait_for()
    expect(reader.locator("html")).to_have_attribute("lang", PSEUDO)
    check(reader)


def test_tensors(reader: Page, place: str) -> None:
    reader.goto(f"{place}/tensors")
    reader.locator(".shelf .card").first.wait_for()
    check(reader)
    run_script(reader, "a = torch.ones(2, 3)\nb = torch.ones(4, 5)\nprint(a)\nc = a @ b", "/api/tensors/run")
    reader.locator(".fault").wait_for()
    check(reader)
    reader.locator("[data-testid=stExpander] summary").last.click()
    reader.locator("[data-testid=stDataFrame]").wait_for()
    check(reader)
    reader.locator("[data-testid=stButtonGroup] button").nth(1).click()
    reader.locator("[data-testid=stSelectbox]").first.wait_for()
    check(reader)


@pytest.mark.parametrize("view", ["Graph", "Pitfalls", "Gradients", "Descent"])
def test_autograd(reader: Page, place: str, view: str) -> None:
    reader.goto(f"{place}/autograd?view={view}")
    settled(reader)
    check(reader)


def test_network(reader: Page, place: str) -> None:
    reader.goto(f"{place}/network")
    reader.locator(".palette .kind").first.wait_for()
    expect(reader.locator(".builder.busy")).to_have_count(0)
    check(reader)
    for _ in each_tab(reader):
        settled(reader)
        check(reader)
    reader.get_by_role("button", name=pseudo("Paste code")).click()
    reader.get_by_role("dialog").wait_for()
    check(reader)


def test_train(reader: Page, place: str, run: Run) -> None:
    reader.goto(f"{place}/train")
    settled(reader)
    check(reader)
    reader.goto(f"{place}/train?run={run.id}")
    reader.locator(".monitor-state").wait_for()
    for _ in each_tab(reader):
        settled(reader)
        check(reader)


def test_a_run_that_failed_says_why(reader: Page, place: str, diverged: Run) -> None:
    reader.goto(f"{place}/train?run={diverged.id}")
    expect(reader.locator(".monitor-message")).to_contain_text(pseudo("Train again with a smaller learning rate, for example a tenth of it."))
    settled(reader)
    check(reader)


def test_evaluate(reader: Page, place: str) -> None:
    reader.goto(f"{place}/evaluate?model=mnist-cnn")
    reader.locator(".evaluation[aria-busy=false]").wait_for()
    for _ in each_tab(reader):
        settled(reader)
        check(reader)


def test_compare(reader: Page, place: str, run: Run) -> None:
    reader.goto(f"{place}/compare?runs={run.id}")
    settled(reader)
    check(reader)
    reader.get_by_role("button", name=pseudo("New race")).click()
    reader.get_by_role("dialog").get_by_role("button").last.wait_for()
    check(reader)


def test_draw(reader: Page, place: str) -> None:
    reader.goto(f"{place}/draw")
    reader.locator(".paper canvas").wait_for()
    check(reader)
    draw(reader, SEVEN)
    expect(reader.locator(".digit")).to_have_text("7")
    for _ in each_tab(reader):
        settled(reader)
        check(reader)


def settled(page: Page) -> None:
    """Streamlit runs no script, and the requests of the components are answered."""
    page.wait_for_load_state("networkidle")
    expect(page.locator("[data-testid=stApp][data-test-script-state=running]")).to_have_count(0)
