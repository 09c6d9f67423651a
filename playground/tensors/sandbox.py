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

from playground import device, environment
from playground.errors import PlaygroundError
from playground.forking import CAN_FORK, Forker

PREPARE = "playground.tensors.sandbox:prepare"
RUN = "playground.tensors.sandbox:run_script"
CHECK = "playground.tensors.exercises.checking:try_exercise"
RACE = "playground.tensors.device_benchmark:race"
"""The tasks."""
REPORT_SECONDS = 0.8
"""Processor time for what follows a script: its report."""
LATENESS = 20
"""How many times its processor time a process may take on the clock, where others use the processor, too."""
OUT_OF_TIME = bytes([signal.SIGPROF]) if CAN_FORK else b""
"""What a process sends instead of an answer when its processor time is used up."""
EXTRA = 512 * 2**20
"""Bytes that a script's process may take beyond what it started with: the bound of its values, and room to compute."""
RECEIVED = 1 << 16
LONGEST_ANSWER = 8 * 2**20
"""Bytes of an answer."""
Start = Callable[[str, str], tuple[int, socket.socket]]


class Desk:
    """Does what is asked in the server's own process, one after another: for systems that cannot fork.

    A script is bounded by the interpreter alone there.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def ask(self, task: str, request: Mapping[str, Any], _seconds: float | None = None) -> dict[str, Any]:
        with self._lock:
            return _work(task)(dict(request))


def processor_seconds(scripts: int = 1) -> float:
    """Processor time for a process that runs so many scripts and reports on each."""
    return scripts * (environment.script_seconds() + REPORT_SECONDS)


def sandbox(forker: Forker) -> Sandbox | Desk:
    """What runs scripts on this system."""
    return Sandbox(forker.start) if CAN_FORK else Desk()


class Sandbox:
    """Hands requests to processes.

    Args:
        start: makes a process and the line to it, as `Forker.start` does.
        at_once: how many work at the same time; the others wait.
    """

    def __init__(self, start: Start, at_once: int | None = None) -> None:
        self._start = start
        self._places = threading.Semaphore(at_once or environment.cores())

    def ask(self, task: str, request: Mapping[str, Any], seconds: float | None = None) -> dict[str, Any]:
        """What the task answers.

        Args:
            task: a function as `module:function`; takes the request and returns its answer, both plain data.
            seconds: processor time that it may use, else that of one script; then the process is ended.

        Raises:
            PlaygroundError: it took too long, or it ended without an answer.
        """
        with self._places:
            pid, line = self._start("playground.tensors.sandbox:become", task)
            with line:
                return _answer(pid, line, request, seconds or processor_seconds())


def _answer(pid: int, line: socket.socket, request: Mapping[str, Any], seconds: float) -> dict[str, Any]:
    patience = LATENESS * seconds
    ends = time.monotonic() + patience
    received = bytearray()
    try:
        line.sendall(json.dumps([seconds, request]).encode())
        line.shutdown(socket.SHUT_WR)
        while part := _part(line, ends):
            received += part
            if received.startswith(OUT_OF_TIME):
                _kill(pid)
                raise PlaygroundError(
                    f"This took longer than {seconds:.0f} seconds of processor time, so it was stopped.",
                    "One of its operations is too much work: make its tensors smaller.",
                )
            if len(received) > LONGEST_ANSWER:
                _kill(pid)
                raise PlaygroundError("This result is too long to be shown.", "Print or keep less.")
    except TimeoutError:
        _kill(pid)
        raise PlaygroundError(
            f"There was no answer within {patience:.0f} seconds, so this was stopped.", "The computer is very busy, or an operation hangs. Try it once more."
        ) from None
    except OSError:
        received.clear()
    try:
        answer: dict[str, Any] = json.loads(received)
    except ValueError:  # nothing, or the beginning of something
        raise PlaygroundError(
            "The process of this script ended before its answer.", "It needed too much memory, or an operation crashed PyTorch. Make its tensors smaller."
        ) from None
    if refused := answer.get("refused_with"):
        raise PlaygroundError(*refused)
    return answer


def _part(line: socket.socket, ends: float) -> bytes:
    """The next bytes of an answer, empty at its end; a process that sends slowly is late, too."""
    left = ends - time.monotonic()
    if left <= 0:
        raise TimeoutError
    line.settimeout(left)
    return line.recv(RECEIVED)


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def become(task: str, descriptor: int) -> int:
    """In the forked process: read the request, bound the process, do the task, send the answer."""
    line = socket.socket(fileno=descriptor)
    received = b""
    while part := line.recv(RECEIVED):
        received += part
    if not received:
        return 0  # whoever asked is gone
    seconds, request = json.loads(received)
    _bound(math.ceil(seconds) + 1)
    _stir()
    with _timed(line, seconds):
        answer = json.dumps(_done(task, request)).encode()
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


def _done(task: str, request: dict[str, Any]) -> dict[str, Any]:
    """The task's answer. A mistake of the playground's own is written where the server writes, and the learner is told that it is one."""
    try:
        return _work(task)(request)
    except PlaygroundError as error:
        return {"refused_with": [error.message, error.hint]}
    except MemoryError:
        return {"refused_with": ["This needed too much memory.", "Make its tensors smaller."]}
    except Exception as error:
        if isinstance(error, RuntimeError) and ("can't allocate memory" in str(error) or "out of memory" in str(error)):
            return {"refused_with": ["This needed too much memory.", "Make its tensors smaller."]}
        with contextlib.suppress(OSError):  # this process may write no file, and the server's own output may be one
            traceback.print_exc()
        return {"refused_with": ["The playground made a mistake with this script; this should not happen.", "Another way to write it will probably work."]}


def _work(task: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    module, function = task.split(":")
    work: Callable[[dict[str, Any]], dict[str, Any]] = getattr(importlib.import_module(module), function)
    return work


def _bound(seconds: int) -> None:
    """Have the system hold this process to its time and memory, and let it write no file."""
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    if used := _data_bytes():
        resource.setrlimit(resource.RLIMIT_DATA, (used + EXTRA, used + EXTRA))


def _data_bytes() -> int:
    """Bytes of private memory that this process has; 0 where the system does not tell."""
    with contextlib.suppress(OSError):
        for text in Path("/proc/self/status").read_text().splitlines():
            if text.startswith("VmData:"):
                return int(text.split()[1]) * 1024
    return 0


def _stir() -> None:
    """Random numbers of one's own: a fork starts with those of the process that it comes from."""
    import numpy as np
    import torch

    torch.seed()
    np.random.seed(int.from_bytes(os.urandom(4)))


