"""The frame of every page in a browser: what each rule of `app.css` does, titles, and that nothing moves while a page loads."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from ..support.script_editor import run_script
from ..support.serving import new_context, server
from ..support.socket import Socket
from ..support.visiting import visit
from ..support.waiting import until

TITLES = {
    "": "PyTorch playground", "tensors": "Tensors · PyTorch playground", "autograd": "Autograd · PyTorch playground",
    "network": "Network · PyTorch playground", "train": "Train · PyTorch playground", "evaluate": "Evaluate · PyTorch playground",
    "compare": "Compare · PyTorch playground", "draw": "Draw · PyTorch playground",
}  # fmt: skip
SHIFTS = """
    window.shifts = 0
    new PerformanceObserver((list) => { for (const each of list.getEntries()) if (!each.hadRecentInput) window.shifts += each.value })
        .observe({ type: "layout-shift", buffered: true })
"""


@pytest.fixture
def train(page: Page, address: str) -> Page:
    page.goto(f"{address}/train")
    page.get_by_role("heading", name="Train a network").wait_for()
    return page


def style(element: Locator, name: str) -> str:
    """The computed value of a property."""
    value: str = element.evaluate(f"element => getComputedStyle(element).getPropertyValue('{name}')")
    return value


def edges(element: Locator) -> tuple[float, float]:
    """Where an element begins and ends sideways, in pixels."""
    box = element.bounding_box()
    assert box is not None
    return box["x"], box["x"] + box["width"]


def test_a_page_uses_the_whole_width_but_no_more_than_can_be_read(train: Page) -> None:
    content = train.locator(".stMainBlockContainer > div")
    assert edges(content) == (24, 1280 - 24)
    train.set_viewport_size({"width": 390, "height": 844})
    assert edges(content) == (16, 390 - 16)
    train.set_viewport_size({"width": 2400, "height": 1200})
    assert edges(content) == (360 + 24, 2400 - 360 - 24)
    train.set_viewport_size({"width": 1280, "height": 800})


def test_a_large_message_that_the_browser_is_about_to_forget_can_be_asked_for(chromium: Browser, tmp_path: Path) -> None:
    """Streamlit's server sends its hash alone, and the page is dead where the browser has forgotten it: see `.streamlit/config.toml`."""
    with server(tmp_path, script=Path(__file__).parents[1] / "support" / "large_message.py") as address:
        page = new_context(chromium).new_page()
        socket = Socket(page)
        page.goto(address)
        message = page.get_by_text("Message", exact=True)
        expect(page.get_by_text("Run 0")).to_be_visible()
        message.click()
        expect(page.get_by_text("Run 1")).to_be_visible()
        socket.is_holding = True
        page.get_by_role("button", name="Run").click()
        socket.wait_for_finished()
        message.click()
        socket.wait_for_asked(4)
        socket.release()
        expect(page.get_by_text("Run 3")).to_be_visible()
        expect(page.get_by_text("A large message.")).to_be_visible()
        expect(page.get_by_role("dialog")).to_have_count(0)
        page.context.close()


def test_content_begins_near_the_top(train: Page) -> None:
    box = train.get_by_role("heading", name="Train a network").bounding_box()
    assert box is not None and box["y"] <= 80 and box["height"] < 44


def test_what_is_scrolled_to_does_not_lie_beneath_the_header(train: Page) -> None:
    train.set_viewport_size({"width": 1280, "height": 300})
    main, heading = train.get_by_test_id("stMain"), train.get_by_role("heading", name="Train a network")
    main.evaluate("main => main.scrollTo({ top: main.scrollHeight, behavior: 'instant' })")
    heading.evaluate("heading => heading.scrollIntoView({ behavior: 'instant' })")
    header, top = train.get_by_test_id("stHeader").bounding_box(), heading.bounding_box()
    assert header is not None and top is not None and top["y"] >= header["y"] + header["height"]
    train.set_viewport_size({"width": 1280, "height": 800})


