"""Shape traces, compared with PyTorch running the layers."""

from __future__ import annotations

from math import prod
from typing import Any

import pytest
import torch
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from playground.errors import ShapeError
from playground.network import trace as tracing
from playground.network.presets import preset
from playground.network.spec import NetworkSpec
from playground.network.trace import check, construct, trace

from ..support.tiers import repetitions
from .stacks import BATCH, Layer, images, network, stacks, without_misfits


@settings(max_examples=repetitions(1000))
@given(stacks)
def test_shapes_and_parameters_are_those_of_the_running_network(stack: NetworkSpec) -> None:
    spec = without_misfits(stack)
    assume(spec)
    values = torch.randn(BATCH, *spec.input_shape)
    for step in trace(spec):
        event(step.layer.type)
        module = construct(step.layer, tuple(values.shape[1:]))
        assert step.in_shape == tuple(values.shape[1:])
        values = module(values)
        assert step.out_shape == tuple(values.shape[1:])
        assert step.parameters == sum(parameter.numel() for parameter in module.parameters())
        assert step.state_bytes == sum(value.nbytes for value in module.state_dict().values())


@settings(max_examples=repetitions(60))
@given(stacks)
def test_the_first_layer_that_does_not_fit_has_an_error_and_later_layers_have_no_shapes(spec: NetworkSpec) -> None:
    steps = trace(spec)
    assert [step.index for step in steps] == list(range(len(spec.layers)))
    broken = [step.index for step in steps if step.error]
    assert len(broken) <= 1
    fitting = broken[0] if broken else len(steps)
    assert all(step.in_shape and step.out_shape for step in steps[:fitting])
    assert all(step.out_shape is None and step.parameters == 0 for step in steps[fitting:])
    assert all(step.in_shape is None and step.fixes == () for step in steps[fitting + 1 :])


@st.composite
def windows(draw: st.DrawFn) -> NetworkSpec:
    kind = draw(st.sampled_from(["Conv2d", "MaxPool2d", "AvgPool2d"]))
    params = {"kernel_size": draw(st.integers(1, 7)), "stride": draw(st.integers(1, 4)), "padding": draw(st.integers(0, 5))}
    if kind == "Conv2d":
        params |= {"dilation": draw(st.integers(1, 3)), "padding_mode": draw(st.sampled_from(["zeros", "reflect", "replicate"]))}
    return network(draw(images), Layer(kind, params))


@settings(max_examples=repetitions(150))
@given(windows())
def test_a_window_is_refused_if_and_only_if_torch_refuses_it(spec: NetworkSpec) -> None:
    try:
        construct(spec.layers[0], spec.input_shape)(torch.zeros(BATCH, *spec.input_shape))
        refused = False
    except RuntimeError:
        refused = True
    assert bool(trace(spec)[0].error) == refused


