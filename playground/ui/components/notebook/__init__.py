"""The notebook: cells that share their variables, and the X-ray of one; it runs them without a rerun of the page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, TypedDict, TypeGuard

import streamlit as st

from playground.ui.components import register
from playground.ui.shared.device import chosen_device

MOST_CELLS, MOST_LETTERS = 200, 20_000
"""Cells of a notebook, and characters of each, as `document.js` has them."""
_component = register(Path(__file__).parent, styles=("lab", "xray"))


class NotebookCell(TypedDict):
    """A cell as a learner writes it."""

    kind: Literal["code", "text"]
    source: str


class NotebookData(TypedDict):
    """The `data` of the component."""

    cells: list[NotebookCell]
    """When the component appears, or when another notebook is opened."""
    opened: int
    """Counts the notebooks that were opened by a link or an example."""
    device: str


def notebook(cells: Sequence[NotebookCell], opened: int, key: str, on_change: Callable[[list[NotebookCell]], None]) -> None:
    """Show the notebook.

    Args:
        cells: those in it when it appears, or when `opened` changes.
        opened: counts the notebooks that were opened.
        key: identifies the component on its page.
        on_change: called with the cells after a change.
    """

    def changed() -> None:
        written = st.session_state[key].cells
        if are_cells(written):
            on_change(written)

    data: NotebookData = {"cells": list(cells), "opened": opened, "device": chosen_device()}
    _component(key=key, data=data, on_cells_change=changed)


def are_cells(value: Any) -> TypeGuard[list[NotebookCell]]:
    """Return whether a value that came from a browser is a list of cells within the bounds."""
    return (
        isinstance(value, list)
        and len(value) <= MOST_CELLS
        and all(isinstance(each, dict) and each.keys() == {"kind", "source"} and each["kind"] in ("code", "text") for each in value)
        and all(isinstance(each["source"], str) and len(each["source"]) <= MOST_LETTERS for each in value)
    )