def test_navigation_is_in_one_row_with_the_name_and_the_present_page(train: Page) -> None:
    links = train.get_by_test_id("stTopNavLink")
    expect(links).to_have_text(["Home", "Tensors", "Autograd", "Network", "Train", "Evaluate", "Compare", "Draw"])
    assert style(links.first.locator("p"), "font-size") == "16px"
    assert style(links.first, "padding-left") == style(links.first, "padding-right") == "12px"
    brand = train.locator(":has(> [data-testid=stHeaderLogo])")
    assert brand.evaluate("element => getComputedStyle(element, '::after').content") == '"PyTorch playground"'
    assert edges(brand)[1] < edges(links.first)[0] + 1 and edges(links.last)[1] < 1000
    assert style(train.get_by_test_id("stHeader"), "border-bottom-width") == "1px"
    links.nth(1).focus()
    train.keyboard.press("Tab")
    assert style(links.nth(2), "outline-style") == "solid"


def test_the_name_and_the_pages_make_room_for_the_button_of_large_type(train: Page) -> None:
    links, switch = train.get_by_test_id("stTopNavLink"), train.get_by_role("button", name="Present")
    brand = train.locator(":has(> [data-testid=stHeaderLogo])")
    for width, large in ((820, False), (768, False), (1280, True)):
        train.set_viewport_size({"width": width, "height": 800})
        if large:
            switch.click()
        expect(links.last).to_be_in_viewport()
        until(lambda: edges(links.last)[1] < edges(switch)[0])
        assert brand.evaluate("element => getComputedStyle(element, '::after').content") == "none"
        assert links.count() == 8
    switch.click()


def test_captions_can_be_read(train: Page) -> None:
    caption = train.get_by_test_id("stCaptionContainer").first
    assert style(caption, "opacity") == "1"
    assert style(caption, "color") != style(train.locator("h1"), "color")


def test_each_page_has_its_title_and_nothing_moves_while_it_loads(chromium: Browser, address: str) -> None:
    context = new_context(chromium, viewport={"width": 1280, "height": 800})
    context.add_init_script(SHIFTS)
    page = context.new_page()
    shifts = {}
    for name, title in TITLES.items():
        page.goto(f"{address}/{name}")
        page.locator("h1").first.wait_for()
        page.wait_for_load_state("networkidle")
        expect(page).to_have_title(title)
        expect(page.get_by_role("link", name="Link to heading")).to_have_count(0)
        shifts[name] = page.evaluate("window.shifts")
    context.close()
    assert {name: shift for name, shift in shifts.items() if shift >= 0.05} == {}


LEAVE_WITH_AN_ANSWER = """(path) => {  // the answer to the next script is held back until another page is asked for, and comes before that is there
    const fetch = window.fetch
    window.fetch = async (address, ...rest) => {
        const answer = await fetch(address, ...rest)
        if (!String(address).includes("api/tensors/run")) return answer
        window.fetch = fetch
        setTimeout(() => document.querySelector(`[data-testid=stTopNavLink][href$="${path}"]`).click())
        await new Promise((resolve) => setTimeout(resolve, 1))
        return answer
    }
}"""


@pytest.mark.parametrize(("path", "reported"), [("autograd", "/autograd"), ("tensors", r"/tensors\?.*script=")])
def test_a_page_is_left_though_a_component_of_it_has_news_at_the_same_moment(page: Page, address: str, path: str, reported: str) -> None:
    """A link to the page itself leaves the component where it is: then Streamlit hears of the script a moment later."""
    page.goto(f"{address}/tensors")
    page.locator(".shelf .card").first.wait_for()
    page.evaluate(LEAVE_WITH_AN_ANSWER, path)
    run_script(page, "a = torch.ones(2, 3)", "/api/tensors/run")
    expect(page).to_have_title(TITLES[path])
    expect(page).to_have_url(re.compile(reported))
    expect(page.locator("[data-testid=stApp][data-test-script-state=running]")).to_have_count(0)
    expect(page.get_by_role("heading", level=1)).to_have_text(path.title())


