"""The lock of a run: held by the process that trains it, and released by the system when that process dies."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from playground.errors import RunError
from playground.messages import msg

LOCK_SECONDS = 5.0
"""How long a worker waits for the lock: readers that check whether it is held hold it for an instant themselves."""


@dataclass(frozen=True)
class Lock:
    """The lock of the run in `folder`."""

    folder: Path

    def is_held(self) -> bool:
        """Return whether a living process trains this run."""
        lock = FileLock(self.folder / "worker.lock")
        try:
            with lock.acquire(timeout=0):
                return False
        except Timeout:
            return True

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Hold the lock while this process trains the run.

        Raises:
            RunError: another process holds it.
        """
        try:
            with FileLock(self.folder / "worker.lock").acquire(timeout=LOCK_SECONDS):
                yield
        except Timeout:
            raise RunError(msg("The run “{run}” is being trained by another process.", run=self.folder.name)) from None
