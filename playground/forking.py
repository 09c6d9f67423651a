"""Starts processes that are warm at once: a small process that has imported torch and forks.

The forking process holds one end of a socket. Each request names a function and its argument, and brings a socket
of its own for the new process. It computes nothing that starts torch's thread pool or an accelerator: neither
survives a fork.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable
from typing import Any

from playground import environment

CAN_FORK = hasattr(os, "fork") and hasattr(socket, "send_fds")
"""Linux and macOS; not Windows."""
MESSAGE = 4096


class Forker:
    """Forks processes from one that is warm. Safe to use from many threads.

    Args:
        prepare: functions as `module:function`, called once in the forking process, that do the slow imports.
    """

    def __init__(self, *prepare: str) -> None:
        self._prepare = prepare
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None

    def warm_up(self) -> None:
        """Start the forking process now; it imports torch while nobody waits."""
        with self._lock:
            self._ensure()

    def start(self, entry: str, argument: str) -> tuple[int, socket.socket]:
        """A new process, and the line to it.

        Args:
            entry: the function it calls, as `module:function`; it is given `argument` and the other end's descriptor,
                and returns the exit status.
            argument: any text that fits in a message.
        """
        ours, theirs = socket.socketpair()
        with self._lock, theirs:
            try:
                pid = self._request(entry, argument, theirs)
            except OSError:  # the forking process was killed: a new one takes its place
                self._process = None
                pid = self._request(entry, argument, theirs)
        return pid, ours

    def close(self) -> None:
        """End the forking process; processes that it started go on."""
        with self._lock:
            if self._socket is not None:
                self._socket.close()
            if self._process is not None:
                self._process.wait()
            self._process = self._socket = None

    def _request(self, entry: str, argument: str, theirs: socket.socket) -> int:
        line = self._ensure()
        socket.send_fds(line, [json.dumps([entry, argument]).encode()], [theirs.fileno()])
        answer = line.recv(MESSAGE)
        if not answer:
            raise ConnectionError("the forking process has ended")
        return int(answer)

    def _ensure(self) -> socket.socket:
        if self._process is None or self._process.poll() is not None or self._socket is None:
            if self._socket is not None:
                self._socket.close()
            self._socket, theirs = socket.socketpair()
            command = [sys.executable, "-m", "playground.forking", *self._prepare]
            variables = {**os.environ, **environment.training_environment()}
            with theirs:
                self._process = subprocess.Popen(command, stdin=theirs.fileno(), cwd=environment.ROOT, env=variables)
        return self._socket


def serve(line: socket.socket, prepare: list[str]) -> None:
    """Fork a process for every request, until the other end closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is for the server; what was forked ends when its line closes
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # ended processes leave nothing behind
    for name in prepare:
        _function(name)()
    gc.collect()
    gc.freeze()  # a collection in a forked process would touch, and so copy, every page
    while True:
        message, descriptors, _flags, _address = socket.recv_fds(line, MESSAGE, 1)
        if not message:
            return
        pid = os.fork()
        if pid == 0:
            line.close()
            entry, argument = json.loads(message)
            _become(entry, argument, descriptors[0])
        os.close(descriptors[0])
        line.sendall(str(pid).encode())


def _become(entry: str, argument: str, descriptor: int) -> None:
    """In the forked process: call the function, and end."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    status = 1
    try:
        status = _function(entry)(argument, descriptor)
    except BaseException:  # nothing may return into the forking process's own code, and nothing may be lost
        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError):
                stream.flush()
        os._exit(status)  # no clean-up: it belongs to the process that this one was forked from


def _function(name: str) -> Callable[..., Any]:
    module, function = name.split(":")
    found: Callable[..., Any] = getattr(importlib.import_module(module), function)
    return found


if __name__ == "__main__":
    serve(socket.socket(fileno=0), sys.argv[1:])
    os._exit(0)  # what libraries complain of when Python tidies them away is not for the terminal
