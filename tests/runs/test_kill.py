"""Whoever is killed, and whenever: no run is lost, and a resumed one is as if it had never been interrupted."""

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

from .killing import RUN, VICTIMS, Moment, Victim, Whole, kill, uninterrupted, whole
from .small import CONFIG, SMALL

SEED = secrets.randbits(32)
"""Of the moments; a failed test tells it."""
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
"""Trains a run, and is killed while it keeps its state for the so-manieth time."""


@pytest.fixture(scope="module")
def scheduler(data_folder: Path) -> Iterator[Scheduler]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLAYGROUND_DATA", str(data_folder))
        scheduler = Scheduler(workers=1)
        scheduler.warm_up()
        yield scheduler
        scheduler.close()


@pytest.fixture(scope="module")
def expected(data_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Whole:
    """What the run comes to that nobody kills."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLAYGROUND_DATA", str(data_folder))
        patch.setenv("PLAYGROUND_RUNS", str(tmp_path_factory.mktemp("whole")))
        return uninterrupted()


@pytest.fixture(scope="module")
def untouched(data_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Whole:
    """What the shorter run comes to."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLAYGROUND_DATA", str(data_folder))
        patch.setenv("PLAYGROUND_RUNS", str(tmp_path_factory.mktemp("untouched")))
        return uninterrupted(CONFIG)


@pytest.mark.parametrize(
    "victim", [*VICTIMS, *(pytest.param(VICTIMS[number % len(VICTIMS)], marks=pytest.mark.slow) for number in range(len(VICTIMS), MOMENTS))]
)
def test_nothing_is_lost_at_a_random_moment(victim: Victim, scheduler: Scheduler, expected: Whole, request: pytest.FixtureRequest) -> None:
    moment = Moment.random(random.Random(f"{SEED} {request.node.name}"))
    outcome = kill(victim, moment, scheduler, expected)
    assert outcome.problem == "", f"seed {SEED}: {outcome}"


@pytest.mark.parametrize("count", [1, 8])
@pytest.mark.parametrize("place", ["torn", "written", "linked", "renamed"])
def test_nothing_is_lost_wherever_a_state_is_being_kept(place: str, count: int, untouched: Whole) -> None:
    """The steps before it are in the record once it counts, and until then the old one does."""
    run = create(CONFIG, SMALL)
    command = [sys.executable, "-c", DYING, str(run.path), place, str(count)]
    died = subprocess.run(command, cwd=environment.ROOT, check=False)
    assert died.returncode == -signal.SIGKILL
    assert History(run).follow().state == "interrupted"
    for _ in execute(run):
        pass
    found = whole(run)
    assert found.steps == untouched.steps
    assert found.evaluations == untouched.evaluations
    assert all(run.checkpoints.load(step) for step in run.checkpoints.steps())


def test_a_run_that_is_killed_again_and_again_ends_all_the_same(scheduler: Scheduler, expected: Whole) -> None:
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
    assert whole(run).steps == expected.steps, SEED