def test_circular_padding_can_be_as_large_as_the_image() -> None:
    spec = network((1, 3, 3), Layer("Conv2d", {"padding": 3, "padding_mode": "circular"}))
    torch_makes = torch.nn.Conv2d(1, 16, 3, padding=3, padding_mode="circular")(torch.zeros(BATCH, 1, 3, 3)).shape[1:]
    assert trace(spec)[0].out_shape == torch_makes


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The kinds of the layers that were built, from an empty memory on."""
    kinds: list[str] = []

    def build(layer: Layer, in_shape: tuple[int, ...]) -> torch.nn.Module:
        kinds.append(layer.type)
        return construct(layer, in_shape)

    tracing._trace.cache_clear()
    tracing._run_layer.cache_clear()
    monkeypatch.setattr(tracing, "construct", build)
    return kinds


def test_an_edit_traces_only_the_layers_whose_settings_or_input_it_changes(built: list[str]) -> None:
    layers = [Layer("Conv2d", {"out_channels": 3}), Layer("ReLU"), Layer("Conv2d", {"out_channels": 5}), Layer("MaxPool2d"), Layer("Flatten"), Layer("Linear")]
    trace(network((1, 12, 12), *layers))
    assert built == [layer.type for layer in layers]
    built.clear()
    trace(network((1, 12, 12), Layer("Conv2d", {"out_channels": 4}), *layers[1:]))
    assert built == ["Conv2d", "ReLU", "Conv2d"]
    built.clear()
    trace(network((1, 12, 12), *layers[:-1], Layer("Linear", {"out_features": 7})))
    assert built == ["Linear"]


def test_equal_layers_are_traced_once(built: list[str]) -> None:
    trace(network((8,), *[Layer("Linear", {"out_features": 8}), Layer("Tanh")] * 10))
    assert built == ["Linear", "Tanh"]


@pytest.mark.parametrize("bias", [True, False], ids=["bias", "no-bias"])
@pytest.mark.parametrize(
    ("input_shape", "before", "multiply_adds"),
    [((784,), Layer("ReLU"), 784 * 5), ((1, 12, 12), Layer("PatchEmbedding", {"embed_dim": 64}), 9 * 64 * 5)],
    ids=["vector", "tokens"],
)
def test_multiply_adds_of_linear(input_shape: tuple[int, ...], before: Layer, multiply_adds: int, bias: bool) -> None:
    spec = network(input_shape, before, Layer("Linear", {"out_features": 5, "bias": bias}))
    assert trace(spec)[-1].multiply_adds == multiply_adds


@pytest.mark.parametrize(
    "params",
    [{}, {"bias": False}, {"kernel_size": 5, "stride": 2}, {"padding": 2, "padding_mode": "circular"}, {"dilation": 3}],
    ids=["default", "no-bias", "stride", "padding", "dilation"],
)
def test_multiply_adds_of_convolution(params: dict[str, Any]) -> None:
    step = trace(network((3, 20, 17), Layer("Conv2d", {"out_channels": 7, **params})))[0]
    assert step.multiply_adds == prod(step.out_shape) * 3 * params.get("kernel_size", 3) ** 2


@pytest.mark.parametrize("name", ["ReLU", "MaxPool2d", "Flatten", "Dropout"])
def test_layers_that_only_move_or_compare_values_have_no_multiply_adds(name: str) -> None:
    assert trace(network((3, 8, 8), Layer(name)))[0].multiply_adds == 0


@pytest.mark.parametrize(
    ("name", "shapes", "parameters"),
    [
        ("two-layers", [(20,), (20,), (2,)], [220, 0, 42]),
        ("mnist-mlp", [(784,), (128,), (128,), (10,)], [0, 100_480, 0, 1_290]),
        (
            "tutorial-cnn",
            [(16, 26, 26), (16, 26, 26), (16, 13, 13), (32, 11, 11), (32, 11, 11), (32, 5, 5), (800,), (128,), (128,), (10,)],
            [160, 0, 0, 4_640, 0, 0, 0, 102_528, 0, 1_290],
        ),
        (
            "cifar-cnn",
            [(6, 28, 28), (6, 28, 28), (6, 14, 14), (16, 10, 10), (16, 10, 10), (16, 5, 5), (400,), (120,), (120,), (84,), (84,), (10,)],
            [456, 0, 0, 2_416, 0, 0, 0, 48_120, 0, 10_164, 0, 850],
        ),
    ],
    ids=["N1", "N2", "N3", "N4"],
)
def test_shapes_and_counts_of_the_tutorial_networks(name: str, shapes: list[tuple[int, ...]], parameters: list[int]) -> None:
    steps = trace(preset(name))
    assert [step.out_shape for step in steps] == shapes
    assert [step.parameters for step in steps] == parameters
    assert sum(parameters) == {"two-layers": 262, "mnist-mlp": 101_770, "tutorial-cnn": 108_618, "cifar-cnn": 62_006}[name]


@pytest.mark.parametrize(
    ("spec", "shape", "parameters"),
    [
        (network((6, 28, 28), Layer("AvgPool2d")), (6, 14, 14), 0),
        (network((6, 28, 28), Layer("AvgPool2d", {"kernel_size": 3, "stride": 1, "padding": 1})), (6, 28, 28), 0),
        (network((6, 28, 28), Layer("Sigmoid")), (6, 28, 28), 0),
        (network((1, 28, 28), Layer("PatchEmbedding", {"patch_size": 7}), Layer("TransformerEncoderLayer")), (16, 64), 33_472),
    ],
    ids=["average-pooling", "average-pooling-padded", "sigmoid", "transformer"],
)
def test_shapes_and_counts_of_the_remaining_layers_of_n5(spec: NetworkSpec, shape: tuple[int, ...], parameters: int) -> None:
    assert (trace(spec)[-1].out_shape, trace(spec)[-1].parameters) == (shape, parameters)


@pytest.mark.parametrize(
    ("params", "out_shape"),
    [
        ({"padding": 1}, (16, 28, 28)),
        ({"stride": 2}, (16, 13, 13)),
        ({"dilation": 2}, (16, 24, 24)),
        ({"padding": 1, "padding_mode": "reflect"}, (16, 28, 28)),
        ({"padding": 1, "stride": 2, "kernel_size": 4}, (16, 14, 14)),
    ],
    ids=["padding", "stride", "dilation", "padding-mode", "all"],
)
def test_options_of_a_convolution_change_shapes_and_counts(params: dict[str, Any], out_shape: tuple[int, ...]) -> None:
    assert trace(network((1, 28, 28), Layer("Conv2d", params)))[0].out_shape == out_shape


def test_tracing_draws_no_random_numbers() -> None:
    torch.manual_seed(1)
    before = torch.get_rng_state()
    trace(preset("cifar-resnet"))
    trace(preset("tiny-vit"))
    assert torch.equal(before, torch.get_rng_state())


def test_an_error_names_the_layer_the_shapes_and_the_best_fix() -> None:
    with pytest.raises(ShapeError, match=r"Layer 1 \(Conv2d\).*\(784,\).*Leave out layer 0 \(Flatten\)"):
        check(network((1, 28, 28), Layer("Flatten"), Layer("Conv2d")))


def test_a_network_for_other_data_is_refused() -> None:
    with pytest.raises(ShapeError, match=r"\(1, 28, 28\).*\(3, 32, 32\)"):
        check(preset("tutorial-cnn"), input_shape=(3, 32, 32))


def test_a_network_with_another_number_of_classes_is_refused() -> None:
    with pytest.raises(ShapeError, match=r"\(2,\).*10 classes.*out_features 10"):
        check(preset("two-layers"), classes=10)


def test_a_network_that_fits_its_data_is_accepted() -> None:
    assert check(preset("tutorial-cnn"), (1, 28, 28), 10)[-1].out_shape == (10,)
