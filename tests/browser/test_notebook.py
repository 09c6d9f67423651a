"""The notebook on the Tensors page in a browser: running, stopping, changing, undoing, saving and opening cells."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from playground.tensors import link

from ..support.accessibility import check_accessibility
from ..support.serving import excess_width
from ..support.waiting import until

CELLS = [{"kind": "text", "source": "# A title"}, {"kind": "code", "source": "x = torch.arange(3)\nx.sum()"}, {"kind": "code", "source": "y = x + 1\nprint(y)"}]


@pytest.fixture
def book(page: Page, address: str) -> Page:
    """The page of a new learner, with the notebook to begin with."""
    page.goto(f"{address}/tensors")
    page.locator(".shelf .card").first.wait_for()
    page.get_by_text("Notebook", exact=True).click()
    page.locator(".cells .cm-content").first.wait_for()
    return page


def cell(page: Page, place: int) -> Locator:
    return page.locator(".notebook-cell").nth(place)


def number(page: Page, place: int) -> Locator:
    return cell(page, place).locator(".number")


def write(page: Page, place: int, source: str) -> None:
    """Write the code of a cell, and run it."""
    cell(page, place).locator(".cm-content").click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(source)
    page.keyboard.press("Control+Enter")


def open_file(page: Page, text: str, name: str = "mine.ipynb") -> None:
    page.locator(".lab input[type=file]").set_input_files({"name": name, "mimeType": "application/json", "buffer": text.encode()})


def jupyter(*cells: dict[str, str]) -> str:
    kinds = {"code": "code", "text": "markdown"}
    return json.dumps(
        {"cells": [{"cell_type": kinds[each["kind"]], "source": each["source"], "metadata": {}} for each in cells], "nbformat": 4, "nbformat_minor": 5}
    )


def test_the_first_notebook_trains_a_line_and_each_cell_shows_what_it_did(book: Page) -> None:
    book.get_by_role("button", name="Run all").click()
    expect(number(book, 4)).to_have_text("run 3")
    expect(cell(book, 1).locator(".printed")).to_have_text("torch.Size([12]) torch.Size([12])\n")
    expect(cell(book, 3).locator(".curve .name")).to_have_text("losses")
    expect(cell(book, 4).locator(".printed")).to_have_text(re.compile(r"y = \d\.\d\d x \+ \d\.\d\d"))
    expect(cell(book, 4).locator(".curve")).to_have_count(0)
    cell(book, 1).locator(".cm-content").click()
    expect(book.locator(".shelf .card")).to_have_count(2)
    expect(book.locator(".stage figure.output .cell")).to_have_count(12)
    expect(cell(book, 1).locator(".cm-lit")).to_have_count(1)
    check_accessibility(book)
    for width in (1280, 390):
        book.set_viewport_size({"width": width, "height": 844})
        until(lambda: excess_width(book) == 0)
    book.set_viewport_size({"width": 1280, "height": 800})
    book.get_by_text("Explore", exact=True).click()
    book.locator(".predict").wait_for()
    book.get_by_text("Notebook", exact=True).click()
    expect(number(book, 4)).to_have_text("run 3")  # who comes back finds what the cells showed
    expect(cell(book, 3).locator(".curve .name")).to_have_text("losses")


def test_cells_run_in_any_order_and_an_error_ends_the_queue(book: Page) -> None:
    open_file(book, jupyter(*CELLS))
    expect(cell(book, 0).locator("h2")).to_have_text("A title")
    write(book, 2, "y = x + 1\nprint(y)")
    expect(cell(book, 2).locator(".fault")).to_contain_text("x")
    book.get_by_role("button", name="Run all").click()
    expect(cell(book, 2).locator(".printed")).to_have_text("tensor([1, 2, 3])\n")
    expect(book.locator(".shelf .card[data-name=y]")).to_have_attribute("aria-pressed", "true")
    write(book, 1, "x = torch.ones(2) + torch.ones(3)")
    expect(cell(book, 1).locator(".fault .message")).to_contain_text("Line 1")
    expect(cell(book, 1).locator(".fault .align")).to_be_visible()
    cell(book, 1).locator(".fault .fix").first.click()
    expect(cell(book, 1).locator(".fault")).to_be_empty()
    write(book, 1, "1 / 0")
    expect(cell(book, 1).locator(".fault")).to_contain_text("division by zero")
    book.get_by_role("button", name="Run all").click()
    expect(cell(book, 1).locator(".fault")).to_contain_text("division by zero")
    expect(number(book, 2)).to_be_empty()


def test_a_long_cell_shows_how_far_it_is_and_can_be_stopped(book: Page) -> None:
    source = (
        "kept = 7\nlosses = []\nfor step in range(90_000):\n    losses.append(1 / (step + 1) + sum(range(300)))\n    if step % 500 == 0:\n        print(step)"
    )
    write(book, 1, source)
    expect(cell(book, 1).locator(".progress")).to_contain_text(re.compile(r"Line 3: turn \d+ of 90000"))
    expect(cell(book, 1).locator(".printed")).to_contain_text("500")
    expect(cell(book, 1).locator(".curve .name")).to_have_text("losses")
    cell(book, 4).get_by_role("button", name="Delete").click()
    expect(book.locator(".says")).to_contain_text("A cell runs")
    book.get_by_role("button", name="Stop").click()
    expect(cell(book, 1).locator(".fault")).to_contain_text("The script was stopped.")
    expect(cell(book, 1).locator(".progress")).to_be_empty()
    write(book, 4, "print(kept)")
    expect(cell(book, 4).locator(".printed")).to_have_text("7\n")
    book.get_by_role("button", name="Restart").click()
    expect(number(book, 4)).to_have_text("before the restart")
    write(book, 4, "kept")
    expect(cell(book, 4).locator(".fault")).to_contain_text("kept")
    expect(book.locator(".says")).to_contain_text("The variables of earlier cells are gone")
    write(book, 1, "kept = 8")
    expect(number(book, 1)).to_contain_text("run")
    write(book, 4, "print(kept)")
    expect(cell(book, 4).locator(".printed")).to_have_text("8\n")


def test_cells_are_added_moved_deleted_and_every_change_is_undone(book: Page) -> None:
    open_file(book, jupyter(*CELLS))
    expect(book.locator(".notebook-cell")).to_have_count(3)
    sources = """() => [...document.querySelectorAll('*')].flatMap((each) =>
        [...(each.shadowRoot?.querySelectorAll('.notebook-cell .cm-content, .notebook-cell textarea') ?? [])]).map((each) => each.value ?? each.innerText)"""
    before = book.evaluate(sources)
    cell(book, 2).get_by_role("button", name="Move up").click()
    assert book.evaluate(sources) == [before[0], before[2], before[1]]
    cell(book, 1).get_by_role("button", name="Delete").click()
    expect(book.locator(".notebook-cell")).to_have_count(2)
    cell(book, 1).locator(".cm-content").click()
    book.get_by_role("button", name="+ Code").click()
    book.keyboard.insert_text("z = 1")
    expect(cell(book, 2).locator(".cm-content")).to_have_text("z = 1")
    book.get_by_role("button", name="+ Text").click()
    book.keyboard.insert_text("**bold** <b>no</b>")
    cell(book, 3).get_by_role("button", name="Done").click()
    expect(cell(book, 3).locator(".shown strong")).to_have_text("bold")
    expect(cell(book, 3).locator(".shown")).to_have_text("bold <b>no</b>")
    for _ in range(4):
        book.get_by_role("button", name="Undo").click()
    until(lambda: book.evaluate(sources) == before)
    book.get_by_role("button", name="Undo").click()  # of the file that was opened
    expect(book.locator(".notebook-cell")).to_have_count(5)
    expect(book.get_by_role("button", name="Undo")).to_be_disabled()


def test_shift_and_enter_runs_a_cell_and_goes_to_the_next(book: Page) -> None:
    open_file(book, jupyter(*CELLS))
    cell(book, 1).locator(".cm-content").click()
    book.keyboard.press("Shift+Enter")
    expect(cell(book, 2).locator(".cm-content")).to_be_focused()
    expect(number(book, 1)).to_have_text("run 1")
    book.keyboard.press("Shift+Enter")
    expect(book.locator(".notebook-cell")).to_have_count(4)
    expect(cell(book, 3).locator(".cm-content")).to_be_focused()
    expect(cell(book, 2).locator(".printed")).to_have_text("tensor([1, 2, 3])\n")
    cell(book, 0).hover()
    cell(book, 0).get_by_role("button", name="Edit").click()
    book.keyboard.press("Control+a")
    book.keyboard.insert_text("## Another title")
    book.keyboard.press("Control+Enter")
    expect(cell(book, 0).locator("h2")).to_have_text("Another title")


def test_a_notebook_is_saved_opened_and_sent_as_a_link(book: Page, address: str, tmp_path: Path) -> None:
    open_file(book, "x = 1")
    expect(book.locator(".says")).to_contain_text("not a notebook")
    open_file(book, jupyter(*CELLS))
    expect(book.locator(".notebook-cell")).to_have_count(3)
    with book.expect_download() as saved:
        book.get_by_role("button", name="Save").click()
    saved.value.save_as(tmp_path / "saved.ipynb")
    document = json.loads((tmp_path / "saved.ipynb").read_text(encoding="utf-8"))
    assert [(each["cell_type"], "".join(each["source"])) for each in document["cells"]] == [
        ("markdown" if each["kind"] == "text" else "code", each["source"]) for each in CELLS
    ]
    book.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=address)
    book.get_by_role("button", name="Copy link").click()
    expect(book.locator(".bar .link")).to_have_text("Copied")
    url = book.evaluate("navigator.clipboard.readText()")
    assert isinstance(url, str) and url.startswith(f"{address}/tensors?")
    book.goto(url)
    expect(cell(book, 0).locator("h2")).to_have_text("A title")
    expect(book.locator(".notebook-cell")).to_have_count(3)
    for damaged in ("damaged", link.pack("x = 1"), link.pack("[x]"), link.pack("[" * 9000), link.pack("[1, 2]")):
        book.goto(f"{address}/tensors?notebook={damaged}")
        expect(book.get_by_text("cannot be read")).to_be_visible()
