"""The routes of the Network page: analysing a network, reading code, and the activations of a batch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from playground.network import analysis
from playground.network.presets import load_presets, preset

from ..support.networks import layer, network

PRESETS = load_presets().networks
TUTORIAL_CNN = preset("tutorial-cnn").to_dict()
BROKEN = ("mistake", "ended before its answer")
"""Parts of the messages for a bug in the playground and for a process that died."""
SURROGATE = "\ud800"
"""A lone surrogate: JSON can escape it, UTF-8 cannot encode it."""


def post(client: TestClient, route: str, **fields: Any) -> dict[str, Any]:
    answer = client.post(f"/api/network/{route}", content=json.dumps(fields).encode())
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


def refusal(client: TestClient, route: str, body: bytes) -> str:
    """Return the error message for a body; fail unless it is short and blames the request, not the playground."""
    answer = client.post(f"/api/network/{route}", content=body)
    assert 400 <= answer.status_code < 500, answer.text[:300]
    error: str = answer.json()["error"]
    assert error and not any(word in error for word in BROKEN) and len(answer.content) < 10_000
    return error


def test_the_catalogue_of_layers_is_sent_once_while_it_is_the_same(client: TestClient) -> None:
    answer = client.get("/api/network/catalogue")
    assert answer.json() == analysis.describe_layer_types()
    assert answer.headers["cache-control"] == "no-cache"
    assert client.get("/api/network/catalogue", headers={"if-none-match": answer.headers["etag"]}).status_code == 304
    assert client.get("/api/network/catalogue", headers={"if-none-match": '"of another version"'}).status_code == 200


def test_the_analysis_of_a_valid_network_has_shapes_parameter_counts_and_code(client: TestClient) -> None:
    document = post(client, "analyse", network=TUTORIAL_CNN, dataset="mnist-5k")
    assert document["valid"] and document["fits"] and document["totals"]["parameters"] == 108_618
    assert [step["out_shape"] for step in document["steps"]][-4:] == [[800], [128], [128], [10]]
    assert document["steps"][0]["arithmetic"] == "(3·3·1 + 1)·16 = 160"
    assert "class TutorialCnn(nn.Module)" in document["module"] and "network = nn.Sequential(" in document["sequential"]
    for code in (document["module"], document["sequential"]):
        compile(code, "network.py", "exec")


def test_the_analysis_lists_differences_from_the_preset_of_the_same_name(client: TestClient) -> None:
    assert post(client, "analyse", network=TUTORIAL_CNN)["compared"] == []
    changed = {**TUTORIAL_CNN, "layers": [*TUTORIAL_CNN["layers"][:-2], layer("Tanh"), TUTORIAL_CNN["layers"][-1]]}
    assert any("Tanh" in difference["text"] for difference in post(client, "analyse", network=changed)["compared"])
    assert post(client, "analyse", network={**TUTORIAL_CNN, "name": "nobodys"})["compared"] is None


def test_the_analysis_of_mismatched_shapes_has_a_fix_and_no_code(client: TestClient) -> None:
    document = post(client, "analyse", network={**TUTORIAL_CNN, "layers": [*TUTORIAL_CNN["layers"][:6], *TUTORIAL_CNN["layers"][7:]]})
    assert document["valid"] and not document["fits"] and "module" not in document and document["refusal"]
    wrong = [step for step in document["steps"] if step["error"]]
    assert [step["index"] for step in wrong] == [6] and wrong[0]["fixes"][0]["layers"][6] == {"type": "Flatten"}


def test_advice_depends_on_the_data_set(client: TestClient) -> None:
    kinds = {name: {advice["kind"] for advice in post(client, "analyse", network=TUTORIAL_CNN, dataset=name)["advice"]} for name in ("", "mnist-5k", "shapes")}
    assert "wrong-input" in kinds["shapes"] and "wrong-input" not in kinds["mnist-5k"] | kinds[""]


@pytest.mark.parametrize("name", sorted(PRESETS))
@pytest.mark.parametrize("style", ["module", "sequential"])
def test_reading_the_code_of_a_preset_gives_the_preset(client: TestClient, name: str, style: str) -> None:
    code = post(client, "analyse", network=PRESETS[name].to_dict())[style]
    document = post(client, "read", text=code)["network"]
    again = post(client, "analyse", network=document)
    expected = post(client, "analyse", network=PRESETS[name].to_dict())
    assert document["input_shape"] == list(PRESETS[name].input_shape)
    assert [(step["type"], step["params"]) for step in again["steps"]] == [(step["type"], step["params"]) for step in expected["steps"]]


def test_code_is_read_with_an_input_shape_and_notes_what_was_left_out(client: TestClient) -> None:
    text = "class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.a = nn.Linear(12, 3)\n        self.b = nn.Linear(3, 3)\n\n"
    text += "    def forward(self, x):\n        return self.a(x.flatten(1))\n"
    document = post(client, "read", text=text, input_shape=[3, 2, 2])
    assert document["network"]["input_shape"] == [3, 2, 2]
    assert document["network"]["layers"] == [{"type": "Flatten"}, {"type": "Linear", "out_features": 3}]
    assert any("self.b is left out" in note for note in document["notes"])


TWO = """class First(nn.Module):
    def __init__(self, num_classes):
        super().__init__()
        self.a = nn.Linear(12, num_classes)
    def forward(self, x):
        return self.a(x.flatten(1))

