"""Kill a run's worker, or the server that started it, at some moment, resume the run, and check whether anything was lost."""

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

RUN = replace(CONFIG, batch_size=40, epochs=2, evaluate_every=20)
"""Two hundred steps, with an evaluation every 20 steps and a checkpoint twice a second."""
STEPS = 200
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
"""Maximum seconds from the chosen step to the kill, so that any line of code can be hit."""

Victim = Literal["worker", "server", "writing worker"]
VICTIMS: tuple[Victim, ...] = ("worker", "server", "writing worker")
"""The killed process; the last one is killed while it writes a checkpoint."""


@dataclass(frozen=True)
class Moment:
    """When to kill: `delay` seconds after `step` steps are recorded, however fast the machine is."""

    step: int
    delay: float

    @classmethod
    def random(cls, generator: random.Random) -> Moment:
        """Draw a moment from before the first step to after the last."""
        return cls(generator.randrange(STEPS + 1), generator.uniform(0, DELAY))


@dataclass(frozen=True)
class RunResult:
    """The result of a run."""

    steps: list[tuple[int, float, float, float]]
    """Number, loss, accuracy and learning rate."""
    evaluations: list[Evaluated]
    """With `seconds` set to 0."""
    weights: dict[str, torch.Tensor]


@dataclass(frozen=True)
class Outcome:
    """The fate of a killed run."""

    victim: Victim
    moment: Moment
    state: str
    """State of the run after the kill."""
    recorded: int
    """Number of steps recorded before the kill."""
    resumed_from: int
    problem: str
    """Fault of the resumed run; empty if there is none."""


def train_uninterrupted(config: TrainConfig = RUN) -> RunResult:
    """Train a run to its end without a kill."""
    run = create(config, SMALL)
    for _ in execute(run):
        pass
    return result_of(run)


def result_of(run: Run) -> RunResult:
    history, state = History(run).follow(), run.checkpoints.load()
    assert state is not None
    steps = [(event.step, event.loss, event.accuracy, event.learning_rate) for event in history.steps]
    return RunResult(steps, [replace(event, seconds=0.0) for event in history.evaluations], state["weights"])


def kill(victim: Victim, moment: Moment, scheduler: Scheduler, expected: RunResult) -> Outcome:
    """Start a run, kill a process at the moment, and let the scheduler resume the run.

    Args:
        victim: the process to kill.
        moment: when to kill it.
        scheduler: warmed up, without runs.
        expected: result of an uninterrupted run.
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
    """Return a function that returns whether to kill now; a run that has already finished is not killed."""
    written = run.checkpoints.latest_path.with_suffix(".tmp")
    reached_at: list[float] = []

    def due() -> bool:
        if not reached_at and history.follow().step >= moment.step:
            reached_at.append(time.monotonic())
        late = bool(reached_at) and time.monotonic() - reached_at[0] >= moment.delay
        return late and (victim != "writing worker" or written.exists() or history.follow().finished is not None)

    return due


def _kill_worker(run: Run, scheduler: Scheduler, due: Callable[[], bool]) -> None:
    scheduler.submit(run)
    pid = scheduler.worker_pid(run)
    while not due():  # without a pause, to hit the moment in which a file is half written
        pass
    if pid is not None and scheduler.worker_pid(run) == pid:
        with suppress(ProcessLookupError):  # it may have just ended
            os.kill(pid, signal.SIGKILL)


def _kill_server(run: Run, _scheduler: Scheduler, due: Callable[[], bool]) -> None:
    """Kill the server, which closes the pipe of its worker."""
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


def _problem(run: Run, history: History, expected: RunResult) -> str:
    """Return the first thing that is lost, unreadable or different from an uninterrupted run; empty if there is none."""
    if history.state != "finished":
        return f"it is {history.state}: {history.message}"
    if run not in all_runs() or run.config != RUN or run.network != SMALL:
        return "its settings differ"
    result = result_of(run)
    if result.steps != expected.steps:
        return f"its steps differ: {_difference(result.steps, expected.steps)}"
    if result.evaluations != expected.evaluations:
        return f"its evaluations differ: {_difference(result.evaluations, expected.evaluations)}"
    if any(not torch.equal(result.weights[name], expected.weights[name]) for name in expected.weights):
        return "its weights differ"
    if any((state := run.checkpoints.load(step)) is None or state["step"] != step for step in run.checkpoints.steps()):
        return "an earlier checkpoint has another step"
    snapshot_steps = [shot.step for shot in run.journal.snapshots()]
    return (
        ""
        if snapshot_steps and snapshot_steps == sorted(set(snapshot_steps)) and snapshot_steps[-1] == len(expected.steps)
        else f"its snapshots are of steps {snapshot_steps}"
    )


def _difference(result: list[Any], expected: list[Any]) -> str:
    missing = [each for each in expected if each not in result]
    return f"{len(result)} instead of {len(expected)}, the first missing one is {missing[0] if missing else None}"
