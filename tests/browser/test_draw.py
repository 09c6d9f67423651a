"""The Draw page in a browser."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, Route, expect

from benchmarks.photographs import HANDS, photographed, written
from playground.network.build import build
from playground.network.spec import LayerSpec, NetworkSpec
from playground.runs.run import create
from playground.training.config import TrainConfig
from playground.training.events import Finished, Started

from ..support.accessibility import check_accessibility
from ..support.controls import pick
from ..support.serving import ONE, SEVEN, Points, new_context, to_the_top
from ..support.waiting import until
from .conftest import KeptPage
from .test_languages import settled

SHIPPED = "mnist-cnn · comes with the playground"
COLOURS = NetworkSpec(
    "colours",
    (3, 32, 32),
    (LayerSpec("Conv2d", {"out_channels": 4, "stride": 2}), LayerSpec("ReLU"), LayerSpec("Flatten"), LayerSpec("Linear", {"out_features": 10})),
    title="Colours",
)


@pytest.fixture(scope="module", autouse=True)
def colour_run(server_folder: Path) -> Iterator[None]:
    """A run, everyone's to see while these tests last, whose network is for colour images. It is untrained."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLAYGROUND_RUNS", str(server_folder / "runs"))
        run = create(TrainConfig(dataset="shapes", network=COLOURS.name), COLOURS)
    run.checkpoints.save({"weights": build(COLOURS, seed=0).state_dict(), "step": 1})
    run.journal.append(Started(0.0, 0, 1, 1, "cpu", 1))
    run.journal.append(Finished(1.0, 1, 1.0, 0.1, 1.0))
    yield
    shutil.rmtree(run.path)


def opened(kept: KeptPage, address: str) -> Page:
    page = kept.get(f"{address}/draw")
    if "/draw" not in page.url:
        page.get_by_role("link", name="Draw").click()
    page.locator(".pad.ready").wait_for()
    return page


def choose_network(page: Page, title: str) -> None:
    choice = page.get_by_role("combobox", name="Network", exact=True)
    if not choice.input_value().startswith(title):
        to_the_top(page)
        choice.click()
        page.get_by_role("option", name=title).click()


@pytest.fixture
def pad(kept: KeptPage, address: str) -> Page:
    """The page with an empty canvas for one digit, and the network that comes with the playground alone."""
    page = opened(kept, address)
    choose_network(page, SHIPPED)
    page.locator(".pad.ready:not(.photo)").wait_for()
    expect(page.locator(".column")).to_have_count(1)
    page.get_by_role("button", name="One digit").click()
    page.get_by_role("button", name="Draw", exact=True).click()
    open_view(page, "Preprocessing")
    clear(page)
    return page


def clear(page: Page) -> None:
    page.get_by_role("button", name="Clear").click()
    expect(page.locator(".digit")).to_have_text("?")


def draw(page: Page, points: Points) -> None:
    """Draw one stroke, with one movement of the mouse from point to point."""
    canvas = page.locator(".paper canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place)
    page.mouse.up()


def open_view(page: Page, name: str) -> None:
    page.get_by_role("tab", name=name).click()


def test_a_seven_is_classified_and_its_preprocessed_image_is_shown(pad: Page) -> None:
    expect(pad.locator(".digit")).to_have_text("?")
    draw(pad, SEVEN)
    expect(pad.locator(".digit")).to_have_text("7")
    expect(pad.locator(".stage-bars .top .stage-class")).to_have_text("7")
    lit = (
        pad.locator(".step canvas")
        .nth(2)
        .evaluate("""(canvas) => {
        const data = canvas.getContext('2d').getImageData(0, 0, 28, 28).data
        return [...Array(784).keys()].filter((index) => data[4 * index + 3] > 128).length
    }""")
    )
    assert 30 < lit < 200


def test_tabs_are_reached_by_arrow_keys(pad: Page) -> None:
    open_view(pad, "Preprocessing")
    pad.get_by_role("tab", name="Preprocessing").press("ArrowRight")
    expect(pad.get_by_role("tab", name="Evidence")).to_have_attribute("aria-selected", "true")
    expect(pad.get_by_role("tab", name="Evidence")).to_be_focused()
    pad.keyboard.press("ArrowLeft")
    expect(pad.get_by_role("tab", name="Preprocessing")).to_have_attribute("aria-selected", "true")


def test_probabilities_change_during_a_stroke(pad: Page) -> None:
    box = pad.locator(".paper canvas").bounding_box()
    assert box is not None
    pad.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.2 * box["height"])
    pad.mouse.down()
    pad.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.8 * box["height"], steps=10)
    expect(pad.locator(".digit")).to_have_text("1")
    pad.mouse.up()


