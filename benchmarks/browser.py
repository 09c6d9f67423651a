"""How long a learner waits, measured in a real browser against a server of its own."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from playwright.sync_api import Page

from playground.data.catalogue import DIGITS
from playground.inference.network_picture import draw_network
from playground.network.build import build
from playground.network.spec import LayerSpec, NetworkSpec
from playground.server import web
from tests.support.serving import Points, browser, draw, server

TRAININGS = 9
STROKES = 25
EXPLAINED = 15
STARTS = 3
WATCH_PICTURE = """() => {
  const roots = [document, ...[...document.querySelectorAll('*')].map((element) => element.shadowRoot).filter(Boolean)]
  const pad = roots.map((root) => root.querySelector('.pad')).find(Boolean)
  window.moved = []
  window.points = []
  new MutationObserver(() => window.moved.push(performance.now())).observe(
    pad.querySelector('.stage-bars'), { subtree: true, attributes: true, childList: true, characterData: true })
  pad.querySelector('canvas').addEventListener('pointermove', () => window.points.push(performance.now()))
  pad.querySelector('canvas').addEventListener('pointerup', () => { window.lifted = performance.now() })
}"""
FOLLOWED = "() => window.points.map((at) => (window.moved.find((moved) => moved > at) - at) / 1000).filter((wait) => wait > 0)"
SHOW_PULSE = """async ([address, picture, classes]) => {
  const { pictureOf, Stage } = await import(new URL(`${address}/shared/stage.js`, document.baseURI).href)
  const box = document.createElement('div')
  Object.assign(box.style, { position: 'fixed', inset: '100px 20px auto 20px', height: '400px' })
  document.body.append(box)
  const stage = new Stage(box)
  stage.show(pictureOf(picture), classes)
  await new Promise((done) => setTimeout(done, 500))
  const frames = []
  let last = performance.now(), running = true
  const look = (now) => { frames.push(now - last); last = now; if (running) requestAnimationFrame(look) }
  requestAnimationFrame(look)
  for (const direction of ['forward', 'backward', 'forward', 'backward']) await stage.pulse(direction)
  running = false
  return frames.slice(2)
}"""
FIRST_LOSS = "() => document.querySelector('[data-plot=loss]')?.data?.[1]?.y?.length > 0"


@dataclass(frozen=True)
class Waiting:
    """Medians in seconds."""

    train_to_first_loss: float
    """From the click on *Train* until the first loss is drawn, the worker being warm."""
    stroke_to_answer: float
    """From the end of a stroke until the bars have settled."""
    point_to_picture: float
    """From a movement of the pen until bars and all columns have followed it."""
    slow_point_to_picture: float
    """The same, its 95th percentile."""
    explained_point_to_picture: float
    """The same as `point_to_picture` with *Evidence* open, in a second stroke: the attributions for the first one are being computed."""
    start_to_page: float
    """From the start of the server until the network on Home learns, the browser being open."""
    home_to_picture: float
    """From the navigation to Home until its network learns."""
    longest_frame: float
    """While four pulses run through the picture of a network of 60 layers."""


def measure() -> Waiting:
    """Click, draw and start, several times each."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        started = [_start(folder) for _ in range(STARTS)]
        with server(folder, {"PLAYGROUND_WORKERS": "1"}) as address, browser() as chromium:
            page = chromium.new_page(viewport={"width": 1280, "height": 800})
            page.set_default_timeout(60_000)
            opened = [_open_home(page, address) for _ in range(STARTS + 1)][1:]  # the first one fills the browser's cache
            frame = _longest_frame(page)
            answered, followed = _strokes(page, address)
            explained = _explained_strokes(page)
            trained = _trainings(page, address)
    followed.sort()
    return Waiting(
        train_to_first_loss=statistics.median(trained),
        stroke_to_answer=statistics.median(answered),
        point_to_picture=statistics.median(followed),
        slow_point_to_picture=followed[int(0.95 * len(followed))],
        explained_point_to_picture=statistics.median(explained),
        start_to_page=statistics.median(started),
        home_to_picture=statistics.median(opened),
        longest_frame=frame,
    )


def _start(folder: Path) -> float:
    """Seconds from the start of a server to a Home page whose network learns."""
    with browser() as chromium:
        page = chromium.new_page()
        start = time.perf_counter()
        with server(folder) as address:
            _open_home(page, address)
            return time.perf_counter() - start


