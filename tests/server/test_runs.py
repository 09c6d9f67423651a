"""The routes of a run: curves, layers, histograms, filters, findings of the coach, commands and forks; and who may request them."""

from __future__ import annotations

import base64
import json
import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from starlette.testclient import TestClient

from playground.data.load import load
from playground.network.presets import preset
from playground.runs.coach import Remedy
from playground.runs.history import History
from playground.runs.run import Run, create, find
from playground.runs.views.curves import POINTS
from playground.server.identity import learner
from playground.server.routes import runs
from playground.server.services import services
from playground.training.config import TrainConfig
from playground.training.events import Evaluated, LearningRate, OptimizerChanged, Started, Step, Steps
from playground.training.instruments.observation import gallery_of

from ..support.learners import ADA, BOB, as_learner
from ..support.training import train

TRAINED: dict[str, str] = {}
"""Folder of runs → identifier of the trained run in it."""
TOO_HIGH = 50.0
"""A learning rate that makes every ReLU inactive before the steps are recognised as too large."""
PATHS = ("", "/inside", "/moment", "/gallery", "/histogram", "/closeup", "/coach")


@pytest.fixture(scope="module")
def trained_folder(tmp_path_factory: pytest.TempPathFactory, data_folder: object) -> str:
    """A folder with one run that was really trained."""
    folder = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLAYGROUND_RUNS", str(folder))
        patch.setenv("PLAYGROUND_DATA", str(data_folder))
        run = create(TrainConfig(network="tutorial-cnn", epochs=1, batch_size=200), preset("tutorial-cnn"), owner=learner(ADA))
        train(run)
    TRAINED[str(folder)] = run.id
    return str(folder)


