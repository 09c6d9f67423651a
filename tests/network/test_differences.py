"""Differences between networks: their kinds, indices and sentences."""

from __future__ import annotations

from typing import Any

import pytest

from playground.network.differences import find_differences

from .stacks import Layer, network

BASE = network((8,), Layer("Linear", {"out_features": 4}), Layer("ReLU"), Layer("Linear", {"out_features": 2}))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"layers": BASE.layers[:2]}, [("removed", None, 2, 0), ("parameters", None, None, -10)]),
        ({"layers": (*BASE.layers[:2], Layer("Dropout"), BASE.layers[2])}, [("added", 2, None, 0)]),
        ({"layers": (Layer("Linear", {"out_features": 4, "bias": False}), *BASE.layers[1:])}, [("changed", 0, 0, 0), ("parameters", None, None, -4)]),
        ({"layers": (Layer("Linear", {"out_features": 4, "bias": True}), *BASE.layers[1:])}, []),
        ({"layers": (BASE.layers[0], Layer("Tanh"), BASE.layers[2])}, [("removed", None, 1, 0), ("added", 1, None, 0)]),
        ({"input_shape": (9,)}, [("input_shape", None, None, 0), ("parameters", None, None, 4)]),
    ],
    ids=["same", "removed", "added", "changed", "default-written-out", "replaced", "input"],
)
def test_compare_lists_added_removed_and_changed_layers(changes: dict[str, Any], expected: list[tuple[Any, ...]]) -> None:
    spec = network(changes.get("input_shape", (8,)), *changes.get("layers", BASE.layers))
    assert [(item.kind, item.index, item.reference_index, item.extra_parameters) for item in find_differences(spec, BASE)] == expected


def test_differences_are_described_in_sentences() -> None:
    spec = network((8,), Layer("Linear", {"out_features": 6}), Layer("Sigmoid"), Layer("ReLU"))
    assert [item.text for item in find_differences(spec, BASE)] == [
        "Layer 0 (Linear): out_features is 6, not 4.",
        "Layer 1 is new: Sigmoid.",
        "Layer 2 of “test” is missing: Linear.",
        "It has 8 parameters more than “test”.",
    ]
