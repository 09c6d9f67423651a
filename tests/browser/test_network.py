"""The Network page in a browser: building a network, errors and their fixes, code, a batch, files and links."""

from __future__ import annotations

import json
import re
import runpy
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Download, Locator, Page, expect

from playground.network.catalogue import LAYERS
from playground.network.presets import load_presets
from playground.network.spec import from_json
from playground.tensors import link

from ..support.accessibility import check_accessibility
from .conftest import KeptPage

PRESETS = load_presets().networks
FIRST = [layer.type for layer in PRESETS["tutorial-cnn"].layers]
SHAPES = ["(16, 26, 26)", "(16, 26, 26)", "(16, 13, 13)", "(32, 11, 11)", "(32, 11, 11)", "(32, 5, 5)", "(800,)", "(128,)", "(128,)", "(10,)"]
NET = """\
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(784, 32)
        self.spare = nn.Linear(3, 3)
        self.last = nn.Linear(32, 10)

    def forward(self, x):
        return self.last(torch.tanh(self.first(torch.flatten(x, 1))))
"""


LENET = """\
nn.Sequential(
    nn.Conv2d(1, 6, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
    nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
)
"""
"""For images of 32×32 pixels."""


@pytest.fixture
def lab(kept: KeptPage, address: str) -> Page:
    """The page with the first preset, for MNIST, and its code."""
    page = kept.get(f"{address}/network")
    if "/network" not in page.url:
        page.get_by_role("link", name="Network").click()
    settled(page)
    if chosen(page, "dataset").inner_text() != "MNIST 5k":
        choose_data(page, "MNIST 5k", "mnist-5k")
    if page.locator(".batch[aria-pressed=true]").count():
        button(page, "Show the shapes").click()
    pick(page, "style", "Code as a class")
    if chosen(page, "preset").inner_text() != "Tutorial CNN":
        open_preset(page, "tutorial-cnn")
        in_address(page, *FIRST)
    return page


def chosen(page: Page, name: str) -> Locator:
    """What a list of the builder shows as chosen: `preset`, `dataset`, `shape`, `style` or `start`."""
    return page.locator(f".{name} .pick-shown")


def pick(page: Page, name: str, title: str) -> None:
    """Choose from a list of the builder."""
    if chosen(page, name).inner_text() == title:
        return
    chosen(page, name).click()
    page.locator(f".{name}").get_by_role("option", name=title, exact=True).click()
    expect(chosen(page, name)).to_have_text(title)


def choose_data(page: Page, title: str, name: str) -> None:
    """Choose a data set, and wait until the builder asks about it."""
    with page.expect_request(lambda request: "/api/network/analyse" in request.url and f'"dataset":"{name}"' in (request.post_data or "")):
        pick(page, "dataset", title)
    settled(page)


def settled(page: Page) -> Page:
    """The layers are listed, and the server has said what they come to."""
    page.locator(".list .add").wait_for()
    expect(page.locator(".builder.busy")).to_have_count(0)
    return page


def rows(page: Page) -> Locator:
    return page.locator(".list .row")


def names(page: Page) -> Locator:
    return page.locator(".list .row .type")


def shapes(page: Page) -> Locator:
    return page.locator(".list .row .out")


def field(page: Page, name: str) -> Locator:
    """The field of a parameter of the selected layer, which may be one of those that are shown on demand."""
    found = page.locator(f".layer [data-param={name}]")
    found.wait_for(state="attached")
    if not found.is_visible():
        button(page, "More parameters").click()
    return found


def fact(page: Page, name: str) -> Locator:
    return page.locator(f".layer dt:has-text('{name}') + dd")


def button(page: Page, name: str) -> Locator:
    return page.locator(".builder").get_by_role("button", name=name, exact=True)


def choose(page: Page, place: int) -> None:
    names(page).nth(place).click()
    expect(rows(page).nth(place)).to_have_class(re.compile("chosen"))


def add(page: Page, kind: str) -> None:
    """Add a layer behind the chosen one: found by its name."""
    page.locator(".list .add").click()
    page.get_by_label("Search all layers").fill(kind)
    page.locator(f".kind:has(b:text-is('{kind}'))").click()


def act(page: Page, place: int, name: str) -> None:
    """Press a button of a layer: up, down, copy, off or delete."""
    choose(page, place)
    page.locator(f".layer .acts .{name}").click()


def menu(page: Page, item: str) -> Locator:
    """An item of the menu, which is opened."""
    button(page, "More ▾").click()
    return button(page, item)


def problem(page: Page) -> Locator:
    """What is said beneath the picture."""
    return page.locator(".problem .message")


def fits_window(*parts: Locator) -> None:
    """Every part lies in the window, without scrolling."""
    for part in parts:
        expect(part).to_be_in_viewport(ratio=1)


def drag(page: Page, place: int, below: int) -> None:
    """Pull a layer by its grip with the mouse, and let it go just beneath another."""
    settled(page)
    rows(page).nth(min(place, below)).scroll_into_view_if_needed()
    grip, target = rows(page).nth(place).locator(".grip").bounding_box(), rows(page).nth(below).bounding_box()
    assert grip is not None and target is not None
    x = grip["x"] + grip["width"] / 2
    page.mouse.move(x, grip["y"] + grip["height"] / 2)
    page.mouse.down()
    page.mouse.move(x, target["y"] + target["height"] - 2, steps=6)
    page.mouse.up()


