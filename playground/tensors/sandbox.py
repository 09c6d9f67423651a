"""Runs each script in a process of its own, which is forked with everything imported and limited by the operating system.

A script shares nothing with the server or with other learners: no names, no random numbers, no freed memory.
The interpreter refuses what is not on its allow-list; the process guards against what the interpreter cannot foresee,
such as an operation that takes a minute or that crashes.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import math
import os
import signal
import socket
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from playground import environment
from playground.errors import BusyError, PlaygroundError
from playground.forking import CAN_FORK, Forker
from playground.messages import language, msg, translated

if CAN_FORK:
    import resource

PREPARE = "playground.tensors.script_task:prepare"
RUN = "playground.tensors.script_task:run_script"
CHECK_EXERCISE = "playground.tensors.exercises.grading:check_exercise"
COMPARE_DEVICES = "playground.tensors.device_benchmark:compare_devices"
"""Tasks, each as `module:function`."""
REPORT_SECONDS = 0.8
"""Processor time for the report on a script, in seconds."""
WALL_CLOCK_FACTOR = 20
"""Elapsed time that a process may take, as a multiple of its processor time. Only processor time is a script's own doing; this bound ends a process
that hangs, or that others keep from the processor."""
CHILD = "playground.tensors.sandbox:run_child"
"""What a forked process calls."""
OUT_OF_TIME = bytes([signal.SIGPROF]) if CAN_FORK else b""
"""Sent by a process instead of a result when its processor time is used up."""
EXTRA_MEMORY = 512 * 2**20
"""Bytes that a process may allocate after it was forked: the limit of the script's values, and memory to compute with."""
DONE, FAILED = b"\0", b"\1"
"""Last byte of a message, after the JSON of a result or of an error, ``[message, hint]``. Neither byte occurs in JSON, so a truncated message has none."""
CHUNK = 1 << 16
"""Bytes that are received at once."""
MAX_RESULT = 8 * 2**20
"""Bytes of a result, at most."""
Start = Callable[[str, str], tuple[int, socket.socket]]


class InProcessSandbox:
    """Runs tasks in the server's own process, one after another, on systems that cannot fork.

    There only the interpreter limits a script.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def run(self, task: str, request: Mapping[str, Any], _seconds: float | None = None) -> dict[str, Any]:
        """Run a task and return its result in the reader's language."""
        with self._lock:
            return translated(_load_task(task)(dict(request)))

    def run_to_json(self, task: str, request: Mapping[str, Any], seconds: float | None = None, *, yielding: bool = False) -> bytes:  # noqa: ARG002 (as `Sandbox` has it)
        """Run a task and return its result as JSON."""
        return _to_json(self.run(task, request, seconds))

    def close(self) -> None:
        """Do nothing: there is no process to end."""


def processor_seconds(scripts: int = 1) -> float:
    """Return the processor time for a process that runs a number of scripts and reports on each, in seconds."""
    return scripts * (environment.script_seconds() + REPORT_SECONDS)


def make_sandbox(forker: Forker, rehearsal: str = "") -> Sandbox | InProcessSandbox:
    """Return the sandbox for this system; `rehearsal` as for `Sandbox`."""
    return Sandbox(forker.start, rehearsal=rehearsal) if CAN_FORK else InProcessSandbox()


