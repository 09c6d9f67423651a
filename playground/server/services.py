"""What lives as long as the server: the scheduler, the sandbox, the runs' histories, and the state of the slow imports.

Held outside Streamlit's caches, which any page can clear, and outside this module, which an edit reloads.
"""

from __future__ import annotations

import sys
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from importlib import import_module
from types import ModuleType

from playground.autograd import sandbox_tasks
from playground.errors import InstallationError, PlaygroundError
from playground.forking import Forker
from playground.installation import check
from playground.runs import trash
from playground.runs.execution import launcher
from playground.runs.execution.scheduler import Scheduler
from playground.runs.history import History
from playground.runs.run import Run
from playground.tensors import sandbox
from playground.tensors.sandbox import InProcessSandbox, Sandbox

_HOLDER = "playground_services"
TRASH_SECONDS = 7 * 24 * 3600
"""How long a deleted run can be taken out of the trash again; looked at when the server starts."""
HISTORIES = 128
"""Histories kept in memory; others are read again from disk."""


@dataclass
class Services:
    """One for each server."""

    forker: Forker = field(default_factory=lambda: Forker(launcher.PREPARE, sandbox.PREPARE, sandbox_tasks.PREPARE))
    """Where training workers and learners' scripts come from."""
    scheduler: Scheduler = field(init=False)
    sandbox: Sandbox | InProcessSandbox = field(init=False)
    """Runs learners' scripts."""
    racing: threading.Lock = field(default_factory=threading.Lock)
    """Held by the one race that may be run at a time: two would slow each other."""
    warm: threading.Event = field(default_factory=threading.Event)
    """Set when torch is imported and the first prediction was made."""
    fault: PlaygroundError | None = None
    """What keeps the playground from working at all."""
    _histories: OrderedDict[str, History] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.scheduler = Scheduler(forker=self.forker)
        self.sandbox = sandbox.make_sandbox(self.forker)

    def history(self, run: Run) -> History:
        """The run's record up to now; read only as far as it has grown since the last time."""
        with self._lock:
            history = self._histories.setdefault(run.id, History(run))
            self._histories.move_to_end(run.id)
            while len(self._histories) > HISTORIES:
                self._histories.popitem(last=False)
        return history.follow()


def services() -> Services:
    """The server's services, made when first asked for."""
    holder = sys.modules.setdefault(_HOLDER, ModuleType(_HOLDER))
    found = holder.__dict__.get("services")
    if found is None:
        found = holder.__dict__.setdefault("services", Services())
    return found  # type: ignore[no-any-return]


def start() -> None:
    """Begin the slow imports in the background, so that the first page is there at once."""
    threading.Thread(target=_warm_up, args=(services(),), daemon=True).start()


def stop() -> None:
    """End every worker in good order: each keeps its state."""
    services().scheduler.close()


def _warm_up(held: Services) -> None:
    try:
        check()
        held.scheduler.warm_up()
        import_module("playground.server.warming").warm_torch()
        held.scheduler.adopt()
        trash.purge(TRASH_SECONDS)
    except InstallationError as error:
        held.fault = error
    finally:
        held.warm.set()
