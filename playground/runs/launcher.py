"""Starts workers that are warm at once: a small process that has imported torch and forks.

The launcher holds one end of a socket. Each request names a run's folder and brings a socket of its own,
which becomes the new worker's standard input. The launcher computes nothing, so that it never starts torch's
thread pool or an accelerator: neither survives a fork. Where the system cannot fork, workers are started afresh.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import traceback
from pathlib import Path
from typing import Protocol

from playground import settings

CAN_FORK = hasattr(os, "fork") and hasattr(socket, "send_fds")
MESSAGE = 4096


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


class Launcher:
    """Starts workers, from a forking process where there can be one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None

    def warm_up(self) -> None:
        """Start the forking process now; it imports torch while nobody waits."""
        if CAN_FORK:
            with self._lock:
                self._ensure()

    def start(self, run_path: Path) -> Worker:
        """A worker that trains the run in this folder."""
        return self._fork(run_path) if CAN_FORK else _spawn(run_path)

    def close(self) -> None:
        """End the forking process; workers that it started go on until their line closes."""
        with self._lock:
            if self._socket is not None:
                self._socket.close()
            if self._process is not None:
                self._process.wait()
            self._process = self._socket = None

    def _fork(self, run_path: Path) -> Worker:
        ours, theirs = socket.socketpair()
        with self._lock, theirs:
            try:
                pid = self._request(run_path, theirs)
            except OSError:  # the forking process was killed: a new one takes its place
                self._process = None
                pid = self._request(run_path, theirs)
        return _Forked(pid, ours)

    def _request(self, run_path: Path, theirs: socket.socket) -> int:
        """Have a worker forked; returns its process identifier."""
        line = self._ensure()
        socket.send_fds(line, [json.dumps({"run": str(run_path)}).encode()], [theirs.fileno()])
        answer = line.recv(MESSAGE)
        if not answer:
            raise ConnectionError("the launcher has ended")
        return int(answer)

    def _ensure(self) -> socket.socket:
        if self._process is None or self._process.poll() is not None or self._socket is None:
            if self._socket is not None:
                self._socket.close()
            self._socket, theirs = socket.socketpair()
            with theirs:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "playground.runs.launcher"], stdin=theirs.fileno(), cwd=settings.ROOT, env=_environment()
                )
        return self._socket


def _spawn(run_path: Path) -> Worker:
    with (run_path / "worker.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "playground.runs.worker", str(run_path)],
            stdin=subprocess.PIPE, stdout=log, stderr=log, cwd=settings.ROOT, env=_environment(), encoding="utf-8",
        )  # fmt: skip
    return _Spawned(process)


def _environment() -> dict[str, str]:
    return {**os.environ, **settings.training_environment()}


def serve(line: socket.socket) -> None:
    """Fork a worker for every request, until the other end closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is for the server; workers end when their line closes
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # ended workers leave nothing behind
    _import_all_that_workers_need()
    while True:
        message, descriptors, _flags, _address = socket.recv_fds(line, MESSAGE, 1)
        if not message:
            return
        pid = os.fork()
        if pid == 0:
            line.close()
            _become_worker(json.loads(message)["run"], descriptors[0])
        os.close(descriptors[0])
        line.sendall(str(pid).encode())


def _become_worker(run_path: str, descriptor: int) -> None:
    """In the forked process: take the line as standard input and the run's log as output, train, and end."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    status = 1
    try:
        os.dup2(descriptor, 0)
        log = os.open(Path(run_path) / "worker.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.close(descriptor)
        os.close(log)

        from playground.runs.worker import main

        status = main(run_path, os.fdopen(0, encoding="utf-8", closefd=False))
    except BaseException:  # nothing may return into the launcher's own code, and nothing may be lost
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _import_all_that_workers_need() -> None:
    """The slow imports: torch, and torch._dynamo, which the first optimizer imports."""
    import safetensors.torch  # noqa: F401
    import torch._dynamo
    import torch.utils.flop_counter  # noqa: F401

    import playground.runs.worker  # noqa: F401


if __name__ == "__main__":
    serve(socket.socket(fileno=0))
