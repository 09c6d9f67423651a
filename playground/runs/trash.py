"""Deleted runs: they can be restored until they are purged."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from playground import environment
from playground.errors import RunError, UnknownName
from playground.messages import msg
from playground.runs.history import History
from playground.runs.run import ACTIVE, STATES, Run

_MARK = "deleted"
"""File in the folder of a deleted run, written when it was deleted."""


@dataclass(frozen=True)
class Deleted:
    """A deleted run that can be restored."""

    run: Run
    """The run, in the trash folder."""
    time: float
    """When it was deleted, in seconds since 1970."""


def delete(run: Run) -> None:
    """Move a run to the trash, where it can be restored until it is purged.

    Raises:
        RunError: it is running or queued, or it cannot be moved.
    """
    state = History(run).follow().state
    if state in ACTIVE:
        raise RunError(msg("The run “{run}” is {state}, so it cannot be deleted.", run=run.id, state=STATES[state]), msg("Stop it first."))
    try:
        _folder().mkdir(parents=True, exist_ok=True)
        (run.path / _MARK).touch()
        run.path.rename(_folder() / run.id)
    except OSError as error:
        raise RunError(msg("The run “{run}” could not be deleted: {error}.", run=run.id, error=error.strerror)) from None


def restore(run_id: str) -> Run:
    """Restore a run from the trash.

    Raises:
        UnknownName: it is not in the trash.
        RunError: it cannot be moved.
    """
    deleted = {item.run.id: item.run.path for item in trash()}
    if run_id not in deleted:
        raise UnknownName(msg("deleted run"), run_id, list(deleted)[:10])
    run = Run(environment.runs_folder() / run_id)
    try:
        deleted[run_id].rename(run.path)
        (run.path / _MARK).unlink(missing_ok=True)
    except OSError as error:
        raise RunError(msg("The run “{run}” could not be restored: {error}.", run=run_id, error=error.strerror)) from None
    return run


def trash() -> list[Deleted]:
    """Return the deleted runs, the last deleted first."""
    marks = _folder().glob(f"*/{_MARK}")
    return sorted((Deleted(Run(mark.parent), mark.stat().st_mtime) for mark in marks), key=lambda item: item.time, reverse=True)


def purge(older_than_seconds: float) -> int:
    """Remove the runs deleted at least so long ago from disk; return their number."""
    old = [item.run.path for item in trash() if time.time() - item.time >= older_than_seconds]
    for path in old:
        shutil.rmtree(path, ignore_errors=True)
    return len(old)


def _folder() -> Path:
    """Return the trash folder: on the same file system as the runs, with a name that no run can have."""
    return environment.runs_folder() / ".trash"
