"""The component that lets optimizers race down a loss surface; the built-in surfaces need no server."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, TypedDict

import streamlit as st

from playground.ui.components import register

_component = register(Path(__file__).parent)


class SurfaceData(TypedDict):
    """A loss of two parameters."""

    name: str
    title: str
    expression: str
    """The loss in `x` and `y`, as in a script."""
    x: tuple[float, float]
    y: tuple[float, float]
    """Limits of the drawn part along each axis."""
    start: tuple[float, float]
    learning_rate: float
    steps: tuple[int, ...]
    """How many the optimizers can take."""
    usual_steps: int


class RaceSettings(TypedDict):
    """What the learner can choose."""

    surface: str
    expression: str
    """The learner's own surface."""
    rate: float
    """The learning rate."""
    momentum: float
    start: tuple[float, float]
    steps: int
    optimizers: list[str]
    view: Literal["map", "surface"]
    """Seen from above, or in three dimensions."""


class RaceData(TypedDict):
    """The `data` of the component."""

    surfaces: list[SurfaceData]
    """The last is the learner's own."""
    optimizers: list[str]
    """All that can race."""
    settings: RaceSettings
    version: int
    """Grows when the settings do not come from the component itself."""


def descent_race(data: RaceData, key: str, on_choose: Callable[[dict[str, Any]], None]) -> None:
    """Show the race.

    Args:
        key: names the component on its page.
        on_choose: called with the settings when the learner has changed them.
    """

    def chose() -> None:
        settings = st.session_state[key].settings
        if isinstance(settings, dict):
            on_choose(settings)

    _component(key=key, data=data, on_settings_change=chose)
