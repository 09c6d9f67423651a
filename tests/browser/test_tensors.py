"""The Tensors page in a browser: scripts, provenance of cells, errors, predictions, exercises and links."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, expect

from playground.tensors import link
from playground.tensors.examples import EXAMPLES
from playground.tensors.exercises import EXERCISES, Exercise

from ..support.accessibility import check_accessibility
from ..support.script_editor import NOTHING, choose_example, run_script, without_requests
from ..support.serving import excess_width, new_context
from ..support.sizes import SMALLEST, SMALLEST_LARGE
from .conftest import KeptPage
from .test_languages import settled
from .test_shell import SHIFTS

RESPONSE = re.compile("/api/tensors/run")


@pytest.fixture
def lab(kept: KeptPage, address: str) -> Page:
    """The page that stays open, without a tensor."""
    page = kept.get(f"{address}/tensors")
    page.get_by_label("Predict first").uncheck()
    run(page, NOTHING)
    expect(page.locator(".shelf")).to_be_empty()
    return page


@pytest.fixture
def first_visit(page: Page, address: str) -> Page:
    """The page of a learner who has not run or solved anything."""
    page.goto(f"{address}/tensors")
    page.locator(".shelf .card").first.wait_for()
    return page


def run(page: Page, source: str) -> None:
    run_script(page, source, "/api/tensors/run")


def card(page: Page, name: str) -> Locator:
    return page.locator(f".shelf .card[data-name='{name}']")


def output(page: Page) -> Locator:
    """The cells of the tensor that is looked at."""
    return page.locator(".stage figure.output .cell")


def inputs(page: Page) -> Locator:
    return page.locator(".stage figure.input .cell")


def expect_start(page: Page, exercise: Exercise) -> None:
    """Wait until the editor has the start of an exercise, and the one before is gone."""
    expect(page.locator(".cm-content")).to_have_text(["".join(exercise.start.split("\n"))])
    expect(page.locator(".lab.busy")).to_have_count(0)


def lit(cells: Locator) -> list[int]:
    return [int(str(cell.get_attribute("data-cell"))) for cell in cells.all() if "on" in str(cell.get_attribute("class")).split()]


def test_an_error_response_of_the_server_is_shown(lab: Page) -> None:
    reported: list[str] = []

    def note(entry: ConsoleMessage) -> None:
        if entry.type == "error":
            reported.append(entry.text)

    lab.on("console", note)
    lab.route(RESPONSE, lambda route: route.fulfill(status=400, body='{"error": "Too long."}'))
    run(lab, "x = 1")
    expect(lab.locator(".fault")).to_contain_text("Too long.")
    assert not any("api/tensors/run was answered with" in text for text in reported)
    lab.route(RESPONSE, lambda route: route.fulfill(status=500, body="Internal Server Error"))
    run(lab, "x = 1")
    expect(lab.locator(".fault")).to_contain_text("The playground has a bug")
    assert any("api/tensors/run was answered with 500" in text for text in reported)
    lab.remove_listener("console", note)
    lab.unroute(RESPONSE)


def test_tensors_are_listed_with_shape_dtype_and_memory(lab: Page) -> None:
    run(lab, "a = np.ones(5)\nb = torch.from_numpy(a)\nx = torch.arange(6).view(2, 3)\ny = x.T\nz = y.reshape(-1)\nn = 3\nu = torch.empty(2)")
    expect(card(lab, "a")).to_contain_text("(5,) np.float64")
    expect(card(lab, "b")).to_contain_text("shares memory with a")
    expect(card(lab, "y")).to_contain_text("(3, 2) int64")
    expect(card(lab, "y")).to_contain_text("view of x")
    expect(card(lab, "z")).to_contain_text("copy of y")
    expect(card(lab, "n")).to_contain_text("3")
    expect(card(lab, "u")).to_contain_text("uninitialised memory")


def test_hovering_over_a_product_highlights_row_and_column_and_shows_the_sum(lab: Page) -> None:
    run(lab, "p = torch.arange(6.).view(2, 3)\nq = torch.ones(3, 4) * 2\nr = p @ q")
    card(lab, "r").click()
    output(lab).nth(5).hover()
    assert lit(lab.locator(".stage figure.input").nth(0).locator(".cell")) == [3, 4, 5]
    assert lit(lab.locator(".stage figure.input").nth(1).locator(".cell")) == [1, 5, 9]
    expect(lab.locator(".sum")).to_have_text("24 = 3·2 + 4·2 + 5·2")
    expect(lab.locator(".where")).to_have_text("r[1, 1] lies in slot 1·4 + 1·1 + 0 = 5")
    assert lit(output(lab)) == [5]
    expect(lab.locator(".slot.on")).to_have_text("24")


def test_each_term_of_the_sum_has_the_colour_of_its_cells(lab: Page) -> None:
    run(lab, "p = torch.arange(6.).view(2, 3)\nq = torch.ones(3, 4) * 2\nr = p @ q")
    output(lab).nth(5).hover()
    terms = lab.locator(".sum .term").evaluate_all("(terms) => terms.map((term) => getComputedStyle(term).color)")
    for operand in range(2):
        cells = lab.locator(".stage figure.input").nth(operand).locator(".cell.on")
        assert cells.evaluate_all("(cells) => cells.map((cell) => getComputedStyle(cell).outlineColor)") == terms
    assert len(set(terms)) == 3


def test_hovering_over_an_input_highlights_its_outputs_and_sends_no_request(lab: Page) -> None:
    run(lab, "m = torch.arange(6.).view(2, 3)\ns = m.sum(dim=1)")
    lab.get_by_role("heading", name="Tensors").hover()
    with without_requests(lab):
        inputs(lab).nth(4).hover()
        assert lit(output(lab)) == [1]
        for cell in range(2):
            output(lab).nth(cell).hover()
            expect(lab.locator(".where")).to_contain_text(f"s[{cell}]")


def test_a_click_pins_a_cell_until_escape_frees_it(lab: Page) -> None:
    run(lab, "m = torch.arange(6.).view(2, 3)\ns = m.sum(dim=1)")
    output(lab).first.click()
    output(lab).nth(1).hover()
    expect(lab.locator(".sum")).to_have_text("3 = 0 + 1 + 2")
    expect(lab.locator(".pinned")).to_have_attribute("data-cell", "0")
    expect(lab.locator(".hint")).to_contain_text("Pinned")
    run(lab, "m = torch.arange(6.).view(2, 3) + 1\ns = m.sum(dim=1)")
    expect(lab.locator(".sum")).to_have_text("6 = 1 + 2 + 3")
    lab.locator(".stage figure.output .tile").focus()
    lab.keyboard.press("ArrowRight")
    expect(lab.locator(".sum")).to_have_text("15 = 4 + 5 + 6")
    lab.keyboard.press("Escape")
    expect(lab.locator(".pinned")).to_have_count(0)
    inputs(lab).first.hover()
    expect(lab.locator(".sum")).to_have_text("m[0, 0] = 1")


def test_cells_fly_to_their_place_unless_motion_is_not_wanted(lab: Page) -> None:
    run(lab, "x = torch.arange(6)\ny = x.view(2, 3)\nt = y.T")
    lab.emulate_media(reduced_motion="no-preference")
    lab.evaluate("""() => {
        window.flown = 0
        const { animate } = Element.prototype
        Element.prototype.animate = function (...how) { window.flown++; return animate.apply(this, how) }
    }""")
    card(lab, "y").click()
    expect(output(lab)).to_have_count(6)
    assert lab.evaluate("window.flown") >= 6
    lab.emulate_media(reduced_motion="reduce")
    lab.evaluate("window.flown = 0")
    lab.get_by_role("button", name="Next statement").click()
    expect(card(lab, "t")).to_have_attribute("aria-pressed", "true")
    assert lab.evaluate("window.flown") == 0


def test_statements_are_walked_through_and_those_in_place_are_among_them(lab: Page) -> None:
    run(lab, "x = torch.zeros(2)\ny = x[:1]\nx += 1")
    card(lab, "x").click()
    expect(lab.locator(".source")).to_have_text("x = torch.zeros(2)")
    for source in ("y = x[:1]", "x += 1", "x = torch.zeros(2)"):
        lab.get_by_role("button", name="Next statement").click()
        expect(lab.locator(".source")).to_have_text(source)
    lab.get_by_role("button", name="Previous statement").click()
    expect(lab.locator(".source")).to_have_text("x += 1")
    expect(lab.locator(".stage figure.output")).to_have_count(1)


def test_the_same_memory_is_highlighted_in_every_tensor_of_the_storage(lab: Page) -> None:
    run(lab, "x = torch.arange(6)\ny = x.view(2, 3)\nt = y.T")
    output(lab).nth(1).hover()  # t[0, 1] is y[1, 0] is x[3]
    expect(lab.locator(".slot.on")).to_have_text("3")
    expect(lab.locator(".memory .label")).to_have_text(["slots", "x", "y", "t"])
    expect(lab.locator(".lies.on")).to_have_count(3)
    assert {str(part.get_attribute("data-slot")) for part in lab.locator(".lies.on").all()} == {"3"}
    assert lit(inputs(lab)) == [3]
    lab.locator(".slot").nth(5).hover()
    assert (lit(inputs(lab)), lit(output(lab))) == ([5], [5])


def test_moved_cells_keep_their_colour(lab: Page) -> None:
    run(lab, "x = torch.arange(6).view(2, 3)\nt = x.T")
    colours = [cell.evaluate("(cell) => getComputedStyle(cell).backgroundColor") for cell in inputs(lab).all()]
    moved = [cell.evaluate("(cell) => getComputedStyle(cell).backgroundColor") for cell in output(lab).all()]
    assert len(set(colours)) == 6
    assert moved == [colours[cell] for cell in (0, 3, 1, 4, 2, 5)]
    expect(lab.locator(".facts")).to_contain_text("Only the strides changed, from (3, 1) to (1, 3)")


def test_broadcast_dimensions_have_pale_cells(lab: Page) -> None:
    run(lab, "column = torch.tensor([[0.], [10.]])\nrow = torch.tensor([1., 2., 3.])\ntable = column + row")
    expect(lab.locator(".stage .ghost")).to_have_count(4 + 3)
    output(lab).nth(4).hover()
    expect(lab.locator(".sum")).to_have_text("12 = 10 + 2")
    expect(lab.locator(".align .stretched")).to_have_count(2)
    output(lab).nth(4).click()
    check_accessibility(lab)


def test_each_operation_of_a_line_can_be_selected(lab: Page) -> None:
    run(lab, "a = torch.ones(2, 2)\nb = torch.relu(a @ a - 1)")
    expect(lab.get_by_role("button", name="torch.relu(a @ a - 1)", exact=True)).to_have_attribute("aria-pressed", "true")
    lab.get_by_role("button", name="a @ a", exact=True).click()
    output(lab).first.hover()
    expect(lab.locator(".sum")).to_have_text("2 = 1·1 + 1·1")
    lab.get_by_role("button", name="whole line").click()
    expect(lab.locator(".stage figure.input .name")).to_have_text("a")


def test_cells_can_be_reached_by_keyboard(lab: Page) -> None:
    run(lab, "m = torch.arange(6.).view(2, 3)\ns = m.sum(dim=1)")
    lab.locator(".stage figure.input .tile").focus()
    for key, text in (("ArrowRight", "m[0, 0] = 0"), ("ArrowRight", "m[0, 1] = 1"), ("ArrowDown", "m[1, 1] = 4"), ("ArrowLeft", "m[1, 0] = 3")):
        lab.keyboard.press(key)
        expect(lab.locator(".sum")).to_have_text(text)
    assert lit(output(lab)) == [1]


def test_output_and_warnings_are_shown(lab: Page) -> None:
    run(lab, "x = torch.ones(2)\nprint(f'{x.sum():.1f}', x.shape)")
    expect(lab.locator(".printed")).to_have_text("2.0 torch.Size([2])\n")


MISTAKES = {
    "broadcast": ("a = torch.ones(2, 3)\nb = torch.ones(3, 2)\nc = a + b", "a + b", "Use `b.T`", (2, 3)),
    "outer": ("a = torch.ones(2)\nb = torch.ones(3)\nc = a * b", "a * b", "unsqueeze", None),
    "matmul": ("a = torch.ones(2, 3)\nb = torch.ones(2, 3)\nc = a @ b", "a @ b", "Use `b.T`", (2, 2)),
    "view": ("a = torch.ones(2, 3)\nb = a.T\nc = b.view(6)", "b.view(6)", ".reshape", (6,)),
    "size": ("a = torch.ones(2, 6)\nc = a.view(5, 4)", "a.view(5, 4)", "−1", None),
    "cat": ("a = torch.ones(2, 3)\nb = torch.ones(2, 4)\nc = torch.cat([a, b])", "torch.cat([a, b])", "dimension 1", (2, 7)),
    "dtype": ("a = torch.arange(3)\nc = a.mean()", "a.mean()", ".float()", ()),
    "typo": ("a = torch.ones(2)\nc = a.reshap(1, 2)", "a.reshap(1, 2)", "reshape", (1, 2)),
}


def test_an_error_is_marked_explained_and_fixed_by_one_click(lab: Page) -> None:
    for name, (source, marked, label, shape) in MISTAKES.items():
        run(lab, source)
        expect(lab.locator(".fault .message"), name).to_be_visible()
        expect(lab.locator(".cm-lintRange-error").first, name).to_be_visible()
        assert "".join(lab.locator(".cm-lintRange-error").all_inner_texts()) == marked
        if name == "broadcast":
            check_accessibility(lab)
        fix = lab.locator(".fault button").filter(has_text=label.replace("`", "")).first
        with lab.expect_response(RESPONSE):
            fix.click()
        expect(lab.locator(".fault"), name).to_be_empty()
        expect(card(lab, "c"), name).to_be_visible()
        if shape is not None:
            expect(card(lab, "c"), name).to_contain_text(f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})")


def test_an_endless_script_is_stopped_and_the_next_one_runs(lab: Page) -> None:
    run(lab, "while True:\n    x = 1")  # stopped by the number of its statements, which is reached in the same time on any server
    expect(lab.locator(".fault .message")).to_contain_text("stopped")
    run(lab, "x = torch.ones(2)")
    expect(lab.locator(".fault")).to_be_empty()


def test_the_result_is_hidden_until_it_is_predicted(lab: Page) -> None:
    lab.get_by_label("Predict first").check()
    run(lab, "a = torch.ones(2, 3)\nb = a.T")
    expect(lab.locator(".shelf")).to_be_hidden()
    lab.get_by_role("textbox", name="Shape").fill("(2, 3)")
    lab.get_by_role("button", name="Check").click()
    expect(lab.locator(".verdict")).to_contain_text("Not quite: you guessed (2, 3), and b has shape (3, 2) float32.")
    expect(lab.locator(".shelf")).to_be_visible()
    run(lab, "a = torch.ones(2, 3)\nb = a.sum(0)")
    lab.get_by_role("textbox", name="Shape").fill("3")
    lab.locator(".question .dtype").get_by_role("combobox").click()
    lab.get_by_role("option", name="float32").click()
    lab.get_by_role("button", name="Check").click()
    expect(lab.locator(".verdict")).to_contain_text("Correct")
    expect(lab.locator(".score")).to_have_text("1/2")


ROOMS = """() => {
    const root = [...document.querySelectorAll("*")].map((each) => each.shadowRoot).find((root) => root?.querySelector(".lab"))
    const all = (selector) => [...root.querySelectorAll(selector)]
    const part = (selector) => root.querySelector(selector)
    const scrolls = (box) => box.scrollWidth > box.clientWidth + 1 || box.scrollHeight > box.clientHeight + 1
    const font = (box) => parseFloat(getComputedStyle(box).fontSize)
    const line = parseFloat(getComputedStyle(part(".cm-line")).lineHeight)
    const middle = (box) => { const { top, bottom } = box.getBoundingClientRect(); return Math.round((top + bottom) / 2 / 30) }
    return all(".shelf button.card").map((card) => {
        card.click()
        return {
            name: card.dataset.name,
            scrolled: [".cm-scroller", ".equation", ".sum", ".write", ".stage"].filter((name) => scrolls(part(name))),
            wrapped: all(".cm-line").filter((one) => one.getBoundingClientRect().height > 1.5 * line).length,
            rows: new Set([...part(".row").children].map(middle)).size,
            beneath: Math.max(...[".memory", ".write"].map((name) => part(name).getBoundingClientRect().bottom)) - innerHeight,
            smallest: Math.min(...[...all(".cell, .slot").filter((cell) => cell.textContent), part(".cm-content"), part(".sum")].map(font)),
        }
    })
}"""
"""What each variable looks like when it is selected."""


@pytest.mark.parametrize(("width", "height", "smallest"), [(1280, 800, SMALLEST), (1920, 1080, SMALLEST_LARGE)], ids=["usual", "large type"])
def test_every_example_stands_in_the_window_with_no_line_wrapped_and_its_equations_on_one_row(lab: Page, width: int, height: int, smallest: float) -> None:
    lab.set_viewport_size({"width": width, "height": height})
    if smallest == SMALLEST_LARGE:
        lab.get_by_role("button", name="Present").click()
    for example in EXAMPLES:
        run(lab, example.source)
        for room in lab.evaluate(ROOMS):
            assert (room["scrolled"], room["wrapped"], room["rows"]) == ([], 0, 1), f"{example.name}: {room['name']}"
            assert room["beneath"] <= 0 and room["smallest"] >= smallest, f"{example.name}: {room}"
    if smallest == SMALLEST_LARGE:
        lab.get_by_role("button", name="Present").click()
        lab.set_viewport_size({"width": 1280, "height": 800})


def test_an_example_is_opened_by_the_menu(lab: Page) -> None:
    with lab.expect_response(RESPONSE):
        choose_example(lab, EXAMPLES[1].title)
    expect(lab.locator(".cm-content")).to_contain_text(EXAMPLES[1].source.splitlines()[-1])


def test_nothing_moves_on_a_phone_while_the_page_loads_or_an_example_is_opened(chromium: Browser, address: str) -> None:
    context = new_context(chromium, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    context.add_init_script(SHIFTS)
    page = context.new_page()
    page.goto(f"{address}/tensors")
    page.locator(".shelf .card").first.wait_for()
    settled(page)
    choose_example(page, "Broadcasting")
    card(page, "centred").wait_for()
    shifts = page.evaluate("window.shifts")
    context.close()
    assert shifts < 0.05


def test_a_script_runs_while_it_is_typed_and_an_incomplete_one_keeps_the_last_picture(lab: Page) -> None:
    lab.locator(".cm-content").click()
    lab.keyboard.press("Control+a")
    with lab.expect_response(RESPONSE):
        lab.keyboard.insert_text("typed = torch.ones(2)")
    expect(card(lab, "typed")).to_contain_text("(2,) float32")
    with lab.expect_response(RESPONSE):
        lab.keyboard.insert_text(" + torch.ones(")
    expect(lab.locator(".fault")).to_contain_text("Line 1")
    expect(output(lab)).to_have_text(["1", "1"])
    with lab.expect_response(RESPONSE):
        lab.keyboard.insert_text("2)")
    expect(output(lab)).to_have_text(["2", "2"])
    lab.locator(".stage").click(position={"x": 5, "y": 5})
    lab.wait_for_url(f"**script={link.pack('typed = torch.ones(2) + torch.ones(2)')}")


def test_a_busy_server_offers_to_try_again(lab: Page) -> None:
    lab.route(RESPONSE, lambda route: route.fulfill(status=503, body='{"error": "The server was too busy.", "retry": true}'))
    run(lab, "x = torch.ones(3)")
    expect(lab.locator(".fault")).to_contain_text("too busy")
    lab.unroute(RESPONSE)
    lab.get_by_role("button", name="Try again").click()
    expect(card(lab, "x")).to_be_visible()
    expect(lab.locator(".fault")).to_be_empty()


def test_the_card_of_a_tensor_with_more_than_two_dimensions_says_which_part_it_shows(lab: Page) -> None:
    run(lab, "x = torch.rand(2, 4, 3, 3)\ny = x[0, 0]")
    expect(card(lab, "x")).to_contain_text("picture of x[0, 0]")
    expect(card(lab, "y")).not_to_contain_text("picture")


def test_the_form_generates_code(lab: Page) -> None:
    lab.get_by_role("button", name="Create a tensor").click()
    lab.get_by_label("Name", exact=True).fill("w")
    lab.get_by_role("textbox", name="Shape").fill("2, 5")
    with lab.expect_response(RESPONSE):
        lab.get_by_role("button", name="Write the code").click()
    expect(card(lab, "w")).to_contain_text("(2, 5) float32")
    expect(lab.locator(".cm-content")).to_contain_text("w = torch.zeros((2, 5))")
    lab.keyboard.press("Escape")
    expect(lab.get_by_role("button", name="Write the code")).to_be_hidden()


def test_a_link_opens_the_script_for_another_learner(lab: Page, page: Page) -> None:
    run(lab, script := "mine = torch.arange(3)  # 你好")
    lab.wait_for_url(f"**script={link.pack(script)}")
    page.goto(lab.url)
    expect(card(page, "mine")).to_contain_text("(3,) int64")
    expect(page.locator(".cm-content")).to_contain_text("# 你好")


def test_a_copied_link_has_the_script_that_stands_in_the_editor(lab: Page) -> None:
    lab.context.grant_permissions(["clipboard-read", "clipboard-write"])
    lab.locator(".cm-content").click()
    lab.keyboard.press("Control+a")
    lab.keyboard.insert_text(script := "copied = torch.ones(")
    lab.get_by_role("button", name="Copy link").click()
    expect(lab.get_by_role("button", name="Copied")).to_be_visible()
    copied = str(lab.evaluate("navigator.clipboard.readText()"))
    assert link.unpack(copied.split("script=")[1]) == script


def test_a_script_survives_a_change_of_page(lab: Page) -> None:
    run(lab, script := "kept = torch.arange(3)")
    lab.wait_for_url(f"**script={link.pack(script)}")
    lab.get_by_role("link", name="Compare").click()
    lab.get_by_role("heading", name="Compare runs").wait_for()
    lab.get_by_role("link", name="Tensors").click()
    expect(card(lab, "kept")).to_be_visible()


def test_an_invalid_link_shows_an_error(page: Page, address: str) -> None:
    page.goto(f"{address}/tensors?script=broken")
    expect(page.get_by_text("The script in this link cannot be read.")).to_be_visible()
    expect(page.locator(".shelf .card").first).to_be_visible()


def test_the_page_opens_with_an_executed_script_and_exercises_are_checked_and_counted(first_visit: Page) -> None:
    page = first_visit
    expect(card(page, "c")).to_have_attribute("aria-pressed", "true")
    expect(output(page)).to_have_text(["7", "8", "16", "17"])
    page.get_by_text("Exercises", exact=True).click()
    expect(page.get_by_text(f"0 of {len(EXERCISES)} solved")).to_be_visible()
    expect_start(page, EXERCISES[0])
    expect(page.locator(".target figure.output .cell")).to_have_text(["9.5"] * 24)
    expect(page.locator(".statement glossary-term")).to_have_text("matrix")
    box = page.locator(".st-key-tensors-exercise").bounding_box()
    assert box is not None and box["width"] <= 336
    expect(page.locator(".shelf")).not_to_contain_text("llipsis")
    expect(page.locator(".verdict")).to_be_empty()
    run(page, "y = torch.zeros(1)")
    expect(page.locator(".verdict.wrong")).to_contain_text("shape (1,)")
    run(page, EXERCISES[0].solution)
    expect(page.locator(".verdict.right")).to_contain_text("Correct, for five random inputs.")
    expect(page.get_by_text(f"1 of {len(EXERCISES)} solved")).to_be_visible()
    expect(page.get_by_role("button", name=f"Next: {EXERCISES[1].title}")).to_be_focused()
    page.keyboard.press("Enter")
    expect_start(page, EXERCISES[1])
    expect(page.locator(".verdict")).to_be_empty()
    for text in ("Hint 1 of 2", "Hint 2 of 2", "Show a solution"):
        page.get_by_role("button", name=text).click()
    expect(page.locator(".hints .tip")).to_have_count(3)
    expect(page.locator(".hints")).to_contain_text(EXERCISES[1].solution)
    check_accessibility(page)
    page.reload()
    page.get_by_text("Exercises", exact=True).click()
    expect(page.get_by_text(f"1 of {len(EXERCISES)} solved")).to_be_visible()
    expect_start(page, EXERCISES[1])


def test_the_reference_can_be_searched(lab: Page) -> None:
    lab.get_by_text("What can I type here?").click()
    lab.get_by_placeholder("arange, transpose, softmax…").fill("cumsum")
    lab.get_by_placeholder("arange, transpose, softmax…").press("Enter")
    expect(lab.get_by_text(re.compile(r"^\d names"))).to_be_visible()
    lab.get_by_text("What can I type here?").click()


def test_completion_suggests_functions_and_methods(lab: Page) -> None:
    lab.locator(".cm-content").click()
    lab.keyboard.press("Control+a")
    lab.keyboard.type("x = torch.aran")
    lab.locator(".cm-tooltip-autocomplete").get_by_text("torch.arange", exact=True).click()
    expect(lab.locator(".cm-content")).to_have_text(re.compile(r"x = torch\.arange"))


def test_no_content_overflows_at_any_width(lab: Page) -> None:
    run(lab, "wide = torch.rand(3, 4, 40)\nlong = torch.arange(3000)\nt = wide.transpose(0, 2)")
    for width in (1920, 390, 1280):  # the last is that of the other tests
        lab.set_viewport_size({"width": width, "height": 800})
        beyond = lab.evaluate("""() => {
            const root = [...document.querySelectorAll('*')].map((each) => each.shadowRoot).find((root) => root?.querySelector('.lab'))
            const lab = root.querySelector('.lab').getBoundingClientRect()
            return [...root.querySelectorAll('.write > *, .see > *, .result > *, .stage > *')]
                .filter((each) => each.getBoundingClientRect().right > lab.right + 1).map((each) => each.className)
        }""")
        assert beyond == [], width
        assert excess_width(lab) == 0, width


CASES = {
    "T1": ("torch.tensor(5)", "() int64"),
    "T2": ("torch.tensor([[1, 2], [3, 4]])", "(2, 2) int64"),
    "T3": ("torch.tensor([5.5, 3])", "(2,) float32"),
    "T4": ("torch.empty(5, 3)", "uninitialised memory"),
    "T5": ("torch.zeros(5, 3, dtype=torch.long)", "(5, 3) int64"),
    "T6": ("torch.manual_seed(0)\ntorch.rand(5, 3)", "(5, 3) float32"),
    "T7": ("a = np.array([[1, 2], [3, 4]])\nb = torch.from_numpy(a)", "shares memory with a"),
    "T8": ("a = torch.ones(5)\nb = a.numpy()\na.add_(1)", "shares memory with a"),
    "T9": ("a = np.ones(5)\nb = torch.from_numpy(a)\nnp.add(a, 1, out=a)", "(5,) float64"),
    "T10": ("x = torch.randn(4, 4)\ny = x.view(16)\nz = x.view(-1, 8)", "(2, 8) float32"),
    "T11": ("x = torch.randn(4, 4)\nx[:, 1]\nx[1, :]\nx[x > 0]", "copy of x"),
    "T12": ("torch.arange(start=1., end=5., step=1./3)", "(12,) float32"),
    "T13": ("i = torch.arange(3)\nj = i.view(-1, 1).repeat(1, 2)", "(3, 2) int64"),
    "T14": ("x = torch.full((2, 3), fill_value=-1.)\ntorch.eye(3)\ntorch.ones_like(x)", "(2, 3) float32"),
    "T16": ("c = torch.rand(2, 3)\nd = torch.rand(3, 4)\ntorch.mm(c, d)\nc @ d\ntorch.matmul(c, d)", "(2, 4) float32"),
    "T17": ("a = torch.rand(3, 1)\nn = torch.rand(4)\no = a + n\no * a\no + 2", "(3, 4) float32"),
    "T18": ("l = torch.rand(4, 3)\nl[:, :-1].max(dim=1)[1]\nu = torch.arange(4)\nu.float().mean()\nl >= 0.5\ntorch.sigmoid(l)", "(4, 3) float32"),
    "T19": ("matrix = torch.rand(2, 3)\nmatrix.t()\nmatrix.unsqueeze(0).squeeze()\nmatrix.permute(1, 0).reshape(6)", "(6,) float32"),
    "T20": ("x = torch.rand(2, 2)\nx.size(), x.shape\nx.dtype\nx.device\nx.to(device)\ntorch.ones(3, 5, device=device)", "(3, 5) float32"),
}


@pytest.mark.slow  # what each shows is tested in tests/tensors/test_tutorial_cases.py
def test_every_tutorial_example_runs_as_typed(lab: Page) -> None:
    for name, (source, text) in CASES.items():
        run(lab, source)
        expect(lab.locator(".fault"), name).to_be_empty()
        expect(lab.locator(".shelf .card[aria-pressed]").last, name).to_contain_text(text)
        output(lab).first.hover()
        expect(lab.locator(".where"), name).to_contain_text("slot")


@pytest.mark.slow  # the first one is solved above, and all are in tests/tensors/test_exercises.py
def test_every_exercise_accepts_its_solution(first_visit: Page) -> None:
    page = first_visit
    page.get_by_text("Exercises", exact=True).click()
    for number, exercise in enumerate(EXERCISES, 1):
        expect(page.get_by_text(f"{number - 1} of {len(EXERCISES)} solved")).to_be_visible()
        if number > 1:
            page.get_by_role("combobox", name="Exercise").click()
            page.get_by_role("combobox", name="Exercise").fill(exercise.title)  # the list draws only the options near the chosen one
            page.get_by_role("option", name=f"{number}. {exercise.title}", exact=True).click()
        expect_start(page, exercise)
        run(page, exercise.solution)
        expect(page.locator(".verdict.right"), exercise.name).to_be_visible()
    expect(page.get_by_text(f"{len(EXERCISES)} of {len(EXERCISES)} solved")).to_be_visible()


def paste(page: Page, text: str) -> None:
    page.locator(".cm-content").evaluate(
        """(content, text) => {
            const data = new DataTransfer()
            data.setData("text/plain", text)
            content.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }))
        }""",
        text,
    )


def test_what_is_pasted_with_prompts_and_signs_of_a_chinese_keyboard_is_code(lab: Page) -> None:
    run(lab, "x = 'a'")
    lab.locator(".cm-content").press("Control+a")
    paste(lab, ">>> a = torch．ones（2，3）\n>>> a\ntensor([[1., 1., 1.]])".replace("．", "."))
    expect(lab.locator(".cm-line")).to_have_text(["a = torch.ones(2,3)", "a"])
    run(lab, "s = ''")
    lab.locator(".cm-content").press("ArrowRight")
    lab.locator(".cm-content").press("Control+End")
    lab.locator(".cm-content").press("ArrowLeft")
    paste(lab, "你好，世界")
    expect(lab.locator(".cm-line")).to_have_text("s = '你好，世界'")


def test_what_a_script_plots_stands_beneath_its_output(lab: Page) -> None:
    figures = lab.get_by_role("region", name="Plots of the script")
    run(lab, "import matplotlib.pyplot as plt\nplt.plot([3, 1, 2])\nplt.title('Loss')\nplt.show()\na, b = plt.subplots(1, 2)\nb[0].imshow(torch.eye(3))")
    expect(figures.get_by_role("figure")).to_have_count(2)
    expect(figures.get_by_role("figure", name="Figure 1").locator(".scatterlayer .trace")).to_have_count(1)
    expect(figures.get_by_text("Loss")).to_be_visible()
    expect(figures.get_by_role("figure", name="Figure 2").locator(".figure-plot")).to_have_count(2)
    check_accessibility(lab)
    run(lab, "x = torch.ones(2)")
    expect(figures).to_be_hidden()
