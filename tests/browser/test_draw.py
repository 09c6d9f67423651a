"""Drawing in a real browser."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Page, expect

from ..serving import ONE, SEVEN, draw


@pytest.fixture
def pad(page: Page, address: str) -> Page:
    page.goto(f"{address}/draw")
    page.locator(".paper canvas").wait_for()
    return page


def test_a_seven_is_read_and_shown_as_the_network_sees_it(pad: Page) -> None:
    expect(pad.locator(".digit")).to_have_text("?")
    draw(pad, SEVEN)
    expect(pad.locator(".digit")).to_have_text("7")
    expect(pad.locator(".bars li.top .name")).to_have_text("7")
    lit = pad.evaluate("""() => {
        const host = [...document.querySelectorAll('*')].find((element) => element.shadowRoot?.querySelector('.seen'))
        const canvas = (host?.shadowRoot ?? document).querySelector('.seen')
        const data = canvas.getContext('2d').getImageData(0, 0, 28, 28).data
        return [...Array(784).keys()].filter((index) => data[4 * index] > 128).length
    }""")
    assert 30 < lit < 200


def test_probabilities_move_while_the_pen_is_still_down(pad: Page) -> None:
    box = pad.locator(".paper canvas").bounding_box()
    assert box is not None
    pad.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.2 * box["height"])
    pad.mouse.down()
    pad.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.8 * box["height"], steps=10)
    expect(pad.locator(".digit")).to_have_text("1")
    pad.mouse.up()


def test_undo_and_clear(pad: Page) -> None:
    draw(pad, ONE)
    expect(pad.locator(".digit")).to_have_text("1")
    draw(pad, ((0.2, 0.2), (0.8, 0.2)))
    pad.get_by_role("button", name="Undo").click()
    expect(pad.locator(".digit")).to_have_text("1")
    pad.get_by_role("button", name="Clear").click()
    expect(pad.locator(".digit")).to_have_text("?")


def test_a_drawing_survives_a_change_of_page(pad: Page) -> None:
    with pad.expect_response(lambda response: "/api/predict" in response.url):
        draw(pad, SEVEN)
    expect(pad.locator(".digit")).to_have_text("7")
    pad.get_by_role("link", name="Train").click()
    pad.get_by_role("heading", name="Train a network").wait_for()
    pad.get_by_role("link", name="Draw").click()
    expect(pad.locator(".digit")).to_have_text("7")


def test_a_digit_can_be_drawn_with_the_keyboard(pad: Page) -> None:
    pad.locator(".paper canvas").focus()
    pad.keyboard.press("Space")
    for _ in range(14):
        pad.keyboard.press("ArrowDown")
    pad.keyboard.press("Space")
    expect(pad.locator(".digit")).to_have_text("1")
    pad.keyboard.press("Delete")
    expect(pad.locator(".digit")).to_have_text("?")


def test_a_finger_draws_too(chromium, address: str) -> None:  # type: ignore[no-untyped-def]
    context = chromium.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto(f"{address}/draw")
    canvas = page.locator(".paper canvas")
    canvas.wait_for()
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    session = context.new_cdp_session(page)
    places = [{"x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"]} for x, y in ONE]
    session.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [places[0]]})
    session.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [places[1]]})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    expect(page.locator(".digit")).to_have_text("1")
    context.close()


def test_the_answer_is_what_the_route_says(pad: Page) -> None:
    with pad.expect_response(lambda response: "/api/predict" in response.url) as answered:
        draw(pad, ((0.5, 0.3), (0.5, 0.31)))
    document = json.loads(answered.value.text())
    assert abs(sum(document["probabilities"]) - 1) < 1e-4
    assert len(document["seen"]) == 784
