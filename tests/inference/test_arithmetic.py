"""Calculations of single output values against PyTorch, and receptive fields against NaNs and gradients."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from copy import deepcopy
from typing import Any, cast

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, assume, given, reject, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

from playground.errors import ShapeError, UnknownName
from playground.inference.arithmetic import WRITERS, Calculation, as_json, write_out
from playground.inference.receptive_field import RULES, receptive_field
from playground.network.blocks import PatchEmbedding, ResidualBlock
from playground.network.build import build
from playground.network.catalogue import ACTIVATIONS, LAYERS, layer_type
from playground.network.presets import load_presets
from playground.network.spec import LayerSpec, NetworkSpec
from playground.network.trace import construct, layer_class, trace

from ..network.stacks import images, layer_of, stacks, vectors, without_misfits
from ..support.tiers import repetitions

PRESETS = load_presets().networks
KINDS = sorted(kind.name for kind in LAYERS)
BLOCKS = ("ResidualBlock", "PatchEmbedding", "TransformerEncoderLayer")
SUMS = ("Linear", "Conv2d", "MaxPool2d", "AvgPool2d", "AdaptiveAvgPool2d", "TokenMean", "Flatten", "Dropout", "BatchNorm1d", "BatchNorm2d", "LayerNorm")
MODES = ("zeros", "reflect", "replicate", "circular")
each_kind = pytest.mark.parametrize("name", KINDS)
tokens = st.tuples(st.integers(1, 6), st.integers(1, 12))
of_rank = {1: vectors, 2: tokens, 3: images}
seeds = st.integers(0, 2**31)
Case = tuple[nn.Module, Tensor, tuple[int, ...]]


@st.composite
def cases(draw: st.DrawFn, name: str) -> Case:
    """A layer of a kind with random weights and statistics, what it gets, and a place in what it gives."""
    layer, seed = draw(layer_of(name)), draw(seeds)
    if name == "PatchEmbedding":
        side = draw(st.integers(1, 3)) * int(layer_type(name).settings(layer.params)["patch_size"])
        shape: tuple[int, ...] = (draw(st.integers(1, 3)), side, side)
    elif name == "TransformerEncoderLayer":
        shape = (draw(st.integers(1, 6)), draw(st.integers(1, 4)) * int(layer_type(name).settings(layer.params)["nhead"]))
    else:
        shape = draw(st.one_of([of_rank[rank] for rank in layer_type(name).ranks]))
    torch.manual_seed(seed)
    module, values = randomised(construct(layer, shape)), 2 * torch.randn(1, *shape)
    try:
        with torch.no_grad():
            out_shape = module(values).shape[1:]
    except RuntimeError:  # the window is larger than the image
        reject()
    return module, values, tuple(draw(st.integers(0, size - 1)) for size in out_shape)


def randomised(module: nn.Module) -> nn.Module:
    """Random numbers wherever a layer has some, so that none is 0 or 1 by chance; in evaluation mode."""
    for name, tensor in module.state_dict().items():
        if name.endswith("running_var"):
            tensor.uniform_(0.05, 3)
        elif tensor.is_floating_point():
            tensor.normal_(std=0.5)
    return module.eval()


def conv(mode: str = "zeros", **settings: Any) -> nn.Conv2d:
    torch.manual_seed(0)
    layer = construct(LayerSpec("Conv2d", {"out_channels": 3, "padding_mode": mode, **settings}), (2, 7, 8))
    return cast("nn.Conv2d", randomised(layer))


def samples(*shape: int) -> Tensor:
    return torch.randn(1, *shape, generator=torch.Generator().manual_seed(1))


def float64_output(module: nn.Module, values: Tensor) -> Tensor:
    """What PyTorch makes of it in float64."""
    with torch.no_grad():
        out: Tensor = deepcopy(module).double()(values.double())[0]
    return out


def magnitude(written: Calculation) -> float:
    """How large the numbers are that are added up, by which rounding is measured; a normalisation takes differences of large ones too."""
    size = sum(abs(term.product) for term in written.terms) + abs(written.bias or 0)
    steps = {step.name: step.value for step in written.steps}
    if "ε" in steps:
        mean, variance, eps, _, gamma, _ = steps.values()
        size += abs(gamma) * (abs(written.terms[0].value) + abs(mean)) / math.sqrt(variance + eps)
    return size + sum(magnitude(child) for _, child in written.children)


def calculation_and_children(written: Calculation) -> Iterator[Calculation]:
    yield written
    for _, child in written.children:
        yield from calculation_and_children(child)


def children_of(written: Calculation) -> dict[str, Calculation]:
    return dict(written.children)


def value_of(written: Calculation, name: str) -> float:
    return {step.name: step.value for step in written.steps}[name]


def test_every_layer_type_has_a_calculation_and_a_receptive_field() -> None:
    kinds = {layer_class(kind.target) for kind in LAYERS}
    assert set(WRITERS) == kinds
    assert set(RULES) == kinds


@each_kind
@settings(max_examples=repetitions(60), suppress_health_check=list(HealthCheck))
@given(st.data())
def test_the_result_of_a_calculation_is_the_output_of_pytorch(name: str, data: st.DataObject) -> None:
    module, values, place = data.draw(cases(name))
    written = write_out(module, values, place)
    with torch.no_grad():
        rounded, exact = module(values)[0][place].item(), float64_output(module, values)[place].item()
    assert written.place == place
    assert written.result == pytest.approx(exact, rel=1e-11, abs=1e-11 * (1 + magnitude(written)))
    if math.isfinite(rounded):
        assert abs(written.result - rounded) <= 2e-6 * magnitude(written) + 1e-6
    json.dumps(as_json(written), allow_nan=False)


@pytest.mark.parametrize("name", SUMS)
@settings(max_examples=repetitions(40), suppress_health_check=list(HealthCheck))
@given(st.data())
def test_the_terms_and_the_bias_add_up_to_the_result(name: str, data: st.DataObject) -> None:
    module, values, place = data.draw(cases(name))
    written = write_out(module, values, place)
    assume(math.isfinite(written.result))
    products = [term.product for term in written.terms]
    assert abs(math.fsum([*products, written.bias or 0.0]) - written.result) <= 1e-12 * (sum(map(abs, products)) + abs(written.bias or 0.0))
    assert math.prod(written.grid) == len(written.terms)


@each_kind
@settings(max_examples=repetitions(25), suppress_health_check=list(HealthCheck))
@given(st.data())
def test_each_term_has_the_value_of_an_input_inside_the_region(name: str, data: st.DataObject) -> None:
    module, values, place = data.draw(cases(name))
    written = write_out(module, values, place)
    assert bool(written.terms) == (name not in BLOCKS)
    for term in written.terms:
        if term.place is not None:
            assert values[0][term.place].item() == term.value
        if term.copied is not None:
            assert term.place is None and values[0][term.copied].item() == term.value
        if term.place is not None and written.region is not None:
            assert all(low <= at < high for at, (low, high) in zip(term.place[1:], written.region, strict=True))
            assert written.channel in (None, term.place[0])
    inside = [term.place for term in written.terms if term.place is not None]
    assert (written.region is not None) == (values.dim() == 4 and (bool(inside) or name in BLOCKS))


@settings(max_examples=repetitions(80), suppress_health_check=list(HealthCheck))
@given(st.data())
def test_the_terms_of_a_convolution_are_those_of_unfold(data: st.DataObject) -> None:
    module, values, place = data.draw(cases("Conv2d"))
    layer = cast("nn.Conv2d", module)
    written = write_out(layer, values, place)
    pad = [layer.padding[1]] * 2 + [layer.padding[0]] * 2
    numbered = torch.arange(1.0, values.numel() + 1).view_as(values)  # which value lies where, 0 for the padding's zeros
    if layer.padding_mode != "zeros":
        padded, copies = (F.pad(each, pad, mode=layer.padding_mode) for each in (values, numbered))
    else:
        padded, copies = F.pad(values, pad), F.pad(numbered, pad)
    inside = F.pad(numbered, pad)
    columns = math.prod(layer(values).shape[2:])
    at = place[1] * layer(values).shape[3] + place[2]
    x, source, own = (F.unfold(each, layer.kernel_size, layer.dilation, 0, layer.stride).view(-1, columns)[:, at] for each in (padded, copies, inside))
    assert [term.value for term in written.terms] == x.tolist()
    assert [term.weight for term in written.terms] == layer.weight[place[0]].flatten().tolist()
    assert [0 if term.place is None else number(term.place, values) for term in written.terms] == own.tolist()
    assert [number(where, values) if (where := term.place or term.copied) else 0 for term in written.terms] == source.tolist()
    assert all(term.product == term.value * cast("float", term.weight) for term in written.terms)


def number(place: tuple[int, ...], values: Tensor) -> int:
    """Which value of the input lies at a place, the first being 1."""
    return int(np.ravel_multi_index(place, tuple(values.shape[1:]))) + 1


@pytest.mark.parametrize("mode", MODES)
def test_padding_is_marked_with_the_input_that_it_repeats(mode: str) -> None:
    written = write_out(conv(mode, padding=1), samples(2, 7, 8), (0, 0, 0))
    first = written.terms[0]
    assert first.place is None and written.grid == (2, 3, 3) and written.region == ((0, 2), (0, 2))
    assert first.copied == {"zeros": None, "reflect": (0, 1, 1), "replicate": (0, 0, 0), "circular": (0, 6, 7)}[mode]
    assert ("copied" in as_json(written)["terms"][0]) == (mode != "zeros")


def test_a_window_over_padding_only_has_no_region() -> None:
    written = write_out(conv(kernel_size=1, padding=2), samples(2, 7, 8), (1, 0, 0))
    assert written.region is None and written.result == written.bias and all(term.value == term.product == 0 for term in written.terms)


def test_a_layer_without_a_bias_has_none_in_the_calculation() -> None:
    assert (with_one := write_out(conv(), samples(2, 7, 8), (0, 0, 0))).formula == "z = Σ w·x + b" and with_one.bias is not None
    assert (without := write_out(conv(bias=False), samples(2, 7, 8), (0, 0, 0))).formula == "z = Σ w·x" and without.bias is None


def test_max_pooling_marks_the_largest_input() -> None:
    image = torch.tensor([[[[1.0, 5.0], [5.0, -2.0]]]])
    written = write_out(nn.MaxPool2d(2).eval(), image, (0, 0, 0))
    assert [(term.place, term.value, term.weight, term.product) for term in written.terms] == [
        ((0, 0, 0), 1, 0, 0), ((0, 0, 1), 5, 1, 5), ((0, 1, 0), 5, 0, 0), ((0, 1, 1), -2, 0, 0),
    ]  # fmt: skip
    assert written.result == 5 and written.channel == 0 and written.grid == (2, 2)


def test_padding_is_never_the_maximum_of_a_window() -> None:
    layer = nn.MaxPool2d(2, 2, padding=1).eval()
    written = write_out(layer, -torch.ones(1, 1, 4, 4), (0, 0, 0))
    assert written.result == -1 and [term.value for term in written.terms] == [-math.inf] * 3 + [-1]
    terms = as_json(written)["terms"]
    assert [term["value"] for term in terms] == [None] * 3 + [-1] and [term["place"] for term in terms] == [None] * 3 + [[0, 0, 0]]


def test_non_finite_values_are_none_in_json() -> None:
    image = torch.tensor([[[[1.0, float("nan")], [9.0, 2.0]]]])
    pooled = write_out(nn.MaxPool2d(2).eval(), image, (0, 0, 0))
    assert math.isnan(pooled.result) and [term.weight for term in pooled.terms] == [0, 1, 0, 0]
    for layer in (nn.MaxPool2d(2), nn.AvgPool2d(2), nn.Flatten(), nn.LayerNorm([1, 2, 2]), nn.GELU(), nn.Sigmoid()):
        place = (1,) if isinstance(layer, nn.Flatten) else (0, 0, 0)
        json.dumps(as_json(write_out(layer.eval(), image, place)), allow_nan=False)


@pytest.mark.parametrize("counted", [True, False])
def test_average_pooling_counts_its_padding_as_torch_does(counted: bool) -> None:
    layer, image = nn.AvgPool2d(3, 2, padding=1, count_include_pad=counted).eval(), samples(2, 5, 6)
    written = write_out(layer, image, (1, 0, 0))
    assert written.result == pytest.approx(float64_output(layer, image)[1, 0, 0].item(), rel=1e-12)
    assert {term.weight for term in written.terms} == {1 / 9 if counted else 1 / 4}


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("x", [-800.0, -100.0, -6.0, -1e-30, 0.0, 1e-30, 6.0, 100.0, 800.0])
def test_activations_are_accurate_for_large_and_small_inputs(name: str, x: float) -> None:
    layer = construct(LayerSpec(name), (1,)).eval()
    written = write_out(layer, torch.tensor([[x]]), (0,))
    exact = float64_output(layer, torch.tensor([[x]]))[0].item()
    assert written.result == pytest.approx(exact, rel=1e-12, abs=1e-14)  # torch's own GELU is 0 where 1 + erf is rounded away
    json.dumps(as_json(written), allow_nan=False)


def test_the_steps_of_an_activation_lead_to_its_result() -> None:
    x = 0.7
    given = torch.tensor([[x]], dtype=torch.float64)
    assert value_of(write_out(nn.GELU().eval(), given, (0,)), "Φ(x)") == pytest.approx(torch.distributions.Normal(0, 1).cdf(torch.tensor(x)).item(), rel=1e-6)
    silu = write_out(nn.SiLU().eval(), given, (0,))
    assert x * value_of(silu, "σ(x)") == pytest.approx(silu.result) and value_of(silu, "σ(x)") == pytest.approx(1 / (1 + value_of(silu, "exp(−x)")))
    tanh = write_out(nn.Tanh().eval(), given, (0,))
    up, down = value_of(tanh, "exp(x)"), value_of(tanh, "exp(−x)")
    assert tanh.result == pytest.approx((up - down) / (up + down))


def test_a_softmax_lists_all_logits_and_does_not_overflow() -> None:
    logits = torch.tensor([[1000.0, 998.0, -1000.0]])
    written = write_out(nn.Softmax(-1).eval(), logits, (1,))
    assert [term.value for term in written.terms] == logits[0].tolist() and value_of(written, "max z") == 1000
    assert written.result == pytest.approx(math.exp(-2) / (1 + math.exp(-2)))
    assert sum(term.product for term in written.terms) == pytest.approx(value_of(written, "Σⱼ exp(zⱼ − max z)"))
    assert sum(write_out(nn.Softmax(-1).eval(), logits, (at,)).result for at in range(3)) == pytest.approx(1)


@settings(max_examples=repetitions(40), suppress_health_check=list(HealthCheck))
@given(st.sampled_from(["BatchNorm1d", "BatchNorm2d", "LayerNorm"]), st.data())
def test_the_steps_of_a_normalisation_are_its_statistics_and_parameters(name: str, data: st.DataObject) -> None:
    module, values, place = data.draw(cases(name))
    written, layer = write_out(module, values, place), cast("Any", module)
    mean, variance, eps, normal, gamma, beta = (step.value for step in written.steps)
    if name == "LayerNorm":
        row = values[0].double()[place[: values.dim() - 1 - len(layer.normalized_shape)]]
        own = place[-len(layer.normalized_shape) :]
        assert (mean, variance) == pytest.approx((row.numpy().mean(), row.numpy().var()), rel=1e-9, abs=1e-12)
    else:
        own = place[:1]
        assert (mean, variance) == (layer.running_mean[own].item(), layer.running_var[own].item())
    assert (eps, gamma, beta) == (layer.eps, layer.weight[own].item(), layer.bias[own].item())
    assert normal == pytest.approx((values[0][place].item() - mean) / math.sqrt(variance + eps))
    assert written.result == pytest.approx(gamma * normal + beta)


@settings(max_examples=repetitions(40), suppress_health_check=list(HealthCheck))
@given(st.data())
def test_the_children_of_a_residual_block_are_outputs_of_its_inner_layers(data: st.DataObject) -> None:
    module, values, place = data.draw(cases("ResidualBlock"))
    block = cast("ResidualBlock", module)
    written = write_out(block, values, place)
    children, inside = children_of(written), inner_outputs(block, values)
    modules = {
        "second batch norm": "body.4",
        "second convolution": "body.3",
        "first ReLU": "body.2",
        "first batch norm": "body.1",
        "first convolution": "body.0",
    }
    for name, module_name in modules.items():
        assert_is(children[name], inside[module_name])
    assert_is(children["shortcut"], inside["shortcut"])
    for _, child in children["shortcut"].children:
        assert_is(child, inside["shortcut.0"])
    assert (len(children["shortcut"].children) == 1) == isinstance(block.shortcut, nn.Sequential)
    assert written.result == pytest.approx(max(0, children["second batch norm"].result + children["shortcut"].result), abs=1e-12)
    assert_follows(children["second convolution"], children["first ReLU"])
    assert children["second convolution"].place == children["second batch norm"].place == place
    assert children["first convolution"].place == children["first batch norm"].place == children["first ReLU"].place


@settings(max_examples=repetitions(40), suppress_health_check=list(HealthCheck))
@given(st.data())
def test_the_children_of_a_transformer_layer_are_outputs_of_its_inner_layers(data: st.DataObject) -> None:
    module, values, place = data.draw(cases("TransformerEncoderLayer"))
    layer = cast("nn.TransformerEncoderLayer", module)
    written = write_out(layer, values, place)
    children, inside = children_of(written), inner_outputs(layer, values)
    for name, module_name in {
        "feed-forward: second linear": "linear2",
        "feed-forward: first linear": "linear1",
        "second layer norm": "norm2",
        "first layer norm": "norm1",
    }.items():
        assert_is(children[name], inside[module_name])
    assert children["feed-forward: GELU"].result == pytest.approx(F.gelu(inside["linear1"])[children["feed-forward: GELU"].place].item(), abs=1e-12)
    exact, normal = deepcopy(layer).double(), inside["norm1"][None]
    with torch.no_grad():
        attended, shares = exact.self_attn(normal, normal, normal, average_attn_weights=False)  # (1, T, D), (1, H, T, T)
    assert_is(children["attention: output projection"], attended[0])
    mixed = children["attention: weighted values"]
    head = mixed.place[1] // layer.self_attn.head_dim
    assert [term.weight for term in mixed.terms] == pytest.approx(shares[0, head, mixed.place[0]].tolist(), abs=1e-12)
    assert_is(children["attention: softmax"], shares[0, head])
    assert_follows(children["attention: output projection"], mixed)
    assert_follows(mixed, children["attention: value"])
    score, query, key = (children[f"attention: {name}"] for name in ("score", "query", "key"))
    logits = [term.value for term in children["attention: softmax"].terms]
    assert score.result == pytest.approx(logits[score.place[1]], abs=1e-11)
    pair = score.terms[query.place[1] - head * layer.self_attn.head_dim]
    assert (pair.weight, pair.value) == pytest.approx((query.result, key.result), abs=1e-11) and pair.place == key.place
    assert_follows(children["feed-forward: second linear"], children["feed-forward: GELU"])
    assert_follows(children["feed-forward: first linear"], children["second layer norm"])
    assert_follows(children["attention: value"], children["first layer norm"])


def test_a_patch_embedding_is_the_sum_of_convolution_and_position() -> None:
    torch.manual_seed(0)
    layer = cast("PatchEmbedding", randomised(PatchEmbedding(2, 6, 5, 3)))
    written = write_out(layer, samples(2, 6, 6), (1, 4))
    ((name, embedded),) = written.children
    assert (name, embedded.place, written.region) == ("convolution", (4, 0, 1), ((0, 3), (3, 6)))
    assert written.result == pytest.approx(embedded.result + layer.position[0, 1, 4].item())


def inner_outputs(module: nn.Module, values: Tensor) -> dict[str, Tensor]:
    """What every inner layer gives, in float64, by PyTorch's own hooks."""
    exact, outputs = deepcopy(module).double().requires_grad_(True), {}  # gradients keep a transformer from its fast path, which has no layers inside

    def keep(name: str) -> Any:
        return lambda _module, _inputs, output: outputs.__setitem__(name, output[0].detach() if isinstance(output, Tensor) else output[0][0].detach())

    for name, each in exact.named_modules():
        each.register_forward_hook(keep(name))
    exact(values.double())
    return outputs


