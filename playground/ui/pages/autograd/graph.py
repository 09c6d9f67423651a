"""The parts of the Autograd page."""

from __future__ import annotations

import json

import streamlit as st

from playground.autograd.examples import EXAMPLES
from playground.messages import msg, t, translated
from playground.ui import state
from playground.ui.components.autograd_lab import Numbers, autograd_lab, open_script
from playground.ui.pages.autograd.address import choose
from playground.ui.shared.scripts import Script

SCRIPT = Script("autograd")
GRAPH, PITFALLS, NETWORK, DESCENT = "Graph", "Pitfalls", "Network", "Descent"
VIEWS = {GRAPH: msg("Graph"), PITFALLS: msg("Pitfalls"), NETWORK: msg("Whole network"), DESCENT: msg("Race downhill")}
"""Titles of the views."""
MOST_NUMBERS = 1000
"""Most characters of the changed numbers in the address."""


def heading_and_view() -> str:
    """Show the title with the examples of scripts, and at the right the choice of a view: graph of a script, pitfalls, graph of a network, or race."""
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small", width="content", key="autograd-head"):
            st.title(t("Autograd"), anchor=False, width="content")
            examples = st.empty()
        view = choose(st.segmented_control, t("View"), state.VIEW, VIEWS, required=True, label_visibility="collapsed", width="content")
    if view == GRAPH:
        with examples:
            _offer_examples()
    return view


def _offer_examples() -> None:
    SCRIPT.load()
    titles = translated({name: example.title for name, example in EXAMPLES.items()})
    st.menu_button(t("Examples"), list(titles), format_func=titles.__getitem__, key=state.AUTOGRAD_EXAMPLE.key, on_click=_open)


def script() -> str:
    """Return the learner's script, or the first example."""
    return SCRIPT.source(next(iter(EXAMPLES.values())).source)


def lab() -> None:
    """Show the editor and the graph."""
    autograd_lab(script(), _grabbed(), key="autograd-lab", on_run=_keep)
    SCRIPT.show_limit()


def _open() -> None:
    if chosen := state.AUTOGRAD_EXAMPLE.read():
        open_script(EXAMPLES[chosen].source)


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
