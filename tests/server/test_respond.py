"""Errors that a learner can cause are answered with a status and their message, in the reader's language; bugs are logged."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.testclient import TestClient

from playground.errors import PlaygroundError, RunError
from playground.glossary import cards
from playground.messages import ENGLISH, language, msg
from playground.server.asgi import MIDDLEWARE
from playground.server.reader import COOKIE
from playground.server.respond import AsciiJSON, Forbidden, answered


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


def test_a_bug_in_a_route_is_logged_with_its_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    @answered
    async def fail(_request: Request) -> Response:
        raise KeyError("a name that is not there")

    with TestClient(Starlette(routes=[Route("/api/broken", fail)], middleware=MIDDLEWARE), raise_server_exceptions=False) as client:
        assert client.get("/api/broken").status_code == 500
    log = capsys.readouterr().err
    assert "GET /api/broken failed." in log and "Traceback" in log and "KeyError: 'a name that is not there'" in log


def test_the_language_is_that_of_the_address_a_cookie_or_the_browser() -> None:
    async def speak(_request: Request) -> Response:
        return AsciiJSON({"text": msg("Test accuracy"), "language": language.get()})

    with TestClient(Starlette(routes=[Route("/", speak)], middleware=MIDDLEWARE)) as client:
        assert client.get("/").json() == {"text": "Test accuracy", "language": ENGLISH}
        assert client.get("/", headers={"accept-language": "fr, zh-CN;q=0.9, en;q=0.8"}).json() == {"text": "测试准确率", "language": "zh"}
        assert client.get("/?lang=zh").json()["language"] == "zh"
        assert COOKIE not in client.cookies  # no page was requested
        client.get("/?lang=zh", headers={"accept": "text/html"})
        assert client.cookies[COOKIE] == "zh"
        assert client.get("/", headers={"accept-language": "en"}).json()["language"] == "zh"
        assert client.get("/?lang=en").json()["language"] == ENGLISH
        assert client.get("/?lang=nonsense").json()["language"] == "zh"
        client.cookies.clear()
        others = {"cookie": "a,b=1; an/other=2; playground_language=zh"}  # of other programs on this host, and not by the rules
        assert client.get("/", headers=others).json()["language"] == "zh"


def test_only_a_language_that_was_asked_for_is_kept_for_a_year() -> None:
    async def page(_request: Request) -> Response:
        return AsciiJSON({})

    with TestClient(Starlette(routes=[Route("/", page)], middleware=MIDDLEWARE)) as client:
        headers = {"accept": "text/html", "accept-language": "zh-CN"}
        lasting = [
            cookie.expires is not None
            for address in ("/", "/?lang=zh")
            for cookie in (client.get(address, headers=headers), client.cookies.jar)[1]
            if cookie.name == COOKIE
        ]
    assert lasting == [False, True]


def test_scripts_get_every_card_of_the_glossary_in_the_readers_language(client: TestClient) -> None:
    response = client.get("/api/glossary")
    assert response.json() == cards()
    assert client.get("/api/glossary", headers={"if-none-match": response.headers["etag"]}).status_code == 304


def test_scripts_get_their_catalogue(client: TestClient) -> None:
    response = client.get("/api/text/zh.json")
    assert response.json()["Clear"] == "清除"
    assert client.get("/api/text/zh.json", headers={"if-none-match": response.headers["etag"]}).status_code == 304
    assert client.get("/api/text/en.json").status_code == client.get("/api/text/../zh.json").status_code == 404
