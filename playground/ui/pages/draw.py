"""The parts of the Draw page."""

from __future__ import annotations

import streamlit as st

from playground.data.catalogue import DIGITS, dataset_info
from playground.inference.attribution import METHODS, methods_for
from playground.inference.models import load_model, pretrained_names
from playground.inference.source import prediction_source
from playground.messages import t
from playground.runs.run import Run
from playground.ui import state
from playground.ui.components.drawing_pad import Method, drawing_pad, picture_pad
from playground.ui.shared.runs import has_trained_network, run_title, runs_of_visitor


def heading_and_networks() -> dict[str, str]:
    """Show the title, and let the learner choose one or two networks with the same classes: name to title.

    Offered are the networks that come with the playground, and runs with a checkpoint, of which the newest is used; and the earlier checkpoint
    with which the learner came here.
    """
    runs = {each.run.id: each.run for each in runs_of_visitor() if has_trained_network(each)}
    run, _, step = state.DRAW_MODEL.read().partition("@")
    if step and run in runs and int(step) in runs[run].checkpoints.steps():
        runs[f"{run}@{step}"] = runs[run]
    shipped = pretrained_names()
    known = [*shipped, *runs]

    def title(name: str) -> str:
        if not name:
            return t("Compare with …")
        return _run_title(name, runs[name]) if name in runs else t("{network} · comes with the playground", network=name)

    for choice in (state.DRAW_MODEL, state.DRAW_SECOND_MODEL):
        if choice.read() not in ("", *known):
            choice.forget()  # that run was deleted
    heading, aside = st.columns([2, 3], vertical_alignment="center")
    heading.title(t("Draw a digit"), anchor=False)
    networks = aside.container(horizontal=True)  # in a row on a phone, too
    first = str(networks.selectbox(t("Network"), known, format_func=title, key=state.DRAW_MODEL.key, persist_state="session", label_visibility="collapsed"))
    classes = {name: dataset_info(runs[name].config.dataset).classes if name in runs else DIGITS for name in known}
    others = ["", *(name for name in known if name != first and classes[name] == classes[first])]
    if state.DRAW_SECOND_MODEL.read() not in others:
        state.DRAW_SECOND_MODEL.forget()
    second = str(
        networks.selectbox(t("Compare with"), others, format_func=title, key=state.DRAW_SECOND_MODEL.key, persist_state="session", label_visibility="collapsed")
    )
    return {name: _run_title(name, runs[name]) if name in runs else name for name in (first, second) if name}


def _run_title(name: str, run: Run) -> str:
    step = name.partition("@")[2]
    return t("{run}, step {step:,}", run=run_title(run), step=int(step)) if step else run_title(run)


def pad(models: dict[str, str]) -> None:
    model = load_model(next(iter(models)))
    known = methods_for(model)
    methods: list[Method] = [{"name": name, "title": METHODS[name].title, "explains": METHODS[name].description} for name in known]
    if model.info.kind == "digits":
        drawing_pad(models, model.info.classes, "pad", methods, _compare)
    else:
        picture_pad(models, model.info.classes, "photo", methods)


def _compare(before: str, run: str) -> None:
    """Select the fine-tuned network, and the network before it to compare with."""
    state.DRAW_MODEL.write(run)
    state.DRAW_SECOND_MODEL.write(before)


def code(model: str) -> None:
    """Show the prediction as PyTorch code."""
    with st.expander(t("The PyTorch code"), icon=":material/code:"):
        st.code(prediction_source(load_model(model)), language="python")
