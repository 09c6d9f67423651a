"""Runs side by side: the list to choose from, their curves on one plot, a ranking, what differs, and the queue."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import streamlit as st

from playground.ui.components import register

# Plotly writes its styles into the document, so that they must reach into the component.
_component = register(Path(__file__).parent, isolated=False)


def run_comparison(chosen: Sequence[str], occasion: str, key: str, on_go: Callable[[str, str], None]) -> None:
    """Show the comparison; it asks the server itself and refreshes itself without the page's script.

    Args:
        chosen: the runs to begin with; empty for those that were compared last, or the newest.
        occasion: names why just these; they are chosen once for each occasion, and what the learner chooses then stays.
        key: names this comparison on its page.
        on_go: told of a page, `train` or `evaluate`, and of the run that the learner wants to see there.
    """

    def went() -> None:
        told = st.session_state[key].go
        if isinstance(told, dict):
            on_go(str(told.get("where")), str(told.get("run")))

    _component(key=key, data={"chosen": list(chosen), "occasion": occasion}, on_go_change=went)
