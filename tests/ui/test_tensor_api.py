"""The routes of the Tensors page: scripts, exercises, the reference, and the parts that its components share."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from playground.errors import PlaygroundError
from playground.server.asgi import MIDDLEWARE, ROUTES
from playground.server.routes import scripts
from playground.server.services import services
from playground.tensors.exercises import EXERCISES, exercise
from playground.tensors.help.reference import entries
from playground.tensors.sandbox import InProcessSandbox, Sandbox


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    services().warm.set()
    with TestClient(Starlette(routes=ROUTES, middleware=MIDDLEWARE)) as client:
        yield client
    services().forker.close()


def run(client: TestClient, source: str, **more: Any) -> dict[str, Any]:
    answer = client.post("/api/tensors/run", json={"source": source, **more})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def values(document: dict[str, Any], name: str) -> list[Any]:
    found: list[Any] = document["tiles"][document["names"][name]["tile"]]["values"]
    return found


def test_a_script_is_run(client: TestClient) -> None:
    found = run(client, "größe = torch.arange(4).view(2, 2)\ny = größe.t()\nprint('日本 😀')")
    assert found.keys() == {"names", "output", "warnings", "error", "steps", "tiles"}
    assert found["output"] == "日本 😀\n" and found["error"] is None
    assert values(found, "y") == [0, 2, 1, 3] and found["names"]["y"]["storage"] == found["names"]["größe"]["storage"]
    assert found["steps"][1]["outputs"][0]["from"] == {"größe": [[0], [2], [1], [3]]}


def test_a_mistake_is_an_answer_too(client: TestClient) -> None:
    error = run(client, "x = torch.ones(2) + torch.ones(3)")["error"]
    assert error["line"] == 1 and error["alignment"]["wrong"] == [0]


@pytest.mark.parametrize("text", ["float('nan')", "torch.tensor([float('inf')])", "2**1000", "torch.tensor([2**62])", "1j"])
def test_every_value_can_be_sent(client: TestClient, text: str) -> None:
    assert run(client, f"x = {text}")["error"] is None


def test_half_a_letter_is_refused(client: TestClient) -> None:
    assert "surrogate" in run(client, "print('a\\ud800b')")["error"]["message"]


def test_an_exercise_is_judged(client: TestClient) -> None:
    task = EXERCISES[0]
    right = run(client, task.solution, exercise=task.name)
    assert (right["correct"], right["feedback"]) == (True, "") and task.result_name in right["names"]
    wrong = run(client, f"{task.result_name} = 0", exercise=task.name)
    assert wrong["correct"] is False and wrong["feedback"]
    failing = run(client, "nowhere", exercise=task.name)
    assert failing["correct"] is False and "nowhere" in failing["error"]["message"]


def test_no_exercise_is_a_script(client: TestClient) -> None:
    assert "feedback" not in run(client, "x = 1", exercise="") and "feedback" not in run(client, "x = 1", exercise=None)


def test_an_unknown_exercise_is_told(client: TestClient, capfd: pytest.CaptureFixture[str]) -> None:
    answer = client.post("/api/tensors/run", json={"source": "x = 1", "exercise": "nothing"})
    assert answer.status_code in (400, 404)
    assert "nothing" in answer.json()["error"]


def test_an_unknown_device_is_told(client: TestClient, capfd: pytest.CaptureFixture[str]) -> None:
    answer = client.post("/api/tensors/run", json={"source": "x = 1", "device": "abacus"})
    assert answer.status_code in (400, 404)
    assert "abacus" in answer.json()["error"]


def test_the_device_of_a_script_can_be_chosen(client: TestClient) -> None:
    assert run(client, "x = torch.ones(2, device=device)\nprint(device)", device="cpu")["output"] == "cpu\n"


BODIES = {
    "nothing": b"",
    "words": b"nonsense",
    "a list": b"[]",
    "null": b"null",
    "a text": b'"x = 1"',
    "no source": b'{"exercise": "x"}',
    "a number": b'{"source": 3}',
    "no text": b'{"source": null}',
    "a list as source": b'{"source": ["x"]}',
    "a number as exercise": b'{"source": "x", "exercise": 3}',
    "an object as exercise": b'{"source": "x", "exercise": {"a": 1}}',
    "torn": b'{"source": "x',
    "not UTF-8": b'{"source": "\xff"}',
    "nested deeply": b"[" * 90_000,
    "too large": json.dumps({"source": "x" * scripts.MAX_SCRIPT}).encode(),
}


@pytest.mark.parametrize("body", BODIES.values(), ids=list(BODIES))
def test_a_body_that_is_no_script_is_refused(client: TestClient, body: bytes) -> None:
    answer = client.post("/api/tensors/run", content=body)
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_a_body_just_within_its_bounds_is_read(client: TestClient) -> None:
    source = "#" * (scripts.MAX_SCRIPT - len(json.dumps({"source": ""}).encode()))
    answer = client.post("/api/tensors/run", content=json.dumps({"source": source}).encode())
    assert answer.status_code == 200 and "characters" in answer.json()["error"]["message"]


def test_the_longest_script_in_the_longest_letters_is_read(client: TestClient) -> None:
    source = "# " + "😀" * 19_990
    answer = client.post("/api/tensors/run", content=json.dumps({"source": source}, ensure_ascii=False).encode())
    assert answer.status_code == 200 and answer.json()["error"] is None


def test_a_script_is_posted(client: TestClient) -> None:
    assert client.get("/api/tensors/run").status_code == 405


def test_a_script_that_had_to_be_ended_is_told_kindly(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    class Slow(InProcessSandbox):
        def run(self, *_: Any) -> dict[str, Any]:
            raise PlaygroundError("This took longer than 3 seconds, so it was stopped.", "Make its tensors smaller.")

    monkeypatch.setattr(services(), "sandbox", Slow())
    answer = client.post("/api/tensors/run", json={"source": "x = 1"})
    assert answer.status_code == 400
    assert answer.json() == {"error": "This took longer than 3 seconds, so it was stopped. Make its tensors smaller."}


@pytest.mark.parametrize("path", ["tensors/run", "autograd/run", "autograd/curve", "autograd/gradcheck", "network/activations"])
def test_what_the_process_of_a_script_writes_arrives_byte_by_byte(client: TestClient, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    written = b'{ "not" :  "as the server would write it"}'

    class Writing(InProcessSandbox):
        def run_to_json(self, *_: Any) -> bytes:
            return written

    monkeypatch.setattr(services(), "sandbox", Writing())
    answer = client.post(f"/api/{path}", json={"source": "x = 1"})
    assert (answer.content, answer.headers["content-type"]) == (written, "application/json")


def test_an_exercise_has_more_time_than_a_script(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, float]] = []

    class Noting(InProcessSandbox):
        def run(self, task: str, _request: Any, seconds: float) -> dict[str, Any]:
            asked.append((task, seconds))
            return {}

    monkeypatch.setattr(services(), "sandbox", Noting())
    run(client, "x = 1")
    run(client, "x = 1", exercise=EXERCISES[0].name)
    assert [task.split(":")[1] for task, _ in asked] == ["run_script", "check_exercise"]
    assert 0 < asked[0][1] < asked[1][1]


def test_scripts_run_in_processes_of_their_own(client: TestClient) -> None:
    assert isinstance(services().sandbox, Sandbox | InProcessSandbox)


def test_answers_may_not_be_framed(client: TestClient) -> None:
    assert client.post("/api/tensors/run", json={"source": ""}).headers["x-frame-options"] == "SAMEORIGIN"


def test_the_reference(client: TestClient) -> None:
    answer = client.get("/api/tensors/reference")
    assert answer.status_code == 200 and "max-age" in answer.headers["cache-control"]
    found = answer.json()
    assert [entry["name"] for entry in found] == [entry.name for entry in entries()]
    assert all(entry.keys() == {"name", "label", "group", "signature", "summary"} and entry["label"] == entry["name"] for entry in found)
    assert client.post("/api/tensors/reference").status_code == 405


@pytest.mark.parametrize("name", ["xray.js", "editor.js", "tile.js", "codemirror.js"])
def test_shared_parts_are_served_compressed(client: TestClient, name: str) -> None:
    answer = client.get(f"/parts/{name}", headers={"accept-encoding": "gzip"})
    assert answer.status_code == 200 and answer.headers["content-encoding"] == "gzip"
    assert "javascript" in answer.headers["content-type"] and "max-age" in answer.headers["cache-control"]
    assert len(answer.text) > 500


@pytest.mark.parametrize("path", ["nothing.js", "../tensor_api.py", "..%2F..%2Ftensor_api.py", "%2e%2e/%2e%2e/tensor_api.py"])
def test_nothing_else_is_served(client: TestClient, path: str) -> None:
    assert client.get(f"/parts/{path}").status_code == 404


def test_every_exercise_can_be_found_by_its_name() -> None:
    assert all(exercise(task.name) is task for task in EXERCISES)
