"""Commands to running runs: one JSON object a line on the standard input of the worker that trains them.

`{"run": "20260101-…", "command": "pause", "value": 0}`, and `resume`, `step`, `stop`, and `learning-rate` and `optimizer` with their value.
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import IO, Literal

from playground.runs.run import Run

CommandName = Literal["pause", "resume", "step", "stop", "learning-rate", "optimizer"]


@dataclass(frozen=True)
class Command:
    """A command to a running run."""

    name: CommandName
    value: float | str = 0.0
    """The new learning rate, or the name of the new optimizer; unused by the others."""

    def to_json(self, run: Run) -> str:
        return json.dumps({"run": run.id, "command": self.name, "value": self.value})


class InputClosed(Exception):
    """The process that sends the commands has ended."""


class Commands:
    """The commands that were received and not yet executed; a thread reads their source, so that training never waits for it."""

    def __init__(self, source: IO[str] | None = None) -> None:
        self._changed = threading.Condition()
        self._received: defaultdict[str, deque[Command]] = defaultdict(deque)
        self._closed = False
        if source is not None:
            threading.Thread(target=self._read, args=(source,), daemon=True).start()

    def take(self, run: Run) -> Command | None:
        """Return the next command to a run; None if there is none.

        Raises:
            InputClosed: there is none, and the source is closed.
        """
        with self._changed:
            if self._received[run.id]:
                return self._received[run.id].popleft()
            if self._closed:
                raise InputClosed
            return None

    def concern(self, run: Run) -> bool:
        """Return whether the run has something to execute: a command, or that the source is closed."""
        with self._changed:
            return self._closed or bool(self._received[run.id])

    def wait(self, runs: Iterable[Run]) -> None:
        """Wait until they concern one of these runs."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or any(self._received[run.id] for run in runs))

    def _read(self, source: IO[str]) -> None:
        with contextlib.suppress(OSError):
            for line in source:
                document = json.loads(line)
                with self._changed:
                    self._received[document["run"]].append(Command(document["command"], document["value"]))
                    self._changed.notify_all()
        with self._changed:
            self._closed = True
            self._changed.notify_all()
