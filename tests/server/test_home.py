"""The routes of the Home page."""

from __future__ import annotations

from starlette.testclient import TestClient

from playground.network.build import build
from playground.network.presets import preset
from playground.runs.run import Run

from ..support.learners import ADA, BOB, as_learner


def test_the_recording_is_served(client: TestClient) -> None:
    response = client.get("/api/home/recording")
    assert response.status_code == 200 and len(response.json()["snapshots"]) == 32
    assert "max-age" in response.headers["cache-control"]


def test_a_run_is_followed_until_it_has_a_network_and_is_over(client: TestClient, run: Run) -> None:
    followed = as_learner(client, ADA).get("/api/home/run", params={"run": run.id}).json()
    assert followed == {"name": followed["name"], "step": 30, "total_steps": 100, "accuracy": 0.9, "has_network": False, "is_over": True}
    run.checkpoints.save({"weights": build(preset("mnist-mlp")).state_dict(), "step": 30})
    assert client.get("/api/home/run", params={"run": run.id}).json()["has_network"]


def test_another_learners_run_is_not_followed(client: TestClient, run: Run) -> None:
    assert as_learner(client, BOB).get("/api/home/run", params={"run": run.id}).status_code == 403
    assert as_learner(client, BOB).get("/api/home/run", params={"run": "nowhere"}).status_code == 404