def assert_is(written: Calculation, output: Tensor) -> None:
    assert written.result == pytest.approx(output[written.place].item(), rel=1e-10, abs=1e-11)


def assert_follows(written: Calculation, before: Calculation) -> None:
    """`before` is the value that contributes most to `written`."""
    sizes = [abs(term.product) for term in written.terms if term.place is not None]
    (own,) = [term for term in written.terms if term.place == before.place]
    assert abs(own.product) == max(sizes) and own.value == pytest.approx(before.result, rel=1e-10, abs=1e-11)


@pytest.mark.parametrize("place", [(3, 0, 0), (0, 5, 0), (0, 0, 6), (-1, 0, 0), (0, 0), (0, 0, 0, 0), ()])
def test_a_place_outside_the_output_is_refused(place: tuple[int, ...]) -> None:
    assert conv()(samples(2, 7, 8)).shape == (1, 3, 5, 6)
    with pytest.raises(ShapeError, match="no value at"):
        write_out(conv(), samples(2, 7, 8), place)
    with pytest.raises(ShapeError, match="no value at"):
        receptive_field([conv()], [(3, 5, 6)], 0, place, (2, 7, 8))


def test_batches_unknown_layers_and_training_mode_are_refused() -> None:
    with pytest.raises(ShapeError, match="for one image"):
        write_out(nn.ReLU().eval(), torch.zeros(2, 3), (0,))
    with pytest.raises(UnknownName, match="Bilinear"):
        write_out(nn.Bilinear(1, 1, 1).eval(), torch.zeros(1, 1), (0,))
    with pytest.raises(UnknownName, match="Bilinear"):
        receptive_field([nn.Bilinear(1, 1, 1)], [(1, 1, 1)], 0, (0, 0, 0), (1, 1, 1))
    with pytest.raises(ValueError, match="evaluation mode"):
        write_out(nn.Dropout(), torch.zeros(1, 3), (0,))


