"""Receptive fields: the gradients that PyTorch computes are the oracle."""

from __future__ import annotations

import pytest
import torch
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from playground.network.receptive_fields import ReceptiveField, receptive_fields
from playground.network.spec import NetworkSpec
from playground.network.trace import ShapeStep, construct, trace

from ..support.tiers import repetitions
from .stacks import Layer, layer_of, network, without_misfits


class GradientPassing(nn.Module):
    """A layer with the same windows whose gradients are never 0: max pooling becomes a depthwise convolution, and all weights are positive."""

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


def pixel_ranges(spec: NetworkSpec, position: str) -> list[tuple[int, int]]:
    """Return the first and last row, and the first and last column, of the pixels to which an output has a gradient."""
    image = torch.rand(1, *spec.input_shape, dtype=torch.float64, requires_grad=True)
    values: Tensor = image
    for step in trace(spec):
        values = GradientPassing(step)(values)
    values = values[0].sum(0) if values.dim() == 4 else values.sum()
    if values.dim() == 2:
        values = values[values.shape[0] // 2, values.shape[1] // 2] if position == "middle" else values[0, 0] if position == "first" else values[-1, -1]
    (gradient,) = torch.autograd.grad(values, image)
    return [(int(pixels.min()), int(pixels.max())) for pixels in gradient[0].sum(0).nonzero().unbind(1)]


def expected_ranges(field: ReceptiveField, shape: tuple[int, ...], position: str) -> list[tuple[int, int]]:
    """Return the same ranges as the receptive field describes them."""
    result = []
    for extent, count in zip((field.height, field.width), shape[1:], strict=True):
        first = extent.start + (count // 2 if position == "middle" else 0) * (extent.effective_stride or 0)
        result.append((first, first + extent.size - 1))
    return result


windows = st.sampled_from(["Conv2d", "MaxPool2d", "AvgPool2d", "ResidualBlock", "ReLU", "Dropout", "BatchNorm2d"]).flatmap(layer_of)
sides = st.integers(20, 40)
window_stacks = st.builds(lambda channels, height, width, stack: network((channels, height, width), *stack), st.integers(1, 2), sides, sides,
                          st.lists(windows, min_size=1, max_size=4))  # fmt: skip


@settings(max_examples=repetitions(300))
@given(window_stacks)
def test_a_receptive_field_has_the_pixels_with_a_gradient(stack: NetworkSpec) -> None:
    zeros = [Layer(layer.type, {name: value for name, value in layer.params.items() if name != "padding_mode"}) for layer in stack.layers]
    spec = without_misfits(stack.with_layers(tuple(zeros)))
    assume(spec)
    field = receptive_fields(spec, trace(spec))[-1]
    shape = trace(spec)[-1].out_shape
    compared = 0
    for position in ("first", "middle"):
        ends = expected_ranges(field, shape, position)
        if all(first >= 0 and end < size for (first, end), size in zip(ends, spec.input_shape[1:], strict=True)):  # the border cuts nothing off
            assert pixel_ranges(spec, position) == ends
            compared += 1
    event(f"compared {compared}")


@pytest.mark.parametrize(
    ("layers", "size", "effective_stride", "start", "covers_image"),
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
def test_receptive_fields_of_small_examples(layers: tuple[Layer, ...], size: int, effective_stride: int | None, start: int, covers_image: bool) -> None:
    spec = network((1, 28, 28), *layers)
    field = receptive_fields(spec, trace(spec))[-1]
    assert (field.height.size, field.height.effective_stride, field.height.start, field.covers_image) == (size, effective_stride, start, covers_image)
    assert field.width == field.height


@pytest.mark.parametrize("size", [3, 5, 8, 11])
@pytest.mark.parametrize("behind", [(), (Layer("Conv2d"),), (Layer("Conv2d", {"padding": 1}),)], ids=["pooled", "convolved", "padded"])
def test_the_receptive_field_of_uneven_adaptive_pooling_has_the_pixels_with_a_gradient(size: int, behind: tuple[Layer, ...]) -> None:
    spec = network((1, 28, 20), Layer("Conv2d"), Layer("AdaptiveAvgPool2d", {"output_size": size}), *behind)
    field = receptive_fields(spec, trace(spec))[-1]
    assert [end - first + 1 for first, end in pixel_ranges(spec, "middle")] == [field.height.size, field.width.size]
    starts = [
        extent.start if extent.effective_stride is None else max(0, extent.start) for extent in (field.height, field.width)
    ]  # equal windows count the padding
    assert [first for first, _ in pixel_ranges(spec, "first")] == starts


def test_the_padding_around_uneven_windows_has_no_pixels() -> None:
    spec = network((1, 28, 28), Layer("Conv2d"), Layer("AdaptiveAvgPool2d", {"output_size": 5}), Layer("Conv2d", {"kernel_size": 13, "padding": 6}))
    field = receptive_fields(spec, trace(spec))[-1]
    assert [end - first + 1 for first, end in pixel_ranges(spec, "middle")] == [field.height.size, field.width.size] == [28, 28]


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
def test_a_layer_that_mixes_all_positions_depends_on_all_pixels_of_its_inputs(layers: tuple[Layer, ...]) -> None:
    spec = network((1, 24, 29), *layers)
    field = receptive_fields(spec, trace(spec))[-1]
    ends = expected_ranges(field, (1, 1, 1), "first")
    assert pixel_ranges(spec, "middle") == ends
    assert field.covers_image == (ends == [(0, 23), (0, 28)])


def test_a_field_covers_the_image_only_if_that_of_every_value_does() -> None:
    small = network((1, 4, 4), Layer("Conv2d", {"padding": 1}), Layer("Conv2d", {"padding": 1}), Layer("Conv2d", {"padding": 1}))
    assert [field.covers_image for field in receptive_fields(small, trace(small))] == [False, False, True]


def test_vectors_and_misfits_have_no_receptive_field() -> None:
    vector, broken = network((4,), Layer("ReLU")), network((1, 8, 8), Layer("ReLU"), Layer("Linear"), Layer("ReLU"))
    assert receptive_fields(vector, trace(vector)) == [None]
    assert [field is None for field in receptive_fields(broken, trace(broken))] == [False, True, True]
