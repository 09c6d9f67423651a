"""The parts of the Autograd page."""

from __future__ import annotations

import json

import streamlit as st

from playground.autograd.examples import EXAMPLES
from playground.ui.components.autograd_lab import Numbers, autograd_lab, open_script
from playground.ui.shared.scripts import Script

SCRIPT = Script("autograd")
GRAPH, PITFALLS, NETWORK, DESCENT = "Graph", "Pitfalls", "Network", "Descent"
VIEW = "view"
"""Where the chosen view is kept, and the part of the address that holds it."""
NUMBERS = "numbers"
"""The part of the address that holds the numbers that were grabbed."""
_EXAMPLE = "autograd-example"
_GRABBED = "autograd-grabbed"
MOST_NUMBERS = 1000
"""Characters of them in the address."""


def heading() -> None:
    st.title("Autograd")
    st.caption("Type a computation, run it, and walk through the graph that PyTorch recorded: forward with the values, backward with the gradients.")


def choose_view() -> str:
    """The graph of a script, its pitfalls, the graph of a network, or optimizers on a surface."""
    return str(
        st.segmented_control(
            "View", [GRAPH, PITFALLS, NETWORK, DESCENT], default=GRAPH, required=True, key=VIEW, bind="query-params", label_visibility="collapsed"
        )
    )


def examples() -> None:
    """Ready scripts, one click each."""
    SCRIPT.load()
    st.pills("Examples", list(EXAMPLES), key=_EXAMPLE, label_visibility="collapsed", on_change=_open)


def script() -> str:
    """The learner's script, or the first example."""
    return SCRIPT.source(next(iter(EXAMPLES.values())))


def lab() -> None:
    """The editor and the graph."""
    autograd_lab(script(), _grabbed(), key="autograd-lab", on_run=_keep)
    SCRIPT.show_limit()


def _open() -> None:
    if chosen := st.session_state.get(_EXAMPLE):
        open_script(EXAMPLES[chosen])


def _keep(source: str, grabbed: Numbers) -> None:
    SCRIPT.keep(source)
    st.session_state[_GRABBED] = grabbed
    text = json.dumps(grabbed, separators=(",", ":"))
    if grabbed and len(text) <= MOST_NUMBERS:
        st.query_params[NUMBERS] = text
    else:
        st.query_params.pop(NUMBERS, None)


def _grabbed() -> Numbers:
    """The numbers of this session, or those in the address; what is no such thing is left to the server to refuse."""
    if _GRABBED not in st.session_state:
        try:
            found = json.loads(st.query_params.get(NUMBERS, "{}"))
        except (ValueError, RecursionError):
            found = {}
        st.session_state[_GRABBED] = found if isinstance(found, dict) else {}
    return st.session_state[_GRABBED]  # type: ignore[no-any-return]
