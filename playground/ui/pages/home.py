"""The parts of the Home page."""

from __future__ import annotations

from typing import Any, get_args

import streamlit as st

from playground.autograd.examples import EXAMPLES
from playground.data.catalogue import DIGITS, dataset_info
from playground.messages import t, translated
from playground.runs.run import ACTIVE
from playground.runs.views.summaries import Summary
from playground.tensors.link import pack
from playground.training.config import TrainConfig
from playground.ui import state
from playground.ui.components.home_stage import Card, Choice, LatestRun, home_stage
from playground.ui.shared.device import show_device
from playground.ui.shared.launch import launch
from playground.ui.shared.runs import has_trained_network, runs_of_visitor

RECORDED = TrainConfig("mnist-5k", "tiny-cnn", batch_size=32, epochs=6.0, seed=1)
"""The settings of the recorded training, as its file names them."""


def heading() -> None:
    first, second = t("A network is learning to read."), t("Draw something for it.")
    st.title(f"{first} :primary[{second}]", anchor=False)


def stage() -> None:
    """Show the recorded training, or the learner's latest network that reads digits; beneath it, where to go on."""
    runs = runs_of_visitor()
    own = next((each for each in runs if _reads_digits(each)), None)
    latest = runs[0] if runs and runs[0] is not own else None  # its own run has a button in the stage
    chosen = home_stage("home-stage", own.run.id if own else None, DIGITS, _cards(), _latest(latest) if latest else None)
    if chosen:
        _follow(chosen)


def footer() -> None:
    """Say what computes."""
    show_device()


def _reads_digits(summary: Summary) -> bool:
    """Return whether the run trains, or has trained, a network for digits."""
    if not (summary.state in ACTIVE or has_trained_network(summary)):
        return False
    return summary.facts is not None and dataset_info(summary.run.config.dataset).kind == "digits"


def _latest(summary: Summary) -> LatestRun:
    return {"run": summary.run.id, "name": translated(summary.name), "accuracy": summary.facts.accuracy if summary.facts else None}


def _follow(chosen: Choice) -> None:
    if chosen["what"] == "train":
        launch(RECORDED)
        st.rerun()
    if chosen["what"] == "run":
        state.open_page("train", {state.RUN: chosen["name"]})
    for page in get_args(state.Page):
        if chosen["what"] == "page" and chosen["name"] == page:
            state.open_page(page, _demonstration(page, chosen["strokes"]))


def _demonstration(page: state.Page, strokes: list[Any]) -> state.Choices:
    """What a page shows at its best: on Draw what was drawn here, a neuron on Autograd, unless the learner wrote a script there."""
    if page == "draw" and strokes:
        return {state.DRAWING: {"mode": "one", "papers": {"one": strokes, "several": []}}}
    if page == "autograd" and not state.SCRIPT_SOURCE.of(page).is_set:
        return {state.VIEW: "Graph", state.SCRIPT.of("script"): pack(EXAMPLES["neuron"].source)}
    return {}


def _cards() -> list[Card]:
    """Return what one can do, in the order in which a beginner learns it."""
    return [
        {"title": t("Tensors"), "text": t("Point at a number, and see the sum behind it."), "page": "tensors"},
        {"title": t("Gradients"), "text": t("Grab a number, and see its gradient flow back."), "page": "autograd"},
        {"title": t("Networks"), "text": t("Break one: make a window too large. Then mend it."), "page": "network"},
        {"title": t("Training"), "text": t("The five lines of every training loop, live."), "page": "train"},
        {"title": t("Mistakes"), "text": t("What does it confuse, and why?"), "page": "evaluate"},
        {"title": t("Your hand"), "text": t("See inside while you draw. Teach it your hand."), "page": "draw"},
    ]
