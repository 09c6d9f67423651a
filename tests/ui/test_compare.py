"""The Compare page as Streamlit runs it: the first race, the form, and links to other pages."""

from __future__ import annotations

import json
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from playground.network.presets import preset
from playground.runs import labels
from playground.runs.run import Run, all_runs, create
from playground.runs.views.comparison import MAX_RUNS, differing
from playground.server.services import services
from playground.training.config import TrainConfig
from playground.training.events import Stopped
from playground.ui.pages.compare import page as compare

from ..support.pages import open_page, switch_page
from ..support.scheduling import IdleScheduler

pytestmark = pytest.mark.usefixtures("idle_scheduler")

CONFIG = TrainConfig(network="mnist-mlp")


def open_compare(app: AppTest) -> AppTest:
    open_page(app, "compare")
    assert not app.error
    return app


def comparison_data(app: AppTest) -> dict[str, Any]:
    """Return the data of the comparison component."""
    (component,) = app.get("bidi_component")
    data: dict[str, Any] = json.loads(component.proto.json)["data"]
    return data


def queued_runs(scheduler: IdleScheduler) -> list[Run]:
    """The runs of the queue, in their order."""
    return [run for job in scheduler._waiting for run in job.runs]


def stopped_run(owner: str = "ada") -> Run:
    run = create(CONFIG, preset("mnist-mlp"), owner)
    run.journal.append(Stopped(0.0, 0))
    return run


def test_without_runs_a_recorded_race_is_shown_and_one_click_starts_it(app: AppTest, idle_scheduler: IdleScheduler) -> None:
    open_compare(app)
    recorded = comparison_data(app)["recorded"]
    assert [(run["name"], run["optimizer"]) for run in recorded] == [("Adam", "adam"), ("SGD", "sgd"), ("RMSprop", "rmsprop")]
    assert all(len(run["x"]) == len(run["y"]) and 0.9 < run["y"][-1] <= 1 for run in recorded)
    app.button(key="first-race").click().run()
    runs = queued_runs(idle_scheduler)
    assert [labels.label(run).name for run in runs] == ["Adam", "SGD", "RMSprop"]
    assert [idle_scheduler.position(run) for run in runs] == [1, 1, 1]  # one job
    assert {run.owner for run in runs} == {"ada"}
    assert comparison_data(app) == {"chosen": [run.id for run in runs], "occasion": f"race {runs[0].id}", "most": MAX_RUNS, "recorded": []}
    assert not [button for button in app.button if button.key == "first-race"]


def test_with_runs_the_comparison_is_shown(app: AppTest) -> None:
    stopped_run()
    open_compare(app)
    assert comparison_data(app) == {"chosen": [], "occasion": "", "most": MAX_RUNS, "recorded": []}
    assert not [button for button in app.button if button.key == "first-race"]


def test_runs_of_another_learner_do_not_count(app: AppTest) -> None:
    stopped_run("bob")
    open_compare(app)
    assert comparison_data(app)["recorded"]


def test_runs_in_the_address_are_selected(app: AppTest) -> None:
    run, other = stopped_run(), stopped_run()
    app.query_params["runs"] = f"{run.id},{other.id}"
    app.run()
    switch_page(app, "compare")
    app.query_params["runs"] = f"{run.id},{other.id}"
    app.run()
    assert comparison_data(app) == {"chosen": [run.id, other.id], "occasion": f"address {run.id},{other.id}", "most": MAX_RUNS, "recorded": []}


def test_the_form_opens_with_a_race_that_can_be_started(app: AppTest) -> None:
    open_compare(app)
    app.button(key="new-race").click().run()
    assert not app.exception
    assert app.selectbox(key="race-dataset").value == "mnist-5k"
    assert app.selectbox(key="race-network-mnist-5k").value == "mnist-cnn"
    assert [caption.value for caption in app.caption if caption.value.startswith("3 runs")] == ["3 runs: Adam; SGD; RMSprop."]
    assert not app.button(key="race-start").disabled


def form() -> None:
    """The form without its frame, which AppTest does not keep open."""
    from playground.ui.pages.compare.race import form

    form()


@pytest.fixture
def race_form(ada: str) -> AppTest:
    services().warm.set()
    app = AppTest.from_function(form, default_timeout=60).run()
    assert not app.exception, app.exception
    return app


def test_a_race_of_learning_rates_has_a_run_for_each(race_form: AppTest, idle_scheduler: IdleScheduler) -> None:
    race_form.segmented_control(key="race-kind").set_value("learning_rate").run()
    race_form.text_input(key="race-rates").set_value("0.1 0.02")
    race_form.selectbox(key="race-optimizer-mnist-5k").set_value("sgd").run()
    race_form.number_input(key="race-seed").set_value(7)
    race_form.number_input(key="race-epochs-mnist-5k").set_value(0.5).run()
    race_form.button(key="race-start").click().run()
    runs = queued_runs(idle_scheduler)
    assert [(run.config.optimizer, run.config.learning_rate, run.config.seed, run.config.epochs) for run in runs] == [
        ("sgd", 0.1, 7, 0.5),
        ("sgd", 0.02, 7, 0.5),
    ]
    assert [column.name for column in differing(runs)] == ["learning_rate"]


def test_each_optimizer_can_have_its_suggested_learning_rate(race_form: AppTest) -> None:
    race_form.checkbox(key="race-suited").check().run()
    race_form.button(key="race-start").click().run()
    assert {run.config.optimizer: run.config.learning_rate for run in all_runs()} == {"adam": 0.003, "sgd": 0.03, "rmsprop": 0.0001}


@pytest.mark.parametrize(
    ("kind", "key", "text", "message"),
    [
        ("learning_rate", "race-rates", "fast", "“fast” is not a learning rate"),
        ("learning_rate", "race-rates", "0.1", "from 2 to 6"),
        ("batch_size", "race-batches", "1.5 16", "“1.5” is not a batch size"),
    ],
)
def test_an_invalid_list_of_values_shows_an_error_before_the_start(race_form: AppTest, kind: str, key: str, text: str, message: str) -> None:
    race_form.segmented_control(key="race-kind").set_value(kind).run()
    race_form.text_input(key=key).set_value(text).run()
    assert message in race_form.error[0].value
    assert race_form.button(key="race-start").disabled


def test_an_invalid_value_shows_an_error_and_starts_no_run(race_form: AppTest) -> None:
    race_form.segmented_control(key="race-kind").set_value("batch_size").run()
    race_form.text_input(key="race-batches").set_value("16, 5000").run()
    race_form.button(key="race-start").click().run()
    assert "A batch of 5,000 is larger" in race_form.error[0].value
    assert all_runs() == []


@pytest.mark.parametrize(("destination", "page"), [("train", "train"), ("nowhere", None), ("../train", None)])
def test_a_run_can_be_opened_on_another_page(monkeypatch: pytest.MonkeyPatch, destination: str, page: str | None) -> None:
    state: dict[str, Any] = {}
    monkeypatch.setattr("playground.ui.pages.compare.page.st.session_state", state)
    compare._go(destination, "20260101-000000-mnist-5k-x-0000")
    assert state == ({} if page is None else {"planned-visit": (page, {"run": "20260101-000000-mnist-5k-x-0000"})})
