"""The process that trains a run, or the runs of a race in turns: takes commands on its standard input, and ends when that closes."""

from __future__ import annotations

import contextlib
import errno
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import torch

from playground import device as devices
from playground import environment
from playground.errors import DivergedError, PlaygroundError, RunError
from playground.messages import msg
from playground.runs.execution.commands import Command, Commands, InputClosed
from playground.runs.run import Run
from playground.runs.start import own_images, start_weights
from playground.training.events import (
    Checkpoint,
    Event,
    Failed,
    LearningRate,
    OptimizerChanged,
    Paused,
    Resumed,
    Started,
    Step,
    Stopped,
)
from playground.training.instruments import divergence
from playground.training.loop import Training

FULL = (errno.ENOSPC, errno.EDQUOT)
FULL_MESSAGE = msg("The disk is full, so training stopped. Free some space, then resume the run; it continues from its last checkpoint.")
BUG_MESSAGE = msg("Training failed because of a bug in the playground; the traceback is in the record of the run.")


def execute(run: Run, commands: Commands | None = None, slot: int = 0) -> Iterator[Event]:
    """Train a run from its last checkpoint to its end; record and yield every event. While it is paused, yield that it is.

    Args:
        run: the run.
        commands: those to the run are executed between its steps.
        slot: index of the worker among those that run at the same time; with several accelerators, each slot has another one.

    Raises:
        PlaygroundError: the run could not go on; it is recorded as failed.
    """
    with run.lock.hold():
        record: Callable[[Event], object]
        with run.journal.recorder() as record:
            try:
                yield from _obey(run, commands or Commands(), record, slot)
            except PlaygroundError as error:
                record(Failed(time.time(), error.text, ""))
                raise
            except OSError as error:
                if error.errno not in FULL:
                    raise
                with contextlib.suppress(OSError):  # there may be room for a line
                    record(Failed(time.time(), FULL_MESSAGE, ""))
                raise RunError(FULL_MESSAGE) from error
            except Exception:
                record(Failed(time.time(), BUG_MESSAGE, traceback.format_exc()))
                raise


def _obey(run: Run, commands: Commands, record: Callable[[Event], object], slot: int) -> Iterator[Event]:
    """Record and yield the run's events; execute commands between them."""
    threads = environment.training_threads()
    torch.set_num_threads(threads)
    keep_freed_memory()
    training = _restored_training(run, slot)
    started = Started(time.time(), training.step, training.total_steps, training.steps_per_epoch, str(training.device), threads)
    record(started)
    yield started
    training.flush_each_step = False
    pause = _Pause(run, training, commands, record)
    try:
        for event in training.events():
            record(event)  # first, with all steps before it, so that no checkpoint is ahead of the record
            yield event
            if isinstance(event, Checkpoint):
                run.checkpoints.save(training.state())
            if isinstance(event, Step) and event.step == training.step:
                yield from pause.between_steps(event.step)
    except _Stop:
        _save_now(run, training, record)
        stopped = Stopped(time.time(), training.step)
        record(stopped)
        yield stopped
    except InputClosed:
        _save_now(run, training, record)
    except DivergedError as error:
        diverged = divergence.find(_restored_training(run, slot), error.step)
        record(diverged)
        raise DivergedError(error.loss, error.step, divergence.describe(diverged, [layer.type for layer in run.network.layers])) from None


def _save_now(run: Run, training: Training, record: Callable[[Event], object]) -> None:
    """Save a checkpoint, and record it first."""
    record(Checkpoint(training.step))
    run.checkpoints.save(training.state())


def _restored_training(run: Run, slot: int) -> Training:
    """Return the run's training in the state of its last checkpoint, or at its start."""
    config = replace(run.config, device=devices.of_worker(run.config.device, slot))
    training = Training(run.network, config, weights=start_weights(run), own=own_images(run))
    if state := run.checkpoints.load():
        training.restore(state)
    return training


class _Stop(Exception):
    """The learner stopped the run."""


