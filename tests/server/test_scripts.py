"""The routes that run learners' scripts: with their tensors, with their gradients, and as solutions of exercises."""

from __future__ import annotations

import json
from typing import Any

import pytest
from starlette.testclient import TestClient

from playground.errors import BusyError, PlaygroundError
from playground.server.routes import scripts
from playground.server.services import services
from playground.tensors.exercises import EXERCISES, exercise
from playground.tensors.sandbox import InProcessSandbox, Sandbox

SQUARE = "x = torch.tensor([1., 2.], requires_grad=True)\nloss = (x * x).sum()\nloss.backward()"
RANDOM = "x = torch.randn(3, requires_grad=True)\nloss = (x * np.random.rand()).sum()\nloss.backward()"


def run_script(client: TestClient, source: str, **fields: Any) -> dict[str, Any]:
    answer = client.post("/api/tensors/run", json={"source": source, **fields})
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


def run_gradient_task(client: TestClient, task: str, **fields: Any) -> dict[str, Any]:
    answer = client.post(f"/api/autograd/{task}", json=fields)
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


def leaf(document: dict[str, Any], name: str) -> dict[str, Any]:
    return next(each for each in document["leaves"] if each["name"] == name)


def values(document: dict[str, Any], name: str) -> list[Any]:
    tile = document["tiles"][document["names"][name]["tile"]]
    cells: list[Any] = tile["values"]
    return cells


def test_a_report_has_output_values_storage_and_provenance(client: TestClient) -> None:
    document = run_script(client, "größe = torch.arange(4).view(2, 2)\ny = größe.t()\nprint('日本 😀')")
    assert document.keys() == {"names", "output", "figures", "warnings", "error", "steps", "tiles"}
    assert document["output"] == "日本 😀\n" and document["error"] is None
    assert values(document, "y") == [0, 2, 1, 3] and document["names"]["y"]["storage"] == document["names"]["größe"]["storage"]
    assert document["steps"][1]["outputs"][0]["from"] == {"größe": [[0], [2], [1], [3]]}


def test_an_error_in_a_script_is_part_of_the_report(client: TestClient) -> None:
    error = run_script(client, "x = torch.ones(2) + torch.ones(3)")["error"]
    assert error["line"] == 1 and error["alignment"]["wrong"] == [0]


@pytest.mark.parametrize("text", ["float('nan')", "torch.tensor([float('inf')])", "2**1000", "torch.tensor([2**62])", "1j"])
def test_non_finite_huge_and_complex_values_can_be_sent(client: TestClient, text: str) -> None:
    assert run_script(client, f"x = {text}")["error"] is None


def test_a_lone_surrogate_in_a_script_is_refused(client: TestClient) -> None:
    assert "surrogate" in run_script(client, "print('a\\ud800b')")["error"]["message"]


def test_a_solution_of_an_exercise_is_checked(client: TestClient) -> None:
    task = EXERCISES[0]
    right = run_script(client, task.solution, exercise=task.name)
    assert (right["correct"], right["feedback"]) == (True, "") and task.result_name in right["names"]
    wrong = run_script(client, f"{task.result_name} = 0", exercise=task.name)
    assert wrong["correct"] is False and wrong["feedback"]
    failing = run_script(client, "nowhere", exercise=task.name)
    assert failing["correct"] is False and "nowhere" in failing["error"]["message"]


def test_a_script_without_an_exercise_has_no_feedback(client: TestClient) -> None:
    assert "feedback" not in run_script(client, "x = 1", exercise="") and "feedback" not in run_script(client, "x = 1", exercise=None)


def test_an_unknown_exercise_is_named_in_the_error(client: TestClient, capfd: pytest.CaptureFixture[str]) -> None:
    answer = client.post("/api/tensors/run", json={"source": "x = 1", "exercise": "nothing"})
    assert answer.status_code in (400, 404)
    assert "nothing" in answer.json()["error"]


def test_an_unknown_device_is_named_in_the_error(client: TestClient, capfd: pytest.CaptureFixture[str]) -> None:
    answer = client.post("/api/tensors/run", json={"source": "x = 1", "device": "abacus"})
    assert answer.status_code in (400, 404)
    assert "abacus" in answer.json()["error"]


def test_the_device_of_a_script_can_be_chosen(client: TestClient) -> None:
    assert run_script(client, "x = torch.ones(2, device=device)\nprint(device)", device="cpu")["output"] == "cpu\n"


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
def test_a_body_without_a_script_is_refused(client: TestClient, body: bytes) -> None:
    answer = client.post("/api/tensors/run", content=body)
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_a_body_of_exactly_the_maximum_size_is_read(client: TestClient) -> None:
    source = "#" * (scripts.MAX_SCRIPT - len(json.dumps({"source": ""}).encode()))
    answer = client.post("/api/tensors/run", content=json.dumps({"source": source}).encode())
    assert answer.status_code == 200 and "characters" in answer.json()["error"]["message"]


def test_the_longest_script_of_four_byte_characters_is_read(client: TestClient) -> None:
    source = "# " + "😀" * 19_990
    answer = client.post("/api/tensors/run", content=json.dumps({"source": source}, ensure_ascii=False).encode())
    assert answer.status_code == 200 and answer.json()["error"] is None


def test_scripts_cannot_be_run_by_get(client: TestClient) -> None:
    assert client.get("/api/tensors/run").status_code == 405


