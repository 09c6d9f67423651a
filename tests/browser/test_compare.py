"""The Compare page in a browser: the race and its replay, the list of runs, the plot, the table."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from playground.network.presets import preset
from playground.runs import labels, trash
from playground.runs.branching import race
from playground.runs.run import Run, create
from playground.runs.views.summaries import list_runs, owner
from playground.server.identity import COOKIE, learner
from playground.training.config import TrainConfig
from playground.training.events import Evaluated, Finished, LearningRate, Started, Step

from ..support.accessibility import check_accessibility
from ..support.controls import pick, slide
from ..support.learners import ADA
from ..support.mouse import zoom
from ..support.serving import excess_width
from ..support.visiting import visit
from ..support.waiting import until
from .conftest import KeptPage

EPOCH = 20


@pytest.fixture
def runs(server_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The test makes runs where the server looks for them; they are thrown away behind it."""
    monkeypatch.setenv("PLAYGROUND_RUNS", str(server_folder / "runs"))
    yield
    for run in [*list_runs(), *(deleted.run for deleted in trash.trash())]:
        if owner(run) in (learner(ADA), None):
            run.path.rename(tmp_path / run.id)


@pytest.fixture
def ada(kept: KeptPage, address: str, runs: None) -> Page:
    """The page of a learner without runs; those that the test makes are hers."""
    page = kept.get("about:blank")
    if page.url == "about:blank":
        page.context.add_cookies([{"name": COOKIE, "value": ADA, "url": address}])
        page.goto(f"{address}/compare")
    else:
        page.set_viewport_size({"width": 1280, "height": 800})
        come_anew(page, forget=True)
    page.locator(".comparison.recorded").wait_for()
    return page


def finished_run(accuracy: float = 0.9, steps: int = 60, **changes: Any) -> Run:
    config = TrainConfig.from_dict({**TrainConfig(network="mnist-mlp", epochs=5.0).to_dict(), **changes})
    run = create(config, preset("mnist-mlp"), learner(ADA))
    with run.journal.recorder() as record:
        record(Started(0.0, 0, 100, EPOCH, "cpu", 1))
        for number in range(1, steps + 1):
            record(Step(number, 2.3 / number, number / 100, 0.1, number / 10, 1000.0))
            if number % EPOCH == 0:
                record(Evaluated(number, number / EPOCH, 0.5, 0.6, 1 - accuracy, accuracy, number / 10))
        record(Finished(0.0, steps, steps / 10, accuracy, 1000.0))
    return run


def come_anew(page: Page, query: str = "", forget: bool = False) -> None:
    """Come from another page: then the comparison asks for the list of runs at once, not seconds later."""
    visit(page, "/")
    expect(page.locator(".comparison")).to_have_count(0)
    if forget:
        page.evaluate("sessionStorage.clear()")
    visit(page, f"/compare{query}")


def opened(page: Page, *runs: Run) -> None:
    """Open the comparison of these runs, or of those that the page selects."""
    come_anew(page, f"?runs={','.join(run.id for run in runs)}" if runs else "")
    page.locator(".comparison:not(.recorded) .comparison-plot .scatterlayer .trace").first.wait_for(state="attached")


def row(page: Page, run: Run) -> Locator:
    """Its row in the table."""
    return page.locator(f'.comparison-details tr[data-run="{run.id}"]')


def listed(page: Page, run: Run) -> Locator:
    """Its row in the list."""
    return page.locator(f'.comparison-list li[data-run="{run.id}"]')


def racers(page: Page) -> Locator:
    """The rows of the runs that are compared, the most accurate first."""
    return page.locator(".comparison-ranking > li")


def fills(page: Page) -> dict[str, str]:
    """The colour of each run of the comparison by its name."""
    script = "rows => rows.map(row => [row.querySelector('.comparison-name').textContent, row.querySelector('svg').getAttribute('fill')])"
    return dict(racers(page).evaluate_all(script))


def length(page: Page) -> int:
    """The number of points of the longest curve."""
    count: int = page.locator(".comparison-plot").evaluate("plot => Math.max(0, ...plot.data.map(({ x }) => x.length))")
    return count


