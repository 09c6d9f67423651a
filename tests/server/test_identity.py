"""A secret cookie identifies each learner."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from playground.runs.run import Run
from playground.server.asgi import MIDDLEWARE
from playground.server.identity import COOKIE

from ..support.learners import ADA, as_learner

NAVIGATION = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
"""What a browser accepts when it opens a page."""


def app(response: Response) -> TestClient:
    """A client of a server whose only page has this response."""
    return TestClient(Starlette(routes=[Route("/", lambda _request: response)], middleware=MIDDLEWARE))


def test_a_browser_without_a_cookie_gets_one_that_scripts_cannot_read() -> None:
    with app(HTMLResponse("<html></html>")) as client:
        first = client.get("/", headers=NAVIGATION)
        later = as_learner(client, ADA).get("/", headers=NAVIGATION)
    (cookie,) = (cookie for cookie in first.headers.get_list("set-cookie") if cookie.startswith(f"{COOKIE}="))
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert COOKIE not in later.headers.get("set-cookie", "")
    assert first.headers["x-frame-options"] == "SAMEORIGIN"


def test_a_browser_that_has_cached_the_page_gets_a_cookie_as_well() -> None:
    """Without one, its runs would have no owner, and all learners could see them."""
    with app(Response(status_code=304)) as client:
        assert COOKIE in client.get("/", headers=NAVIGATION).headers["set-cookie"]


def test_the_parts_of_a_page_set_no_cookie() -> None:
    """They are requested at the same time: each would set another."""
    with app(Response("export {}", media_type="text/javascript")) as client:
        assert "set-cookie" not in client.get("/").headers


def test_the_journal_does_not_contain_the_cookie(run: Run) -> None:
    assert ADA not in (run.path / "events.jsonl").read_text()