@pytest.fixture
def trained_run(trained_folder: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("PLAYGROUND_RUNS", trained_folder)
    return find(TRAINED[trained_folder])


@pytest.mark.parametrize("path", ["runs/nobody", "evaluation?model=nobody&dataset=mnist-5k"])
def test_an_error_names_no_run_of_another_learner(client: TestClient, run: Run, path: str) -> None:
    everyones = create(run.config, run.network)
    answer = as_learner(client, BOB).get(f"/api/{path}")
    assert answer.status_code == 404
    assert everyones.id in answer.json()["error"] and run.id not in answer.json()["error"]


def test_the_curves_are_those_of_the_journal(client: TestClient, run: Run) -> None:
    run.journal.append(LearningRate(30, 0.5))
    run.journal.append(OptimizerChanged(30, "sgd"))
    document = as_learner(client, ADA).get(f"/api/runs/{run.id}").json()
    assert (document["state"], document["step"], document["per_epoch"], document["test_accuracy"]) == ("interrupted", 30, 10, 0.9)
    assert document["batches"]["step"] == list(range(1, 31))
    assert document["batches"]["loss"] == [float(f"{1 / number:.5g}") for number in range(1, 31)]
    assert document["tests"]["step"] == [30]
    assert (document["tests"]["loss"], document["tests"]["accuracy"], document["tests"]["train_loss"]) == ([0.4], [0.9], [0.5])
    assert document["changes"] == [{"step": 30, "learning_rate": 0.5}, {"step": 30, "optimizer": "sgd"}]
    assert document["steerable"] is True


def test_an_unchanged_version_is_answered_with_no_content(client: TestClient, run: Run) -> None:
    version = as_learner(client, ADA).get(f"/api/runs/{run.id}").json()["version"]
    assert client.get(f"/api/runs/{run.id}?seen={version}").status_code == 204
    run.journal.append(Step(31, 0.1, 1.0, 0.1, 3.1, 1000.0))
    assert client.get(f"/api/runs/{run.id}?seen={version}").status_code == 200


def test_a_document_is_computed_once_for_all_viewers(client: TestClient, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    computed: list[str] = []
    compute = runs._curves
    monkeypatch.setattr(runs, "_curves", lambda run, *rest: computed.append(run.id) or compute(run, *rest))
    version = as_learner(client, ADA).get(f"/api/runs/{run.id}").json()["version"]
    for _ in range(30):
        assert client.get(f"/api/runs/{run.id}?seen={version}").status_code == 204
    assert computed == [run.id]
    run.journal.append(Step(31, 0.1, 1.0, 0.1, 3.1, 1000.0))
    assert client.get(f"/api/runs/{run.id}?seen={version}").json()["step"] == 31
    assert computed == [run.id, run.id]


def long_run(steps: int) -> tuple[Run, np.ndarray[tuple[int], np.dtype[np.float64]]]:
    run = create(TrainConfig(network="mnist-mlp"), preset("mnist-mlp"), owner=learner(ADA))
    noise = np.random.default_rng(0).random(steps)
    with run.journal.recorder() as record:
        record(Started(0.0, 0, steps, 100, "cpu", 1))
        for number, loss in enumerate(noise.tolist(), 1):
            record(Step(number, loss, loss, 0.1, number / 10, 1000.0))
            if number % 10 == 0:
                record(Evaluated(number, number / 100, loss, loss, loss, loss, number / 10))
    return run, noise


def test_curves_of_a_long_run_are_small_and_averaged_correctly(client: TestClient) -> None:
    run, noise = long_run(20_000)
    answer = as_learner(client, ADA).get(f"/api/runs/{run.id}")
    assert len(answer.content) < 60_000
    batches, tests = answer.json()["batches"], answer.json()["tests"]
    assert len(batches["loss"]) == len(tests["loss"]) == POINTS
    parts = np.split(noise, np.array(batches["step"][:-1], dtype=int))
    for name, statistic in (("loss", np.mean), ("loss_low", np.min), ("loss_high", np.max)):
        np.testing.assert_allclose(batches[name], [statistic(part) for part in parts], rtol=1e-4)
    assert batches["step"][-1] == tests["step"][-1] == 20_000


def test_curves_of_a_range_have_every_step_of_it(client: TestClient) -> None:
    run, noise = long_run(2_000)
    batches = as_learner(client, ADA).get(f"/api/runs/{run.id}?from=501&to=700").json()["batches"]
    assert batches["step"] == list(range(501, 701))
    np.testing.assert_allclose(batches["loss"], noise[500:700], rtol=1e-4)


def test_steps_above_a_hundred_thousand_are_exact(client: TestClient) -> None:
    run = create(TrainConfig(network="mnist-mlp"), preset("mnist-mlp"), owner=learner(ADA))
    run.journal.append(Started(0.0, 0, 200_000, 100, "cpu", 1))
    run.journal.append(Steps(1, *([0.5] * 123_457 for _ in range(5))))
    run.journal.append(Evaluated(123_457, 1234.57, 0.5, 0.5, 0.5, 0.5, 0.5))
    document = as_learner(client, ADA).get(f"/api/runs/{run.id}?from=123450&to=123457").json()
    assert document["batches"]["step"] == list(range(123_450, 123_458))
    assert document["tests"]["step"] == [123_457]


@pytest.mark.parametrize("query", ["from=x", "from=nan"])
def test_a_range_that_is_no_number_is_refused(client: TestClient, run: Run, query: str) -> None:
    assert as_learner(client, ADA).get(f"/api/runs/{run.id}?{query}").status_code == 400


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("cookie", [BOB, None], ids=["stranger", "nobody"])
def test_other_learners_cannot_see_a_run(client: TestClient, run: Run, path: str, cookie: str | None) -> None:
    assert as_learner(client, cookie).get(f"/api/runs/{run.id}{path}").status_code == 403


@pytest.mark.parametrize("path", ["/command", "/fork", "/remedy"])
@pytest.mark.parametrize("cookie", [BOB, None], ids=["stranger", "nobody"])
def test_other_learners_cannot_control_a_run(client: TestClient, run: Run, path: str, cookie: str | None) -> None:
    answer = as_learner(client, cookie).post(f"/api/runs/{run.id}{path}", json={"command": "stop", "step": 1, "finding": "x", "label": "y"})
    assert answer.status_code == 403


def test_a_command_to_a_run_without_a_worker_is_refused(client: TestClient, run: Run) -> None:
    assert as_learner(client, ADA).post(f"/api/runs/{run.id}/command", json={"command": "pause"}).status_code == 409


def test_a_run_of_the_command_line_is_visible_to_all_and_controlled_by_none(client: TestClient) -> None:
    run = create(TrainConfig(network="mnist-mlp"), preset("mnist-mlp"))
    assert as_learner(client, BOB).get(f"/api/runs/{run.id}").json()["steerable"] is False
    for cookie in (BOB, None):
        assert as_learner(client, cookie).post(f"/api/runs/{run.id}/command", json={"command": "stop"}).status_code == 403


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
        b"[" * 30_000,
        b'{"command": 3}',
        b'{"command": []}',
        b'{"command": "rm"}',
        b'{"command": "learning-rate", "value": -1}',
        b'{"command": "learning-rate", "value": NaN}',
        b'{"command": "learning-rate", "value": "x"}',
        b'{"command": "learning-rate", "value": null}',
        b'{"command": "optimizer", "value": "lbfgs"}',
        b'{"command": "optimizer", "value": ["sgd"]}',
        b'{"command": "optimizer"}',
    ],
)
def test_an_invalid_command_is_refused(client: TestClient, run: Run, body: bytes) -> None:
    answer = as_learner(client, ADA).post(f"/api/runs/{run.id}/command", content=body)
    assert answer.status_code in (400, 404)
    assert answer.json()["error"]