def test_one_click_starts_a_race_whose_runs_keep_the_marks_of_the_recording(page: Page, address: str) -> None:
    page.goto(f"{address}/compare")
    page.locator(".comparison-plot .scatterlayer .trace").first.wait_for()
    recorded = fills(page)
    assert sorted(recorded) == ["Adam", "RMSprop", "SGD"]
    page.get_by_role("button", name="Start the race").click()
    expect(page.locator(".comparison:not(.recorded)")).to_have_count(1)
    page.get_by_role("button", name="Replay").and_(page.locator(":enabled")).wait_for()  # the race is over
    assert fills(page) == recorded
    expect(racers(page)).to_contain_text(["1.", "2.", "3."])
    assert length(page) == 189  # steps
    expect(page.locator(".comparison-differs")).to_have_text("What differsOptimizer: Adam · SGD · RMSprop")
    expect(page.locator(".comparison-details tbody tr")).to_have_count(3)


def test_a_race_of_learning_rates_is_paused_as_one_and_stopped_one_by_one(page: Page, address: str) -> None:
    page.goto(f"{address}/compare")
    page.get_by_role("button", name="New race").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("Learning rate", exact=True).click()
    field = dialog.get_by_role("textbox", name="Learning rates")
    field.fill("0.1, fast")
    field.press("Enter")
    expect(dialog.get_by_role("alert")).to_contain_text("“fast” is not a learning rate")
    field.fill("0.01, 0.02, 0.03, 0.04")
    field.press("Enter")
    dialog.get_by_text("4 runs: learning rate 0.01; learning rate 0.02; learning rate 0.03; learning rate 0.04.").wait_for()
    epochs = dialog.get_by_role("spinbutton", name="Epochs")
    epochs.fill("100")  # it is stopped long before
    epochs.press("Enter")
    dialog.get_by_role("button", name="Start").click()
    expect(dialog).to_be_hidden()
    expect(racers(page)).to_contain_text(["running"] * 4)
    page.locator(".comparison-play").get_by_text("Pause").click()
    expect(racers(page)).to_contain_text(["paused"] * 4)
    steps = page.locator(".comparison-details tbody tr td:nth-last-child(3)").all_inner_texts()
    assert max(map(int, steps)) - min(map(int, steps)) < 60  # all have trained
    page.locator(".comparison-play").get_by_text("Resume").click()
    expect(racers(page)).to_contain_text(["running"] * 4)
    for rate in ("0.01", "0.02", "0.03", "0.04"):
        page.get_by_role("button", name=f"Stop learning rate {rate}").click()
    expect(racers(page)).to_contain_text(["stopped"] * 4)


def test_an_interrupted_race_is_resumed_by_one_button(ada: Page) -> None:
    runs = race(TrainConfig(network="mnist-mlp", epochs=0.5), preset("mnist-mlp"), [{"optimizer": "adam"}, {"optimizer": "sgd"}], learner(ADA))
    for run in runs:
        run.journal.append(Started(0.0, 0, 32, 63, "cpu", 1))  # as if its worker had been killed: nobody holds its lock
        run.journal.append(Step(1, 2.3, 0.1, 0.1, 0.1, 1000.0))
    opened(ada, *runs)
    expect(racers(ada)).to_contain_text(["interrupted"] * 2)
    ada.get_by_role("button", name="Resume all").click()
    ada.get_by_role("button", name="Replay").and_(ada.locator(":enabled")).wait_for()
    expect(racers(ada)).to_contain_text(["\u202f%"] * 2)
    assert length(ada) == 32


def test_finished_curves_grow_again_and_the_ranking_with_them(ada: Page) -> None:
    ahead, behind = finished_run(0.9, seed=1), finished_run(0.8, seed=2)
    opened(ada, ahead, behind)
    everything = length(ada)
    ada.get_by_role("button", name="Replay").click()
    ada.wait_for_function("most => Math.max(...document.querySelector('.comparison-plot').data.map(({ x }) => x.length)) < most", arg=everything)
    ada.get_by_role("button", name="Replay").wait_for()  # it has come to its end
    assert length(ada) == everything
    time = ada.get_by_role("slider", name="Moment of the race")
    time.press("Home")
    expect(racers(ada)).to_contain_text(["–", "–"])
    assert length(ada) == 0
    time.press("PageUp")
    time.press("PageUp")
    expect(racers(ada)).to_contain_text(["90.0\N{NARROW NO-BREAK SPACE}%", "80.0\N{NARROW NO-BREAK SPACE}%"])
    assert 0 < length(ada) < everything
    time.press("End")
    expect(ada.get_by_role("button", name="Replay")).to_be_visible()
    assert length(ada) == everything


def test_curves_list_and_time_are_on_one_screen(ada: Page) -> None:
    for selector in (".comparison-plot", ".comparison-time", ".comparison-list"):
        expect(ada.locator(selector)).to_be_in_viewport(ratio=1)
    runs = [finished_run(seed=seed) for seed in range(6)]
    opened(ada, *runs[:3])
    for selector in (".comparison-tools", ".comparison-plot", ".comparison-time", ".comparison-note-of-plot", ".comparison-list", ".comparison-others"):
        expect(ada.locator(selector)).to_be_in_viewport(ratio=1)