def test_a_drawing_is_labelled_by_the_key_of_its_class(pad: Page) -> None:
    open_view(pad, "Teach")
    with pad.expect_response(lambda response: "/api/draw/answer" in response.url):
        draw(pad, ONE)
    expect(pad.locator(".ask")).to_contain_text("Predicted class: 1")
    pad.keyboard.press("1")
    expect(pad.locator(".card.own")).to_have_count(1)
    expect(pad.locator(".digit")).to_have_text("?")
    pad.get_by_role("button", name="Delete drawing 1").click()
    expect(pad.locator(".card.own")).to_have_count(0)


def test_strokes_can_be_undone_and_cleared_and_what_was_cleared_comes_back(pad: Page) -> None:
    digit, undo = pad.locator(".digit"), pad.get_by_role("button", name="Undo")
    draw(pad, ONE)
    expect(digit).to_have_text("1")
    draw(pad, ((0.2, 0.2), (0.8, 0.2)))
    undo.click()
    expect(digit).to_have_text("1")
    pad.get_by_role("button", name="Clear").click()
    expect(digit).to_have_text("?")
    pad.keyboard.press("Control+z")
    expect(digit).to_have_text("1")
    pad.locator(".paper canvas").press("Delete")
    expect(digit).to_have_text("?")
    draw(pad, SEVEN)
    expect(digit).to_have_text("7")
    for text in ("?", "1", "?"):
        undo.click()
        expect(digit).to_have_text(text)


def test_a_drawing_survives_a_change_of_page(pad: Page) -> None:
    with pad.expect_response(lambda response: "/api/draw/answer" in response.url):
        draw(pad, SEVEN)
    expect(pad.locator(".digit")).to_have_text("7")
    clear(pad)
    with pad.expect_response(lambda response: "/api/draw/answer" in response.url):
        draw(pad, ONE)
    settled(pad)  # so that Streamlit has the drawing
    pad.get_by_role("link", name="Train").click()
    pad.get_by_role("heading", name="Train a network").wait_for()
    pad.get_by_role("link", name="Draw").click()
    for text in ("1", "?", "7"):
        expect(pad.locator(".digit")).to_have_text(text)
        pad.get_by_role("button", name="Undo").click()


def test_a_digit_can_be_drawn_with_the_keyboard(pad: Page) -> None:
    pad.locator(".paper canvas").focus()
    pad.keyboard.press("Space")
    for _ in range(14):
        pad.keyboard.press("ArrowDown")
    pad.keyboard.press("Space")
    expect(pad.locator(".digit")).to_have_text("1")
    pad.keyboard.press("Delete")
    expect(pad.locator(".digit")).to_have_text("?")


@pytest.fixture(scope="module")
def phone(chromium: Browser, address: str) -> Iterator[Page]:
    context = new_context(chromium, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto(f"{address}/draw")
    page.locator(".pad.ready").wait_for()
    yield page
    context.close()


def touch(page: Page, *moments: Points) -> None:
    """Touch the canvas with one or two fingers at these points, one moment after another, then lift them all."""
    box = page.locator(".paper canvas").bounding_box()
    assert box is not None
    session = page.context.new_cdp_session(page)
    fingers = 0
    for moment in moments:
        points = [{"x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"], "id": number} for number, (x, y) in enumerate(moment)]
        session.send("Input.dispatchTouchEvent", {"type": "touchMove" if fingers == len(points) else "touchStart", "touchPoints": points})
        fingers = len(points)
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    session.detach()


