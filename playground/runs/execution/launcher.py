"""Starts workers: forked from a warm process where the system can fork, started afresh elsewhere."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Protocol

from playground import environment
from playground.forking import CAN_FORK, MESSAGE, Forker

PREPARE = "playground.runs.execution.launcher:prepare"
"""What a forking process has to do before it can start workers."""


class Worker(Protocol):
    """A training process, seen from the one that started it: a line to it, and word of its end."""

    pid: int

    def send(self, message: str) -> None:
        """Hand a command over; one to a worker that has just ended is lost, as it must be."""

    def hang_up(self) -> None:
        """Close the worker's standard input: it keeps its state and ends."""

    def wait(self) -> None:
        """Return when the process has ended, however it ended."""


class _Forked:
    """A worker on the other end of a socket. It never writes, so that reading returns when it has ended."""

    def __init__(self, pid: int, line: socket.socket) -> None:
        self.pid = pid
        self._line = line

    def send(self, message: str) -> None:
        with contextlib.suppress(OSError):
            self._line.sendall(f"{message}\n".encode())

    def hang_up(self) -> None:
        with contextlib.suppress(OSError):
            self._line.shutdown(socket.SHUT_WR)

    def wait(self) -> None:
        with contextlib.suppress(OSError):
            while self._line.recv(MESSAGE):
                pass
        self._line.close()


class _Spawned:
    """A worker that is a child of this process, with a pipe to it."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdin is not None
        self.pid = process.pid
        self._process, self._line = process, process.stdin

    def send(self, message: str) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._line.write(f"{message}\n")
            self._line.flush()

    def hang_up(self) -> None:
        with contextlib.suppress(OSError):
            self._line.close()

    def wait(self) -> None:
        self._process.wait()
        self.hang_up()


def start(run_path: Path, forker: Forker, place: int) -> Worker:
    """A worker that trains the run in this folder. Its place is its number among those that work at the same time, counted from 0."""
    if CAN_FORK:
        return _Forked(*forker.start("playground.runs.execution.launcher:become_worker", json.dumps([str(run_path), place])))
    return _spawn(run_path, place)


def _spawn(run_path: Path, place: int) -> Worker:
    with (run_path / "worker.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "playground.runs.execution.worker", str(run_path), str(place)],
            stdin=subprocess.PIPE, stdout=log, stderr=log, cwd=environment.ROOT, env={**os.environ, **environment.training_environment()}, encoding="utf-8",
        )  # fmt: skip
    return _Spawned(process)


def become_worker(argument: str, descriptor: int) -> int:
    """In the forked process: take the line as standard input and the run's log as output, and train."""
    run_path, place = json.loads(argument)
    os.dup2(descriptor, 0)
    log = os.open(Path(run_path) / "worker.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(descriptor)
    os.close(log)

    from playground.runs.execution.worker import main

    return main(run_path, place, os.fdopen(0, encoding="utf-8", closefd=False))


def prepare() -> None:
    """The slow imports: torch, and torch._dynamo, which the first optimizer imports."""
    import safetensors.torch  # noqa: F401
    import torch._dynamo
    import torch.utils.flop_counter  # noqa: F401

    import playground.runs.execution.worker  # noqa: F401
