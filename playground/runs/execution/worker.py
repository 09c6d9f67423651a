"""The process that trains one run: takes commands on its standard input, and ends when that closes."""

from __future__ import annotations

import contextlib
import errno
import json
import queue
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import torch

from playground import device as devices
from playground import environment
from playground.errors import DivergedError, PlaygroundError, RunError
from playground.messages import msg
from playground.runs.execution.commands import Command
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


class InputClosed(Exception):
    """The process that sends the commands has ended."""


class Commands:
    """The queue of commands that were received and not yet executed; a thread reads its source, so that training never waits for it."""

    def __init__(self, source: IO[str] | None) -> None:
        self._queue: queue.Queue[Command | None] = queue.Queue()
        if source is not None:
            threading.Thread(target=self._read, args=(source,), daemon=True).start()

    def take(self, *, wait: bool) -> Command | None:
        """Return the next command; None if there is none and `wait` is false.

        Raises:
            InputClosed: the source is closed.
        """
        try:
            command = self._queue.get(block=wait)
        except queue.Empty:
            return None
        if command is None:
            raise InputClosed
        return command

    def _read(self, source: IO[str]) -> None:
        with contextlib.suppress(OSError):
            for line in source:
                document = json.loads(line)
                self._queue.put(Command(document["command"], document["value"]))
        self._queue.put(None)


def execute(run: Run, commands: Commands | None = None, slot: int = 0) -> Iterator[Event]:
    """Train a run from its last checkpoint to its end; record and yield every event.

    Args:
        run: the run.
        commands: the commands to execute between steps.
        slot: index of the worker among those that run at the same time; with several accelerators, each slot has another one.

    Raises:
        PlaygroundError: the run could not go on; it is recorded as failed.
    """
    with run.lock.hold():
        record: Callable[[Event], object]
        with run.journal.recorder() as record:
            try:
                for event in _obey(run, commands or Commands(None), record, slot):
                    record(event)
                    yield event
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
    """Yield the run's events; execute commands between them."""
    threads = environment.training_threads()
    torch.set_num_threads(threads)
    keep_freed_memory()
    training = _restored_training(run, slot)
    yield Started(time.time(), training.step, training.total_steps, training.steps_per_epoch, str(training.device), threads)
    training.flush_each_step = False
    pause = _Pause(run, training, commands, record)
    try:
        for event in training.events():
            yield event  # recorded first, with all steps before it, so that no checkpoint is ahead of the record
            if isinstance(event, Checkpoint):
                run.checkpoints.save(training.state())
            if isinstance(event, Step) and event.step == training.step:
                pause.between_steps(event.step)
    except _Stop:
        record(Checkpoint(training.step))
        run.checkpoints.save(training.state())
        yield Stopped(time.time(), training.step)
    except InputClosed:
        record(Checkpoint(training.step))
        run.checkpoints.save(training.state())
    except DivergedError as error:
        diverged = divergence.find(_restored_training(run, slot), error.step)
        record(diverged)
        raise DivergedError(error.loss, error.step, divergence.describe(diverged, [layer.type for layer in run.network.layers])) from None


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
    """Blocks the loop between two steps while the run is paused; the command `step` lets one step pass."""

    def __init__(self, run: Run, training: Training, commands: Commands, record: Callable[[Event], object]) -> None:
        self._run, self._training, self._commands, self._record = run, training, commands, record
        self._paused = False
        self._stepping = False

    def between_steps(self, step: int) -> None:
        if self._stepping:
            self._pause(step)
        while command := self._commands.take(wait=self._paused):
            self._obey(command, step)
            if command.name == "step":
                return

    def _pause(self, step: int) -> None:
        self._paused, self._stepping = True, False
        self._training.flush_each_step = True
        self._record(Paused(step))

    def _resume(self, step: int) -> None:
        self._paused = False
        self._training.flush_each_step = False
        self._record(Resumed(step))

    def _obey(self, command: Command, step: int) -> None:
        match command.name:
            case "pause" if not self._paused:
                self._pause(step)
            case "resume" if self._paused:
                self._resume(step)
            case "step":
                self._resume(step)
                self._training.flush_each_step = self._training.record_closeup = True
                self._stepping = True
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


def main(run_path: str, slot: int, source: IO[str]) -> int:
    """Train the run in this folder, as the worker in this slot; return the exit status."""
    try:
        for _event in execute(Run(Path(run_path)), Commands(source), slot):
            pass
    except PlaygroundError as error:
        print(error, file=sys.stderr)
        return 1
    except Exception:
        traceback.print_exc()
        return 1
    return 0


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
    sys.exit(main(sys.argv[1], int(sys.argv[2]), sys.stdin))