def open_preset(page: Page, name: str) -> None:
    pick(page, "preset", PRESETS[name].title)
    expect(names(page)).to_have_text([layer.type for layer in PRESETS[name].layers])
    settled(page)


def in_address(page: Page, *kinds: str) -> None:
    """The network has come into the address: layers of these kinds."""

    def there(url: str) -> bool:
        match = re.search("network=([^&]+)", url)
        return match is not None and kinds == tuple(layer["type"] for layer in json.loads(link.unpack(match[1]))["layers"])

    page.wait_for_url(there)


def empty(page: Page) -> None:
    choose(page, 0)
    for left in reversed(range(rows(page).count())):
        page.locator(".acts .delete").click()
        expect(rows(page)).to_have_count(left)


def upload(page: Page, name: str, text: str) -> None:
    page.locator("input.chosen").set_input_files({"name": name, "mimeType": "text/plain", "buffer": text.encode()})


def downloaded(page: Page, pressed: Locator) -> tuple[str, bytes]:
    with page.expect_download() as waiting:
        pressed.click()
    download: Download = waiting.value
    return download.suggested_filename, Path(download.path()).read_bytes()


def test_the_page_is_one_screen(lab: Page) -> None:
    area = lab.get_by_test_id("stMain")
    assert area.evaluate("area => area.scrollHeight <= area.clientHeight")
    fits_window(lab.locator(".bar"), lab.locator(".stage-box"), lab.locator(".list .add"), lab.locator(".layer header"), lab.locator(".code .cm-editor"))
    expect(lab.get_by_role("heading", level=1, name="Network")).to_be_visible()


def test_a_network_is_built_layer_by_layer_with_its_shapes(lab: Page) -> None:
    open_preset(lab, "mnist-mlp")
    empty(lab)
    expect(problem(lab)).to_contain_text("A network needs at least one layer.")
    expect(button(lab, "No layers yet")).to_be_disabled()
    button(lab, "Start with Flatten and Linear").click()
    expect(shapes(lab)).to_have_text(["(784,)", "(10,)"])
    expect(button(lab, "▶ Train this")).to_be_enabled()
    button(lab, "Undo").click()
    for place, kind in enumerate(FIRST):
        add(lab, kind)
        if kind == "Conv2d" and place:
            field(lab, "out_channels").fill("32")
    field(lab, "out_features").fill("10")
    settled(lab)
    expect(names(lab)).to_have_text(FIRST)
    expect(shapes(lab)).to_have_text(SHAPES)
    expect(lab.locator(".parameters")).to_have_text("108,618 parameters")
    expect(lab.locator(".picture [data-index]:has(title)")).to_have_count(11)
    expect(lab.locator(".code .cm-content")).to_contain_text("import torch")


def test_a_layer_is_inserted_between_two_others(lab: Page) -> None:
    rows(lab).nth(3).hover()
    rows(lab).nth(3).get_by_role("button", name="Insert a layer at position 4").click()
    expect(lab.locator(".palette .kind")).to_have_count(8)
    button(lab, f"All {len(LAYERS)} layers").click()
    expect(lab.locator(".palette .kind")).to_have_count(len(LAYERS))
    lab.get_by_label("Search all layers").fill("norm image")
    lab.keyboard.press("Enter")
    expect(names(lab)).to_have_text([*FIRST[:4], "BatchNorm2d", *FIRST[4:]])
    expect(rows(lab).nth(4).locator("button").first).to_be_focused()


def test_a_changed_parameter_updates_shapes_counts_and_code(lab: Page) -> None:
    expect(fact(lab, "Parameters")).to_have_text("(3·3·1 + 1)·16 = 160")
    expect(fact(lab, "Shape")).to_have_text("(1, 28, 28) → (16, 26, 26)")
    expect(fact(lab, "Output size")).to_have_text("⌊(28 + 2·0 − 1·(3 − 1) − 1) / 1⌋ + 1 = 26")
    expect(fact(lab, "Output size").locator(".of-kernel")).to_have_text("3")
    expect(fact(lab, "Receptive field")).to_have_text("3×3 pixels of the input, effective stride 1")
    expect(fact(lab, "Multiply-adds")).to_have_text("26·26·16·9·1 = 97,344")
    field(lab, "kernel_size").fill("5")
    expect(fact(lab, "Parameters")).to_have_text("(5·5·1 + 1)·16 = 416")
    expect(shapes(lab)).to_have_text(["(16, 24, 24)", "(16, 24, 24)", "(16, 12, 12)", "(32, 10, 10)", "(32, 10, 10)", "(32, 5, 5)", *SHAPES[6:]])
    field(lab, "kernel_size").fill("32")
    expect(lab.locator(".field.wrong")).to_contain_text("Enter a number from 1 to 31.")
    expect(shapes(lab).first).to_have_text("(16, 24, 24)")
    field(lab, "kernel_size").fill("3")
    field(lab, "bias").uncheck()
    expect(fact(lab, "Parameters")).to_have_text("3·3·1·16 = 144")
    field(lab, "padding").fill("1")
    field(lab, "padding_mode").click()
    field(lab, "padding_mode").get_by_role("option", name="reflect").click()
    expect(rows(lab).first).to_contain_text("padding 1, padding_mode reflect, bias false")
    expect(shapes(lab).nth(6)).to_have_text("(1152,)")
    choose(lab, 3)
    expect(fact(lab, "Receptive field")).to_have_text("8×8 pixels of the input, effective stride 2")
    lab.locator(".picture .piece[data-index='7'] rect").click()
    expect(lab.locator(".layer > header h2")).to_have_text("7 Linear")
    expect(fact(lab, "Parameters")).to_have_text("(1152 + 1)·128 = 147,584")
    expect(fact(lab, "Receptive field")).to_have_text("the whole image")