def test_one_finger_draws_and_neither_a_palm_nor_a_pinch(phone: Page) -> None:
    digit = phone.locator(".digit")
    start, end = ONE
    touch(phone, [start], [start, (0.8, 0.9)], [(0.5, 0.4), (0.81, 0.9)], [(0.5, 0.6), (0.8, 0.89)], [end, (0.8, 0.9)])
    expect(digit).to_have_text("1")
    clear(phone)
    touch(phone, [start], [(0.5, 0.4)], [(0.5, 0.4), (0.2, 0.5)], [(0.5, 0.6), (0.8, 0.3)], [end, (0.2, 0.7)])  # comes late, wanders about
    expect(digit).to_have_text("1")
    clear(phone)
    touch(phone, [(0.45, 0.5)], [(0.45, 0.5), (0.55, 0.5)], [(0.3, 0.4), (0.7, 0.6)], [(0.2, 0.3), (0.8, 0.7)])
    expect(phone.locator(".pad.drawn")).to_have_count(0)
    expect(digit).to_have_text("?")


def test_paper_answer_and_tools_are_seen_together_on_a_phone_upright_and_sideways(phone: Page) -> None:
    for width, height, bar in ((390, 844, 56), (844, 390, 0)):
        phone.set_viewport_size({"width": width, "height": height})
        for paper in ("One digit", "A number"):
            phone.get_by_role("button", name=paper).click()
            to_the_top(phone)
            for part in (".sheet canvas", ".verdict", ".clear"):
                box = phone.locator(part).bounding_box()
                assert box is not None and box["y"] > 0 and box["y"] + box["height"] <= height - bar, (width, paper, part)
        sheet = phone.locator(".sheet canvas").bounding_box()
        assert sheet is not None and sheet["height"] > 160
    phone.get_by_role("button", name="One digit").click()


def test_the_response_to_a_drawing_has_probabilities_and_preprocessing_steps(pad: Page) -> None:
    with pad.expect_response(lambda response: "/api/draw/answer" in response.url) as answered:
        draw(pad, ((0.5, 0.3), (0.5, 0.31)))
    document = json.loads(answered.value.text())
    (piece,) = document["pieces"]
    assert abs(sum(piece["answers"][0]["probabilities"]) - 1) < 1e-4
    assert (piece["steps"]["centred"]["width"], piece["steps"]["centred"]["height"]) == (28, 28)


def test_a_number_is_classified_digit_by_digit(pad: Page) -> None:
    pad.get_by_role("button", name="A number").click()
    clear(pad)
    draw(pad, ((0.1, 0.2), (0.1, 0.8)))
    draw(pad, ((0.4, 0.25), (0.53, 0.25), (0.5, 0.5), (0.46, 0.8)))
    draw(pad, ((0.8, 0.2), (0.8, 0.8)))
    expect(pad.locator(".digit")).to_have_text("171")
    pieces = pad.locator(".piece")
    expect(pieces).to_have_count(3)
    check_accessibility(pad)
    pieces.nth(1).click()
    expect(pad.locator(".stage-bars .top .stage-class")).to_have_text("7")
    pad.get_by_role("button", name="One digit").click()
    expect(pad.locator(".digit")).to_have_text("?")
    pad.get_by_role("button", name="A number").click()
    expect(pad.locator(".digit")).to_have_text("171")


def test_each_doubtful_digit_of_a_number_is_marked(pad: Page) -> None:
    pad.get_by_role("button", name="A number").click()
    clear(pad)
    draw(pad, ((0.1, 0.2), (0.1, 0.8)))
    draw(pad, tuple((0.5 + 0.2 * (step % 2), 0.15 + step * 0.025) for step in range(29)))
    expect(pad.locator(".piece")).to_have_count(2)
    expect(pad.locator(".piece").nth(0)).not_to_have_class(re.compile("doubted"))
    expect(pad.locator(".piece").nth(1)).to_have_class(re.compile("doubted"))
    expect(pad.locator(".doubt")).to_contain_text("Digit 2: ")  # although the first one is chosen


def test_an_error_leaves_with_the_paper_that_caused_it(pad: Page) -> None:
    fault = pad.locator(".fault")
    pad.get_by_role("button", name="A number").click()
    clear(pad)
    for place in range(9):
        draw(pad, ((0.05 + 0.1 * place, 0.4), (0.05 + 0.1 * place, 0.6)))
    expect(fault).to_contain_text("9 separate parts")
    clear(pad)
    expect(fault).to_be_empty()
    pad.get_by_role("button", name="Undo").click()
    expect(fault).to_contain_text("9 separate parts")
    pad.get_by_role("button", name="One digit").click()
    expect(fault).to_be_empty()