def _open_home(page: Page, address: str) -> float:
    start = time.perf_counter()
    page.goto(address)
    images = page.locator(".facts b").first
    images.wait_for()
    before = images.inner_text()
    while images.inner_text() == before:
        pass
    return time.perf_counter() - start


def _longest_frame(page: Page) -> float:
    """Seconds of the longest frame while pulses run through a network of 60 layers, on the page that is open."""
    convolutions = (layer for _ in range(29) for layer in (LayerSpec("Conv2d", {"out_channels": 16, "padding": 1}), LayerSpec("ReLU")))
    deep = NetworkSpec("deep", (1, 28, 28), (*convolutions, LayerSpec("Flatten"), LayerSpec("Linear", {"out_features": 10})))
    image = torch.randint(0, 256, deep.input_shape, dtype=torch.uint8)
    picture = draw_network(list(build(deep, seed=0).eval().requires_grad_(False)), image, image.unsqueeze(0) / 255)
    frames: list[float] = page.evaluate(SHOW_PULSE, [web.address(), picture, list(DIGITS)])
    return max(frames) / 1000


def _trainings(page: Page, address: str) -> list[float]:
    page.goto(f"{address}/train")
    epochs = page.get_by_role("spinbutton", name="Epochs")
    epochs.fill("1")
    epochs.press("Enter")
    seconds = []
    for _ in range(TRAININGS + 1):
        button = page.get_by_role("button", name="Train", exact=True)
        if page.locator(".monitor").count():
            page.get_by_role("button", name="Set up a new run").click()
        button.wait_for()
        before = page.url
        start = time.perf_counter()
        button.click()
        page.wait_for_function(
            f"(before) => location.href !== before && document.querySelector('.monitor-state')?.dataset.state !== 'finished' && ({FIRST_LOSS})()",
            arg=before,
            polling=10,
        )
        seconds.append(time.perf_counter() - start)
        page.locator(".monitor-state[data-state=finished]").wait_for()
    return seconds[1:]  # the first one loads the plotting library


def _strokes(page: Page, address: str) -> tuple[list[float], list[float]]:
    """Return the seconds from the end of each stroke until the picture has settled, and from each movement of the pen until it has followed."""
    page.goto(f"{address}/draw")
    page.locator(".paper canvas").wait_for()
    draw(page, ((0.5, 0.2), (0.5, 0.8)))
    page.locator(".pad.answered").wait_for()
    page.evaluate(WATCH_PICTURE)
    settled, followed = [], []
    for number in range(STROKES):
        page.get_by_role("button", name="Clear").click()
        page.wait_for_function("() => window.moved.length")
        shift = 0.01 * (number % 10)
        _watched(page, ((0.3 + shift, 0.25), (0.7, 0.25 + shift), (0.5, 0.8)))
        settled.append(page.evaluate("() => (window.moved.at(-1) - window.lifted) / 1000"))
        followed += page.evaluate(FOLLOWED)
    return settled, followed


def _explained_strokes(page: Page) -> list[float]:
    """Return the seconds from each movement of the pen until the picture has followed, in the second stroke of a 7, with the evidence shown."""
    page.get_by_role("tab", name="Evidence").click()
    followed: list[float] = []
    for _ in range(EXPLAINED):
        page.get_by_role("button", name="Clear").click()
        page.wait_for_function("() => window.moved.length")
        with page.expect_request(lambda request: "/api/draw/attribution" in request.url):
            draw(page, ((0.3, 0.2), (0.7, 0.2)))
        _watched(page, ((0.7, 0.2), (0.5, 0.8)))
        followed += page.evaluate(FOLLOWED)
    return followed


def _watched(page: Page, points: Points) -> None:
    """Draw a stroke, and wait until the picture has settled."""
    page.evaluate("() => { window.moved = []; window.points = []; window.lifted = null }")
    draw(page, points)
    page.wait_for_function("() => window.lifted && window.moved.some((at) => at > window.lifted)", polling=10)
    page.wait_for_function("() => performance.now() - window.moved.at(-1) > 300", polling=20)


def available() -> bool:
    """Whether there is a browser to measure with."""
    from tests.support.serving import chromium_path

    return chromium_path() is not None and os.name == "posix"