class Sandbox:
    """Runs tasks in processes of their own.

    Args:
        start: starts a process and returns its id and a connection to it, as `Forker.start` does.
        max_processes: processes that run at the same time, by default one a core; further tasks wait.
        rehearsal: a function as `module:function` that does what most tasks do. With one, a process that has called it is kept ready for the next
            task, which then waits neither for a fork nor for what PyTorch does once a process.
    """

    def __init__(self, start: Start, max_processes: int | None = None, rehearsal: str = "") -> None:
        self._start = start
        processes = max_processes or environment.cores()
        self._slots = threading.Semaphore(processes)
        self._yielding_slots = threading.Semaphore(max(1, processes - 1))
        self._rehearsal = rehearsal
        self._spare: tuple[int, socket.socket] | None = None
        self._spare_lock = threading.Lock()

    def run(self, task: str, request: Mapping[str, Any], seconds: float | None = None) -> dict[str, Any]:
        """Run a task and return its result, parsed; see `run_to_json`."""
        result: dict[str, Any] = json.loads(self.run_to_json(task, request, seconds))
        return result

    def run_to_json(self, task: str, request: Mapping[str, Any], seconds: float | None = None, *, yielding: bool = False) -> bytes:
        """Run a task and return its result as the JSON that its process wrote.

        Args:
            task: a function as `module:function`, which takes the request and returns the result, both plain data.
            request: argument of the task.
            seconds: limit on the processor time; by default that of one script.
            yielding: whether tasks of this kind leave one of several processes to others, so that a script never waits for them alone.

        Raises:
            PlaygroundError: the task raised it, used up its processor time, returned too much, or its process ended without a result.
            BusyError: there was no result within `WALL_CLOCK_FACTOR` times that, because the process waited.
        """
        with self._yielding_slots if yielding else contextlib.nullcontext(), self._slots:
            pid, connection = self._take_spare() or self._start(CHILD, "")
            if self._rehearsal:
                threading.Thread(target=self._keep_spare, daemon=True).start()
            with connection:
                return _exchange(pid, connection, task, request, seconds or processor_seconds())

    def close(self) -> None:
        """Let the process that is kept ready end."""
        with self._spare_lock:
            self._rehearsal = ""
            if self._spare:
                self._spare[1].close()

    def _take_spare(self) -> tuple[int, socket.socket] | None:
        """Return the process that is kept ready; None if there is none, or if it was killed meanwhile."""
        with self._spare_lock:
            spare, self._spare = self._spare, None
        if spare is not None and _has_ended(spare[1]):
            spare[1].close()
            return None
        return spare

    def _keep_spare(self) -> None:
        with self._spare_lock:
            if self._rehearsal:
                self._spare = self._spare or self._start(CHILD, self._rehearsal)


def _has_ended(connection: socket.socket) -> bool:
    """Return whether the process at the other end is gone: before its request, a process sends nothing."""
    try:
        connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return False
    except OSError:
        pass
    return True


def _exchange(pid: int, connection: socket.socket, task: str, request: Mapping[str, Any], seconds: float) -> bytes:
    """Send a task to a process and receive its result."""
    wall_seconds = WALL_CLOCK_FACTOR * seconds
    deadline = time.monotonic() + wall_seconds
    received = bytearray()
    try:
        connection.sendall(json.dumps([task, seconds, language.get(), request]).encode())
        connection.shutdown(socket.SHUT_WR)
        while part := _receive(connection, deadline):
            received += part
            if received.startswith(OUT_OF_TIME):
                _kill(pid)
                raise PlaygroundError(
                    msg("The script took longer than {seconds:.0f} seconds of processor time, so it was stopped.", seconds=seconds),
                    msg("One of its operations is too much work. Make its tensors smaller."),
                )
            if len(received) > MAX_RESULT:
                _kill(pid)
                raise PlaygroundError(msg("The script’s result is too large to show."), msg("Print less, or keep fewer and smaller tensors."))
    except TimeoutError:
        _kill(pid)
        raise BusyError(
            msg("The server was too busy: the script had no result after {seconds:.0f} seconds.", seconds=wall_seconds),
            msg("Nothing is wrong with your script. Try again in a moment."),
        ) from None
    except OSError:
        received.clear()
    document, status = bytes(received[:-1]), received[-1:]
    if status == FAILED:
        raise PlaygroundError(*json.loads(document))
    if status != DONE:  # empty or truncated
        raise PlaygroundError(
            msg("The process of this script ended before it returned a result."),
            msg("It ran out of memory, or an operation crashed PyTorch. Make its tensors smaller."),
        )
    return document


def _receive(connection: socket.socket, deadline: float) -> bytes:
    """Receive the next bytes of a result; empty at its end.

    Raises:
        TimeoutError: the deadline has passed.
    """
    remaining = deadline - time.monotonic()
    if remaining <= 0:
        raise TimeoutError
    connection.settimeout(remaining)
    return connection.recv(CHUNK)


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def run_child(rehearsal: str, descriptor: int) -> int:
    """Serve one request in the forked process: call the rehearsal, if there is one, read the request, limit the process, run the task, send the result."""
    if rehearsal:
        _load_task(rehearsal)({})
    connection = socket.socket(fileno=descriptor)
    received = b""
    while part := connection.recv(CHUNK):
        received += part
    if not received:
        return 0  # the server closed the connection
    task, seconds, wanted, request = json.loads(received)
    language.set(wanted)
    limit_processor_time(seconds)
    limit_memory_and_files()
    reseed()
    with _time_limit(connection, seconds):
        message = message_of(lambda: _load_task(task)(request))
    connection.sendall(message)
    connection.close()
    return 0