def run_script(request: Mapping[str, Any]) -> dict[str, Any]:
    """The task that runs `source` on `device` and reports on it."""
    import torch

    from playground.tensors.language import interpreter
    from playground.tensors.xray import report

    given = {"device": torch.device(device.get(request.get("device", device.BEST)).name)}
    execution = interpreter.run(str(request["source"]), given)
    return report.summary(execution) if request.get("brief") else report.report(execution)


def prepare() -> None:
    """In the forking process: import everything, and let the meta device and the tracing do their own slow imports."""
    import torch

    from playground.tensors.language import interpreter
    from playground.tensors.xray import report

    torch.set_num_threads(1)
    torch.seed()  # the first time it reads source files for a traceback that nobody asked for
    source = "a = torch.rand(3, 4)\nb = a[a > 0.5].sum()\nc = a @ a.T + np.ones(3)\nd = torch.cat([a, a]).max(dim=1)[1]\na += 1\na @ a"
    report.report(interpreter.run(source, {"device": torch.device("cpu")}))


def run_here(source: str, task: str = RUN) -> dict[str, Any]:
    """Run a script for the command line, in a process of its own.

    Returns:
        What the task answers, in brief; a script that had to be ended has an error and nothing else.
    """
    request = {"source": source, "brief": True}
    if not CAN_FORK:
        return _work(task)(request)
    forker = Forker(PREPARE)
    try:
        return Sandbox(forker.start).ask(task, request)
    except PlaygroundError as error:
        place = {"line": None, "start": 0, "end": 0}
        fault: dict[str, Any] = {**place, "message": error.message, "explanation": error.hint, "alignment": None, "fix": None, "fixes": []}
        return {"names": {}, "output": "", "warnings": [], "error": fault}
    finally:
        forker.close()