def test_leaving_out_a_preprocessing_step_changes_the_input(pad: Page) -> None:
    draw(pad, tuple((0.05 + 0.25 * x, 0.05 + 0.25 * y) for x, y in SEVEN))
    expect(pad.locator(".digit")).to_have_text("7")
    for step in ("Cropped", "Fitted", "Centred"):
        pad.get_by_role("checkbox", name=step).uncheck()
    expect(pad.locator(".step").nth(0).locator("small")).to_have_text("140×140")
    expect(pad.locator(".digit")).not_to_have_text("7")
    for step in ("Cropped", "Fitted", "Centred"):
        pad.get_by_role("checkbox", name=step).check()
    expect(pad.locator(".digit")).to_have_text("7")


def titles(cells: Locator) -> list[str]:
    """The terms of a sum, each in words, of one of its tables."""
    terms: list[str] = cells.locator("span").evaluate_all("all => all.map((each) => each.title)")
    return terms


def number(text: str) -> float:
    return float(text.replace("−", "-"))


def open_layer(page: Page, place: int) -> None:
    """Open a column of the network's picture: 0 is the input, −1 the classes."""
    page.locator(".stage-name").nth(place).click()
    page.locator(".inside .stack .values canvas").first.evaluate("""(canvas) => new Promise((done) => {
        const look = () => (canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some(Boolean) ? done() : requestAnimationFrame(look))
        look()
    })""")


@pytest.fixture
def seven(pad: Page) -> Page:
    """The page with a seven, and the network at work on it."""
    with pad.expect_response(lambda response: "/api/draw/picture" in response.url):
        draw(pad, SEVEN)
    expect(pad.locator(".stage-bars .top .stage-class")).to_have_text("7")
    return pad


@pytest.fixture
def inside(seven: Page) -> Iterator[Page]:
    """The same with the first layers opened."""
    open_layer(seven, 1)
    yield seven
    seven.keyboard.press("Escape")
    expect(seven.locator(".inside")).to_be_hidden()


def test_pad_layers_and_bars_are_seen_together(seven: Page) -> None:
    to_the_top(seven)
    for part in (".sheet canvas", ".stage-bars", ".verdict"):
        box = seven.locator(part).bounding_box()
        assert box is not None and box["y"] > 0 and box["y"] + box["height"] < 800
    assert seven.locator(".stage-name").count() >= 1 + 3


def test_a_unit_says_what_it_is_and_a_click_opens_its_layers(seven: Page) -> None:
    column = seven.locator(".stage-name").nth(2).bounding_box()
    picture = seven.locator(".stage-plane canvas").bounding_box()
    assert column is not None and picture is not None
    middle = column["x"] + column["width"] / 2, picture["y"] + picture["height"] / 2 - 20
    seven.mouse.move(*middle)
    expect(seven.locator(".stage-status")).to_contain_text("Feature map")
    seven.mouse.click(*middle)
    expect(seven.locator(".inside .layer header b").first).to_have_text("3 Conv2d")
    seven.get_by_role("button", name="Back to the whole network").click()
    expect(seven.locator(".stage-bars")).to_be_visible()


