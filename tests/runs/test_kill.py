"""Whichever process is killed, and whenever: no run is lost, and a resumed run equals an uninterrupted one."""

from __future__ import annotations

import json
import os
import random
import secrets
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from playground.forking import MESSAGE, Forker
from playground.runs.execution.scheduler import Scheduler
from playground.runs.execution.worker import execute
from playground.runs.history import History
from playground.runs.run import Run, create

from ..support.waiting import until
from .dying import PLACES
from .killing import RUN, STEPS, VICTIMS, Moment, RunResult, Victim, kill, result_of, train_uninterrupted
from .small import CONFIG, SMALL

SEED = secrets.randbits(32)
"""Seed of the moments; a failed test shows it."""
MOMENTS = 8

SHORT = replace(CONFIG, batch_size=40, epochs=0.3)
"""Thirty steps, with an evaluation every five steps."""


@pytest.fixture(scope="module")
def scheduler(forker: Forker) -> Iterator[Scheduler]:
    scheduler = Scheduler(workers=1, forker=forker)
    yield scheduler
    scheduler.close()


@pytest.fixture(scope="module")
def expected(data_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> RunResult:
    """Return the result of an uninterrupted run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLAYGROUND_DATA", str(data_folder))
        patch.setenv("PLAYGROUND_RUNS", str(tmp_path_factory.mktemp("whole")))
        return train_uninterrupted()


@pytest.fixture(scope="module")
def expected_short(data_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> RunResult:
    """Return the result of the shorter run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLAYGROUND_DATA", str(data_folder))
        patch.setenv("PLAYGROUND_RUNS", str(tmp_path_factory.mktemp("untouched")))
        return train_uninterrupted(SHORT)


def repeats(number: int) -> bool:
    """Whether this case repeats one of the quick tier: an earlier one, or the killed server of `test_scheduler.py`."""
    return number >= len(VICTIMS) or VICTIMS[number] == "server"


@pytest.mark.parametrize(
    "victim", [pytest.param(VICTIMS[number % len(VICTIMS)], marks=[pytest.mark.slow] if repeats(number) else []) for number in range(MOMENTS)]
)
def test_a_kill_at_a_random_moment_loses_nothing(victim: Victim, scheduler: Scheduler, expected: RunResult, request: pytest.FixtureRequest) -> None:
    moment = Moment.random(random.Random(f"{SEED} {request.node.name}"))
    outcome = kill(victim, moment, scheduler, expected)
    assert outcome.problem == "", f"seed {SEED}: {outcome}"


@pytest.mark.parametrize("count", [1, 8])
@pytest.mark.parametrize("place", PLACES)
def test_a_kill_while_a_checkpoint_is_saved_loses_nothing(place: str, count: int, forker: Forker, expected_short: RunResult) -> None:
    """All steps before a checkpoint are recorded before it replaces the old one."""
    run = create(SHORT, SMALL)
    _, line = forker.start("tests.runs.dying:train_and_die", json.dumps([str(run.path), place, count]))
    with line:
        assert line.recv(MESSAGE) == place.encode()
    until(lambda: not run.lock.is_held())
    assert History(run).follow().state == "interrupted"
    for _ in execute(run):
        pass
    result = result_of(run)
    assert result.steps == expected_short.steps
    assert result.evaluations == expected_short.evaluations
    assert all(run.checkpoints.load(step) for step in run.checkpoints.steps())


def test_a_run_that_is_killed_repeatedly_has_the_same_result(scheduler: Scheduler, expected: RunResult) -> None:
    run = create(RUN, SMALL)
    history = History(run)
    generator = random.Random(SEED)
    for _ in range(4):
        scheduler.submit(run)
        ahead = history.step + generator.randrange(1, STEPS // 2)
        while history.follow().step < ahead and history.state != "finished":
            pass
        if (pid := scheduler.worker_pid(run)) is not None:
            os.kill(pid, signal.SIGKILL)
        while scheduler.worker_pid(run) is not None:
            pass
        if history.follow().state == "finished":
            break
    else:
        for _event in execute(Run(run.path)):
            pass
    assert result_of(run).steps == expected.steps, SEED
