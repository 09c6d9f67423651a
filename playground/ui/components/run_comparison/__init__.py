"""The Compare component: the curves of several runs on one plot, the list of all runs, what differs, and a replay."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypedDict

import streamlit as st

from playground.runs.views.comparison import MAX_RUNS
from playground.ui.components import register

# Plotly writes its styles into the document, so that they must reach into the component.
_component = register(Path(__file__).parent, isolated=False)


class RecordedRun(TypedDict):
    """A run of a recorded race: its test accuracies."""

    name: str
    optimizer: str
    x: list[float]
    """Epochs."""
    y: list[float]


class ComparisonData(TypedDict):
    """The `data` of the component."""

    chosen: list[str]
    """The runs selected at first."""
    occasion: str
    """Identifies the reason for this selection; empty for none."""
    most: int
    """Maximum number of runs in a comparison."""
    recorded: list[RecordedRun]
    """A race to replay as long as there is no run; empty for none."""


def run_comparison(chosen: Sequence[str], occasion: str, recorded: list[RecordedRun], key: str, on_go: Callable[[str, str], None]) -> None:
    """Show the comparison; it fetches its data and refreshes without the page's script.

    Args:
        chosen: the runs selected at first; empty for those compared last, or the newest.
        occasion: identifies the reason for this selection; it is applied once for each occasion, so that a later selection of the learner stays.
        recorded: a race to replay as long as there is no run; empty for none.
        key: identifies this comparison on its page.
        on_go: called with a page, `train` or `evaluate`, and the run to open there.
    """

    def went() -> None:
        event = st.session_state[key].go
        if isinstance(event, dict):
            on_go(str(event.get("where")), str(event.get("run")))

    data: ComparisonData = {"chosen": list(chosen), "occasion": occasion, "most": MAX_RUNS, "recorded": recorded}
    _component(key=key, data=data, on_go_change=went)
