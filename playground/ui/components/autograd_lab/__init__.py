"""The Autograd component: a script editor and the graph that PyTorch recorded, to be stepped through."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypedDict

import streamlit as st

from playground.ui import state
from playground.ui.components import register
from playground.ui.components.tensor_lab import LONGEST
from playground.ui.shared.device import chosen_device

Numbers = dict[str, dict[str, float]]
"""The changed values of each tensor: cell, in row-major order, to value, by the tensor's name."""
_component = register(Path(__file__).parent, styles=("lab", "graph"))


class LabData(TypedDict):
    """The `data` of the component."""

    source: str
    overrides: Numbers
    device: str
    command: state.Command


def autograd_lab(source: str, overrides: Numbers, key: str, on_run: Callable[[str, Numbers], None]) -> None:
    """Show the editor and the graph.

    Args:
        source: the script in the editor when the component appears.
        overrides: its numbers that were changed by hand.
        key: names the component on its page.
        on_run: called with the script and the changed numbers after each run.
    """

    def ran() -> None:
        event = st.session_state[key].ran
        if isinstance(event, dict) and isinstance(event.get("source"), str) and len(event["source"]) <= LONGEST:
            on_run(event["source"], event.get("overrides") or {})

    data: LabData = {"source": source, "overrides": overrides, "device": chosen_device(), "command": state.AUTOGRAD_COMMAND.read()}
    _component(key=key, data=data, on_ran_change=ran)


def open_script(source: str) -> None:
    """Let the component open a script and run it."""
    last = state.AUTOGRAD_COMMAND.read()
    state.AUTOGRAD_COMMAND.write({"id": last["id"] + 1, "kind": "open", "text": source})
