"""Streamlit's page with the style sheet in it."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from playground.server import web
from playground.server.page import FRAME, STYLES, StyledPage

PAGE = {"accept": "text/html,*/*;q=0.8"}


@pytest.fixture
def client(tmp_path: Path) -> TestClient:
    """A server of a page and of a text."""
    (tmp_path / "index.html").write_text("<html><head><title>A page</title></head><body></body></html>")

    def page(_request: Request) -> FileResponse:
        return FileResponse(tmp_path / "index.html")

    def text(_request: Request) -> PlainTextResponse:
        return PlainTextResponse("a</head>b", headers={"etag": "kept"})

    return TestClient(Starlette(routes=[Route("/", page), Route("/text", text)], middleware=[Middleware(StyledPage)]))


def test_a_page_has_the_style_sheet_in_its_head(client: TestClient) -> None:
    inserted = f'<style>{STYLES.read_text()}</style><script type="module" src="{web.address()}/{FRAME}"></script>'
    response = client.get("/", headers=PAGE)
    assert response.status_code == 200 and response.text.endswith(f"{inserted}</head><body></body></html>")
    assert int(response.headers["content-length"]) == len(response.content)
    assert not {"etag", "last-modified", "accept-ranges"} & set(response.headers)


def test_a_browser_that_has_streamlits_page_gets_the_one_with_the_style_sheet(client: TestClient) -> None:
    kept = client.get("/", headers={"accept": "*/*"})
    assert "<style>" not in kept.text
    for condition in ({"if-none-match": kept.headers["etag"]}, {"range": "bytes=0-5"}):
        response = client.get("/", headers={**PAGE, **condition})
        assert response.status_code == 200 and "<style>" in response.text


def test_what_is_no_page_stays_as_it_is(client: TestClient) -> None:
    response = client.get("/text", headers=PAGE)
    assert response.text == "a</head>b" and response.headers["etag"] == "kept"
