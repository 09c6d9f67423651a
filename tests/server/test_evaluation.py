"""The routes of the Evaluate page: metrics, images, the projection, and who may request them."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import confusion_matrix, f1_score
from starlette.testclient import TestClient

from playground.data.load import load
from playground.inference.attribution import as_json, attribute
from playground.inference.models import load_model
from playground.runs.run import Run
from playground.server.routes import evaluation

from ..support.learners import ADA, BOB, as_learner

MODEL_QUERY = "model=mnist-cnn&dataset=mnist-5k"
PATHS = ("", "/pictures", "/evidence", "/points", "/sheet")


def predicted_classes() -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    classes: np.ndarray[tuple[int], np.dtype[np.int64]] = load_model("mnist-cnn").probabilities(load("mnist-5k").test_images).argmax(dim=1).numpy()
    return classes


def test_the_summary_has_the_metrics_of_scikit_learn(client: TestClient) -> None:
    document = client.get(f"/api/evaluation?{MODEL_QUERY}").json()
    labels, predicted = load("mnist-5k").test_labels.numpy(), predicted_classes()
    assert document["confusion"] == confusion_matrix(labels, predicted).tolist()
    assert document["macro"]["f1"] == pytest.approx(f1_score(labels, predicted, average="macro"), abs=1e-6)
    assert "among MNIST’s training images" in document["leakage"]


@pytest.mark.parametrize(("outcome", "is_correct"), [("wrong", False), ("right", True)])
def test_images_are_those_with_the_selected_outcome(client: TestClient, outcome: str, is_correct: bool) -> None:
    images, predicted = load("mnist-5k"), predicted_classes()
    document = client.get(f"/api/evaluation/pictures?{MODEL_QUERY}&outcome={outcome}&order=in-order").json()
    expected = np.flatnonzero((predicted == images.test_labels.numpy()) == is_correct)
    assert document["total"] == len(expected)
    assert document["index"] == expected[: evaluation.PAGE].tolist()
    assert base64.b64decode(document["pixels"]) == images.test_images[document["index"]].numpy().tobytes()


def test_consecutive_pages_of_images_do_not_overlap(client: TestClient) -> None:
    first, second = (client.get(f"/api/evaluation/pictures?{MODEL_QUERY}&offset={offset}").json()["index"] for offset in (0, evaluation.PAGE))
    assert [*first, *second] == list(range(2 * evaluation.PAGE))


def test_an_image_comes_with_the_evidence_for_its_class_and_for_the_one_that_it_rivals_with(client: TestClient) -> None:
    index = int(np.flatnonzero(predicted_classes() == 7)[0])
    document = client.get(f"/api/evaluation/evidence?{MODEL_QUERY}&index={index}").json()
    assert document["classes"][0] == document["true"] == 7 != document["classes"][1]
    image = load("mnist-5k").test_images[index]
    assert document["attributions"] == [as_json(attribute(load_model("mnist-cnn"), image, evaluation.METHOD, label)) for label in document["classes"]]
    assert client.get(f"/api/evaluation/evidence?{MODEL_QUERY}&index=1000").status_code == 400


def test_each_point_of_the_projection_has_its_image_in_the_sprite_sheet(client: TestClient) -> None:
    document = client.get(f"/api/evaluation/points?{MODEL_QUERY}&method=pca&dimensions=3").json()
    sheet = np.asarray(Image.open(io.BytesIO(client.get(f"/api/evaluation/sheet?{MODEL_QUERY}").content)))
    images, (columns, width, height) = load("mnist-5k").test_images, (document["sheet"][name] for name in ("columns", "width", "height"))
    assert len(document["coordinates"]) == len(document["index"]) == 1000
    for place in (0, 57, 999):
        row, column = divmod(place, columns)
        tile = sheet[row * height : (row + 1) * height, column * width : (column + 1) * width]
        np.testing.assert_array_equal(tile, images[document["index"][place], 0].numpy())


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("cookie", [BOB, None], ids=["stranger", "nobody"])
def test_another_learners_run_cannot_be_evaluated(client: TestClient, run: Run, path: str, cookie: str | None) -> None:
    for name in (run.id, f"{run.id}@30"):
        assert as_learner(client, cookie).get(f"/api/evaluation{path}", params={"model": name}).status_code == 403


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("name", ["", "nothing", "../../etc/passwd", "@3", "mnist-cnn@3"])
def test_an_unknown_network_is_refused(client: TestClient, path: str, name: str) -> None:
    answer = as_learner(client, ADA).get(f"/api/evaluation{path}", params={"model": name})
    assert answer.status_code in (400, 404)
    assert answer.json()["error"]


def test_a_run_without_a_checkpoint_cannot_be_evaluated(client: TestClient, run: Run) -> None:
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
def test_invalid_parameters_are_refused(client: TestClient, query: str) -> None:
    path, parameters = query.split("?")
    answer = client.get(f"/api/evaluation{path}?model=mnist-cnn&{'' if 'dataset' in parameters else 'dataset=mnist-5k&'}{parameters}")
    assert answer.status_code in (400, 404)
    assert answer.json()["error"]


@pytest.mark.parametrize("query", ["true=99", "true=-1", "predicted=10"])
def test_an_unknown_class_has_no_images(client: TestClient, query: str) -> None:
    answer = client.get(f"/api/evaluation/pictures?{MODEL_QUERY}&{query}")
    assert answer.status_code == 400 or answer.json()["total"] == 0


def test_the_network_is_drawn_at_work_on_a_test_image(client: TestClient) -> None:
    def at_work(path: str, test: str, **query: str) -> Any:
        answer = client.post(f"/api/draw/{path}", params={"model": "mnist-cnn", "dataset": "mnist-5k", "test": test, **query})
        return answer.json() if answer.status_code == 200 else answer.status_code

    picture = at_work("picture", "7")
    assert int(np.argmax(picture["probabilities"])) == predicted_classes()[7]
    seen = np.frombuffer(base64.b64decode(picture["columns"][0]["values"]), np.int8)
    assert seen.tolist() == (load("mnist-5k").test_images[7].numpy().ravel() // 2).tolist()
    assert at_work("picture", "1000") == at_work("picture", "one") == 400
    assert at_work("layers", "7")["outputs"][0]["shape"] == [1, 28, 28]
    assert at_work("calculation", "7", layer="0", place="0,3,4")["calculation"]["place"] == [0, 3, 4]
