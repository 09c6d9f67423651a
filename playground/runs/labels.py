"""The name and the note that a learner gives a run."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from playground.errors import RunError
from playground.messages import msg
from playground.runs.run import Run

NAME_LIMIT = 80
"""Maximum characters of a name."""
NOTE_LIMIT = 2000
"""Maximum characters of a note."""


@dataclass(frozen=True)
class Label:
    """A run's name and note."""

    name: str = ""
    """One line of at most `NAME_LIMIT` characters; empty for a run without a name."""
    note: str = ""
    """At most `NOTE_LIMIT` characters in any number of lines."""


def label(run: Run) -> Label:
    """Return the run's label; an empty one if its file is missing or damaged."""
    try:
        return read_label((run.path / "label.json").read_bytes())
    except OSError:
        return Label()


def read_label(content: bytes) -> Label:
    """Parse a label that `relabel` wrote; return an empty one for anything else, and cut texts that are too long."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return Label()
    if not isinstance(document, dict):
        return Label()
    name, note = (document.get(key) for key in ("name", "note"))
    return Label(_line(name)[:NAME_LIMIT] if isinstance(name, str) else "", _text(note)[:NOTE_LIMIT] if isinstance(note, str) else "")


def relabel(run: Run, name: str | None = None, note: str | None = None) -> Label:
    """Change the run's label, and return the new one.

    Args:
        run: the run.
        name: its new name; None keeps the old one, an empty string removes it.
        note: its new note, likewise.

    Raises:
        RunError: the text is too long, or the file cannot be written.
    """
    old = label(run)
    new = Label(old.name if name is None else _line(name), old.note if note is None else _text(note))
    if len(new.name) > NAME_LIMIT:
        raise RunError(msg("A run’s name has at most {most} characters; this one has {count}.", most=NAME_LIMIT, count=len(new.name)))
    if len(new.note) > NOTE_LIMIT:
        raise RunError(msg("A run’s note has at most {most} characters; this one has {count}.", most=NOTE_LIMIT, count=len(new.note)))
    temporary = run.path / "label.tmp"
    try:
        temporary.write_text(json.dumps(asdict(new), ensure_ascii=False), encoding="utf-8")
        temporary.replace(run.path / "label.json")
    except OSError as error:
        raise RunError(msg("The run’s name could not be written: {error}.", error=error.strerror)) from None
    return new


def _line(text: str) -> str:
    """Join the lines, and remove control characters and lone surrogates."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def _text(text: str) -> str:
    return "".join(letter for letter in text.replace("\r\n", "\n") if letter.isprintable() or letter == "\n").strip()