def test_a_script_that_exceeds_its_time_limit_is_reported_as_an_error(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    class Slow(InProcessSandbox):
        def run(self, *_: Any) -> dict[str, Any]:
            raise PlaygroundError("This took longer than 3 seconds, so it was stopped.", "Make its tensors smaller.")

    monkeypatch.setattr(services(), "sandbox", Slow())
    answer = client.post("/api/tensors/run", json={"source": "x = 1"})
    assert answer.status_code == 400
    assert answer.json() == {"error": "This took longer than 3 seconds, so it was stopped. Make its tensors smaller."}


def test_a_busy_server_says_that_the_request_can_be_tried_again(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    class Busy(InProcessSandbox):
        def run(self, *_: Any) -> dict[str, Any]:
            raise BusyError("The server was too busy.", "Try again in a moment.")

    monkeypatch.setattr(services(), "sandbox", Busy())
    answer = client.post("/api/tensors/run", json={"source": "x = 1"})
    assert answer.status_code == 503
    assert answer.json() == {"error": "The server was too busy. Try again in a moment.", "retry": True}


@pytest.mark.parametrize("path", ["tensors/run", "autograd/run", "autograd/curve", "autograd/gradcheck", "network/activations"])
def test_json_written_by_the_sandbox_is_sent_unchanged(client: TestClient, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    output = b'{ "not" :  "as the server would write it"}'

    class Writing(InProcessSandbox):
        def run_to_json(self, *_: Any, **_options: Any) -> bytes:
            return output

    monkeypatch.setattr(services(), "sandbox", Writing())
    answer = client.post(f"/api/{path}", json={"source": "x = 1"})
    assert (answer.content, answer.headers["content-type"]) == (output, "application/json")


def test_an_exercise_has_a_longer_time_limit_than_a_script(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    limits: list[tuple[str, float]] = []

    class Noting(InProcessSandbox):
        def run(self, task: str, _request: Any, seconds: float) -> dict[str, Any]:
            limits.append((task, seconds))
            return {}

    monkeypatch.setattr(services(), "sandbox", Noting())
    run_script(client, "x = 1")
    run_script(client, "x = 1", exercise=EXERCISES[0].name)
    assert [task.split(":")[1] for task, _ in limits] == ["run_script", "check_exercise"]
    assert 0 < limits[0][1] < limits[1][1]


def test_the_server_has_a_sandbox(client: TestClient) -> None:
    assert isinstance(services().sandbox, Sandbox | InProcessSandbox)


def test_responses_forbid_framing_by_other_sites(client: TestClient) -> None:
    assert client.post("/api/tensors/run", json={"source": ""}).headers["x-frame-options"] == "SAMEORIGIN"


def test_overrides_replace_values_of_the_script(client: TestClient) -> None:
    document = run_gradient_task(client, "run", source=SQUARE, overrides={"x": {"1": 5}})
    x = leaf(document, "x")
    assert (x["value"]["values"], x["grad"]["values"], x["loss"], x["overridden"]) == ([1, 5], [2, 10], 26, [1])


def test_the_same_seed_gives_the_same_values_and_no_seed_gives_others(client: TestClient) -> None:
    first = run_gradient_task(client, "run", source=RANDOM)
    again = run_gradient_task(client, "run", source=RANDOM, seed=first["seed"])
    other = run_gradient_task(client, "run", source=RANDOM)
    assert again == first
    assert leaf(other, "x")["value"] != leaf(first, "x")["value"]


def test_a_loss_curve_is_the_loss_for_each_value_of_a_cell(client: TestClient) -> None:
    assert run_gradient_task(client, "curve", source=SQUARE, seed=0, name="x", cell=0, **{"pass": 0}, values=[0, 3, -3])["losses"] == [4, 13, 13]


def test_a_gradient_check_has_the_gradients_of_autograd_and_of_finite_differences(client: TestClient) -> None:
    document = run_gradient_task(client, "gradcheck", source=SQUARE, seed=0, overrides={"x": {"0": 3}})
    assert document["passed"] and [row["autograd"] for row in document["rows"]] == [6, 4]
    assert [row["difference"] for row in document["rows"]] == pytest.approx([6, 4], abs=1e-6)


@pytest.mark.parametrize(
    ("task", "fields"),
    [
        ("run", {"seed": -1}),
        ("run", {"seed": "one"}),
        ("run", {"seed": 2**40}),
        ("run", {"overrides": {"x": 3}}),
        ("run", {"overrides": {"x": {"first": 3}}}),
        ("run", {"overrides": {"x": {"-1": 3}}}),
        ("run", {"overrides": [1]}),
        ("curve", {"seed": 0, "pass": 0}),
        ("curve", {"seed": 0, "pass": 0, "name": "x", "cell": "a", "values": [1]}),
        ("curve", {"seed": 0, "pass": 0, "name": "x", "cell": 0, "values": 7}),
        ("curve", {"seed": 0, "name": "x", "cell": 0, "values": [1]}),
        ("gradcheck", {}),
        ("gradcheck", {"seed": True}),
    ],
)
def test_invalid_fields_of_a_gradient_task_are_refused(client: TestClient, task: str, fields: dict[str, Any]) -> None:
    answer = client.post(f"/api/autograd/{task}", json={"source": SQUARE, **fields})
    assert answer.status_code == 400
    assert "mistake" not in answer.json()["error"]


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b'{"source": 3}', b"{" * 5000, json.dumps({"source": "x" * 200_000}).encode()])
@pytest.mark.parametrize("task", ["run", "curve", "gradcheck"])
def test_a_body_without_a_script_is_refused_by_each_gradient_task(client: TestClient, task: str, body: bytes) -> None:
    answer = client.post(f"/api/autograd/{task}", content=body)
    assert answer.status_code in (400, 413) and answer.json()["error"]


def test_every_exercise_can_be_found_by_its_name() -> None:
    assert all(exercise(task.name) is task for task in EXERCISES)
