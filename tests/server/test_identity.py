"""A secret cookie identifies each learner."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from playground.runs.run import Run
from playground.server.asgi import MIDDLEWARE
from playground.server.identity import COOKIE

from ..support.learners import ADA, as_learner


def test_a_browser_without_a_cookie_gets_one_that_scripts_cannot_read() -> None:
    page = Route("/", lambda _request: HTMLResponse("<html></html>"))
    with TestClient(Starlette(routes=[page], middleware=MIDDLEWARE)) as client:
        first = client.get("/")
        later = as_learner(client, ADA).get("/")
    cookie = first.headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "set-cookie" not in later.headers
    assert first.headers["x-frame-options"] == "SAMEORIGIN"


def test_the_journal_does_not_contain_the_cookie(run: Run) -> None:
    assert ADA not in (run.path / "events.jsonl").read_text()