def test_a_calculation_neither_calls_nor_changes_the_layer() -> None:
    layer = cast("ResidualBlock", randomised(ResidualBlock(2, 3, 2)))
    before, called = deepcopy(layer.state_dict()), []
    layer.register_forward_hook(lambda *_: called.append(1))
    write_out(layer, samples(2, 6, 6), (1, 1, 1))
    assert called == [] and all(torch.equal(value, before[name]) for name, value in layer.state_dict().items())
    assert next(layer.parameters()).dtype == torch.float32 and all(parameter.grad is None for parameter in layer.parameters())


def layer_outputs(layers: list[nn.Module], values: Tensor) -> list[Tensor]:
    outputs = []
    for layer in layers:
        values = layer(values)
        outputs.append(values)
    return outputs


@settings(max_examples=repetitions(120), suppress_health_check=list(HealthCheck))
@given(stacks, seeds, st.data())
def test_the_receptive_field_is_the_box_around_all_pixels_whose_nan_reaches_the_output(spec: NetworkSpec, seed: int, data: st.DataObject) -> None:
    fitting = without_misfits(spec)
    assume(fitting is not None and len(fitting.input_shape) == 3)
    assert fitting is not None
    index = data.draw(st.integers(0, len(fitting.layers) - 1))
    assert_field_is_where_nans_come_from(fitting, index, seed, data)


