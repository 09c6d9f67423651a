"""The parts of the Train page."""

from __future__ import annotations

import streamlit as st

from playground.data.catalogue import dataset_info
from playground.messages import t
from playground.runs.run import Run
from playground.runs.views.summaries import Summary
from playground.ui import state
from playground.ui.components.training_monitor import training_monitor
from playground.ui.pages.train.contents import show_code, show_data, show_layers
from playground.ui.pages.train.export import offer_downloads, offer_import
from playground.ui.pages.train.opening import go_to, open_run, watched_run
from playground.ui.pages.train.setup import chosen, set_up_in_drawer, set_up_on_page
from playground.ui.shared.runs import choose_run, runs_of_visitor


def show() -> None:
    """Show the selected run; before the first run, the settings of one."""
    state.follow_plan()
    runs = runs_of_visitor()
    run = watched_run(runs)
    if run is None:
        set_up_on_page()
        return
    _watch(run)
    _show_details(run, runs)
    set_up_in_drawer(run)


def _watch(run: Run) -> None:
    def leave(destination: str, step: int) -> None:
        match destination:
            case "setup":
                state.SETTING_UP.write(True)
            case "draw":
                state.plan_visit("draw", {state.DRAW_MODEL: f"{run.id}@{step}" if step else run.id})
            case "evaluate":
                state.plan_visit("evaluate", {state.MODEL: run.id, state.EVALUATE_STEP.of(run.id): step})

    training_monitor(run, key="monitor", on_end=lambda: None, on_open=open_run, on_leave=leave)


def _show_details(run: Run, runs: list[Summary]) -> None:
    """Show what the run is made of, its files, and all runs."""
    titles = [t("Network"), t("Data set"), t("PyTorch code"), t("Export"), t("All runs")]
    network, data, code, export, all_runs = st.tabs(titles, key=state.TRAIN_TABS.key, on_change="rerun")
    if network.open:
        with network:
            show_layers(run.network)
    if data.open:
        with data:
            show_data(dataset_info(run.config.dataset))
    if code.open:
        with code:
            show_code(run)
    if export.open:
        with export:
            offer_downloads(run)
            offer_import(*chosen(), go_to)
    if all_runs.open:
        with all_runs:
            _choose_run(runs)


def _choose_run(runs: list[Summary]) -> None:
    chosen = choose_run(runs, key="train-runs")
    if chosen is not None and chosen.id != state.WATCHED_RUN.read():
        go_to(chosen)
