"""Notebooks: cells that share their variables, run one after another in a process that each learner has alone.

Between the server and that process go lines of JSON: a `Request` for each cell, then any number of `Progress` and one `Answer`, which `process` declares.
"""

from __future__ import annotations

from typing import TypedDict

CELL_SECONDS = 60.0
"""Processor time of a cell, in seconds."""


class Request(TypedDict):
    """A cell to run."""

    source: str
    device: str
    """Of the whole notebook: the first cell decides."""
    language: str
