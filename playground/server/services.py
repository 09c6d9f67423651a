"""Objects with the server's lifetime: the scheduler, the sandbox, the runs' histories, and the state of the slow imports.

Held outside Streamlit's caches, which any page can clear, and outside this module, which an edit reloads.
"""

from __future__ import annotations

import sys
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from importlib import import_module
from types import ModuleType

from playground import pasted
from playground.autograd import task_names
from playground.errors import InstallationError, PlaygroundError
from playground.forking import CAN_FORK, Forker
from playground.installation import check
from playground.runs import trash
from playground.runs.execution import launcher
from playground.runs.execution.scheduler import Scheduler
from playground.runs.history import History
from playground.runs.run import Run
from playground.tensors import sandbox
from playground.tensors.notebook.keeping import Notebooks
from playground.tensors.sandbox import InProcessSandbox, Sandbox

_HOLDER = "playground_services"
TRASH_SECONDS = 7 * 24 * 3600
"""Seconds for which a deleted run can be restored; older ones are purged when the server starts."""
UNVISITED_SECONDS = 5.0
"""Seconds after which torch is imported when nobody visits the server."""
HISTORIES = 128
"""Number of histories kept in memory; others are read from disk again."""


@dataclass
class Services:
    """The services of one server."""

    forker: Forker = field(default_factory=lambda: Forker(launcher.PREPARE, sandbox.PREPARE, task_names.PREPARE, pasted.PREPARE))
    """Forks the processes of training workers and of learners' scripts."""
    scheduler: Scheduler = field(init=False)
    sandbox: Sandbox | InProcessSandbox = field(init=False)
    """Runs learners' scripts."""
    notebooks: Notebooks = field(init=False)
    racing: threading.Lock = field(default_factory=threading.Lock)
    """Held by the race of devices in progress: two at a time would slow each other down."""
    needed: threading.Event = field(default_factory=threading.Event)
    """Set when the first page is there or waits for torch: until then, importing it would only delay that page."""
    warm: threading.Event = field(default_factory=threading.Event)
    """Set when torch is imported and the first prediction has been made, or when starting failed."""
    fault: PlaygroundError | None = None
    """The installation error that keeps the playground from working; None if there is none."""
    _histories: OrderedDict[str, History] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.scheduler = Scheduler(forker=self.forker)
        self.sandbox = sandbox.make_sandbox(self.forker, task_names.REHEARSE)
        self.notebooks = Notebooks(self.forker.start if CAN_FORK else None)

    def wait_until_warm(self) -> None:
        """Return when torch is imported, or starting has failed."""
        self.needed.set()
        self.warm.wait()

    def history(self, run: Run) -> History:
        """Return the run's history up to now; read only the events appended since the last call."""
        with self._lock:
            history = self._histories.setdefault(run.id, History(run))
            self._histories.move_to_end(run.id)
            while len(self._histories) > HISTORIES:
                self._histories.popitem(last=False)
        return history.follow()


def services() -> Services:
    """Return the server's services; create them at the first call."""
    holder = sys.modules.setdefault(_HOLDER, ModuleType(_HOLDER))
    existing = holder.__dict__.get("services")
    if existing is None:
        existing = holder.__dict__.setdefault("services", Services())
    return existing  # type: ignore[no-any-return]


def start() -> None:
    """Start the slow imports in the background, after the first page: it appears at once."""
    threading.Thread(target=_warm_up, args=(services(),), daemon=True).start()


def stop() -> None:
    """Stop every worker; each saves a checkpoint before it ends."""
    services().scheduler.close()
    services().sandbox.close()
    services().notebooks.close()


def _warm_up(server: Services) -> None:
    try:
        check()
        import_module("pandas")  # the first page lists runs with it
        server.needed.wait(UNVISITED_SECONDS)
        server.scheduler.warm_up()
        import_module("playground.server.warming").warm_torch()
        server.scheduler.requeue()
        trash.purge(TRASH_SECONDS)
    except InstallationError as error:
        server.fault = error
    finally:
        server.warm.set()
