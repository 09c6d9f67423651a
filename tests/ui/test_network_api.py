"""The routes of the Network page: analysing, reading, looking inside; and the page, its link, and where its network goes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient
from streamlit.testing.v1 import AppTest

from playground.data.catalogue import DATASETS
from playground.environment import ROOT
from playground.network import analysis
from playground.network.presets import load_presets, preset
from playground.server.asgi import MIDDLEWARE, ROUTES
from playground.server.services import services
from playground.tensors import link

PRESETS = load_presets().networks
N3 = preset("tutorial-cnn").to_dict()
BROKEN = ("mistake", "ended before its answer")
"""What is said where the playground itself is at fault, or its process died."""
HALF = "\ud800"
"""Half a letter, which JSON may escape and no answer may hold."""


def network(shape: list[Any], *layers: dict[str, Any], name: Any = "mine") -> dict[str, Any]:
    return {"name": name, "input_shape": shape, "layers": list(layers)}


def layer(kind: Any, **params: Any) -> dict[str, Any]:
    return {"type": kind, **params}


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    services().warm.set()
    with TestClient(Starlette(routes=ROUTES, middleware=MIDDLEWARE)) as client:
        yield client
    services().forker.close()


def ask(client: TestClient, what: str, **asked: Any) -> dict[str, Any]:
    answer = client.post(f"/api/network/{what}", json=asked)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def refused(client: TestClient, what: str, body: bytes) -> str:
    """Why a body is refused: an error of the asker's, told briefly and not as a mistake of the playground's."""
    answer = client.post(f"/api/network/{what}", content=body)
    assert 400 <= answer.status_code < 500, answer.text[:300]
    error: str = answer.json()["error"]
    assert error and not any(word in error for word in BROKEN) and len(answer.content) < 10_000
    return error


def test_the_catalogue_is_that_of_the_layers_and_may_be_kept(client: TestClient) -> None:
    answer = client.get("/api/network/catalogue")
    assert answer.json() == analysis.describe_layer_types()
    assert "max-age" in answer.headers["cache-control"]


def test_a_stack_that_fits_is_answered_with_numbers_and_code(client: TestClient) -> None:
    found = ask(client, "analyse", network=N3, dataset="mnist-5k")
    assert found["valid"] and found["fits"] and found["totals"]["parameters"] == 108_618
    assert [step["out_shape"] for step in found["steps"]][-4:] == [[800], [128], [128], [10]]
    assert found["steps"][0]["arithmetic"] == "(3·3·1 + 1)·16 = 160"
    assert "class TutorialCnn(nn.Module)" in found["module"] and "network = nn.Sequential(" in found["sequential"]
    for code in (found["module"], found["sequential"]):
        compile(code, "network.py", "exec")


def test_what_differs_from_the_preset_of_its_name_is_told(client: TestClient) -> None:
    assert ask(client, "analyse", network=N3)["compared"] == []
    changed = {**N3, "layers": [*N3["layers"][:-2], layer("Tanh"), N3["layers"][-1]]}
    assert any("Tanh" in difference["text"] for difference in ask(client, "analyse", network=changed)["compared"])
    assert ask(client, "analyse", network={**N3, "name": "nobodys"})["compared"] is None


def test_a_stack_that_does_not_fit_has_no_code_but_a_fix(client: TestClient) -> None:
    found = ask(client, "analyse", network={**N3, "layers": [*N3["layers"][:6], *N3["layers"][7:]]})
    assert found["valid"] and not found["fits"] and "module" not in found and found["refusal"]
    wrong = [step for step in found["steps"] if step["error"]]
    assert [step["index"] for step in wrong] == [6] and wrong[0]["fixes"][0]["layers"][6] == {"type": "Flatten"}


def test_advice_is_about_the_data_set_that_is_asked_about(client: TestClient) -> None:
    kinds = {name: {advice["kind"] for advice in ask(client, "analyse", network=N3, dataset=name)["advice"]} for name in ("", "mnist-5k", "shapes")}
    assert "wrong-input" in kinds["shapes"] and "wrong-input" not in kinds["mnist-5k"] | kinds[""]


@pytest.mark.parametrize("name", sorted(PRESETS))
@pytest.mark.parametrize("style", ["module", "sequential"])
def test_the_code_of_a_preset_is_read_as_the_preset(client: TestClient, name: str, style: str) -> None:
    code = ask(client, "analyse", network=PRESETS[name].to_dict())[style]
    found = ask(client, "read", text=code)["network"]
    again = ask(client, "analyse", network=found)
    expected = ask(client, "analyse", network=PRESETS[name].to_dict())
    assert found["input_shape"] == list(PRESETS[name].input_shape)
    assert [(step["type"], step["params"]) for step in again["steps"]] == [(step["type"], step["params"]) for step in expected["steps"]]


def test_code_is_read_with_a_shape_and_what_is_left_out_is_noted(client: TestClient) -> None:
    text = "class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.a = nn.Linear(12, 3)\n        self.b = nn.Linear(3, 3)\n\n"
    text += "    def forward(self, x):\n        return self.a(x.flatten(1))\n"
    found = ask(client, "read", text=text, input_shape=[3, 2, 2])
    assert found["network"]["input_shape"] == [3, 2, 2]
    assert found["network"]["layers"] == [{"type": "Flatten"}, {"type": "Linear", "out_features": 3}]
    assert any("self.b is left out" in note for note in found["notes"])


def test_code_that_cannot_be_read_is_told_with_its_line_and_nothing_is_run(client: TestClient, tmp_path: Path) -> None:
    left = tmp_path / "left"
    text = f"open({str(left)!r}, 'w').close()\nnetwork = nn.Sequential(\n    nn.Linear(4, 3),\n    nn.LSTM(3, 3),\n)\n"
    assert "Line 4" in refused(client, "read", json.dumps({"text": text}).encode())
    assert not left.exists()


@pytest.mark.parametrize("shape", ["1, 28, 28", [1.5], [True], [[1]], {"0": 1}, 7, [-1], [0, 3, 3], [10**30], [1, 28], [1] * 1000])
def test_an_input_shape_that_is_none_is_refused(client: TestClient, shape: Any) -> None:
    assert "shape" in refused(client, "read", json.dumps({"text": "nn.Sequential(nn.ReLU())", "input_shape": shape}).encode())


@pytest.mark.parametrize("text", [None, 5, [], {"a": 1}, "", "def", "x = 1", "(" * 10_000, "nn.ReLU()" + "\0", "-" * 50_000 + "1", f"x = '{HALF}'"])
def test_a_text_without_a_network_is_refused(client: TestClient, text: Any) -> None:
    refused(client, "read", json.dumps({"text": text}).encode())


def test_a_batch_is_sent_through(client: TestClient) -> None:
    found = ask(client, "activations", network=N3, dataset="mnist-5k")
    assert len(found["layers"]) == len(N3["layers"]) and "MNIST 5k" in found["data"]
    assert found["layers"][0]["maps"]["shape"] == [16, 26, 26] and found["layers"][0]["zeros"] < 1
    assert ask(client, "activations", network=N3, dataset="mnist-5k") == found
    assert ask(client, "activations", network=N3, initialisation="zeros")["layers"][0]["zeros"] == 1


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
@pytest.mark.parametrize("what", ["analyse", "read", "activations"])
def test_a_body_that_is_no_question_is_refused(client: TestClient, what: str, body: bytes) -> None:
    refused(client, what, body)


@pytest.mark.parametrize("what", ["analyse", "read", "activations"])
def test_a_body_that_is_too_long_is_refused(client: TestClient, what: str) -> None:
    assert "200,000 bytes" in refused(client, what, json.dumps({"network": N3, "text": "#" * 200_000}).encode())


def deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


NO_NETWORKS: dict[str, Any] = {
    "nothing": None,
    "a list": [],
    "a text": "network",
    "empty": {},
    "no layers": network([1, 28, 28]),
    "layers in an object": {**N3, "layers": {"0": layer("ReLU")}},
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
    "half a letter": network([4], layer(HALF, **{HALF: HALF})),
}
each_none = pytest.mark.parametrize("document", NO_NETWORKS.values(), ids=NO_NETWORKS)


@each_none
def test_what_is_no_network_is_told_in_problems(client: TestClient, document: Any) -> None:
    answer = client.post("/api/network/analyse", content=json.dumps({"network": document}).encode())
    assert answer.status_code == 200
    found = answer.json()
    assert not found["valid"] and not found["fits"] and found["steps"] == [] and "module" not in found
    assert found["problems"] and "mistake" not in str(found["problems"]) and len(answer.content) < 10_000


@each_none
def test_no_batch_is_sent_through_what_is_no_network(client: TestClient, document: Any) -> None:
    answer = client.post("/api/network/activations", content=json.dumps({"network": document}).encode())
    assert answer.status_code == 400, answer.text[:300]
    assert answer.json()["error"] and not any(word in answer.json()["error"] for word in BROKEN)


@pytest.mark.parametrize("what", ["analyse", "activations"])
@pytest.mark.parametrize(
    "more",
    [{"dataset": "nowhere"}, {"dataset": 7}, {"dataset": ["mnist-5k"]}, {"dataset": HALF}, {"network": network([4096], layer("Linear", out_features=HALF))}],
    ids=["unknown", "a number", "a list", "half a letter", "half a letter inside"],
)
def test_an_unknown_data_set_or_half_a_letter_is_refused(client: TestClient, what: str, more: dict[str, Any]) -> None:
    answer = client.post(f"/api/network/{what}", content=json.dumps({"network": N3, **more}).encode())
    assert answer.status_code < 500
    assert answer.json().get("error") or answer.json()["problems"]


def test_half_a_letter_in_the_name_of_a_network_that_is_too_large_is_no_fault_of_the_server(client: TestClient) -> None:
    document = network([3, 4096, 4096], layer("Flatten"), layer("Linear", out_features=4096), name=HALF)
    answer = client.post("/api/network/analyse", content=json.dumps({"network": document}).encode())
    assert answer.status_code < 500


@pytest.mark.parametrize(
    "more",
    [
        {"initialisation": "hope"}, {"initialisation": None}, {"initialisation": ["zeros"]}, {"initialisation": HALF}, {"seed": -1}, {"seed": "one"},
        {"seed": 1e400}, {"seed": 2**40}, {"seed": None}, {"device": "abacus"}, {"device": None}, {"device": {"cpu": 1}}, {"device": HALF},
        {"dataset": "mnist"},
    ],
    ids=str,
)  # fmt: skip
def test_a_wish_that_there_is_not_is_refused(client: TestClient, more: dict[str, Any]) -> None:
    refused(client, "activations", json.dumps({"network": N3, **more}).encode())


@pytest.mark.parametrize("seconds", ["soon", 1e400, -5, 10**300, None], ids=["a text", "infinite", "negative", "huge", "none"])
def test_an_asker_does_not_set_the_bounds_of_the_process(client: TestClient, seconds: Any) -> None:
    found = ask_text(client, {"network": N3, "seconds": seconds})
    assert len(found["layers"]) == len(N3["layers"])


def ask_text(client: TestClient, asked: dict[str, Any]) -> dict[str, Any]:
    answer = client.post("/api/network/activations", content=json.dumps(asked).encode())
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


LARGE = {
    "an input of gigabytes": network([4096, 4096, 4096], layer("AdaptiveAvgPool2d"), layer("Flatten")),
    "outputs of gigabytes": network([3, 512, 512], layer("Conv2d", out_channels=256, padding=1)),
    "weights of gigabytes": network([4096], *[layer("Linear", out_features=4096)] * 11),
}


@pytest.mark.parametrize("document", LARGE.values(), ids=LARGE)
def test_what_is_too_large_for_a_batch_is_told_so(client: TestClient, document: Any) -> None:
    assert ask(client, "analyse", network=document)["fits"]
    assert "memory" in refused(client, "activations", json.dumps({"network": document}).encode())


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setattr("playground.ui.shared.visitor.current_learner", lambda: "ada")  # AppTest has no cookies
    services().warm.set()
    return AppTest.from_file(str(ROOT / "playground" / "ui" / "shell" / "app.py"), default_timeout=90)


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the builder is given by the page; `go` in it is where the learner wants to go at the next run, with which network."""
    told: dict[str, Any] = {}

    def builder(stack: Any, presets: Any, shapes: Any, dataset: str, **calls: Any) -> None:
        told.update(network=stack, presets=presets, shapes=shapes, dataset=dataset)
        if "change" in told:
            calls["on_change"](told.pop("change"))
        if "go" in told:
            calls["on_go"](*told.pop("go"))

    monkeypatch.setattr("playground.ui.pages.network.network_builder", builder)
    return told