def test_a_value_of_a_layer_output_and_the_softmax_show_their_calculation(inside: Page) -> None:
    inside.locator(".stack .values").first.click(position={"x": 40, "y": 40})
    written = inside.locator(".written")
    expect(written.locator("h2")).to_contain_text("0 Conv2d, map 0")
    expect(written.locator(".sum").first).to_contain_text("sum of 25 products")
    expect(written.locator(".window")).to_have_count(1)
    for place, term in enumerate(titles(written.locator(".cells").nth(0))):
        assert titles(written.locator(".cells").nth(2))[place] == term
    products = [number(term.split(" = ")[1]) for term in titles(written.locator(".cells").nth(2))]
    assert len(products) == 25 and sum(products) == pytest.approx(number(written.locator(".result").inner_text()), abs=1e-3)
    written.locator(".cells").nth(1).locator("span").nth(7).hover()
    expect(written.locator(".cells .lit")).to_have_count(3)
    expect(written.locator(".detail")).to_have_text(titles(written.locator(".cells").nth(0))[7])
    expect(written).to_contain_text("then BatchNorm2d")
    check_accessibility(inside)
    inside.keyboard.press("Escape")
    shown = inside.locator(".stage-bars .top .stage-share").inner_text()
    open_layer(inside, -1)
    last = inside.locator(".stack .layer").last
    expect(last.locator("header")).to_contain_text("Softmax")
    last.locator(".values").click(position={"x": 7 * 12 + 6, "y": 6})
    expect(written.locator("h2")).to_contain_text("Softmax, number 7")
    expect(written.locator(".terms tr")).to_have_count(11)
    assert shown == f"{float(written.locator('.result').inner_text()):.0%}".replace("%", "\N{NARROW NO-BREAK SPACE}%")


def test_the_window_of_a_convolution_slides_and_its_map_fills(inside: Page) -> None:
    heading, button = inside.locator(".written h2"), inside.locator(".play")
    last = "(canvas) => canvas.getContext('2d').getImageData(46, 46, 1, 1).data[3]"  # of the map's values, which the window has not reached
    frames = inside.locator(".stack .frames").first
    button.click()
    expect(heading).to_have_text(re.compile("map 0, row ([1-9]|0, column [1-9])"))
    assert frames.evaluate(last) == 255
    button.click()
    expect(button).to_have_text("▶ Slide the window")
    for name in ("One place on", "One place back"):
        before = heading.inner_text()
        inside.get_by_role("button", name=name).click()
        expect(heading).not_to_have_text(before)
    assert frames.evaluate(last) == 0


def test_the_picture_shows_weights_and_the_gradient(seven: Page) -> None:
    for name, words in (("Weights", "the same for every image"), ("Gradient", "the score of “7” would change")):
        with seven.expect_response(re.compile(f"view={name.lower()}")):
            seven.get_by_role("button", name=name, exact=True).click()
        expect(seven.locator(".stage-status")).to_contain_text(words)
    seven.locator(".stage-status glossary-term").hover()
    expect(seven.locator(".term-card:popover-open")).to_contain_text("gradient")
    seven.get_by_role("button", name="Values", exact=True).click()
    expect(seven.locator(".stage-status")).to_contain_text("activations")


def test_hovering_over_a_value_sends_no_request(inside: Page) -> None:
    sent: list[str] = []

    def refuse(route: Route) -> None:
        sent.append(route.request.url)
        route.abort()

    values, status = inside.locator(".stack .values").nth(1), inside.locator(".opened-layers .status")
    values.hover(position={"x": 20, "y": 20})
    expect(status).to_contain_text("1 BatchNorm2d, map 0")
    before = status.inner_text()
    inside.route("**/api/**", refuse)
    values.hover(position={"x": 45, "y": 45})
    expect(status).not_to_have_text(before)
    inside.unroute("**/api/**")
    assert not sent


def test_the_attribution_of_the_prediction_is_shown(pad: Page) -> None:
    open_view(pad, "Evidence")
    expect(pad.locator(".pictures")).to_have_text("Draw a digit first.")
    open_view(pad, "Preprocessing")
    draw(pad, SEVEN)
    expect(pad.locator(".digit")).to_have_text("7")
    open_view(pad, "Evidence")
    expect(pad.locator(".pictures figcaption").first).to_have_text("Evidence for 7")
    expect(pad.locator(".pictures canvas")).to_have_count(3)
    expect(pad.locator(".why .note").first).not_to_contain_text("patch")
    pick(pad, "Method", "Occlusion")
    expect(pad.locator(".why .note").first).to_contain_text("patch")
    expect(pad.locator(".pictures canvas")).to_have_count(3)


def test_an_answer_does_not_wait_for_the_evidence_which_is_that_of_the_newest_drawing(pad: Page) -> None:
    held: list[Route] = []
    open_view(pad, "Evidence")
    pad.route("**/api/draw/attribution*", lambda route: held.append(route))
    draw(pad, ONE)
    until(lambda: pad.evaluate("true") and held)
    clear(pad)
    draw(pad, SEVEN)
    expect(pad.locator(".stage-bars .top .stage-class")).to_have_text("7")
    held[0].continue_()
    pad.unroute("**/api/draw/attribution*")
    expect(pad.locator(".pictures figcaption").first).to_have_text("Evidence for 7")


