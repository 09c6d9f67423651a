"""Parameter counts, memory and receptive fields: formulas are evaluated by Python, and compared with built modules and their gradients."""

from __future__ import annotations

import ast
import operator
from typing import Any

import pytest
import torch
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from playground.network.build import build
from playground.network.facts import (
    ReceptiveField,
    activation_bytes,
    arithmetic,
    compare,
    multiply_arithmetic,
    receptive_fields,
    size_formula,
    totals,
)
from playground.network.presets import load_presets, preset
from playground.network.spec import NetworkSpec
from playground.network.trace import ShapeStep, construct, trace

from ..support.tiers import repetitions
from .stacks import Layer, layer_of, network, stacks, without_misfits

OPERATORS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.FloorDiv: operator.floordiv}


def worked_out(expression: str) -> int:
    """What an expression of the page comes to; ⌊a / b⌋ is Python's floor division."""
    text = expression.replace("·", "*").replace("−", "-").replace("⌊", "(").replace("⌋", ")").replace("/", "//")

    def value(node: ast.expr) -> int:
        if isinstance(node, ast.BinOp):
            return OPERATORS[type(node.op)](value(node.left), value(node.right))
        assert isinstance(node, ast.Constant)
        return node.value

    return value(ast.parse(text, mode="eval").body)


def both_sides(formula: str) -> tuple[int, int]:
    """`a = b` → (what a comes to, b)"""
    left, right = formula.split(" = ")
    return worked_out(left), int(right.replace(",", ""))


def last(*layers: Layer, input_shape: tuple[int, ...] = (1, 28, 28)) -> ShapeStep:
    return trace(network(input_shape, *layers))[-1]


@settings(max_examples=repetitions(500))
@given(stacks)
def test_parameter_counts_are_those_of_the_built_module(stack: NetworkSpec) -> None:
    spec = without_misfits(stack)
    assume(spec)
    for step in trace(spec):
        event(step.layer.type)
        parameters = sum(parameter.numel() for parameter in construct(step.layer, step.in_shape).parameters())
        written = arithmetic(step)
        assert bool(written) == bool(parameters)
        assert not written or both_sides(written) == (parameters, parameters)
        work = multiply_arithmetic(step)
        assert not work or both_sides(work) == (step.multiply_adds, step.multiply_adds)
        assert work or step.multiply_adds == 0 or step.layer.type == "TransformerEncoderLayer"
        sizes = [both_sides(line.split(": ")[-1]) for line in size_formula(step).splitlines()]
        assert bool(sizes) == ("kernel_size" in dict(vars(construct(step.layer, step.in_shape))))
        assert not sizes or [size for size, _ in sizes] * (3 - len(sizes)) == list(step.out_shape[1:])
        assert all(left == right for left, right in sizes)
        assert activation_bytes(step) == torch.empty(step.out_shape).nbytes


