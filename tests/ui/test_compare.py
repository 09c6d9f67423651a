"""The Compare page as Streamlit runs it: the first race, the form, and the ways to other pages."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from playground.environment import ROOT
from playground.network.presets import preset
from playground.runs import labels, races, trash
from playground.runs.execution.scheduler import Scheduler
from playground.runs.run import Run, all_runs, create
from playground.runs.views.comparison import MAX_RUNS, differing
from playground.server.services import services
from playground.training.config import TrainConfig
from playground.training.events import Stopped
from playground.ui.pages.compare import page as compare

CONFIG = TrainConfig(network="mnist-mlp")


class Waiting(Scheduler):
    """A scheduler that hands nothing out: what is submitted waits."""

    def _hand_out(self) -> None:
        pass


@pytest.fixture
def scheduler(monkeypatch: pytest.MonkeyPatch) -> Iterator[Waiting]:
    scheduler = Waiting(workers=1)
    monkeypatch.setattr(services(), "scheduler", scheduler)
    yield scheduler
    scheduler.close()


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch, scheduler: Waiting) -> AppTest:
    monkeypatch.setattr("playground.ui.shared.visitor.current_learner", lambda: "ada")  # AppTest has no cookies
    services().warm.set()
    return AppTest.from_file(str(ROOT / "playground" / "ui" / "shell" / "app.py"), default_timeout=60)


def opened(app: AppTest) -> AppTest:
    app.run()
    app.switch_page(str(ROOT / "pages" / "compare.py")).run()
    assert not app.exception, app.exception
    assert not app.error
    return app


def shown(app: AppTest) -> dict[str, Any] | None:
    """What the comparison was given; None where there is none."""
    found = app.get("bidi_component")
    return json.loads(found[0].proto.json) if found else None


def stopped(owner: str = "ada") -> Run:
    run = create(CONFIG, preset("mnist-mlp"), owner)
    run.journal.append(Stopped(0.0, 0))
    return run


def test_without_runs_a_race_is_offered_and_one_click_starts_it(app: AppTest, scheduler: Waiting) -> None:
    opened(app)
    assert shown(app) is None
    app.button(key="first-race").click().run()
    runs = sorted(all_runs(), key=scheduler.position)
    assert [labels.label(run).name for run in runs] == ["Adam", "SGD", "RMSprop"]
    assert [scheduler.position(run) for run in runs] == [1, 2, 3]
    assert {run.owner for run in runs} == {"ada"}
    assert shown(app) == {"chosen": [run.id for run in runs], "occasion": f"race {runs[0].id}", "most": MAX_RUNS}
    assert not [button for button in app.button if button.key == "first-race"]


def test_the_recorded_race_is_the_one_that_is_offered() -> None:
    _, variations = races.first_race()
    curves = json.loads(compare.RECORDED.read_text())
    assert list(curves) == [races.variation_name(variation) for variation in variations]
    assert all(len(curve["x"]) == len(curve["y"]) and 0.9 < curve["y"][-1] <= 1 for curve in curves.values())


def test_with_runs_the_comparison_is_shown(app: AppTest) -> None:
    stopped()
    opened(app)
    assert shown(app) == {"chosen": [], "occasion": "", "most": MAX_RUNS}
    assert not [button for button in app.button if button.key == "first-race"]


def test_someone_elses_runs_are_no_runs(app: AppTest) -> None:
    stopped("bob")
    opened(app)
    assert shown(app) is None


def test_where_all_were_deleted_they_can_be_had_back(app: AppTest) -> None:
    trash.delete(stopped())
    trash.delete(stopped("bob"))
    opened(app)
    assert [button for button in app.button if button.key == "first-race"]
    assert shown(app) is not None


def test_runs_in_the_address_are_chosen(app: AppTest) -> None:
    run, other = stopped(), stopped()
    app.query_params["runs"] = f"{run.id},{other.id}"
    app.run()
    app.switch_page(str(ROOT / "pages" / "compare.py"))
    app.query_params["runs"] = f"{run.id},{other.id}"
    app.run()
    assert shown(app) == {"chosen": [run.id, other.id], "occasion": f"address {run.id},{other.id}", "most": MAX_RUNS}


def test_the_form_opens_with_something_to_start(app: AppTest) -> None:
    opened(app)
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
def race(monkeypatch: pytest.MonkeyPatch, scheduler: Waiting) -> AppTest:
    monkeypatch.setattr("playground.ui.shared.visitor.current_learner", lambda: "ada")
    services().warm.set()
    app = AppTest.from_function(form, default_timeout=60).run()
    assert not app.exception, app.exception
    return app


def test_a_race_of_learning_rates(race: AppTest, scheduler: Waiting) -> None:
    race.segmented_control(key="race-kind").set_value("learning_rate").run()
    race.text_input(key="race-rates").set_value("0.1 0.02")
    race.selectbox(key="race-optimizer-mnist-5k").set_value("sgd").run()
    race.number_input(key="race-seed").set_value(7)
    race.number_input(key="race-epochs-mnist-5k").set_value(0.5).run()
    race.button(key="race-start").click().run()
    runs = sorted(all_runs(), key=scheduler.position)
    assert [(run.config.optimizer, run.config.learning_rate, run.config.seed, run.config.epochs) for run in runs] == [
        ("sgd", 0.1, 7, 0.5),
        ("sgd", 0.02, 7, 0.5),
    ]
    assert [column.name for column in differing(runs)] == ["learning_rate"]


def test_each_optimizer_may_have_the_rate_that_suits_it(race: AppTest) -> None:
    race.checkbox(key="race-suited").check().run()
    race.button(key="race-start").click().run()
    assert {run.config.optimizer: run.config.learning_rate for run in all_runs()} == {"adam": 0.003, "sgd": 0.03, "rmsprop": 0.0001}


@pytest.mark.parametrize(
    ("kind", "key", "text", "told"),
    [
        ("learning_rate", "race-rates", "fast", "“fast” is not a learning rate"),
        ("learning_rate", "race-rates", "0.1", "from 2 to 6"),
        ("batch_size", "race-batches", "1.5 16", "“1.5” is not a batch size"),
    ],
)
def test_a_list_that_is_none_is_told_before_the_start(race: AppTest, kind: str, key: str, text: str, told: str) -> None:
    race.segmented_control(key="race-kind").set_value(kind).run()
    race.text_input(key=key).set_value(text).run()
    assert told in race.error[0].value
    assert race.button(key="race-start").disabled


def test_a_value_that_cannot_work_is_told_and_nothing_is_started(race: AppTest) -> None:
    race.segmented_control(key="race-kind").set_value("batch_size").run()
    race.text_input(key="race-batches").set_value("16, 5000").run()
    race.button(key="race-start").click().run()
    assert "A batch of 5,000 is larger" in race.error[0].value
    assert all_runs() == []


@pytest.mark.parametrize(("where", "page"), [("train", "train"), ("nowhere", None), ("../train", None)])
def test_a_run_is_taken_to_another_page(monkeypatch: pytest.MonkeyPatch, where: str, page: str | None) -> None:
    state: dict[str, Any] = {}
    monkeypatch.setattr("playground.ui.pages.compare.page.st.session_state", state)
    compare._go(where, "20260101-000000-mnist-5k-x-0000")
    assert state == ({} if page is None else {"planned-visit": (page, {"run": "20260101-000000-mnist-5k-x-0000"})})
