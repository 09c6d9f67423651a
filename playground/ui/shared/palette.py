"""Colours with a meaning in the plots that Python draws: those of the optimizers with their marks, and some of the components' tokens."""

from __future__ import annotations

import streamlit as st

OPTIMIZERS = ("adam", "sgd", "rmsprop", "adamw", "muon", "sgd with momentum", "nesterov")  # no text: names of settings
"""In the order of their colours and marks; shared/palette.js of the components has the same."""
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "triangle-down", "pentagon")
COLOURS = 6
"""Number of the theme's colours that are used: the last, yellow, cannot be seen on white."""

TOKENS = {"gradient": ("#6B46C1", "#B79CF5"), "training": ("#1B6EC2", "#6FB1FF")}
"""In the light and in the dark theme, as in shared/controls.css of the components."""


def token(name: str) -> str:
    """Return the colour of this name in the learner's theme."""
    light, dark = TOKENS[name]
    return dark if _is_dark() else light


def optimizer_mark(name: str) -> tuple[str, str]:
    """Return the colour of an optimizer in the learner's theme, and its mark as Plotly calls it.

    Args:
        name: of the optimizer, or its title, in any case.
    """
    slot = OPTIMIZERS.index(name.lower())
    colours: list[str] = st.get_option("theme.dark.chartCategoricalColors" if _is_dark() else "theme.chartCategoricalColors")
    return colours[slot % COLOURS], SYMBOLS[slot % len(SYMBOLS)]


def _is_dark() -> bool:
    return st.context.theme.type == "dark"