@pytest.mark.parametrize(
    ("step", "parameters", "work", "size"),
    [
        (last(Layer("Conv2d")), "(3·3·1 + 1)·16 = 160", "26·26·16·9·1 = 97,344", "⌊(28 + 2·0 − 1·(3 − 1) − 1) / 1⌋ + 1 = 26"),
        (last(Layer("Conv2d", {"bias": False})), "3·3·1·16 = 144", "26·26·16·9·1 = 97,344", "⌊(28 + 2·0 − 1·(3 − 1) − 1) / 1⌋ + 1 = 26"),
        (last(Layer("Flatten"), Layer("Linear")), "(784 + 1)·128 = 100,480", "784·128 = 100,352", ""),
        (last(Layer("Flatten"), Layer("Linear", {"bias": False})), "784·128 = 100,352", "784·128 = 100,352", ""),
        (last(Layer("Conv2d"), Layer("BatchNorm2d")), "2·16 = 32", "", ""),
        (last(Layer("LayerNorm")), "2·1·28·28 = 1,568", "", ""),
        (last(Layer("MaxPool2d")), "", "", "⌊(28 + 2·0 − 1·(2 − 1) − 1) / 2⌋ + 1 = 14"),
        (last(Layer("AvgPool2d")), "", "", "⌊(28 + 2·0 − 2) / 2⌋ + 1 = 14"),
        (last(Layer("AvgPool2d"), input_shape=(1, 8, 6)), "", "", "height: ⌊(8 + 2·0 − 2) / 2⌋ + 1 = 4\nwidth: ⌊(6 + 2·0 − 2) / 2⌋ + 1 = 3"),
        (last(Layer("PatchEmbedding", {"patch_size": 7})), "(7·7·1 + 1)·64 + 16·64 = 4,224", "16·64·49·1 = 50,176", ""),
        (
            last(Layer("ResidualBlock", {"out_channels": 8})),
            "3·3·1·8 + 2·8 + 3·3·8·8 + 2·8 + 1·8 + 2·8 = 704",
            "28·28·(3·3·1·8 + 3·3·8·8 + 1·8) = 514,304",
            "",
        ),
        (
            last(Layer("ResidualBlock", {"out_channels": 1, "stride": 2})),
            "3·3·1·1 + 2·1 + 3·3·1·1 + 2·1 + 1·1 + 2·1 = 25",
            "14·14·(3·3·1·1 + 3·3·1·1 + 1·1) = 3,724",
            "",
        ),
        (last(Layer("ResidualBlock", {"out_channels": 1})), "3·3·1·1 + 2·1 + 3·3·1·1 + 2·1 = 22", "28·28·(3·3·1·1 + 3·3·1·1) = 14,112", ""),
        (last(Layer("ReLU")), "", "", ""),
        (last(Layer("Linear")), "", "", ""),
        (last(Layer("Conv2d", {"kernel_size": 31})), "", "", ""),
    ],
    ids=[
        "conv", "conv-no-bias", "linear", "linear-no-bias", "batch-norm", "layer-norm", "max-pool", "avg-pool", "not-square", "patches", "residual",
        "residual-stride", "residual-same",
        "none", "misfit", "window-misfit",
    ],
)  # fmt: skip
def test_formulas_are_written_as_in_these_examples(step: ShapeStep, parameters: str, work: str, size: str) -> None:
    assert (arithmetic(step), multiply_arithmetic(step), size_formula(step)) == (parameters, work, size)


def test_the_parameter_count_of_an_encoder_layer_is_the_sum_of_its_parts() -> None:
    step = last(Layer("PatchEmbedding", {"patch_size": 7}), Layer("TransformerEncoderLayer"))
    module = construct(step.layer, step.in_shape)
    parts = [part.strip() for part in arithmetic(step).split(" = ")[0].split(" + ")]
    assert len(parts) == 10  # four of them are written (64 + 1)·…
    attention = sum(parameter.numel() for parameter in module.self_attn.parameters())
    assert worked_out("(64 + 1)·3·64 + (64 + 1)·64") == attention
    assert arithmetic(step).startswith("(64 + 1)·3·64 + (64 + 1)·64 + ")


class Seeing(nn.Module):
    """A layer with the same windows through which every gradient passes: pooling that adds up, no negative weight, no activation that ends flat."""

    def __init__(self, step: ShapeStep) -> None:
        super().__init__()
        module = construct(step.layer, step.in_shape).double().eval()
        if isinstance(module, nn.MaxPool2d):
            channels = step.in_shape[0]
            window = (module.kernel_size, module.stride, module.padding, module.dilation)
            module = nn.Conv2d(channels, channels, *window, groups=channels, bias=False).double()
        for parameter in module.parameters():
            nn.init.constant_(parameter, 0.01)
        self.module = module

    def forward(self, values: Tensor) -> Tensor:
        return self.module(values)


