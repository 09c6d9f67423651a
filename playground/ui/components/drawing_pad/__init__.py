"""A canvas to draw a digit on, with a network's answer beside it while one draws."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from playground.ui.api import CANVAS
from playground.ui.components import register

_KEPT = "drawing"
_component = register(Path(__file__).parent)


def drawing_pad(model: str, classes: Sequence[str], key: str) -> None:
    """Show the canvas; the drawing survives a change of page.

    Args:
        model: name of the trained network, or a run's identifier, that answers.
        classes: the names of the bars, in the order of the network's outputs.
        key: names this canvas on its page.
    """
    data: dict[str, Any] = {
        "model": model,
        "classes": list(classes),
        "side": CANVAS,
        "strokes": st.session_state.get(_KEPT, []),
    }
    _component(key=key, data=data, on_drawing_change=lambda: _keep(key))


def _keep(key: str) -> None:
    """Keep the strokes where a page switch does not lose them; what a browser sends is checked, not trusted."""
    strokes = st.session_state[key].drawing
    if isinstance(strokes, list) and len(strokes) <= 500:
        st.session_state[_KEPT] = strokes
