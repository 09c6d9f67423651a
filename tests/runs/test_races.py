"""Races: which settings are tried out, and that the runs have all else in common."""

from __future__ import annotations

from dataclasses import replace

import pytest

from playground.errors import ConfigError
from playground.network.presets import preset
from playground.runs.execution.worker import execute
from playground.runs.history import History
from playground.runs.labels import label
from playground.runs.races import EVALUATIONS, MAX_RUNS, by_batch_size, by_learning_rate, by_optimizer, create_race, first_race, variation_name
from playground.runs.run import all_runs
from playground.runs.views.comparison import differing
from playground.training.config import TrainConfig
from playground.training.suggestions import suggested

SHORT = replace(suggested("mnist-5k"), epochs=0.05)


def test_the_first_race_differs_in_nothing_but_the_optimizer() -> None:
    config, variations = first_race()
    runs = create_race(config, preset(config.network), variations, "ada")
    assert [label(run).name for run in runs] == ["Adam", "SGD", "RMSprop"]
    assert [column.name for column in differing(runs)] == ["optimizer"]
    assert {run.owner for run in runs} == {"ada"}
    races = {created.race for run in runs if (created := History(run).follow().created)}
    assert len(races) == 1 and races != {""}


def test_racers_start_from_the_same_weights_and_see_the_same_first_batch() -> None:
    runs = create_race(SHORT, preset("mnist-cnn"), by_optimizer(SHORT, ["adam", "sgd", "rmsprop"]), "ada")
    firsts = set()
    for run in runs:
        for _ in execute(run):
            pass
        history = History(run).follow()
        firsts.add((history.steps[0].loss, history.steps[0].accuracy))
    assert len(firsts) == 1


def test_each_optimizer_may_have_its_usual_learning_rate() -> None:
    config = suggested("mnist-5k")
    variations = by_optimizer(config, ["sgd", "adam"], usual=True)
    assert variations == [{"optimizer": "sgd", "learning_rate": 0.03}, {"optimizer": "adam", "learning_rate": 0.003}]
    assert variation_name(variations[0]) == "SGD, learning rate 0.03"


@pytest.mark.parametrize("text", ["0.1, 0.01 0.001", "0.1;0.01;0.001", " 1e-1\n1e-2,,1e-3 ", "0.1 0.01 0.001 0.10"])
def test_numbers_may_be_separated_as_one_likes(text: str) -> None:
    assert [variation["learning_rate"] for variation in by_learning_rate(text)] == [0.1, 0.01, 0.001]


def test_batch_sizes_are_whole_and_named() -> None:
    variations = by_batch_size("16, 256")
    assert variations == [{"batch_size": 16}, {"batch_size": 256}]
    assert [variation_name(variation) for variation in variations] == ["batch size 16", "batch size 256"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "“” is not a learning rate"),
        ("fast, 0.1", r"“fast” is not a learning rate, such as 0\.01"),
        ("0.1", f"from 2 to {MAX_RUNS} learning rates, not 1"),
        ("1 2 3 4 5 6 7", "not 7"),
    ],
)
def test_a_text_that_is_no_list_of_numbers_is_told(text: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        by_learning_rate(text)


def test_a_batch_size_with_a_point_is_told() -> None:
    with pytest.raises(ConfigError, match=r"“0\.5” is not a batch size, such as 64"):
        by_batch_size("0.5, 16")


@pytest.mark.parametrize("variations", [[{"learning_rate": 0.1}, {"learning_rate": -1.0}], [{"batch_size": 16}, {"batch_size": 5000}]], ids=["rate", "batch"])
def test_where_one_cannot_work_none_is_made(variations: list[dict[str, float]]) -> None:
    with pytest.raises(ConfigError):
        create_race(SHORT, preset("mnist-cnn"), variations, "ada")
    assert all_runs() == []


@pytest.mark.parametrize(("epochs", "most"), [(3.0, EVALUATIONS), (1.0, 4), (40.0, 40)])
def test_a_short_race_is_ranked_often_and_a_long_one_once_an_epoch(epochs: float, most: int) -> None:
    (run, _) = create_race(replace(SHORT, epochs=epochs), preset("mnist-cnn"), by_learning_rate("0.1 0.01"), "")
    config: TrainConfig = run.config
    steps_per_epoch = 63
    total = round(epochs * steps_per_epoch)
    times = total // config.evaluate_every if config.evaluate_every else epochs
    assert times == pytest.approx(most, abs=1)


def test_racing_batch_sizes_are_tried_once_an_epoch_so_that_nothing_else_differs() -> None:
    runs = create_race(replace(SHORT, epochs=3.0), preset("mnist-cnn"), by_batch_size("16 64"), "")
    assert [column.name for column in differing(runs)] == ["batch_size"]
