"""Titles, lists and tables of runs."""

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
from playground.typography import percent

SHOWN = 30
"""Most runs in a list, the newest first."""
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
    """Return the name that the learner gave the run; else its changed settings and its start time."""
    return label(run).name or f"{default_name(run)} · {_clock(run)}"


def finished_runs(who: str) -> list[Run]:
    """Return the finished or stopped runs that have a checkpoint."""
    return [run for run, _ in readable_runs(who) if run.checkpoints.latest_path.exists() and services().history(run).state in ("finished", "stopped")]


def finished_digit_runs(who: str) -> list[Run]:
    """Return those whose network classifies digits."""
    return [run for run in finished_runs(who) if dataset_info(run.config.dataset).kind == "digits"]


def readable_runs(who: str) -> list[tuple[Run, History]]:
    """Return the newest runs that the learner may see, without those whose files are damaged."""
    runs = []
    for run in islice((run for run in all_runs() if owner(run) in ("", who)), SHOWN):
        try:
            dataset_info(run.config.dataset)
            _ = run.network
        except PlaygroundError:
            continue
        runs.append((run, services().history(run)))
    return runs


def run_table(runs: list[tuple[Run, History]]) -> pd.DataFrame:
    """Return a table with one row per run."""
    rows = [
        {
            "Started": _clock(run),
            "Run": label(run).name or default_name(run),
            "Data set": dataset_info(run.config.dataset).title,
            "Network": run.network.title or run.network.name,
            "State": _state(history),
            "Test accuracy": None if history.test_accuracy is None else 100 * history.test_accuracy,
        }
        for run, history in runs
    ]
    return pd.DataFrame(rows, columns=["Started", "Run", "Data set", "Network", "State", "Test accuracy"])


def _state(history: History) -> str:
    """Describe the state of a run, with its progress while it is not finished."""
    word = STATES[history.state]
    return word if history.state in ("finished", "queued") or not history.total_steps else f"{word} · {percent(history.step / history.total_steps)}"


def _clock(run: Run) -> str:
    """Return the start time in a run's identifier: month, day, hour, minute and second."""
    date, time = run.id.split("-")[:2]
    return f"{date[4:6]}-{date[6:]} {time[:2]}:{time[2:4]}:{time[4:]}"
