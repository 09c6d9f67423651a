"""Summaries of all runs, for a list that pages request every few seconds."""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TypedDict

from playground import environment
from playground.data.catalogue import dataset_info
from playground.errors import PlaygroundError
from playground.messages import msg
from playground.runs.history import History
from playground.runs.labels import label
from playground.runs.run import ACTIVE, Run, State, all_runs, modified_ns
from playground.runs.views.comparison import Facts, RunFacts, facts, name, setup

CACHED = 4096
"""Number of summaries kept in memory."""
SETTLED_NS = 2_000_000_000
"""Age of a folder's modification time from which it is reliable, in nanoseconds: two changes within one tick of a file system's clock have the same time."""
Stamp = tuple[int, ...]
"""Size of the record and modification times of the other files of a run."""
FIRST_RUNS = 4
"""Maximum number of runs that are selected first, if they are not a race."""

RECORD_ERRORS = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError)
"""Exceptions raised for a record whose events have values that the playground never writes."""


@dataclass(frozen=True)
class Summary:
    """One row of a list of runs."""

    run: Run
    name: str
    """Its name; its identifier if it cannot be read."""
    note: str
    state: State
    facts: Facts | None
    """Its progress and results; None if it cannot be read."""
    race: str = ""
    """The name that all runs of its race share; empty if it is not in a race."""
    dataset: str = ""
    """Title of its data set."""
    network: str = ""
    """Title of its network."""
    optimizer: str = ""
    """Name of the optimizer that it started with."""
    started: float = 0.0
    """When it was created, in seconds since 1970."""
    fault: str = ""
    """Why it cannot be read; empty if it can."""

    def as_json(self, *, own: bool) -> ReadableRow | DamagedRow:
        """Convert the summary to plain data for the list; `own` tells whether the run is the learner's."""
        row: Row = {"run": self.run.id, "name": self.name, "note": self.note, "state": self.state, "race": self.race, "own": own}
        if self.facts is None:
            return {**row, "fault": self.fault}
        return {**row, "dataset": self.dataset, "network": self.network, "optimizer": self.optimizer, "started": self.started, **self.facts.as_json()}


class Row(TypedDict):
    """What is known of every run in the list."""

    run: str
    name: str
    note: str
    state: State
    race: str
    """The name that all runs of its race share; empty if it is not in a race."""
    own: bool
    """Whether it is the learner's."""


class ReadableRow(Row, RunFacts):
    """A run in the list."""

    dataset: str
    """Title of its data set."""
    network: str
    """Title of its network."""
    optimizer: str
    """Name of the optimizer that it started with."""
    started: float
    """In seconds since 1970."""


class DamagedRow(Row):
    """A run in the list whose files are damaged: nothing but the reason is known."""

    fault: str


class Summaries:
    """A cache of summaries; a run is read again only when one of its files has changed.

    Args:
        follow: returns the up-to-date history of a run; called for runs that are growing, so it should cache them.
    """

    def __init__(self, follow: Callable[[Run], History]) -> None:
        self._follow = follow
        self._cache: OrderedDict[Run, tuple[Stamp, Summary]] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, run: Run) -> Summary | None:
        """Return the summary of the run; None if its folder does not exist."""
        stamp = _stamp(run)
        if stamp is None:
            return None
        with self._lock:
            cached = self._cache.get(run)
        if cached is None or cached[0] != stamp:
            cached = stamp, self._read(run, is_growing=cached is not None)
            with self._lock:
                self._cache[run] = cached
                self._cache.move_to_end(run)
                while len(self._cache) > CACHED:
                    self._cache.popitem(last=False)
        summary = cached[1]
        return replace(summary, state="interrupted") if summary.state in ("running", "paused") and not run.lock.is_held() else summary

    def _read(self, run: Run, *, is_growing: bool) -> Summary:
        try:
            run_setup = setup(run)
            history = self._follow(run) if is_growing else History(run).follow()
            progress = _require_finite(facts(run, history))
            titles = dataset_info(run_setup.config.dataset).title, run_setup.network.title or run_setup.network.name
            created = run_setup.created
            return Summary(run, name(run), label(run).note, history.state, progress, created.race, *titles, run_setup.config.optimizer, created.time)
        except PlaygroundError as error:
            fault = error.text
        except OSError as error:
            fault = str(error)
        except RECORD_ERRORS:
            fault = msg("The record of the run “{run}” is damaged.", run=run.id)
        return Summary(run, run.id, "", "failed", None, fault=fault)


def _stamp(run: Run) -> Stamp | None:
    """Return a value that changes whenever a file of the run changes; None if it has no record."""
    try:
        size = (run.path / "events.jsonl").stat().st_size
    except OSError:
        return None
    return size, *(modified_ns(run.path / name) for name in ("config.json", "network.json", "label.json"))


def _require_finite(progress: Facts) -> Facts:
    if not all(math.isfinite(value) for value in (progress.seconds, progress.accuracy or 0, progress.best_accuracy or 0)):
        raise ValueError("the record has a non-finite time or accuracy")
    return progress


def owner(run: Run) -> str | None:
    """Return the learner who owns the run, empty for a shared one; None if its record is damaged."""
    try:
        return run.owner
    except (OSError, PlaygroundError, *RECORD_ERRORS):
        return None


def visible_runs(learner: str) -> list[Run]:
    """Return the runs that a learner may see, the newest first, including damaged ones whose owner is unknown."""
    return [run for run in list_runs() if owner(run) in ("", learner, None)]


def list_runs() -> list[Run]:
    """Return `all_runs()`; list the folder again only if it has changed, because many pages request it every few seconds."""
    folder = environment.runs_folder()
    modified = modified_ns(folder)
    return list(_cached_runs(folder, modified)) if time.time_ns() - modified > SETTLED_NS else all_runs()


@lru_cache(maxsize=1)
def _cached_runs(_folder: Path, _modified: int) -> tuple[Run, ...]:
    return tuple(all_runs())


def first_selected(summaries: Sequence[Summary]) -> list[Run]:
    """Return the runs to select first in a comparison, the oldest first: the race of the newest run, else the newest runs with its data set."""
    readable = sorted((item for item in summaries if item.facts and (item.facts.step or item.state in ACTIVE)), key=lambda item: item.started)
    if not readable:
        return []
    newest = readable[-1]
    if newest.race:
        return [item.run for item in readable if item.race == newest.race]
    return [item.run for item in readable if item.dataset == newest.dataset][-FIRST_RUNS:]
