"""Tasks for tests of the sandbox, imported in the forked process. What is slow to import is imported by the task that needs it."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Mapping
from typing import Any

Request = Mapping[str, Any]


def run_scripts(request: Request) -> dict[str, Any]:
    """Run several scripts one after another, each within `seconds`, and report on each."""
    from playground.tensors.script_task import run_script

    os.environ["PLAYGROUND_SCRIPT_SECONDS"] = str(request["seconds"])
    return {"answers": [run_script({"source": source}) for source in request["sources"]]}


def die(_request: Request) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def crash(_request: Request) -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def leave(_request: Request) -> None:
    os._exit(3)


def fail(_request: Request) -> None:
    raise ValueError("a bug")


def sleep(_request: Request) -> None:
    signal.pause()


def nap(_request: Request) -> dict[str, Any]:
    signal.sigtimedwait([signal.SIGUSR1], 0.5)
    return {"rested": True}


def spin(_request: Request) -> None:
    while True:
        pass


def multiply(_request: Request) -> None:
    """One native operation without end."""
    import torch

    large = torch.ones(3000, 3000)
    torch.linalg.multi_dot([large] * 1000)


def strange(_request: Request) -> dict[str, Any]:
    return {"a": object()}


def take_file(_request: Request) -> dict[str, Any]:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        with tempfile.TemporaryFile(buffering=0) as file:
            file.write(b"x")
    except OSError:
        return {"refused": True}
    return {"refused": False}


def take_memory(_request: Request) -> dict[str, Any]:
    try:
        bytearray(2**31)
    except MemoryError:
        return {"refused": True}
    return {"refused": False}


def bound(_request: Request) -> dict[str, Any]:
    import resource  # Windows has no such module

    return {"seconds": resource.getrlimit(resource.RLIMIT_CPU)[0]}


def echo(request: Request) -> dict[str, Any]:
    return {**request, "pid": os.getpid()}


REHEARSED: list[int] = []
"""The process, once for each rehearsal."""


def rehearse(_request: Request) -> dict[str, Any]:
    REHEARSED.append(os.getpid())
    return {}


def rehearsed(_request: Request) -> dict[str, Any]:
    return {"times": len(REHEARSED), "pid": os.getpid()}


def answer(argument: str, descriptor: int) -> int:
    """Write the argument to the other end of the line: an entry, without the sandbox."""
    os.write(descriptor, argument.encode())
    return 0