def test_layer_statistics_are_those_that_were_observed(client: TestClient, trained_run: Run) -> None:
    document = as_learner(client, ADA).get(f"/api/runs/{trained_run.id}/inside").json()
    history, snapshots = History(trained_run).follow(), trained_run.journal.snapshots()
    assert [layer["type"] for layer in document["layers"]] == [layer.type for layer in trained_run.network.layers]
    assert document["steps"] == [event.step for event in history.observations]
    assert document["layers"][0]["gradient"] == pytest.approx([event.gradient[0] for event in history.observations], rel=1e-4)
    assert document["layers"][1]["gradient"] is None  # a ReLU has no parameters
    assert document["layers"][1]["dead"] == pytest.approx([event.dead[1] for event in history.observations], rel=1e-4)
    assert document["histograms"] == [sorted(histograms) for histograms in snapshots[-1].histograms]
    assert client.get(f"/api/runs/{trained_run.id}/inside?seen={document['version']}").status_code == 204


def test_the_gallery_has_test_images_of_every_class(client: TestClient, trained_run: Run) -> None:
    gallery = as_learner(client, ADA).get(f"/api/runs/{trained_run.id}/gallery").json()
    images = load("mnist-5k")
    chosen = gallery_of(images.test_labels)
    assert gallery["labels"] == images.test_labels[chosen].tolist()
    assert set(gallery["labels"]) == set(range(10))
    assert base64.b64decode(gallery["pixels"]) == images.test_images[chosen].numpy().tobytes()


def test_the_present_moment_is_the_last_that_was_observed(client: TestClient, trained_run: Run) -> None:
    document = as_learner(client, ADA).get(f"/api/runs/{trained_run.id}/moment").json()
    last, snapshots = History(trained_run).follow().observations[-1], trained_run.journal.snapshots()
    assert document["step"] == last.step
    assert document["gradients"] == [value and pytest.approx(value, rel=1e-4) for value in last.gradient]
    update, weight = (math.hypot(*(value for value in values if value is not None)) for values in (last.update, last.weight))
    assert document["movement"] == pytest.approx(update / weight, rel=1e-4)
    assert document["snapshots"] == [snapshot.step for snapshot in snapshots]
    assert document["predictions"] == snapshots[-1].gallery
    assert all(sum(row) == pytest.approx(1000, abs=5) for row in document["predictions"])
    assert client.get(f"/api/runs/{trained_run.id}/moment?seen={document['version']}").status_code == 204


def test_an_earlier_moment_is_the_last_that_was_observed_up_to_its_step(client: TestClient, trained_run: Run) -> None:
    observations, snapshots = History(trained_run).follow().observations, trained_run.journal.snapshots()
    ask = as_learner(client, ADA)
    for earlier, later in pairwise(snapshots):
        for step in (earlier.step, later.step - 1):
            document = ask.get(f"/api/runs/{trained_run.id}/moment?at={step}").json()
            assert (document["predictions"], document["filters"]["step"]) == (earlier.gallery, earlier.step)
            assert document["step"] == max(event.step for event in observations if event.step <= step)
    before = ask.get(f"/api/runs/{trained_run.id}/moment?at=0").json()
    assert (before["step"], before["gradients"], before["movement"], before["predictions"], before["filters"]) == (0, [], None, [], None)


@pytest.mark.parametrize("quantity", ["weights", "gradients", "outputs"])
def test_a_histogram_counts_every_value(client: TestClient, trained_run: Run, quantity: str) -> None:
    document = as_learner(client, ADA).get(f"/api/runs/{trained_run.id}/histogram?layer=9&what={quantity}").json()
    assert document["steps"] == [snapshot.step for snapshot in trained_run.journal.snapshots()]
    expected = {"weights": 128 * 10 + 10, "gradients": 128 * 10 + 10, "outputs": 200 * 10}[quantity]
    assert [sum(counts) for counts in document["counts"]] == [expected] * len(document["steps"])
    assert all(low < high for low, high in zip(document["low"], document["high"], strict=True))


@pytest.mark.parametrize("query", ["layer=99&what=weights", "layer=-1&what=weights", "layer=0&what=secrets", "layer=inf", "layer=x", "layer=1e300"])
def test_a_histogram_of_an_unknown_layer_or_quantity_is_refused(client: TestClient, trained_run: Run, query: str) -> None:
    assert as_learner(client, ADA).get(f"/api/runs/{trained_run.id}/histogram?{query}").status_code == 400


