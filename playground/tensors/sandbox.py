"""Runs learners' scripts each in a process of its own, which is forked warm, bounded by the system, and ended in time.

A script shares nothing with the server or with other learners: not names, not random numbers, not freed memory.
The interpreter refuses what it must by itself; the process is for what no allow-list can foresee, such as an
operation that takes a minute or that crashes.
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
from playground.errors import PlaygroundError
from playground.forking import CAN_FORK, Forker

PREPARE = "playground.tensors.script_task:prepare"
RUN = "playground.tensors.script_task:run_script"
CHECK_EXERCISE = "playground.tensors.exercises.grading:check_exercise"
COMPARE_DEVICES = "playground.tensors.device_benchmark:compare_devices"
"""Tasks, each as `module:function`."""
REPORT_SECONDS = 0.8
"""Processor time for what follows a script: its report."""
WALL_CLOCK_FACTOR = 20
"""How many times its processor time a process may take on the clock, where others use the processor, too."""
OUT_OF_TIME = bytes([signal.SIGPROF]) if CAN_FORK else b""
"""What a process sends instead of an answer when its processor time is used up."""
EXTRA_MEMORY = 512 * 2**20
"""Bytes that a script's process may take beyond what it started with: the bound of its values, and room to compute."""
DONE, FAILED = b"\0", b"\1"
"""Last byte of an answer, after the JSON of a result or of an error, ``[message, hint]``. JSON has neither byte: an answer cut short has none."""
CHUNK = 1 << 16
MAX_RESULT = 8 * 2**20
"""Bytes of an answer."""
Start = Callable[[str, str], tuple[int, socket.socket]]


class InProcessSandbox:
    """Does what is asked in the server's own process, one after another: for systems that cannot fork.

    A script is bounded by the interpreter alone there.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def run(self, task: str, request: Mapping[str, Any], _seconds: float | None = None) -> dict[str, Any]:
        with self._lock:
            return _load_task(task)(dict(request))

    def run_to_json(self, task: str, request: Mapping[str, Any], seconds: float | None = None) -> bytes:
        return _to_json(self.run(task, request, seconds))


def processor_seconds(scripts: int = 1) -> float:
    """Processor time for a process that runs so many scripts and reports on each."""
    return scripts * (environment.script_seconds() + REPORT_SECONDS)


def make_sandbox(forker: Forker) -> Sandbox | InProcessSandbox:
    """Return the sandbox for this system."""
    return Sandbox(forker.start) if CAN_FORK else InProcessSandbox()


class Sandbox:
    """Hands requests to processes.

    Args:
        start: makes a process and the line to it, as `Forker.start` does.
        at_once: how many work at the same time; the others wait.
    """

    def __init__(self, start: Start, at_once: int | None = None) -> None:
        self._start = start
        self._slots = threading.Semaphore(at_once or environment.cores())

    def run(self, task: str, request: Mapping[str, Any], seconds: float | None = None) -> dict[str, Any]:
        """Run a task and return its result, parsed; see `run_to_json`."""
        result: dict[str, Any] = json.loads(self.run_to_json(task, request, seconds))
        return result

    def run_to_json(self, task: str, request: Mapping[str, Any], seconds: float | None = None) -> bytes:
        """Run a task and return its result as the JSON that its process wrote.

        Args:
            task: a function as `module:function`; takes the request and returns its answer, both plain data.
            seconds: processor time that it may use, else that of one script; then the process is ended.

        Raises:
            PlaygroundError: it took too long, or it ended without an answer.
        """
        with self._slots:
            pid, line = self._start("playground.tensors.sandbox:run_child", task)
            with line:
                return _exchange(pid, line, request, seconds or processor_seconds())


def _exchange(pid: int, line: socket.socket, request: Mapping[str, Any], seconds: float) -> bytes:
    wall_seconds = WALL_CLOCK_FACTOR * seconds
    deadline = time.monotonic() + wall_seconds
    received = bytearray()
    try:
        line.sendall(json.dumps([seconds, request]).encode())
        line.shutdown(socket.SHUT_WR)
        while part := _receive(line, deadline):
            received += part
            if received.startswith(OUT_OF_TIME):
                _kill(pid)
                raise PlaygroundError(
                    f"The script took longer than {seconds:.0f} seconds of processor time, so it was stopped.",
                    "One of its operations is too much work. Make its tensors smaller.",
                )
            if len(received) > MAX_RESULT:
                _kill(pid)
                raise PlaygroundError("The script’s result is too large to show.", "Print less, or keep fewer and smaller tensors.")
    except TimeoutError:
        _kill(pid)
        raise PlaygroundError(
            f"There was no result within {wall_seconds:.0f} seconds, so the script was stopped.",
            "The computer is very busy, or an operation hangs. Run it again.",
        ) from None
    except OSError:
        received.clear()
    answer, status = bytes(received[:-1]), received[-1:]
    if status == FAILED:
        raise PlaygroundError(*json.loads(answer))
    if status != DONE:  # empty or cut short
        raise PlaygroundError(
            "The process of this script ended before it returned a result.", "It ran out of memory, or an operation crashed PyTorch. Make its tensors smaller."
        )
    return answer


def _receive(line: socket.socket, deadline: float) -> bytes:
    """Receive the next bytes of a result, empty at its end; the deadline counts for all parts together."""
    remaining = deadline - time.monotonic()
    if remaining <= 0:
        raise TimeoutError
    line.settimeout(remaining)
    return line.recv(CHUNK)


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def run_child(task: str, descriptor: int) -> int:
    """Serve one request in the forked process: read it, limit the process, run the task, send the result."""
    line = socket.socket(fileno=descriptor)
    received = b""
    while part := line.recv(CHUNK):
        received += part
    if not received:
        return 0  # the server closed the connection
    seconds, request = json.loads(received)
    _limit_resources(math.ceil(seconds) + 1)
    _reseed()
    with _timed(line, seconds):
        answer = _run_task(task, request)
    line.sendall(answer)
    line.close()
    return 0


@contextlib.contextmanager
def _timed(line: socket.socket, seconds: float) -> Iterator[None]:
    """Send `OUT_OF_TIME` when the processor time is used up, even in the middle of a native operation: Python's signal handler writes to the line itself."""
    line.setblocking(False)
    signal.signal(signal.SIGPROF, lambda _number, _frame: None)
    signal.set_wakeup_fd(line.fileno())
    signal.setitimer(signal.ITIMER_PROF, seconds)
    yield
    signal.setitimer(signal.ITIMER_PROF, 0)
    signal.set_wakeup_fd(-1)
    line.setblocking(True)


