"""Start workers: forked from a process that has imported torch, or as new processes on systems that cannot fork."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from playground import environment
from playground.forking import CAN_FORK, MESSAGE, Forker
from playground.runs.run import Run

PREPARE = "playground.runs.execution.preparation:prepare"
"""The function that a forking process calls before it starts workers."""


class Worker(Protocol):
    """A training process, as the process that started it sees it."""

    pid: int

    def send(self, message: str) -> None:
        """Send a command; ignore that the worker may just have ended."""

    def hang_up(self) -> None:
        """Close the worker's standard input: it saves a checkpoint and ends."""

    def wait(self) -> None:
        """Wait until the process has ended for any reason."""


class _Forked:
    """A worker at the other end of a socket. It never writes, so reading returns when it has ended."""

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
    """A worker that is a child process, with a pipe to it."""

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


def start(runs: Sequence[Run], forker: Forker, slot: int) -> Worker:
    """Start a worker that trains these runs; `slot` is its index among the workers that run at the same time, from 0."""
    if CAN_FORK:
        folder, names = str(runs[0].path.parent), [run.id for run in runs]  # a request is short, so the folder is in it once
        return _Forked(*forker.start("playground.runs.execution.launcher:become_worker", json.dumps([folder, names, slot])))
    return _spawn([run.path for run in runs], slot)


def _spawn(run_paths: Sequence[Path], slot: int) -> Worker:
    with (run_paths[0] / "worker.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "playground.runs.execution.worker", str(slot), *map(str, run_paths)],
            stdin=subprocess.PIPE, stdout=log, stderr=log, cwd=environment.ROOT, env={**os.environ, **environment.training_environment()}, encoding="utf-8",
        )  # fmt: skip
    return _Spawned(process)


def become_worker(argument: str, descriptor: int) -> int:
    """Train in the forked process, with the socket as standard input and the first run's log as output; return the exit status."""
    folder, names, slot = json.loads(argument)
    run_paths = [Path(folder) / name for name in names]
    os.dup2(descriptor, 0)
    log = os.open(run_paths[0] / "worker.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(descriptor)
    os.close(log)

    from playground.runs.execution.worker import main  # imports torch; the server starts without it

    main(run_paths, slot, os.fdopen(0, encoding="utf-8", closefd=False))
    return 0