def test_a_click_during_which_the_table_is_refreshed_is_not_lost(ada: Page) -> None:
    run = finished_run()
    opened(ada, run)
    row(ada, run).get_by_role("button", name="Delete").hover()
    ada.mouse.down()
    run.journal.append(Evaluated(61, 3.05, 0.5, 0.6, 0.01, 0.99, 6.1))
    expect(row(ada, run)).to_contain_text("99.0\N{NARROW NO-BREAK SPACE}%")
    ada.mouse.up()
    expect(ada.get_by_role("button", name="Yes, delete")).to_be_focused()


def test_the_newest_runs_are_compared_and_the_best_is_marked_by_more_than_colour(ada: Page) -> None:
    slow, quick = finished_run(0.8, seed=1), finished_run(0.95, steps=40, optimizer="sgd")
    opened(ada)
    heads = ada.locator(".comparison-details thead th")
    expect(heads).to_have_text(["Run", "Optimizer", "Seed", "Test accuracy", "Best accuracy", "Training time", "Steps", "Parameters", "Compute"])
    expect(row(ada, quick).locator(".best")).to_have_text(["95.0 % (best)", "95.0 % (best)", "4.0 s (best)", row(ada, quick).locator("td").last.inner_text()])
    expect(row(ada, slow).locator(".best")).to_have_count(0)
    expect(racers(ada)).to_contain_text(["95.0 %", "80.0 %"])


def test_a_zoom_survives_new_steps(ada: Page) -> None:
    run = finished_run()
    opened(ada, run)
    plot = ada.locator(".comparison-plot")
    zoom(ada, plot)
    ranges = "plot => plot._fullLayout.xaxis.range"
    zoomed = plot.evaluate(ranges)
    assert 0.5 < zoomed[0] < zoomed[1] < 4.5
    run.journal.append(Step(61, 0.01, 1.0, 0.1, 6.1, 1000.0))
    run.journal.append(Evaluated(61, 3.05, 0.5, 0.6, 0.01, 0.99, 6.1))
    expect(row(ada, run)).to_contain_text("99.0 %")
    assert plot.evaluate(ranges) == zoomed
    plot.locator(".nsewdrag").dblclick(position={"x": 60, "y": 60})
    ada.wait_for_function("document.querySelector('.comparison-plot')._fullLayout.xaxis.range[0] === 0")


def test_smoothing_does_not_cross_a_change_of_the_learning_rate(ada: Page) -> None:
    run = create(TrainConfig(network="mnist-mlp"), preset("mnist-mlp"), learner(ADA))
    with run.journal.recorder() as record:
        record(Started(0.0, 0, 60, EPOCH, "cpu", 1))
        for number in range(1, 61):
            record(Step(number, 0.5 if number <= 30 else 3.0, 0.5, 0.1, number / 10, 1000.0))
            if number == 30:
                record(LearningRate(30, 0.3))
        record(Finished(0.0, 60, 6.0, 0.5, 1000.0))
    opened(ada, run)
    ada.get_by_role("button", name="Loss", exact=True).click()
    ada.get_by_role("button", name="Training", exact=True).click()
    slide(ada, "Smoothing", 1)
    drawn = "document.querySelector('.comparison-plot').data[0].y"
    ada.wait_for_function(f"() => {drawn}.at(-1) > 2.99")
    assert ada.evaluate(drawn) == pytest.approx([0.5] * 30 + [3.0] * 30)


def test_axis_curve_smoothing_and_selection_survive_a_reload(ada: Page) -> None:
    other, run = finished_run(), finished_run()
    labels.relabel(run, note="Two\nlines")
    opened(ada)
    plot = ada.locator(".comparison-plot")
    ada.get_by_role("button", name="Accuracy", exact=True).click()
    ada.get_by_role("button", name="Training", exact=True).click()
    pick(ada, "Horizontal axis", "by step")
    slide(ada, "Smoothing", 0)
    first, colour = (row(ada, each).locator(".comparison-swatch svg").get_attribute("fill") for each in (other, run))
    assert colour != first  # which it would have, were it selected alone
    listed(ada, other).get_by_role("checkbox").uncheck()
    drawn = "plot => plot.data.length === 1 && plot.data[0].x.at(-1) === 60 && Math.abs(plot.data[0].y.at(-1) - 0.6) < 1e-6"
    ada.wait_for_function(f"() => ({drawn})(document.querySelector('.comparison-plot'))")
    ada.reload()
    ada.wait_for_function(f"() => {{ const plot = document.querySelector('.comparison-plot'); return plot?.data && ({drawn})(plot) }}")
    expect(ada.get_by_role("button", name="Accuracy", exact=True)).to_have_attribute("aria-pressed", "true")
    expect(row(ada, run).locator(".comparison-swatch svg")).to_have_attribute("fill", colour or "")
    expect(row(ada, run).locator(".comparison-note")).to_have_text("Two\nlines")
    expect(row(ada, other)).to_have_count(0)
    expect(plot).to_be_visible()
    assert run.path.exists()


