"""The routes of the Evaluate page: what is counted, what is shown, and to whom."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import confusion_matrix, f1_score
from starlette.applications import Starlette
from starlette.testclient import TestClient

from playground.data.load import load
from playground.inference.models import load_model
from playground.runs.run import Run
from playground.server.asgi import MIDDLEWARE
from playground.server.routes import evaluation
from playground.server.services import services

from .conftest import ADA, BOB, as_learner

DEFAULT_MODEL = "model=mnist-cnn&dataset=mnist-5k"
PATHS = ("", "/pictures", "/points", "/sheet")


@pytest.fixture
def client() -> Iterator[TestClient]:
    services().warm.set()
    with TestClient(Starlette(routes=evaluation.ROUTES, middleware=MIDDLEWARE)) as client:
        yield client


def predictions() -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    named: np.ndarray[tuple[int], np.dtype[np.int64]] = load_model("mnist-cnn").probabilities(load("mnist-5k").test_images).argmax(dim=1).numpy()
    return named


def test_the_summary_is_what_scikit_learn_counts(client: TestClient) -> None:
    found = client.get(f"/api/evaluation?{DEFAULT_MODEL}").json()
    labels, named = load("mnist-5k").test_labels.numpy(), predictions()
    assert found["confusion"] == confusion_matrix(labels, named).tolist()
    assert found["macro"]["f1"] == pytest.approx(f1_score(labels, named, average="macro"), abs=1e-6)
    assert "among MNIST’s training images" in found["leakage"]


@pytest.mark.parametrize(("answers", "keep"), [("wrong", False), ("right", True)])
def test_the_pictures_are_those_that_pass_the_filter(client: TestClient, answers: str, keep: bool) -> None:
    images, named = load("mnist-5k"), predictions()
    found = client.get(f"/api/evaluation/pictures?{DEFAULT_MODEL}&outcome={answers}&order=in-order").json()
    expected = np.flatnonzero((named == images.test_labels.numpy()) == keep)
    assert found["total"] == len(expected)
    assert found["index"] == expected[: evaluation.PAGE].tolist()
    assert base64.b64decode(found["pixels"]) == images.test_images[found["index"]].numpy().tobytes()


def test_pages_follow_each_other(client: TestClient) -> None:
    first, second = (client.get(f"/api/evaluation/pictures?{DEFAULT_MODEL}&offset={offset}").json()["index"] for offset in (0, evaluation.PAGE))
    assert [*first, *second] == list(range(2 * evaluation.PAGE))


def test_the_points_and_their_sheet_fit_together(client: TestClient) -> None:
    found = client.get(f"/api/evaluation/points?{DEFAULT_MODEL}&method=pca&dimensions=3").json()
    sheet = np.asarray(Image.open(io.BytesIO(client.get(f"/api/evaluation/sheet?{DEFAULT_MODEL}").content)))
    images, (columns, width, height) = load("mnist-5k").test_images, (found["sheet"][name] for name in ("columns", "width", "height"))
    assert len(found["coordinates"]) == len(found["index"]) == 1000
    for place in (0, 57, 999):
        row, column = divmod(place, columns)
        tile = sheet[row * height : (row + 1) * height, column * width : (column + 1) * width]
        np.testing.assert_array_equal(tile, images[found["index"][place], 0].numpy())


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("who", [BOB, None], ids=["stranger", "nobody"])
def test_a_strangers_run_is_not_evaluated(client: TestClient, run: Run, path: str, who: str | None) -> None:
    for name in (run.id, f"{run.id}@30"):
        assert as_learner(client, who).get(f"/api/evaluation{path}", params={"model": name}).status_code == 403


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("name", ["", "nothing", "../../etc/passwd", "@3", "mnist-cnn@3"])
def test_a_network_that_is_not_there_is_told(client: TestClient, path: str, name: str) -> None:
    answer = as_learner(client, ADA).get(f"/api/evaluation{path}", params={"model": name})
    assert answer.status_code in (400, 404)
    assert answer.json()["error"]


def test_a_run_that_has_kept_nothing_says_so(client: TestClient, run: Run) -> None:
    answer = as_learner(client, ADA).get("/api/evaluation", params={"model": run.id})
    assert answer.status_code == 400
    assert "no checkpoint" in answer.json()["error"]


@pytest.mark.parametrize(
    "query",
    [
        "/pictures?offset=-1",
        "/pictures?offset=x",
        "/pictures?outcome=some",
        "/pictures?order=random",
        "/points?method=umap",
        "/points?dimensions=4",
        "?dataset=nothing",
        "?dataset=shapes",
    ],
)
def test_what_cannot_be_asked_is_refused(client: TestClient, query: str) -> None:
    path, asked = query.split("?")
    answer = client.get(f"/api/evaluation{path}?model=mnist-cnn&{'' if 'dataset' in asked else 'dataset=mnist-5k&'}{asked}")
    assert answer.status_code in (400, 404)
    assert answer.json()["error"]


@pytest.mark.parametrize("query", ["true=99", "true=-1", "predicted=10"])
def test_a_class_that_is_none_has_no_pictures(client: TestClient, query: str) -> None:
    answer = client.get(f"/api/evaluation/pictures?{DEFAULT_MODEL}&{query}")
    assert answer.status_code == 400 or answer.json()["total"] == 0
