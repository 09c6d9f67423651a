"""The parts of the Draw page."""

from __future__ import annotations

import streamlit as st

from playground.ui import identity
from playground.ui.components.drawing_pad import drawing_pad
from playground.ui.run_list import finished_digit_runs, run_title

MODEL_CHOICE = "draw-model"
"""Key of the chosen network in the session."""


def heading() -> None:
    st.title("Draw a digit")
    st.caption("Draw with the mouse, a finger or a pen. The network answers while you draw.")


def choose_network() -> str:
    """The network that answers: one that came with the playground, or a finished run on digits."""
    from playground.inference.models import shipped_names

    runs = {run.id: run for run in finished_digit_runs(identity.current())}
    shipped = shipped_names()
    if st.session_state.get(MODEL_CHOICE) not in (None, *shipped, *runs):
        del st.session_state[MODEL_CHOICE]  # that run is no longer there
    return str(
        st.selectbox(
            "Which network answers?",
            [*shipped, *runs],
            format_func=lambda name: run_title(runs[name]) if name in runs else f"{name} · comes with the playground, trained on all 60,000 MNIST digits",
            key=MODEL_CHOICE,
            persist_state="session",
            width=560,
        )
    )


def pad(model: str) -> None:
    from playground.data.catalogue import DIGITS

    drawing_pad(model, DIGITS, key="pad")


def explanation(model: str) -> None:
    """The way from the strokes to the network, and its code."""
    with st.expander("From your drawing to the network’s input", icon=":material/info:"):
        st.markdown(
            "The network learnt from MNIST’s digits, so your drawing is brought into their form: "
            "its empty margins are cut off, it is scaled until its longer side has **20** pixels, "
            "and it is placed in a field of **28×28** pixels with its centre of mass in the middle. "
            "That is why a small, large or off-centre digit is read as well as a neat one."
        )
    with st.expander("The PyTorch code", icon=":material/code:"):
        st.code(_code(model), language="python")


def _code(model: str) -> str:
    from playground.inference.models import load_model
    from playground.inference.source import prediction_source

    return prediction_source(load_model(model))
