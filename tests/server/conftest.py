"""A client of the playground's routes, and a run of the learner Ada."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from playground.network.presets import preset
from playground.runs.run import Run, create
from playground.server.asgi import MIDDLEWARE, ROUTES
from playground.server.identity import learner
from playground.server.services import services
from playground.training.config import TrainConfig
from playground.training.events import Evaluated, Started, Step

from ..support.learners import ADA


@pytest.fixture
def client() -> Iterator[TestClient]:
    """A browser without a cookie, at the server without its pages."""
    services().warm.set()
    with TestClient(Starlette(routes=ROUTES, middleware=MIDDLEWARE)) as client:
        yield client


@pytest.fixture
def run() -> Run:
    """A run of Ada's, interrupted at step 30 of 100."""
    run = create(TrainConfig(network="mnist-mlp"), preset("mnist-mlp"), owner=learner(ADA))
    run.journal.append(Started(0.0, 0, 100, 10, "cpu", 1))
    for number in range(1, 31):
        run.journal.append(Step(number, 1 / number, number / 30, 0.1, number / 10, 1000.0))
    run.journal.append(Evaluated(30, 3.0, 0.5, 0.6, 0.4, 0.9, 3.0))
    return run
