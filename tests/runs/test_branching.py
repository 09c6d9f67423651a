"""A fork continues its parent's training to the last bit; runs of a race share start weights and batches."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from playground.errors import CheckpointError, ConfigError
from playground.runs.branching import fork, race
from playground.runs.execution.commands import Command, Commands
from playground.runs.execution.worker import execute
from playground.runs.history import History
from playground.runs.run import Run, all_runs, create
from playground.training import loop
from playground.training.config import TrainConfig
from playground.training.events import Created, LearningRate, OptimizerChanged, Step
from playground.training.optimizers import OPTIMIZERS

from .small import CONFIG, SMALL


@pytest.fixture(autouse=True)
def frequent_checkpoints(monkeypatch: pytest.MonkeyPatch) -> None:
    """Save a checkpoint after every evaluation, each fifth step; read commands after every step."""
    monkeypatch.setattr(loop, "EVALUATED_SECONDS", -1.0)
    monkeypatch.setattr(loop, "FLUSH_SECONDS", -1.0)


def train(run: Run, commands: Mapping[int, Command] | None = None) -> Run:
    """Train the run to its end, with commands after certain steps."""
    commands_at = TimedCommands(commands or {})
    for event in execute(run, commands_at):
        commands_at.step = event.step if isinstance(event, Step) else commands_at.step
    return run


class TimedCommands(Commands):
    """Commands that arrive after certain steps."""

    def __init__(self, commands: Mapping[int, Command]) -> None:
        super().__init__()
        self.step = 0
        self._commands = dict(commands)

    def take(self, _run: Run) -> Command | None:
        return self._commands.pop(self.step, None)


@pytest.fixture(scope="module")
def trained_runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of trained runs by settings, so that each is trained once."""
    return tmp_path_factory.mktemp("shelf")


Parent = Callable[..., Run]


@pytest.fixture
def parent(trained_runs: Path) -> Parent:
    """Return a function that returns a trained run with these settings, in the folder of this test."""

    def make(config: TrainConfig = CONFIG) -> Run:
        kept = trained_runs / hashlib.sha256(repr(config).encode()).hexdigest()
        if not kept.exists():
            shutil.move(train(create(config, SMALL, owner="ada")).path, kept)
        run = create(config, SMALL, owner="ada")
        shutil.copytree(kept, run.path, dirs_exist_ok=True)
        return run

    return make


def steps_of(run: Run) -> list[tuple[int, float, float, float]]:
    return [(event.step, event.loss, event.accuracy, event.learning_rate) for event in History(run).follow().steps]


def evaluations_of(run: Run) -> list[Any]:
    return [replace(event, seconds=0.0) for event in History(run).follow().evaluations]


def repeats(at: int, optimizer: str) -> bool:
    """Whether the quick tier has this step and this optimizer in other cases."""
    return at != 10 and optimizer != CONFIG.optimizer


FORKS = product([5, 10, 25], [kind.name for kind in OPTIMIZERS if not kind.full_batch])


@pytest.mark.parametrize(("at", "optimizer"), [pytest.param(*pair, marks=[pytest.mark.slow] if repeats(*pair) else []) for pair in FORKS])
def test_a_fork_without_changes_equals_its_parent_to_the_last_bit(at: int, optimizer: str, parent: Parent) -> None:
    run = parent(replace(CONFIG, optimizer=optimizer, learning_rate=0.003))
    assert run.checkpoints.steps() == [5, 10, 15, 20, 25, 30]
    forked = fork(run, at, {}, "bob")
    assert (steps_of(forked), evaluations_of(forked)) == (steps_of(run)[:at], [event for event in evaluations_of(run) if event.step <= at])
    train(forked)
    assert (steps_of(forked), evaluations_of(forked)) == (steps_of(run), evaluations_of(run))
    assert forked.journal.snapshots()[0] == run.journal.snapshots()[0]


