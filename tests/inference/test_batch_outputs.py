"""One batch through an untrained network: what is told of each layer, against plain values."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d

from playground.errors import ConfigError, DataError, PlaygroundError, ShapeError, UnknownName
from playground.inference.batch_outputs import BATCH, BINS, CELLS, MAPS, SIDE, feature_maps, layer_statistics, run_batch
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


def test_each_layers_numbers_are_those_of_numpy() -> None:
    network, inputs = small(), samples(6, 2, 8, 8)
    told = layer_statistics(network, inputs)
    assert [(layer["index"], layer["type"]) for layer in told] == [(0, "Conv2d"), (1, "ReLU"), (2, "MaxPool2d"), (3, "Flatten"), (4, "Linear")]
    for layer, output in zip(told, by_hand(network, inputs), strict=True):
        values = output.double().numpy().ravel()
        assert layer["mean"] == pytest.approx(values.mean(), abs=1e-12) and layer["std"] == pytest.approx(values.std())
        assert layer["zeros"] == (values == 0).mean()
        assert (layer["low"], layer["high"]) == (values.min(), values.max())
        assert len(layer["counts"]) == BINS and sum(layer["counts"]) == values.size
        expected = np.histogram(values, BINS, (values.min(), values.max()))[0]
        assert np.abs(np.array(layer["counts"]) - expected).sum() <= 4  # a value on an edge may fall to either side
        assert layer["maps"]["shape"] == list(output.shape[1:])
    assert 0.2 < told[1]["zeros"] < 0.8  # there were zeros to be counted


def test_a_value_of_each_bin_is_counted_once() -> None:
    told = layer_statistics(nn.Sequential(nn.Flatten()), torch.arange(float(BINS)).view(1, -1))
    assert told[0]["counts"] == [1] * BINS


def test_what_is_told_is_the_order_of_the_stack_and_training_mode() -> None:
    network = small(LayerSpec("Conv2d"), LayerSpec("ReLU"), LayerSpec("MaxPool2d"), LayerSpec("BatchNorm2d"), LayerSpec("Dropout", {"p": 0.75}))
    told = layer_statistics(network, 5 + 3 * samples(32, 2, 8, 8))
    assert [layer["maps"]["shape"] for layer in told] == [[16, 6, 6], [16, 6, 6], [16, 3, 3], [16, 3, 3], [16, 3, 3]]
    assert told[3]["mean"] == pytest.approx(0, abs=1e-6)  # by the batch's own mean
    assert told[4]["zeros"] == pytest.approx(0.75, abs=0.05)


def test_no_hook_and_no_gradient_is_left_behind() -> None:
    network = small()
    layer_statistics(network, samples(2, 2, 8, 8))
    with pytest.raises(RuntimeError):
        layer_statistics(network, samples(2, 3, 8, 8))
    assert [len(layer._forward_hooks) for layer in network] == [0] * len(network)
    assert all(parameter.grad is None for parameter in network.parameters()) and network.training


def test_equal_values_have_a_histogram_too() -> None:
    (told,) = layer_statistics(nn.Sequential(nn.Flatten()), torch.full((3, 4), 7.0))
    assert (told["mean"], told["std"], told["zeros"], told["low"], told["high"]) == (7, 0, 0, 6.5, 7.5)
    assert told["counts"] == [0] * (BINS // 2) + [12] + [0] * (BINS // 2)


@pytest.mark.parametrize("bad", ["nan", "inf", "-inf"])
def test_numbers_that_are_none_are_left_out(bad: str) -> None:
    (told,) = layer_statistics(nn.Sequential(nn.Flatten()), torch.tensor([[1.0, float(bad), 3.0, 5.0]]))
    assert (told["mean"], told["low"], told["high"], sum(told["counts"])) == (3, 1, 5, 3)
    json.dumps(told, allow_nan=False)


def test_where_no_finite_number_is_left_it_is_said() -> None:
    (told,) = layer_statistics(nn.Sequential(nn.Flatten()), torch.full((2, 3), float("nan")))
    assert told["mean"] is None and told["std"] is None and sum(told["counts"]) == 0
    assert told["maps"]["planes"][0]["values"] == [0, 0, 0]
    json.dumps(told, allow_nan=False)


def test_maps_go_from_black_to_white_over_all_of_them() -> None:
    image = torch.tensor([[[-1.0, 0.0], [1.0, 0.0]], [[3.0, -1.0], [0.0, 0.0]]])
    told = feature_maps(image)
    assert (told["shape"], told["low"], told["high"]) == ([2, 2, 2], -1, 3)
    assert told["planes"] == [
        {"width": 2, "height": 2, "values": [0, 64, 128, 64]},
        {"width": 2, "height": 2, "values": [255, 0, 64, 64]},
    ]


def test_of_many_maps_the_first_are_told_and_large_ones_are_averaged() -> None:
    image = samples(MAPS + 3, 64, 20)
    told = feature_maps(image)
    assert told["shape"] == [MAPS + 3, 64, 20] and len(told["planes"]) == MAPS
    smaller = adaptive_avg_pool2d(image[:MAPS], (SIDE, 20))
    expected = ((smaller - smaller.min()) / (smaller.max() - smaller.min()) * 255).round()
    for plane, wanted in zip(told["planes"], expected, strict=True):
        assert (plane["width"], plane["height"]) == (20, SIDE)
        assert np.abs(np.array(plane["values"]) - wanted.flatten().numpy()).max() <= 1
    values = [value for plane in told["planes"] for value in plane["values"]]
    assert min(values) == 0 and max(values) == 255


@pytest.mark.parametrize(
    ("shape", "height", "width"),
    [((10,), 1, 10), ((CELLS + 40,), 1, CELLS), ((17, 64), 17, 64), ((SIDE + 9, CELLS + 9), SIDE, CELLS), ((1, SIDE, SIDE), SIDE, SIDE)],
)
def test_vectors_are_a_row_and_tokens_a_plane(shape: tuple[int, ...], height: int, width: int) -> None:
    values = samples(*shape)
    told = feature_maps(values)
    (plane,) = told["planes"]
    assert told["shape"] == list(shape) and (plane["height"], plane["width"], len(plane["values"])) == (height, width, height * width)
    kept = values.reshape(-1, shape[-1])[:height, :width]
    assert (kept.argmin(), kept.argmax()) == (np.argmin(plane["values"]), np.argmax(plane["values"]))


def test_infinities_are_black_and_white_and_what_is_no_number_black() -> None:
    (plane,) = feature_maps(torch.tensor([float("inf"), float("-inf"), float("nan"), 0.0, 1.0, 2.0]))["planes"]
    assert plane["values"] == [255, 0, 0, 0, 128, 255]


def asked(name: str = "tutorial-cnn", **more: Any) -> dict[str, Any]:
    return {"network": PRESETS[name].to_dict(), **more}


@each_preset
def test_every_preset_can_be_looked_into(name: str) -> None:
    spec = PRESETS[name]
    found = run_batch(asked(name, device="cpu"))
    steps = trace(spec)
    assert [layer["type"] for layer in found["layers"]] == [layer.type for layer in spec.layers]
    assert [layer["maps"]["shape"] for layer in found["layers"]] == [list(step.out_shape or ()) for step in steps]
    assert [sum(layer["counts"]) for layer in found["layers"]] == [BATCH * int(np.prod(step.out_shape or ())) for step in steps]
    assert found["image"]["shape"] == list(spec.input_shape)
    assert f"{BATCH} training images" in found["data"] or "random" in found["data"]
    json.dumps(found, allow_nan=False)


@pytest.mark.parametrize("name", ["tutorial-cnn", "mnist-mlp", "cifar-resnet"])
def test_of_zero_weights_nothing_but_zeros_comes(name: str) -> None:
    found = run_batch(asked(name, initialisation="zeros"))["layers"]
    first = next(place for place, layer in enumerate(found) if layer["type"] in ("Conv2d", "Linear"))
    assert all(layer["zeros"] == 1 and layer["mean"] == layer["std"] == 0 for layer in found[first:])
    assert all(not any(plane["values"]) for layer in found[first:] for plane in layer["maps"]["planes"])
    assert run_batch(asked(name))["layers"][first]["zeros"] < 1


def test_an_initialisation_is_what_it_says() -> None:
    spread = {start: run_batch(asked("mnist-mlp", initialisation=start))["layers"][-1]["std"] for start in ("small", "default", "large")}
    assert spread["small"] < spread["default"] < spread["large"]


def test_a_seed_is_an_answer_and_leaves_torchs_numbers_alone() -> None:
    torch.manual_seed(3)
    before = torch.get_rng_state()
    first, again, other = run_batch(asked(seed=1)), run_batch(asked(seed=1)), run_batch(asked(seed=2))
    assert torch.equal(torch.get_rng_state(), before)
    assert first == again
    assert first["image"] != other["image"] and first["layers"][0]["mean"] != other["layers"][0]["mean"]


def test_a_network_for_vectors_gets_random_numbers() -> None:
    network = NetworkSpec("vectors", (20,), (LayerSpec("Linear", {"out_features": 3}), LayerSpec("Tanh"))).to_dict()
    found = run_batch({"network": network})
    assert "(20,)" in found["data"] and len(found["image"]["planes"][0]["values"]) == 20


@pytest.mark.parametrize(
    ("more", "refused", "said"),
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
def test_a_bad_request_is_refused_with_its_reason(more: dict[str, Any], refused: type[PlaygroundError], said: str) -> None:
    with pytest.raises(refused, match=said):
        run_batch({**asked(), **more})
