"""An editor for scripts with gradients, and the graph that PyTorch recorded, to be walked through."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from playground.ui.components import register
from playground.ui.components.tensor_lab import LONGEST
from playground.ui.shell.device import chosen_device

Numbers = dict[str, dict[str, float]]
"""By a tensor's name, for each cell in row-major order its value."""
_COMMAND = "autograd-lab-command"
_component = register(Path(__file__).parent, styles=("lab", "graph"))


def autograd_lab(source: str, grabbed: Numbers, key: str, on_run: Callable[[str, Numbers], None]) -> None:
    """Show the editor and the graph.

    Args:
        source: the script that stands in the editor when the component appears.
        grabbed: numbers of it that were changed by hand.
        key: names the component on its page.
        on_run: told of the script and the numbers each time one was run.
    """

    def ran() -> None:
        told = st.session_state[key].ran
        if isinstance(told, dict) and isinstance(told.get("source"), str) and len(told["source"]) <= LONGEST:
            on_run(told["source"], told.get("grabbed") or {})

    data = {"source": source, "grabbed": grabbed, "device": chosen_device(), "command": st.session_state.get(_COMMAND, {})}
    _component(key=key, data=data, on_ran_change=ran)


def open_script(source: str) -> None:
    """Have the component open a script and run it."""
    last = st.session_state.get(_COMMAND, {"id": 0})
    st.session_state[_COMMAND] = {"id": last["id"] + 1, "kind": "open", "text": source}
