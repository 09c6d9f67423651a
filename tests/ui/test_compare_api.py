"""The routes of the Compare page: whose runs they show, what they send, and what they refuse."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from playground import environment
from playground.network.presets import preset
from playground.runs import labels, races, trash
from playground.runs.execution.scheduler import Scheduler
from playground.runs.run import Run, create
from playground.runs.views.summaries import visible_runs
from playground.server.asgi import MIDDLEWARE
from playground.server.identity import COOKIE, learner
from playground.server.routes import comparison
from playground.server.services import services
from playground.training.config import TrainConfig
from playground.training.events import Evaluated, Started, Step, Stopped

ADA, BOB = "ada-secret", "bob-secret"
CONFIG = TrainConfig(network="mnist-mlp")


@pytest.fixture
def client() -> Iterator[TestClient]:
    services().warm.set()
    with TestClient(Starlette(routes=comparison.ROUTES, middleware=MIDDLEWARE)) as client:
        client.cookies.set(COOKIE, ADA)
        yield client


def made(owner: str = ADA, accuracy: float = 0.9, **changes: Any) -> Run:
    run = create(TrainConfig.from_dict({**CONFIG.to_dict(), **changes}), preset("mnist-mlp"), learner(owner) if owner else "")
    run.journal.append(Started(0.0, 0, 630, 63, "cpu", 1))
    for number in range(1, 31):
        run.journal.append(Step(number, 1 / number, number / 30, 0.1, number / 10, 1000.0))
    run.journal.append(Evaluated(30, 30 / 63, 0.5, 0.6, 1 - accuracy, accuracy, 3.0))
    run.journal.append(Stopped(0.0, 30))
    return run


def as_learner(client: TestClient, cookie: str | None) -> TestClient:
    client.cookies.clear()
    if cookie:
        client.cookies.set(COOKIE, cookie)
    return client


def listed(client: TestClient) -> dict[str, Any]:
    answer = client.get("/api/compare/runs")
    assert answer.status_code == 200
    return {row["run"]: row for row in answer.json()["runs"]}


def curves(client: TestClient, *runs: Run, known: str = "", **asked: str) -> Any:
    answer = client.get("/api/compare/curves", params={"runs": ",".join(f"{run.id}~{known}" for run in runs), **asked})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_row_says_what_a_run_is_and_what_it_has_come_to(client: TestClient) -> None:
    run = made(optimizer="sgd")
    row = listed(client)[run.id]
    names = ("own", "state", "dataset", "network", "step", "total_steps", "accuracy", "best_accuracy", "seconds", "share")
    assert [row[name] for name in names] == [True, "stopped", "MNIST 5k", preset("mnist-mlp").title, 30, 630, 0.9, 0.9, 3.0, 0.05]
    assert "SGD" in row["name"]
    assert row["compute_text"].endswith("MAC")


def test_one_sees_ones_own_runs_and_those_of_the_command_line(client: TestClient) -> None:
    mine, theirs, everyones = made(), made(BOB), made("")
    assert listed(client).keys() == {mine.id, everyones.id}
    assert [listed(client)[run.id]["own"] for run in (mine, everyones)] == [True, False]
    assert listed(as_learner(client, None)).keys() == {everyones.id}
    assert listed(as_learner(client, BOB)).keys() == {theirs.id, everyones.id}


def test_nothing_new_is_no_content(client: TestClient) -> None:
    run = made()
    for path in ("/api/compare/runs?", f"/api/compare/curves?runs={run.id}~&"):
        version = client.get(path).json()["version"]
        assert client.get(f"{path}seen={version}").status_code == 204
        labels.relabel(run, name=f"another for {path}")
        run.journal.append(Evaluated(30, 30 / 63, 0.5, 0.6, 0.1, 0.95, 3.0))
        assert client.get(f"{path}seen={version}").status_code == 200


def test_only_curves_that_have_grown_are_sent(client: TestClient) -> None:
    run, other = made(), made(seed=3)
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


def test_accuracy_over_seconds(client: TestClient) -> None:
    run = made()
    drawn = curves(client, run, x="seconds", what="accuracy")["curves"][run.id]
    assert drawn["test"] == {"x": [3], "y": [0.9]}
    assert drawn["train"]["x"][:2] == [0.1, 0.2]


@pytest.mark.parametrize("asked", [{"x": "miles"}, {"what": "fun"}, {"runs": ",".join(str(number) for number in range(31))}], ids=str)
def test_what_cannot_be_drawn_is_refused(client: TestClient, asked: dict[str, str]) -> None:
    answer = client.get("/api/compare/curves", params=asked)
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_runs_that_are_gone_damaged_or_someone_elses_are_named_as_gone(client: TestClient) -> None:
    mine, theirs, damaged, deleted, weird = made(), made(BOB), made(), made(), made()
    (damaged.path / "config.json").write_text("{")
    trash.delete(deleted)
    with (weird.path / "events.jsonl").open("a") as file:
        file.write('{"kind": "evaluated", "step": "x", "epoch": 1, "train_loss": 0, "train_accuracy": 0, "test_loss": "y", "test_accuracy": 1, "seconds": 0}\n')
    answer = client.get("/api/compare/curves", params={"runs": ",".join([f"{run.id}~" for run in (mine, theirs, damaged, deleted, weird)] + ["../../etc~"])})
    assert answer.status_code == 200
    document = answer.json()
    assert document["runs"] == [mine.id]
    assert document["gone"] == [theirs.id, damaged.id, deleted.id, weird.id, "../../etc"]
    assert theirs.id not in document["curves"]


@pytest.mark.parametrize("file", ["config.json", "network.json", "events.jsonl"])
def test_a_damaged_run_is_a_row_with_its_fault(client: TestClient, file: str) -> None:
    good, bad = made(), made()
    labels.relabel(bad, name="Secret")
    (bad.path / file).write_text('{"kind"')
    rows = listed(client)
    assert rows[good.id].get("fault") is None
    assert rows[bad.id]["fault"]
    assert rows[bad.id]["name"] == bad.id


def test_of_a_record_without_a_beginning_nobody_is_the_owner(client: TestClient) -> None:
    bad = made(BOB)
    (bad.path / "events.jsonl").write_text("")
    moved = Run(bad.path.rename(bad.path.with_name(f"{bad.id[:-4]}0000")))  # so that nobody has seen whose it was
    row = listed(client)[moved.id]
    assert (row["own"], bool(row["fault"])) == (False, True)
    for path in ("label", "delete"):
        assert client.post(f"/api/compare/{path}", json={"run": moved.id, "name": "x"}).status_code == 403


def test_a_run_is_named_and_noted_upon(client: TestClient) -> None:
    run = made()
    assert client.post("/api/compare/label", json={"run": run.id, "name": "Mine"}).status_code == 200
    assert client.post("/api/compare/label", json={"run": run.id, "note": "Good <b>one</b>."}).status_code == 200
    row = listed(client)[run.id]
    assert (row["name"], row["note"]) == ("Mine", "Good <b>one</b>.")
    assert client.post("/api/compare/label", json={"run": run.id, "name": ""}).status_code == 200
    assert listed(client)[run.id]["name"] != "Mine"


def test_a_deleted_run_lies_in_its_owners_trash_and_comes_back(client: TestClient) -> None:
    run = made()
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


@pytest.mark.parametrize("who", [BOB, None], ids=["stranger", "nobody"])
@pytest.mark.parametrize("path", ["label", "delete"])
def test_only_its_owner_changes_a_run(client: TestClient, path: str, who: str | None) -> None:
    run, everyones = made(), made("")
    for each in (run, everyones):
        assert as_learner(client, who).post(f"/api/compare/{path}", json={"run": each.id, "name": "mine now"}).status_code == 403
    assert {run.id, everyones.id} <= {found.id for found in visible_runs(learner(ADA))}


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
def test_a_request_that_is_none_is_refused(client: TestClient, path: str, body: bytes, status: int) -> None:
    answer = client.post(f"/api/compare/{path}", content=body)
    assert answer.status_code == status
    assert answer.json()["error"]


@pytest.mark.parametrize("text", [{"name": 3}, {"note": ["x"]}, {"name": "x" * 81}, {"note": "x" * 2001}], ids=["number", "list", "long name", "long note"])
def test_a_text_that_is_none_or_too_long_is_refused(client: TestClient, text: dict[str, Any]) -> None:
    answer = client.post("/api/compare/label", json={"run": made().id, **text})
    assert answer.status_code in (400, 409)
    assert answer.json()["error"]


class Waiting(Scheduler):
    """A scheduler that hands nothing out: what is submitted waits."""

    def _hand_out(self) -> None:
        pass


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch) -> Iterator[Waiting]:
    scheduler = Waiting(workers=1)
    monkeypatch.setattr(services(), "scheduler", scheduler)
    yield scheduler
    scheduler.close()


def test_the_queue_is_told_in_its_order_and_nothing_of_others(client: TestClient, waiting: Waiting) -> None:
    mine = create(CONFIG, preset("mnist-mlp"), learner(ADA))
    theirs = create(CONFIG, preset("mnist-mlp"), learner(BOB))
    everyones = create(CONFIG, preset("mnist-mlp"))
    for run in (theirs, mine, everyones):
        labels.relabel(run, name=f"Secret of {run.id}")
        waiting.submit(run)
    document = client.get("/api/compare/runs").json()
    assert document["queue"] == [
        {"place": 1, "own": False},
        {"place": 2, "own": True, "run": mine.id, "name": f"Secret of {mine.id}"},
        {"place": 3, "own": False, "run": everyones.id, "name": f"Secret of {everyones.id}"},
    ]
    assert document["workers"] == environment.workers()
    assert theirs.id not in client.get("/api/compare/runs").text


def test_a_run_that_waits_again_is_not_deleted(client: TestClient, waiting: Waiting) -> None:
    run = made()  # it was stopped once
    waiting.submit(run)
    answer = client.post("/api/compare/delete", json={"run": run.id})
    assert answer.status_code == 409
    assert "Stop it first." in answer.json()["error"]
    assert run.path.exists()


def test_a_race_is_what_is_compared_first(client: TestClient) -> None:
    made()
    config, variations = races.first_race()
    race = races.create_race(config, preset(config.network), variations, learner(ADA))
    document = client.get("/api/compare/runs").json()
    assert document["first"] == [run.id for run in race]
    assert [listed(client)[run.id]["name"] for run in race] == ["Adam", "SGD", "RMSprop"]


def test_ten_long_runs_and_a_list_of_200_stay_small(client: TestClient) -> None:
    noise = np.random.default_rng(0).random(20_000)
    runs = [made() for _ in range(10)]
    for run in runs:
        with run.journal.recorder() as record:
            record(Started(0.0, 30, 20_030, 63, "cpu", 1))
            for number, loss in enumerate(noise, 31):
                record(Step(number, float(loss), float(loss), 0.1, number / 10, 1000.0))
    answer = client.get("/api/compare/curves", params={"runs": ",".join(f"{run.id}~" for run in runs)})
    assert len(answer.content) <= 110_000  # 100 kB of points, and what they have come to
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
