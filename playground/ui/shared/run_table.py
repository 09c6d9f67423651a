"""A table of runs to choose one from."""

from __future__ import annotations

import streamlit as st

from playground.runs.history import History
from playground.runs.run import Run
from playground.ui.shared.runs import run_table


def show_runs(runs: list[tuple[Run, History]], key: str) -> Run | None:
    """Show the runs; return the one whose row was just clicked."""
    event = st.dataframe(
        run_table(runs),
        hide_index=True,
        key=key,
        on_select="rerun",
        selection_mode="single-row",
        column_config={
            "Test accuracy": st.column_config.NumberColumn(format="%.1f\N{NARROW NO-BREAK SPACE}%%"),
        },
    )
    rows = event["selection"]["rows"]
    return runs[rows[0]][0] if rows and rows[0] < len(runs) else None