def _run_task(task: str, request: dict[str, Any]) -> bytes:
    """Run the task and return its answer with its last byte; print the traceback of the playground's own bug and say in the answer that it is one."""
    try:
        return _to_json(_load_task(task)(request)) + DONE
    except PlaygroundError as error:
        return _failure(error.message, error.hint)
    except MemoryError:
        return _failure("The script ran out of memory.", "Make its tensors smaller.")
    except Exception as error:
        if isinstance(error, RuntimeError) and ("can't allocate memory" in str(error) or "out of memory" in str(error)):
            return _failure("The script ran out of memory.", "Make its tensors smaller.")
        with contextlib.suppress(OSError):  # this process may write no file, and the server's own output may be one
            traceback.print_exc()
        return _failure(
            "The playground has a bug that stopped this script; the script itself may be right.",
            "Try to write it another way, and report the error with the script.",
        )


def _failure(message: str, hint: str) -> bytes:
    return _to_json([message, hint]) + FAILED


def _to_json(answer: Any) -> bytes:
    """Write JSON in ASCII: a lone surrogate in a learner's text could not be encoded otherwise."""
    return json.dumps(answer, separators=(",", ":")).encode()


def _load_task(task: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    module, function = task.split(":")
    work: Callable[[dict[str, Any]], dict[str, Any]] = getattr(importlib.import_module(module), function)
    return work


def _limit_resources(seconds: int) -> None:
    """Have the system hold this process to its time and memory, and let it write no file."""
    import resource  # Windows has no such module

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    if used := _data_bytes():
        resource.setrlimit(resource.RLIMIT_DATA, (used + EXTRA_MEMORY, used + EXTRA_MEMORY))


def _data_bytes() -> int:
    """Bytes of private memory that this process has; 0 where the system does not tell."""
    with contextlib.suppress(OSError):
        for text in Path("/proc/self/status").read_text().splitlines():
            if text.startswith("VmData:"):
                return int(text.split()[1]) * 1024
    return 0


def _reseed() -> None:
    """Seed the random number generators anew; a fork would otherwise continue those of its parent."""
    import numpy as np  # only the process of a script has torch
    import torch

    torch.seed()
    np.random.seed(int.from_bytes(os.urandom(4)))


def run_once(source: str, task: str = RUN) -> dict[str, Any]:
    """Run a script for the command line, in a process of its own.

    Returns:
        What the task answers, in brief; a script that had to be ended has an error and nothing else.
    """
    request = {"source": source, "brief": True}
    if not CAN_FORK:
        return _load_task(task)(request)
    forker = Forker(PREPARE)
    try:
        return Sandbox(forker.start).run(task, request)
    except PlaygroundError as error:
        place = {"line": None, "start": 0, "end": 0}
        fault: dict[str, Any] = {**place, "message": error.message, "explanation": error.hint, "alignment": None, "fix": None, "fixes": []}
        return {"names": {}, "output": "", "warnings": [], "error": fault}
    finally:
        forker.close()
