"""The server's forking process, which has imported torch, forks the workers of all schedulers of these tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from playground.forking import Forker


@pytest.fixture(scope="session")
def forker(forker: Forker, data_folder: Path) -> Iterator[Forker]:
    """Return a forker whose processes read the shared data folder; closing a scheduler does not end it, for its imports take seconds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLAYGROUND_DATA", str(data_folder))
        forker.warm_up()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(forker, "close", lambda: None)
        yield forker
