"""The routes of the Compare page: whose runs they show, what they send, and what they refuse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from playground.network.presets import preset
from playground.runs import labels, races, trash
from playground.runs.branching import race as create_race
from playground.runs.run import Run, create
from playground.runs.views.summaries import visible_runs
from playground.server.identity import learner
from playground.server.services import services
from playground.training.config import TrainConfig
from playground.training.events import Evaluated, LearningRate, Started, Step, Stopped

from ..support.learners import ADA, BOB, as_learner
from ..support.scheduling import IdleScheduler

CONFIG = TrainConfig(network="mnist-mlp")


@pytest.fixture
def client(client: TestClient) -> TestClient:
    """Ada's browser."""
    return as_learner(client, ADA)


def stopped_run(owner: str = ADA, accuracy: float = 0.9, **changes: Any) -> Run:
    run = create(TrainConfig.from_dict({**CONFIG.to_dict(), **changes}), preset("mnist-mlp"), learner(owner) if owner else "")
    run.journal.append(Started(0.0, 0, 630, 63, "cpu", 1))
    for number in range(1, 31):
        run.journal.append(Step(number, 1 / number, number / 30, 0.1, number / 10, 1000.0))
    run.journal.append(Evaluated(30, 30 / 63, 0.5, 0.6, 1 - accuracy, accuracy, 3.0))
    run.journal.append(Stopped(0.0, 30))
    return run


def rows_of(client: TestClient) -> dict[str, Any]:
    answer = client.get("/api/compare/runs")
    assert answer.status_code == 200
    return {row["run"]: row for row in answer.json()["runs"]}


def curves(client: TestClient, *runs: Run, version: str = "", **query: str) -> Any:
    answer = client.get("/api/compare/curves", params={"runs": ",".join(f"{run.id}~{version}" for run in runs), **query})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_row_has_the_configuration_and_the_progress_of_a_run(client: TestClient) -> None:
    run = stopped_run(optimizer="sgd")
    row = rows_of(client)[run.id]
    names = ("own", "state", "dataset", "network", "optimizer", "step", "total_steps", "accuracy", "best_accuracy", "seconds", "share")
    assert [row[name] for name in names] == [True, "stopped", "MNIST 5k", preset("mnist-mlp").title, "sgd", 30, 630, 0.9, 0.9, 3.0, 0.05]
    assert "SGD" in row["name"]
    assert row["compute_text"].endswith("MAC")


def test_learners_see_their_own_runs_and_those_of_the_command_line(client: TestClient) -> None:
    adas, bobs, command_line = stopped_run(), stopped_run(BOB), stopped_run("")
    assert rows_of(client).keys() == {adas.id, command_line.id}
    assert [rows_of(client)[run.id]["own"] for run in (adas, command_line)] == [True, False]
    assert rows_of(as_learner(client, None)).keys() == {command_line.id}
    assert rows_of(as_learner(client, BOB)).keys() == {bobs.id, command_line.id}


def test_an_unchanged_version_is_answered_with_no_content(client: TestClient) -> None:
    run = stopped_run()
    for path in ("/api/compare/runs?", f"/api/compare/curves?runs={run.id}~&"):
        version = client.get(path).json()["version"]
        assert client.get(f"{path}seen={version}").status_code == 204
        labels.relabel(run, name=f"another for {path}")
        run.journal.append(Evaluated(30, 30 / 63, 0.5, 0.6, 0.1, 0.95, 3.0))
        assert client.get(f"{path}seen={version}").status_code == 200


def test_only_curves_that_have_grown_are_sent(client: TestClient) -> None:
    run, other = stopped_run(), stopped_run(seed=3)
    first = curves(client, run, other)
    assert first["curves"].keys() == {run.id, other.id}
    assert first["curves"][run.id]["train"]["y"][:2] == [1, 0.5]
    versions = {name: each["version"] for name, each in first["curves"].items()}
    other.journal.append(Step(31, 0.01, 1.0, 0.1, 3.1, 1000.0))
    again = client.get("/api/compare/curves", params={"runs": ",".join(f"{name}~{version}" for name, version in versions.items())}).json()
    assert again["curves"].keys() == {other.id}
    assert again["facts"].keys() == {run.id, other.id}
    assert again["columns"] == [{"name": "seed", "title": "Seed", "texts": ["0", "3"], "numbers": [0.0, 3.0]}]
    assert again["runs"] == [run.id, other.id]


def test_accuracy_can_be_plotted_over_seconds(client: TestClient) -> None:
    run = stopped_run()
    plotted = curves(client, run, x="seconds", what="accuracy")["curves"][run.id]
    assert plotted["test"] == {"x": [3], "y": [0.9]}
    assert plotted["train"]["x"][:2] == [0.1, 0.2]


