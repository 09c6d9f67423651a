"""The parts of the Autograd page."""

from __future__ import annotations

import json

import streamlit as st

from playground.autograd.examples import EXAMPLES
from playground.ui import state
from playground.ui.components.autograd_lab import Numbers, autograd_lab, open_script
from playground.ui.shared.scripts import Script

SCRIPT = Script("autograd")
GRAPH, PITFALLS, NETWORK, DESCENT = "Graph", "Pitfalls", "Network", "Descent"
MOST_NUMBERS = 1000
"""Most characters of the changed numbers in the address."""


def heading() -> None:
    st.title("Autograd")
    st.caption("Type a computation, run it, and step through the graph that PyTorch recorded: values forward, gradients backward.")


def choose_view() -> str:
    """Let the learner choose a view: graph of a script, pitfalls, graph of a network, or descent."""
    return str(
        st.segmented_control(
            "View", [GRAPH, PITFALLS, NETWORK, DESCENT], default=GRAPH, required=True, key=state.VIEW.key, bind="query-params", label_visibility="collapsed"
        )
    )


def examples() -> None:
    """Offer example scripts."""
    SCRIPT.load()
    st.pills("Examples", list(EXAMPLES), key=state.AUTOGRAD_EXAMPLE.key, label_visibility="collapsed", on_change=_open)


def script() -> str:
    """Return the learner's script, or the first example."""
    return SCRIPT.source(next(iter(EXAMPLES.values())))


def lab() -> None:
    """Show the editor and the graph."""
    autograd_lab(script(), _grabbed(), key="autograd-lab", on_run=_keep)
    SCRIPT.show_limit()


def _open() -> None:
    if chosen := state.AUTOGRAD_EXAMPLE.read():
        open_script(EXAMPLES[chosen])


def _keep(source: str, grabbed: Numbers) -> None:
    SCRIPT.keep(source)
    state.GRABBED.write(grabbed)
    text = json.dumps(grabbed, separators=(",", ":"))
    if grabbed and len(text) <= MOST_NUMBERS:
        state.NUMBERS.write(text)
    else:
        state.NUMBERS.forget()


def _grabbed() -> Numbers:
    """Return the changed numbers of this session, or those in the address; the server validates them."""
    if not state.GRABBED.is_set:
        try:
            found = json.loads(state.NUMBERS.read())
        except (ValueError, RecursionError):
            found = {}
        state.GRABBED.write(found if isinstance(found, dict) else {})
    return state.GRABBED.read()
