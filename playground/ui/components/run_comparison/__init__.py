"""The Compare component: the list of runs, their curves on one plot, a ranking, what differs, and the queue."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import streamlit as st

from playground.runs.views.comparison import MAX_RUNS
from playground.ui.components import register

# Plotly writes its styles into the document, so that they must reach into the component.
_component = register(Path(__file__).parent, isolated=False)


def run_comparison(chosen: Sequence[str], occasion: str, key: str, on_go: Callable[[str, str], None]) -> None:
    """Show the comparison; it fetches its data and refreshes without the page's script.

    Args:
        chosen: the runs selected at first; empty for those compared last, or the newest.
        occasion: identifies the reason for this selection; it is applied once for each occasion, so that a later selection of the learner stays.
        key: identifies this comparison on its page.
        on_go: called with a page, `train` or `evaluate`, and the run to open there.
    """

    def went() -> None:
        event = st.session_state[key].go
        if isinstance(event, dict):
            on_go(str(event.get("where")), str(event.get("run")))

    _component(key=key, data={"chosen": list(chosen), "occasion": occasion, "most": MAX_RUNS}, on_go_change=went)
