"""Shape traces: PyTorch really running the layers is the oracle."""

from __future__ import annotations

from math import prod
from typing import Any

import pytest
import torch
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from playground.errors import ShapeError
from playground.network.catalogue import Param
from playground.network.layers import LAYERS, layer_type
from playground.network.presets import preset
from playground.network.spec import LayerSpec, NetworkSpec
from playground.network.trace import check, construct, trace

Layer = LayerSpec
BATCH = 2


def network(input_shape: tuple[int, ...], *layers: Layer) -> NetworkSpec:
    return NetworkSpec("test", input_shape, layers)


def value(param: Param) -> st.SearchStrategy[Any]:
    """Small ones, so that networks stay quick to run."""
    if param.kind == "int":
        return st.integers(int(param.low), min(int(param.high), int(param.low) + 6))
    if param.kind == "float":
        return st.floats(param.low, param.high)
    return st.booleans() if param.kind == "bool" else st.sampled_from(param.choices)


def layer_of(name: str) -> st.SearchStrategy[Layer]:
    params = {param.name: value(param) for param in layer_type(name).params}
    return st.fixed_dictionaries({}, optional=params).map(lambda given: Layer(name, given))


layers = st.sampled_from([kind.name for kind in LAYERS]).flatmap(layer_of)
vectors = st.tuples(st.integers(1, 12))
images = st.tuples(st.integers(1, 3), st.integers(1, 16), st.integers(1, 16))
square_images = st.tuples(st.integers(1, 3), st.integers(1, 16)).map(lambda size: (size[0], size[1], size[1]))
shapes = st.one_of(vectors, images, square_images)
stacks = st.builds(lambda shape, stack: network(shape, *stack), shapes, st.lists(layers, min_size=1, max_size=6))


def without_misfits(spec: NetworkSpec) -> NetworkSpec | None:
    """The stack with each layer left out that does not fit."""
    kept: tuple[Layer, ...] = ()
    for layer in spec.layers:
        if not trace(spec.with_layers((*kept, layer)))[-1].error:
            kept = (*kept, layer)
    return spec.with_layers(kept) if kept else None


@settings(max_examples=60, deadline=None)
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


@settings(max_examples=60, deadline=None)
@given(stacks)
def test_the_first_misfit_has_an_error_and_what_is_behind_it_no_shapes(spec: NetworkSpec) -> None:
    steps = trace(spec)
    assert [step.index for step in steps] == list(range(len(spec.layers)))
    broken = [step.index for step in steps if step.error]
    assert len(broken) <= 1
    fitting = broken[0] if broken else len(steps)
    assert all(step.in_shape and step.out_shape for step in steps[:fitting])
    assert all(step.out_shape is None and step.parameters == 0 for step in steps[fitting:])
    assert all(step.in_shape is None and step.mend is None for step in steps[fitting + 1 :])


@st.composite
def windows(draw: st.DrawFn) -> NetworkSpec:
    kind = draw(st.sampled_from(["Conv2d", "MaxPool2d", "AvgPool2d"]))
    params = {"kernel_size": draw(st.integers(1, 7)), "stride": draw(st.integers(1, 4)), "padding": draw(st.integers(0, 5))}
    if kind == "Conv2d":
        params |= {"dilation": draw(st.integers(1, 3)), "padding_mode": draw(st.sampled_from(["zeros", "reflect", "replicate"]))}
    return network(draw(images), Layer(kind, params))


@settings(max_examples=150, deadline=None)
@given(windows())
def test_a_window_is_refused_where_torch_refuses_it(spec: NetworkSpec) -> None:
    try:
        construct(spec.layers[0], spec.input_shape)(torch.zeros(BATCH, *spec.input_shape))
        refused = False
    except RuntimeError:
        refused = True
    assert bool(trace(spec)[0].error) == refused


def test_circular_padding_may_be_as_large_as_the_image() -> None:
    spec = network((1, 3, 3), Layer("Conv2d", {"padding": 3, "padding_mode": "circular"}))
    torch_makes = torch.nn.Conv2d(1, 16, 3, padding=3, padding_mode="circular")(torch.zeros(BATCH, 1, 3, 3)).shape[1:]
    assert trace(spec)[0].out_shape == torch_makes


def fault(spec: NetworkSpec) -> tuple[str, ...] | None:
    """The kind of the first fault: which layer complains, and of what."""
    return next(((step.layer.type, *step.error.split()[:2]) for step in trace(spec) if step.error), None)


def mended(spec: NetworkSpec) -> NetworkSpec:
    """The network after taking each mend that is offered."""
    for _ in range(10):
        mend = next((step.mend for step in trace(spec) if step.error), None)
        if mend is None:
            return spec
        spec = spec.with_layers(mend.layers)
    pytest.fail("taking the mends that are offered never ends")