def opened(app: AppTest, page: str = "network") -> AppTest:
    app.run()
    app.switch_page(str(ROOT / "pages" / f"{page}.py")).run()
    assert not app.exception, app.exception
    return app


def test_the_page_opens_with_the_component_itself(app: AppTest) -> None:
    opened(app)
    assert app.title[0].value == "Network" and not app.error


def test_the_page_gives_the_builder_presets_shapes_and_a_first_network(app: AppTest, shown: dict[str, Any]) -> None:
    opened(app)
    assert {each["name"] for each in shown["presets"]} == set(PRESETS) and N3 in shown["presets"]
    assert shown["shapes"] == [[1, 28, 28], [3, 32, 32]] and shown["dataset"] == "mnist-5k"
    assert shown["network"] == N3
    app.selectbox(key="network-dataset").set_value("").run()
    assert shown["dataset"] == "" and not app.exception


def stack(*layers: dict[str, Any]) -> dict[str, Any]:
    """A stack as the component tells it."""
    held = []
    for place, each in enumerate(layers):
        params = {name: value for name, value in each.items() if name not in ("type", "off")}
        held.append({"id": place, "type": each["type"], "params": params, "off": each.get("off", False)})
    return {"name": "mine", "title": "Mine", "input_shape": [1, 28, 28], "layers": held}


