"""The parts of the Compare page."""

from __future__ import annotations

import json
from pathlib import Path

import streamlit as st

from playground.messages import t
from playground.network.presets import preset
from playground.runs.races import first_race, variation_name
from playground.runs.views.summaries import visible_runs
from playground.ui import state
from playground.ui.components.run_comparison import RecordedRun, run_comparison
from playground.ui.pages.compare.race import choose_race, chosen, start
from playground.ui.shared import visitor
from playground.ui.shared.errors import shown_kindly
from playground.ui.shared.glossary import glossary

RECORDED = Path(__file__).with_name("first_race.json")


def heading() -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.title(t("Compare runs"), anchor=False, width="content")
        if st.button(t("New race"), icon=":material/flag:", key="new-race", help=glossary("race")):
            choose_race()


def comparison() -> None:
    """Show the learner's runs side by side; before the first run, a recorded race, and the button that starts one."""
    is_empty = not visible_runs(visitor.current_learner())
    if is_empty:
        _welcome()
    run_comparison(*_to_begin_with(), _recorded_race() if is_empty else [], key="comparison", on_go=_go)
    state.follow_plan()


def _welcome() -> None:
    """Offer the first race."""
    config, variations = first_race()
    first, second, third = (variation_name(variation) for variation in variations)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        question = t("{first}, {second} or {third}: which trains fastest?", first=first, second=second, third=third)
        same = t("The same network, initial weights and batches: only the optimizer differs. Below is a recording of {epochs:g} epochs.", epochs=config.epochs)
        st.markdown(f"**{question}** {same}", width="content")
        if st.button(t("Start the race"), type="primary", icon=":material/flag:", key="first-race"):
            with shown_kindly():
                start(config, preset(config.network), variations)
                st.rerun()


def _recorded_race() -> list[RecordedRun]:
    """Return the test accuracies of the first race, as another machine has recorded them."""
    curves = json.loads(RECORDED.read_text(encoding="utf-8"))
    _, variations = first_race()
    named = [(variation_name(variation), variation["optimizer"]) for variation in variations]
    return [{"name": name, "optimizer": optimizer, "x": curves[name]["x"], "y": curves[name]["y"]} for name, optimizer in named]


def _to_begin_with() -> tuple[list[str], str]:
    """Return the runs to select at first, and the reason: a race just started, or the address."""
    race = chosen()
    if race:
        return race, f"race {race[0]}"  # no text: an identifier
    named = [name for name in state.RUNS.read().split(",") if name]
    return named, f"address {','.join(named)}" if named else ""  # no text: an identifier


def _go(where: str, run: str) -> None:
    """Open a run on the Train page or the Evaluate page."""
    if where == "train":
        state.plan_visit("train", {state.RUN: run})
    elif where == "evaluate":
        state.plan_visit("evaluate", {state.MODEL: run})
