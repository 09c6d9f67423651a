"""What many runs have come to, for a list that is looked at every few seconds."""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from playground import environment
from playground.data.catalogue import dataset_info
from playground.errors import PlaygroundError
from playground.runs.history import History
from playground.runs.labels import label
from playground.runs.run import ACTIVE, Run, State, all_runs, modified_ns
from playground.runs.views.comparison import Facts, facts, name, setup

KEPT = 4096
"""Summaries kept in memory."""
SETTLED_NS = 2_000_000_000
"""Time after which a change of a folder is told by its date for certain: file systems date changes by their clock's tick."""
Stamp = tuple[int, ...]
FEW = 4
"""Runs that a comparison begins with, at most, where they are not a race."""

RECORD_ERRORS = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError)
"""Exceptions that a record raises whose lines are events with values that no run writes."""


@dataclass(frozen=True)
class Summary:
    """A run in a list."""

    run: Run
    name: str
    """What it is called; its identifier where it cannot be read."""
    note: str
    state: State
    facts: Facts | None
    """What it has come to; None where it cannot be read."""
    race: str = ""
    """A name that the runs of its race share; empty for one that is in none."""
    dataset: str = ""
    """Title of the data set that it learns."""
    network: str = ""
    """Title of the network that is trained."""
    started: float = 0.0
    """When it was asked for, in seconds since 1970."""
    fault: str = ""
    """Why it cannot be read."""


class Summaries:
    """Summaries of runs; what is told of one is found out again only when one of its files has changed.

    Args:
        follow: gives the record of a run up to now; used for those that grow, which are therefore best kept by it.
    """

    def __init__(self, follow: Callable[[Run], History]) -> None:
        self._follow = follow
        self._known: OrderedDict[Run, tuple[Stamp, Summary]] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, run: Run) -> Summary | None:
        """What the run has come to; None where its folder is gone."""
        stamp = _stamp(run)
        if stamp is None:
            return None
        with self._lock:
            known = self._known.get(run)
        if known is None or known[0] != stamp:
            known = stamp, self._read(run, grows=known is not None)
            with self._lock:
                self._known[run] = known
                self._known.move_to_end(run)
                while len(self._known) > KEPT:
                    self._known.popitem(last=False)
        summary = known[1]
        return replace(summary, state="interrupted") if summary.state in ("running", "paused") and not run.lock.is_held() else summary

    def _read(self, run: Run, *, grows: bool) -> Summary:
        try:
            own = setup(run)
            history = self._follow(run) if grows else History(run).follow()
            reached = _finite(facts(run, history))
            titles = dataset_info(own.config.dataset).title, own.network.title or own.network.name
            return Summary(run, name(run), label(run).note, history.state, reached, own.created.race, *titles, own.created.time)
        except (PlaygroundError, OSError) as error:
            fault = str(error)
        except RECORD_ERRORS:
            fault = f"The record of the run “{run.id}” is damaged."
        return Summary(run, run.id, "", "failed", None, fault=fault)


def _stamp(run: Run) -> Stamp | None:
    """What changes with a run's files; None where it has no record."""
    try:
        size = (run.path / "events.jsonl").stat().st_size
    except OSError:
        return None
    return size, *(modified_ns(run.path / name) for name in ("config.json", "network.json", "label.json"))


def _finite(reached: Facts) -> Facts:
    if not all(math.isfinite(value) for value in (reached.seconds, reached.accuracy or 0, reached.best_accuracy or 0)):
        raise ValueError("a record holds numbers that no run writes")
    return reached


def owner(run: Run) -> str | None:
    """Whose the run is, empty for everyone's; None where its record does not say it."""
    try:
        return run.owner
    except (OSError, PlaygroundError, *RECORD_ERRORS):
        return None


def visible_runs(who: str) -> list[Run]:
    """The runs that a learner may see, the newest first; among them those that are damaged so much that nobody knows whose they are."""
    return [run for run in listed_runs() if owner(run) in ("", who, None)]


def listed_runs() -> list[Run]:
    """As `all_runs`; the folder is read again only when a run has come or gone, because many learners ask for it every few seconds."""
    folder = environment.runs_folder()
    when = modified_ns(folder)
    return list(_listed(folder, when)) if time.time_ns() - when > SETTLED_NS else all_runs()


@lru_cache(maxsize=1)
def _listed(_folder: Path, _changed: int) -> tuple[Run, ...]:
    return tuple(all_runs())


def first_chosen(summaries: Sequence[Summary]) -> list[Run]:
    """The runs that a comparison begins with, the oldest first: the newest one's race, else the newest few of its data set."""
    readable = sorted((each for each in summaries if each.facts and (each.facts.step or each.state in ACTIVE)), key=lambda each: each.started)
    if not readable:
        return []
    newest = readable[-1]
    if newest.race:
        return [each.run for each in readable if each.race == newest.race]
    return [each.run for each in readable if each.dataset == newest.dataset][-FEW:]