def test_a_fork_belongs_to_its_creator_and_waits_for_a_worker(parent: Parent) -> None:
    run = parent()
    forked = fork(run, 10, {"learning_rate": 0.5}, "bob")
    history = History(forked).follow()
    assert (forked.owner, run.owner, history.state) == ("bob", "ada", "queued")
    assert isinstance(history.created, Created) and (history.created.parent, history.created.parent_step) == (run.id, 10)
    assert forked.config == replace(CONFIG, learning_rate=0.5) and forked.network == SMALL
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
def test_a_fork_with_changes_has_equal_steps_before_and_different_steps_after_the_fork(changes: Mapping[str, Any], parent: Parent) -> None:
    run = parent()
    forked = train(fork(run, 10, changes, "bob"))
    mine, theirs = steps_of(forked), steps_of(run)
    assert mine[:10] == theirs[:10]
    assert [event for event in evaluations_of(forked) if event.step <= 10] == evaluations_of(run)[:2]
    assert mine[10:] != theirs[10:30] and len(mine) == 10 * forked.config.epochs
    assert all(first[1] != other[1] for first, other in zip(mine[12:], theirs[12:], strict=False))


@pytest.mark.parametrize("schedule", ["constant", "one-cycle", "cosine"])
def test_a_new_learning_rate_is_the_peak_that_the_schedule_scales(schedule: str, parent: Parent) -> None:
    run = parent(replace(CONFIG, schedule=schedule))
    forked = train(fork(run, 15, {"learning_rate": CONFIG.learning_rate / 4}, "bob"))
    assert [row[3] for row in steps_of(forked)[15:]] == pytest.approx([row[3] / 4 for row in steps_of(run)[15:]], rel=1e-6)


def test_new_optimizer_settings_apply_and_the_optimizer_state_stays(parent: Parent) -> None:
    """As in plain PyTorch: `load_state_dict`, then the new value in `param_groups`."""
    run = parent(replace(CONFIG, optimizer="sgd", momentum=0.9, schedule="constant"))
    forked = train(fork(run, 10, {"momentum": 0.1}, "bob"))
    training = loop.Training(SMALL, run.config)
    state = run.checkpoints.load(10)
    assert state is not None
    training.restore(state)
    for group in training.optimizer.param_groups:
        group["momentum"] = 0.1
    expected = [event.loss for event in training.events() if isinstance(event, Step)]
    assert [row[1] for row in steps_of(forked)[10:]] == expected


def test_forks_of_forks_equal_the_uninterrupted_run(parent: Parent) -> None:
    run = parent()
    second = train(fork(run, 10, {"learning_rate": 0.001}, "bob"))
    third = train(fork(second, 20, {}, "eve"))
    assert (steps_of(third), evaluations_of(third)) == (steps_of(second), evaluations_of(second))
    back = train(fork(second, 20, {"learning_rate": CONFIG.learning_rate}, "eve"))
    assert steps_of(back)[:20] == steps_of(second)[:20]
    created = History(back).follow().created
    assert created is not None and (created.parent, created.parent_step) == (second.id, 20)


def test_a_fork_can_be_forked_only_at_its_checkpoints(parent: Parent) -> None:
    run = parent()
    forked = fork(run, 10, {}, "bob")
    assert forked.checkpoints.steps() == [10]
    with pytest.raises(CheckpointError, match="step 5"):
        fork(forked, 5, {}, "bob")


def test_a_fork_outlives_its_parent(parent: Parent) -> None:
    run = parent()
    expected = steps_of(run), evaluations_of(run)
    forked = fork(run, 15, {}, "bob")
    shutil.rmtree(run.path)
    train(forked)
    assert (steps_of(forked), evaluations_of(forked)) == expected
    assert forked.checkpoints.load(15) is not None


def test_changes_during_training_continue_in_a_fork(parent: Parent) -> None:
    steered = {7: Command("learning-rate", 0.02), 12: Command("optimizer", "sgd")}
    run = train(create(CONFIG, SMALL, owner="ada"), steered)
    forked = train(fork(run, 15, {}, "bob"))
    assert (steps_of(forked), evaluations_of(forked)) == (steps_of(run), evaluations_of(run))
    assert History(forked).follow().changes == [LearningRate(7, 0.02), OptimizerChanged(12, "sgd")]
    before = train(fork(run, 5, {}, "bob"))
    assert steps_of(before) == steps_of(parent())
    assert History(before).follow().changes == []


