"""Initialisations against `torch.nn.init`, and against the generated code."""

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


def test_every_initialisation_has_a_reference_implementation() -> None:
    assert {*BY_HAND, "default"} == INITIALISATIONS.keys()


@pytest.mark.parametrize("initialisation", BY_HAND)
@pytest.mark.parametrize("layer", [lambda: nn.Linear(12, 7), lambda: nn.Conv2d(3, 5, 3)], ids=["Linear", "Conv2d"])
def test_weights_are_those_of_torch_nn_init(initialisation: str, layer: Callable[[], nn.Module]) -> None:
    module = layer()
    initialise(module, initialisation, seed=3)
    torch.manual_seed(3)
    expected = torch.empty_like(module.weight)
    BY_HAND[initialisation](expected)
    assert torch.equal(module.weight, expected)
    assert not module.bias.any()


@each
@each_preset
def test_the_generated_code_gives_the_same_weights(initialisation: str, name: str) -> None:
    network, written = build(PRESETS[name], seed=1), build(PRESETS[name], seed=1)
    initialise(network, initialisation, seed=5)
    torch.manual_seed(5)
    exec(source(initialisation), {"torch": torch, "nn": nn, "network": written})  # noqa: S102 (our own code)
    assert different(state(network), state(written)) == []


def test_the_default_initialisation_keeps_pytorchs_weights() -> None:
    network = build(PRESETS["tiny-vit"], seed=0)
    before = state(network)
    initialise(network, "default", seed=0)
    assert different(before, state(network)) == []


@pytest.mark.parametrize("initialisation", BY_HAND)
def test_only_normalisations_and_positions_keep_their_values(initialisation: str) -> None:
    for name in ("cifar-resnet", "tiny-vit"):
        network = build(PRESETS[name], seed=0)
        for parameter in network.parameters():
            nn.init.constant_(parameter, 7.0)
        initialise(network, initialisation, seed=0)
        unchanged = {f"{path}.{own}" for path, part in network.named_modules() if isinstance(part, NORMALISATIONS) for own, _ in part.named_parameters()}
        unchanged |= {path for path, _ in network.named_parameters() if path.endswith("position")}
        assert unchanged
        assert {path for path, parameter in network.named_parameters() if (parameter == 7.0).all()} == unchanged


def test_attention_weights_are_initialised() -> None:
    attention = nn.MultiheadAttention(8, 2)
    initialise(attention, "zeros", seed=0)
    assert all(not parameter.any() for parameter in attention.parameters())


def test_layer_norm_over_images_keeps_its_values() -> None:
    norm = nn.LayerNorm([2, 4, 4])  # its weight has three dimensions
    initialise(nn.Sequential(norm), "zeros", seed=0)
    assert (norm.weight == 1).all()


@pytest.mark.parametrize("initialisation", BY_HAND)
def test_one_dimensional_weights_keep_their_values(initialisation: str) -> None:
    slopes = nn.PReLU(3)
    initialise(slopes, initialisation, seed=0)
    assert (slopes.weight == 0.25).all()


def test_every_normalisation_of_the_catalogue_is_excluded() -> None:
    names = {layer.name for layer in LAYERS if layer.group == "Normalisation"}
    assert names <= {norm.__name__ for norm in NORMALISATIONS}


def test_a_seed_determines_the_weights_and_does_not_change_torchs_generator() -> None:
    torch.manual_seed(1)
    before = torch.get_rng_state()
    one, again, other = (build(PRESETS["mnist-mlp"], seed=0) for _ in range(3))
    initialise(one, "kaiming", seed=4)
    initialise(again, "kaiming", seed=4)
    initialise(other, "kaiming", seed=5)
    assert torch.equal(before, torch.get_rng_state())
    assert different(state(one), state(again)) == []
    assert different(state(one), state(other)) != []


def test_without_a_seed_torchs_generator_is_used() -> None:
    one, other = nn.Linear(3, 3), nn.Linear(3, 3)
    torch.manual_seed(2)
    initialise(one, "large", seed=None)
    after = torch.get_rng_state()
    initialise(other, "large", seed=2)
    assert torch.equal(one.weight, other.weight)
    torch.manual_seed(2)
    assert not torch.equal(after, torch.get_rng_state())


@each
def test_each_initialisation_has_a_summary_and_a_source(initialisation: str) -> None:
    entry = INITIALISATIONS[initialisation]
    assert entry.title and entry.summary.endswith(".") and entry.source.startswith("http")


def test_an_unknown_initialisation_is_refused() -> None:
    with pytest.raises(UnknownName, match="kaiming"):
        initialise(nn.Linear(2, 2), "he", seed=0)
    with pytest.raises(UnknownName, match="kaiming"):
        source("he")
