"""What a learner does with runs as things: name them, note something, throw them away and take them out again."""

from __future__ import annotations

import json
import shutil
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from playground import settings
from playground.errors import RunError, UnknownName
from playground.runs.history import History
from playground.runs.run import ACTIVE, Run

NAME_LIMIT = 80
"""Characters of a name, at most."""
NOTE_LIMIT = 2000
"""Characters of a note, at most."""

_MARK = "deleted"
"""File in the folder of a run that was thrown away; it was written when that happened."""


@dataclass(frozen=True)
class Label:
    """What a learner wrote on a run."""

    name: str = ""
    """One line of at most `NAME_LIMIT` characters; empty for a run that was not named."""
    note: str = ""
    """At most `NOTE_LIMIT` characters, of any number of lines."""


@dataclass(frozen=True)
class Deleted:
    """A run that was thrown away and can be had back."""

    run: Run
    """In the folder where it lies now."""
    time: float
    """When it was thrown away, in seconds since 1970."""


def label(run: Run) -> Label:
    """What is written on the run; nothing where its file is missing or damaged."""
    try:
        return read_label((run.path / "label.json").read_bytes())
    except OSError:
        return Label()


def read_label(content: bytes) -> Label:
    """The label that `relabel` wrote; an empty one of what is none, and what is too long is cut."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return Label()
    if not isinstance(document, dict):
        return Label()
    name, note = (document.get(key) for key in ("name", "note"))
    return Label(_line(name)[:NAME_LIMIT] if isinstance(name, str) else "", _text(note)[:NOTE_LIMIT] if isinstance(note, str) else "")


def relabel(run: Run, name: str | None = None, note: str | None = None) -> Label:
    """Write on the run, and return what is written there now.

    Args:
        run: what to write on.
        name: its new name; None leaves the old one, an empty text takes it away.
        note: its new note, likewise.

    Raises:
        RunError: the text is too long, or the file cannot be written.
    """
    old = label(run)
    new = Label(old.name if name is None else _line(name), old.note if note is None else _text(note))
    if len(new.name) > NAME_LIMIT:
        raise RunError(f"A run’s name has at most {NAME_LIMIT} characters; this one has {len(new.name)}.")
    if len(new.note) > NOTE_LIMIT:
        raise RunError(f"A run’s note has at most {NOTE_LIMIT} characters; this one has {len(new.note)}.")
    temporary = run.path / "label.tmp"
    try:
        temporary.write_text(json.dumps(asdict(new), ensure_ascii=False), encoding="utf-8")
        temporary.replace(run.path / "label.json")
    except OSError as error:
        raise RunError(f"The run’s name could not be written: {error.strerror}.") from None
    return new


def delete(run: Run) -> None:
    """Throw a run away; `restore` takes it out again until it is purged.

    Raises:
        RunError: it has, or waits for, a worker; or it cannot be moved.
    """
    state = History(run).follow().state
    if state in ACTIVE:
        raise RunError(f"The run “{run.id}” is {state}.", "Stop it first.")
    try:
        _folder().mkdir(parents=True, exist_ok=True)
        (run.path / _MARK).touch()
        run.path.rename(_folder() / run.id)
    except OSError as error:
        raise RunError(f"The run “{run.id}” could not be deleted: {error.strerror}.") from None


def restore(run_id: str) -> Run:
    """Take a run out of the trash.

    Raises:
        UnknownName: it is not there, or no longer.
        RunError: it cannot be moved.
    """
    found = {item.run.id: item.run.path for item in trash()}
    if run_id not in found:
        raise UnknownName("deleted run", run_id, list(found)[:10])
    run = Run(settings.runs_folder() / run_id)
    try:
        found[run_id].rename(run.path)
        (run.path / _MARK).unlink(missing_ok=True)
    except OSError as error:
        raise RunError(f"The run “{run_id}” could not be restored: {error.strerror}.") from None
    return run


def trash() -> list[Deleted]:
    """The runs that were thrown away, the last first."""
    marks = _folder().glob(f"*/{_MARK}")
    return sorted((Deleted(Run(mark.parent), mark.stat().st_mtime) for mark in marks), key=lambda item: item.time, reverse=True)


def purge(older_than_seconds: float) -> int:
    """Delete for good what was thrown away so long ago; says how many runs that were."""
    old = [item.run.path for item in trash() if time.time() - item.time >= older_than_seconds]
    for path in old:
        shutil.rmtree(path, ignore_errors=True)
    return len(old)


def _folder() -> Path:
    """Beside the runs, so that moving one is renaming it; its name is none of a run."""
    return settings.runs_folder() / ".trash"


def _line(text: str) -> str:
    """Without line ends, and without what cannot be shown: control characters, and half a letter."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def _text(text: str) -> str:
    return "".join(letter for letter in text.replace("\r\n", "\n") if letter.isprintable() or letter == "\n").strip()