@pytest.mark.parametrize("by_link", [True, False])
def test_a_page_is_left_though_a_component_of_it_appears_only_then(page: Page, address: str, by_link: bool) -> None:
    """A click on a slow server, then one on the way to another page: what the first brings must not bring back its page."""
    socket = Socket(page)
    page.goto(f"{address}/tensors")
    page.locator(".shelf .card").first.wait_for()
    expect(page).to_have_url(re.compile("script="))  # then Streamlit knows of the script that the page begins with
    settled = page.locator("[data-testid=stApp][data-test-script-state=notRunning]")
    settled.wait_for()
    socket.is_holding = True
    page.get_by_role("radio", name="Exercises").click()
    socket.wait_for_finished()
    asked = len(socket.asked)
    if by_link:
        page.get_by_test_id("stTopNavLink").filter(has_text="Autograd").click()
    else:
        visit(page, "/autograd")
    socket.wait_for_asked(asked + 1)
    with page.expect_response(re.compile("/api/tensors/run")):
        socket.release(runs=1)
    page.locator(".target .cell").first.wait_for()
    socket.release()
    expect(page.get_by_role("heading", level=1)).to_have_text("Autograd")
    page.locator(".lab .node").first.wait_for()
    settled.wait_for()
    expect(page.get_by_role("heading", level=1)).to_have_text("Autograd")
    expect(page).to_have_url(re.compile("/autograd"))


def test_large_type_for_a_projector_lasts_until_it_is_switched_off(train: Page) -> None:
    train.get_by_role("button", name="Present").click()
    assert train.evaluate("parseFloat(getComputedStyle(document.documentElement).fontSize)") >= 20
    train.mouse.move(500, 300)
    expect(train.locator(".frame-halo")).to_be_visible()
    train.get_by_role("link", name="Tensors").click()
    train.locator(".cm-content").wait_for()
    for part in (".cm-content", ".stMarkdown p, .about, p", ".cell"):
        assert float(style(train.locator(part).first, "font-size").removesuffix("px")) >= 17.875  # 13 px at the usual size
    train.locator("h1").click()
    train.keyboard.press("p")
    assert train.evaluate("getComputedStyle(document.documentElement).fontSize") == "16px"
    expect(train.locator(".frame-halo")).to_be_hidden()


def test_the_address_can_ask_for_large_type_and_typing_does_not(train: Page, address: str) -> None:
    train.goto(f"{address}/tensors?present=1")
    train.locator(".cm-content").click()
    assert train.evaluate("getComputedStyle(document.documentElement).fontSize") == "23px"
    train.keyboard.type("p")
    assert train.evaluate("getComputedStyle(document.documentElement).fontSize") == "23px"
    train.evaluate("sessionStorage.clear()")


def test_on_a_phone_a_bar_at_the_bottom_leads_to_the_main_pages_and_to_the_menu(train: Page) -> None:
    train.set_viewport_size({"width": 390, "height": 844})
    bar = train.get_by_role("navigation", name="Main pages")
    expect(bar.get_by_role("link", name="Train")).to_have_attribute("aria-current", "page")
    bar.get_by_role("link", name="Home").click()
    train.locator(".home").wait_for()
    expect(bar.get_by_role("link", name="Home")).to_have_attribute("aria-current", "page")
    assert all((each.bounding_box() or {"height": 0})["height"] >= 44 for each in bar.locator("> *").all())
    expect(train.get_by_test_id("stExpandSidebarButton")).to_be_hidden()
    assert style(train.locator("h1"), "font-size") == "20px"
    brand = train.locator(":has(> [data-testid=stHeaderLogo])")
    assert brand.evaluate("element => getComputedStyle(element, '::after').content") == '"PyTorch playground"'
    menu = train.get_by_test_id("stSidebar")
    for width, opener, title in ((390, bar.get_by_role("button", name="More"), "Compare"), (740, train.get_by_test_id("stExpandSidebarButton"), "Tensors")):
        train.set_viewport_size({"width": width, "height": 844})
        opener.click()
        until(lambda: edges(menu)[0] == 0)
        menu.get_by_role("link", name=title).click()
        train.get_by_role("heading", name=title).first.wait_for()
        until(lambda: edges(menu)[1] <= 0)  # it covers no page that was chosen
    train.set_viewport_size({"width": 1280, "height": 800})
