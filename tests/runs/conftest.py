"""One process that has imported torch forks the workers of all schedulers of these tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from playground.forking import Forker
from playground.runs.execution.launcher import PREPARE


class SharedForker(Forker):
    """Forks for several schedulers: closing one of them does not end the forking process, whose imports take seconds."""

    def close(self) -> None:
        """Do nothing; `end` ends the forking process."""

    def end(self) -> None:
        super().close()


@pytest.fixture(scope="session")
def forker(data_folder: Path) -> Iterator[Forker]:
    """Return a forker whose processes read the shared data folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLAYGROUND_DATA", str(data_folder))
        forker = SharedForker(PREPARE)
        forker.warm_up()
    yield forker
    forker.end()
