"""Layer outputs of one batch of an untrained network."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from playground.errors import ConfigError, DataError, PlaygroundError, ShapeError, UnknownName
from playground.inference.batch_outputs import BATCH, BINS, layer_statistics, run_batch, write_value
from playground.network.build import build
from playground.network.presets import load_presets
from playground.network.spec import LayerSpec, NetworkSpec
from playground.network.trace import trace

PRESETS = load_presets().networks
SMALL = (LayerSpec("Conv2d", {"out_channels": 4}), LayerSpec("ReLU"), LayerSpec("MaxPool2d"), LayerSpec("Flatten"), LayerSpec("Linear", {"out_features": 5}))
each_preset = pytest.mark.parametrize("name", sorted(PRESETS))


def small(*layers: LayerSpec, shape: tuple[int, ...] = (2, 8, 8)) -> nn.Sequential:
    return build(NetworkSpec("small", shape, layers or SMALL), seed=0)


def by_hand(network: nn.Sequential, inputs: Tensor) -> list[Tensor]:
    """What leaves each layer, in the order of the stack."""
    outputs = []
    with torch.no_grad():
        for layer in network:
            inputs = layer(inputs)
            outputs.append(inputs)
    return outputs


def samples(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


def test_layer_statistics_are_those_of_numpy() -> None:
    network, inputs = small(), samples(6, 2, 8, 8)
    statistics = layer_statistics(network, inputs)
    assert [(layer["index"], layer["type"]) for layer in statistics] == [(0, "Conv2d"), (1, "ReLU"), (2, "MaxPool2d"), (3, "Flatten"), (4, "Linear")]
    for layer, output in zip(statistics, by_hand(network, inputs), strict=True):
        values = output.double().numpy().ravel()
        assert layer["mean"] == pytest.approx(values.mean(), abs=1e-12) and layer["std"] == pytest.approx(values.std())
        assert layer["zeros"] == (values == 0).mean()
        assert (layer["low"], layer["high"]) == (values.min(), values.max())
        assert len(layer["counts"]) == BINS and sum(layer["counts"]) == values.size
        expected = np.histogram(values, BINS, (values.min(), values.max()))[0]
        assert np.abs(np.array(layer["counts"]) - expected).sum() <= 4  # a value on an edge may fall to either side
    assert 0.2 < statistics[1]["zeros"] < 0.8  # there were zeros to be counted


def test_a_value_in_each_bin_is_counted_once() -> None:
    statistics = layer_statistics(nn.Sequential(nn.Flatten()), torch.arange(float(BINS)).view(1, -1))
    assert statistics[0]["counts"] == [1] * BINS


def test_layers_are_in_order_and_run_in_training_mode() -> None:
    network = small(LayerSpec("Conv2d"), LayerSpec("ReLU"), LayerSpec("MaxPool2d"), LayerSpec("BatchNorm2d"), LayerSpec("Dropout", {"p": 0.75}))
    statistics = layer_statistics(network, 5 + 3 * samples(32, 2, 8, 8))
    assert [sum(layer["counts"]) for layer in statistics] == [32 * 16 * 36, 32 * 16 * 36, *3 * [32 * 16 * 9]]
    assert statistics[3]["mean"] == pytest.approx(0, abs=1e-6)  # by the batch's own mean
    assert statistics[4]["zeros"] == pytest.approx(0.75, abs=0.05)


def test_no_hooks_or_gradients_remain() -> None:
    network = small()
    layer_statistics(network, samples(2, 2, 8, 8))
    with pytest.raises(RuntimeError):
        layer_statistics(network, samples(2, 3, 8, 8))
    assert [len(layer._forward_hooks) for layer in network] == [0] * len(network)
    assert all(parameter.grad is None for parameter in network.parameters()) and network.training


def test_equal_values_have_a_histogram() -> None:
    (statistics,) = layer_statistics(nn.Sequential(nn.Flatten()), torch.full((3, 4), 7.0))
    assert (statistics["mean"], statistics["std"], statistics["zeros"], statistics["low"], statistics["high"]) == (7, 0, 0, 6.5, 7.5)
    assert statistics["counts"] == [0] * (BINS // 2) + [12] + [0] * (BINS // 2)


@pytest.mark.parametrize("bad", ["nan", "inf", "-inf"])
def test_non_finite_values_are_left_out(bad: str) -> None:
    (statistics,) = layer_statistics(nn.Sequential(nn.Flatten()), torch.tensor([[1.0, float(bad), 3.0, 5.0]]))
    assert (statistics["mean"], statistics["low"], statistics["high"], sum(statistics["counts"])) == (3, 1, 5, 3)
    json.dumps(statistics, allow_nan=False)


def test_without_finite_values_mean_and_deviation_are_none() -> None:
    (statistics,) = layer_statistics(nn.Sequential(nn.Flatten()), torch.full((2, 3), float("nan")))
    assert statistics["mean"] is None and statistics["std"] is None and sum(statistics["counts"]) == 0
    json.dumps(statistics, allow_nan=False)


def request(name: str = "tutorial-cnn", **more: Any) -> dict[str, Any]:
    return {"network": PRESETS[name].to_dict(), **more}


@each_preset
def test_every_preset_has_outputs_of_a_batch(name: str) -> None:
    spec = PRESETS[name]
    document = run_batch(request(name, device="cpu"))
    steps = trace(spec)
    assert [layer["type"] for layer in document["layers"]] == [layer.type for layer in spec.layers]
    assert [sum(layer["counts"]) for layer in document["layers"]] == [BATCH * int(np.prod(step.out_shape or ())) for step in steps]
    columns = document["picture"]["columns"]
    assert columns[0]["shape"] == list(spec.input_shape) and columns[-1]["layers"][1] >= len(spec.layers)
    assert sum(document["picture"]["probabilities"]) == pytest.approx(1, abs=1e-5)
    assert f"{BATCH} training images" in document["data"] or "random" in document["data"]
    json.dumps(document, allow_nan=False)


@pytest.mark.parametrize("name", ["tutorial-cnn", "mnist-mlp", "cifar-resnet"])
def test_zero_weights_give_zero_outputs(name: str) -> None:
    document = run_batch(request(name, initialisation="zeros"))["layers"]
    first = next(place for place, layer in enumerate(document) if layer["type"] in ("Conv2d", "Linear"))
    assert all(layer["zeros"] == 1 and layer["mean"] == layer["std"] == 0 for layer in document[first:])
    assert run_batch(request(name))["layers"][first]["zeros"] < 1


def test_a_larger_initialisation_spreads_the_outputs() -> None:
    spread = {start: run_batch(request("mnist-mlp", initialisation=start))["layers"][-1]["std"] for start in ("small", "default", "large")}
    assert spread["small"] < spread["default"] < spread["large"]


def test_a_seed_determines_the_outputs_and_does_not_change_torchs_generator() -> None:
    torch.manual_seed(3)
    before = torch.get_rng_state()
    first, again, other = run_batch(request(seed=1)), run_batch(request(seed=1)), run_batch(request(seed=2))
    assert torch.equal(torch.get_rng_state(), before)
    assert first == again
    assert first["picture"] != other["picture"] and first["layers"][0]["mean"] != other["layers"][0]["mean"]


def test_a_network_for_vectors_gets_random_inputs() -> None:
    network = NetworkSpec("vectors", (20,), (LayerSpec("Linear", {"out_features": 3}), LayerSpec("Tanh"))).to_dict()
    document = run_batch({"network": network})
    assert "(20,)" in document["data"] and document["picture"]["columns"][0]["shape"] == [20] and document["classes"] == []


def test_a_network_that_ends_in_feature_maps_is_drawn_with_each_value_as_a_class() -> None:
    network = NetworkSpec("maps", (1, 28, 28), (LayerSpec("Conv2d", {"out_channels": 2}), LayerSpec("MaxPool2d", {"kernel_size": 8}))).to_dict()
    document = run_batch({"network": network, "dataset": "mnist-5k"})
    assert len(document["picture"]["probabilities"]) == 2 * 10 * 10 and document["classes"] == list("0123456789")


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"network": None}, ConfigError, "JSON object"),
        ({"network": {"name": "x", "input_shape": [4], "layers": []}}, ConfigError, "layers"),
        ({"network": {"name": "x", "input_shape": [4], "layers": [{"type": "Conv2d"}]}}, ShapeError, "image"),
        ({"network": {"name": "x", "input_shape": [4], "layers": [{"type": "Nothing"}]}}, ConfigError, "Nothing"),
        ({"seed": -1}, ConfigError, "seed"),
        ({"seed": 2**31}, ConfigError, "seed"),
        ({"seed": 1.0}, ConfigError, "seed"),
        ({"seed": True}, ConfigError, "seed"),
        ({"initialisation": "hope"}, UnknownName, "hope"),
        ({"initialisation": ["zeros"]}, UnknownName, "initialisation"),
        ({"device": "abacus"}, UnknownName, "abacus"),
        ({"device": None}, UnknownName, "device"),
        ({"dataset": "nowhere"}, UnknownName, "nowhere"),
        ({"dataset": "kmnist"}, DataError, "downloaded"),
    ],
)
def test_an_invalid_request_is_refused_with_a_reason(changes: dict[str, Any], error: type[PlaygroundError], message: str) -> None:
    with pytest.raises(error, match=message):
        run_batch({**request(), **changes})


def test_a_written_value_is_the_strongest_of_its_feature_map() -> None:
    document = write_value(request(layer=3, place=[5], seed=4))
    (_, row, column), calculation = document["place"], document["calculation"]
    assert document["map"] is not None
    assert abs(document["map"][row][column]) == np.abs(document["map"]).max() == pytest.approx(abs(calculation["result"] or 0), rel=5e-3)
    products = sum(term["product"] or 0 for term in calculation["terms"])
    assert products + (calculation["bias"] or 0) == pytest.approx(calculation["result"], abs=1e-5)
    assert len(calculation["terms"]) == 16 * 3 * 3


def test_a_value_of_a_vector_has_no_map() -> None:
    document = write_value(request(layer=9, place=[2]))
    assert document["place"] == [2] and document["map"] is None
    assert len(document["calculation"]["terms"]) == 128


@pytest.mark.parametrize(
    ("layer", "place"), [(10, [0]), (-1, [0]), (None, [0]), (True, [0]), (0, []), (0, None), (0, [16]), (0, [0, 0, 0, 0]), (0, [0.0]), (0, [-1])]
)
def test_a_place_that_does_not_exist_is_refused(layer: Any, place: Any) -> None:
    with pytest.raises(ShapeError, match=r"no (layer|place)"):
        write_value(request(layer=layer, place=place))


@each_preset
def test_a_value_of_every_layer_of_every_preset_can_be_written_out(name: str) -> None:
    layers = PRESETS[name].layers
    for index in {0, len(layers) // 2, len(layers) - 1}:
        json.dumps(write_value(request(name, layer=index, place=[0])), allow_nan=False)