class _Pause:
    """Holds the loop between two steps while the run is paused; the command `step` lets one step pass.

    The step before each pause is recorded in full, so that all that is shown belongs to the step at which the run is paused.
    """

    def __init__(self, run: Run, training: Training, commands: Commands, record: Callable[[Event], object]) -> None:
        self._run, self._training, self._commands, self._record = run, training, commands, record
        self._paused = False
        self._stepping = False

    def between_steps(self, step: int) -> Iterator[Paused]:
        """Execute the commands that have come; while the run is paused, yield instead of waiting for more: others train meanwhile."""
        if self._stepping:
            self._pause(step)
        while True:
            if command := self._commands.take(self._run):
                self._obey(command, step)
                if self._stepping:
                    return
            elif self._paused:
                yield Paused(step)
            else:
                return

    def _pause(self, step: int) -> None:
        """Pause with a checkpoint, so that the network of this step can be evaluated, drawn for and looked at."""
        self._paused, self._stepping = True, False
        self._training.flush_each_step = True
        _save_now(self._run, self._training, self._record)
        self._record(Paused(step))

    def _take_last_step(self) -> None:
        """Let one step pass before the pause, and record it."""
        self._training.flush_each_step = self._training.record_closeup = True
        self._stepping = True

    def _resume(self, step: int) -> None:
        self._paused = False
        self._training.flush_each_step = False
        self._record(Resumed(step))

    def _obey(self, command: Command, step: int) -> None:
        match command.name:
            case "pause" if not self._paused:
                self._take_last_step()
            case "resume" if self._paused:
                self._resume(step)
            case "step":
                self._resume(step)
                self._take_last_step()
            case "stop":
                raise _Stop
            case "learning-rate":
                self._training.learning_rate = float(command.value)
                self._record(LearningRate(step, self._training.learning_rate))
                self._save()
            case "optimizer":
                self._training.change_optimizer(str(command.value))
                self._record(OptimizerChanged(step, self._training.optimizer_name))
                self._save()

    def _save(self) -> None:
        """Save a checkpoint, so that repeating these steps includes the change."""
        self._run.checkpoints.save(self._training.state())


class _Racer:
    """One of the runs that a worker trains in turns."""

    def __init__(self, run: Run, commands: Commands, slot: int) -> None:
        self.run = run
        self.is_paused = False
        self.share = -1.0
        """Of its planned steps, the part that it has taken; below 0 before it has started."""
        self._events = execute(run, commands, slot)
        self._started: Started | None = None
        self._random: devices.RandomState | None = None

    def next_event(self) -> Event | None:
        """Train until the next event, and return it; None if the run has ended."""
        event = next(self._events, None)
        self.is_paused = isinstance(event, Paused)
        if isinstance(event, Started):
            self._started = event
        if self._started and isinstance(event, Started | Step):
            self.share = event.step / self._started.total_steps
        return event

    def keep_random_numbers(self) -> None:
        """Keep the state of its random numbers while another run trains, which has its own."""
        if self._started:
            self._random = devices.random_state(torch.device(self._started.device))

    def restore_random_numbers(self) -> None:
        if self._started and self._random:
            devices.set_random_state(torch.device(self._started.device), self._random)


def race(runs: Sequence[Run], commands: Commands | None = None, slot: int = 0) -> Iterator[tuple[Run, Event]]:
    """Train runs in turns, step by step, until all have ended; record and yield every event with its run.

    The run that is furthest behind takes the next step, so that all curves grow together. Each computes what it computes when it trains
    alone, to the last bit. A run that fails leaves the others to train.
    """
    commands = commands or Commands()
    racers = [_Racer(run, commands, slot) for run in runs]
    last = None
    while racers:
        racer = min(racers, key=lambda racer: (not commands.concern(racer.run), racer.is_paused, racer.share))
        if racer.is_paused and not commands.concern(racer.run):
            commands.wait([racer.run for racer in racers])
            continue
        if last and last is not racer:
            last.keep_random_numbers()
            racer.restore_random_numbers()
        last = racer
        if event := _reported(racer):
            yield racer.run, event
        else:
            racers.remove(racer)


def _reported(racer: _Racer) -> Event | None:
    """Return the racer's next event; None if the run has ended or failed. An error is recorded already, and goes to the worker's log as well."""
    try:
        return racer.next_event()
    except PlaygroundError as error:
        print(error, file=sys.stderr)
    except Exception:
        traceback.print_exc()
    return None


def main(run_paths: Sequence[str | Path], slot: int, source: IO[str]) -> None:
    """Train the runs in these folders, as the worker in this slot."""
    for _ in race([Run(Path(path)) for path in run_paths], Commands(source), slot):
        pass


def keep_freed_memory() -> None:
    """Let the allocator keep large freed blocks: else each step's tensors fault their pages in again (glibc only).

    Source: https://man7.org/linux/man-pages/man3/mallopt.3.html
    """
    import ctypes  # used on Linux only

    with contextlib.suppress(OSError, AttributeError):
        libc: Any = ctypes.CDLL("libc.so.6")
        trim_threshold, mmap_threshold, limit = -1, -3, 1 << 30
        libc.mallopt(mmap_threshold, limit)
        libc.mallopt(trim_threshold, limit)


if __name__ == "__main__":
    main(sys.argv[2:], int(sys.argv[1]), sys.stdin)
