"""Totals: built networks, their outputs and their `state_dict` are the oracles."""

from __future__ import annotations

import pytest
import torch

from playground.network.build import build
from playground.network.presets import load_presets, preset
from playground.network.totals import activation_bytes, compute_totals
from playground.network.trace import trace

from .stacks import Layer, network


@pytest.mark.parametrize("name", sorted(load_presets().networks))
def test_totals_agree_with_the_built_network(name: str) -> None:
    spec = preset(name)
    network = build(spec).eval()
    total = compute_totals(trace(spec))
    sizes: list[int] = []
    values = torch.zeros(1, *spec.input_shape)
    for layer in network:
        values = layer(values)
        sizes.append(values.nbytes)
    assert total.parameters == sum(parameter.numel() for parameter in network.parameters())
    assert total.disk_bytes == sum(value.nbytes for value in network.state_dict().values())
    assert [activation_bytes(step) for step in trace(spec)] == sizes
    assert total.activation_bytes == sum(sizes)
    assert total.multiply_adds == sum(step.multiply_adds for step in trace(spec)) > 0
    assert total.layers == len(network)


def test_layers_without_a_shape_add_nothing_to_the_totals() -> None:
    total = compute_totals(trace(network((1, 4, 4), Layer("Conv2d"), Layer("Linear"), Layer("ReLU"))))
    assert (total.parameters, total.activation_bytes, total.layers) == (160, 16 * 2 * 2 * 4, 3)
