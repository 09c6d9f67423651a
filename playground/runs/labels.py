"""The name and the note that a learner gives a run."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from playground.errors import RunError
from playground.runs.run import Run

NAME_LIMIT = 80
"""Characters of a name, at most."""
NOTE_LIMIT = 2000
"""Characters of a note, at most."""


@dataclass(frozen=True)
class Label:
    """What a learner wrote on a run."""

    name: str = ""
    """One line of at most `NAME_LIMIT` characters; empty for a run that was not named."""
    note: str = ""
    """At most `NOTE_LIMIT` characters, of any number of lines."""


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


def _line(text: str) -> str:
    """Without line ends, and without what cannot be shown: control characters, and half a letter."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def _text(text: str) -> str:
    return "".join(letter for letter in text.replace("\r\n", "\n") if letter.isprintable() or letter == "\n").strip()