def test_a_changed_stack_is_in_the_address_with_what_is_switched_off(app: AppTest, shown: dict[str, Any]) -> None:
    opened(app)
    layers = [layer("Flatten"), layer("Tanh", off=True), layer("Linear", out_features=10)]
    shown["change"] = stack(*layers)
    app.run()
    packed = app.query_params["network"]
    other = AppTest.from_file(str(ROOT / "playground" / "ui" / "shell" / "app.py"), default_timeout=90)
    other.run()
    other.query_params["network"] = packed
    other.switch_page(str(ROOT / "pages" / "network.py")).run()
    assert not other.exception and not other.error
    assert shown["network"]["layers"] == layers and shown["network"]["input_shape"] == [1, 28, 28]


LINKS = {
    "damaged": "abc",
    "not JSON": link.pack("x = 1"),
    "a list": link.pack("[]"),
    "deep": link.pack("[" * 5000),
    "an unknown layer": link.pack(json.dumps(network([4], layer("Nothing")))),
    "a layer of a list": link.pack(json.dumps({**N3, "layers": [[1]]})),
    "off is no layer": link.pack(json.dumps({**N3, "layers": ["off"]})),
    "a huge shape": link.pack(json.dumps(network([10**300], layer("ReLU")))),
    "no name": link.pack(json.dumps({"input_shape": [4], "layers": [layer("ReLU")]})),
}