def test_a_curve_of_losses_comes_with_the_accuracies_for_the_ranking_and_the_changes_of_the_learning_rate(client: TestClient) -> None:
    run = stopped_run()
    run.journal.append(LearningRate(0, 0.2))
    run.journal.append(LearningRate(30, 0.3))
    run.journal.append(Step(31, 0.5, 1.0, 0.3, 3.1, 1000.0))
    plotted = curves(client, run, x="seconds", what="loss")["curves"][run.id]
    assert plotted["test"]["y"] == [0.1]
    assert plotted["accuracies"] == {"x": [3], "y": [0.9]}
    assert plotted["cuts"] == [0, 3]
    assert curves(client, run, x="step", what="accuracy")["curves"][run.id]["cuts"] == [0, 30]


@pytest.mark.parametrize("query", [{"x": "miles"}, {"what": "fun"}, {"runs": ",".join(str(number) for number in range(31))}], ids=str)
def test_an_unknown_axis_or_quantity_or_too_many_runs_are_refused(client: TestClient, query: dict[str, str]) -> None:
    answer = client.get("/api/compare/curves", params=query)
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_missing_damaged_and_other_learners_runs_are_listed_as_gone(client: TestClient) -> None:
    adas, bobs, damaged, deleted, weird = stopped_run(), stopped_run(BOB), stopped_run(), stopped_run(), stopped_run()
    (damaged.path / "config.json").write_text("{")
    trash.delete(deleted)
    with (weird.path / "events.jsonl").open("a") as file:
        file.write('{"kind": "evaluated", "step": "x", "epoch": 1, "train_loss": 0, "train_accuracy": 0, "test_loss": "y", "test_accuracy": 1, "seconds": 0}\n')
    answer = client.get("/api/compare/curves", params={"runs": ",".join([f"{run.id}~" for run in (adas, bobs, damaged, deleted, weird)] + ["../../etc~"])})
    assert answer.status_code == 200
    document = answer.json()
    assert document["runs"] == [adas.id]
    assert document["gone"] == [bobs.id, damaged.id, deleted.id, weird.id, "../../etc"]
    assert bobs.id not in document["curves"]


@pytest.mark.parametrize("file", ["config.json", "network.json", "events.jsonl"])
def test_a_damaged_run_is_a_row_with_its_error(client: TestClient, file: str) -> None:
    good, bad = stopped_run(), stopped_run()
    labels.relabel(bad, name="Secret")
    (bad.path / file).write_text('{"kind"')
    rows = rows_of(client)
    assert rows[good.id].get("fault") is None
    assert rows[bad.id]["fault"]
    assert rows[bad.id]["name"] == bad.id


def test_a_run_with_an_empty_journal_belongs_to_nobody(client: TestClient) -> None:
    bad = stopped_run(BOB)
    (bad.path / "events.jsonl").write_text("")
    moved = Run(bad.path.rename(bad.path.with_name(f"{bad.id[:-4]}0000")))  # so that nobody has seen whose it was
    row = rows_of(client)[moved.id]
    assert (row["own"], bool(row["fault"])) == (False, True)
    for path in ("label", "delete"):
        assert client.post(f"/api/compare/{path}", json={"run": moved.id, "name": "x"}).status_code == 403


def test_a_run_gets_a_name_and_a_note(client: TestClient) -> None:
    run = stopped_run()
    assert client.post("/api/compare/label", json={"run": run.id, "name": "Mine"}).status_code == 200
    assert client.post("/api/compare/label", json={"run": run.id, "note": "Good <b>one</b>."}).status_code == 200
    row = rows_of(client)[run.id]
    assert (row["name"], row["note"]) == ("Mine", "Good <b>one</b>.")
    assert client.post("/api/compare/label", json={"run": run.id, "name": ""}).status_code == 200
    assert rows_of(client)[run.id]["name"] != "Mine"


def test_a_deleted_run_is_in_its_owners_trash_and_can_be_restored(client: TestClient) -> None:
    run = stopped_run()
    labels.relabel(run, name="Mine")
    assert client.post("/api/compare/delete", json={"run": run.id}).status_code == 200
    document = client.get("/api/compare/runs").json()
    assert document["runs"] == []
    assert document["trash"] == [{"run": run.id, "name": "Mine"}]
    assert as_learner(client, BOB).get("/api/compare/runs").json()["trash"] == []
    assert client.post("/api/compare/restore", json={"run": run.id}).status_code == 404
    assert as_learner(client, ADA).post("/api/compare/restore", json={"run": run.id}).status_code == 200
    document = client.get("/api/compare/runs").json()
    assert [row["run"] for row in document["runs"]] == [run.id]
    assert document["trash"] == []


@pytest.mark.parametrize("cookie", [BOB, None], ids=["stranger", "nobody"])
@pytest.mark.parametrize("path", ["label", "delete"])
def test_only_the_owner_can_relabel_or_delete_a_run(client: TestClient, path: str, cookie: str | None) -> None:
    run, command_line = stopped_run(), stopped_run("")
    for each in (run, command_line):
        assert as_learner(client, cookie).post(f"/api/compare/{path}", json={"run": each.id, "name": "mine now"}).status_code == 403
    assert {run.id, command_line.id} <= {visible.id for visible in visible_runs(learner(ADA))}


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("label", b"", 400),
        ("label", b"[]", 400),
        ("label", b"[" * 40_000, 400),
        ("label", b'{"run": 3}', 404),
        ("label", b'{"run": "../../etc"}', 404),
        ("delete", b'{"run": "20260101-000000-mnist-5k-x-0000"}', 404),
        ("restore", b'{"run": "../../etc"}', 404),
        ("restore", b'{"run": ["x"]}', 404),
        ("restore", bytes(100_000), 400),
    ],
)
def test_an_invalid_request_is_refused(client: TestClient, path: str, body: bytes, status: int) -> None:
    answer = client.post(f"/api/compare/{path}", content=body)
    assert answer.status_code == status
    assert answer.json()["error"]


