"""Which run the page shows: that in its address, the one opened last, or the newest."""

from __future__ import annotations

import time
from typing import NoReturn

import streamlit as st

from playground.errors import PlaygroundError
from playground.runs.run import Run, find
from playground.runs.views.summaries import Summary
from playground.server import identity
from playground.ui import state
from playground.ui.shared import visitor

_LATE_SECONDS = 8.0


def open_run(run: str) -> None:
    """Select another run."""
    state.OPENED_RUN.write((run, state.RUN.read(), time.monotonic()))
    state.WATCHED_RUN.write(run)
    state.RUN.write(run)


def go_to(run: Run) -> NoReturn:
    """Select another run and show it at once."""
    open_run(run.id)
    st.rerun()


def _named() -> str:
    """Return the run in the address; a message sent before another run was opened may still carry the previous address."""
    named = state.RUN.read()
    opened, before, at = state.OPENED_RUN.read()
    if opened and opened != named == before and time.monotonic() - at < _LATE_SECONDS:
        named = opened
        state.RUN.write(opened)
    return named


def watched_run(runs: list[Summary]) -> Run | None:
    """Return the run in the address or the one selected last; else the newest one."""
    wanted = _named() or state.WATCHED_RUN.read()
    if wanted:
        try:
            run = find(wanted)
        except PlaygroundError:
            state.WATCHED_RUN.forget()
        else:
            if identity.may_see(run, visitor.current_learner()):
                state.WATCHED_RUN.write(run.id)
                return run
    return runs[0].run if runs else None
