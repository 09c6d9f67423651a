"""The analysis of a network as plain data: complete, serialisable as JSON, and safe for any document."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings

from playground import device
from playground.errors import ConfigError, PlaygroundError
from playground.network import analysis
from playground.network.analysis import MAX_PROBLEMS, MAX_TEXT, analyse, describe_layer_types
from playground.network.catalogue import LAYERS, layer_type
from playground.network.presets import load_presets
from playground.network.spec import MAX_LAYERS, NetworkSpec
from playground.network.trace import trace

from ..support.tiers import repetitions
from .malformed import json_values, malformed_networks
from .stacks import Layer, network, stacks

PRESETS = load_presets().networks
KEYS = {
    "index", "type", "title", "group", "module", "params", "set", "in_shape", "out_shape", "parameters", "arithmetic", "multiply_adds",
    "multiply_arithmetic", "size_formula", "bytes", "receptive_field", "error", "fixes",
}  # fmt: skip
GOOD: dict[str, Any] = {"name": "net", "input_shape": [1, 28, 28], "layers": [{"type": "Conv2d", "padding": 1}]}


def deep(levels: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(levels):
        value = [value]
    return value


def to_json(result: dict[str, Any]) -> str:
    """As the page gets it: text of characters that can be encoded, and no number that JSON does not have."""
    return json.dumps(result, allow_nan=False, ensure_ascii=False).encode("utf-8").decode()


@settings(max_examples=repetitions(100))
@given(stacks)
def test_the_analysis_has_all_facts_of_every_layer(spec: NetworkSpec) -> None:
    result = analyse(spec.to_dict(), None)
    to_json(result)
    steps = trace(spec)
    assert result["valid"] and result["problems"] == []
    assert result["fits"] == all(step.out_shape for step in steps) == (not result["refusal"])
    for step, row in zip(steps, result["steps"], strict=True):
        assert row.keys() == KEYS
        assert (row["index"], row["type"], row["set"]) == (step.index, step.layer.type, dict(step.layer.params))
        assert row["params"] == layer_type(step.layer.type).settings(step.layer.params)
        assert [row[name] and tuple(row[name]) for name in ("in_shape", "out_shape")] == [step.in_shape, step.out_shape]
        assert (row["parameters"], row["multiply_adds"], row["error"]) == (step.parameters, step.multiply_adds, step.error)
        assert [fix["title"] for fix in row["fixes"]] == [fix.title for fix in step.fixes]
    assert result["totals"]["parameters"] == sum(step.parameters for step in steps)


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_presets_fit(name: str) -> None:
    result = analyse(PRESETS[name].to_dict(), None)
    assert result["fits"] and result["steps"][0]["module"].rsplit(".", 1)[1] == result["steps"][0]["type"]


def test_a_fix_is_a_network_that_fits() -> None:
    broken = network((1, 28, 28), Layer("Linear")).to_dict()
    fixes = analyse(broken, None)["steps"][0]["fixes"]
    assert fixes and all(analyse({**broken, "layers": fix["layers"]}, None)["fits"] for fix in fixes)


def test_advice_comes_with_its_fixes() -> None:
    result = analyse(network((1, 28, 28), Layer("Flatten"), Layer("Linear")).to_dict(), "mnist")["advice"]
    assert [(item["kind"], item["layer"]) for item in result] == [("wrong-output", 1)]
    assert result[0].keys() == {"kind", "layer", "text", "reason", "fixes"}
    assert [fix["layers"][-1] for fix in result[0]["fixes"]] == [{"type": "Linear", "out_features": 10}] * 2


def test_advice_depends_on_batch_size_and_device_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    document = PRESETS["tutorial-cnn"].to_dict()
    monkeypatch.setattr(device, "best", lambda: device.Device("cpu", "small", 100_000_000, 1, 1))
    assert "too-large-for-device" in [item["kind"] for item in analyse(document, "mnist", 512)["advice"]]
    assert "too-large-for-device" not in [item["kind"] for item in analyse(document, "mnist", 1)["advice"]]
    monkeypatch.setattr(device, "best", lambda: device.Device("cpu", "unknown", 0, 1, 1))
    assert "too-large-for-device" not in [item["kind"] for item in analyse(document, "mnist", 512)["advice"]]


def test_the_analysis_says_why_a_network_cannot_be_built() -> None:
    wide = [{"type": "Flatten"}, {"type": "Linear", "out_features": 4096}]
    result = analyse({**GOOD, "input_shape": [3, 256, 256], "layers": wide}, None)
    assert result["valid"] and not result["fits"] and "805,310,464 parameters" in result["refusal"]
    assert "Layer 0 (Linear)" in analyse({**GOOD, "layers": wide[1:]}, None)["refusal"]


ABSURD: dict[str, tuple[object, str]] = {
    "nothing": (None, "JSON object"),
    "list": ([], "JSON object"),
    "empty": ({}, "input_shape"),
    "unknown-layer": ({**GOOD, "layers": [{"type": "Conv3d"}]}, "Conv3d"),
    "long-unknown-layer": ({**GOOD, "layers": [{"type": "x" * 10**6}]}, "Layer 0: type"),
    "huge-setting": ({**GOOD, "layers": [{"type": "Conv2d", "out_channels": 10**9}]}, "out_channels"),
    "huger-setting": ({**GOOD, "layers": [{"type": "Linear", "out_features": 10**5000}]}, "out_features"),
    "infinite-setting": ({**GOOD, "layers": [{"type": "Dropout", "p": float("inf")}]}, "p must be"),
    "nan-setting": ({**GOOD, "layers": [{"type": "Dropout", "p": float("nan")}]}, "p must be"),
    "huge-input": ({**GOOD, "input_shape": [1, 10**9, 10**9]}, "input shape"),
    "huger-input": ({**GOOD, "input_shape": [10**5000]}, "input shape"),
    "long-input": ({**GOOD, "input_shape": [1] * 10**6}, "1000000 sizes"),
    "text-input": ({**GOOD, "input_shape": "28"}, "input_shape"),
    "true-input": ({**GOOD, "input_shape": [True]}, "input_shape"),
    "many-layers": ({**GOOD, "layers": [{"type": "Linear"}] * 10_000}, "not 10000"),
    "many-wrong-layers": ({**GOOD, "layers": [{"type": "Nope"}] * MAX_LAYERS}, "more problems"),
    "no-layers": ({**GOOD, "layers": []}, "from 1 to"),
    "layers-of-another-kind": ({**GOOD, "layers": [1, None, "ReLU"]}, "layers"),
    "type-of-another-kind": ({**GOOD, "layers": [{"type": ["ReLU"]}]}, "Layer 0: type"),
    "deep-setting": ({**GOOD, "layers": [{"type": "ReLU", "p": deep(5000)}]}, "Layer 0: p"),
    "deep-title": ({**GOOD, "title": deep(5000)}, "title"),
    "deep-input": ({**GOOD, "input_shape": deep(5000)}, "input shape"),
    "many-settings": ({**GOOD, "layers": [{"type": "ReLU", **{str(number): 1 for number in range(10_000)}}]}, "more problems"),
    "lone-surrogate": ({**GOOD, "layers": [{"type": "\ud800"}]}, "no layer called"),
    "code": ({**GOOD, "layers": [{"type": "__import__('os')"}]}, "no layer called"),
}


@pytest.mark.parametrize(("document", "message"), ABSURD.values(), ids=ABSURD)
def test_the_problems_of_an_invalid_document_are_listed_without_tracing(document: object, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(analysis, "trace", lambda _spec: pytest.fail("what is no network was traced"))
    result = analyse(document, "mnist")
    assert not result["valid"] and not result["fits"] and result["steps"] == result["advice"] == [] and result["totals"] is None
    assert any(message in problem for problem in result["problems"])
    assert len(result["problems"]) <= MAX_PROBLEMS + 1 and max(map(len, result["problems"])) <= MAX_TEXT
    to_json(result)


def test_layers_of_a_network_with_too_many_layers_are_not_checked() -> None:
    result = analyse({**GOOD, "layers": [{"type": "Nope"}] * 10_000}, None)
    assert result["problems"] == [f"A network must have from 1 to {MAX_LAYERS} layers, not 10000."]


LARGEST = {
    "image": [{"type": "Conv2d", "out_channels": 1024, "kernel_size": 31, "padding": 16}] * 5,
    "linear": [{"type": "Flatten"}, *[{"type": "Linear", "out_features": 4096}] * 20],
    "norm": [{"type": "LayerNorm"}] * 20,
    "tokens": [{"type": "PatchEmbedding", "embed_dim": 1024, "patch_size": 1}, *[{"type": "TransformerEncoderLayer", "dim_feedforward": 4096}] * 5],
    "blocks": [{"type": "ResidualBlock", "out_channels": 1024}] * 5,
    "circular": [{"type": "Conv2d", "padding": 16, "padding_mode": "circular"}] * 5,
}


@pytest.mark.parametrize("layers", LARGEST.values(), ids=LARGEST)
def test_the_largest_valid_networks_are_analysed_without_allocating_tensors(layers: list[dict[str, Any]]) -> None:
    result = analyse({**GOOD, "input_shape": [4096, 4096, 4096], "layers": layers}, "mnist", 65536)
    assert result["valid"] and result["totals"]["activation_bytes"] > 2**30
    assert "too-large-for-device" in [item["kind"] for item in result["advice"]]
    to_json(result)


@settings(max_examples=repetitions(200))
@given(json_values | malformed_networks)
def test_any_json_is_analysed_or_has_problems(document: object) -> None:
    result = analyse(document, None)
    to_json(result)
    assert result["valid"] == bool(result["steps"]) == (not result["problems"])


@pytest.mark.parametrize("dataset", ["nope", "", 3, ["mnist"]])
def test_an_unknown_data_set_is_refused(dataset: Any) -> None:
    with pytest.raises(PlaygroundError):
        analyse(GOOD, dataset)


@pytest.mark.parametrize("batch_size", [0, -1, 2.5, "64", True, None, 10**9])
def test_an_invalid_batch_size_is_refused(batch_size: Any) -> None:
    with pytest.raises(ConfigError, match="batch size"):
        analyse(GOOD, None, batch_size)


def test_the_catalogue_is_complete_and_serialisable() -> None:
    rows = describe_layer_types()
    assert json.loads(json.dumps(rows, allow_nan=False)) == rows
    assert [item["name"] for item in rows] == [kind.name for kind in LAYERS]
    for item, kind in zip(rows, LAYERS, strict=True):
        assert (item["title"], item["group"], item["summary"], item["module"], tuple(item["ranks"])) == (
            kind.title, kind.group, kind.summary, kind.target, kind.ranks,
        )  # fmt: skip
        assert item["params"] == [{**vars(param), "choices": list(param.choices)} for param in kind.params]