@pytest.mark.parametrize("packed", LINKS.values(), ids=LINKS)
def test_a_link_that_holds_no_network_is_told_kindly(app: AppTest, shown: dict[str, Any], packed: str) -> None:
    app.run()
    app.query_params["network"] = packed
    app.switch_page(str(ROOT / "pages" / "network.py")).run()
    assert not app.exception
    assert app.error and "mistake" not in app.error[0].value
    assert shown["network"] == N3


def test_ones_own_network_is_offered_for_training_where_it_fits(app: AppTest, shown: dict[str, Any]) -> None:
    opened(app)
    shown["go"] = ("train", N3)
    app.run()
    assert not app.exception
    assert app.title[0].value == "Train a network"
    assert app.selectbox(key="dataset").value == "mnist-5k"
    assert app.selectbox(key="network-mnist-5k").value == "mine" and "My network" in app.selectbox(key="network-mnist-5k").options
    opened(app, "train").selectbox(key="dataset").set_value("shapes").run()
    assert not app.exception
    assert "My network" not in app.selectbox(key="network-shapes").options


@pytest.mark.parametrize(
    "document",
    [preset("cifar-cnn").to_dict(), network([1, 28, 28], layer("Linear", out_features=10)), network([1, 28, 28], layer("Flatten"), layer("Linear"))],
    ids=["another input", "a misfit", "another output"],
)
def test_a_network_that_does_not_fit_the_data_is_not_offered(app: AppTest, shown: dict[str, Any], document: dict[str, Any]) -> None:
    opened(app)
    shown["go"] = ("train", document)
    app.run()
    assert not app.exception
    assert "My network" not in app.selectbox(key="network-mnist-5k").options
    assert app.selectbox(key="network-mnist-5k").value in PRESETS


def test_nothing_happens_where_there_is_no_network_to_take_along(app: AppTest, shown: dict[str, Any]) -> None:
    opened(app)
    shown["go"] = ("train", {"layers": "none"})
    app.run()
    assert not app.exception
    assert app.title[0].value == "Network"
    opened(app, "train")
    assert "My network" not in app.selectbox(key="network-mnist-5k").options


def test_ones_own_network_has_its_gradients_seen(app: AppTest, shown: dict[str, Any]) -> None:
    opened(app)
    shown["go"] = ("gradients", N3)
    app.run()
    assert not app.exception and not app.error
    assert app.title[0].value == "Autograd"
    assert app.selectbox(key="flow-network").value == "mine"
    assert any(subheader.value == "My network" for subheader in app.subheader)


def test_the_shapes_that_are_offered_are_those_of_the_data_sets(app: AppTest, shown: dict[str, Any]) -> None:
    opened(app)
    assert {tuple(shape) for shape in shown["shapes"]} == {info.input_shape for info in DATASETS}
