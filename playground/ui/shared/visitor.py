"""The learner whose page is being rendered, and their language."""

from __future__ import annotations

import streamlit as st

from playground.messages import ENGLISH, language
from playground.server.identity import COOKIE, learner
from playground.server.reader import language_of_cookie


def current_learner() -> str:
    """Return the name of the learner whose page is being rendered, as in run records."""
    return learner(st.context.cookies.get(COOKIE))


def use_language() -> None:
    """Let `t` speak the learner's language in this thread: each run of a page, or of a fragment of it, may have one of its own."""
    language.set(language_of_cookie(st.context.headers.get("Cookie", "")) or ENGLISH)
