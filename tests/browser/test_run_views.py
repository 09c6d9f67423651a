"""The views of a run in a browser: curves, predictions, layers, a single step, commands, forks, the coach."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, Request, expect

from ..support.controls import pick
from ..support.mouse import zoom
from ..support.serving import to_the_top
from .conftest import KeptPage
from .test_train import LENET, RUN_IN_ADDRESS, STATE, another_run, choose_network, fill_in, pause, set_up, settled, start_run, start_training, stop, train_page

LINES = ("optimizer.zero_grad()", "logits = network(images)", "loss = loss_function(logits, labels)", "loss.backward()", "optimizer.step()")
DRAWINGS = (".drawing-forgotten", ".drawing-scores", ".drawing-losses", ".drawing-flow", ".drawing-update")


@pytest.fixture
def train(kept: KeptPage, address: str) -> Iterator[Page]:
    """The Train page with the settings for LeNet-5."""
    with train_page(kept, address) as page:
        choose_network(page, LENET)
        yield page


def test_each_of_the_five_lines_opens_what_it_did_in_a_step(train: Page) -> None:
    train.emulate_media(reduced_motion="no-preference")
    start_training(train, epochs=1000)
    train.get_by_role("button", name=LINES[3]).click()
    expect(train.locator(".monitor-shown")).to_contain_text("Press Pause or Step")
    train.get_by_role("button", name="Step", exact=True).click()  # also while it runs: one more step, then it pauses
    train.locator(f"{STATE}[data-state=paused]").wait_for()
    train.locator(DRAWINGS[4]).wait_for()  # the lines open one after another, and the last one stays open
    train.emulate_media(reduced_motion="reduce")
    train.context.set_offline(True)  # going through them sends no request
    for line, drawing in zip(LINES, DRAWINGS, strict=True):
        train.get_by_role("button", name=line).click()
        expect(train.locator(".monitor-code .lit")).to_contain_text(line)
        train.locator(drawing).wait_for()
    expect(train.locator(".drawing-filter canvas")).to_have_count(3)
    expect(train.locator(".drawing-sum")).to_contain_text("the parameter with the largest update")
    train.get_by_role("button", name=LINES[2]).click()
    expect(train.locator(".drawing-losses canvas")).to_have_count(24)
    assert re.search(r"loss = −ln [\d.]+ = [\d.]+", train.locator(".monitor-shown").inner_text())
    train.get_by_role("button", name="Numbers").click()
    expect(train.locator(".monitor-shown table tr")).to_have_count(25)
    train.get_by_role("button", name=LINES[3]).click()
    expect(train.locator(".monitor-shown table")).to_contain_text("Norm of the gradient")
    train.get_by_role("button", name="Drawing").click()
    train.context.set_offline(False)
    train.keyboard.press("Escape")
    expect(train.get_by_role("heading", name="Inside the network")).to_be_visible()
    stop(train)


def test_a_new_learning_rate_and_optimizer_are_marked_on_the_curve(train: Page) -> None:
    start_training(train, epochs=1000)
    pause(train)
    rate = train.get_by_role("slider", name="Learning rate")
    before = float(rate.get_attribute("aria-valuenow") or 0)
    rate.press("ArrowLeft")
    marks = train.locator('[data-plot="loss"] .annotation-text', has_text=re.compile("learning rate|SGD"))
    expect(marks).to_have_text([re.compile(r"^learning rate 0\.00")])
    peak = train.locator(".monitor-rate small")
    expect(peak).to_contain_text("peak 0.00")  # of the schedule, while the learning rate is what it was
    assert float(peak.inner_text().split()[-1]) < before
    pick(train, "Optimizer", "SGD")
    expect(marks).to_have_count(2)
    stop(train)


def test_marks_at_the_right_edge_of_a_curve_are_whole(train: Page) -> None:
    start_run(train, epochs=1)
    train.locator(f"{STATE}[data-state=finished]").wait_for()
    plot = train.locator('[data-plot="loss"]')
    names = plot.locator(".annotation-text", has_text=re.compile("^(training|test)$"))
    expect(names).to_have_count(2)  # at the lines' ends, and there is no legend
    expect(plot.locator(".legend")).to_have_count(0)
    outer = plot.bounding_box()
    assert outer is not None
    for name in names.all():
        inner = name.bounding_box()
        assert inner is not None and inner["x"] + inner["width"] <= outer["x"] + outer["width"]


def test_the_film_strip_goes_back_and_a_run_continues_from_there(train: Page) -> None:
    start_training(train, epochs=1000)
    expect(train.get_by_role("button", name="Continue from here…")).to_be_enabled()
    expect(train.locator('[data-fact="accuracy"]')).not_to_have_text("–")
    stop(train)
    strip = train.get_by_role("slider", name="Moment of the training")
    now = strip.get_attribute("aria-valuetext")
    strip.press("Home")
    expect(strip).to_have_attribute("aria-valuetext", "step 1")
    expect(train.locator('[data-plot="loss"] .shapelayer path')).not_to_have_count(0)  # what came later is veiled
    expect(train.locator('[data-fact="right"]')).to_contain_text("of 8 correct")
    expect(train.locator('[data-fact="accuracy"]')).to_have_text("–")  # as it was then
    expect(train.locator(".monitor-lines .monitor-note")).to_contain_text("step 1 ")
    train.get_by_role("button", name="The whole network at work").click()
    expect(train.locator(".at-work h2")).to_contain_text("The network at work, at step ")
    train.get_by_role("button", name="Close", exact=True).click()
    before = train.url
    train.get_by_role("button", name="Continue from here…").click()
    train.get_by_label("New learning rate").fill("0.0001")
    train.get_by_role("button", name="Start a new run", exact=True).click()
    train.wait_for_url(lambda url: url != before)
    expect(train.locator(".monitor-parent")).to_contain_text("Forked from another run at step")
    train.locator('[data-plot="loss"] .annotation-text', has_text="forked here").wait_for()
    train.locator(f"{STATE}[data-state=running]").wait_for()
    stop(train)
    train.locator(".monitor-parent").click()
    train.wait_for_url(before)
    expect(train.locator(".monitor-parent")).to_have_count(0)
    expect(strip).to_have_attribute("aria-valuetext", now or "")


def test_a_finished_run_is_replayed(train: Page) -> None:
    start_run(train, epochs=1)
    train.locator(f"{STATE}[data-state=finished]").wait_for()
    strip = train.get_by_role("slider", name="Moment of the training")
    expect(strip).to_have_attribute("aria-disabled", "false")
    train.get_by_role("button", name="Replay", exact=True).click()
    expect(strip).to_have_attribute("aria-valuetext", re.compile("^step"))
    expect(strip).to_have_attribute("aria-valuetext", re.compile("^now"))
    strip.press(" ")  # also by the keyboard
    expect(strip).to_have_attribute("aria-valuetext", re.compile("^step"))
    strip.press("End")
    expect(strip).to_have_attribute("aria-valuetext", re.compile("^now"))


def test_predictions_and_layer_statistics_follow_the_run(train: Page) -> None:
    choose_network(train, "Small modern CNN")
    start_training(train, epochs=30)
    expect(train.locator(".monitor-image:is(.right, .wrong)")).to_have_count(8)
    expect(train.locator(".monitor-row")).to_have_count(5)  # the layers that weigh
    expect(train.locator(".monitor-filters canvas")).to_have_count(32)
    train.locator(".monitor-layers").scroll_into_view_if_needed()
    train.locator(".monitor-layers .heatmaplayer image").wait_for()
    rows = train.locator(".monitor-layers .monitor-table tr")
    expect(rows).to_have_count(16)  # a head, and the fifteen layers
    stop(train)
    train.set_viewport_size({"width": 844, "height": 390})  # a phone held across
    train.wait_for_function("""() => {
        const ends = [...document.querySelectorAll(".monitor-image canvas")].map((image) => image.getBoundingClientRect())
        return ends.every(({ left }, index) => index % 4 === 0 || left >= ends[index - 1].right)
    }""")
    train.set_viewport_size({"width": 1280, "height": 800})


def test_axes_can_be_changed_and_a_zoom_loads_more_points(train: Page) -> None:
    start_training(train, epochs=60)
    stop(train)
    to_the_top(train)
    plot = train.locator('[data-plot="loss"]')
    expect(plot.locator(".modebar-btn")).to_have_count(0)  # nothing that sends the curves elsewhere
    train.get_by_role("button", name="Axes").click()
    pick(train, "Horizontal axis", "by step")
    expect(plot.locator(".annotation-text", has_text=re.compile("^step$"))).to_be_visible()
    train.get_by_label("Log scale").check()
    train.wait_for_function("document.querySelector('[data-plot=loss]')._fullLayout.yaxis.type === 'log'")
    train.keyboard.press("Escape")
    with train.expect_request(re.compile(r"/api/runs/[^/]+\?from=\d+&to=\d+")):
        zoom(train, plot)
    train.get_by_role("button", name="Show all", exact=True).click()
    expect(train.get_by_role("button", name="Show all", exact=True)).to_be_hidden()
    zoom(train, plot)
    train.get_by_role("button", name="Show all", exact=True).wait_for()
    asked: list[str] = []

    def note(request: Request) -> None:
        asked.append(request.url)

    train.on("request", note)
    set_up(train)
    start_training(train, epochs=60)  # another run, whose steps are not those that were zoomed
    train.remove_listener("request", note)
    news = re.compile(rf"/api/runs/{RUN_IN_ADDRESS.findall(train.url)[0]}(\?|$)")
    requested = [url for url in asked if news.search(url)]
    assert requested and not [url for url in requested if "from=" in url]
    stop(train)


def test_a_hidden_tab_sends_no_request(page: Page, address: str) -> None:
    page.clock.install()
    page.goto(f"{address}/train")
    start_training(page, epochs=300)
    page.evaluate("""() => {
        Object.defineProperty(document, 'hidden', { value: true, configurable: true })
        document.dispatchEvent(new Event('visibilitychange'))
        const fetch = window.fetch
        window.asked = []
        window.fetch = (address, ...rest) => {
            if (String(address).includes('/api/runs/')) window.asked.push(String(address))
            return fetch(address, ...rest)
        }
    }""")
    page.clock.run_for(60_000)
    assert page.evaluate("window.asked") == []
    page.evaluate("""() => {
        Object.defineProperty(document, 'hidden', { value: false, configurable: true })
        document.dispatchEvent(new Event('visibilitychange'))
    }""")
    with page.expect_request(re.compile("/api/runs/")):
        pass
    stop(page)


@pytest.fixture
def finding(kept: KeptPage, address: str) -> Iterator[Locator]:
    """The fault of a run whose learning rate is far too high, on the Train page. The run goes on."""
    with train_page(kept, address) as page:
        choose_network(page, "Multilayer perceptron")  # the other tests keep their learning rate
        fill_in(page, "Learning rate, peak of the schedule", "50")
        start_run(page, epochs=1000)
        yield page.locator(".monitor-coach[data-kind=problem]")


def apply_first_remedy(finding: Locator) -> None:
    """Apply that of the learning rate: further findings may come meanwhile."""
    finding.get_by_role("button", name="What to do").click()
    finding.locator(".coach-reasons article").filter(has_text=re.compile("learning rate", re.IGNORECASE)).get_by_role("button").first.click()


def test_a_remedy_of_the_coach_starts_a_run(finding: Locator, address: str) -> None:
    page = finding.page
    expect(finding).to_contain_text("learning rate")
    before = page.url.split("run=")[1]
    with another_run(page):
        apply_first_remedy(finding)
    page.locator(f"{STATE}[data-state=running]").wait_for()
    assert page.request.post(f"{address}/api/runs/{before}/command", data={"command": "stop"}).ok
    stop(page)


def test_a_remedy_is_applied_though_the_run_ends_at_the_same_moment(finding: Locator) -> None:
    page = finding.page
    finding.wait_for()
    page.evaluate("""() => {  // the news of the run's end is held back until the remedy was requested
        const fetch = window.fetch
        let release
        const begun = new Promise((resolve) => { release = resolve })
        window.ended = false
        window.fetch = async (address, ...rest) => {
            const answer = await fetch(address, ...rest)
            if (!String(address).includes('/api/runs/') || answer.status !== 200) return answer
            const news = await answer.json()
            if (news.state === 'stopped') {
                window.ended = true
                await begun
            }
            if (String(address).includes('/remedy')) {
                window.fetch = fetch
                setTimeout(release, 20)
            }
            return new Response(JSON.stringify(news))
        }
    }""")
    page.locator(".monitor").get_by_role("button", name="Stop", exact=True).click()
    page.wait_for_function("window.ended")
    with another_run(page):
        apply_first_remedy(finding)
    page.locator(f"{STATE}[data-state=running]").wait_for()
    stop(page)


def test_weights_and_runs_can_be_exported_and_imported(train: Page, tmp_path: Path) -> None:
    start_run(train, epochs=1)
    train.locator(f"{STATE}[data-state=finished]").wait_for()
    accuracy = train.locator('[data-fact="accuracy"]').inner_text()
    train.get_by_role("tab", name="Export", exact=True).click()
    for button, file in (("Run, .zip", "run.zip"), ("state_dict, .pt", "weights.pt"), ("safetensors", "weights.safetensors")):
        settled(train)
        with train.expect_download() as download:
            train.get_by_role("button", name=button).click()
        download.value.save_as(tmp_path / file)
        train.locator("input[type=file]").set_input_files(tmp_path / file)
        with another_run(train):
            train.get_by_role("button", name="Import").click()  # waits until the file has arrived
        expect(train.locator('[data-fact="accuracy"]')).to_have_text(accuracy)
        expect(train.locator(STATE)).to_have_text(re.compile("^Done in " if file == "run.zip" else "^Stopped$"))
        expect(train.get_by_text(file, exact=True)).to_have_count(0)