def test_the_window_shows_the_inputs_of_an_output_cell(lab: Page) -> None:
    before, after = lab.locator(".window svg").first, lab.locator(".window svg").last

    def window(side: int = 12) -> list[list[int]]:
        places: list[int] = before.evaluate("(svg) => [...svg.children].flatMap((cell, place) => (cell.classList.contains('seen') ? [place] : []))")
        return [[place // side, place % side] for place in places]

    def square(row: int, column: int, apart: int = 1) -> list[list[int]]:
        return [[row + apart * y, column + apart * x] for y in range(3) for x in range(3)]

    def settle(name: str, value: str, cells: int) -> None:
        field(lab, name).fill(value)
        settled(lab)
        expect(after.locator("rect")).to_have_count(cells)

    expect(after.locator("rect")).to_have_count(100)
    assert window() == square(0, 0)
    after.locator("rect").nth(21).hover()
    expect(after.locator("rect").nth(21)).to_have_class("made")
    assert window() == square(2, 1)
    settle("stride", "2", 25)
    after.locator("rect").nth(6).hover()
    expect(after.locator("rect").nth(6)).to_have_class("made")
    assert window() == square(2, 2)
    expect(before.locator(".pad")).to_have_count(0)
    settle("stride", "1", 100)
    settle("padding", "2", 100)
    expect(before.locator(".pad")).to_have_count(144 - 64)
    settle("dilation", "2", 64)
    after.locator("rect").nth(9).hover()
    expect(after.locator("rect").nth(9)).to_have_class("made")
    assert window() == square(1, 1, apart=2)
    button(lab, "▶ Slide").click()
    expect(after.locator("rect").nth(11)).to_have_class("made")
    button(lab, "❙❙ Stop").click()
    choose(lab, 1)
    expect(lab.locator(".window")).to_be_hidden()


def test_layers_can_be_moved_copied_removed_and_disabled_and_each_can_be_undone(lab: Page) -> None:
    moved = ["Conv2d", "MaxPool2d", "ReLU", *FIRST[3:]]
    open_preset(lab, "lenet-5")
    open_preset(lab, "tutorial-cnn")
    field(lab, "kernel_size").focus()  # it is gone when another layer is chosen
    drag(lab, 1, below=2)
    expect(names(lab)).to_have_text(moved)
    settled(lab)
    expect(shapes(lab).nth(1)).to_have_text("(16, 13, 13)")
    button(lab, "Undo").click()
    expect(names(lab)).to_have_text(FIRST)
    button(lab, "Redo").click()
    expect(names(lab)).to_have_text(moved)
    drag(lab, 2, below=0)
    expect(names(lab)).to_have_text(FIRST)
    act(lab, 1, "down")
    expect(names(lab)).to_have_text(moved)
    act(lab, 2, "up")
    expect(names(lab)).to_have_text(FIRST)
    choose(lab, 2)
    lab.keyboard.press("Alt+ArrowUp")
    expect(names(lab)).to_have_text(moved)
    choose(lab, 1)
    lab.keyboard.press("Alt+ArrowDown")
    expect(names(lab)).to_have_text(FIRST)
    act(lab, 7, "copy")
    expect(names(lab)).to_have_text([*FIRST[:8], *FIRST[7:]])
    expect(shapes(lab)).to_have_text([*SHAPES[:8], "(128,)", *SHAPES[8:]])
    act(lab, 8, "delete")
    expect(names(lab)).to_have_text(FIRST)
    act(lab, 2, "off")
    expect(rows(lab).nth(2)).to_have_class(re.compile(r"\boff\b"))
    expect(shapes(lab)).to_have_text([*SHAPES[:2], "off", "(32, 24, 24)", "(32, 24, 24)", "(32, 12, 12)", "(4608,)", *SHAPES[7:]])
    expect(lab.locator(".picture [data-index]:has(title)")).to_have_count(10)
    act(lab, 2, "off")
    expect(shapes(lab)).to_have_text(SHAPES)
    add(lab, "Tanh")
    expect(names(lab)).to_have_text([*FIRST[:3], "Tanh", *FIRST[3:]])
    lab.keyboard.press("Control+z")
    expect(names(lab)).to_have_text(FIRST)
    lab.keyboard.press("Control+Shift+z")
    expect(names(lab)).to_have_text([*FIRST[:3], "Tanh", *FIRST[3:]])
    for _ in range(11):  # changes since the network was opened
        button(lab, "Undo").click()
    settled(lab)
    expect(names(lab)).to_have_text(FIRST)
    expect(shapes(lab)).to_have_text(SHAPES)
    button(lab, "Undo").click()
    expect(names(lab)).to_have_text([layer.type for layer in PRESETS["lenet-5"].layers])


def test_a_layer_can_be_moved_and_restored_by_keyboard(lab: Page) -> None:
    choose(lab, 3)
    for place in (2, 1, 0):
        lab.keyboard.press("Alt+ArrowUp")
        settled(lab)
        expect(rows(lab).nth(place)).to_have_class(re.compile("chosen"))
    expect(names(lab)).to_have_text(["Conv2d", "Conv2d", "ReLU", "MaxPool2d", *FIRST[4:]])
    for _ in range(3):
        lab.keyboard.press("Control+z")
        settled(lab)
    expect(names(lab)).to_have_text(FIRST)
    lab.keyboard.press("ArrowDown")
    lab.keyboard.press("Delete")
    expect(rows(lab)).to_have_count(9)


def test_a_removed_layer_is_restored_by_a_key(lab: Page) -> None:
    act(lab, 2, "delete")
    settled(lab)
    expect(rows(lab)).to_have_count(9)
    lab.keyboard.press("Control+z")
    expect(names(lab)).to_have_text(FIRST)


def test_shapes_before_a_misfit_remain_and_a_fix_repairs_the_network(lab: Page) -> None:
    wrong = lab.locator(".list .row.wrong")
    choose(lab, 3)
    field(lab, "kernel_size").fill("20")
    expect(shapes(lab)).to_have_text([*SHAPES[:3], "does not fit", *[""] * 6])
    expect(wrong).to_have_count(1)
    expect(rows(lab).nth(3)).to_have_class(re.compile("wrong"))
    expect(problem(lab)).to_have_text("The window spans 20 pixels, but the image has only 13×13.")
    expect(lab.locator(".fix")).to_have_text(["Set kernel_size to 3", "Set padding to 4", "Leave out layer 2 (MaxPool2d)", "Leave this layer out"])
    fits_window(problem(lab), *lab.locator(".fix").all())
    tip, red = lab.locator(".problem").bounding_box(), lab.locator(".picture [data-index='3']:has(title)").bounding_box()
    assert tip is not None and red is not None
    at = lab.locator(".problem").evaluate("box => parseFloat(getComputedStyle(box, '::before').left)")
    assert red["x"] < tip["x"] + at + 6 < red["x"] + red["width"], "the tip of the sentence is at the layer"
    expect(lab.locator(".code .help")).to_have_text("This is still the code of the last network that fitted.")
    check_accessibility(lab)
    expect(button(lab, "Layer 3 does not fit")).to_be_disabled()
    expect(button(lab, "▶ Run one batch")).to_be_disabled()
    button(lab, "Set padding to 4").click()
    expect(wrong).to_have_count(0)
    settled(lab)
    expect(shapes(lab).nth(3)).to_have_text("(32, 2, 2)")
    expect(shapes(lab).last).to_have_text("(10,)")
    open_preset(lab, "tutorial-cnn")
    act(lab, 6, "delete")
    expect(names(lab)).to_have_text([*FIRST[:6], *FIRST[7:]])
    expect(shapes(lab)).to_have_text([*SHAPES[:6], "does not fit", "", ""])
    button(lab, "Put a Flatten layer before it: a vector of 800 values").click()
    expect(names(lab)).to_have_text(FIRST)
    expect(shapes(lab)).to_have_text(SHAPES)
    for place in (5, 6, 7):
        act(lab, place, "copy")
    choose(lab, 0)
    expect(shapes(lab)).to_have_text([*SHAPES[:6], "(32, 2, 2)", "(32, 1, 1)", "does not fit", *[""] * 4])
    problem(lab).get_by_role("button").click()
    expect(rows(lab).nth(8)).to_have_class("row chosen wrong")
    expect(rows(lab).nth(8)).to_be_in_viewport()
    button(lab, "Leave this pooling layer out").click()
    expect(wrong).to_have_count(0)
    expect(shapes(lab)).to_have_text([*SHAPES[:6], "(32, 2, 2)", "(32, 1, 1)", "(32,)", *SHAPES[7:]])


def test_a_fix_keeps_disabled_layers_in_place(lab: Page) -> None:
    act(lab, 1, "off")
    settled(lab)
    act(lab, 6, "delete")
    button(lab, "Put a Flatten layer before it: a vector of 800 values").click()
    settled(lab)
    expect(names(lab)).to_have_text(FIRST)
    expect(rows(lab).nth(1)).to_have_class(re.compile(r"\boff\b"))


def test_advice_is_shown_for_a_valid_network_and_its_fix_removes_it(lab: Page) -> None:
    choose(lab, 9)
    expect(lab.locator(".problem .message")).to_contain_text("Layer 5 (MaxPool2d) ignores the edge")
    lab.locator(".next").click()
    expect(problem(lab)).to_contain_text("holds 94")
    add(lab, "Softmax")
    expect(problem(lab)).to_have_text("The network ends in Softmax, but the cross-entropy loss expects logits.")
    expect(lab.locator(".problem .why")).to_contain_text("The loss applies softmax to the logits itself.")
    expect(button(lab, "▶ Train this")).to_be_enabled()
    button(lab, "Leave out Softmax at the end").click()
    expect(names(lab)).to_have_text(FIRST)
    expect(problem(lab)).to_contain_text("Layer 5")


def test_a_network_for_other_images_is_made_to_fit_or_gets_other_data(lab: Page) -> None:
    expect(paste(lab, LENET, "1, 32, 32")).to_be_hidden()
    expect(problem(lab)).to_have_text("The network takes input of shape (1, 32, 32), but MNIST 5k has images of shape (1, 28, 28).")
    expect(button(lab, "The data is 1×28×28")).to_be_disabled()
    fits_window(problem(lab), *lab.locator(".fix").all())
    button(lab, "▶ Run one batch").click()
    expect(problem(lab)).to_be_hidden()
    button(lab, "The data is 1×28×28").press("Enter")
    expect(lab.locator(".fix").first).to_be_focused()
    button(lab, "Set the input shape to (1, 28, 28) and padding of layer 0 to 2").click()
    expect(shapes(lab).first).to_have_text("(6, 28, 28)")
    expect(button(lab, "▶ Train this")).to_be_enabled()
    open_preset(lab, "cifar-cnn")
    button(lab, "Use Shapes 32×32 as data").click()
    expect(chosen(lab, "dataset")).to_have_text("Shapes 32×32")
    settled(lab)
    expect(button(lab, "▶ Train this")).to_be_enabled()
    choose_data(lab, "No data set", "")
    expect(button(lab, "Choose data first")).to_be_disabled()
    button(lab, "Choose data first").press("Enter")
    expect(lab.locator(".dataset").get_by_role("option", name="MNIST 5k", exact=True)).to_be_visible()
    lab.keyboard.press("Escape")


def test_activations_of_a_batch_are_zero_with_zero_weights(lab: Page) -> None:
    above, summary, columns = lab.locator(".above"), lab.locator(".layer .activations"), lab.locator(".stage-name")
    button(lab, "▶ Run one batch").click()
    expect(above).to_contain_text("64 training images of MNIST 5k")
    expect(columns.nth(1)).to_contain_text("Conv2d")
    expect(summary.locator(".bars span")).to_have_count(41)
    shares = lab.locator(".stage-share")
    expect(shares).not_to_have_text(["10\N{NARROW NO-BREAK SPACE}%"] * 10)
    pick(lab, "start", "Zeros")
    expect(summary).to_contain_text("mean 0, std 0, 100 % zeros")
    expect(shares).to_have_text(["10\N{NARROW NO-BREAK SPACE}%"] * 10)
    columns.nth(2).click()
    expect(lab.locator(".layer > header h2")).to_contain_text("3 Conv2d")
    value = lab.locator(".value")
    expect(value.locator(".sum")).to_contain_text("sum of 144 products")
    expect(value.locator(".result")).to_have_text("0")
    expect(value.locator("h2")).to_have_text(re.compile("row 0, column 0$"))
    value.locator(".map").press("ArrowRight")
    expect(value.locator("h2")).to_have_text(re.compile("row 0, column 1$"))
    check_accessibility(lab)
    value.locator(".map").click()
    expect(value.locator("h2")).to_have_text(re.compile("row 5, column 5$"))
    expect(summary).to_contain_text("100 % zeros")
    act(lab, 6, "delete")
    expect(columns.first).to_be_hidden()
    expect(lab.locator(".problem")).to_be_visible()
    button(lab, "Undo").click()
    expect(columns.first).to_be_visible()
    pick(lab, "start", "PyTorch’s own")
    expect(summary).not_to_contain_text("100 % zeros")
    choose(lab, 3)
    button(lab, "Show the sum behind a value").click()
    expect(value.locator(".result")).not_to_have_text("0")
    choose_data(lab, "Fashion-MNIST", "fashion-mnist")  # the same shape, other images
    expect(above).to_contain_text("Fashion-MNIST has not been downloaded yet.")


def test_a_column_of_many_layers_is_unfolded_and_folded_again(lab: Page) -> None:
    hidden = "nn.ReLU(), nn.Linear(32, 32), " * 15
    expect(paste(lab, f"nn.Sequential(nn.Flatten(), nn.Linear(784, 32), {hidden}nn.ReLU(), nn.Linear(32, 10))", "1, 28, 28")).to_be_hidden()
    button(lab, "▶ Run one batch").click()
    columns, fold = lab.locator(".stage-name"), button(lab, "Fold the layers again")
    folded = columns.filter(has_text="+ ")
    expect(folded.first).to_be_visible()
    expect(fold).to_be_hidden()
    few = columns.count()
    folded.first.click()
    expect(fold).to_be_visible()
    assert columns.count() > few
    pick(lab, "start", "Zeros")  # other weights, the same columns
    expect(lab.locator(".stage-share")).to_have_text(["10\N{NARROW NO-BREAK SPACE}%"] * 10)
    assert columns.count() > few
    fold.click()
    expect(columns).to_have_count(few)


def test_a_network_for_colour_images_has_a_batch_without_a_download(lab: Page) -> None:
    choose_data(lab, "No data set", "")
    open_preset(lab, "cifar-cnn")
    button(lab, "▶ Run one batch").click()
    expect(lab.locator(".above")).to_contain_text("64 training images of Shapes 32×32")
    expect(lab.locator(".stage-name").first).to_contain_text("3×32×32")


def paste(page: Page, text: str, shape: str = "") -> Locator:
    button(page, "Paste code").click()
    dialog = page.locator("dialog.reading")
    dialog.get_by_label("Code of a network").fill(text)
    dialog.locator(".given").fill(shape)
    dialog.get_by_role("button", name="Import").click()
    return dialog


def test_pasted_code_becomes_a_network_or_an_error_with_its_line(lab: Page) -> None:
    dialog = paste(lab, "import torch.nn as nn\nnetwork = nn.Sequential(\n    nn.Flatten(),\n    nn.LSTM(784, 10),\n)")
    expect(dialog.locator(".fault")).to_contain_text("Line 4")
    expect(names(lab)).to_have_text(FIRST)
    check_accessibility(lab)
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_be_hidden()
    expect(paste(lab, NET)).to_be_hidden()
    expect(names(lab)).to_have_text(["Flatten", "Linear", "Tanh", "Linear"])
    settled(lab)
    expect(shapes(lab)).to_have_text(["(784,)", "(32,)", "(32,)", "(10,)"])
    expect(paste(lab, "nn.Sequential(nn.Flatten(), nn.Linear(48, 5))", "3, 4, 4")).to_be_hidden()
    expect(names(lab)).to_have_text(["Flatten", "Linear"])
    expect(shapes(lab)).to_have_text(["(48,)", "(5,)"])
    expect(lab.locator(".sizes")).to_have_value("3, 4, 4")
    button(lab, "Undo").click()
    expect(names(lab)).to_have_text(["Flatten", "Linear", "Tanh", "Linear"])


def test_what_pasted_code_leaves_open_is_asked(lab: Page) -> None:
    first = "class First(nn.Module):\n    def __init__(self, num_classes):\n        super().__init__()\n        self.a = nn.Linear(784, num_classes)\n"
    first += "    def forward(self, x):\n        return self.a(x.flatten(1))\n\n"
    dialog = paste(lab, first + first.replace("First", "Second").replace("self.a(x", "torch.tanh(self.a(x").replace("(1))", "(1)))"))
    questions = dialog.locator(".open-questions")
    expect(questions).to_contain_text("This code has several networks.")
    expect(questions.get_by_role("button", name="Second, line 8")).to_have_attribute("aria-pressed", "true")
    check_accessibility(lab)
    questions.get_by_role("button", name="First, line 1").click()
    expect(questions.get_by_role("button", name="First, line 1")).to_have_attribute("aria-pressed", "true")
    expect(questions.get_by_label("num_classes")).to_have_value("10")
    questions.get_by_label("num_classes").fill("7")
    expect(names(lab)).to_have_text(FIRST)
    dialog.get_by_role("button", name="Import").click()
    expect(dialog).to_be_hidden()
    expect(names(lab)).to_have_text(["Flatten", "Linear"])
    expect(shapes(lab)).to_have_text(["(784,)", "(7,)"])
    button(lab, "Paste code").click()
    expect(questions).to_be_hidden()
    dialog.get_by_role("button", name="Cancel").click()


def test_notes_about_pasted_code_remain_visible(lab: Page) -> None:
    expect(paste(lab, NET)).to_be_hidden()
    expect(names(lab)).to_have_text(["Flatten", "Linear", "Tanh", "Linear"])
    in_address(lab, "Flatten", "Linear", "Tanh", "Linear")  # which is when the server has answered
    expect(problem(lab)).to_contain_text("self.spare is left out")


def test_enter_in_the_input_shape_reads_the_pasted_code(lab: Page) -> None:
    button(lab, "Paste code").click()
    lab.get_by_label("Code of a network").fill("nn.Sequential(nn.Flatten(), nn.Linear(48, 5))")
    lab.locator("dialog.reading .given").fill("3, 4, 4")
    lab.locator("dialog.reading .given").press("Enter")
    expect(names(lab)).to_have_text(["Flatten", "Linear"])


def test_network_files_can_be_opened_and_invalid_ones_change_nothing(lab: Page) -> None:
    for text, message in (
        ('{"name": "broken", ', "This is not JSON"),
        (json.dumps({"name": "x", "input_shape": [4], "layers": [{"type": "Nothing"}]}), "There is no layer called “Nothing”."),
        ("[]", "A network is a JSON object"),
        (json.dumps({"name": "x", "input_shape": [4], "layers": [{"type": "ReLU"}] * 300}), "from 1 to 200 layers"),
        ("{" + " " * 200_001, "too large"),
    ):
        upload(lab, "network.json", text)
        expect(problem(lab)).to_contain_text(message)
        expect(names(lab)).to_have_text(FIRST)
    upload(lab, "lenet.json", PRESETS["lenet-5"].to_json())
    expect(names(lab)).to_have_text([layer.type for layer in PRESETS["lenet-5"].layers])
    settled(lab)
    expect(lab.locator(".below")).not_to_contain_text("too large")
    upload(lab, "net.py", NET)
    expect(names(lab)).to_have_text(["Flatten", "Linear", "Tanh", "Linear"])
    upload(lab, "net.py", "print('no network')")
    dialog = lab.locator("dialog.reading")
    expect(dialog.locator(".fault")).to_contain_text("There is no network in this code.")
    expect(names(lab)).to_have_text(["Flatten", "Linear", "Tanh", "Linear"])
    dialog.get_by_role("button", name="Cancel").click()


def test_a_network_can_be_saved_as_json_image_and_runnable_code(lab: Page, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    field(lab, "out_channels").fill("8")
    settled(lab)
    name, content = downloaded(lab, menu(lab, "Save as JSON"))
    spec = from_json(content.decode())
    assert name == "tutorial-cnn.json" and spec.input_shape == (1, 28, 28)
    assert [layer.type for layer in spec.layers] == FIRST and spec.layers[0].params["out_channels"] == 8
    assert spec.layers[1:] == PRESETS["tutorial-cnn"].layers[1:]
    name, content = downloaded(lab, menu(lab, "Save the picture as SVG"))
    assert name == "tutorial-cnn.svg" and content.startswith(b"<svg xmlns=") and "8×26×26" in content.decode()
    name, content = downloaded(lab, menu(lab, "Save the picture as PNG"))
    assert name == "tutorial-cnn.png" and content.startswith(b"\x89PNG") and len(content) > 2000
    scripts = []
    for style, line in (("Code as a class", "class TutorialCnn(nn.Module):"), ("Code as nn.Sequential", "network = nn.Sequential(")):
        pick(lab, "style", style)
        expect(lab.locator(".code .cm-content")).to_contain_text(line)
        name, content = downloaded(lab, button(lab, "Download"))
        assert name == "tutorial_cnn.py" and line in content.decode()
        scripts.append(tmp_path / f"{len(scripts)}.py")
        scripts[-1].write_bytes(content + b"\nprint(tuple(network(torch.randn(2, 1, 28, 28)).shape), sum(p.numel() for p in network.parameters()))\n")
    for script in scripts:
        runpy.run_path(str(script))
    assert capsys.readouterr().out == f"(2, 10) {80 + (8 * 9 + 1) * 32 + 102_528 + 1_290}\n" * 2


def test_changed_lines_of_the_code_light_up(lab: Page) -> None:
    flashing = lab.locator(".code .cm-line[class*=cm-flash]")
    field(lab, "out_channels").fill("8")
    expect(flashing).to_have_text(  # the convolution, the one behind it, and the shapes between them
        [re.compile(text) for text in (r"nn.Conv2d\(1, 8, 3\)", r"nn.Conv2d\(8, 32, 3\)", r"F.relu.*\(8, 26, 26\)", r"F.max_pool2d.*\(8, 13, 13\)")]
    )


def test_a_changed_preset_lists_its_differences(lab: Page) -> None:
    open_preset(lab, "lenet-5")
    pick(lab, "style", "Changes to the preset")
    compared = lab.locator(".code")
    expect(compared).to_contain_text("no difference")
    act(lab, 0, "delete")
    expect(compared.locator("li").first).to_contain_text("is missing: Conv2d")
    button(lab, "Undo").click()
    expect(compared).to_contain_text("no difference")
    expect(paste(lab, NET)).to_be_hidden()
    expect(compared).to_contain_text("Open a preset and change it")


def test_the_address_contains_the_network_with_disabled_layers(lab: Page) -> None:
    act(lab, 2, "off")
    choose(lab, 0)
    field(lab, "out_channels").fill("7")
    settled(lab)

    def is_complete(url: str) -> bool:
        packed = re.findall("network=([^&]+)", url)
        return bool(packed) and all(part in link.unpack(packed[0]) for part in ('"off":true', '"out_channels":7'))

    lab.wait_for_url(is_complete)
    lab.goto(lab.url)
    settled(lab)
    expect(names(lab)).to_have_text(FIRST)
    expect(button(lab, "Undo")).to_be_disabled()
    expect(rows(lab).nth(2)).to_have_class(re.compile(r"\boff\b"))
    expect(rows(lab).nth(0)).to_contain_text("out_channels 7")
    expect(chosen(lab, "preset")).to_have_text("Tutorial CNN, changed")
    expect(shapes(lab).nth(3)).to_have_text("(32, 24, 24)")
    act(lab, 2, "off")
    expect(shapes(lab).nth(2)).to_have_text("(7, 13, 13)")
    button(lab, "Undo").click()
    expect(shapes(lab).nth(2)).to_have_text("off")
    expect(button(lab, "Undo")).to_be_disabled()


@pytest.mark.parametrize("packed", ["damaged", link.pack('{"name": "x", "input_shape": [4], "layers": [{"type": "Nothing"}]}')], ids=["damaged", "unknown"])
def test_the_error_for_an_invalid_link_remains_visible(kept: KeptPage, address: str, packed: str) -> None:
    page = kept.get("about:blank")
    page.goto(f"{address}/network?network={packed}")
    settled(page)
    expect(names(page)).to_have_text(FIRST)
    expect(page.get_by_test_id("stAppViewContainer").get_by_test_id("stAlert")).to_be_visible()


def test_a_network_opens_for_training_and_gradients_and_remains_in_the_builder(lab: Page, server_folder: Path) -> None:
    act(lab, 2, "delete")
    field(lab, "kernel_size").fill("5")
    settled(lab)
    kinds = [*FIRST[:2], *FIRST[3:]]
    in_address(lab, *kinds)
    button(lab, "▶ Train this").click()
    lab.get_by_role("heading", name="Train a network").wait_for()
    expect(lab.get_by_role("combobox", name="Data set")).to_have_value("MNIST 5k")
    expect(lab.get_by_role("combobox", name="Network", exact=True)).to_have_value("My network")
    assert "default value" not in (server_folder / "server.log").read_text(encoding="utf-8"), "Streamlit warns where a choice and a default compete"
    lab.get_by_role("link", name="Network").click()
    expect(names(settled(lab))).to_have_text(kinds)
    menu(lab, "Show its gradients").click()
    lab.get_by_role("heading", name="Autograd", exact=True).wait_for()
    expect(lab.get_by_role("combobox", name="Network", exact=True)).to_have_value("My network")
    expect(lab.get_by_role("heading", name="My network")).to_be_visible()
    expect(lab.locator(".node.group[aria-label^='2 Conv2d']")).to_be_visible()


def test_the_input_shape_can_be_chosen_or_typed(lab: Page) -> None:
    pick(lab, "shape", "(3, 32, 32)")
    expect(shapes(lab).nth(6)).to_have_text("(1152,)")
    expect(fact(lab, "Parameters")).to_contain_text("= 448")
    pick(lab, "shape", "another…")
    lab.locator(".sizes").fill("2, 20, 30")
    lab.locator(".sizes").press("Enter")
    expect(shapes(lab)).to_have_text(["(16, 18, 28)", "(16, 18, 28)", "(16, 9, 14)", "(32, 7, 12)", "(32, 7, 12)", "(32, 3, 6)", "(576,)", *SHAPES[7:]])
    expect(chosen(lab, "shape")).to_have_text("another…")
    choose(lab, 0)
    expect(fact(lab, "Output size")).to_contain_text("height: ⌊(20 + 2·0")
    lab.locator(".sizes").fill("784")
    lab.locator(".sizes").press("Enter")
    expect(shapes(lab)).to_have_text(["does not fit", *[""] * 9])
    pick(lab, "shape", "another…")
    lab.locator(".sizes").fill("1, 2, 3, 4")
    lab.locator(".sizes").press("Enter")
    expect(problem(lab)).to_contain_text("not 4 sizes")
    button(lab, "Undo").click()
    button(lab, "Undo").click()
    expect(shapes(lab).nth(6)).to_have_text("(576,)")


def test_a_network_of_thirty_layers_can_be_edited(lab: Page) -> None:
    layers: list[dict[str, Any]] = [
        {"type": "Flatten"},
        *[{"type": "Linear", "out_features": 64}, {"type": "ReLU"}] * 14,
        {"type": "Linear", "out_features": 10},
    ]
    upload(lab, "long.json", json.dumps({"name": "long", "input_shape": [1, 28, 28], "layers": layers}))
    expect(rows(lab)).to_have_count(30)
    settled(lab)
    expect(lab.locator(".picture [data-index]:has(title)")).to_have_count(31)
    picture = lab.locator(".picture")
    assert picture.evaluate("box => box.scrollWidth <= box.clientWidth"), "the picture fits its box"
    expect(lab.locator(".parameters")).to_have_text(f"{785 * 64 + 13 * 65 * 64 + 65 * 10:,} parameters")
    drag(lab, 2, below=4)
    expect(names(lab)).to_have_text(["Flatten", "Linear", "Linear", "ReLU", "ReLU", *["Linear", "ReLU"] * 12, "Linear"])
    settled(lab)
    button(lab, "▶ Run one batch").click()
    expect(lab.locator(".stage-name").nth(1)).to_contain_text("layers")  # of so many, several share a column


def test_on_a_phone_the_picture_comes_first_then_the_layer_the_list_and_the_code(lab: Page) -> None:
    lab.set_viewport_size({"width": 390, "height": 844})
    parts = [lab.locator(name).bounding_box() for name in (".stage-box", ".train", ".layer", ".list", ".code")]
    lab.set_viewport_size({"width": 1280, "height": 800})
    tops = [part["y"] for part in parts if part is not None]
    assert tops == sorted(tops) and len(tops) == 5
    assert all(part["width"] <= 390 for part in parts if part is not None)


def test_nothing_moves_on_a_phone_when_a_layer_does_not_fit_or_the_batch_is_shown(lab: Page) -> None:
    lab.set_viewport_size({"width": 390, "height": 844})
    stage = lab.locator(".stage-box")

    def height() -> float:
        box = stage.bounding_box()
        assert box is not None
        return box["height"]

    usual = height()
    choose(lab, 3)
    field(lab, "kernel_size").fill("20")
    expect(lab.locator(".facts .error")).to_have_text("✕ The window spans 20 pixels, but the image has only 13×13.")
    expect(problem(lab)).to_contain_text("The window spans 20 pixels")
    assert height() == usual
    button(lab, "Undo").click()
    button(lab, "▶ Run one batch").click()
    expect(lab.locator(".stage-name").first).to_be_visible()
    assert height() == usual
    lab.set_viewport_size({"width": 1280, "height": 800})
