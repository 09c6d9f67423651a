"""Take the pictures of the documents: those of the README, the first one an animation, and contact sheets of every page and of its main states.

``python -m docs.pictures``; needs Chromium.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw
from playwright.sync_api import Browser, Page

from docs.states import STATES
from tests.support.serving import browser, new_context, server

Views = Sequence[tuple[str, Callable[[Page], None] | None]]
"""Paths, and what is done there."""
FOLDER = Path(__file__).parent
PAGES = ("", "tensors", "autograd", "network", "train", "evaluate", "compare", "draw")
SIZES = {"1280 x 800": (1280, 800), "1440 x 900": (1440, 900), "1920 x 1080, large type": (1920, 1080), "390 x 844": (390, 844)}
COLOURS = {"light": ("#fff", "#1f2126"), "dark": ("#15171c", "#e8e9ed")}
"""Of a contact sheet: ground and ink."""
COLUMNS = 7
"""Of a contact sheet of main states."""
THUMBNAIL = 400
"""Width of a page on a contact sheet, in pixels."""
FRAME_MS = 120
SECONDS = 7
"""Of each half of the animation."""
SETTLED = "[data-testid=stApp][data-test-script-state=running], [data-stale=true], [aria-busy=true], .busy"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, server(Path(folder), {"PLAYGROUND_WORKERS": "8"}) as address, browser() as chromium:
        animate(chromium, address)
        for name in ("tensors", "autograd"):
            view(chromium, f"{address}/{name}", "1280 x 800", "light").save(FOLDER / f"{name}.webp", quality=80, method=6)
        for scheme in ("light", "dark"):
            contact_sheet(chromium, address, scheme, "pages", [(path, None) for path in PAGES])
            for place in range(0, len(STATES), COLUMNS):
                contact_sheet(chromium, address, scheme, f"states-{place // COLUMNS + 1}", [*STATES.values()][place : place + COLUMNS])


def animate(chromium: Browser, address: str) -> None:
    """Film Home while its network learns, and Train while a run learns."""
    context = new_context(chromium, viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.goto(address)
    page.locator(".stage-bars").wait_for()
    frames = [*film(page)]
    page.goto(f"{address}/train")
    page.get_by_role("button", name="Train", exact=True).first.click()
    page.locator("[data-plot=loss] .scatterlayer").wait_for()
    frames += film(page)
    context.close()
    first, *rest = frames
    first.save(FOLDER / "playground.webp", save_all=True, append_images=rest, duration=FRAME_MS, loop=0, quality=55, method=4)


def film(page: Page) -> Iterator[Image.Image]:
    for _ in range(SECONDS * 1000 // FRAME_MS):
        yield shot(page).resize((880, 550), Image.Resampling.LANCZOS)
        page.wait_for_timeout(FRAME_MS // 2)


def contact_sheet(chromium: Browser, address: str, scheme: str, name: str, views: Views) -> None:
    """Put these views, in each size, on one picture."""
    rows = [[thumbnail(view(chromium, f"{address}/{path}", size, scheme, act)) for path, act in views] for size in SIZES]
    heights = [max(picture.height for picture in row) + 34 for row in rows]
    ground, ink = COLOURS[scheme]
    sheet = Image.new("RGB", (len(views) * (THUMBNAIL + 10) + 10, sum(heights) + 10), ground)
    pen, top = ImageDraw.Draw(sheet), 10
    for size, row, height in zip(SIZES, rows, heights, strict=True):
        pen.text((10, top), size, ink, font_size=16)
        for place, picture in enumerate(row):
            sheet.paste(picture, (10 + place * (THUMBNAIL + 10), top + 24))
        top += height
    sheet.save(FOLDER / f"{name}-{scheme}.webp", quality=50, method=6)


def view(chromium: Browser, url: str, size: str, scheme: str, act: Callable[[Page], None] | None = None) -> Image.Image:
    """Open a page in this size, do something there, and wait until it has settled."""
    width, height = SIZES[size]
    touched = {"has_touch": True, "is_mobile": True} if width < height else {}
    context = new_context(chromium, viewport={"width": width, "height": height}, color_scheme=scheme, **touched)
    page = context.new_page()
    page.goto(f"{url}?present=1" if "large" in size else url)
    page.locator("h1").first.wait_for()
    page.wait_for_load_state("networkidle")
    settle(page)
    if act:
        act(page)
        settle(page)
    picture = shot(page)
    context.close()
    return picture


def settle(page: Page) -> None:
    """Wait until Streamlit and the components have nothing more to do, and what plays once has played."""
    while page.locator(SETTLED).count():
        page.wait_for_timeout(100)
    page.wait_for_timeout(3000)


def thumbnail(picture: Image.Image) -> Image.Image:
    width = THUMBNAIL if picture.width > picture.height else THUMBNAIL // 2
    return picture.resize((width, round(width * picture.height / picture.width)), Image.Resampling.LANCZOS)


def shot(page: Page) -> Image.Image:
    return Image.open(BytesIO(page.screenshot())).convert("RGB")


if __name__ == "__main__":
    main()
