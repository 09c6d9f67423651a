"""The Train component: shows a run live, with curves, layer statistics, the coach's findings and its controls."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypedDict

import streamlit as st

from playground.data.catalogue import dataset_info
from playground.runs.run import Run
from playground.training.optimizers import interchangeable_with
from playground.ui.components import register

# Plotly writes its styles into the document, so that they must reach into the component.
_component = register(Path(__file__).parent, isolated=False)


class RunSettings(TypedDict):
    """The settings of a run that the views use."""

    learning_rate: float
    optimizer: str
    epochs: float
    betas: tuple[float, float]
    precision: str


class MonitorData(TypedDict):
    """The `data` of the component."""

    run: str
    title: str
    config: RunSettings
    classes: tuple[str, ...]
    optimizers: list[tuple[str, str]]
    """Name and title of each optimizer that the run can change to."""


def training_monitor(run: Run, title: str, key: str, on_end: Callable[[], None], on_open: Callable[[str], None]) -> None:
    """Show the run; it refreshes without the page's script.

    Args:
        run: the run.
        title: the title of the run.
        key: identifies this monitor on its page.
        on_end: called when the run ends while it is shown.
        on_open: called with another run to show.
    """

    def opened() -> None:
        event = st.session_state[key].opened
        if isinstance(event, dict):
            on_open(str(event.get("run")))

    config = run.config
    data: MonitorData = {
        "run": run.id,
        "title": title,
        "config": {
            "learning_rate": config.learning_rate,
            "optimizer": config.optimizer,
            "epochs": config.epochs,
            "betas": config.betas,
            "precision": config.precision,
        },
        "classes": dataset_info(config.dataset).classes,
        "optimizers": [(kind.name, kind.title) for kind in interchangeable_with(config.optimizer)],
    }
    _component(key=key, data=data, on_ended_change=on_end, on_opened_change=opened)
