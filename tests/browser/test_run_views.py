"""The views of a run in a browser: curves, test images, layers, a single step, commands, forks, the coach."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from .test_train import STATE, start_training

LINES = ("optimizer.zero_grad()", "logits = network(images)", "loss = loss_function(logits, labels)", "loss.backward()", "optimizer.step()")


def open_view(page: Page, name: str) -> None:
    page.get_by_role("tab", name=name, exact=True).click()


def pause(page: Page) -> None:
    page.get_by_role("button", name="Pause").click()
    page.locator(f"{STATE}[data-state=paused]").wait_for()


def stop(page: Page) -> None:
    page.get_by_role("button", name="Stop", exact=True).first.click()
    page.locator(f"{STATE}[data-state=stopped]").wait_for()


def test_a_single_step_shows_the_five_lines_of_training(page: Page, address: str) -> None:
    start_training(page, address, epochs=200)
    pause(page)
    page.get_by_role("button", name="Step", exact=True).click()
    lit = page.locator(".monitor-code .lit")
    expect(lit).to_have_text(LINES[0])
    first = page.locator(".monitor-step > .monitor-hint").inner_text()
    assert re.match(r"Step [\d,]+: a batch of 64 images", first)
    for line in LINES[1:]:
        page.get_by_role("button", name="Next line").click()
        expect(lit).to_have_text(line)
    expect(page.get_by_role("button", name="Next line")).to_be_disabled()
    expect(page.locator(".monitor-shown")).to_contain_text("the parameter with the largest update")
    page.context.set_offline(True)  # stepping through the lines sends no request
    page.get_by_role("button", name=LINES[3]).click()
    expect(page.locator(".monitor-shown table")).to_contain_text("Norm of the gradient")
    page.get_by_role("button", name=LINES[2]).click()
    expect(page.locator(".monitor-batch canvas")).to_have_count(24)
    assert re.search(r"loss = −ln [\d.]+ = [\d.]+", page.locator(".monitor-shown").inner_text())
    page.context.set_offline(False)
    page.get_by_role("button", name="Take one more step").click()
    expect(page.locator(".monitor-step > .monitor-hint")).not_to_have_text(first)
    expect(lit).to_have_text(LINES[0])
    stop(page)


def test_a_new_learning_rate_and_optimizer_are_marked_on_the_curve(page: Page, address: str) -> None:
    start_training(page, address, epochs=200)
    field = page.locator(".monitor-steering input").first
    field.fill("0.0005")
    page.locator(".monitor-steering select").first.select_option("sgd")
    page.get_by_role("button", name="Change", exact=True).click()
    marks = page.locator('[data-plot="loss"] .annotation-text')
    expect(marks).to_have_text(["learning rate 0.0005", "SGD"])
    stop(page)


def test_going_back_to_a_step_starts_a_fork(page: Page, address: str) -> None:
    start_training(page, address, epochs=300)
    expect(page.locator('[data-fact="accuracy"]')).not_to_have_text("–")
    stop(page)
    before = page.url
    page.get_by_text("Go back to a checkpoint").click()
    page.locator(".monitor-back select").first.select_option(index=0)
    page.get_by_label("New learning rate").fill("0.0001")
    page.get_by_role("button", name="Start a new run").click()
    page.wait_for_url(lambda url: url != before)
    expect(page.locator(".monitor-parent")).to_contain_text("Forked from another run at step")
    page.locator('[data-plot="loss"] .annotation-text', has_text="forked here").wait_for()
    page.locator(f"{STATE}[data-state=running]").wait_for()
    stop(page)
    page.locator(".monitor-parent").click()
    page.wait_for_url(before)
    expect(page.locator(".monitor-parent")).to_be_hidden()


def test_predictions_and_layer_statistics_follow_the_run(page: Page, address: str) -> None:
    start_training(page, address, epochs=200)
    open_view(page, "Test images")
    expect(page.locator(".monitor-card")).to_have_count(12)
    slider = page.get_by_role("slider", name="Step")
    expect(slider).not_to_have_attribute("max", "0")
    slider.focus()
    slider.press("Home")
    expect(page.locator(".monitor-at")).to_have_text("step 1")
    open_view(page, "Layers")
    expect(page.locator(".monitor-filters canvas")).to_have_count(32)
    page.locator(".monitor-inside .heatmaplayer image").wait_for()
    rows = page.locator(".monitor-inside .monitor-table tr")
    expect(rows).to_have_count(16)  # a head, and the fifteen layers
    stop(page)


def test_axes_can_be_changed_and_a_zoom_loads_more_points(page: Page, address: str) -> None:
    start_training(page, address, epochs=60)
    plot = page.locator('[data-plot="loss"]')
    stop(page)
    offered = plot.locator(".modebar-btn").evaluate_all("buttons => buttons.map((button) => button.dataset.title)")
    assert offered == ["Zoom", "Pan", "Autoscale"]  # nothing that sends the curves elsewhere
    page.get_by_label("Horizontal axis").select_option("step")
    expect(plot.locator(".xtitle")).to_have_text("step")
    page.get_by_label("Log scale").check()
    page.wait_for_function("document.querySelector('[data-plot=loss]')._fullLayout.yaxis.type === 'log'")
    box = plot.locator(".nsewdrag").bounding_box()
    assert box is not None
    with page.expect_request(re.compile(r"/api/runs/[^/]+\?from=\d+&to=\d+")):
        page.mouse.move(box["x"] + 2, box["y"] + 0.3 * box["height"])
        page.mouse.down()
        page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.3 * box["height"], steps=8)
        page.mouse.up()


def test_a_hidden_tab_sends_no_request(page: Page, address: str) -> None:
    page.clock.install()
    start_training(page, address, epochs=300)
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


def found_by_the_coach(page: Page, address: str) -> Locator:
    """The fault of a run whose learning rate is far too high."""
    page.goto(f"{address}/train")
    epochs = page.get_by_role("spinbutton", name="Epochs")
    epochs.fill("2")
    epochs.press("Enter")
    page.get_by_text("More settings").click()
    field = page.get_by_role("spinbutton", name="Learning rate", exact=True)
    field.fill("50")
    field.press("Enter")
    page.get_by_role("button", name="Train", exact=True).click()
    finding = page.locator(".monitor-finding.problem").first
    finding.wait_for()
    page.wait_for_url(re.compile("run="))
    return finding


def test_a_remedy_of_the_coach_starts_a_run(page: Page, address: str) -> None:
    finding = found_by_the_coach(page, address)
    expect(finding).to_contain_text("learning rate")
    before = page.url
    finding.get_by_role("button").first.click()
    page.wait_for_url(lambda url: url != before)
    page.locator(f"{STATE}[data-state]").wait_for()


def test_a_remedy_is_applied_though_the_run_ends_at_the_same_moment(page: Page, address: str) -> None:
    finding = found_by_the_coach(page, address)
    before = page.url
    page.evaluate("""() => {  // the news of the run's end is held back until the remedy was requested
        const fetch = window.fetch
        let release
        const begun = new Promise((resolve) => { release = resolve })
        window.fetch = async (address, ...rest) => {
            const answer = await fetch(address, ...rest)
            if (!String(address).includes('/api/runs/') || answer.status !== 200) return answer
            const news = await answer.json()
            if (news.state === 'finished') {
                window.ended = true
                await begun
            }
            if (String(address).includes('/remedy')) setTimeout(release, 20)
            return new Response(JSON.stringify(news))
        }
    }""")
    page.wait_for_function("window.ended")
    finding.get_by_role("button").first.click()
    page.wait_for_url(lambda url: url != before)


def test_weights_and_runs_can_be_exported_and_imported(page: Page, address: str, tmp_path: Path) -> None:
    start_training(page, address, epochs=1)
    page.locator(f"{STATE}[data-state=finished]").wait_for()
    accuracy = page.locator('[data-fact="accuracy"]').inner_text()
    open_view(page, "Export")
    for button, file in (("Run, .zip", "run.zip"), ("state_dict, .pt", "weights.pt"), ("safetensors", "weights.safetensors")):
        expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")  # a page that is being drawn swallows the click
        with page.expect_download() as download:
            page.get_by_role("button", name=button).click()
        download.value.save_as(tmp_path / file)
        before = page.url
        page.locator("input[type=file]").set_input_files(tmp_path / file)
        page.get_by_role("button", name="Import").click()  # waits until the file has arrived
        page.wait_for_url(lambda url, before=before: url != before)  # type: ignore[misc]
        expect(page.locator('[data-fact="accuracy"]')).to_have_text(accuracy)
        expect(page.locator(STATE)).to_have_text("Finished" if file == "run.zip" else "Stopped")
        expect(page.get_by_text(file, exact=True)).to_have_count(0)
