"""The parts of the Compare page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from playground.messages import t
from playground.network.presets import preset
from playground.runs import trash
from playground.runs.races import first_race, variation_name
from playground.runs.views.summaries import owner, visible_runs
from playground.ui import state
from playground.ui.components.run_comparison import run_comparison
from playground.ui.pages.compare.race import choose_race, chosen, start
from playground.ui.shared import visitor
from playground.ui.shared.errors import shown_kindly
from playground.ui.shared.palette import COLOURS, SYMBOLS

RECORDED = Path(__file__).with_name("first_race.json")


def heading() -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.title(t("Compare runs"), anchor=False, width="content")
        if st.button(t("New race"), icon=":material/flag:", key="new-race"):
            choose_race()


def comparison() -> None:
    """Show the learner's runs side by side; before the first run, offer a race."""
    who = visitor.current_learner()
    runs = visible_runs(who)
    if not runs:
        _welcome()
    if runs or any(owner(item.run) == who for item in trash.trash()):
        run_comparison(*_to_begin_with(), key="comparison", on_go=_go)
    state.follow_plan()


def _welcome() -> None:
    """Offer the first race, with the curves of a recorded one."""
    config, variations = first_race()
    first, second, third = (variation_name(variation) for variation in variations)
    text, picture = st.columns([2, 3], gap="large", vertical_alignment="center", border=False)
    with text:
        st.subheader(t("{first}, {second} or {third}: which trains fastest?", first=first, second=second, third=third), anchor=False)
        st.markdown(
            t(
                "The same small network, {epochs:g} epochs on MNIST 5k, the same initial weights and the same batches: only the optimizer differs. "
                "You see all curves on one plot while they train.",
                epochs=config.epochs,
            )
        )
        if st.button(t("Start the race"), type="primary", icon=":material/flag:", width="stretch", key="first-race"):
            with shown_kindly():
                start(config, preset(config.network), variations)
                st.rerun()
    with picture:
        st.caption(t("A recorded race from another machine: test accuracy by epoch."))
        st.plotly_chart(_recorded_race(), config={"staticPlot": True}, key="recorded-race")


def _recorded_race() -> Any:
    """Draw the test accuracies of a recorded race."""
    curves = json.loads(RECORDED.read_text(encoding="utf-8"))
    figure = go.Figure()
    for (name, curve), symbol, colour in zip(curves.items(), SYMBOLS, COLOURS, strict=False):
        line = {"width": 2.5, "color": colour}
        figure.add_scatter(x=curve["x"], y=curve["y"], name=name, mode="lines+markers", marker={"symbol": symbol, "size": 9}, line=line)
    legend = {"orientation": "h", "y": 1.02, "yanchor": "bottom", "font": {"size": 14}}
    figure.update_layout(height=340, margin={"l": 50, "r": 10, "t": 30, "b": 40}, legend=legend)
    figure.update_yaxes(range=[0, 1.005], tickformat=".0%", tickfont_size=14)
    figure.update_xaxes(tickfont_size=14, rangemode="tozero")
    return figure


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