class Second(First):
    pass
"""


def test_of_several_networks_one_is_chosen_and_missing_values_are_given(client: TestClient) -> None:
    document = post(client, "read", text=TWO, input_shape=[3, 2, 2])
    assert document["candidates"] == [{"name": "Second", "line": 8}]
    text = TWO.replace("(First)", "(nn.Sequential)") + "net = First(num_classes)\nother = Second(nn.Flatten(), nn.Linear(12, 4))\n"
    document = post(client, "read", text=text, input_shape=[3, 2, 2])
    assert document["candidates"] == [{"name": "First", "line": 10}, {"name": "Second", "line": 11}]
    assert document["chosen"] == 1 and document["missing"] == [] and document["network"]["layers"][-1]["out_features"] == 4
    document = post(client, "read", text=text, input_shape=[3, 2, 2], which=0)
    assert document["chosen"] == 0 and document["missing"] == [{"name": "num_classes", "value": 10}]
    assert any("num_classes=10" in note for note in document["notes"])
    document = post(client, "read", text=text, input_shape=[3, 2, 2], which=0, given={"num_classes": 7, "x": [1], "y": {}})
    assert document["network"]["layers"][-1]["out_features"] == 7 and document["missing"] == [{"name": "num_classes", "value": 7}]


@pytest.mark.parametrize("fields", [{"which": "a"}, {"which": 99}, {"which": -5}, {"given": 7}, {"given": {"num_classes": "x" * 50}}, {"given": [1]}])
def test_a_choice_that_does_not_exist_is_as_none(client: TestClient, fields: dict[str, Any]) -> None:
    assert post(client, "read", text=TWO.replace("num_classes)", "num_classes=3)", 1), **fields)["network"]["layers"][-1]["out_features"] == 3


def test_the_error_for_unreadable_code_names_the_line_and_the_code_is_not_run(client: TestClient, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    text = f"open({str(trace)!r}, 'w').close()\nnetwork = nn.Sequential(\n    nn.Linear(4, 3),\n    nn.LSTM(3, 3),\n)\n"
    assert "Line 4" in refusal(client, "read", json.dumps({"text": text}).encode())
    assert not trace.exists()


@pytest.mark.parametrize("shape", ["1, 28, 28", [1.5], [True], [[1]], {"0": 1}, 7, [-1], [0, 3, 3], [10**30], [1, 28], [1] * 1000])
def test_an_invalid_input_shape_is_refused(client: TestClient, shape: Any) -> None:
    assert "shape" in refusal(client, "read", json.dumps({"text": "nn.Sequential(nn.ReLU())", "input_shape": shape}).encode())


@pytest.mark.parametrize("text", [None, 5, [], {"a": 1}, "", "def", "x = 1", "(" * 10_000, "nn.ReLU()" + "\0", "-" * 50_000 + "1", f"x = '{SURROGATE}'"])
def test_code_without_a_network_is_refused(client: TestClient, text: Any) -> None:
    refusal(client, "read", json.dumps({"text": text}).encode())


def test_activations_are_those_of_a_batch_of_the_data_set(client: TestClient) -> None:
    document = post(client, "activations", network=TUTORIAL_CNN, dataset="mnist-5k")
    assert len(document["layers"]) == len(TUTORIAL_CNN["layers"]) and "MNIST 5k" in document["data"]
    assert document["picture"]["columns"][1]["shape"] == [16, 13, 13] and document["layers"][0]["zeros"] < 1
    assert post(client, "activations", network=TUTORIAL_CNN, dataset="mnist-5k") == document
    assert post(client, "activations", network=TUTORIAL_CNN, initialisation="zeros")["layers"][0]["zeros"] == 1
    assert post(client, "activations", network=TUTORIAL_CNN, view="weights")["picture"]["view"] == "weights"


def test_a_value_of_the_batch_is_written_out(client: TestClient) -> None:
    document = post(client, "value", network=TUTORIAL_CNN, dataset="mnist-5k", layer=0, place=[3])
    assert document["place"][0] == 3 and len(document["calculation"]["terms"]) == 9 and len(document["map"]) == 26
    assert post(client, "value", network=TUTORIAL_CNN, dataset="mnist-5k", layer=0, place=document["place"]) == document


BODIES = [
    b"",
    b"network",
    b"[]",
    b"null",
    b"3",
    b'"text"',
    b"\xff\xfe\x00",
    b"{" * 5000,
    b"[" * 90_000,
    b'{"a":' * 20_000 + b"1" + b"}" * 20_000,
    b" " * 250_000,
]


@pytest.mark.parametrize("body", BODIES, ids=lambda body: body[:8].decode("latin1"))
@pytest.mark.parametrize("route", ["analyse", "read", "activations", "value"])
def test_a_body_that_is_no_json_object_is_refused(client: TestClient, route: str, body: bytes) -> None:
    refusal(client, route, body)


@pytest.mark.parametrize("route", ["analyse", "read", "activations"])
def test_a_body_that_is_too_long_is_refused(client: TestClient, route: str) -> None:
    assert "200,000 bytes" in refusal(client, route, json.dumps({"network": TUTORIAL_CNN, "text": "#" * 200_000}).encode())


def deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


INVALID_NETWORKS: dict[str, Any] = {
    "nothing": None,
    "a list": [],
    "a text": "network",
    "empty": {},
    "no layers": network([1, 28, 28]),
    "layers in an object": {**TUTORIAL_CNN, "layers": {"0": layer("ReLU")}},
    "a layer in a list": network([4], [layer("ReLU")]),  # type: ignore[arg-type]
    "a layer without a kind": network([4], {}),
    "an unknown layer": network([4], layer("Nothing")),
    "a layer of a number": network([4], layer(7)),
    "an unknown parameter": network([4], layer("ReLU", speed=3)),
    "10,000 layers": network([4], *[layer("ReLU")] * 10_000),
    "201 layers": network([4], *[layer("ReLU")] * 201),
    "not a number": network([4], layer("Dropout", p=float("nan"))),
    "infinite": network([4], layer("Dropout", p=float("inf"))),
    "a huge number": network([4], layer("Linear", out_features=10**4000)),
    "negative": network([4], layer("Linear", out_features=-1)),
    "a fraction": network([4], layer("Linear", out_features=2.5)),
    "a truth": network([4], layer("Linear", out_features=True)),
    "a long text": network([4], layer("Conv2d", padding_mode="z" * 50_000)),
    "deep": network([4], layer("Linear", out_features=deep(700))),
    "deep in place of a network": deep(700),
    "a shape of nothing": network([]),
    "a shape of two": network([3, 4], layer("ReLU")),
    "a shape of four": network([1, 1, 4, 4], layer("ReLU")),
    "a shape of many": network([1] * 10_000, layer("ReLU")),
    "a shape not a number": network([float("nan")], layer("ReLU")),
    "a huge shape": network([10**300], layer("ReLU")),
    "a large shape": network([1, 4097, 1], layer("ReLU")),
    "a shape in a text": network("1, 28, 28", layer("ReLU")),  # type: ignore[arg-type]
    "no name": {"input_shape": [4], "layers": [layer("ReLU")]},
    "a name of a number": network([4], layer("ReLU"), name=float("nan")),
    "surrogate": network([4], layer(SURROGATE, **{SURROGATE: SURROGATE})),
}
each_invalid_network = pytest.mark.parametrize("document", INVALID_NETWORKS.values(), ids=INVALID_NETWORKS)


@each_invalid_network
def test_the_analysis_of_an_invalid_network_lists_its_problems(client: TestClient, document: Any) -> None:
    answer = client.post("/api/network/analyse", content=json.dumps({"network": document}).encode())
    assert answer.status_code == 200
    document = answer.json()
    assert not document["valid"] and not document["fits"] and document["steps"] == [] and "module" not in document
    assert document["problems"] and "mistake" not in str(document["problems"]) and len(answer.content) < 10_000


@each_invalid_network
def test_activations_of_an_invalid_network_are_refused(client: TestClient, document: Any) -> None:
    answer = client.post("/api/network/activations", content=json.dumps({"network": document}).encode())
    assert answer.status_code == 400, answer.text[:300]
    assert answer.json()["error"] and not any(word in answer.json()["error"] for word in BROKEN)


@pytest.mark.parametrize("route", ["analyse", "activations"])
@pytest.mark.parametrize(
    "fields",
    [
        {"dataset": "nowhere"},
        {"dataset": 7},
        {"dataset": ["mnist-5k"]},
        {"dataset": SURROGATE},
        {"network": network([4096], layer("Linear", out_features=SURROGATE))},
    ],
    ids=["unknown", "a number", "a list", "surrogate", "surrogate in a parameter"],
)
def test_an_unknown_data_set_or_a_lone_surrogate_is_refused(client: TestClient, route: str, fields: dict[str, Any]) -> None:
    answer = client.post(f"/api/network/{route}", content=json.dumps({"network": TUTORIAL_CNN, **fields}).encode())
    assert answer.status_code < 500
    assert answer.json().get("error") or answer.json()["problems"]


def test_a_surrogate_in_the_name_of_a_network_that_is_too_large_causes_no_server_error(client: TestClient) -> None:
    document = network([3, 4096, 4096], layer("Flatten"), layer("Linear", out_features=4096), name=SURROGATE)
    answer = client.post("/api/network/analyse", content=json.dumps({"network": document}).encode())
    assert answer.status_code < 500


@pytest.mark.parametrize(
    "fields",
    [
        {"initialisation": "hope"}, {"initialisation": None}, {"initialisation": ["zeros"]}, {"initialisation": SURROGATE}, {"seed": -1}, {"seed": "one"},
        {"seed": 1e400}, {"seed": 2**40}, {"seed": None}, {"device": "abacus"}, {"device": None}, {"device": {"cpu": 1}}, {"device": SURROGATE},
        {"dataset": "mnist"},
    ],
    ids=str,
)  # fmt: skip
def test_an_unknown_initialisation_seed_device_or_data_set_is_refused(client: TestClient, fields: dict[str, Any]) -> None:
    refusal(client, "activations", json.dumps({"network": TUTORIAL_CNN, **fields}).encode())


@pytest.mark.parametrize("seconds", ["soon", 1e400, -5, 10**300, None], ids=["a text", "infinite", "negative", "huge", "none"])
def test_a_request_cannot_set_the_time_limit_of_the_process(client: TestClient, seconds: Any) -> None:
    document = post(client, "activations", network=TUTORIAL_CNN, seconds=seconds)
    assert len(document["layers"]) == len(TUTORIAL_CNN["layers"])


LARGE = {
    "an input of gigabytes": network([4096, 4096, 4096], layer("AdaptiveAvgPool2d"), layer("Flatten")),
    "outputs of gigabytes": network([3, 512, 512], layer("Conv2d", out_channels=256, padding=1)),
    "weights of gigabytes": network([4096], *[layer("Linear", out_features=4096)] * 11),
}


@pytest.mark.parametrize("document", LARGE.values(), ids=LARGE)
def test_the_error_for_a_batch_that_is_too_large_names_memory(client: TestClient, document: Any) -> None:
    assert post(client, "analyse", network=document)["fits"]
    assert "memory" in refusal(client, "activations", json.dumps({"network": document}).encode())
