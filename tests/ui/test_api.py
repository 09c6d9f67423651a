"""The routes around Streamlit: whose run it is, what is refused, what is answered."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from playground.errors import PlaygroundError, RunError
from playground.runs.run import Run
from playground.server.asgi import MIDDLEWARE
from playground.server.identity import COOKIE
from playground.server.respond import Forbidden, answered
from playground.server.routes import assets
from playground.server.services import services

from .conftest import ADA, as_learner


@pytest.fixture
def client() -> Iterator[TestClient]:
    services().warm.set()
    page = Route("/", lambda _request: HTMLResponse("<html></html>"))
    with TestClient(Starlette(routes=[page, *assets.ROUTES], middleware=MIDDLEWARE)) as client:
        yield client


def test_every_browser_gets_a_name_that_its_scripts_cannot_read(client: TestClient) -> None:
    first = as_learner(client, None).get("/")
    cookie = first.headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "set-cookie" not in as_learner(client, ADA).get("/").headers
    assert first.headers["x-frame-options"] == "SAMEORIGIN"


def test_the_record_does_not_give_the_cookie_away(run: Run) -> None:
    assert ADA not in (run.path / "events.jsonl").read_text()


class TornCheckpoint(RunError):
    """A kind of a kind of error."""


@pytest.mark.parametrize(("kind", "status"), [(PlaygroundError, 400), (RunError, 409), (TornCheckpoint, 409), (Forbidden, 403)])
def test_a_kind_of_error_has_the_status_of_the_kind_that_it_belongs_to(kind: type[PlaygroundError], status: int) -> None:
    @answered
    async def fail(_request: Request) -> Response:
        raise kind("The run is torn.", "Train again.")

    with TestClient(Starlette(routes=[Route("/", fail)])) as client:
        answer = client.get("/")
    assert (answer.status_code, answer.json()) == (status, {"error": "The run is torn. Train again."})


def test_plotly_is_served_from_the_installed_package(client: TestClient) -> None:
    answer = client.get("/plotly/plotly.min.js", headers={"accept-encoding": "gzip"})
    assert answer.status_code == 200
    assert answer.headers["content-encoding"] == "gzip"
    assert "max-age" in answer.headers["cache-control"]