def test_a_run_can_be_renamed_and_annotated_in_the_list(ada: Page) -> None:
    run = finished_run()
    opened(ada)
    row(ada, run).get_by_role("button", name="Rename").click()
    field = row(ada, run).get_by_role("textbox")
    field.fill("<img src=x onerror=alert(1)> & <b>mine</b>")
    field.press("Enter")
    expect(row(ada, run).locator(".comparison-name")).to_have_text("<img src=x onerror=alert(1)> & <b>mine</b>")
    ada.wait_for_function("() => document.querySelector('.comparison-plot').data.some(trace => trace.name.includes('&lt;img'))")
    row(ada, run).get_by_role("button", name="Add note").click()
    field = row(ada, run).get_by_role("textbox")
    field.press_sequentially("Two")
    field.press("Shift+Enter")
    field.press_sequentially("lines")
    field.press("Enter")
    expect(row(ada, run).locator(".comparison-note")).to_have_text("Two\nlines")
    ada.wait_for_function("() => !document.querySelector('.comparison textarea')")
    until(lambda: labels.label(run).note == "Two\nlines")
    assert labels.label(run).name == "<img src=x onerror=alert(1)> & <b>mine</b>"
    row(ada, run).locator(".comparison-name").dblclick()
    field = row(ada, run).get_by_role("textbox")
    field.fill("not kept")
    field.press("Escape")
    expect(row(ada, run).locator(".comparison-name")).to_have_text("<img src=x onerror=alert(1)> & <b>mine</b>")


def test_deletion_is_confirmed_once_and_can_be_undone(ada: Page) -> None:
    run, other, deleted = finished_run(), finished_run(), finished_run()
    labels.relabel(run, name="Mine")
    trash.delete(deleted)
    opened(ada)
    ada.get_by_text("Deleted runs: 1").wait_for()
    row(ada, run).get_by_role("button", name="Delete Mine").click()
    ada.get_by_role("button", name="Do not delete Mine").click()
    row(ada, run).get_by_role("button", name="Delete Mine").click()
    ada.get_by_role("button", name="Yes, delete Mine").click()
    expect(row(ada, run)).to_have_count(0)
    ada.get_by_text("“Mine” was deleted.").wait_for()
    assert not run.path.exists()
    ada.get_by_text("Deleted runs: 2").wait_for()
    ada.get_by_role("status").get_by_role("button", name="Undo").click()
    expect(row(ada, run)).to_have_count(1)
    assert run.path.exists()
    ada.get_by_text("Deleted runs: 1").click()
    ada.get_by_role("button", name="Restore").click()
    expect(listed(ada, deleted)).to_have_count(1)
    expect(row(ada, other)).to_have_count(1)


def test_a_run_deleted_elsewhere_is_reported_and_removed(ada: Page) -> None:
    run, other = finished_run(), finished_run()
    opened(ada)
    expect(row(ada, run)).to_have_count(1)
    trash.delete(run)
    ada.get_by_text("no longer exist").wait_for()
    expect(row(ada, run)).to_have_count(0)
    expect(row(ada, other)).to_have_count(1)
    expect(racers(ada)).to_have_count(1)


def test_a_damaged_run_shows_its_error_beside_other_runs(ada: Page) -> None:
    good, bad = finished_run(), finished_run()
    (bad.path / "config.json").write_text("{")
    opened(ada)
    unread = listed(ada, bad)
    expect(unread).to_contain_text("This run cannot be read.")
    expect(unread.get_by_role("checkbox")).to_have_count(0)
    expect(row(ada, good)).to_have_count(1)
    unread.get_by_role("button", name="Delete").click()
    expect(unread).to_have_count(0)


