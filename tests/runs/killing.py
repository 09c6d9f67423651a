"""Kills a run's worker, or the server that started it, at a given moment, lets the run go on, and looks whether anything was lost."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch

from playground import environment
from playground.runs.execution.scheduler import Scheduler
from playground.runs.execution.worker import execute
from playground.runs.history import History
from playground.runs.run import Run, all_runs, create
from playground.training.config import TrainConfig
from playground.training.events import Evaluated

from ..support.waiting import until
from .small import CONFIG, SMALL

RUN = replace(CONFIG, batch_size=40, epochs=5, evaluate_every=20)
"""Some hundred steps, with an evaluation after every few and a checkpoint twice a second."""
STEPS = 500
SERVER = """
import sys; from pathlib import Path; from playground.runs.run import Run; from playground.runs.execution.scheduler import Scheduler
scheduler = Scheduler(workers=1)
scheduler.warm_up()
print("warm", flush=True)
sys.stdin.readline()
scheduler.submit(Run(Path(sys.argv[1])))
print("submitted", flush=True)
sys.stdin.read()
"""

DELAY = 0.05
"""Seconds: the most that is waited behind the chosen step, so that any line of code can be met."""

Victim = Literal["worker", "server", "writing worker"]
VICTIMS: tuple[Victim, ...] = ("worker", "server", "writing worker")
"""Who is killed; the last one not before it is writing a checkpoint."""


@dataclass(frozen=True)
class Moment:
    """When to kill: so many seconds after the record holds so many steps, whatever else this machine has to do."""

    step: int
    delay: float

    @classmethod
    def random(cls, generator: random.Random) -> Moment:
        """Any, from before the first step to behind the last."""
        return cls(generator.randrange(STEPS + 1), generator.uniform(0, DELAY))


@dataclass(frozen=True)
class Whole:
    """What a run comes to that nobody interrupts."""

    steps: list[tuple[int, float, float, float]]
    """Number, loss, accuracy and learning rate."""
    evaluations: list[Evaluated]
    """Their seconds left out."""
    weights: dict[str, torch.Tensor]


@dataclass(frozen=True)
class Outcome:
    """What became of a killed run."""

    victim: Victim
    moment: Moment
    state: str
    """The run's, as it was found afterwards."""
    recorded: int
    """Steps that its record held when it was found."""
    resumed_from: int
    problem: str
    """What is wrong with it, resumed; empty where nothing is."""


def uninterrupted(config: TrainConfig = RUN) -> Whole:
    """What the run comes to without a kill."""
    run = create(config, SMALL)
    for _ in execute(run):
        pass
    return whole(run)


def whole(run: Run) -> Whole:
    history, state = History(run).follow(), run.checkpoints.load()
    assert state is not None
    steps = [(event.step, event.loss, event.accuracy, event.learning_rate) for event in history.steps]
    return Whole(steps, [replace(event, seconds=0.0) for event in history.evaluations], state["weights"])


def kill(victim: Victim, moment: Moment, scheduler: Scheduler, expected: Whole) -> Outcome:
    """Start a run, kill at the moment, and let the scheduler resume what is left of it.

    Args:
        victim: who is killed.
        moment: when.
        scheduler: a warm one, with nothing to do.
        expected: what the run must come to.
    """
    run = create(RUN, SMALL)
    history = History(run)
    (_kill_server if victim == "server" else _kill_worker)(run, scheduler, _due(run, history, victim, moment))
    until(lambda: history.follow().state not in ("running", "paused"))
    state, recorded = history.state, history.step
    if state != "finished":
        until(lambda: scheduler.worker_pid(run) is None)
        scheduler.submit(run)
    until(lambda: history.follow().state in ("finished", "failed"), 120)
    until(lambda: scheduler.worker_pid(run) is None)
    resumed_from = history.started.step if history.started else -1
    return Outcome(victim, moment, state, recorded, resumed_from, _problem(run, history, expected))


def _due(run: Run, history: History, victim: Victim, moment: Moment) -> Callable[[], bool]:
    """Whether it is time to kill; a run that has ended in the meantime is left alone."""
    written = run.checkpoints.latest_path.with_suffix(".tmp")
    reached: list[float] = []

    def due() -> bool:
        if not reached and history.follow().step >= moment.step:
            reached.append(time.monotonic())
        late = bool(reached) and time.monotonic() - reached[0] >= moment.delay
        return late and (victim != "writing worker" or written.exists() or history.follow().finished is not None)

    return due


def _kill_worker(run: Run, scheduler: Scheduler, due: Callable[[], bool]) -> None:
    scheduler.submit(run)
    pid = scheduler.worker_pid(run)
    while not due():  # without a pause, or else the moment would be missed in which a file is half written
        pass
    if pid is not None and scheduler.worker_pid(run) == pid:
        with suppress(ProcessLookupError):  # it may have come to its end in this very moment
            os.kill(pid, signal.SIGKILL)


def _kill_server(run: Run, _scheduler: Scheduler, due: Callable[[], bool]) -> None:
    """The server cannot say goodbye to its worker, whose line is cut."""
    command = [sys.executable, "-c", SERVER, str(run.path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=environment.ROOT) as server:
        assert server.stdin is not None and server.stdout is not None
        assert server.stdout.readline() == "warm\n"
        server.stdin.write("\n")
        server.stdin.flush()
        until(due)
        server.kill()
        server.wait()
    until(lambda: not run.lock.is_held())


def _problem(run: Run, history: History, expected: Whole) -> str:
    """The first thing that is lost, unreadable or another than in an uninterrupted run."""
    if history.state != "finished":
        return f"it is {history.state}: {history.message}"
    if run not in all_runs() or run.config != RUN or run.network != SMALL:
        return "its settings are others"
    found = whole(run)
    if found.steps != expected.steps:
        return f"its steps are others: {_difference(found.steps, expected.steps)}"
    if found.evaluations != expected.evaluations:
        return f"its evaluations are others: {_difference(found.evaluations, expected.evaluations)}"
    if any(not torch.equal(found.weights[name], expected.weights[name]) for name in expected.weights):
        return "its weights are others"
    if any((state := run.checkpoints.load(step)) is None or state["step"] != step for step in run.checkpoints.steps()):
        return "a kept checkpoint is another's"
    taken = [shot.step for shot in run.journal.snapshots()]
    return "" if taken and taken == sorted(set(taken)) and taken[-1] == len(expected.steps) else f"its snapshots are of steps {taken}"


def _difference(found: list[Any], expected: list[Any]) -> str:
    lost = [each for each in expected if each not in found]
    return f"{len(found)} instead of {len(expected)}, the first that is missing is {lost[0] if lost else None}"
