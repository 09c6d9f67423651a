"""A fork goes on from its parent's past to the last bit; races share their start and their batches."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from playground.errors import CheckpointError, ConfigError
from playground.runs.branching import fork, race
from playground.runs.execution.commands import Command
from playground.runs.execution.worker import Commands, execute
from playground.runs.history import History
from playground.runs.run import Run, all_runs, create
from playground.training import loop
from playground.training.config import TrainConfig
from playground.training.events import Created, LearningRate, OptimizerChanged, Step
from playground.training.optimizers import OPTIMIZERS

from .small import CONFIG, SMALL


@pytest.fixture(autouse=True)
def states_are_kept_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind every evaluation: each fifth step. And commands are obeyed behind every step."""
    monkeypatch.setattr(loop, "EVALUATED_SECONDS", -1.0)
    monkeypatch.setattr(loop, "FLUSH_SECONDS", -1.0)


def trained(run: Run, commands: Mapping[int, Command] | None = None) -> Run:
    """The run, trained to its end; commands come behind the steps at which they are given."""
    waiting = Waiting(commands or {})
    for event in execute(run, waiting):
        waiting.step = event.step if isinstance(event, Step) else waiting.step
    return run


class Waiting(Commands):
    """Commands that come at certain steps."""

    def __init__(self, commands: Mapping[int, Command]) -> None:
        super().__init__(None)
        self.step = 0
        self._commands = dict(commands)

    def take(self, *, wait: bool) -> Command | None:
        assert not wait
        return self._commands.pop(self.step, None)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs that were trained already, by their settings, so that each is trained once."""
    return tmp_path_factory.mktemp("shelf")


Parent = Callable[..., Run]


@pytest.fixture
def parent(shelf: Path) -> Parent:
    """A trained run with these settings, in this test's own folder."""

    def make(config: TrainConfig = CONFIG) -> Run:
        kept = shelf / hashlib.sha256(repr(config).encode()).hexdigest()
        if not kept.exists():
            shutil.move(trained(create(config, SMALL, owner="ada")).path, kept)
        run = create(config, SMALL, owner="ada")
        shutil.copytree(kept, run.path, dirs_exist_ok=True)
        return run

    return make


def taken(run: Run) -> list[tuple[int, float, float, float]]:
    return [(event.step, event.loss, event.accuracy, event.learning_rate) for event in History(run).follow().steps]


def tried(run: Run) -> list[Any]:
    return [replace(event, seconds=0.0) for event in History(run).follow().evaluations]


@pytest.mark.parametrize("optimizer", [kind.name for kind in OPTIMIZERS if not kind.full_batch])
@pytest.mark.parametrize("at", [5, 10, 25])
def test_a_fork_without_changes_is_its_parent_to_the_last_bit(at: int, optimizer: str, parent: Parent) -> None:
    run = parent(replace(CONFIG, optimizer=optimizer, learning_rate=0.003))
    assert run.checkpoints.steps() == [5, 10, 15, 20, 25, 30]
    made = fork(run, at, {}, "bob")
    assert (taken(made), tried(made)) == (taken(run)[:at], [event for event in tried(run) if event.step <= at])
    trained(made)
    assert (taken(made), tried(made)) == (taken(run), tried(run))
    assert made.journal.snapshots()[0] == run.journal.snapshots()[0]


def test_a_fork_belongs_to_whoever_made_it_and_waits_for_a_worker(parent: Parent) -> None:
    run = parent()
    made = fork(run, 10, {"learning_rate": 0.5}, "bob")
    history = History(made).follow()
    assert (made.owner, run.owner, history.state) == ("bob", "ada", "queued")
    assert isinstance(history.created, Created) and (history.created.parent, history.created.parent_step) == (run.id, 10)
    assert made.config == replace(CONFIG, learning_rate=0.5) and made.network == SMALL
    assert History(run).follow().state == "finished"


