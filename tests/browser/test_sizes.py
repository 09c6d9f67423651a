"""The sizes of texts and of what is touched: few of them on a page, none too small, large ones for a projector, targets for a thumb."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from ..support.serving import new_context
from ..support.sizes import SMALLEST, SMALLEST_LARGE, measured, size_faults
from ..support.visiting import visit
from .test_languages import settled
from .test_shell import TITLES


def pages(page: Page, address: str) -> Iterator[str]:
    """Open each page in turn."""
    page.goto(address)
    for name, title in TITLES.items():
        visit(page, f"/{name}")
        expect(page).to_have_title(title)
        page.get_by_role("heading", level=1).first.wait_for()
        expect(page.locator(".controls:not(.mounted)")).to_have_count(0)
        settled(page)
        yield name


@pytest.mark.parametrize(("width", "height", "smallest"), [(1280, 800, SMALLEST), (1920, 1080, SMALLEST_LARGE)], ids=["usual", "large type"])
def test_a_page_has_few_sizes_of_text_and_none_is_too_small(chromium: Browser, address: str, width: int, height: int, smallest: float) -> None:
    context = new_context(chromium, viewport={"width": width, "height": height})
    page = context.new_page()
    if smallest > SMALLEST:
        context.add_init_script("sessionStorage.setItem('playground-present', '1')")
    faults: list[str] = []
    for name in pages(page, address):
        faults += [f"{name}: {fault}" for fault in size_faults(page, smallest)]
    context.close()
    assert not faults, "\n".join(faults)


def test_the_navigation_of_a_phone_held_across_is_large_enough_for_a_thumb(chromium: Browser, address: str) -> None:
    context = new_context(chromium, viewport={"width": 844, "height": 390}, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto(f"{address}/tensors")
    page.locator("[data-testid=stTopNavLink]").first.wait_for()
    page.get_by_role("button", name="Present").wait_for()
    faults = measured(page)["small"]
    context.close()
    assert not faults, "\n".join(faults)


def test_what_is_touched_is_large_enough_for_a_thumb(chromium: Browser, address: str) -> None:
    context = new_context(chromium, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = context.new_page()
    faults = [f"{name}: {small}" for name in pages(page, address) if (small := measured(page)["small"])]
    context.close()
    assert not faults, "\n".join(faults)
