"""The parts of the Home page."""

from __future__ import annotations

import streamlit as st

from playground.data.catalogue import DIGITS
from playground.messages import t
from playground.training.suggestions import suggested
from playground.ui import state
from playground.ui.components.drawing_pad import drawing_pad
from playground.ui.shared.device import show_device
from playground.ui.shared.launch import launch
from playground.ui.shared.runs import choose_run, runs_of_visitor

LATEST = 5


def greeting() -> None:
    st.title(t("See PyTorch at work"), anchor=False)
    st.markdown(
        t(
            "Train a network on handwritten digits, watch its loss fall, then draw a digit and see the prediction. "
            "PyTorch computes everything you see, on this machine."
        )
    )


def actions_and_pad() -> None:
    """Show the first steps on the left, and a canvas with a trained network on the right."""
    actions, alive = st.columns([2, 5], gap="large")
    with actions:
        _actions()
    with alive.container(border=True):
        drawing_pad({"mnist-cnn": "mnist-cnn"}, DIGITS, key="home-pad")


def latest_runs() -> None:
    runs = runs_of_visitor()[:LATEST]
    if runs:
        st.subheader(t("Latest runs"), anchor=False)
        chosen = choose_run(runs, key="home-runs")
        if chosen is not None:
            state.open_page("train", {state.RUN: chosen.id})


def footer() -> None:
    """Say what computes."""
    show_device()


def _actions() -> None:
    if st.button(t("Watch a network learn"), type="primary", icon=":material/show_chart:", width="stretch", key="watch"):
        run = launch(suggested("mnist-5k"))
        state.open_page("train", {state.RUN: run.id})
    st.caption(t("Train a small convolutional network on 4,000 digits in about ten seconds."))
    if st.button(t("Draw a digit"), icon=":material/draw:", width="stretch", key="draw"):
        state.open_page("draw")
    st.caption(t("Draw, choose a network, and see how it classifies your drawing."))
    if st.button(t("Look inside tensors"), icon=":material/grid_on:", width="stretch", key="tensors"):
        state.open_page("tensors")
    st.caption(t("Type PyTorch. See every shape, the memory behind it, and where each number comes from."))
