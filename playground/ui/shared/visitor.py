"""The learner whose page is being rendered."""

from __future__ import annotations

import streamlit as st

from playground.server.identity import COOKIE, learner


def current_learner() -> str:
    """Return the name of the learner whose page is being rendered, as in run records."""
    return learner(st.context.cookies.get(COOKIE))