@contextlib.contextmanager
def _time_limit(connection: socket.socket, seconds: float) -> Iterator[None]:
    """Send `OUT_OF_TIME` when the processor time is used up, even during a native operation: Python writes the signal's number to the connection."""
    connection.setblocking(False)
    signal.signal(signal.SIGPROF, lambda _number, _frame: None)
    signal.set_wakeup_fd(connection.fileno())
    signal.setitimer(signal.ITIMER_PROF, seconds)
    yield
    signal.setitimer(signal.ITIMER_PROF, 0)
    signal.set_wakeup_fd(-1)
    connection.setblocking(True)


def message_of(make: Callable[[], Any]) -> bytes:
    """Return the message with what `make` returns, or with its error; print the traceback of a bug in the playground."""
    try:
        return _to_json(make()) + DONE
    except PlaygroundError as error:
        return _failure(error.message, error.hint)
    except MemoryError:
        return _failure(msg("The script ran out of memory."), msg("Make its tensors smaller."))
    except Exception as error:
        if isinstance(error, RuntimeError) and ("can't allocate memory" in str(error) or "out of memory" in str(error)):  # no text: PyTorch's message
            return _failure(msg("The script ran out of memory."), msg("Make its tensors smaller."))
        with contextlib.suppress(OSError):  # this process may not write files, and the server's output may be one
            traceback.print_exc()
        return _failure(
            msg("The playground has a bug that stopped this script; the script itself may be right."),
            msg("Try to write it another way, and report the error with the script."),
        )


def _failure(message: str, hint: str) -> bytes:
    return _to_json([message, hint]) + FAILED


def _to_json(value: Any) -> bytes:
    """Convert to JSON in the reader's language, escaped to ASCII; a lone surrogate in a learner's text could not be encoded otherwise."""
    return json.dumps(translated(value), separators=(",", ":")).encode()


def _load_task(task: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    module, function = task.split(":")
    loaded: Callable[[dict[str, Any]], dict[str, Any]] = getattr(importlib.import_module(module), function)
    return loaded


def limit_processor_time(seconds: float) -> None:
    """Let the operating system end this process when it has used so much more processor time: inside of a native operation nothing else can."""
    soft, hard = math.ceil(time.process_time() + seconds) + 1, resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


def limit_memory_and_files() -> None:
    """Let the operating system limit the memory of this process, and forbid it to write files."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    if used := _data_bytes():
        resource.setrlimit(resource.RLIMIT_DATA, (used + EXTRA_MEMORY, used + EXTRA_MEMORY))


def _data_bytes() -> int:
    """Return the bytes of private memory of this process; 0 on systems that do not report them."""
    with contextlib.suppress(OSError):
        for text in Path("/proc/self/status").read_text().splitlines():
            if text.startswith("VmData:"):
                return int(text.split()[1]) * 1024
    return 0


def reseed() -> None:
    """Seed the random generators again; a fork would otherwise continue the sequences of its parent."""
    import numpy as np  # the server starts without torch
    import torch

    torch.seed()
    np.random.seed(int.from_bytes(os.urandom(4)))


def run_once(source: str, task: str = RUN) -> dict[str, Any]:
    """Run a script for the command line, in a process of its own.

    Returns:
        The task's result without the statements; of a script that was ended by force, only an error.
    """
    request = {"source": source, "brief": True}
    if not CAN_FORK:
        return InProcessSandbox().run(task, request)
    forker = Forker(PREPARE)
    try:
        return Sandbox(forker.start).run(task, request)
    except PlaygroundError as error:
        span = {"line": None, "start": 0, "end": 0}
        failure: dict[str, Any] = {**span, "message": error.message, "explanation": error.hint, "alignment": None, "fix": None, "fixes": []}
        return {"names": {}, "output": "", "warnings": [], "error": failure}
    finally:
        forker.close()