def test_moving_a_stroke_changes_the_prediction(pad: Page) -> None:
    draw(pad, ((0.3, 0.2), (0.7, 0.2)))
    draw(pad, ((0.7, 0.2), (0.5, 0.8)))
    expect(pad.locator(".digit")).to_have_text("7")
    pad.get_by_role("button", name="Move").click()
    draw(pad, ((0.32, 0.2), (0.32, 0.95)))  # the bar, down and away to the foot
    expect(pad.locator(".digit")).not_to_have_text("7")
    pad.get_by_role("button", name="Undo").click()
    expect(pad.locator(".digit")).to_have_text("7")


def test_a_scribble_shows_a_warning(pad: Page) -> None:
    expect(pad.locator(".doubt")).to_have_text("")
    draw(pad, tuple((0.2 + 0.6 * (step % 2), 0.15 + step * 0.025) for step in range(29)))
    expect(pad.locator(".doubt")).to_contain_text("This is probably no digit")


def test_a_challenge_asks_for_ten_digits_and_counts_correct_predictions(pad: Page) -> None:
    open_view(pad, "Challenge")
    pad.get_by_role("button", name="A number").click()
    pad.get_by_role("button", name="Start").click()
    expect(pad.locator(".pad.wide")).to_have_count(0)  # it is about single digits
    prompt = pad.locator(".asked b")
    digits = []
    for count in range(10):
        expect(pad.locator(".count")).to_have_text(f"{count + 1} of 10")
        forward = pad.get_by_role("button", name="Next" if count < 9 else "Finish")
        expect(forward).to_be_disabled()
        digits.append(prompt.inner_text())
        draw(pad, SEVEN)
        expect(pad.locator(".digit")).to_have_text("7")
        forward.click()
    assert sorted(digits) == list("0123456789")
    expect(pad.locator(".score")).to_contain_text("1 of 10 correctly classified")
    expect(pad.locator(".score")).to_contain_text("3 predicted as 7")
    expect(pad.locator(".card.right")).to_have_count(1)
    expect(pad.locator(".card.wrong")).to_have_count(9)


def test_a_fine_tuned_network_predicts_beside_the_original(pad: Page) -> None:
    open_view(pad, "Teach")
    draw(pad, ((0.3, 0.2), (0.7, 0.2), (0.7, 0.8), (0.3, 0.8), (0.3, 0.2)))  # a square, to be read as a nought
    expect(pad.locator(".ask")).to_contain_text("Predicted class")
    pad.get_by_role("button", name="Label this drawing 0").click()
    expect(pad.locator(".card.own")).to_have_count(1)
    expect(pad.locator(".ask")).to_contain_text("Draw a digit")
    pad.get_by_role("button", name="Teach the network").click()
    table = pad.locator(".changed")
    table.wait_for()
    expect(table).to_contain_text("Your drawings")
    expect(table.locator("tr").nth(1).locator("td").last).to_have_text("1 of 1")
    expect(table.locator("tr").nth(3)).to_contain_text("the rival of 0: test images")
    expect(table.locator("tr").nth(4)).to_contain_text("drawn by other hands")
    expect(pad.locator(".column")).to_have_count(2)
    expect(pad.locator(".who").first).to_contain_text("fine-tuned (drawings: 1)")
    check_accessibility(pad)
    with pad.expect_download() as download:
        pad.get_by_role("link", name="Download my digits").click()
    assert download.value.suggested_filename == "my-digits.zip"
    pad.get_by_role("button", name="Delete drawing 1").click()
    expect(pad.locator(".card.own")).to_have_count(0)


@pytest.fixture
def sheet(pad: Page) -> Iterator[Page]:
    """The page with no photograph of handwriting yet."""
    pad.get_by_role("button", name="A photo", exact=True).click()
    clear(pad)
    yield pad
    pad.get_by_role("button", name="One digit").click()


