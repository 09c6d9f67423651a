"""The record of a run on disk: events are only ever appended, and readers resume from a byte offset.

events.jsonl     everything that happened, one JSON object a line
snapshots.jsonl  histograms, filters and predictions over time, one JSON object a line: in a file of their own, because they are large
closeup.json     the last iteration that was recorded in full
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from playground.errors import CheckpointError
from playground.messages import msg
from playground.training.events import Closeup, Created, Event, Snapshot, Step, Steps, from_json

FLUSH_SECONDS = 0.2
"""How long a recorded step may wait to be written."""


@dataclass(frozen=True)
class Journal:
    """The events of the run in `folder`."""

    folder: Path

    @property
    def events_path(self) -> Path:
        return self.folder / "events.jsonl"

    @property
    def snapshots_path(self) -> Path:
        return self.folder / "snapshots.jsonl"

    @property
    def closeup_path(self) -> Path:
        return self.folder / "closeup.json"

    def created(self) -> Created:
        """Return the first event: when the run was created, by whom, and from which run.

        Raises:
            CheckpointError: the record does not begin with it.
        """
        try:
            with self.events_path.open("rb") as file:
                first = from_json(file.readline())
        except (OSError, ValueError):
            first = None
        if not isinstance(first, Created):
            raise CheckpointError(msg("The record of the run “{run}” is damaged.", run=self.folder.name))
        return first

    def append(self, event: Event) -> None:
        """Append an event to the record; end a line torn by a crash first."""
        with self.recorder() as record:
            record(event)

    def extend(self, events: Iterable[Event]) -> None:
        """Append many events at once."""
        with self.recorder() as record:
            for event in events:
                record(event)

    @contextmanager
    def recorder(self) -> Iterator[Callable[[Event], None]]:
        """Open the record and yield a function that appends events.

        It passes them to the operating system before it returns, except steps within `FLUSH_SECONDS` of the last write:
        those are written with the next event, so that recording costs training little.
        """
        with _appended(self.events_path) as file:
            waiting: list[Step] = []
            flushed = -math.inf

            def flush() -> None:
                nonlocal flushed
                if waiting:
                    file.write(Steps.of(waiting).to_json() + "\n")
                    waiting.clear()
                file.flush()
                flushed = time.monotonic()

            def record(event: Event) -> None:
                if isinstance(event, Step):
                    waiting.append(event)
                    if time.monotonic() - flushed > FLUSH_SECONDS:
                        flush()
                    return
                flush()
                self._write(event, file)
                file.flush()

            try:
                yield record
            finally:
                flush()

    def _write(self, event: Event, file: IO[str]) -> None:
        """Write an event to its file: snapshots have one of their own, and only the last close-up is kept."""
        match event:
            case Snapshot():
                with _appended(self.snapshots_path) as snapshots:
                    snapshots.write(event.to_json() + "\n")
            case Closeup():
                _replace(self.closeup_path, event.to_json())
            case _:
                file.write(event.to_json() + "\n")

    def snapshots_size(self) -> int:
        """Return the size of the file of snapshots in bytes."""
        try:
            return self.snapshots_path.stat().st_size
        except FileNotFoundError:
            return 0

    def snapshots(self) -> list[Snapshot]:
        """Return the snapshots in the order of their steps, without those after a checkpoint that the run went back to."""
        if not self.snapshots_path.exists():
            return []
        snapshots: list[Snapshot] = []
        for event in _parse(self.snapshots_path.read_bytes()):
            if isinstance(event, Snapshot):
                while snapshots and snapshots[-1].step >= event.step:
                    snapshots.pop()
                snapshots.append(event)
        return snapshots

    def closeup(self) -> Closeup | None:
        """Return the last iteration that was recorded in full; None if there is none."""
        try:
            event = from_json(self.closeup_path.read_bytes())
        except (OSError, ValueError):
            return None
        return event if isinstance(event, Closeup) else None

    def events(self, offset: int = 0) -> tuple[Iterator[Event], int]:
        """Return the events from a byte offset on, and the offset to continue from; an incomplete last line is left for the next call."""
        try:
            with self.events_path.open("rb") as file:
                file.seek(offset)
                block = file.read()
        except FileNotFoundError:
            return iter(()), offset
        whole = block[: block.rfind(b"\n") + 1]
        return _parse(whole), offset + len(whole)


@contextmanager
def _appended(path: Path) -> Iterator[IO[str]]:
    """Open a file to append lines; end a line torn by a crash first, so that it does not damage the next."""
    torn = path.exists() and not _ends_with_newline(path)
    with path.open("a", encoding="utf-8") as file:
        if torn:
            file.write("\n")
        yield file


def _replace(path: Path, text: str) -> None:
    """Write a temporary file, then rename it, so that readers always find a complete file."""
    temporary = path.with_suffix(".tmp")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)


def _ends_with_newline(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(0, os.SEEK_END)
        if file.tell() == 0:
            return True
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"


def _parse(block: bytes) -> Iterator[Event]:
    """Yield the events of complete lines; skip lines torn by a crash."""
    for line in block.splitlines():
        try:
            yield from_json(line)
        except ValueError:
            continue
