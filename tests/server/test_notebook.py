"""The routes of notebooks."""

from __future__ import annotations

import json
from typing import Any

import pytest
from starlette.testclient import TestClient

from playground.forking import CAN_FORK
from playground.server.identity import COOKIE
from playground.server.services import services

from ..support.learners import ADA, BOB

pytestmark = pytest.mark.skipif(not CAN_FORK, reason="needs fork")


@pytest.fixture
def ada(client: TestClient) -> TestClient:
    client.cookies.set(COOKIE, ADA)
    return client


def run(client: TestClient, source: str) -> dict[str, Any]:
    answer = client.post("/api/notebook/run", content=json.dumps({"source": source}))
    assert answer.status_code == 200, answer.text
    last: dict[str, Any] = json.loads(answer.text.splitlines()[-1])
    return last


def test_cells_run_until_the_notebook_is_restarted(ada: TestClient) -> None:
    assert ada.post("/api/notebook/restart").status_code == 200
    assert run(ada, "größe = torch.arange(4)\nprint('日本 😀')")["report"]["output"] == "日本 😀\n"
    assert run(ada, "größe.sum()")["report"]["error"] is None
    assert ada.post("/api/notebook/stop").json() == {}
    assert run(ada, "größe")["report"]["is_first"] is False
    ada.post("/api/notebook/restart")
    assert "größe" in run(ada, "größe")["report"]["error"]["message"]
    ada.cookies.set(COOKIE, BOB)
    assert run(ada, "x = 1")["report"]["is_first"]


def test_a_request_that_is_not_a_cell_is_refused_with_a_reason(ada: TestClient) -> None:
    for body in (b"", b"[]", b"{}", b'{"source": 3}', b'{"source": "x", "device": 4}'):
        answer = ada.post("/api/notebook/run", content=body)
        assert answer.status_code == 400 and answer.json()["error"]
    assert "larger" in ada.post("/api/notebook/run", json={"source": "x" * 200_000}).json()["error"]
    for half in ("'\\ud800'", "'\ud800'"):  # as an escape, and as a character
        assert "surrogate" in run(ada, f"x = {half}")["report"]["error"]["message"]


def test_a_device_that_is_not_there_is_an_answer(ada: TestClient) -> None:
    ada.post("/api/notebook/restart")
    last = json.loads(ada.post("/api/notebook/run", json={"source": "x = 1", "device": "tpu"}).text.splitlines()[-1])
    assert "error" in last
    assert run(ada, "x = 1")["report"]["error"] is None


def test_without_a_cookie_there_is_no_notebook(client: TestClient) -> None:
    for name in ("run", "stop", "restart"):
        assert "cookie" in client.post(f"/api/notebook/{name}", json={"source": "x = 1"}).json()["error"]


def test_the_server_ends_notebooks_with_itself(ada: TestClient) -> None:
    run(ada, "x = 1")
    services().notebooks.close()
    assert run(ada, "y = 1")["report"]["is_first"]
