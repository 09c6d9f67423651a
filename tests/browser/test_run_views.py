"""The views of a run in a browser: curves, test images, layers, a single step, commands, forks, the coach."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from .conftest import KeptPage
from .test_train import LENET, STATE, another_run, choose_network, fill_in, pause, settled, start_run, start_training, stop, train_page

LINES = ("optimizer.zero_grad()", "logits = network(images)", "loss = loss_function(logits, labels)", "loss.backward()", "optimizer.step()")


def open_view(page: Page, name: str) -> None:
    page.get_by_role("tab", name=name, exact=True).click()


@pytest.fixture
def train(kept: KeptPage, address: str) -> Iterator[Page]:
    """The Train page with the form for LeNet-5."""
    with train_page(kept, address) as page:
        choose_network(page, LENET)
        yield page


def test_a_single_step_shows_the_five_lines_of_training(train: Page) -> None:
    start_training(train, epochs=1000)
    pause(train)
    train.get_by_role("button", name="Step", exact=True).click()
    lit = train.locator(".monitor-code .lit")
    expect(lit).to_have_text(LINES[0])
    first = train.locator(".monitor-step > .monitor-hint").inner_text()
    assert re.match(r"Step [\d,]+: a batch of 64 images", first)
    for line in LINES[1:]:
        train.get_by_role("button", name="Next line").click()
        expect(lit).to_have_text(line)
    expect(train.get_by_role("button", name="Next line")).to_be_disabled()
    expect(train.locator(".monitor-shown")).to_contain_text("the parameter with the largest update")
    train.context.set_offline(True)  # stepping through the lines sends no request
    train.get_by_role("button", name=LINES[3]).click()
    expect(train.locator(".monitor-shown table")).to_contain_text("Norm of the gradient")
    train.get_by_role("button", name=LINES[2]).click()
    expect(train.locator(".monitor-batch canvas")).to_have_count(24)
    assert re.search(r"loss = −ln [\d.]+ = [\d.]+", train.locator(".monitor-shown").inner_text())
    train.context.set_offline(False)
    train.get_by_role("button", name="Take one more step").click()
    expect(train.locator(".monitor-step > .monitor-hint")).not_to_have_text(first)
    expect(lit).to_have_text(LINES[0])
    stop(train)


def test_a_new_learning_rate_and_optimizer_are_marked_on_the_curve(train: Page) -> None:
    start_training(train, epochs=1000)
    field = train.locator(".monitor-steering input").first
    field.fill("0.0005")
    train.locator(".monitor-steering select").first.select_option("sgd")
    train.get_by_role("button", name="Change", exact=True).click()
    marks = train.locator('[data-plot="loss"] .annotation-text')
    expect(marks).to_have_text(["learning rate 0.0005", "SGD"])
    stop(train)


def test_going_back_to_a_step_starts_a_fork(train: Page) -> None:
    start_training(train, epochs=1000)
    expect(train.locator('[data-fact="accuracy"]')).not_to_have_text("–")
    stop(train)
    before = train.url
    train.get_by_text("Go back to a checkpoint").click()
    train.locator(".monitor-back select").first.select_option(index=0)
    train.get_by_label("New learning rate").fill("0.0001")
    train.get_by_role("button", name="Start a new run").click()
    train.wait_for_url(lambda url: url != before)
    expect(train.locator(".monitor-parent")).to_contain_text("Forked from another run at step")
    train.locator('[data-plot="loss"] .annotation-text', has_text="forked here").wait_for()
    train.locator(f"{STATE}[data-state=running]").wait_for()
    stop(train)
    train.locator(".monitor-parent").click()
    train.wait_for_url(before)
    expect(train.locator(".monitor-parent")).to_be_hidden()


def test_predictions_and_layer_statistics_follow_the_run(train: Page) -> None:
    choose_network(train, "Small modern CNN")
    start_training(train, epochs=30)  # with a snapshot every 32 steps
    open_view(train, "Test images")
    expect(train.locator(".monitor-card")).to_have_count(12)
    slider = train.get_by_role("slider", name="Step")
    expect(slider).not_to_have_attribute("max", "0")
    slider.focus()
    slider.press("Home")
    expect(train.locator(".monitor-at")).to_have_text("step 1")
    open_view(train, "Layers")
    expect(train.locator(".monitor-filters canvas")).to_have_count(32)
    train.locator(".monitor-inside .heatmaplayer image").wait_for()
    rows = train.locator(".monitor-inside .monitor-table tr")
    expect(rows).to_have_count(16)  # a head, and the fifteen layers
    stop(train)


def test_axes_can_be_changed_and_a_zoom_loads_more_points(train: Page) -> None:
    start_training(train, epochs=60)
    stop(train)
    plot = train.locator('[data-plot="loss"]')
    train.get_by_label("Horizontal axis").select_option("epoch")
    train.get_by_label("Log scale").uncheck()
    train.wait_for_function("document.querySelector('[data-plot=loss]')._fullLayout?.yaxis.type === 'linear'")
    expect(plot.locator(".xtitle")).to_have_text("epoch")
    offered = plot.locator(".modebar-btn").evaluate_all("buttons => buttons.map((button) => button.dataset.title)")
    assert offered == ["Zoom", "Pan", "Autoscale"]  # nothing that sends the curves elsewhere
    train.get_by_label("Horizontal axis").select_option("step")
    expect(plot.locator(".xtitle")).to_have_text("step")
    train.get_by_label("Log scale").check()
    train.wait_for_function("document.querySelector('[data-plot=loss]')._fullLayout.yaxis.type === 'log'")
    plot.scroll_into_view_if_needed()
    box = plot.locator(".nsewdrag").bounding_box()
    assert box is not None
    with train.expect_request(re.compile(r"/api/runs/[^/]+\?from=\d+&to=\d+")):
        train.mouse.move(box["x"] + 2, box["y"] + 0.3 * box["height"])
        train.mouse.down()
        train.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.3 * box["height"], steps=8)
        train.mouse.up()


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
        fill_in(page, "Learning rate", "50")
        start_run(page, epochs=1000)
        yield page.locator(".monitor-finding.problem").first


def test_a_remedy_of_the_coach_starts_a_run(finding: Locator, address: str) -> None:
    page = finding.page
    expect(finding).to_contain_text("learning rate")
    before = page.url.split("run=")[1]
    with another_run(page):
        finding.get_by_role("button").first.click()
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
        finding.get_by_role("button").first.click()
    page.locator(f"{STATE}[data-state=running]").wait_for()
    stop(page)


def test_weights_and_runs_can_be_exported_and_imported(train: Page, tmp_path: Path) -> None:
    start_run(train, epochs=1)
    expect(train.locator('[data-fact="epoch"]')).to_have_text("1.0 / 1")
    train.locator(f"{STATE}[data-state=finished]").wait_for()
    accuracy = train.locator('[data-fact="accuracy"]').inner_text()
    open_view(train, "Export")
    for button, file in (("Run, .zip", "run.zip"), ("state_dict, .pt", "weights.pt"), ("safetensors", "weights.safetensors")):
        settled(train)
        with train.expect_download() as download:
            train.get_by_role("button", name=button).click()
        download.value.save_as(tmp_path / file)
        train.locator("input[type=file]").set_input_files(tmp_path / file)
        with another_run(train):
            train.get_by_role("button", name="Import").click()  # waits until the file has arrived
        expect(train.locator('[data-fact="accuracy"]')).to_have_text(accuracy)
        expect(train.locator(STATE)).to_have_text("Finished" if file == "run.zip" else "Stopped")
        expect(train.get_by_text(file, exact=True)).to_have_count(0)
