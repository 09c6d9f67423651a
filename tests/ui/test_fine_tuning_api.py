"""The routes of a learner's own drawings: kept for that learner alone, learnt in a run of its own."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from playground.data.own_drawings import load_drawings
from playground.inference.canvas import CANVAS
from playground.inference.models import DEFAULT_MODEL
from playground.inference.preprocessing import to_digit
from playground.runs.run import all_runs, find
from playground.server import identity
from playground.server.asgi import MIDDLEWARE
from playground.server.routes import fine_tuning
from playground.server.services import services

from .conftest import ADA, BOB, as_learner


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    services().warm.set()
    monkeypatch.setattr(services().scheduler, "submit", lambda _run: None)  # what the worker does is tested elsewhere
    with TestClient(Starlette(routes=fine_tuning.ROUTES, middleware=MIDDLEWARE)) as client:
        yield as_learner(client, ADA)


def ink() -> np.ndarray:
    canvas = np.zeros((CANVAS, CANVAS), dtype=np.uint8)
    canvas[30:110, 66:74] = 255
    return canvas


INK = ink().tobytes()


def kept(client: TestClient, label: str = "1", said: str = "7") -> Any:
    answer = client.post("/api/drawings/add", params={"label": label, "predicted": said}, content=INK)
    assert answer.status_code == 200, answer.text
    return answer.json()["drawings"]


def test_a_drawing_is_kept_as_the_network_saw_it(client: TestClient) -> None:
    assert client.get("/api/drawings").json() == {"drawings": []}
    (drawing,) = kept(client)
    assert (drawing["label"], drawing["predicted"]) == ("1", "7")
    (found,) = load_drawings(identity.learner(ADA))
    assert found.label == 1 and (found.image == to_digit(ink()).input).all()


def test_nobody_else_sees_or_forgets_it(client: TestClient) -> None:
    kept(client)
    assert as_learner(client, BOB).get("/api/drawings").json() == {"drawings": []}
    assert client.post("/api/drawings/delete", params={"index": 0}).status_code >= 400
    assert len(as_learner(client, ADA).get("/api/drawings").json()["drawings"]) == 1


def test_one_of_them_is_forgotten(client: TestClient) -> None:
    for label in "123":
        kept(client, label)
    left = client.post("/api/drawings/delete", params={"index": 1}).json()["drawings"]
    assert [drawing["label"] for drawing in left] == ["1", "3"]


def test_they_are_taken_along_and_brought_back(client: TestClient) -> None:
    for label in "42":
        kept(client, label)
    archive = client.get("/api/drawings/my-digits.zip")
    assert "attachment" in archive.headers["content-disposition"]
    assert any(name.endswith(".png") for name in zipfile.ZipFile(io.BytesIO(archive.content)).namelist())
    brought = as_learner(client, BOB).post("/api/drawings/import", content=archive.content)
    assert sorted(drawing["label"] for drawing in brought.json()["drawings"]) == ["2", "4"]


@pytest.mark.parametrize(
    ("path", "query", "body"),
    [
        ("add", {"label": "10"}, INK),
        ("add", {}, INK),
        ("add", {"label": "1"}, b""),
        ("add", {"label": "1"}, bytes(CANVAS**2)),
        ("add", {"label": "1"}, bytes(CANVAS**2 + 1)),
        ("delete", {"index": "7"}, b""),
        ("delete", {"index": "-1"}, b""),
        ("delete", {"index": "x"}, b""),
        ("import", {}, b"no archive"),
        ("import", {}, bytes(fine_tuning.MAX_UPLOAD + 1)),
        ("fine-tune", {"model": DEFAULT_MODEL}, b""),
        ("fine-tune", {"model": "nothing"}, b""),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_cannot_be_done_is_told_kindly(client: TestClient, path: str, query: dict[str, str], body: bytes) -> None:
    answer = client.post(f"/api/drawings/{path}", params=query, content=body)
    assert answer.status_code in (400, 404)
    assert answer.json()["error"]


def test_a_run_is_made_that_learns_them(client: TestClient) -> None:
    kept(client)
    run = find(client.post("/api/drawings/fine-tune", params={"model": DEFAULT_MODEL}, content=b"").json()["run"])
    assert run.owner == identity.learner(ADA) and run.own_path.exists()
    assert as_learner(client, BOB).get("/api/drawings/comparison", params={"model": DEFAULT_MODEL, "run": run.id}).status_code == 403
    assert [each.id for each in all_runs()] == [run.id]
