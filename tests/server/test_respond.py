"""Errors that a learner can cause are answered with a status and their message."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.testclient import TestClient

from playground.errors import PlaygroundError, RunError
from playground.server.respond import Forbidden, answered


class TornCheckpoint(RunError):
    """A subclass that `respond` does not list."""


@pytest.mark.parametrize(("kind", "status"), [(PlaygroundError, 400), (RunError, 409), (TornCheckpoint, 409), (Forbidden, 403)])
def test_an_error_has_the_status_of_its_nearest_known_base_class(kind: type[PlaygroundError], status: int) -> None:
    @answered
    async def fail(_request: Request) -> Response:
        raise kind("The run is torn.", "Train again.")

    with TestClient(Starlette(routes=[Route("/", fail)])) as client:
        answer = client.get("/")
    assert (answer.status_code, answer.json()) == (status, {"error": "The run is torn. Train again."})
