"""A run, live: its curves, its progress, and the buttons that steer it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from playground.runs.run import Run
from playground.ui.components import register

# Plotly writes its styles into the document, so that they must reach into the component.
_component = register(Path(__file__).parent, isolated=False)


def training_monitor(run: Run, title: str, key: str, on_end: Callable[[], None]) -> None:
    """Show the run; it refreshes itself without the page's script.

    Args:
        run: the run.
        title: what to call it.
        key: names this monitor on its page.
        on_end: called when the run has ended while it was watched.
    """
    _component(key=key, data={"run": run.id, "title": title}, on_ended_change=on_end)
