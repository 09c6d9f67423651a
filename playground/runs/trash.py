"""Deleted runs: they can be restored until they are purged."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from playground import environment
from playground.errors import RunError, UnknownName
from playground.runs.history import History
from playground.runs.run import ACTIVE, Run

_MARK = "deleted"
"""File in the folder of a deleted run, written when it was deleted."""


@dataclass(frozen=True)
class Deleted:
    """A run that was thrown away and can be had back."""

    run: Run
    """In the folder where it lies now."""
    time: float
    """When it was thrown away, in seconds since 1970."""


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
    run = Run(environment.runs_folder() / run_id)
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
    return environment.runs_folder() / ".trash"