def test_the_last_filters_are_those_of_the_trained_weights(client: TestClient, trained_run: Run) -> None:
    document = as_learner(client, ADA).get(f"/api/runs/{trained_run.id}/moment").json()["filters"]
    state = trained_run.checkpoints.load()
    assert state is not None and document["step"] == state["step"]
    weights = state["weights"]["0.weight"]
    filters = torch.frombuffer(bytearray(base64.b64decode(document["pixels"])), dtype=torch.uint8).view(document["shape"])
    torch.testing.assert_close((filters.float() - 128) / 127 * document["bound"], weights, rtol=0, atol=document["bound"] / 127)


def test_the_closeup_is_that_of_the_last_step_and_missing_where_the_run_never_reached_one(client: TestClient, trained_run: Run) -> None:
    last = History(trained_run).follow().step
    closeup = f"/api/runs/{trained_run.id}/closeup"
    assert as_learner(client, ADA).get(closeup).json()["step"] == last
    assert client.get(closeup, params={"seen": last}).status_code == 204
    new = create(trained_run.config, trained_run.network, owner=learner(ADA))
    assert client.get(f"/api/runs/{new.id}/closeup").status_code == 204


def test_a_fork_has_the_earlier_curves_and_belongs_to_its_creator(client: TestClient, trained_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services().scheduler, "submit", lambda _run: None)
    step = trained_run.checkpoints.steps()[0]
    answer = as_learner(client, ADA).post(f"/api/runs/{trained_run.id}/fork", json={"step": step, "changes": {"epochs": 3, "learning_rate": 0.001}})
    fork = find(answer.json()["run"])
    assert fork.owner == learner(ADA)
    assert (fork.config.epochs, fork.config.learning_rate) == (3, 0.001)
    document = client.get(f"/api/runs/{fork.id}").json()
    assert document["parent"] == {"run": trained_run.id, "step": step}
    parent = client.get(f"/api/runs/{trained_run.id}").json()["batches"]
    assert document["batches"]["loss"] == [loss for loss, at in zip(parent["loss"], parent["step"], strict=True) if at <= step]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"step": "x"},
        {"step": 10**9},
        {"step": 20, "changes": []},
        {"step": 20, "changes": {"seed": 5}},
        {"step": 20, "changes": {"batch_size": 5}},
        {"step": 20, "changes": {"learning_rate": -1}},
        {"step": 20, "changes": {"nonsense": 1}},
        {"step": 20, "changes": {}},
        {"step": 20, "changes": {"epochs": 0.5}},
    ],
    ids=json.dumps,
)
def test_an_invalid_fork_is_refused(client: TestClient, trained_run: Run, body: object) -> None:
    """The run ends after step 20, its one epoch: a fork there needs more epochs."""
    answer = as_learner(client, ADA).post(f"/api/runs/{trained_run.id}/fork", json=body)
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_a_remedy_is_applied_though_its_finding_was_merged_into_another(client: TestClient) -> None:
    config = TrainConfig(network="tutorial-cnn", epochs=1, batch_size=200, learning_rate=TOO_HIGH)
    run = create(config, preset("tutorial-cnn"), owner=learner(ADA))
    train(run)
    findings = as_learner(client, ADA).get(f"/api/runs/{run.id}/coach").json()["findings"]
    assert [finding["name"] for finding in findings] == ["rate-too-high"]
    remedy = Remedy("", {"network": "tutorial-cnn-leaky", "learning_rate": 0.003})
    answer = client.post(f"/api/runs/{run.id}/remedy", json={"finding": "dead-relus", "remedy": remedy.id})
    assert answer.status_code == 200, answer.json()
    assert "LeakyReLU" in [layer.type for layer in find(answer.json()["run"]).network.layers]


def test_a_remedy_is_applied_before_the_first_evaluation(client: TestClient) -> None:
    run = create(TrainConfig(network="mnist-mlp", learning_rate=TOO_HIGH), preset("mnist-mlp"), owner=learner(ADA))
    losses = [2.3] * 10 + [9.0] * 10
    run.journal.extend(
        [Started(0.0, 0, 1000, 100, "cpu", 1), *(Step(step, loss, 0.1, TOO_HIGH, step / 10, 100.0) for step, loss in enumerate(losses, start=1))]
    )
    (finding,) = as_learner(client, ADA).get(f"/api/runs/{run.id}/coach").json()["findings"]
    answer = client.post(f"/api/runs/{run.id}/remedy", json={"finding": finding["name"], "remedy": finding["remedies"][0]["id"]})
    assert answer.status_code == 200, answer.text
    assert find(answer.json()["run"]).config.learning_rate < TOO_HIGH


def test_a_remedy_that_is_not_proposed_is_refused(client: TestClient, trained_run: Run) -> None:
    for body in ({}, {"finding": "overfitting", "remedy": Remedy("", {"epochs": 9.0}).id}, {"finding": [], "remedy": 0}):
        assert as_learner(client, ADA).post(f"/api/runs/{trained_run.id}/remedy", json=body).status_code == 400
