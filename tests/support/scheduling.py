"""A scheduler whose queue does not move."""

from __future__ import annotations

from playground.runs.execution.scheduler import Scheduler


class IdleScheduler(Scheduler):
    """Start no worker: submitted runs stay queued."""

    def _hand_out(self) -> None:
        pass
