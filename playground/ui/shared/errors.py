"""Shows errors meant for the learner on the page; every other exception is a bug and surfaces."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from playground import installation
from playground.errors import ConfigError, PlaygroundError
from playground.messages import t


@contextmanager
def shown_kindly() -> Iterator[None]:
    """Show a `PlaygroundError` raised inside, and continue after it."""
    try:
        yield
    except PlaygroundError as error:
        show(error)
    except (ImportError, RuntimeError) as error:
        explained = installation.explain(error)
        if explained is None:
            raise
        show(explained)


def show(error: PlaygroundError) -> None:
    """Show what is wrong, and what to do about it."""
    lines = [f"- {t(problem)}" for problem in error.problems] if isinstance(error, ConfigError) else [t(error.message)]
    st.error("\n".join(lines), icon=":material/info:")
    if error.hint:
        st.caption(t(error.hint))
