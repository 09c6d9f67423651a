"""The list of runs of every page: what each run has come to, read again only when one of its files has changed."""

from __future__ import annotations

from functools import cache
from itertools import islice

from playground.runs.views.summaries import Summaries, Summary, list_runs, owner
from playground.server.services import services

SHOWN = 30
"""Most runs in a list, the newest first."""


@cache
def summaries() -> Summaries:
    """Return the server's summaries of runs."""
    return Summaries(lambda run: services().history(run))


def readable_runs(who: str) -> list[Summary]:
    """Return the newest runs that the learner may see, without those whose files are damaged."""
    newest = islice((run for run in list_runs() if owner(run) in ("", who)), SHOWN)
    return [summary for run in newest if (summary := summaries().of(run)) and summary.facts]
