"""Runs as a learner sees them: what to call one, and tables of them."""

from __future__ import annotations

from itertools import islice

import pandas as pd

from playground.data.catalogue import dataset_info
from playground.errors import PlaygroundError
from playground.runs.history import History
from playground.runs.labels import label
from playground.runs.run import Run, all_runs
from playground.runs.views.comparison import default_name
from playground.runs.views.summaries import owner
from playground.server.services import services

SHOWN = 30
"""Runs that a list shows, the newest first."""
STATES = {
    "queued": "waiting",
    "running": "training",
    "paused": "paused",
    "finished": "finished",
    "stopped": "stopped",
    "failed": "failed",
    "interrupted": "interrupted",
}


def run_title(run: Run) -> str:
    """What the learner named it; else what was changed in it, and when it was started, because many are alike in that."""
    return label(run).name or f"{default_name(run)} · {_clock(run)}"


def finished_runs(who: str) -> list[Run]:
    """The runs whose network can be asked."""
    return [run for run, _ in readable_runs(who) if run.checkpoints.latest_path.exists() and services().history(run).state in ("finished", "stopped")]


def finished_digit_runs(who: str) -> list[Run]:
    """Those among them whose network can read a drawing."""
    return [run for run in finished_runs(who) if dataset_info(run.config.dataset).kind == "digits"]


def readable_runs(who: str) -> list[tuple[Run, History]]:
    """The newest runs that a learner may see, without those whose files are damaged."""
    found = []
    for run in islice((run for run in all_runs() if owner(run) in ("", who)), SHOWN):
        try:
            dataset_info(run.config.dataset)
            _ = run.network
        except PlaygroundError:
            continue
        found.append((run, services().history(run)))
    return found


def run_table(runs: list[tuple[Run, History]]) -> pd.DataFrame:
    """One row a run."""
    rows = [
        {
            "Started": _clock(run),
            "Run": label(run).name or default_name(run),
            "Data": dataset_info(run.config.dataset).title,
            "Network": run.network.title or run.network.name,
            "State": _state(history),
            "Test accuracy": None if history.test_accuracy is None else 100 * history.test_accuracy,
        }
        for run, history in runs
    ]
    return pd.DataFrame(rows, columns=["Started", "Run", "Data", "Network", "State", "Test accuracy"])


def _state(history: History) -> str:
    """What it is doing, and how far it is where that tells more."""
    word = STATES[history.state]
    return word if history.state in ("finished", "queued") or not history.total_steps else f"{word} · {history.step / history.total_steps:.0%}"


def _clock(run: Run) -> str:
    """When it was asked for, as its identifier says: month, day, hour and minute."""
    date, time = run.id.split("-")[:2]
    return f"{date[4:6]}-{date[6:]} {time[:2]}:{time[2:4]}:{time[4:]}"