def gradient_extent(spec: NetworkSpec, positions: str) -> list[tuple[int, int]]:
    """First and last row, and first and last column, of the pixels that an output depends on: PyTorch's gradient tells."""
    image = torch.rand(1, *spec.input_shape, dtype=torch.float64, requires_grad=True)
    values: Tensor = image
    for step in trace(spec):
        values = Seeing(step)(values)
    values = values[0].sum(0) if values.dim() == 4 else values.sum()
    if values.dim() == 2:
        values = values[values.shape[0] // 2, values.shape[1] // 2] if positions == "middle" else values[0, 0] if positions == "first" else values[-1, -1]
    (gradient,) = torch.autograd.grad(values, image)
    return [(int(pixels.min()), int(pixels.max())) for pixels in gradient[0].sum(0).nonzero().unbind(1)]


def expected(field: ReceptiveField, shape: tuple[int, ...], where: str) -> list[tuple[int, int]]:
    """The same, from the receptive field."""
    result = []
    for reach, count in zip((field.height, field.width), shape[1:], strict=True):
        first = reach.start + (count // 2 if where == "middle" else 0) * (reach.jump or 0)
        result.append((first, first + reach.side - 1))
    return result


windows = st.sampled_from(["Conv2d", "MaxPool2d", "AvgPool2d", "ResidualBlock", "ReLU", "Dropout", "BatchNorm2d"]).flatmap(layer_of)
sides = st.integers(20, 40)
window_stacks = st.builds(lambda channels, height, width, stack: network((channels, height, width), *stack), st.integers(1, 2), sides, sides,
                          st.lists(windows, min_size=1, max_size=4))  # fmt: skip


@settings(max_examples=repetitions(300))
@given(window_stacks)
def test_a_receptive_field_is_the_extent_of_the_gradient(stack: NetworkSpec) -> None:
    zeros = [Layer(layer.type, {name: value for name, value in layer.params.items() if name != "padding_mode"}) for layer in stack.layers]
    spec = without_misfits(stack.with_layers(tuple(zeros)))
    assume(spec)
    field = receptive_fields(spec, trace(spec))[-1]
    shape = trace(spec)[-1].out_shape
    compared = 0
    for where in ("first", "middle"):
        ends = expected(field, shape, where)
        if all(first >= 0 and end < size for (first, end), size in zip(ends, spec.input_shape[1:], strict=True)):  # the border cuts nothing off
            assert gradient_extent(spec, where) == ends
            compared += 1
    event(f"compared {compared}")


@pytest.mark.parametrize(
    ("layers", "side", "jump", "start", "whole"),
    [
        ((Layer("Conv2d"),), 3, 1, 0, False),
        ((Layer("Conv2d", {"padding": 1}),), 3, 1, -1, False),
        ((Layer("Conv2d", {"dilation": 3}),), 7, 1, 0, False),
        ((Layer("Conv2d", {"stride": 2}), Layer("Conv2d")), 7, 2, 0, False),
        ((Layer("Conv2d"), Layer("MaxPool2d"), Layer("Conv2d"), Layer("MaxPool2d")), 10, 4, 0, False),
        ((Layer("ResidualBlock", {"stride": 2}),), 7, 2, -3, False),
        ((Layer("PatchEmbedding"),), 4, 4, 0, False),
        ((Layer("PatchEmbedding"), Layer("Linear")), 4, 4, 0, False),
        ((Layer("PatchEmbedding"), Layer("TransformerEncoderLayer")), 28, 0, 0, True),
        ((Layer("PatchEmbedding"), Layer("TokenMean")), 28, 0, 0, True),
        ((Layer("Flatten"),), 1, 1, 0, False),
        ((Layer("Flatten"), Layer("Linear")), 28, 0, 0, True),
        ((Layer("LayerNorm"),), 28, 0, 0, True),
        ((Layer("Conv2d"), Layer("MaxPool2d"), Layer("Conv2d"), Layer("MaxPool2d"), Layer("Flatten"), Layer("Linear")), 26, 0, 0, False),
        ((Layer("AdaptiveAvgPool2d"),), 28, 28, 0, True),
        ((Layer("AdaptiveAvgPool2d", {"output_size": 4}),), 7, 7, 0, False),
        ((Layer("AdaptiveAvgPool2d", {"output_size": 5}),), 6, None, 0, False),
        ((Layer("AdaptiveAvgPool2d", {"output_size": 5}), Layer("Flatten"), Layer("Linear")), 28, 0, 0, True),
    ],
    ids=lambda item: "-".join(layer.type for layer in item) if isinstance(item, tuple) else str(item),
)
def test_receptive_fields_of_small_examples(layers: tuple[Layer, ...], side: int, jump: int | None, start: int, whole: bool) -> None:
    spec = network((1, 28, 28), *layers)
    field = receptive_fields(spec, trace(spec))[-1]
    assert (field.height.side, field.height.jump, field.height.start, field.whole) == (side, jump, start, whole)
    assert field.width == field.height


@pytest.mark.parametrize("size", [3, 5, 8, 11])
@pytest.mark.parametrize("behind", [(), (Layer("Conv2d"),), (Layer("Conv2d", {"padding": 1}),)], ids=["pooled", "convolved", "padded"])
def test_the_receptive_field_of_uneven_adaptive_pooling_is_the_extent_of_the_gradient(size: int, behind: tuple[Layer, ...]) -> None:
    spec = network((1, 28, 20), Layer("Conv2d"), Layer("AdaptiveAvgPool2d", {"output_size": size}), *behind)
    field = receptive_fields(spec, trace(spec))[-1]
    assert [end - first + 1 for first, end in gradient_extent(spec, "middle")] == [field.height.side, field.width.side]
    starts = [reach.start if reach.jump is None else max(0, reach.start) for reach in (field.height, field.width)]  # an even one counts the padding
    assert [first for first, _ in gradient_extent(spec, "first")] == starts


@pytest.mark.parametrize(
    "layers",
    [
        (Layer("Conv2d"), Layer("Flatten"), Layer("Linear")),
        (Layer("Conv2d", {"stride": 3}), Layer("MaxPool2d"), Layer("Flatten"), Layer("Linear")),
        (Layer("Conv2d", {"padding": 2}), Layer("MaxPool2d", {"stride": 3}), Layer("Flatten"), Layer("Linear"), Layer("Linear")),
        (Layer("AvgPool2d", {"kernel_size": 3, "stride": 5}), Layer("LayerNorm"), Layer("Conv2d", {"kernel_size": 1})),
    ],
    ids=["even", "left-out", "padded", "layer-norm"],
)
def test_layers_that_mix_all_positions_have_the_whole_receptive_field(layers: tuple[Layer, ...]) -> None:
    spec = network((1, 24, 29), *layers)
    field = receptive_fields(spec, trace(spec))[-1]
    ends = expected(field, (1, 1, 1), "first")
    assert gradient_extent(spec, "middle") == ends
    assert field.whole == (ends == [(0, 23), (0, 28)])


def test_a_receptive_field_is_the_whole_image_only_if_it_is_at_every_position() -> None:
    small = network((1, 4, 4), Layer("Conv2d", {"padding": 1}), Layer("Conv2d", {"padding": 1}), Layer("Conv2d", {"padding": 1}))
    assert [field.whole for field in receptive_fields(small, trace(small))] == [False, False, True]


def test_vectors_and_misfits_have_no_receptive_field() -> None:
    vector, broken = network((4,), Layer("ReLU")), network((1, 8, 8), Layer("ReLU"), Layer("Linear"), Layer("ReLU"))
    assert receptive_fields(vector, trace(vector)) == [None]
    assert [field is None for field in receptive_fields(broken, trace(broken))] == [False, True, True]


@pytest.mark.parametrize("name", sorted(load_presets().networks))
def test_totals_are_those_of_the_built_network(name: str) -> None:
    spec = preset(name)
    network = build(spec).eval()
    counts = totals(trace(spec))
    sizes: list[int] = []
    values = torch.zeros(1, *spec.input_shape)
    for layer in network:
        values = layer(values)
        sizes.append(values.nbytes)
    assert counts.parameters == sum(parameter.numel() for parameter in network.parameters())
    assert counts.disk_bytes == sum(value.nbytes for value in network.state_dict().values())
    assert counts.activation_bytes == sum(sizes)
    assert counts.multiply_adds == sum(step.multiply_adds for step in trace(spec)) > 0
    assert counts.layers == len(network)


def test_layers_that_do_not_fit_are_not_counted() -> None:
    counts = totals(trace(network((1, 4, 4), Layer("Conv2d"), Layer("Linear"), Layer("ReLU"))))
    assert (counts.parameters, counts.activation_bytes, counts.layers) == (160, 16 * 2 * 2 * 4, 3)


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
    assert [(item.kind, item.index, item.other, item.amount) for item in compare(spec, BASE)] == expected


def test_differences_are_described_in_sentences() -> None:
    spec = network((8,), Layer("Linear", {"out_features": 6}), Layer("Sigmoid"), Layer("ReLU"))
    assert [item.text for item in compare(spec, BASE)] == [
        "Layer 0 (Linear): out_features is 6, not 4.",
        "Layer 1 is new: Sigmoid.",
        "Layer 2 of “test” is missing: Linear.",
        "It has 8 parameters more than “test”.",
    ]
