"""Races: the settings that vary, and that all others are equal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from playground.errors import ConfigError
from playground.network.presets import preset
from playground.network.spec import LayerSpec, NetworkSpec
from playground.runs.execution.commands import Command, Commands
from playground.runs.execution.worker import execute, race
from playground.runs.history import History
from playground.runs.labels import label
from playground.runs.races import EVALUATIONS, MAX_RUNS, by_batch_size, by_learning_rate, by_optimizer, create_race, first_race, variation_name
from playground.runs.run import Run, all_runs, create
from playground.runs.views.comparison import differing
from playground.training import loop
from playground.training.config import TrainConfig
from playground.training.events import Step
from playground.training.suggestions import suggested

from .small import CONFIG, SMALL, STEPS

SHORT = replace(suggested("mnist-5k"), epochs=0.05)


def test_the_first_race_differs_in_nothing_but_the_optimizer() -> None:
    config, variations = first_race()
    runs = create_race(config, preset(config.network), variations, "ada")
    assert [label(run).name for run in runs] == ["Adam", "SGD", "RMSprop"]
    assert [column.name for column in differing(runs)] == ["optimizer"]
    assert {run.owner for run in runs} == {"ada"}
    races = {created.race for run in runs if (created := History(run).follow().created)}
    assert len(races) == 1 and races != {""}


def test_runs_of_a_race_have_the_same_start_weights_and_first_batch() -> None:
    runs = create_race(SHORT, preset("mnist-cnn"), by_optimizer(SHORT, ["adam", "sgd", "rmsprop"]), "ada")
    firsts = set()
    for run in runs:
        for _ in execute(run):
            pass
        history = History(run).follow()
        firsts.add((history.steps[0].loss, history.steps[0].accuracy))
    assert len(firsts) == 1


def small_race(optimizers: Sequence[str] = ("adam", "sgd", "muon"), config: TrainConfig = CONFIG) -> list[Run]:
    """Runs with batch norm, dropout, shifts and noise, which draw random numbers in every step."""
    return create_race(config, SMALL, by_optimizer(config, optimizers), "ada")


def numbers(run: Run) -> list[tuple[float, ...]]:
    """Everything that a run computed."""
    history = History(run).follow()
    steps = [(step.step, step.loss, step.accuracy) for step in history.steps]
    return [*steps, *((event.step, event.test_loss, event.test_accuracy) for event in history.evaluations)]


def numbers_alone(run: Run) -> list[tuple[float, ...]]:
    """Everything that a new run with the same settings computes without others."""
    alone = create(run.config, run.network)
    for _ in execute(alone):
        pass
    return numbers(alone)


def test_racers_take_turns_step_by_step() -> None:
    runs = small_race()
    steps = [(run, event.step) for run, event in race(runs) if isinstance(event, Step)]
    assert steps == [(run, step) for step in range(1, STEPS + 1) for run in runs]


def test_each_racer_computes_what_it_computes_alone() -> None:
    runs = small_race()
    for _ in race(runs):
        pass
    for run in runs:
        assert numbers(run) == numbers_alone(run)
        assert History(run).follow().state == "finished"


def test_racers_with_other_batch_sizes_reach_the_same_share_of_their_steps_together() -> None:
    runs = create_race(CONFIG, SMALL, [{"batch_size": 100}, {"batch_size": 1000}], "ada")
    taken, most = dict.fromkeys(runs, 0.0), 0.0
    for run, event in race(runs):
        if isinstance(event, Step):
            taken[run] = event.step / History(run).follow().total_steps
            most = max(most, abs(taken[runs[0]] - taken[runs[1]]))
    assert list(taken.values()) == [1.0, 1.0]
    assert most <= 1 / 12  # a step of the larger batches


class ScriptedCommands(Commands):
    """Commands that a test sends between two events."""

    def send(self, run: Run, *commands: Command) -> None:
        self._received[run.id].extend(commands)


def test_one_racer_can_be_paused_or_stopped_while_the_others_train(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "FLUSH_SECONDS", -1.0)  # commands are read after every step
    paused, stopped, other = runs = small_race()
    commands = ScriptedCommands()
    order: list[Run] = []
    for run, event in race(runs, commands):
        if not isinstance(event, Step):
            continue
        order.append(run)
        if (run, event.step) == (other, 5):
            commands.send(paused, Command("pause"))
            commands.send(stopped, Command("stop"))
        if (run, event.step) == (other, 20):
            assert [History(each).follow().state for each in runs] == ["paused", "stopped", "running"]
            commands.send(paused, Command("resume"))
    assert order[15] == paused  # the step before the pause
    assert order[16:31] == [other] * 15
    assert order[31:45] == [paused] * 14  # what was behind has caught up
    assert [(History(run).follow().state, History(run).step) for run in (paused, other)] == [("finished", 0), ("finished", 0)]
    assert numbers(paused) == numbers_alone(paused)
    checkpoint = stopped.checkpoints.load()
    assert checkpoint is not None and checkpoint["step"] == 5
    for _ in execute(stopped):
        pass
    assert numbers(stopped) == numbers_alone(stopped)


def test_a_racer_that_diverges_leaves_the_others_to_train() -> None:
    steep = NetworkSpec("steep", (1, 28, 28), (LayerSpec("Flatten"), *(LayerSpec("Linear", {"out_features": size}) for size in (32, 32, 10))))
    config = TrainConfig(network="steep", epochs=0.5, optimizer="sgd", schedule="constant", device="cpu")
    runs = create_race(config, steep, [{"learning_rate": 100.0}, {"learning_rate": 0.01}], "ada")
    for _ in race(runs):
        pass
    assert [History(run).follow().state for run in runs] == ["failed", "finished"]
    assert numbers(runs[1]) == numbers_alone(runs[1])


def test_each_optimizer_may_have_its_usual_learning_rate() -> None:
    config = suggested("mnist-5k")
    variations = by_optimizer(config, ["sgd", "adam"], usual=True)
    assert variations == [{"optimizer": "sgd", "learning_rate": 0.03}, {"optimizer": "adam", "learning_rate": 0.003}]
    assert variation_name(variations[0]) == "SGD, learning rate 0.03"


@pytest.mark.parametrize("text", ["0.1, 0.01 0.001", "0.1;0.01;0.001", " 1e-1\n1e-2,,1e-3 ", "0.1 0.01 0.001 0.10"])
def test_numbers_are_parsed_with_any_separator(text: str) -> None:
    assert [variation["learning_rate"] for variation in by_learning_rate(text)] == [0.1, 0.01, 0.001]


def test_batch_sizes_are_whole_numbers_and_in_the_names() -> None:
    variations = by_batch_size("16, 256")
    assert variations == [{"batch_size": 16}, {"batch_size": 256}]
    assert [variation_name(variation) for variation in variations] == ["batch size 16", "batch size 256"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "“” is not a learning rate"),
        ("fast, 0.1", r"“fast” is not a learning rate, such as 0\.01"),
        ("0.1", f"from 2 to {MAX_RUNS} learning rates, not 1"),
        ("1 2 3 4 5 6 7", "not 7"),
    ],
)
def test_a_text_that_is_no_list_of_numbers_is_refused(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        by_learning_rate(text)


def test_a_fractional_batch_size_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"“0\.5” is not a batch size, such as 64"):
        by_batch_size("0.5, 16")


@pytest.mark.parametrize("variations", [[{"learning_rate": 0.1}, {"learning_rate": -1.0}], [{"batch_size": 16}, {"batch_size": 5000}]], ids=["rate", "batch"])
def test_no_run_is_created_if_one_run_is_invalid(variations: list[dict[str, float]]) -> None:
    with pytest.raises(ConfigError):
        create_race(SHORT, preset("mnist-cnn"), variations, "ada")
    assert all_runs() == []


@pytest.mark.parametrize(("epochs", "most"), [(3.0, EVALUATIONS), (1.0, 4), (40.0, 40)])
def test_a_short_race_is_evaluated_often_and_a_long_one_once_an_epoch(epochs: float, most: int) -> None:
    (run, _) = create_race(replace(SHORT, epochs=epochs), preset("mnist-cnn"), by_learning_rate("0.1 0.01"), "")
    config: TrainConfig = run.config
    steps_per_epoch = 63
    total = round(epochs * steps_per_epoch)
    times = total // config.evaluate_every if config.evaluate_every else epochs
    assert times == pytest.approx(most, abs=1)


def test_a_race_of_batch_sizes_is_evaluated_once_an_epoch() -> None:
    runs = create_race(replace(SHORT, epochs=3.0), preset("mnist-cnn"), by_batch_size("16 64"), "")
    assert [column.name for column in differing(runs)] == ["batch_size"]
