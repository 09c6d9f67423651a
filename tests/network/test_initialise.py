"""Initialisations against `torch.nn.init` called by hand, and against the code that is shown for them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from playground.errors import UnknownName
from playground.network.build import build
from playground.network.catalogue import LAYERS
from playground.network.initialisations import INITIALISATIONS
from playground.network.initialise import NORMALISATIONS, initialise, source
from playground.network.presets import load_presets

PRESETS = load_presets().networks
each_preset = pytest.mark.parametrize("name", sorted(PRESETS))
each = pytest.mark.parametrize("initialisation", INITIALISATIONS)

BY_HAND: dict[str, Callable[[Tensor], object]] = {
    "kaiming": lambda weight: nn.init.kaiming_normal_(weight, nonlinearity="relu"),
    "xavier": lambda weight: nn.init.xavier_uniform_(weight),
    "orthogonal": lambda weight: nn.init.orthogonal_(weight),
    "zeros": lambda weight: nn.init.zeros_(weight),
    "small": lambda weight: nn.init.normal_(weight, std=0.01),
    "large": lambda weight: nn.init.normal_(weight, std=1),
}


def state(network: nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in network.state_dict().items()}


def different(one: dict[str, Tensor], other: dict[str, Tensor]) -> list[str]:
    assert one.keys() == other.keys()
    return [name for name in one if not torch.equal(one[name], other[name])]


def test_all_of_them_are_tried_by_hand() -> None:
    assert {*BY_HAND, "default"} == INITIALISATIONS.keys()


@pytest.mark.parametrize("initialisation", BY_HAND)
@pytest.mark.parametrize("layer", [lambda: nn.Linear(12, 7), lambda: nn.Conv2d(3, 5, 3)], ids=["Linear", "Conv2d"])
def test_weights_are_drawn_as_torch_draws_them(initialisation: str, layer: Callable[[], nn.Module]) -> None:
    module = layer()
    initialise(module, initialisation, seed=3)
    torch.manual_seed(3)
    expected = torch.empty_like(module.weight)
    BY_HAND[initialisation](expected)
    assert torch.equal(module.weight, expected)
    assert not module.bias.any()


@each
@each_preset
def test_the_code_gives_the_same_weights(initialisation: str, name: str) -> None:
    network, written = build(PRESETS[name], seed=1), build(PRESETS[name], seed=1)
    initialise(network, initialisation, seed=5)
    torch.manual_seed(5)
    exec(source(initialisation), {"torch": torch, "nn": nn, "network": written})  # noqa: S102 (our own code)
    assert different(state(network), state(written)) == []


def test_pytorchs_own_weights_stay() -> None:
    network = build(PRESETS["tiny-vit"], seed=0)
    before = state(network)
    initialise(network, "default", seed=0)
    assert different(before, state(network)) == []


@pytest.mark.parametrize("initialisation", BY_HAND)
def test_normalisation_and_positions_stay_and_all_else_is_drawn(initialisation: str) -> None:
    for name in ("cifar-resnet", "tiny-vit"):
        network = build(PRESETS[name], seed=0)
        for parameter in network.parameters():
            nn.init.constant_(parameter, 7.0)
        initialise(network, initialisation, seed=0)
        kept = {f"{path}.{own}" for path, part in network.named_modules() if isinstance(part, NORMALISATIONS) for own, _ in part.named_parameters()}
        kept |= {path for path, _ in network.named_parameters() if path.endswith("position")}
        assert kept
        assert {path for path, parameter in network.named_parameters() if (parameter == 7.0).all()} == kept


def test_attention_is_drawn_too() -> None:
    attention = nn.MultiheadAttention(8, 2)
    initialise(attention, "zeros", seed=0)
    assert all(not parameter.any() for parameter in attention.parameters())


def test_a_layer_norm_over_images_stays() -> None:
    norm = nn.LayerNorm([2, 4, 4])  # its weight has three dimensions
    initialise(nn.Sequential(norm), "zeros", seed=0)
    assert (norm.weight == 1).all()


@pytest.mark.parametrize("initialisation", BY_HAND)
def test_weights_of_one_dimension_stay(initialisation: str) -> None:
    slopes = nn.PReLU(3)
    initialise(slopes, initialisation, seed=0)
    assert (slopes.weight == 0.25).all()


def test_every_normalisation_of_the_catalogue_is_known() -> None:
    names = {layer.name for layer in LAYERS if layer.group == "Normalisation"}
    assert names <= {norm.__name__ for norm in NORMALISATIONS}


def test_a_seed_means_the_same_weights_and_disturbs_nothing() -> None:
    torch.manual_seed(1)
    before = torch.get_rng_state()
    one, again, other = (build(PRESETS["mnist-mlp"], seed=0) for _ in range(3))
    initialise(one, "kaiming", seed=4)
    initialise(again, "kaiming", seed=4)
    initialise(other, "kaiming", seed=5)
    assert torch.equal(before, torch.get_rng_state())
    assert different(state(one), state(again)) == []
    assert different(state(one), state(other)) != []


def test_without_a_seed_torchs_generator_is_taken_as_it_stands() -> None:
    one, other = nn.Linear(3, 3), nn.Linear(3, 3)
    torch.manual_seed(2)
    initialise(one, "large", seed=None)
    after = torch.get_rng_state()
    initialise(other, "large", seed=2)
    assert torch.equal(one.weight, other.weight)
    torch.manual_seed(2)
    assert not torch.equal(after, torch.get_rng_state())


@each
def test_each_is_told_in_a_sentence_with_its_source(initialisation: str) -> None:
    told = INITIALISATIONS[initialisation]
    assert told.title and told.summary.endswith(".") and told.source.startswith("http")


def test_a_wrong_name_is_refused() -> None:
    with pytest.raises(UnknownName, match="kaiming"):
        initialise(nn.Linear(2, 2), "he", seed=0)
    with pytest.raises(UnknownName, match="kaiming"):
        source("he")
