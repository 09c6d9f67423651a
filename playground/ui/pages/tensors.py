"""The parts of the Tensors page."""

from __future__ import annotations

from typing import Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from playground import environment
from playground.errors import PlaygroundError
from playground.messages import msg, nmsg, t
from playground.server.services import services
from playground.tensors.examples import EXAMPLES, example
from playground.tensors.exercises import EXERCISES as ALL_EXERCISES
from playground.tensors.exercises import Exercise, exercise, next_unsolved
from playground.tensors.exercises.progress import mark_solved, solved_exercises
from playground.tensors.help.creation import DTYPES, KINDS, creation_source
from playground.tensors.help.reference import entries
from playground.tensors.sandbox import COMPARE_DEVICES
from playground.ui import state
from playground.ui.components.tensor_lab import ExerciseData, command, tensor_lab
from playground.ui.pages.notebook import NOTEBOOK, load_notebook, show_notebook
from playground.ui.shared.errors import show, shown_kindly
from playground.ui.shared.scripts import Script
from playground.ui.shared.visitor import current_learner

SCRIPT = Script("tensors")
EXPLORE, EXERCISES = "Explore", "Exercises"
MODES = {EXPLORE: msg("Explore"), NOTEBOOK: msg("Notebook"), EXERCISES: msg("Exercises")}
LEVELS = {1: msg("first steps"), 2: msg("shapes"), 3: msg("combining tensors"), 4: msg("in practice"), 5: msg("puzzles")}
DEFAULT_DTYPE = "default"
RACE_SECONDS = 30
"""Processor time that a race may use on each core."""


def heading_and_exercise() -> Exercise | None:
    """Show the title, and let the learner choose between exploring, a notebook and exercises; return the exercise, None in the other modes."""
    SCRIPT.load()
    load_notebook()
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="tensors-head"):
        st.title(t("Tensors"), anchor=False, width="content")
        mode = st.segmented_control(
            t("Mode"),
            list(MODES),
            default=EXPLORE,
            required=True,
            format_func=lambda mode: t(MODES[mode]),
            key=state.TENSORS_MODE.key,
            persist_state="session",
            label_visibility="collapsed",
        )
        if mode == EXERCISES:
            return _choose_exercise()
        if mode == NOTEBOOK:
            return None
        _offer_examples()
        with st.popover(t("Create a tensor"), icon=":material/add:"):
            _make_a_tensor()
    return None


def lab(chosen: Exercise | None) -> None:
    """The editor and the X-ray."""
    if chosen is not None:
        _exercise(chosen)
        return
    if state.TENSORS_MODE.read() == NOTEBOOK:
        show_notebook()
        return
    tensor_lab(None, SCRIPT.source(EXAMPLES[0].source), key="lab-explore", on_run=SCRIPT.keep)
    SCRIPT.show_limit()


def race() -> None:
    """Time matrix products on each device."""
    with st.expander(t("Race: how fast is a matrix product here?"), icon=":material/speed:"):
        st.caption(
            t("How long does the product of two square matrices take? Each time is the median of several runs. Others who use this server make it slower.")
        )
        if st.button(t("Start the race"), icon=":material/flag:", key="race"):
            _run_race()
        if result := state.TENSORS_RACE.read():
            _show_race(result)


def reference() -> None:
    """List everything that scripts can use, with its documentation."""
    part = st.expander(t("What can I type here?"), icon=":material/menu_book:", key=state.TENSORS_REFERENCE.key, on_change="rerun")
    if part.open:
        with part:
            _show_reference()


def _offer_examples() -> None:
    titles = {each.name: t(each.title) for each in EXAMPLES}
    st.menu_button(t("Examples"), list(titles), format_func=titles.__getitem__, key=state.TENSORS_EXAMPLE.key, on_click=_open_example)


def _open_example() -> None:
    found = example(str(state.TENSORS_EXAMPLE.read()))
    if found is not None:
        command("open", found.source)


def _make_a_tensor() -> None:
    """Show a form that writes the code."""
    with st.form("make", border=False):
        field = state.TENSORS_CREATE
        name = st.text_input(t("Name"), "x", max_chars=20, key=field.of("name").key)
        kind = st.selectbox(t("Kind"), KINDS, key=field.of("kind").key)
        shape = st.text_input(t("Shape"), "3, 4", key=field.of("shape").key, help=t("Sizes, separated by commas; leave it empty for a single number."))
        dtype = st.selectbox(
            "dtype", [DEFAULT_DTYPE, *DTYPES], format_func=lambda name: t("default") if name == DEFAULT_DTYPE else name, key=field.of("dtype").key
        )
        fill = st.number_input(t("Value"), value=7.0, format="%g", key=field.of("value").key, help=t("For a tensor filled with one value."))
        seed = st.number_input(t("Seed"), value=None, min_value=0, step=1, key=field.of("seed").key, help=t("The same seed gives the same random numbers."))
        if st.form_submit_button(t("Write the code"), type="primary", width="stretch", key="write-code"):
            with shown_kindly():
                command("append", creation_source(name, kind, shape, dtype, fill, None if seed is None else int(seed)))


