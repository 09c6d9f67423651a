"""The routes around Streamlit: whose run it is, what is refused, what is answered."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from playground.network.presets import preset
from playground.runs.run import Run, create
from playground.training.config import TrainConfig
from playground.training.events import Evaluated, Started, Step
from playground.ui import api
from playground.ui.identity import COOKIE, learner
from playground.ui.server import MIDDLEWARE
from playground.ui.services import services

ADA, BOB = "ada-secret", "bob-secret"


@pytest.fixture
def client() -> Iterator[TestClient]:
    services().warm.set()
    page = Route("/", lambda _request: HTMLResponse("<html></html>"))
    with TestClient(Starlette(routes=[page, *api.ROUTES], middleware=MIDDLEWARE)) as client:
        yield client


@pytest.fixture
def run() -> Run:
    run = create(TrainConfig(network="mnist-mlp"), preset("mnist-mlp"), owner=learner(ADA))
    run.append(Started(0.0, 0, 100, 10, "cpu", 1))
    for number in range(1, 31):
        run.append(Step(number, 1 / number, number / 30, 0.1, number / 10, 1000.0))
    run.append(Evaluated(30, 3.0, 0.5, 0.6, 0.4, 0.9, 3.0))
    return run


def as_learner(client: TestClient, cookie: str | None) -> TestClient:
    client.cookies.clear()
    if cookie:
        client.cookies.set(COOKIE, cookie)
    return client


def test_the_curves_hold_what_was_recorded(client: TestClient, run: Run) -> None:
    document = as_learner(client, ADA).get(f"/api/runs/{run.id}").json()
    assert (document["state"], document["step"], document["epochs"], document["test_accuracy"]) == ("interrupted", 30, 10.0, 0.9)
    assert document["batch_loss"]["raw_y"] == [float(f"{1 / number:.5g}") for number in range(1, 31)]
    assert document["test"] == {"x": [3.0], "loss": [0.4], "accuracy": [0.9]}
    assert document["steerable"] is True


def test_nothing_new_is_no_content(client: TestClient, run: Run) -> None:
    version = as_learner(client, ADA).get(f"/api/runs/{run.id}").json()["version"]
    assert client.get(f"/api/runs/{run.id}?seen={version}").status_code == 204
    run.append(Step(31, 0.1, 1.0, 0.1, 3.1, 1000.0))
    assert client.get(f"/api/runs/{run.id}?seen={version}").status_code == 200


def test_curves_stay_small_however_long_the_run(client: TestClient) -> None:
    run = create(TrainConfig(network="mnist-mlp"), preset("mnist-mlp"), owner=learner(ADA))
    noise = np.random.default_rng(0).random(20_000)
    with run.recorder() as record:
        record(Started(0.0, 0, 20_000, 100, "cpu", 1))
        for number, loss in enumerate(noise, 1):
            record(Step(number, float(loss), float(loss), 0.1, number / 10, 1000.0))
    assert len(as_learner(client, ADA).get(f"/api/runs/{run.id}").content) < 40_000


@pytest.mark.parametrize(("who", "status"), [(ADA, 200), (BOB, 403), (None, 403)], ids=["owner", "stranger", "nobody"])
def test_only_the_owner_sees_a_run(client: TestClient, run: Run, who: str | None, status: int) -> None:
    assert as_learner(client, who).get(f"/api/runs/{run.id}").status_code == status


@pytest.mark.parametrize(("who", "status"), [(ADA, 409), (BOB, 403), (None, 403)], ids=["owner", "stranger", "nobody"])
def test_only_the_owner_steers_a_run(client: TestClient, run: Run, who: str | None, status: int) -> None:
    answer = as_learner(client, who).post(f"/api/runs/{run.id}/command", json={"command": "pause"})
    assert answer.status_code == status  # 409: the owner may, but nobody trains it


def test_a_run_of_the_command_line_is_seen_by_all_and_steered_by_none(client: TestClient) -> None:
    run = create(TrainConfig(network="mnist-mlp"), preset("mnist-mlp"))
    assert as_learner(client, BOB).get(f"/api/runs/{run.id}").json()["steerable"] is False
    for who in (BOB, None):
        assert as_learner(client, who).post(f"/api/runs/{run.id}/command", json={"command": "stop"}).status_code == 403


@pytest.mark.parametrize("name", ["nothing", "..%2F..%2Fetc", "20260101-000000-mnist-5k-x-0000"])
def test_an_unknown_run_is_not_found(client: TestClient, name: str) -> None:
    assert as_learner(client, ADA).get(f"/api/runs/{name}").status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nonsense",
        b"[]",
        b"null",
        b'{"command": 3}',
        b'{"command": "rm"}',
        b'{"command": "learning-rate", "value": -1}',
        b'{"command": "learning-rate", "value": "x"}',
    ],
)
def test_a_command_that_is_none_is_refused(client: TestClient, run: Run, body: bytes) -> None:
    answer = as_learner(client, ADA).post(f"/api/runs/{run.id}/command", content=body)
    assert answer.status_code in (400, 404)
    assert answer.json()["error"]


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