def test_what_a_fork_changes_is_recorded_at_its_first_step(parent: Parent) -> None:
    forked = fork(parent(), 10, {"learning_rate": 0.5, "optimizer": "sgd"}, "bob")
    changes = [LearningRate(10, 0.5, CONFIG.learning_rate), OptimizerChanged(10, "sgd", CONFIG.optimizer)]
    assert History(forked).follow().changes == changes
    assert History(train(forked)).follow().changes == changes


@pytest.mark.parametrize("name", ["seed", "batch_size", "dataset", "network", "inputs", "initialisation", "whiten"])
def test_settings_that_a_fork_shares_with_its_parent_cannot_change(name: str, parent: Parent) -> None:
    run = parent()
    value = {"seed": 8, "batch_size": 200, "dataset": "shapes", "network": "other", "inputs": "0-1", "initialisation": "kaiming", "whiten": True}[name]
    with pytest.raises(ConfigError, match=f"“{name}”"):
        fork(run, 10, {name: value}, "bob")
    assert all_runs() == [run]


@pytest.mark.parametrize(
    ("step", "changes", "message"),
    [
        pytest.param(30, {}, "epochs are done", id="nothing-left"),
        pytest.param(15, {"epochs": 1}, "epochs are done", id="fewer-epochs"),
        pytest.param(15, {"learning_rate": -1.0}, "above 0", id="rate"),
        pytest.param(15, {"optimizer": "magic"}, "magic", id="optimizer"),
        pytest.param(15, {"surprise": 1}, "surprise", id="unknown"),
    ],
)
def test_an_invalid_fork_is_refused_and_leaves_no_files(step: int, changes: Mapping[str, Any], message: str, parent: Parent) -> None:
    run = parent()
    with pytest.raises(ConfigError, match=message):
        fork(run, step, changes, "bob")
    assert all_runs() == [run]


@pytest.mark.parametrize("damage", ["missing", "torn"])
def test_a_fork_of_an_unreadable_checkpoint_is_refused_and_leaves_no_files(damage: str, parent: Parent) -> None:
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
    train(fork(run, 10, {"optimizer": "sgd", "learning_rate": 0.1}, "bob"))
    assert {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()} == files


def test_a_fork_of_a_finished_run_trains_further(parent: Parent) -> None:
    """With a constant learning rate, the same steps as a run with all epochs."""
    run = parent(replace(CONFIG, schedule="constant"))
    forked = train(fork(run, 30, {"epochs": 4}, "bob"))
    assert steps_of(forked) == steps_of(parent(replace(CONFIG, schedule="constant", epochs=4)))


def test_runs_of_a_race_share_start_weights_batches_and_a_name() -> None:
    variations = [{"optimizer": "adam"}, {"optimizer": "sgd"}, {"optimizer": "adam", "learning_rate": 0.001}]
    runs = race(CONFIG, SMALL, variations, "ada")
    created = [History(run).follow().created for run in runs]
    assert len({each.race for each in created if each}) == 1 and all(each and each.race for each in created)
    assert [run.config for run in runs] == [replace(CONFIG, **variation) for variation in variations]  # type: ignore[arg-type]
    first = [steps_of(train(run))[0] for run in runs]
    assert len({(step, loss, accuracy) for step, loss, accuracy, _ in first}) == 1
    other = race(CONFIG, SMALL, variations[:1], "ada")
    assert History(other[0]).follow().created != created[0]


def test_no_run_is_created_if_one_run_of_the_race_is_invalid() -> None:
    with pytest.raises(ConfigError):
        race(CONFIG, SMALL, [{"optimizer": "adam"}, {"optimizer": "magic"}], "ada")
    assert all_runs() == []
