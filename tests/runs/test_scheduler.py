"""Runs in worker processes: queued, controlled, killed and resumed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace

import pytest

from playground import environment
from playground.errors import RunError
from playground.forking import Forker
from playground.network.presets import preset
from playground.network.spec import NetworkSpec
from playground.runs.branching import race
from playground.runs.execution.commands import Command
from playground.runs.execution.scheduler import Scheduler
from playground.runs.execution.worker import execute
from playground.runs.history import History
from playground.runs.run import Run, create
from playground.training.config import TrainConfig
from playground.training.events import LearningRate, OptimizerChanged, Step

from ..support.waiting import until
from .small import CONFIG, SMALL, STEPS

LONG = replace(CONFIG, epochs=1000, evaluate_every=20)
"""Trains until it is stopped, on any machine; with dropout, so that random numbers count."""


@pytest.fixture(scope="module")
def scheduler(forker: Forker) -> Iterator[Scheduler]:
    """One worker at a time."""
    scheduler = Scheduler(workers=1, forker=forker)
    yield scheduler
    scheduler.close()


def submit(scheduler: Scheduler, config: TrainConfig, network: NetworkSpec = SMALL) -> tuple[Run, History]:
    run = create(config, network, owner="ada")
    scheduler.submit(run)
    return run, History(run)


def submit_race(scheduler: Scheduler, config: TrainConfig, optimizers: Sequence[str] = ("adam", "sgd", "muon")) -> list[tuple[Run, History]]:
    runs = race(config, SMALL, [{"optimizer": name} for name in optimizers], owner="ada")
    scheduler.submit(*runs)
    return [(run, History(run)) for run in runs]


def finish(history: History) -> History:
    until(lambda: history.follow().state not in ("queued", "running", "paused"))
    return history.follow()


def losses(history: History) -> list[tuple[int, float]]:
    return [(event.step, event.loss) for event in history.follow().steps]


def train_until(run: Run, step: int) -> None:
    """Train a run in this process, up to a step."""
    with closing(execute(run)) as events:
        for event in events:
            if isinstance(event, Step) and event.step == step:
                return


def uninterrupted_losses(config: TrainConfig, until_step: int) -> list[tuple[int, float]]:
    run = create(config, SMALL)
    train_until(run, until_step)
    return [loss for loss in losses(History(run)) if loss[0] <= until_step]


def resume_and_stop(scheduler: Scheduler, run: Run, history: History) -> None:
    """Resume an interrupted run, and stop it some steps after those that are recorded."""
    recorded = history.follow().step
    scheduler.submit(run)
    until(lambda: history.follow().step > recorded + 5)
    scheduler.command(run, Command("stop"))
    assert finish(history).state == "stopped"


def test_a_run_trains_to_its_end_and_saves_its_weights(scheduler: Scheduler) -> None:
    run, history = submit(scheduler, CONFIG)
    finish(history)
    assert history.state == "finished", (history.message, (run.path / "worker.log").read_text())
    assert (history.step, history.total_steps) == (STEPS, STEPS)
    assert history.test_accuracy is not None
    assert history.test_accuracy > 0.3
    assert run.checkpoints.load() is not None
    assert losses(history) == uninterrupted_losses(CONFIG, STEPS)


def test_pause_single_step_learning_rate_resume_and_stop(scheduler: Scheduler) -> None:
    run, history = submit(scheduler, LONG)
    until(lambda: history.follow().steps)
    scheduler.command(run, Command("pause"))
    until(lambda: history.follow().state == "paused")
    paused_at = history.step
    assert paused_at in run.checkpoints.steps()  # its network can be used at once
    closeup = run.journal.closeup()
    assert closeup is not None and closeup.step == run.journal.snapshots()[-1].step == history.observations[-1].step == paused_at
    scheduler.command(run, Command("step"))
    until(lambda: history.follow().step == paused_at + 1 and history.state == "paused")
    assert run.checkpoints.steps()[-1] == run.journal.snapshots()[-1].step == paused_at + 1
    closeup = run.journal.closeup()
    assert closeup is not None and (closeup.step, closeup.document["optimizer"]) == (paused_at + 1, "adam")
    scheduler.command(run, Command("learning-rate", 0.0001))
    scheduler.command(run, Command("optimizer", "sgd"))
    until(lambda: len(history.follow().changes) == 2)
    assert history.changes == [LearningRate(paused_at + 1, 0.0001), OptimizerChanged(paused_at + 1, "sgd")]
    assert history.step == paused_at + 1
    scheduler.command(run, Command("resume"))
    until(lambda: history.follow().step > paused_at + 3)
    assert history.steps[paused_at + 2].learning_rate < 0.0002
    scheduler.command(run, Command("stop"))
    assert finish(history).state == "stopped"
    assert run.checkpoints.load() is not None


def test_the_queue_can_be_read_while_a_process_is_being_started(monkeypatch: pytest.MonkeyPatch) -> None:
    starting, may_start = threading.Event(), threading.Event()

    def start(*_: object) -> None:
        starting.set()
        assert may_start.wait(60)
        raise RunError("No process could be started.")

    monkeypatch.setattr("playground.runs.execution.scheduler.start", start)
    scheduler = Scheduler(workers=1)
    first, second = (create(CONFIG, SMALL, owner="ada") for _ in range(2))
    with ThreadPoolExecutor(2) as pool:
        try:
            submitted = pool.submit(scheduler.submit, first)
            assert starting.wait(60)
            scheduler.submit(second)
            assert [pool.submit(scheduler.position, run).result(timeout=60) for run in (first, second)] == [1, 2]
        finally:
            may_start.set()
        with pytest.raises(RunError):
            submitted.result()
    scheduler.close()


def test_runs_are_queued_and_a_queued_run_can_be_withdrawn(scheduler: Scheduler) -> None:
    first, watched = submit(scheduler, LONG)
    until(lambda: scheduler.position(first) == 0)  # the worker of an earlier run may still be ending
    second, waiting = submit(scheduler, CONFIG)
    third, withdrawn = submit(scheduler, CONFIG)
    assert [scheduler.position(run) for run in (first, second, third)] == [0, 1, 2]
    assert waiting.follow().state == "queued"
    scheduler.command(third, Command("stop"))
    assert withdrawn.follow().state == "stopped"
    with pytest.raises(RunError, match="queued already"):
        scheduler.submit(second)
    until(lambda: watched.follow().steps)
    scheduler.command(first, Command("stop"))
    assert finish(waiting).state == "finished"
    with pytest.raises(RunError, match="cannot be resumed"):
        scheduler.submit(second)
    until(lambda: scheduler.worker_pid(second) is None)
    with pytest.raises(RunError, match="no worker"):
        scheduler.command(second, Command("pause"))


def test_a_race_is_one_job_whose_runs_are_controlled_one_by_one(scheduler: Scheduler) -> None:
    (adam, first), (sgd, second), (muon, third) = submit_race(scheduler, LONG)
    withdrawn, *waiting = (run for run, _ in submit_race(scheduler, CONFIG))
    until(lambda: scheduler.position(adam) == 0)
    assert [scheduler.position(run) for run in (withdrawn, *waiting)] == [1, 1, 1]
    scheduler.command(withdrawn, Command("stop"))
    assert [scheduler.position(run) for run in (withdrawn, *waiting)] == [0, 1, 1]
    until(lambda: all(history.follow().step > 5 for history in (first, second, third)))
    assert len({scheduler.worker_pid(run) for run in (adam, sgd, muon)}) == 1
    scheduler.command(adam, Command("pause"))
    until(lambda: first.follow().state == "paused")
    scheduler.command(sgd, Command("stop"))
    assert finish(second).state == "stopped"
    went_on = third.follow().step
    until(lambda: third.follow().step > went_on)
    assert first.follow().state == "paused"
    scheduler.command(muon, Command("pause"))
    until(lambda: third.follow().state == "paused")
    paused_at = first.step
    scheduler.command(adam, Command("step"))  # while all are paused
    until(lambda: first.follow().step == paused_at + 1 and first.state == "paused")
    for run in (adam, muon):
        scheduler.command(run, Command("stop"))
    for run in waiting:
        assert finish(History(run)).state == "finished"


def test_a_racer_that_was_stopped_can_be_resumed_while_the_others_train(forker: Forker) -> None:
    with closing(Scheduler(workers=2, forker=forker)) as scheduler:
        (adam, stopped), (muon, other) = submit_race(scheduler, LONG, ("adam", "muon"))
        until(lambda: stopped.follow().step >= 5)
        scheduler.command(adam, Command("stop"))
        assert finish(stopped).state == "stopped"
        resume_and_stop(scheduler, adam, stopped)
        assert losses(stopped) == uninterrupted_losses(LONG, stopped.step)
        assert other.follow().state == "running" and scheduler.worker_pid(muon)


def killed_race(scheduler: Scheduler) -> list[tuple[Run, History]]:
    """Kill the worker of a race."""
    racers = submit_race(scheduler, LONG)
    until(lambda: all(history.follow().step >= 5 for _, history in racers))
    pid = scheduler.worker_pid(racers[0][0])
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    for _, history in racers:
        assert finish(history).state == "interrupted"
    return racers


def test_the_runs_of_a_killed_race_can_be_resumed_one_by_one(scheduler: Scheduler) -> None:
    for run, history in killed_race(scheduler)[1:]:
        resume_and_stop(scheduler, run, history)
        assert losses(history) == uninterrupted_losses(run.config, history.step)


def test_a_killed_race_is_resumed_as_one(scheduler: Scheduler) -> None:
    racers = killed_race(scheduler)
    recorded = {run: history.step for run, history in racers}
    scheduler.resume(run for run, _ in racers)
    until(lambda: all(history.follow().step > recorded[run] + 5 for run, history in racers))
    assert len({scheduler.worker_pid(run) for run, _ in racers}) == 1
    scheduler.resume(run for run, _ in racers)  # they are running: nothing happens
    for run, history in racers:
        scheduler.command(run, Command("stop"))
        assert finish(history).state == "stopped"
        assert losses(history) == uninterrupted_losses(run.config, history.step)


@pytest.mark.parametrize("saved", [False, True], ids=["before its first checkpoint", "after a checkpoint"])
def test_a_killed_and_resumed_run_equals_an_uninterrupted_one(scheduler: Scheduler, saved: bool) -> None:
    run, history = submit(scheduler, LONG)
    until(lambda: history.follow().step >= 1 and (run.checkpoints.steps() or not saved))
    pid = scheduler.worker_pid(run)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert finish(history).state == "interrupted"
    resume_and_stop(scheduler, run, history)
    assert losses(history) == uninterrupted_losses(LONG, history.step)


def test_closing_the_scheduler_saves_a_checkpoint_at_the_current_step(forker: Forker) -> None:
    scheduler = Scheduler(workers=1, forker=forker)
    run, history = submit(scheduler, LONG)
    until(lambda: history.follow().step >= 10)
    scheduler.close()
    assert history.follow().state == "interrupted"
    state = run.checkpoints.load()
    assert state is not None
    assert state["step"] == history.step
    last = history.step + 5
    train_until(run, last)
    assert losses(history)[:last] == uninterrupted_losses(LONG, last)


def test_a_diverging_run_has_a_message_and_keeps_its_records(scheduler: Scheduler) -> None:
    config = TrainConfig(network="mnist-mlp", epochs=3.0, optimizer="sgd", learning_rate=100.0, momentum=0.99, schedule="constant")
    run, history = submit(scheduler, config, preset(config.network))
    finish(history)
    assert history.state == "failed"
    assert "smaller learning rate" in history.message
    assert history.steps
    assert history.diverged is not None and 0 < history.diverged.born <= history.diverged.step == history.step + 1
    assert f"first non-finite value (inf or nan) appeared at step {history.diverged.born}," in history.message
    for line in (run.path / "events.jsonl").read_text().splitlines():
        json.loads(line, parse_constant=lambda word: pytest.fail(f"{word} is not JSON"))


def test_a_checkpoint_of_another_network_is_refused(scheduler: Scheduler) -> None:
    run, history = submit(scheduler, LONG)
    until(lambda: history.follow().steps)
    scheduler.command(run, Command("stop"))
    finish(history)
    (run.path / "network.json").write_text(preset("lenet-5").to_json())
    scheduler.submit(run)
    until(lambda: history.follow().state == "failed")
    assert "another network" in history.message


def test_the_forking_process_may_die_and_the_next_run_still_starts(scheduler: Scheduler, forker: Forker) -> None:
    _, first = submit(scheduler, CONFIG)
    finish(first)
    process = forker._process
    assert process is not None
    process.kill()
    process.wait()
    _, second = submit(scheduler, CONFIG)
    assert finish(second).state == "finished"


def test_a_killed_server_leaves_no_worker_and_its_queue_is_adopted(scheduler: Scheduler) -> None:
    code = (
        "import sys; from pathlib import Path; from playground.runs.run import Run; from playground.runs.execution.scheduler import Scheduler\n"
        "scheduler = Scheduler(workers=1)\n"
        "training, *waiting = (Run(Path(path)) for path in sys.argv[1:])\n"
        "scheduler.submit(training); scheduler.submit(*waiting)\n"
        "print('submitted', flush=True); sys.stdin.read()"
    )
    training = create(LONG, SMALL)
    waiting = race(CONFIG, SMALL, [{"optimizer": "adam"}, {"optimizer": "muon"}], owner="ada")
    arguments = [sys.executable, "-c", code, str(training.path), *(str(run.path) for run in waiting)]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, cwd=environment.ROOT) as server:
        history = History(training)
        until(lambda: history.follow().steps)
        server.kill()
    until(lambda: not training.lock.is_held())
    assert history.follow().state == "interrupted"
    scheduler.requeue()
    pids = {until(lambda run=run: scheduler.worker_pid(run)) for run in waiting}
    assert len(pids) == 1
    for run in waiting:
        assert finish(History(run)).state == "finished"
    assert history.follow().state == "interrupted"  # what was cut off waits to be asked for
    resume_and_stop(scheduler, training, history)
    assert losses(history) == uninterrupted_losses(LONG, history.step)
