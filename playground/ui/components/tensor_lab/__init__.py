"""An editor for tensor scripts and the X-ray of what they made; it asks the server by itself and needs no rerun to show an answer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from playground.ui.components import register
from playground.ui.shell.device import chosen_device

LONGEST = 20_000
"""Characters of a script that are kept."""
_COMMAND, _SCORE = "tensor-lab-command", "tensor-lab-score"
_component = register(Path(__file__).parent, styles=("lab",))


def tensor_lab(exercise: str, source: str, key: str, on_run: Callable[[str, str], None], on_solved: Callable[[str], None]) -> None:
    """Show the editor and the X-ray.

    Args:
        exercise: the exercise that scripts answer; empty for none.
        source: the script that stands in the editor when the component appears.
        key: names the component on its page.
        on_run: told of the exercise and the script each time one was run.
        on_solved: told of an exercise that was answered rightly.
    """
    command = st.session_state.get(_COMMAND, {})
    data = {"exercise": exercise, "source": source, "device": chosen_device(), "command": command, "score": st.session_state.get(_SCORE, [0, 0])}

    def ran() -> None:
        text = st.session_state[key].ran
        if isinstance(text, dict) and isinstance(text.get("source"), str) and len(text["source"]) <= LONGEST:
            on_run(exercise, text["source"])
            if exercise and text.get("right") is True:
                on_solved(exercise)

    def scored() -> None:
        score = st.session_state[key].score
        if isinstance(score, list) and len(score) == 2 and all(isinstance(number, int) for number in score):
            st.session_state[_SCORE] = score

    _component(key=key, data=data, on_ran_change=ran, on_score_change=scored)


def command(kind: str, text: str) -> None:
    """Have the component do something once.

    Args:
        kind: `open` replaces the script, `append` adds lines to it; both run it.
        text: the script or the lines.
    """
    last = st.session_state.get(_COMMAND, {"id": 0})
    st.session_state[_COMMAND] = {"id": last["id"] + 1, "kind": kind, "text": text}
