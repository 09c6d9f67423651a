"""Colours with a meaning in the plots that Python draws: tokens of the components, for the learner's theme."""

from __future__ import annotations

import streamlit as st

TOKENS = {"gradient": ("#6B46C1", "#B79CF5"), "training": ("#1B6EC2", "#6FB1FF")}
"""In the light and in the dark theme, as in shared/controls.css of the components."""


def token(name: str) -> str:
    """Return the colour of this name in the learner's theme."""
    light, dark = TOKENS[name]
    return dark if st.context.theme.type == "dark" else light