def test_the_list_can_be_filtered_and_sorted(ada: Page) -> None:
    for name, accuracy in {"Beta": 0.7, "alpha": 0.9, "Gamma": 0.8}.items():
        labels.relabel(finished_run(accuracy), name=name)
    opened(ada)
    ada.get_by_role("button", name="Choose none").click()
    names = ada.locator(".comparison-others .comparison-name")
    expect(names).to_have_text(["Gamma", "alpha", "Beta"])
    pick(ada, "Order of the runs", "By name")
    expect(names).to_have_text(["alpha", "Beta", "Gamma"])
    pick(ada, "Order of the runs", "Most accurate first")
    expect(names).to_have_text(["alpha", "Gamma", "Beta"])
    ada.get_by_role("searchbox", name="Filter runs by text").fill("nothing like it")
    expect(names).to_have_count(0)
    ada.get_by_role("searchbox", name="Filter runs by text").fill("ta finished")
    expect(names).to_have_text(["Beta"])
    ada.get_by_role("button", name="Add all").click()
    expect(ada.locator(".comparison-details tbody tr")).to_have_count(1)
    expect(racers(ada)).to_contain_text(["Beta"])


def test_a_run_keeps_its_colour_when_others_are_removed(ada: Page) -> None:
    runs = [finished_run() for _ in range(3)]
    opened(ada)
    drawn = ".comparison-swatch svg"
    before = row(ada, runs[2]).locator(drawn).get_attribute("fill")
    listed(ada, runs[0]).get_by_role("checkbox").uncheck()
    expect(ada.locator(".comparison-details tbody tr")).to_have_count(2)
    assert row(ada, runs[2]).locator(drawn).get_attribute("fill") == before


def test_parallel_axes_select_runs_by_range(ada: Page) -> None:
    finished_run(0.9, seed=1)
    finished_run(0.5, seed=2)
    opened(ada)
    lines = ada.locator(".comparison-path")
    expect(lines).to_have_count(2)
    grip = ada.locator('[data-axis="accuracy"]')
    grip.scroll_into_view_if_needed()
    box = grip.bounding_box()
    assert box is not None
    ada.mouse.move(box["x"] + box["width"] / 2, box["y"] + 2)
    ada.mouse.down()
    ada.mouse.move(box["x"] + box["width"] / 2, box["y"] + 60, steps=5)
    ada.mouse.up()
    opacity = "lines => lines.map(line => Number(line.style.opacity))"
    assert sorted(lines.evaluate_all(opacity)) == [0.08, 1]
    check_accessibility(ada)
    grip.click(position={"x": box["width"] / 2, "y": box["height"] - 10})
    assert lines.evaluate_all(opacity) == [1, 1]


def test_a_run_opens_on_the_train_page_in_the_same_session(ada: Page) -> None:
    run, _ = finished_run(), finished_run()
    opened(ada)
    link = row(ada, run).get_by_role("link", name="Train")
    assert (link.get_attribute("href") or "").endswith(f"/train?run={run.id}")
    ada.evaluate("window.same = true")
    link.click()
    ada.get_by_role("heading", name="Train a network").wait_for()
    assert f"run={run.id}" in ada.url
    assert ada.evaluate("window.same") is True


def test_a_hidden_tab_sends_no_request(page: Page, address: str, runs: None) -> None:
    finished_run()
    page.context.add_cookies([{"name": COOKIE, "value": ADA, "url": address}])
    page.clock.install()
    page.goto(f"{address}/compare")
    page.locator(".comparison-plot .scatterlayer .trace").first.wait_for()
    requests: list[str] = []
    turn = (
        "hidden => { Object.defineProperty(document, 'hidden', { value: hidden, configurable: true }); document.dispatchEvent(new Event('visibilitychange')) }"
    )
    page.evaluate(turn, True)
    page.on("request", lambda request: requests.append(request.url) if "/api/compare/" in request.url else None)
    page.clock.run_for(60_000)
    assert requests == []
    with page.expect_request("**/api/compare/curves**"):
        page.evaluate(turn, False)
    for _ in range(2):
        with page.expect_request("**/api/compare/runs**"):
            page.clock.run_for(10_000)


def test_no_content_is_wider_than_the_screen(ada: Page) -> None:
    finished_run(0.9, seed=1)
    labels.relabel(finished_run(0.8, seed=2, augment={"shift": 2}), name="A name that is as long as a name may be, which is eighty letters altogether, so")
    opened(ada)
    expect(ada.locator(".comparison-details .comparison-unseen").first).to_be_attached()
    for width in (1920, 1280, 390):
        ada.set_viewport_size({"width": width, "height": 844})
        until(lambda: excess_width(ada) == 0)  # a moment after the page, the plot takes its new width
        until(lambda: ada.locator(".comparison").evaluate("box => box.scrollWidth - box.clientWidth") <= 0)
