"""Start processes that need not import torch: a small forking process has imported it and forks them.

The forking process holds one end of a socket. Each request names a function and its argument, and brings another socket,
which becomes the line to the new process. The forking process computes nothing that would start torch's thread pool or an
accelerator: neither survives a fork.
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
"""Maximum bytes of a request."""


class Forker:
    """Owner of one forking process; thread-safe.

    Args:
        prepare: functions as `module:function` that do the slow imports; called once in the forking process.
    """

    def __init__(self, *prepare: str) -> None:
        self._prepare = prepare
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None

    def warm_up(self) -> None:
        """Start the forking process now, so that it has imported torch before the first process is needed."""
        with self._lock:
            self._running_socket()

    def start(self, entry: str, argument: str) -> tuple[int, socket.socket]:
        """Start a process; return its id and a socket to it.

        Args:
            entry: the function that the process calls, as `module:function`, with `argument` and the descriptor of the other
                end of the socket; it returns the exit status.
            argument: a text; with `entry` as JSON at most `MESSAGE` bytes.
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
        """End the forking process; the processes that it started continue."""
        with self._lock:
            if self._socket is not None:
                self._socket.close()
            if self._process is not None:
                self._process.wait()
            self._process = self._socket = None

    def _request(self, entry: str, argument: str, theirs: socket.socket) -> int:
        line = self._running_socket()
        socket.send_fds(line, [json.dumps([entry, argument]).encode()], [theirs.fileno()])
        answer = line.recv(MESSAGE)
        if not answer:
            raise ConnectionError("the forking process has ended before it forked")
        return int(answer)

    def _running_socket(self) -> socket.socket:
        """Return the socket of the forking process; start the process if it is not running."""
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
    """Fork a process for each request until the other end of the line is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C ends the server, which closes the lines to the forked processes
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # forked processes leave no zombies
    for name in prepare:
        _import_function(name)()
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
            _run_and_exit(entry, argument, descriptors[0])
        os.close(descriptors[0])
        try:
            line.sendall(str(pid).encode())
        except BrokenPipeError:  # whoever asked was killed meanwhile
            return


def _run_and_exit(entry: str, argument: str, descriptor: int) -> None:
    """Call the function in the forked process, then end the process."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    status = 1
    try:
        status = _import_function(entry)(argument, descriptor)
    except BaseException:  # returning would continue the loop of the forking process; the traceback must not be lost
        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError):
                stream.flush()
        os._exit(status)  # skips exit handlers, which belong to the forking process


def _import_function(name: str) -> Callable[..., Any]:
    module, function = name.split(":")
    imported: Callable[..., Any] = getattr(importlib.import_module(module), function)
    return imported


if __name__ == "__main__":
    serve(socket.socket(fileno=0), sys.argv[1:])
    os._exit(0)  # skips exit handlers, whose warnings would appear in the terminal
