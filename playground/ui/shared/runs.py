"""Titles, lists and tables of runs."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from playground.messages import joined, t, translated
from playground.runs.labels import label
from playground.runs.run import STATES, Run
from playground.runs.views.comparison import default_name
from playground.runs.views.summaries import Summary
from playground.server import run_list
from playground.typography import percent
from playground.ui.shared import visitor


def runs_of_visitor() -> list[Summary]:
    """Return the newest runs that the learner may see, without those whose files are damaged."""
    return run_list.readable_runs(visitor.current_learner())


def has_trained_network(summary: Summary) -> bool:
    """Tell whether the run has a checkpoint; it may still be running."""
    return summary.run.checkpoints.latest_path.exists()


def run_title(run: Run) -> str:
    """Return the name that the learner gave the run; else its changed settings and its start time."""
    return label(run).name or t(joined([default_name(run), _clock(run)], " · "))


def choose_run(runs: list[Summary], key: str) -> Run | None:
    """Show a table of the runs; return the one whose row was just clicked."""
    event = st.dataframe(
        _table(runs),
        hide_index=True,
        key=key,
        on_select="rerun",
        selection_mode="single-row",
        column_config={
            t("Test accuracy"): st.column_config.NumberColumn(format="%.1f\N{NARROW NO-BREAK SPACE}%%"),
        },
    )
    rows = event["selection"]["rows"]
    return runs[rows[0]].run if rows and rows[0] < len(runs) else None


def _table(runs: list[Summary]) -> pd.DataFrame:
    """Return a table with one row per run."""
    columns = {
        t("Started"): [_clock(each.run) for each in runs],
        t("Run"): [translated(each.name) for each in runs],
        t("Data set"): [t(each.dataset) for each in runs],
        t("Network"): [t(each.network) for each in runs],
        t("State"): [_state(each) for each in runs],
        t("Test accuracy"): [None if each.facts is None or each.facts.accuracy is None else 100 * each.facts.accuracy for each in runs],
    }
    return pd.DataFrame(columns)


def _state(summary: Summary) -> str:
    """Describe the state of a run, with its progress while it is not finished."""
    word, facts = t(STATES[summary.state]), summary.facts
    if summary.state in ("finished", "queued") or facts is None or not facts.total_steps:
        return word
    return f"{word} · {percent(facts.step / facts.total_steps)}"


def _clock(run: Run) -> str:
    """Return the start time in a run's identifier: month, day, hour, minute and second."""
    date, time = run.id.split("-")[:2]
    return f"{date[4:6]}-{date[6:]} {time[:2]}:{time[2:4]}:{time[4:]}"
