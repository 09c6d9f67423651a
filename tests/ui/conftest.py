"""Two learners, and a run of one of them."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from playground.network.presets import preset
from playground.runs.run import Run, create
from playground.server.identity import COOKIE, learner
from playground.training.config import TrainConfig
from playground.training.events import Evaluated, Started, Step

ADA, BOB = "ada-secret", "bob-secret"


@pytest.fixture
def run() -> Run:
    """Ada's, interrupted at step 30 of 100."""
    run = create(TrainConfig(network="mnist-mlp"), preset("mnist-mlp"), owner=learner(ADA))
    run.journal.append(Started(0.0, 0, 100, 10, "cpu", 1))
    for number in range(1, 31):
        run.journal.append(Step(number, 1 / number, number / 30, 0.1, number / 10, 1000.0))
    run.journal.append(Evaluated(30, 3.0, 0.5, 0.6, 0.4, 0.9, 3.0))
    return run


def as_learner(client: TestClient, cookie: str | None) -> TestClient:
    client.cookies.clear()
    if cookie:
        client.cookies.set(COOKIE, cookie)
    return client
