"""The Train component: shows a run live, with curves, predictions, layer statistics, the coach's findings and its controls."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypedDict

import streamlit as st

from playground.data.catalogue import dataset_info
from playground.network.trace import trace
from playground.runs.run import Run
from playground.runs.views.comparison import name
from playground.runs.views.inside import layer_titles
from playground.training.optimizers import interchangeable_with
from playground.training.schedules import SCHEDULE_TITLES
from playground.ui.components import register

# Plotly writes its styles into the document, so that they must reach into the component.
_component = register(Path(__file__).parent, isolated=False, styles=("stage", "written", "layers"))


class RunSettings(TypedDict):
    """The settings of a run that the views use."""

    learning_rate: float
    optimizer: str
    epochs: float
    batch_size: int
    """Images in a step."""
    betas: tuple[float, float]
    precision: str
    schedule: str
    """Title of the schedule of the learning rate; empty if it is constant."""


class MonitorData(TypedDict):
    """The `data` of the component."""

    run: str
    name: str
    """That of the learner, else one that follows from its settings."""
    config: RunSettings
    classes: tuple[str, ...]
    optimizers: list[tuple[str, str]]
    """Name and title of each optimizer that the run can change to."""
    layers: list[str]
    """Title of each layer."""
    parameters: int
    reads_digits: bool
    """Whether the network can be drawn for."""


def training_monitor(run: Run, key: str, on_end: Callable[[], None], on_open: Callable[[str], None], on_leave: Callable[[str, int], None]) -> None:
    """Show the run; it refreshes without the page's script.

    Args:
        run: the run.
        key: identifies this monitor on its page.
        on_end: called when the run ends while it is shown.
        on_open: called with another run to show.
        on_leave: called with what shall be opened instead, `setup`, `draw` or `evaluate`, and with the step of the checkpoint to use there; 0 for the latest.
    """

    def opened() -> None:
        event = st.session_state[key].opened
        if isinstance(event, dict):
            on_open(str(event.get("run")))

    def left() -> None:
        event = st.session_state[key].left
        if isinstance(event, dict):
            on_leave(str(event.get("to")), int(event.get("step", 0)))

    _component(key=key, data=_data(run), on_ended_change=on_end, on_opened_change=opened, on_left_change=left)


def _data(run: Run) -> MonitorData:
    config, info = run.config, dataset_info(run.config.dataset)
    return {
        "run": run.id,
        "name": name(run),
        "config": {
            "learning_rate": config.learning_rate,
            "optimizer": config.optimizer,
            "epochs": config.epochs,
            "batch_size": config.images_per_step(info.train_size),
            "betas": config.betas,
            "precision": config.precision,
            "schedule": "" if config.schedule == "constant" else SCHEDULE_TITLES[config.schedule],
        },
        "classes": info.classes,
        "optimizers": [(kind.name, kind.title) for kind in interchangeable_with(config.optimizer)],
        "layers": layer_titles(run.network),
        "parameters": sum(step.parameters for step in trace(run.network)),
        "reads_digits": info.kind == "digits",
    }
