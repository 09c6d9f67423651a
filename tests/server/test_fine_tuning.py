"""The routes of a learner's own drawings: stored for that learner alone, and trained on in a run of its own."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from playground.data.own_drawings import load_drawings
from playground.data.preprocessing import to_digit
from playground.inference.canvas import CANVAS
from playground.inference.models import DEFAULT_MODEL
from playground.runs.run import all_runs, find
from playground.server import identity
from playground.server.routes import fine_tuning
from playground.server.services import services

from ..support.learners import ADA, BOB, as_learner


@pytest.fixture
def client(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    """Ada's browser, at a server that starts no worker."""
    monkeypatch.setattr(services().scheduler, "submit", lambda _run: None)
    return as_learner(client, ADA)


def canvas_with_one() -> np.ndarray:
    canvas = np.zeros((CANVAS, CANVAS), dtype=np.uint8)
    canvas[30:110, 66:74] = 255
    return canvas


INK = canvas_with_one().tobytes()


def add_drawing(client: TestClient, label: str = "1", predicted: str = "7") -> Any:
    answer = client.post("/api/drawings/add", params={"label": label, "predicted": predicted}, content=INK)
    assert answer.status_code == 200, answer.text
    return answer.json()["drawings"]


def test_a_drawing_is_stored_as_the_networks_input(client: TestClient) -> None:
    assert client.get("/api/drawings").json() == {"drawings": []}
    (drawing,) = add_drawing(client)
    assert (drawing["label"], drawing["predicted"]) == ("1", "7")
    (stored,) = load_drawings(identity.learner(ADA))
    assert stored.label == 1 and (stored.image == to_digit(canvas_with_one()).input).all()


def test_drawings_of_another_learner_are_neither_listed_nor_deleted(client: TestClient) -> None:
    add_drawing(client)
    assert as_learner(client, BOB).get("/api/drawings").json() == {"drawings": []}
    assert client.post("/api/drawings/delete", params={"index": 0}).status_code >= 400
    assert len(as_learner(client, ADA).get("/api/drawings").json()["drawings"]) == 1


def test_one_of_several_drawings_can_be_deleted(client: TestClient) -> None:
    for label in "123":
        add_drawing(client, label)
    remaining = client.post("/api/drawings/delete", params={"index": 1}).json()["drawings"]
    assert [drawing["label"] for drawing in remaining] == ["1", "3"]


def test_drawings_can_be_exported_and_imported(client: TestClient) -> None:
    for label in "42":
        add_drawing(client, label)
    archive = client.get("/api/drawings/my-digits.zip")
    assert "attachment" in archive.headers["content-disposition"]
    assert any(name.endswith(".png") for name in zipfile.ZipFile(io.BytesIO(archive.content)).namelist())
    imported = as_learner(client, BOB).post("/api/drawings/import", content=archive.content)
    assert sorted(drawing["label"] for drawing in imported.json()["drawings"]) == ["2", "4"]


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
def test_invalid_requests_are_refused(client: TestClient, path: str, query: dict[str, str], body: bytes) -> None:
    answer = client.post(f"/api/drawings/{path}", params=query, content=body)
    assert answer.status_code in (400, 404)
    assert answer.json()["error"]


def test_fine_tuning_creates_a_run_with_the_drawings(client: TestClient) -> None:
    add_drawing(client)
    run = find(client.post("/api/drawings/fine-tune", params={"model": DEFAULT_MODEL}, content=b"").json()["run"])
    assert run.owner == identity.learner(ADA) and run.own_path.exists()
    assert as_learner(client, BOB).get("/api/drawings/comparison", params={"model": DEFAULT_MODEL, "run": run.id}).status_code == 403
    assert [each.id for each in all_runs()] == [run.id]