def handwriting(path: Path) -> Path:
    """Two lines of digits, on lined paper on a desk."""
    random = np.random.default_rng(11)
    photographed(written("20\n17", HANDS[0], random), HANDS[0], random, ruled=True).save(path)
    return path


def test_the_digits_of_a_photograph_are_classified_one_by_one(sheet: Page, tmp_path: Path) -> None:
    sheet.locator(".choose input").set_input_files(handwriting(tmp_path / "digits.jpg"))
    expect(sheet.locator(".digit")).to_have_text("2017")
    expect(sheet.locator(".digit .next")).to_have_text("1")
    expect(sheet.locator(".step:visible .picture canvas")).to_have_count(7)
    sheet.locator(".piece").nth(3).click()
    expect(sheet.locator(".stage-bars .top .stage-class")).to_have_text("7")
    check_accessibility(sheet)
    sheet.get_by_role("button", name="One digit").click()
    expect(sheet.locator(".digit")).to_have_text("?")
    sheet.get_by_role("button", name="A photo", exact=True).click()
    expect(sheet.locator(".digit")).to_have_text("2017")


def test_a_photograph_is_pasted_or_dropped_whatever_was_drawn(pad: Page, tmp_path: Path) -> None:
    content = list(handwriting(tmp_path / "digits.jpg").read_bytes())
    for event in ("paste", "drop"):
        pad.evaluate(
            """([content, name]) => {
                const data = new DataTransfer()
                data.items.add(new File([new Uint8Array(content)], "digits.jpg", { type: "image/jpeg" }))
                const roots = [document, ...[...document.querySelectorAll("*")].map((each) => each.shadowRoot).filter(Boolean)]
                const sheet = roots.map((root) => root.querySelector(".sheet")).find(Boolean)
                if (name === "paste") window.dispatchEvent(new ClipboardEvent(name, { clipboardData: data }))
                else sheet.dispatchEvent(new DragEvent(name, { dataTransfer: data, cancelable: true }))
            }""",
            [content, event],
        )
        expect(pad.locator(".digit")).to_have_text("2017")
        clear(pad)
        pad.get_by_role("button", name="One digit").click()


def animation(path: Path) -> None:
    Image.new("L", (60, 60)).save(path, format="GIF", save_all=True, append_images=[Image.new("L", (60, 60), 255)])


REFUSED = {
    "text": (lambda path: path.write_text("no picture"), "The browser cannot read this file as a picture."),
    "animation": (animation, "This file is an animation."),
    "blank": (lambda path: Image.new("L", (300, 200), 200).save(path, format="PNG"), "There is no writing in this image"),
}


def test_a_file_without_digits_is_refused_in_a_sentence(sheet: Page, tmp_path: Path) -> None:
    fault = sheet.locator(".fault")
    for name, (make, sentence) in REFUSED.items():
        path = tmp_path / ("picture.gif" if name == "animation" else "picture.png")
        make(path)
        sheet.locator(".choose input").set_input_files(path)
        expect(fault).to_contain_text(sentence)
    clear(sheet)
    expect(fault).to_be_empty()


@pytest.fixture
def photo(kept: KeptPage, address: str) -> Page:
    """The page with a network for colour images, without a picture."""
    page = opened(kept, address)
    choose_network(page, "Colours")
    page.locator(".pad.ready.photo").wait_for()
    clear(page)
    open_view(page, "Evidence")
    return page


