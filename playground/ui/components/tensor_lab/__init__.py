"""The Tensors component: a script editor and the X-ray of its tensors; it runs scripts without a rerun of the page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal, TypedDict

import streamlit as st

from playground.ui import state
from playground.ui.components import register
from playground.ui.shared.device import chosen_device

LONGEST = 20_000
"""Most characters of a script that is kept."""
_component = register(Path(__file__).parent, styles=("lab", "xray"))


def _ignore(*_: object) -> None:
    """Do nothing."""


class ExerciseData(TypedDict):
    """The exercise that is open."""

    name: str
    title: str
    level: str
    statement: str
    """The task, with `code` marked."""
    hints: list[str]
    solution: str
    result: str
    """The name of the variable to assign."""
    next: str
    """The title of the next exercise that is not solved; empty where all others are."""


class LabData(TypedDict):
    """The `data` of the component."""

    exercise: ExerciseData | None
    """None while exploring."""
    source: str
    device: str
    command: state.Command
    score: tuple[int, int]
    """Correct predictions, and all."""


def tensor_lab(
    exercise: ExerciseData | None,
    source: str,
    key: str,
    on_run: Callable[[str], None] = _ignore,
    on_solved: Callable[[], None] = _ignore,
    on_next: Callable[[], None] = _ignore,
) -> None:
    """Show the editor and the X-ray.

    Args:
        exercise: what the scripts solve; None while exploring.
        source: the script in the editor when the component appears, or when another exercise does.
        key: identifies the component on its page.
        on_run: called with the script after each run.
        on_solved: called when the exercise was solved.
        on_next: called when the next exercise shall open.
    """
    predicted = state.TENSOR_SCORE.read()
    data: LabData = {
        "exercise": exercise,
        "source": source,
        "device": chosen_device(),
        "command": state.TENSOR_COMMAND.read(),
        "score": (predicted[0], predicted[1]),
    }

    def ran() -> None:
        text = st.session_state[key].ran
        if isinstance(text, dict) and isinstance(text.get("source"), str) and len(text["source"]) <= LONGEST:
            on_run(text["source"])
            if exercise and text.get("solved") == exercise["name"]:
                on_solved()

    def scored() -> None:
        score = st.session_state[key].score
        if isinstance(score, list) and len(score) == 2 and all(isinstance(number, int) for number in score):
            state.TENSOR_SCORE.write(score)

    _component(key=key, data=data, on_ran_change=ran, on_score_change=scored, on_next_change=on_next)


def command(kind: Literal["open", "append"], text: str) -> None:
    """Let the component carry out a command once.

    Args:
        kind: `open` replaces the script, `append` adds lines to it; both run it.
        text: the script or the lines.
    """
    last = state.TENSOR_COMMAND.read()
    state.TENSOR_COMMAND.write({"id": last["id"] + 1, "kind": kind, "text": text})