CHANGES: dict[str, Mapping[str, Any]] = {
    "rate": {"learning_rate": 0.0005},
    "optimizer": {"optimizer": "rmsprop", "learning_rate": 0.002},
    "schedule": {"schedule": "cosine"},
    "epochs": {"epochs": 4},
    "betas": {"betas": (0.5, 0.9)},
    "weight decay": {"weight_decay": 0.5},
    "label smoothing": {"label_smoothing": 0.3},
    "augmentation": {"augment": {"shift": 0, "noise": 0.3}},
}


@pytest.mark.parametrize("changes", CHANGES.values(), ids=list(CHANGES))
def test_a_fork_with_changes_has_the_same_past_and_another_future(changes: Mapping[str, Any], parent: Parent) -> None:
    run = parent()
    made = trained(fork(run, 10, changes, "bob"))
    mine, theirs = taken(made), taken(run)
    assert mine[:10] == theirs[:10]
    assert [event for event in tried(made) if event.step <= 10] == tried(run)[:2]
    assert mine[10:] != theirs[10:30] and len(mine) == 10 * made.config.epochs
    assert all(one[1] != other[1] for one, other in zip(mine[12:], theirs[12:], strict=False))


@pytest.mark.parametrize("schedule", ["constant", "one-cycle", "cosine"])
def test_a_new_learning_rate_is_the_peak_that_the_schedule_scales(schedule: str, parent: Parent) -> None:
    run = parent(replace(CONFIG, schedule=schedule))
    made = trained(fork(run, 15, {"learning_rate": CONFIG.learning_rate / 4}, "bob"))
    assert [row[3] for row in taken(made)[15:]] == pytest.approx([row[3] / 4 for row in taken(run)[15:]], rel=1e-6)


def test_new_settings_of_an_optimizer_hold_and_its_memory_stays(parent: Parent) -> None:
    """Against plain PyTorch's own way: `load_state_dict`, then the new value in `param_groups`."""
    run = parent(replace(CONFIG, optimizer="sgd", momentum=0.9, schedule="constant"))
    made = trained(fork(run, 10, {"momentum": 0.1}, "bob"))
    training = loop.Training(SMALL, run.config)
    state = run.checkpoints.load(10)
    assert state is not None
    training.restore(state)
    for group in training.optimizer.param_groups:
        group["momentum"] = 0.1
    expected = [event.loss for event in training.events() if isinstance(event, Step)]
    assert [row[1] for row in taken(made)[10:]] == expected


def test_forks_of_forks_are_the_whole_run(parent: Parent) -> None:
    run = parent()
    second = trained(fork(run, 10, {"learning_rate": 0.001}, "bob"))
    third = trained(fork(second, 20, {}, "eve"))
    assert (taken(third), tried(third)) == (taken(second), tried(second))
    back = trained(fork(second, 20, {"learning_rate": CONFIG.learning_rate}, "eve"))
    assert taken(back)[:20] == taken(second)[:20]
    created = History(back).follow().created
    assert created is not None and (created.parent, created.parent_step) == (second.id, 20)


def test_a_fork_of_the_past_that_a_fork_shares_is_possible_only_where_it_kept_a_state(parent: Parent) -> None:
    run = parent()
    made = fork(run, 10, {}, "bob")
    assert made.checkpoints.steps() == [10]
    with pytest.raises(CheckpointError, match="step 5"):
        fork(made, 5, {}, "bob")


def test_a_fork_outlives_its_parent(parent: Parent) -> None:
    run = parent()
    expected = taken(run), tried(run)
    made = fork(run, 15, {}, "bob")
    shutil.rmtree(run.path)
    trained(made)
    assert (taken(made), tried(made)) == expected
    assert made.checkpoints.load(15) is not None