@pytest.mark.parametrize("text", [{"name": 3}, {"note": ["x"]}, {"name": "x" * 81}, {"note": "x" * 2001}], ids=["number", "list", "long name", "long note"])
def test_a_label_that_is_no_text_or_too_long_is_refused(client: TestClient, text: dict[str, Any]) -> None:
    answer = client.post("/api/compare/label", json={"run": stopped_run().id, **text})
    assert answer.status_code in (400, 409)
    assert answer.json()["error"]


def test_places_in_the_queue_count_other_learners_runs_and_do_not_name_them(client: TestClient, idle_scheduler: IdleScheduler) -> None:
    bobs, *race, command_line = (create(CONFIG, preset("mnist-mlp"), owner) for owner in (learner(BOB), learner(ADA), learner(ADA), ""))
    for job in ([bobs], race, [command_line]):
        idle_scheduler.submit(*job)
    answer = client.get("/api/compare/runs")
    assert answer.json()["places"] == {**{run.id: 2 for run in race}, command_line.id: 3}
    assert bobs.id not in answer.text


def test_the_interrupted_runs_of_a_race_are_queued_together_and_those_of_others_are_not(client: TestClient, idle_scheduler: IdleScheduler) -> None:
    race = create_race(CONFIG, preset("mnist-mlp"), [{"seed": 1}, {"seed": 2}], learner(ADA))
    for run in race:
        run.journal.append(Started(0.0, 0, 630, 63, "cpu", 1))  # no worker holds its lock
    ended, bobs = stopped_run(), stopped_run(BOB)
    assert client.post("/api/compare/resume", json={"runs": [run.id for run in (*race, ended)]}).status_code == 200
    assert client.get("/api/compare/runs").json()["places"] == {run.id: 1 for run in race}
    assert client.post("/api/compare/resume", json={"runs": [race[0].id]}).status_code == 409
    assert client.post("/api/compare/resume", json={"runs": [bobs.id]}).status_code == 403
    assert client.post("/api/compare/resume", json={"runs": race[0].id}).status_code == 400


def test_a_queued_run_cannot_be_deleted(client: TestClient, idle_scheduler: IdleScheduler) -> None:
    run = stopped_run()  # it was stopped once
    idle_scheduler.submit(run)
    answer = client.post("/api/compare/delete", json={"run": run.id})
    assert answer.status_code == 409
    assert "Stop it first." in answer.json()["error"]
    assert run.path.exists()


def test_a_racer_that_has_ended_can_be_deleted_while_its_worker_trains_the_others(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    ended, training = stopped_run(), create(CONFIG, preset("mnist-mlp"), learner(ADA))
    monkeypatch.setattr(services().scheduler, "worker_pid", lambda _run: 1)
    assert client.post("/api/compare/delete", json={"run": ended.id}).status_code == 200
    assert client.post("/api/compare/delete", json={"run": training.id}).status_code == 409


def test_the_runs_of_the_latest_race_are_compared_first(client: TestClient) -> None:
    stopped_run()
    config, variations = races.first_race()
    race = races.create_race(config, preset(config.network), variations, learner(ADA))
    document = client.get("/api/compare/runs").json()
    assert document["first"] == [run.id for run in race]
    assert [rows_of(client)[run.id]["name"] for run in race] == ["Adam", "SGD", "RMSprop"]


def test_responses_for_ten_long_runs_and_a_list_of_200_stay_small(client: TestClient) -> None:
    noise = np.random.default_rng(0).random(20_000)
    runs = [stopped_run() for _ in range(10)]
    for run in runs:
        with run.journal.recorder() as record:
            record(Started(0.0, 30, 20_030, 63, "cpu", 1))
            for number, loss in enumerate(noise, 31):
                record(Step(number, float(loss), float(loss), 0.1, number / 10, 1000.0))
    answer = client.get("/api/compare/curves", params={"runs": ",".join(f"{run.id}~" for run in runs)})
    assert len(answer.content) <= 110_000  # 100 kB of points, and the figures of each run
    template = runs[0].path
    for number in range(190):
        copied = template.with_name(f"2020{template.name[4:-4]}{number:04x}")  # of another year, so that none is there
        copied.mkdir()
        for name in ("config.json", "network.json"):
            (copied / name).write_bytes((template / name).read_bytes())
        (copied / "events.jsonl").write_bytes((template / "events.jsonl").read_bytes()[:2000].rpartition(b"\n")[0] + b"\n")
    answer = client.get("/api/compare/runs")
    assert len(answer.json()["runs"]) == 200
    assert len(answer.content) < 120_000
