"""A canvas to draw digits on, with the answers of one or two networks beside it while one draws, and all that lies behind them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from playground.server.routes.drawing import CANVAS, WIDE
from playground.ui.components import register

MOST_STROKES = 500
MOST_POINTS = 20_000
"""Of a drawing that is kept over a change of page; a longer one is still answered."""
PAPERS = ("one", "several")

_KEPT = "drawing"
_component = register(Path(__file__).parent)


def drawing_pad(
    models: Mapping[str, str],
    classes: Sequence[str],
    key: str,
    methods: Sequence[Mapping[str, str]] = (),
    on_taught: Callable[[str, str], None] = lambda _before, _run: None,
) -> None:
    """Show the canvas; the drawing survives a change of page.

    Args:
        models: the networks that answer, one or two: a trained network's name or a run's identifier, with what to call it.
        classes: the names of the bars, in the order of the network's outputs.
        key: names this canvas on its page.
        methods: of attribution, each with its `name`, its `title` and what it `explains`; without any there is only the paper for one digit
            and the answer.
        on_taught: told of a network, by its name, and of the run in which it has learnt the learner's drawings.
    """
    data = {**_data(models, classes, methods), "side": CANVAS, "wide": WIDE, "drawing": st.session_state.get(_KEPT)}

    def taught() -> None:
        told = st.session_state[key].taught
        if isinstance(told, Mapping):
            on_taught(str(told.get("before")), str(told.get("run")))

    _component(key=key, data=data, on_drawing_change=lambda: _keep(key), on_taught_change=taught)


def picture_pad(models: Mapping[str, str], classes: Sequence[str], key: str, methods: Sequence[Mapping[str, str]]) -> None:
    """Show the same for networks that look at pictures: one is chosen or taken with the camera, instead of drawn.

    Args:
        models: as for `drawing_pad`.
        classes: as for `drawing_pad`.
        key: names this pad on its page.
        methods: as for `drawing_pad`.
    """
    _component(key=key, data={**_data(models, classes, methods), "picture": True}, on_drawing_change=lambda: None, on_taught_change=lambda: None)


def _data(models: Mapping[str, str], classes: Sequence[str], methods: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    return {
        "models": [{"name": name, "title": title} for name, title in models.items()],
        "classes": list(classes),
        "methods": [dict(method) for method in methods],
    }


def _keep(key: str) -> None:
    """Keep the strokes where a page switch does not lose them; what a browser sends is checked, not trusted."""
    drawing = st.session_state[key].drawing
    if isinstance(drawing, Mapping) and _is_drawing(drawing):
        st.session_state[_KEPT] = drawing


def _is_drawing(drawing: Mapping[str, Any]) -> bool:
    papers = drawing.get("papers")
    if drawing.get("mode") not in PAPERS or not isinstance(papers, Mapping) or set(papers) != set(PAPERS):
        return False
    strokes = [stroke for paper in papers.values() if isinstance(paper, list) for stroke in paper]
    points = [stroke.get("points") if isinstance(stroke, Mapping) else None for stroke in strokes]
    return len(strokes) <= MOST_STROKES and all(isinstance(each, list) for each in points) and sum(len(each or ()) for each in points) <= MOST_POINTS