def test_what_was_changed_by_hand_before_is_part_of_the_past_and_goes_on(parent: Parent) -> None:
    steered = {7: Command("learning-rate", 0.02), 12: Command("optimizer", "sgd")}
    run = trained(create(CONFIG, SMALL, owner="ada"), steered)
    made = trained(fork(run, 15, {}, "bob"))
    assert (taken(made), tried(made)) == (taken(run), tried(run))
    assert History(made).follow().changes == [LearningRate(7, 0.02), OptimizerChanged(12, "sgd")]
    before = trained(fork(run, 5, {}, "bob"))
    assert taken(before) == taken(parent())
    assert History(before).follow().changes == []


@pytest.mark.parametrize("name", ["seed", "batch_size", "dataset", "network", "inputs", "initialisation", "whiten"])
def test_what_the_past_was_learnt_with_cannot_be_changed(name: str, parent: Parent) -> None:
    run = parent()
    value = {"seed": 8, "batch_size": 200, "dataset": "shapes", "network": "other", "inputs": "0-1", "initialisation": "kaiming", "whiten": True}[name]
    with pytest.raises(ConfigError, match=f"“{name}”"):
        fork(run, 10, {name: value}, "bob")
    assert all_runs() == [run]


@pytest.mark.parametrize(
    ("step", "changes", "told"),
    [
        pytest.param(30, {}, "epochs are done", id="nothing-left"),
        pytest.param(15, {"epochs": 1}, "epochs are done", id="fewer-epochs"),
        pytest.param(15, {"learning_rate": -1.0}, "above 0", id="rate"),
        pytest.param(15, {"optimizer": "magic"}, "magic", id="optimizer"),
        pytest.param(15, {"surprise": 1}, "surprise", id="unknown"),
    ],
)
def test_a_fork_that_cannot_learn_is_refused_and_leaves_nothing(step: int, changes: Mapping[str, Any], told: str, parent: Parent) -> None:
    run = parent()
    with pytest.raises(ConfigError, match=told):
        fork(run, step, changes, "bob")
    assert all_runs() == [run]


@pytest.mark.parametrize("damage", ["missing", "torn"])
def test_a_fork_of_a_state_that_cannot_be_read_is_refused_and_leaves_nothing(damage: str, parent: Parent) -> None:
    run = parent()
    path = run.checkpoints.path_at(10)
    whole = path.read_bytes()
    path.unlink()
    if damage == "torn":
        path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CheckpointError):
        fork(run, 10, {}, "bob")
    assert all_runs() == [run]


def test_a_fork_changes_nothing_of_its_parent(parent: Parent) -> None:
    run = parent()
    files = {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()}
    trained(fork(run, 10, {"optimizer": "sgd", "learning_rate": 0.1}, "bob"))
    assert {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()} == files


def test_a_finished_run_is_forked_to_learn_on(parent: Parent) -> None:
    """The same steps as those of a run that was asked for so many epochs at once, where the rate is constant."""
    run = parent(replace(CONFIG, schedule="constant"))
    made = trained(fork(run, 30, {"epochs": 4}, "bob"))
    assert taken(made) == taken(parent(replace(CONFIG, schedule="constant", epochs=4)))


def test_racers_share_start_batches_and_a_name() -> None:
    variations = [{"optimizer": "adam"}, {"optimizer": "sgd"}, {"optimizer": "adam", "learning_rate": 0.001}]
    runs = race(CONFIG, SMALL, variations, "ada")
    created = [History(run).follow().created for run in runs]
    assert len({each.race for each in created if each}) == 1 and all(each and each.race for each in created)
    assert [run.config for run in runs] == [replace(CONFIG, **variation) for variation in variations]  # type: ignore[arg-type]
    first = [taken(trained(run))[0] for run in runs]
    assert len({(step, loss, accuracy) for step, loss, accuracy, _ in first}) == 1
    other = race(CONFIG, SMALL, variations[:1], "ada")
    assert History(other[0]).follow().created != created[0]


def test_where_one_racer_cannot_run_none_is_made() -> None:
    with pytest.raises(ConfigError):
        race(CONFIG, SMALL, [{"optimizer": "adam"}, {"optimizer": "magic"}], "ada")
    assert all_runs() == []
