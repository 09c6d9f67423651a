"""The process of a notebook, which is forked with everything imported: it runs one cell after another."""

from __future__ import annotations

import contextlib
import json
import math
import os
import signal
import socket
import threading
from collections.abc import Iterator
from typing import Any, NotRequired, TypedDict

import torch

from playground import device
from playground.messages import language, msg, translated
from playground.tensors.language.bounds import Bounds
from playground.tensors.language.interpreter import Execution, Interpreter, settings_restored
from playground.tensors.notebook import CELL_SECONDS, Request
from playground.tensors.sandbox import DONE, MAX_RESULT, REPORT_SECONDS, limit_memory_and_files, limit_processor_time, message_of, reseed
from playground.tensors.xray import report

NICENESS = 10
"""A long cell gives way to the scripts of others, which take a moment."""
PAUSE_SECONDS = 0.25
"""Between two looks at what a cell has done."""
STATEMENTS = 20_000_000
"""Statements of a cell, at most: its processor time ends before."""
FEWEST_NUMBERS, MOST_NUMBERS = 3, 200
"""Numbers of a list that is shown as a curve; of a longer one, evenly spaced ones are shown."""
MOST_CURVES = 4

Curves = dict[str, list[float | None]]
"""Lists of numbers, by the names of the variables that hold them; None where one is not finite."""


class RunningLoop(TypedDict):
    """A loop of the cell that runs."""

    line: int
    turn: int
    """From 1."""
    turns: int | None
    """None where it is not known how many there are."""


class Progress(TypedDict):
    """What a cell has done so far."""

    printed: str
    """Since the last one."""
    loops: list[RunningLoop]
    """Inside each other."""
    curves: Curves


class CellReport(report.Report):
    """The report on a cell; its names are those of the whole notebook."""

    curves: Curves
    is_first: bool
    """Whether the process is new, without the variables of any other cell."""
    raised_in: str
    """The code of an earlier cell, in a function, that raised the error; empty for none. Its repair is not offered: it would change this cell."""


class Answer(TypedDict):
    """The last line of a cell: one of its fields."""

    report: NotRequired[CellReport]
    error: NotRequired[str]
    """Why there is no report."""
    is_gone: NotRequired[bool]
    """Whether the process ended, and the variables with it."""


def run_cells(_argument: str, descriptor: int) -> int:
    """Run the cells that come over the connection, until it ends."""
    connection = socket.socket(fileno=descriptor)
    os.nice(NICENESS)
    limit_memory_and_files()
    reseed()
    cells = Cells(connection)
    signal.signal(signal.SIGINT, lambda _number, _frame: cells.stop())
    with connection.makefile("rb") as lines, settings_restored():
        for line in lines:
            cells.run(json.loads(line))
    return 0


class Cells:
    """Runs cells, which share their variables.

    Args:
        connection: receives `Progress` while a cell runs, and its `Answer`, each as a line of JSON.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._interpreter: Interpreter | None = None

    def stop(self) -> None:
        """Let the cell that runs end before its next statement."""
        if self._interpreter is not None:
            self._interpreter.stop()

    def run(self, request: Request) -> None:
        """Run a cell, and send what it did."""
        language.set(request["language"])
        limit_processor_time(CELL_SECONDS + REPORT_SECONDS)
        message = message_of(lambda: self._report(request))
        if len(message) > MAX_RESULT:
            message = b'{"error":%s}' % json.dumps(translated(msg("The result of the cell is too large to show."))).encode()
        elif message.endswith(DONE):
            message = b'{"report":%s}' % message[:-1]
        else:
            message = b'{"error":%s}' % json.dumps(" ".join(json.loads(message[:-1]))).encode()
        self._send(message)

    def _send(self, message: bytes) -> None:
        """Send a line; without a server, which has ended, there is nothing more to do."""
        try:
            self._connection.sendall(message + b"\n")
        except OSError:
            self.stop()

    def _report(self, request: Request) -> CellReport:
        is_first = self._interpreter is None
        if self._interpreter is None:
            names = {"device": torch.device(device.get(request["device"]).name)}
            execution = Execution(request["source"], names, frozenset(names))
            self._interpreter = Interpreter(execution, Bounds(seconds=CELL_SECONDS, statements=STATEMENTS))
        else:
            execution = self._interpreter.follow(request["source"])
        before = curves(execution.names)
        with self._reporting(self._interpreter, execution, before):
            self._interpreter.run()
        made = report.report(execution)
        if made["error"] and execution.raised_in:
            made["error"] |= {"fix": None, "fixes": []}
        return {**made, "curves": _new(before, curves(execution.names)), "is_first": is_first, "raised_in": execution.raised_in}

    @contextlib.contextmanager
    def _reporting(self, interpreter: Interpreter, execution: Execution, before: Curves) -> Iterator[None]:
        """Send what the cell has done so far, again and again."""
        is_done = threading.Event()

        def send() -> None:
            printed = 0
            while not is_done.wait(PAUSE_SECONDS):
                text = execution.output[printed:]
                printed += len(text)
                loops = [{"line": loop.line, "turn": loop.turn, "turns": loop.turns} for loop in tuple(interpreter.loops)]
                progress: Progress = {"printed": text, "loops": loops, "curves": _new(before, curves(execution.names))}  # type: ignore[typeddict-item]
                self._send(json.dumps(progress, separators=(",", ":")).encode())

        thread = threading.Thread(target=send, daemon=True)
        thread.start()
        try:
            yield
        finally:
            is_done.set()
            thread.join()


def curves(names: dict[str, Any]) -> Curves:
    """Return the lists of numbers among variables, the last of them: losses that a loop collects, for example."""
    found: Curves = {}
    for name, value in reversed(names.copy().items()):  # a copy is made at once; the cell may go on assigning
        if len(found) < MOST_CURVES and isinstance(value, list) and len(value) >= FEWEST_NUMBERS:
            numbers = tuple(value)
            numbers = numbers[:: math.ceil(len(numbers) / MOST_NUMBERS)]
            if all(type(number) in (float, int) for number in numbers) and any(type(number) is float and math.isfinite(number) for number in numbers):
                found[name] = [number if math.isfinite(number) else None for number in numbers]
    return dict(reversed(found.items()))


def _new(before: Curves, now: Curves) -> Curves:
    """Return the curves that a cell has changed."""
    return {name: numbers for name, numbers in now.items() if before.get(name) != numbers}
