"""The parts of the Autograd page."""

from __future__ import annotations

import streamlit as st

from playground.autograd.examples import EXAMPLES
from playground.ui.components.autograd_lab import autograd_lab, open_script
from playground.ui.scripts import Script

SCRIPT = Script("autograd")
GRAPH, DESCENT = "Graph", "Descent"
_EXAMPLE = "autograd-example"


def heading() -> None:
    st.title("Autograd")
    st.caption("Type a computation, run it, and walk through the graph that PyTorch recorded: forward with the values, backward with the gradients.")


def choose_view() -> str:
    """The graph of a script, or optimizers on a surface."""
    return str(
        st.segmented_control("View", [GRAPH, DESCENT], default=GRAPH, required=True, key="autograd-view", persist_state="session", label_visibility="collapsed")
    )


def examples() -> None:
    """Ready scripts, one click each."""
    SCRIPT.load()
    st.pills("Examples", list(EXAMPLES), key=_EXAMPLE, label_visibility="collapsed", on_change=_open)


def lab() -> None:
    """The editor and the graph."""
    autograd_lab(SCRIPT.source(next(iter(EXAMPLES.values()))), key="autograd-lab", on_run=SCRIPT.keep)
    SCRIPT.show_limit()


def _open() -> None:
    if chosen := st.session_state.get(_EXAMPLE):
        open_script(EXAMPLES[chosen])
