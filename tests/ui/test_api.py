"""The routes around Streamlit: whose run it is, what is refused, what is answered."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from playground.runs.run import Run
from playground.ui import api
from playground.ui.identity import COOKIE
from playground.ui.server import MIDDLEWARE
from playground.ui.services import services

from .conftest import ADA, BOB, as_learner


@pytest.fixture
def client() -> Iterator[TestClient]:
    services().warm.set()
    page = Route("/", lambda _request: HTMLResponse("<html></html>"))
    with TestClient(Starlette(routes=[page, *api.ROUTES], middleware=MIDDLEWARE)) as client:
        yield client


def ink() -> bytes:
    canvas = np.zeros((api.CANVAS, api.CANVAS), dtype=np.uint8)
    canvas[30:110, 66:74] = 255  # a one
    return canvas.tobytes()


def test_a_drawn_one_is_read(client: TestClient) -> None:
    document = client.post("/api/predict?model=mnist-cnn", content=ink()).json()
    assert document["label"] == "1"
    assert sum(document["probabilities"]) == pytest.approx(1, abs=1e-5)
    assert len(document["seen"]) == 28 * 28


@pytest.mark.parametrize(
    ("model", "body", "status"),
    [
        ("mnist-cnn", b"", 400),
        ("mnist-cnn", bytes(10), 400),
        ("mnist-cnn", bytes(api.MAX_BODY + 1), 400),
        ("mnist-cnn", bytes(api.CANVAS**2), 400),
        ("nothing", bytes(api.CANVAS**2), 404),
        ("../../etc/passwd", bytes(api.CANVAS**2), 404),
    ],
    ids=["no body", "too short", "too long", "empty drawing", "unknown network", "a path"],
)
def test_a_drawing_that_cannot_be_read_is_told_kindly(client: TestClient, model: str, body: bytes, status: int) -> None:
    answer = client.post("/api/predict", params={"model": model}, content=body)
    assert answer.status_code == status
    assert answer.json()["error"]


def test_a_strangers_network_does_not_answer(client: TestClient, run: Run) -> None:
    assert as_learner(client, BOB).post(f"/api/predict?model={run.id}", content=ink()).status_code == 403
    assert as_learner(client, ADA).post(f"/api/predict?model={run.id}", content=ink()).status_code == 400  # nothing kept yet


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


def test_plotly_is_served_from_the_installed_package(client: TestClient) -> None:
    answer = client.get("/plotly/plotly.min.js", headers={"accept-encoding": "gzip"})
    assert answer.status_code == 200
    assert answer.headers["content-encoding"] == "gzip"
    assert "max-age" in answer.headers["cache-control"]
