"""The Draw component: a canvas for digits, with the predictions of one or two networks and their explanations."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NotRequired, TypedDict, TypeGuard

import streamlit as st

from playground.inference.canvas import CANVAS, WIDE
from playground.ui import state
from playground.ui.components import register

MAX_STROKES = 500
MAX_POINTS = 20_000
"""Limits of a drawing that is kept when the page changes; the network still classifies a longer one."""
PAPERS = ("one", "several")
Mode = Literal["one", "several"]
"""The canvas for one digit, or the wide one for several."""

_component = register(Path(__file__).parent, styles=("stage", "written", "layers"))


class Stroke(TypedDict):
    """A stroke of the pen, in thousandths of the canvas's height."""

    width: float
    points: list[tuple[float, float]]
    """Right, down."""


class Drawing(TypedDict):
    """The strokes on both canvases."""

    mode: Mode
    papers: dict[Mode, list[Stroke]]
    cleared: NotRequired[dict[Mode, list[Stroke]]]
    """What was last cleared and can be brought back."""


class Network(TypedDict):
    """A network that predicts."""

    name: str
    """Of a trained network, or the identifier of a run."""
    title: str


class Method(TypedDict):
    """An attribution method."""

    name: str
    title: str
    explains: str


class PadData(TypedDict):
    """The `data` of the component."""

    models: list[Network]
    classes: list[str]
    methods: list[Method]


class DrawingData(PadData):
    """The `data` for digits to draw."""

    side: int
    """Rows of pixels of a drawing as the server gets it."""
    wide: int
    """How many times wider than high the canvas for several digits is."""
    drawing: Drawing | None


class PictureData(PadData):
    """The `data` for pictures to choose."""

    picture: Literal[True]


def drawing_pad(
    models: Mapping[str, str],
    classes: Sequence[str],
    key: str,
    methods: Sequence[Method],
    on_taught: Callable[[str, str], None],
) -> None:
    """Show the canvas; the drawing survives a change of page.

    Args:
        models: one or two networks: the name of a trained network or the identifier of a run, to its title.
        classes: the names of the classes, in the order of the network's outputs.
        key: identifies this canvas on its page.
        methods: the attribution methods.
        on_taught: called with the name of a network and the run in which it was fine-tuned on the learner's drawings.
    """
    kept = state.DRAWING.read()
    drawing = kept if kept is not None and _is_drawing(kept) else None
    data: DrawingData = {**_data(models, classes, methods), "side": CANVAS, "wide": WIDE, "drawing": drawing}

    def taught() -> None:
        event = st.session_state[key].taught
        if isinstance(event, Mapping):
            on_taught(str(event.get("before")), str(event.get("run")))

    _component(key=key, data=data, on_drawing_change=lambda: _keep(key), on_taught_change=taught)


def picture_pad(models: Mapping[str, str], classes: Sequence[str], key: str, methods: Sequence[Method]) -> None:
    """Show the same for networks that classify pictures, which are chosen or taken with the camera instead of drawn.

    Args:
        models: as for `drawing_pad`.
        classes: as for `drawing_pad`.
        key: identifies this pad on its page.
        methods: as for `drawing_pad`.
    """
    data: PictureData = {**_data(models, classes, methods), "picture": True}
    _component(key=key, data=data, on_drawing_change=lambda: None, on_taught_change=lambda: None)


def _data(models: Mapping[str, str], classes: Sequence[str], methods: Sequence[Method]) -> PadData:
    return {
        "models": [{"name": name, "title": title} for name, title in models.items()],
        "classes": list(classes),
        "methods": list(methods),
    }


def _keep(key: str) -> None:
    """Keep the strokes when the page changes. What the browser sends is checked."""
    drawing = st.session_state[key].drawing
    if isinstance(drawing, Mapping) and _is_drawing(drawing):
        state.DRAWING.write(drawing)


def _is_drawing(drawing: Mapping[str, Any]) -> TypeGuard[Drawing]:
    return drawing.get("mode") in PAPERS and _are_papers(drawing.get("papers")) and ("cleared" not in drawing or _are_papers(drawing["cleared"]))


def _are_papers(papers: object) -> bool:
    """Return whether these are the strokes of both papers, and not too many."""
    if not isinstance(papers, Mapping) or set(papers) != set(PAPERS) or not all(isinstance(strokes, list) for strokes in papers.values()):
        return False
    strokes = [stroke for paper in papers.values() for stroke in paper]
    points = [stroke.get("points") if isinstance(stroke, Mapping) else None for stroke in strokes]
    return len(strokes) <= MAX_STROKES and all(isinstance(each, list) for each in points) and sum(len(each or ()) for each in points) <= MAX_POINTS
