"""Take the pictures of the documents: those of the README, the first one an animation, and contact sheets of every page.

``python -m docs.pictures``; needs Chromium.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw
from playwright.sync_api import Browser, Page

from tests.support.serving import browser, new_context, server

FOLDER = Path(__file__).parent
PAGES = ("", "tensors", "autograd", "network", "train", "evaluate", "compare", "draw")
SIZES = {"1280 x 800": (1280, 800), "1440 x 900": (1440, 900), "1920 x 1080, large type": (1920, 1080), "390 x 844": (390, 844)}
THUMBNAIL = 400
"""Width of a page on a contact sheet, in pixels."""
FRAME_MS = 120
SECONDS = 7
"""Of each half of the animation."""
SETTLED = "[data-testid=stApp][data-test-script-state=running], [data-stale=true], [aria-busy=true], .busy"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, server(Path(folder)) as address, browser() as chromium:
        animate(chromium, address)
        for name in ("tensors", "autograd"):
            first_view(chromium, f"{address}/{name}", "1280 x 800", "light").save(FOLDER / f"{name}.webp", quality=80, method=6)
        for scheme in ("light", "dark"):
            contact_sheet(chromium, address, scheme)


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


def contact_sheet(chromium: Browser, address: str, scheme: str) -> None:
    """Put the first view of every page, in each size, on one picture."""
    rows = [[thumbnail(first_view(chromium, f"{address}/{name}", size, scheme)) for name in PAGES] for size in SIZES]
    heights = [max(picture.height for picture in row) + 34 for row in rows]
    ground, ink = ("#fff", "#1f2126") if scheme == "light" else ("#15171c", "#e8e9ed")
    sheet = Image.new("RGB", (len(PAGES) * (THUMBNAIL + 10) + 10, sum(heights) + 10), ground)
    pen, top = ImageDraw.Draw(sheet), 10
    for size, row, height in zip(SIZES, rows, heights, strict=True):
        pen.text((10, top), size, ink, font_size=16)
        for place, picture in enumerate(row):
            sheet.paste(picture, (10 + place * (THUMBNAIL + 10), top + 24))
        top += height
    sheet.save(FOLDER / f"pages-{scheme}.webp", quality=60, method=6)


def first_view(chromium: Browser, url: str, size: str, scheme: str) -> Image.Image:
    width, height = SIZES[size]
    context = new_context(chromium, viewport={"width": width, "height": height}, color_scheme=scheme)
    page = context.new_page()
    page.goto(f"{url}?present=1" if "large" in size else url)
    page.locator("h1").first.wait_for()
    page.wait_for_load_state("networkidle")
    wait_until(page, lambda: page.locator(SETTLED).count() == 0)
    page.wait_for_timeout(3000)  # until what plays once has played
    picture = shot(page)
    context.close()
    return picture


def thumbnail(picture: Image.Image) -> Image.Image:
    width = THUMBNAIL if picture.width > picture.height else THUMBNAIL // 2
    return picture.resize((width, round(width * picture.height / picture.width)), Image.Resampling.LANCZOS)


def wait_until(page: Page, condition: Callable[[], bool]) -> None:
    while not condition():
        page.wait_for_timeout(100)


def shot(page: Page) -> Image.Image:
    return Image.open(BytesIO(page.screenshot())).convert("RGB")


if __name__ == "__main__":
    main()
