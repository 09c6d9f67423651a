"""Networks edited by the coach still fit their data, and have the intended change."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from playground.network.advice import advise
from playground.network.presets import load_presets
from playground.network.spec import LayerSpec, NetworkSpec
from playground.network.trace import check, trace
from playground.runs.coach import edits

from .suite import VIT, cnn, dropout, layers, linear, mlp

Edit = Callable[[NetworkSpec], NetworkSpec | None]

EDITS: tuple[Edit, ...] = (
    edits.without_output_activation,
    edits.normalised,
    edits.with_relus,
    edits.leaky,
    edits.with_activations,
    edits.with_dropout,
    edits.with_light_dropout,
    edits.wider,
)
NETWORKS = {
    **load_presets().networks,
    "linear model": mlp(),
    "linear layers": mlp(32, 16, behind=()),
    "sigmoids": mlp(32, 16, behind=("Sigmoid",), end=("Softmax",)),
    "much dropout": mlp(32, behind=("ReLU", dropout(0.9))),
    "CNN": cnn(behind=("Tanh",), end=("ReLU",)),
    "ViT": VIT,
}


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.__name__)
@pytest.mark.parametrize("name", NETWORKS)
def test_an_edited_network_fits_as_before(name: str, edit: Edit) -> None:
    before = NETWORKS[name]
    after = edit(before)
    if after is not None:
        assert after.layers != before.layers
        assert after.name != before.name
        assert check(after, before.input_shape)[-1].out_shape == trace(before)[-1].out_shape
        assert edit is edits.wider or edit(after) is None  # there is nothing left to edit


def types(spec: NetworkSpec | None) -> list[str]:
    assert spec is not None
    return [layer.type for layer in spec.layers]


def test_wider_layers_have_a_multiple_of_their_width() -> None:
    after = edits.wider(mlp(24))
    assert after is not None
    (before, wide) = (next(layer.params["out_features"] for layer in spec.layers if layer.type == "Linear") for spec in (mlp(24), after))
    assert wide > before and wide % before == 0


def test_a_layer_that_would_become_too_wide_stays() -> None:
    assert edits.wider(mlp(256)) is not None and edits.wider(mlp(257)) is None


def test_the_normalisation_fits_the_rank_of_its_input() -> None:
    assert types(edits.normalised(cnn())).count("BatchNorm2d") == 2
    assert types(edits.normalised(cnn())).count("BatchNorm1d") == 1
    tokens = layers(("PatchEmbedding", {"patch_size": 7}), linear(32), "TokenMean", linear(10))
    assert types(edits.normalised(tokens))[:3] == ["PatchEmbedding", "Linear", "LayerNorm"]


def test_the_last_layer_is_not_normalised_and_does_not_drop_pixels() -> None:
    assert types(edits.normalised(mlp(8))) == ["Flatten", "Linear", "BatchNorm1d", "ReLU", "Linear"]
    assert types(edits.with_dropout(mlp(8))) == ["Flatten", "Linear", "ReLU", "Dropout", "Linear"]
    assert edits.with_dropout(mlp()) is None


@pytest.mark.parametrize("end", [("Softmax",), ("ReLU",), ("Sigmoid", "Dropout"), ("Tanh", "Softmax")], ids=" ".join)
def test_output_activations_agree_with_the_warnings_of_the_network_page(end: tuple[str, ...]) -> None:
    spec = mlp(8, end=end)
    warned = {"softmax-before-loss", "activation-last"}
    assert any(advice.kind in warned for advice in advise(spec, trace(spec), None, 64, None))
    after = edits.without_output_activation(spec)
    assert after is not None
    assert not any(advice.kind in warned for advice in advise(after, trace(after), None, 64, None))
    assert edits.output_activations(after) == []


@pytest.mark.parametrize(
    "spec", [mlp(8, 8, behind=()), mlp(8, behind=("BatchNorm1d",)), mlp(8, 8, 8, behind=(dropout(0.2),))], ids=["plain", "norm", "dropout"]
)
def test_activations_are_added_where_the_network_page_warns(spec: NetworkSpec) -> None:
    def missing(network: NetworkSpec) -> list[str]:
        return [advice.kind for advice in advise(network, trace(network), None, 64, None) if advice.kind == "no-activation"]

    after = edits.with_activations(spec)
    assert missing(spec)
    assert after is not None
    assert not missing(after)


def test_a_network_with_too_many_layers_is_not_proposed() -> None:
    deep = NetworkSpec("deep", (4,), tuple(LayerSpec("Linear", {"out_features": 4}) for _ in range(150)))
    assert edits.normalised(deep) is None
