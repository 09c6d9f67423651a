"""The Home page in a browser: a network that learns on arrival, and answers what is drawn."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Request, expect

from ..support.accessibility import check_accessibility
from ..support.serving import ONE, SEVEN, draw, new_context
from ..support.waiting import until
from .test_shell import SHIFTS

FACTS = ".facts span b"
FILM = """
    const [frames, seen] = [window.frames_ = [], (each) => each && each.getClientRects().length > 0]
    const inked = (canvas) => canvas.width && canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.some(Boolean)
    const look = () => {
        const isDark = matchMedia("(prefers-color-scheme: dark)").matches
        if (getComputedStyle(document.documentElement).backgroundColor !== (isDark ? "rgb(21, 23, 28)" : "rgb(255, 255, 255)")) return "another ground"
        const skeleton = [...document.querySelectorAll("[data-testid=stSkeleton], [data-testid=stAppSkeleton]")].find(seen)
        if (skeleton) return `an empty ${skeleton.dataset.testid}`
        const place = document.querySelector(".st-key-home-stage")
        if (!place) return "no page yet"
        const home = [...place.querySelectorAll("*")].find((each) => each.shadowRoot)?.shadowRoot.querySelector(".home")
        const isSketched = getComputedStyle(place, "::before").backgroundImage !== "none"
        if (!home || getComputedStyle(home).visibility === "hidden") return isSketched ? "the sketch" : "an empty place"
        const empty = [...home.querySelectorAll(".about, button, .stage-share, .facts, .digit")].find((each) => seen(each) && !each.textContent.trim())
        if (empty) return `an empty ${empty.className}`
        return [...home.querySelectorAll("canvas")].filter(seen).every(inked) ? "the network" : "an empty canvas"
    }
    const note = () => { const frame = look(); if (frames.at(-1) !== frame) frames.push(frame) }
    const camera = document.createElement("i") // whoever watches its size is called last in a frame, when all is drawn
    camera.style.cssText = "position: fixed; visibility: hidden"
    new ResizeObserver(note).observe(camera)
    let count = 0
    const wind = () => {
        if (!camera.isConnected) document.documentElement.append(camera)
        camera.style.width = `${++count % 2}px`
        requestAnimationFrame(wind)
    }
    requestAnimationFrame(wind)
"""
"""Notes what each frame shows of Home, from the first one on: `window.frames_` has what is seen one after the other."""


@pytest.fixture
def page(page: Page) -> Page:
    """A page on which things move."""
    page.emulate_media(reduced_motion="no-preference")
    return page


@pytest.fixture
def home(page: Page, address: str) -> Page:
    page.goto(address)
    page.locator(".stage-bars li").first.wait_for()
    return page


def test_a_network_learns_on_arrival_and_asks_the_server_nothing(page: Page, address: str) -> None:
    asked: list[str] = []

    def note(request: Request) -> None:
        if "/api/" in request.url:
            asked.append(request.url.split("/api/")[1])

    page.on("request", note)
    page.goto(address)
    images = page.locator(FACTS).first
    images.wait_for()
    before = images.inner_text()
    expect(images).not_to_have_text(before)
    expect(page.locator(".about")).to_contain_text("A recording of real PyTorch")
    expect(page.locator(".stage-bars .top .stage-class")).to_have_text("7")  # which a hand has drawn
    assert {each for each in asked if not each.startswith("texts")} == {"home/recording", "glossary"}  # files, and the meaning of words


@pytest.mark.parametrize(
    "options",
    [{"color_scheme": "light", "viewport": {"width": 1280, "height": 800}}, {"color_scheme": "dark", "viewport": {"width": 390, "height": 844}}],
    ids=["light", "dark, on a phone"],
)
def test_no_frame_has_an_empty_box_and_nothing_moves_while_it_opens(chromium: Browser, address: str, options: dict[str, Any]) -> None:
    context = new_context(chromium, **options)
    context.add_init_script(SHIFTS + FILM)
    page = context.new_page()
    page.goto(address)
    page.wait_for_function("window.frames_.includes('the network')")
    expect(page.locator(".stage-bars .top .stage-class")).to_have_text("7")
    frames, shifts = page.evaluate("[window.frames_, window.shifts]")
    context.close()
    assert [frame for frame in frames if frame not in ("no page yet", "the sketch")] == ["the network"]
    assert shifts < 0.05


def test_everything_fits_on_one_screen(home: Page) -> None:
    for part in (".sheet canvas", ".stage-bars", ".home footer", ".cards button >> nth=5"):
        box = home.locator(part).bounding_box()
        assert box is not None and box["y"] + box["height"] <= 800


def test_what_the_learner_draws_is_answered_by_the_network_of_the_moment(home: Page) -> None:
    home.get_by_role("button", name="Pause").click()
    home.get_by_role("button", name="Clear").click()
    expect(home.locator(".stage-bars .top")).to_have_count(0)
    expect(home.get_by_text("Draw a digit here")).to_be_visible()
    check_accessibility(home)
    home.get_by_role("button", name="Play").click()
    until(lambda: int(home.locator(FACTS).first.inner_text().replace(",", "")) > 8_000)
    home.get_by_role("button", name="Pause").click()
    draw(home, ONE, canvas=".sheet canvas")
    expect(home.locator(".stage-bars .top .stage-class")).to_have_text("1")
    home.get_by_role("button", name="Draw one for me").click()
    expect(home.locator(".stage-bars .top .stage-class")).to_have_text("2")
    home.get_by_role("button", name="Your hand").click()
    expect(home).to_have_url(re.compile("/draw"))
    expect(home.locator(".stage-bars .top .stage-class")).to_have_text("2")  # it is there, too, where every layer can be opened


def test_training_it_here_makes_it_the_learners_own(home: Page) -> None:
    home.get_by_role("button", name="Train it here").click()
    home.locator(".home.live").wait_for()
    expect(home.locator(".about")).to_contain_text("Your network")
    expect(home.locator(FACTS).first).to_have_text("750")
    check_accessibility(home)
    with home.expect_response(lambda response: "/api/draw/picture" in response.url):
        home.get_by_role("button", name="Clear").click()
        draw(home, SEVEN, canvas=".sheet canvas")
    expect(home.locator(".stage-bars .top .stage-class")).to_have_text("7")
    home.get_by_role("button", name="Clear").click()
    expect(home.locator(".stage-bars .top")).to_have_count(0)  # the network has nothing to look at
    home.reload()
    home.locator(".home.live").wait_for()
    home.get_by_role("button", name="Open this run").click()
    expect(home).to_have_url(re.compile(r"/train\?run="))


def test_a_card_opens_its_page(home: Page) -> None:
    home.get_by_role("button", name="Gradients").click()
    expect(home).to_have_url(re.compile("/autograd"))
    expect(home.locator(".cm-content")).to_contain_text("torch.sigmoid")  # a loss whose curve is worth looking at


def test_who_wants_no_motion_sees_the_trained_network(chromium: Browser, address: str) -> None:
    context = new_context(chromium, viewport={"width": 390, "height": 844}, reduced_motion="reduce")
    page = context.new_page()
    page.goto(address)
    expect(page.locator(FACTS).first).to_have_text("24,000")
    expect(page.locator(".answer .digit")).to_have_text("7")  # on a phone it stands beneath the canvas
    check_accessibility(page)
    for part in (".sheet canvas", ".answer"):
        box = page.locator(part).bounding_box()
        assert box is not None and box["y"] + box["height"] <= 844
    context.close()