@settings(max_examples=150, deadline=None)
@given(stacks)
def test_mends_take_the_fault_away(stack: NetworkSpec) -> None:
    broken = next((step for step in trace(stack) if step.error), None)
    assume(broken and broken.mend)
    spec = stack.with_layers(stack.layers[: broken.index + 1])
    assume(trace(spec)[-1].mend)  # a network's only layer is never left out
    event(f"{broken.layer.type}: {broken.mend.title.split(':')[0]}")
    assert fault(mended(spec)) != fault(spec)


@pytest.mark.parametrize(
    ("spec", "title"),
    [
        (network((1, 28, 28), Layer("Linear")), "Flatten"),
        (network((1, 28, 28), Layer("BatchNorm1d")), "BatchNorm2d"),
        (network((10,), Layer("BatchNorm2d")), "BatchNorm1d"),
        (network((1, 28, 28), Layer("TransformerEncoderLayer")), "PatchEmbedding"),
        (network((1, 28, 28), Layer("Flatten"), Layer("Conv2d")), "Leave out the Flatten"),
        (network((1, 28, 28), Layer("PatchEmbedding", {"patch_size": 5})), "patch_size to 4"),
        (network((1, 28, 28), Layer("PatchEmbedding", {"embed_dim": 9}), Layer("TransformerEncoderLayer")), "nhead to 3"),
        (network((1, 5, 8), Layer("Conv2d", {"kernel_size": 7})), "kernel_size to 5"),
        (network((1, 5, 8), Layer("Conv2d", {"dilation": 4})), "kernel_size to 2"),
        (network((1, 5, 8), Layer("Conv2d", {"padding": 9, "padding_mode": "reflect"})), "padding to 4"),
        (network((1, 8, 8), Layer("MaxPool2d", {"padding": 2})), "padding to 1"),
        (network((1, 1, 1), Layer("ReLU"), Layer("AvgPool2d")), "Leave this pooling layer out"),
    ],
    ids=lambda item: "-".join(layer.type for layer in item.layers) if isinstance(item, NetworkSpec) else item.replace(" ", "-"),
)
def test_a_mend_makes_it_fit(spec: NetworkSpec, title: str) -> None:
    mend = trace(spec)[-1].mend
    assert mend is not None and title in mend.title
    assert [step.error for step in trace(spec.with_layers(mend.layers))] == [""] * len(mend.layers)


@pytest.mark.parametrize(
    "spec",
    [
        network((10,), Layer("Flatten"), Layer("Conv2d")),
        network((1, 28, 28), Layer("PatchEmbedding"), Layer("Flatten"), Layer("Conv2d")),
    ],
    ids=["vector", "tokens"],
)
def test_leaving_out_a_flatten_is_not_offered_where_it_does_not_help(spec: NetworkSpec) -> None:
    assert trace(spec)[-1].mend is None


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
def test_what_only_moves_or_compares_has_no_multiply_adds(name: str) -> None:
    assert trace(network((3, 8, 8), Layer(name)))[0].multiply_adds == 0


@pytest.mark.parametrize(
    ("name", "parameters"), [("two-layers", 262), ("mnist-mlp", 101_770), ("tutorial-cnn", 108_618), ("cifar-cnn", 62_006)], ids=["N1", "N2", "N3", "N4"]
)
def test_parameters_of_the_tutorials_networks(name: str, parameters: int) -> None:
    assert sum(step.parameters for step in trace(preset(name))) == parameters


def test_800_features_reach_the_tutorials_first_linear_layer() -> None:
    first = next(step for step in trace(preset("tutorial-cnn")) if step.layer.type == "Linear")
    assert first.in_shape == (800,)


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
def test_options_of_a_convolution(params: dict[str, Any], out_shape: tuple[int, ...]) -> None:
    assert trace(network((1, 28, 28), Layer("Conv2d", params)))[0].out_shape == out_shape


def test_tracing_draws_no_random_numbers() -> None:
    torch.manual_seed(1)
    before = torch.get_rng_state()
    trace(preset("cifar-resnet"))
    trace(preset("tiny-vit"))
    assert torch.equal(before, torch.get_rng_state())


def test_an_error_names_the_layer_the_shapes_and_the_mend() -> None:
    with pytest.raises(ShapeError, match=r"Layer 1 \(Conv2d\).*\(784,\).*Leave out the Flatten"):
        check(network((1, 28, 28), Layer("Flatten"), Layer("Conv2d")))


def test_a_network_for_other_data_is_refused() -> None:
    with pytest.raises(ShapeError, match=r"\(1, 28, 28\).*\(3, 32, 32\)"):
        check(preset("tutorial-cnn"), input_shape=(3, 32, 32))


def test_a_network_with_another_number_of_classes_is_refused() -> None:
    with pytest.raises(ShapeError, match=r"\(2,\).*10 classes.*out_features 10"):
        check(preset("two-layers"), classes=10)


def test_a_network_that_fits_its_data_is_let_through() -> None:
    assert check(preset("tutorial-cnn"), (1, 28, 28), 10)[-1].out_shape == (10,)
