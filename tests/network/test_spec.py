"""Networks as JSON: the round trip, and the refusal of invalid documents."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.errors import ConfigError
from playground.network.catalogue import LAYERS
from playground.network.presets import load_presets
from playground.network.spec import MAX_LAYERS, LayerSpec, NetworkSpec, from_dict, from_json, load
from playground.network.types import Param

from ..support.tiers import repetitions
from .malformed import json_values, malformed_networks

GOOD = {"name": "net", "input_shape": [4], "layers": [{"type": "ReLU"}]}


def allowed(param: Param) -> st.SearchStrategy[Any]:
    if param.kind == "int":
        return st.integers(int(param.low), int(param.high))
    if param.kind == "float":
        return st.floats(param.low, param.high)
    return st.booleans() if param.kind == "bool" else st.sampled_from(param.choices)


layer_specs = st.one_of(
    [
        st.fixed_dictionaries({}, optional={param.name: allowed(param) for param in kind.params}).map(lambda params, kind=kind: LayerSpec(kind.name, params))
        for kind in LAYERS
    ]
)
sizes = st.integers(1, 4096)
specs = st.builds(
    NetworkSpec,
    name=st.text(min_size=1),
    input_shape=st.one_of(st.tuples(sizes), st.tuples(sizes, sizes, sizes)),
    layers=st.lists(layer_specs, min_size=1, max_size=8).map(tuple),
    title=st.text(),
    summary=st.text(),
    source=st.text(),
)


@settings(max_examples=repetitions(60))
@given(specs)
def test_networks_survive_a_round_trip_through_json(spec: NetworkSpec) -> None:
    assert from_json(spec.to_json()) == spec
    assert from_dict(json.loads(json.dumps(spec.to_dict()))) == spec


@pytest.mark.parametrize("name", sorted(load_presets().networks))
def test_presets_survive_a_round_trip_through_json(name: str) -> None:
    spec = load_presets().networks[name]
    assert from_json(spec.to_json()) == spec


def test_json_has_one_line_for_each_layer() -> None:
    spec = NetworkSpec("net", (4,), (LayerSpec("Linear", {"out_features": 2}), LayerSpec("ReLU")))
    assert '    {"type": "Linear", "out_features": 2},\n    {"type": "ReLU"}\n' in spec.to_json()


@settings(max_examples=repetitions(150))
@given(st.one_of(json_values, malformed_networks))
def test_any_json_gives_a_network_or_a_config_error(document: Any) -> None:
    problems: tuple[str, ...] = ("none, for it was read",)
    try:
        from_json(json.dumps(document))
    except ConfigError as error:
        problems = error.problems
    assert problems and all(problems)


@settings(max_examples=repetitions(60))
@given(st.text())
def test_any_text_gives_a_network_or_a_config_error(text: str) -> None:
    with pytest.raises(ConfigError):
        from_json(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[" * 100_000,
        '{"a":' * 100_000,
        "1" * 5_000,
        json.dumps(GOOD).replace("4", "9" * 4_000),
        json.dumps(GOOD).replace("4", "NaN"),
        json.dumps(GOOD).replace("4", "1e999"),
        json.dumps(GOOD).replace("4", "true"),
        json.dumps(GOOD).replace("[4]", "[]"),
        json.dumps(GOOD).replace("[4]", "[0]"),
        json.dumps(GOOD).replace("[4]", "[3, 32]"),
        json.dumps(GOOD).replace("[4]", "[1, 28, -28]"),
        json.dumps(GOOD).replace("[4]", "[4097]"),
        json.dumps(GOOD).replace("[4]", str([1] * 10_000)),
        json.dumps(GOOD).replace("ReLU", "__import__('os')"),
        json.dumps(GOOD).replace('"ReLU"', '"Dropout", "p": NaN'),
        json.dumps(GOOD).replace('"ReLU"', '"Dropout", "p": 1e999'),
        json.dumps(GOOD).replace('"ReLU"', '"ReLU", "inplace": true'),
        json.dumps({**GOOD, "layers": [{"type": "ReLU"}] * (MAX_LAYERS + 1)}),
        json.dumps({**GOOD, "layers": []}),
        json.dumps({**GOOD, "name": ""}),
    ],
    ids=[
        "empty", "torn", "deep-list", "deep-object", "long-number", "huge-size", "nan-size", "infinite-size", "true-size", "no-size", "size-zero",
        "two-sizes", "negative-size", "size-too-large",
        "many-sizes", "code-as-type", "nan", "infinity", "fixed-argument", "many-layers", "no-layers", "no-name",
    ],
)  # fmt: skip
def test_hostile_json_is_a_config_error(text: str) -> None:
    with pytest.raises(ConfigError):
        from_json(text)


def test_all_problems_are_reported_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        from_dict({"name": "net", "input_shape": [0, 3], "layers": [{"type": "Linear", "out_features": 0, "colour": 1}, {"type": "Nope"}]})
    problems = caught.value.problems
    assert len(problems) == 4
    assert all(
        any(part in problem for problem in problems)
        for part in ("(0, 3)", "Layer 0: Linear: out_features", "colour", "Layer 1: There is no layer called “Nope”")
    )


def test_all_missing_fields_are_reported_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        from_dict({})
    assert len(caught.value.problems) == 3


@pytest.mark.parametrize("write", [None, b"\xff\xfe\xff", b"{"], ids=["missing", "not-utf-8", "torn"])
def test_a_file_that_cannot_be_read_is_a_config_error(tmp_path: Path, write: bytes | None) -> None:
    path = tmp_path / "net.json"
    if write is not None:
        path.write_bytes(write)
    with pytest.raises(ConfigError):
        load(path)


def test_replacing_all_layers_by_none_is_refused() -> None:
    spec = from_dict(GOOD)
    with pytest.raises(ConfigError):
        spec.with_layers(())


@pytest.mark.parametrize("version", [2, "2", None, [1], "x" * 10_000])
def test_a_later_version_of_the_format_is_refused(version: object) -> None:
    saved = load_presets().networks["two-layers"]
    with pytest.raises(ConfigError, match="this playground reads version 1"):
        from_dict({**saved.to_dict(), "version": version})
    assert from_dict({**saved.to_dict(), "version": 1}) == saved
