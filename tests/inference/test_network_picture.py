"""The picture of a network at work: its columns, and what its edges say."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis.strategies import sampled_from
from torch import Tensor, nn

from playground.errors import UnknownName
from playground.inference.network_picture import MAX_COLUMNS, MAX_EDGES, VIEWS, Column, NetworkPicture, View, columns_of, draw_network, view_named
from playground.network.blocks import ResidualBlock
from playground.network.build import build
from playground.network.presets import load_presets
from playground.network.spec import LayerSpec, NetworkSpec
from playground.network.trace import trace

from ..network.stacks import stacks

MOST_BYTES = 30_000


def drawn(spec: NetworkSpec, unfolded: int | None = None, view: View = "values") -> NetworkPicture:
    network = build(spec, seed=0).eval().requires_grad_(False)
    generator = torch.Generator().manual_seed(0)
    image = torch.randint(0, 256, spec.input_shape, dtype=torch.uint8, generator=generator)
    return draw_network(list(network), image, image.unsqueeze(0).float() / 255 - 0.3, unfolded, view)


def shown(column: Column) -> Tensor:
    """What a column shows of its units, ``(units, rows, columns)``, in shares of the largest."""
    return torch.from_numpy(np.frombuffer(base64.b64decode(column["values"]), np.int8).copy()).reshape(len(column["units"]), *column["size"]) / 127


def contributions(column: Column, before: int) -> Tensor:
    """The edges of a column as a matrix, ``(units, units before)``, in shares of the largest."""
    matrix = torch.zeros(len(column["units"]), before)
    for source, target, share in np.frombuffer(base64.b64decode(column["edges"]), np.int8).reshape(-1, 3).tolist():
        matrix[target, source] = share / 127
    return matrix


def deep(count: int) -> list[nn.Module]:
    layers = [layer for index in range(count) for layer in (nn.Conv2d(1 if index == 0 else 16, 16, 3, padding=1), nn.ReLU())]
    return [*layers, nn.Flatten(), nn.Linear(16 * 64, 10)]


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("name", sorted(load_presets().networks))
def test_the_picture_of_every_preset_is_small_and_covers_its_layers(name: str, view: View) -> None:
    spec = load_presets().networks[name]
    picture = drawn(spec, view=view)
    assert len(json.dumps(picture)) <= MOST_BYTES
    spans = [column["layers"] for column in picture["columns"]]
    assert spans[0] == (0, 0) and [last for _, last in spans] == [0, *(first for first, _ in spans[2:]), len(spec.layers)]
    assert len(picture["columns"]) <= MAX_COLUMNS + 2
    assert sum(picture["probabilities"]) == pytest.approx(1, abs=1e-5)


@given(stacks, sampled_from(VIEWS))
def test_any_network_that_fits_can_be_drawn(spec: NetworkSpec, view: View) -> None:
    fitting = tuple(step.layer for step in trace(spec) if step.out_shape)
    whole = replace(spec, layers=(*fitting, LayerSpec("Flatten"), LayerSpec("Linear", {"out_features": 10})))
    picture = drawn(whole, view=view)
    assert picture["columns"][-1]["layers"][1] == len(whole.layers)
    for before, column in pairwise(picture["columns"]):
        rows, columns = column["size"]
        assert len(base64.b64decode(column["values"])) == len(column["units"]) * rows * columns
        edges = np.frombuffer(base64.b64decode(column["edges"]), np.int8).reshape(-1, 3)
        assert (edges[:, 0] < max(1, len(before["units"]))).all() and (edges[:, 1] < len(column["units"])).all() and (edges[:, :2] >= 0).all()
        assert np.bincount(edges[:, 1], minlength=1).max(initial=0) <= MAX_EDGES


def test_in_a_linear_layer_a_contribution_is_activation_times_weight() -> None:
    torch.manual_seed(0)
    layer = nn.Linear(6, 4).requires_grad_(False)
    values = torch.randn(1, 6)
    picture = draw_network([layer], torch.zeros(6, dtype=torch.uint8), values)
    expected = layer.weight * values
    assert torch.allclose(contributions(picture["columns"][1], 6), expected / expected.abs().max(), atol=0.01)


def test_of_a_convolution_the_contributions_and_the_bias_add_up_to_the_feature_map() -> None:
    torch.manual_seed(0)
    first, second = nn.Conv2d(1, 3, 3, padding=1).requires_grad_(False), nn.Conv2d(3, 4, 3).requires_grad_(False)
    image = torch.randint(0, 256, (1, 8, 8), dtype=torch.uint8)
    scaled = image.unsqueeze(0) / 255
    column = draw_network([first, second, nn.Flatten(), nn.Linear(4 * 36, 2).requires_grad_(False)], image, scaled)["columns"][2]
    sums = (second(first(scaled)) - second.bias[:, None, None]).sum(dim=(0, 2, 3))
    shares = contributions(column, 3)
    totals = shares.sum(dim=1)
    assert torch.allclose(totals / totals.abs().max(), sums / sums.abs().max(), atol=0.03)


def test_a_dead_unit_receives_and_gives_nothing() -> None:
    first, last = nn.Linear(4, 3), nn.Linear(3, 2)
    with torch.no_grad():
        first.bias[1] = -100
    column = draw_network([*(each.requires_grad_(False) for each in (first, nn.ReLU(), last))], torch.zeros(4, dtype=torch.uint8), torch.rand(1, 4))["columns"]
    assert not contributions(column[1], 4)[1].any()
    assert not contributions(column[2], 3)[:, 1].any()


def test_between_tokens_the_edges_are_the_attention() -> None:
    torch.manual_seed(0)
    spec = load_presets().networks["tiny-vit"]
    network = build(spec, seed=0).eval().requires_grad_(False)
    image = torch.randint(0, 256, (1, 28, 28), dtype=torch.uint8)
    scaled = image.unsqueeze(0) / 255
    tokens = network[0](scaled)
    layer = network[1]
    normed = layer.norm1(tokens)
    assert layer.norm_first
    _, attention = layer.self_attn(normed, normed, normed, need_weights=True)
    column = draw_network(list(network), image, scaled)["columns"][2]
    matrix = contributions(column, 16)
    assert column["types"] == ["TransformerEncoderLayer"]
    assert torch.allclose(matrix[matrix > 0], (attention[0] / attention.max())[matrix > 0], atol=0.01)
    assert ((matrix > 0).sum(dim=1) == MAX_EDGES).all()


def test_many_layers_share_columns_and_can_be_unfolded() -> None:
    layers = deep(30)
    folded = columns_of(layers)
    assert len(folded) == MAX_COLUMNS + 1 and folded[0][0] == 0 and folded[-1] == (60, 62)
    assert all(before[1] == after[0] for before, after in pairwise(folded))
    first, last = folded[2]
    unfolded = columns_of(layers, first)
    assert [span for span in unfolded if first <= span[0] < last] == [(index, index + 2) for index in range(first, last, 2)]
    assert set(folded) - set(unfolded) == {folded[2]}
    image = torch.zeros((1, 8, 8), dtype=torch.uint8)
    prepared = [layer.eval().requires_grad_(False) for layer in layers]
    for unfold, blocks in ((None, [0, 4, 5, 4, 4, 4, 5, 4, 1]), (first, [0, 4, 5, 1, 1, 1, 1, 4, 4, 5, 4, 1])):
        assert [column["blocks"] for column in draw_network(prepared, image, image.unsqueeze(0) / 255, unfold)["columns"]] == blocks


def test_sixty_layers_fit_into_thirty_kilobytes() -> None:
    image = torch.randint(0, 256, (1, 8, 8), dtype=torch.uint8)
    layers = [layer.eval().requires_grad_(False) for layer in deep(29)]
    assert len(layers) == 60
    assert len(json.dumps(draw_network(layers, image, image.unsqueeze(0) / 255))) <= MOST_BYTES


def test_a_column_begins_with_what_reshapes_for_its_layer() -> None:
    layers = [nn.Conv2d(1, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(), nn.Linear(4, 10)]
    assert columns_of(layers) == [(0, 2), (2, 6)]
    assert columns_of([nn.Flatten(), nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2)]) == [(0, 3), (3, 4)]
    assert columns_of([nn.Flatten()]) == [(0, 1)]
    assert columns_of([ResidualBlock(1, 4), nn.MaxPool2d(2), nn.Flatten()]) == [(0, 3)]


@pytest.mark.parametrize("value", [float("inf"), float("nan")])
def test_values_that_are_not_finite_are_drawn_as_none(value: float) -> None:
    layer = nn.Linear(2, 2).requires_grad_(False)
    picture = draw_network([layer], torch.zeros(2, dtype=torch.uint8), torch.tensor([[value, 1.0]]))
    assert json.dumps(picture, allow_nan=False)


def test_the_weights_of_a_linear_layer_are_its_edges() -> None:
    torch.manual_seed(0)
    layer = nn.Linear(6, 4).requires_grad_(False)
    column = draw_network([layer], torch.zeros(6, dtype=torch.uint8), torch.randn(1, 6), view="weights")["columns"][1]
    assert torch.allclose(contributions(column, 6), layer.weight / layer.weight.abs().max(), atol=0.01)
    norms = layer.weight.norm(dim=1)
    assert torch.allclose(shown(column).flatten(), norms / norms.max(), atol=0.01)


def test_a_map_shows_its_kernels_and_an_edge_the_size_of_one() -> None:
    torch.manual_seed(0)
    first, second = nn.Conv2d(1, 3, 3).requires_grad_(False), nn.Conv2d(3, 4, 5).requires_grad_(False)
    layers = [first, nn.ReLU(), second, nn.Flatten(), nn.Linear(16, 2).requires_grad_(False)]
    image = torch.randint(0, 256, (1, 8, 8), dtype=torch.uint8)
    columns = draw_network(layers, image, image.unsqueeze(0) / 255, view="weights")["columns"]
    assert torch.allclose(shown(columns[1]), first.weight[:, 0] / first.weight.abs().max(), atol=0.01)
    mosaic = torch.zeros(4, 11, 11)  # the three kernels of each map, in a square with a zero between
    for place, (top, left) in enumerate(((0, 0), (0, 6), (6, 0))):
        mosaic[:, top : top + 5, left : left + 5] = second.weight[:, place]
    assert torch.allclose(shown(columns[2]), mosaic / second.weight.abs().max(), atol=0.01)
    sizes = second.weight.norm(dim=(2, 3)) * second.weight.sum(dim=(2, 3)).sign()
    assert torch.allclose(contributions(columns[2], 3), sizes / sizes.abs().max(), atol=0.01)


def test_weights_do_not_depend_on_the_image() -> None:
    network = list(build(load_presets().networks["mnist-cnn"], seed=0).eval().requires_grad_(False))
    first, second = (
        draw_network(network, image, image.unsqueeze(0) / 255, view="weights") for image in torch.randint(0, 256, (2, 1, 28, 28), dtype=torch.uint8)
    )
    assert first["columns"][1:-1] == second["columns"][1:-1]


def test_tokens_have_no_weights_of_their_own() -> None:
    picture = drawn(load_presets().networks["tiny-vit"], view="weights")
    for column in picture["columns"][1:-1]:
        assert not shown(column).any() and not column["edges"]


def test_the_gradient_is_that_of_the_predicted_score() -> None:
    torch.manual_seed(0)
    layers = [nn.Conv2d(1, 3, 3), nn.ReLU(), nn.Flatten(), nn.Linear(3 * 36, 4)]
    for layer in layers:
        layer.requires_grad_(False)
    image = torch.randint(0, 256, (1, 8, 8), dtype=torch.uint8)
    scaled = (image.unsqueeze(0) / 255).requires_grad_()
    maps = layers[1](layers[0](scaled))
    scores = layers[3](maps.flatten(1))
    of_image, of_maps = torch.autograd.grad(scores.max(), [scaled, maps])
    columns = draw_network(layers, image, scaled.detach(), view="gradient")["columns"]
    assert torch.allclose(shown(columns[0]), of_image[0].abs() / of_image.abs().max(), atol=0.01)
    assert torch.allclose(shown(columns[1]), of_maps[0] / of_maps.abs().max(), atol=0.01)
    flows = contributions(columns[2], 3)
    assert flows.any(dim=1).tolist() == [index == int(scores.argmax()) for index in range(4)]
    norms = of_maps[0].flatten(1).norm(dim=1)
    assert torch.allclose(flows.sum(dim=0), norms / norms.max(), atol=0.01)


def test_a_view_that_does_not_exist_is_refused() -> None:
    assert [view_named(name) for name in ("", *VIEWS)] == ["values", *VIEWS]
    with pytest.raises(UnknownName, match="sounds"):
        view_named("sounds")
