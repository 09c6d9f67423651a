"""The Home component: a network that learns in the browser or on the server, a canvas whose drawing it answers, and cards that lead on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, TypedDict

from playground.inference.canvas import CANVAS
from playground.ui.components import register

RECORDING = "api/home/recording"
"""Where the recorded training is served."""

_component = register(Path(__file__).parent, styles=("stage",))


class Card(TypedDict):
    """What one can do next."""

    title: str
    text: str
    page: str
    """The name of the page that it leads to."""


class LatestRun(TypedDict):
    """The learner's latest run."""

    run: str
    name: str
    accuracy: float | None
    """On the test images, if it was evaluated."""


class Choice(TypedDict):
    """What was clicked."""

    what: Literal["train", "page", "run"]
    name: str
    """Of the page, or the identifier of the run."""
    strokes: list[Any]
    """What the learner has drawn, as the browser sends it."""


class HomeData(TypedDict):
    """The `data` of the component."""

    side: int
    """Rows of pixels of a drawing as the server gets it."""
    recording: str
    model: str | None
    """A run of the learner, whose network is shown instead of the recorded one."""
    classes: list[str]
    cards: list[Card]
    latest: LatestRun | None


def home_stage(key: str, model: str | None, classes: Sequence[str], cards: Sequence[Card], latest: LatestRun | None) -> Choice | None:
    """Show the network at work; return what was just chosen.

    Args:
        key: identifies the component on its page.
        model: a run of the learner whose network is shown; None plays the recorded training.
        classes: the names of the classes.
        cards: what one can do next.
        latest: the learner's latest run.
    """
    data: HomeData = {"side": CANVAS, "recording": RECORDING, "model": model, "classes": list(classes), "cards": list(cards), "latest": latest}
    chosen = _component(key=key, data=data, on_chosen_change=lambda: None).chosen
    return {"what": chosen["what"], "name": str(chosen["name"]), "strokes": list(chosen["strokes"])} if chosen else None
