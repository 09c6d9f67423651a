"""What many runs have come to, for a list that is looked at every few seconds."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from playground.errors import PlaygroundError
from playground.runs.comparing import Facts, facts, name, setup
from playground.runs.history import History
from playground.runs.run import ACTIVE, Run, State
from playground.runs.shelf import label

KEPT = 4096
"""Summaries kept in memory."""
FEW = 4
"""Runs that a comparison begins with, at most, where they are not a race."""

STRANGE = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError)
"""What is raised by a record whose lines are events, but with values that no run writes."""


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
    race: str
    """A name that the runs of its race share; empty for one that is in none."""
    dataset: str
    """Of what it learns; empty where it cannot be read."""
    fault: str = ""
    """Why it cannot be read."""


class Summaries:
    """Summaries of runs; a record is read again only when it has grown.

    Args:
        follow: gives the record of a run up to now; used for those that grow, which are therefore best kept by it.
    """

    def __init__(self, follow: Callable[[Run], History]) -> None:
        self._follow = follow
        self._known: OrderedDict[Run, tuple[int, State, Facts]] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, run: Run) -> Summary | None:
        """What the run has come to; None where its folder is gone."""
        try:
            size = (run.path / "events.jsonl").stat().st_size
        except OSError:
            return None
        try:
            own = setup(run)
            state, reached = self._reached(run, size)
            return Summary(run, name(run), label(run).note, state, reached, own.created.race, own.config.dataset)
        except (PlaygroundError, OSError) as error:
            fault = str(error)
        except STRANGE:
            fault = f"The record of the run “{run.id}” is damaged."
        return Summary(run, run.id, "", "failed", None, "", "", fault)

    def _reached(self, run: Run, size: int) -> tuple[State, Facts]:
        with self._lock:
            known = self._known.get(run)
        if known is None or known[0] != size:
            history = self._follow(run) if known else History(run).follow()
            known = (size, history.state, _finite(facts(run, history)))
            with self._lock:
                self._known[run] = known
                self._known.move_to_end(run)
                while len(self._known) > KEPT:
                    self._known.popitem(last=False)
        _, state, reached = known
        return ("interrupted" if state in ("running", "paused") and not run.is_held() else state), reached


def _finite(reached: Facts) -> Facts:
    if not all(math.isfinite(value) for value in (reached.seconds, reached.accuracy or 0, reached.best_accuracy or 0)):
        raise ValueError("a record holds numbers that no run writes")
    return reached


def owner(run: Run) -> str | None:
    """Whose the run is, empty for everyone's; None where its record does not say it."""
    try:
        return _owner(run)
    except (OSError, *STRANGE):
        return None


@lru_cache(maxsize=KEPT)
def _owner(run: Run) -> str:
    """An owner never changes; what could not be read is asked for again."""
    return run.owner


def first_chosen(summaries: Sequence[Summary]) -> list[Run]:
    """The runs that a comparison begins with, the oldest first: the newest one's race, else the newest few of its data set.

    Args:
        summaries: of all runs, the newest first.
    """
    readable = [each for each in summaries if each.facts and (each.facts.step or each.state in ACTIVE)]
    if not readable:
        return []
    newest = readable[0]
    alike = [each.run for each in readable if (each.race == newest.race if newest.race else each.dataset == newest.dataset)]
    return (alike if newest.race else alike[:FEW])[::-1]