def _choose_exercise() -> Exercise:
    """Offer the exercises, at first the first one that is not solved yet; return the chosen one."""
    solved = solved_exercises(current_learner())
    if not state.TENSORS_EXERCISE.read():
        state.TENSORS_EXERCISE.write(next((each.name for each in ALL_EXERCISES if each.name not in solved), ALL_EXERCISES[0].name))
    titles = {each.name: f"{'✓ ' if each.name in solved else ''}{index}. {t(each.title)}" for index, each in enumerate(ALL_EXERCISES, 1)}
    name = st.selectbox(
        t("Exercise"),
        list(titles),
        format_func=titles.__getitem__,
        key=state.TENSORS_EXERCISE.key,
        persist_state="session",
        label_visibility="collapsed",
    )
    st.caption(t("{solved} of {all} solved", solved=sum(name in solved for name in titles), all=len(titles)), width="content")
    return exercise(name)


def _exercise(chosen: Exercise) -> None:
    """Show an exercise with its editor; what is solved is kept for the learner."""
    learner = current_learner()
    following = next_unsolved(chosen, solved_exercises(learner))
    data: ExerciseData = {
        "name": chosen.name,
        "title": chosen.title,
        "level": msg("level {level}: {title}", level=chosen.level, title=LEVELS[chosen.level]),
        "statement": chosen.statement,
        "hints": list(chosen.hints),
        "solution": chosen.solution,
        "result": chosen.result_name,
        "next": following.title if following else "",
    }

    def open_next() -> None:
        if following:
            state.TENSORS_EXERCISE.write(following.name)

    tensor_lab(data, chosen.start, key="lab-exercises", on_solved=lambda: mark_solved(learner, chosen.name), on_next=open_next)


def _run_race() -> None:
    held = services()
    if not held.racing.acquire(blocking=False):
        show(PlaygroundError(msg("Another race is running on this server."), msg("Two races at once would slow each other down. Try again in half a minute.")))
        return
    try:
        with st.spinner(t("Racing…")), shown_kindly():
            state.TENSORS_RACE.write(held.sandbox.run(COMPARE_DEVICES, {}, RACE_SECONDS * environment.cores()))
    finally:
        held.racing.release()


def _show_race(result: dict[str, Any]) -> None:
    lanes, rows = result["devices"], result["rows"]
    sizes = [row["size"] for row in rows]
    figure = go.Figure()
    for index, (lane, symbol) in enumerate(zip(lanes, ("circle", "square"), strict=False)):
        figure.add_scatter(x=sizes, y=[row["seconds"][index] * 1e3 for row in rows], name=lane, mode="lines+markers", marker={"symbol": symbol, "size": 9})
    figure.update_layout(
        height=320, margin={"l": 10, "r": 10, "t": 10, "b": 10}, legend={"orientation": "h", "y": 1.12},
        xaxis={"title": t("rows and columns"), "type": "log", "tickvals": sizes}, yaxis={"title": t("milliseconds"), "type": "log", "dtick": 1},
    )  # fmt: skip
    picture, table = st.columns([3, 2], gap="large")
    picture.plotly_chart(figure, width="stretch", config={"displayModeBar": False})
    facts = {t("Size"): sizes} | {lane: [t("{time:.3g} ms", time=row["seconds"][index] * 1e3) for row in rows] for index, lane in enumerate(lanes)}
    if len(lanes) > 1:
        ratios = [row["seconds"][0] / row["seconds"][1] for row in rows]
        facts[t("Speed-up")] = [t("{ratio:.3g}×", ratio=ratio) for ratio in ratios]
    table.dataframe(pd.DataFrame(facts), hide_index=True)


def _show_reference() -> None:
    some = "arange, transpose, softmax…"  # no text: names of functions
    wanted = st.text_input(t("Search"), placeholder=some, key=state.TENSORS_SEARCH.key, label_visibility="collapsed").strip().lower()
    found = [entry for entry in entries() if wanted in entry.name.lower() or (wanted and wanted in entry.summary.lower())]
    st.dataframe(
        pd.DataFrame(
            {
                t("Name"): [entry.name for entry in found],
                t("What it does"): [entry.summary for entry in found],
                t("Signature"): [entry.signature for entry in found],
                t("Group"): [t(entry.group) for entry in found],
            }
        ),
        hide_index=True,
        height=360,
    )
    st.caption(
        t(
            nmsg(
                "{n:,} name. The descriptions come from the documentation of PyTorch and NumPy.",
                "{n:,} names. The descriptions come from the documentation of PyTorch and NumPy.",
                len(found),
            )
        )
    )
