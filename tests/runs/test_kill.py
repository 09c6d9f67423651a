"""Whichever process is killed, and whenever: no run is lost, and a resumed run equals an uninterrupted one."""

from __future__ import annotations

import os
import random
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from playground import environment
from playground.runs.execution.scheduler import Scheduler
from playground.runs.execution.worker import execute
from playground.runs.history import History
from playground.runs.run import Run, create

from .killing import RUN, VICTIMS, Moment, RunResult, Victim, kill, result_of, train_uninterrupted
from .small import CONFIG, SMALL

SEED = secrets.randbits(32)
"""Seed of the moments; a failed test shows it."""
MOMENTS = 8

DYING = """
import os, signal, sys
from pathlib import Path
import torch
from playground.runs import journal, run
from playground.runs.execution.worker import execute
from playground.training import loop

loop.FLUSH_SECONDS = loop.CHECKPOINT_SECONDS = loop.EVALUATED_SECONDS = -1.0  # a checkpoint after every step,
journal.FLUSH_SECONDS = float("inf")  # and steps that wait to be written
path, place, left = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
owner, name = {"torn": (torch, "save"), "written": (torch, "save"), "linked": (os, "link"), "renamed": (Path, "replace")}[place]
do = getattr(owner, name)

def die(*given):
    global left
    left -= 1
    done = do(*given)
    if not left:
        if place == "torn":
            given[1].write_bytes(given[1].read_bytes()[:1000])
        os.kill(os.getpid(), signal.SIGKILL)
    return done

setattr(owner, name, die)
for _ in execute(run.Run(path)):
    pass
"""
"""Trains a run, and kills itself while it saves its n-th checkpoint."""


@pytest.fixture(scope="module")
def scheduler(data_folder: Path) -> Iterator[Scheduler]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLAYGROUND_DATA", str(data_folder))
        scheduler = Scheduler(workers=1)
        scheduler.warm_up()
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
        return train_uninterrupted(CONFIG)


@pytest.mark.parametrize(
    "victim", [*VICTIMS, *(pytest.param(VICTIMS[number % len(VICTIMS)], marks=pytest.mark.slow) for number in range(len(VICTIMS), MOMENTS))]
)
def test_a_kill_at_a_random_moment_loses_nothing(victim: Victim, scheduler: Scheduler, expected: RunResult, request: pytest.FixtureRequest) -> None:
    moment = Moment.random(random.Random(f"{SEED} {request.node.name}"))
    outcome = kill(victim, moment, scheduler, expected)
    assert outcome.problem == "", f"seed {SEED}: {outcome}"


@pytest.mark.parametrize("count", [1, 8])
@pytest.mark.parametrize("place", ["torn", "written", "linked", "renamed"])
def test_a_kill_while_a_checkpoint_is_saved_loses_nothing(place: str, count: int, expected_short: RunResult) -> None:
    """All steps before a checkpoint are recorded before it replaces the old one."""
    run = create(CONFIG, SMALL)
    command = [sys.executable, "-c", DYING, str(run.path), place, str(count)]
    process = subprocess.run(command, cwd=environment.ROOT, check=False)
    assert process.returncode == -signal.SIGKILL
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
        ahead = history.step + generator.randrange(1, 200)
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
