"""The learner whose page is being run."""

from __future__ import annotations

import streamlit as st

from playground.server.identity import COOKIE, learner


def current_learner() -> str:
    """The name of the learner whose page is being run, as run records have it."""
    return learner(st.context.cookies.get(COOKIE))