def picture(path: Path, size: tuple[int, int] = (60, 40)) -> Path:
    image = Image.new("RGB", size, (200, 30, 30))
    image.paste((30, 30, 200), (size[0] // 2, 0, *size))
    image.save(path)
    return path


def input_pixel(page: Page, share: float) -> list[int]:
    """Red, green and blue of the network's input, which is the first column of its picture, at a share of its width."""
    pixel: list[int] = page.locator(".stage-plane").evaluate(
        """(plane, share) => {
            const canvas = plane.querySelector("canvas")
            const width = 2 * parseFloat(plane.querySelector(".stage-name").style.left) // the name is in the middle
            return [...canvas.getContext("2d").getImageData(share * width * devicePixelRatio, canvas.height / 2, 1, 1).data.slice(0, 3)]
        }""",
        share,
    )
    return pixel


def is_near(colour: list[int], expected: list[int]) -> bool:
    """Beside an edge, making an image smaller changes a colour a little."""
    return all(abs(one - other) < 16 for one, other in zip(colour, expected, strict=True))


def test_a_network_for_colour_images_classifies_a_file(photo: Page, tmp_path: Path) -> None:
    expect(photo.locator(".stage-bars li")).to_have_count(10)
    photo.locator(".choose input").set_input_files(picture(tmp_path / "flag.png"))
    expect(photo.locator(".column.answered .sure")).to_have_text(re.compile("%"))
    until(lambda: is_near(input_pixel(photo, 0.1), [200, 30, 30]))
    assert is_near(input_pixel(photo, 0.9), [30, 30, 200])
    open_view(photo, "Evidence")
    expect(photo.locator(".pictures canvas")).to_have_count(3)
    clear(photo)
    expect(photo.locator(".column.answered")).to_have_count(0)
    photo.locator(".choose input").set_input_files(tmp_path / "flag.png")  # the same file again
    expect(photo.locator(".column.answered .sure")).to_have_text(re.compile("%"))
    clear(photo)


def test_camera_frames_are_classified_continuously(photo: Page) -> None:
    another_frame = """(canvas) => new Promise((done) => {
        const pixels = () => canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.join()
        const first = pixels()
        const look = () => (pixels() === first ? requestAnimationFrame(look) : done())
        look()
    })"""
    answers = photo.locator(".column.answered .sure")
    photo.get_by_role("button", name="Camera").click()
    expect(answers).to_have_text(re.compile("%"))
    photo.locator(".stage-plane canvas").evaluate(another_frame)
    photo.get_by_role("button", name="Take this picture").click()
    expect(photo.get_by_role("button", name="Camera")).to_be_visible()
    expect(answers).to_have_text(re.compile("%"))
    clear(photo)


def test_a_camera_that_is_allowed_too_late_is_switched_off(photo: Page) -> None:
    photo.evaluate("""() => {
        const film = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices)
        navigator.mediaDevices.getUserMedia = (wanted) => new Promise((allow) => {
            window.allow = async () => { window.stream = await film(wanted); allow(window.stream) }
        })
    }""")
    photo.get_by_role("button", name="Camera").click()
    photo.get_by_role("link", name="Train").click()
    expect(photo.get_by_role("heading", name="Train a network")).to_be_visible()
    expect(photo.locator(".sheet canvas")).to_have_count(0)
    photo.evaluate("window.allow()")
    photo.wait_for_function("window.stream.getTracks().every((track) => track.readyState === 'ended')")
    photo.evaluate("delete navigator.mediaDevices.getUserMedia")


def test_the_crop_can_be_dragged_over_the_image(photo: Page, tmp_path: Path) -> None:
    photo.locator(".choose input").set_input_files(picture(tmp_path / "flag.png", (120, 40)))
    expect(photo.locator(".column.answered .sure")).to_have_text(re.compile("%"))
    box = photo.locator(".sheet canvas").bounding_box()
    assert box is not None
    photo.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + 100)
    photo.mouse.down()
    photo.mouse.move(box["x"] + 0.9 * box["width"], box["y"] + 100, steps=4)
    photo.mouse.up()
    until(lambda: is_near(input_pixel(photo, 0.9), [200, 30, 30]))


def test_a_file_that_is_no_image_shows_an_error(photo: Page, tmp_path: Path) -> None:
    expect(photo.locator(".fault")).to_be_empty()
    held: list[Route] = []
    photo.route("**/api/draw/answer*", lambda route: held.append(route))
    photo.locator(".choose input").set_input_files(picture(tmp_path / "picture.png"))
    until(lambda: photo.evaluate("true") and held)
    (tmp_path / "flag.png").write_text("no picture")
    photo.locator(".choose input").set_input_files(tmp_path / "flag.png")
    expect(photo.locator(".fault")).to_have_text("The browser cannot read this file as a picture.")
    with photo.expect_response("**/api/draw/answer*"):
        held[0].continue_()
    photo.unroute("**/api/draw/answer*")
    expect(photo.locator(".column.answered .sure")).to_have_text(re.compile("%"))  # of the picture before
    expect(photo.locator(".fault")).to_have_text("The browser cannot read this file as a picture.")