@pytest.mark.parametrize(("name", "rank"), [(kind.name, rank) for kind in LAYERS for rank in kind.ranks])
@settings(max_examples=repetitions(10), suppress_health_check=list(HealthCheck))
@given(seeds, st.data())
def test_every_layer_type_has_the_receptive_field_that_nans_show(name: str, rank: int, seed: int, data: st.DataObject) -> None:
    before = {1: (LayerSpec("Flatten"),), 2: (LayerSpec("PatchEmbedding", {"patch_size": 2, "embed_dim": 12}),), 3: ()}[rank]
    spec = NetworkSpec("one", (2, 6, 6), (*before, data.draw(layer_of(name))))
    assume(not trace(spec)[-1].error)
    assert_field_is_where_nans_come_from(spec, len(before), seed, data)


def assert_field_is_where_nans_come_from(spec: NetworkSpec, index: int, seed: int, data: st.DataObject) -> None:
    """In each image of a batch one pixel is no number: it comes through to whatever it can influence, maximum and ReLU included."""
    network = cast("nn.Sequential", randomised(build(spec, seed=seed)).double())
    _, height, width = spec.input_shape
    values = torch.rand(height * width, *spec.input_shape, dtype=torch.float64)
    for at in range(height * width):
        values[at, :, at // width, at % width] = float("nan")
    with torch.no_grad():
        outputs = layer_outputs(list(network), values)
    place = tuple(data.draw(st.integers(0, size - 1)) for size in outputs[index].shape[1:])
    field = receptive_field(list(network), [tuple(out.shape[1:]) for out in outputs], index, place, spec.input_shape)
    is_nan = outputs[index][(slice(None), *place)].isnan().view(height, width)
    assert field == bounding_box(is_nan)


def bounding_box(mask: Tensor) -> tuple[tuple[int, int], tuple[int, int]]:
    """The box around what is true."""
    rows, columns = (mask.any(dim).nonzero().flatten().tolist() for dim in (1, 0))
    return ((rows[0], rows[-1] + 1), (columns[0], columns[-1] + 1)) if rows else ((0, 0), (0, 0))


@settings(max_examples=repetitions(60), suppress_health_check=list(HealthCheck))
@given(st.lists(st.sampled_from(["Conv2d", "AvgPool2d", "AdaptiveAvgPool2d", "ReLU"]).flatmap(layer_of), min_size=1, max_size=4), seeds, st.data())
def test_with_positive_weights_the_gradient_fills_the_receptive_field(layers: list[LayerSpec], seed: int, data: st.DataObject) -> None:
    fitting = without_misfits(NetworkSpec("positive", (2, 13, 14), tuple(layers)))
    assume(fitting is not None)
    assert fitting is not None
    network = build(fitting, seed=seed).double()
    for parameter in network.parameters():
        parameter.data.uniform_(0.5, 1)
    image = torch.rand(1, *fitting.input_shape, dtype=torch.float64).add_(0.1).requires_grad_()
    outputs = layer_outputs(list(network), image)
    place = tuple(data.draw(st.integers(0, size - 1)) for size in outputs[-1].shape[1:])
    outputs[-1][0][place].backward()
    field = receptive_field(list(network), [tuple(out.shape[1:]) for out in outputs], len(outputs) - 1, place, fitting.input_shape)
    assert image.grad is not None and field == bounding_box(image.grad[0].ne(0).any(0))


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_no_gradient_of_a_preset_lies_outside_the_receptive_field(name: str) -> None:
    spec = PRESETS[name]
    network = build(spec, seed=0).eval()
    shapes = [cast("tuple[int, ...]", step.out_shape) for step in trace(spec)]
    image = samples(*spec.input_shape).requires_grad_()
    outputs = layer_outputs(list(network), image)
    smaller = 0
    for index, (output, shape) in enumerate(zip(outputs, shapes, strict=True)):
        place = tuple(size // 2 for size in shape)
        field = receptive_field(list(network), shapes, index, place, spec.input_shape)
        if len(spec.input_shape) != 3:
            assert field is None
            continue
        assert field is not None
        (top, bottom), (left, right) = field
        (gradient,) = torch.autograd.grad(output[0][place], image, retain_graph=True)
        total = gradient.ne(0).sum().item()
        assert gradient[0, :, top:bottom, left:right].ne(0).sum().item() == total
        smaller += (bottom - top) * (right - left) < math.prod(spec.input_shape[1:])
    assert smaller or len(spec.input_shape) != 3 or isinstance(network[0], nn.Flatten)


@pytest.mark.parametrize("name", ["tutorial-cnn", "cifar-resnet"])
def test_any_output_of_a_preset_has_a_calculation(name: str) -> None:
    spec = PRESETS[name]
    network = build(spec, seed=0).eval()
    values = samples(*spec.input_shape)
    with torch.no_grad():
        for layer in network:
            out = layer(values)
            place = tuple(size // 2 for size in out.shape[1:])
            written = write_out(layer, values, place)
            assert abs(written.result - out[0][place].item()) <= 2e-6 * magnitude(written) + 1e-6
            assert all(type(part.result) is float for part in calculation_and_children(written))
            values = out


def test_vectors_have_no_receptive_field() -> None:
    assert receptive_field([nn.Linear(4, 2)], [(2,)], 0, (1,), (4,)) is None


def test_a_flattened_pixel_depends_on_itself_and_a_linear_output_on_every_pixel() -> None:
    layers, shapes = [nn.Flatten(), nn.ReLU(), nn.Linear(24, 2)], [(24,), (24,), (2,)]
    assert receptive_field(layers, shapes, 1, (17,), (2, 3, 4)) == ((1, 2), (1, 2))
    assert receptive_field(layers, shapes, 2, (0,), (2, 3, 4)) == ((0, 3), (0, 4))
