"""Built networks are bit for bit those of a plain `nn.Sequential` of the same modules."""

from __future__ import annotations

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from playground.errors import ShapeError
from playground.network.build import Network, build, execution_order, is_convolutional
from playground.network.presets import load_presets
from playground.network.spec import LayerSpec, NetworkSpec
from playground.network.trace import construct, trace

from ..support.tiers import repetitions

PRESETS = load_presets().networks
each_preset = pytest.mark.parametrize("name", sorted(PRESETS))


def plain(network: Network) -> nn.Sequential:
    """The same modules with the same weights, run in the order in which they are written."""
    return nn.Sequential(*copy.deepcopy(list(network)))


def output_and_gradients(network: nn.Sequential, images: Tensor) -> dict[str, Tensor]:
    """What one step of training computes, with the same random numbers for dropout each time."""
    images = images.clone().requires_grad_()
    torch.manual_seed(7)
    output = network(images)
    output.square().sum().backward()
    gradients = {name: parameter.grad for name, parameter in network.named_parameters()}
    return {"output": output.detach(), "input": images.grad, **gradients}


def assert_same_bits(one: dict[str, Tensor], other: dict[str, Tensor]) -> None:
    assert one.keys() == other.keys()
    different = [name for name in one if not torch.equal(one[name], other[name])]
    assert different == []


@each_preset
@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluating"])
def test_outputs_and_gradients_are_those_of_a_plain_sequential(name: str, training: bool) -> None:
    network = build(PRESETS[name], seed=0).train(training)
    images = torch.randn(4, *PRESETS[name].input_shape)
    assert_same_bits(output_and_gradients(network, images), output_and_gradients(plain(network).train(training), images))


@each_preset
def test_state_is_that_of_a_plain_sequential(name: str) -> None:
    network = build(PRESETS[name], seed=0)
    state = plain(network).state_dict()
    assert list(network.state_dict()) == list(state)
    assert_same_bits(dict(network.state_dict()), dict(state))


@settings(max_examples=repetitions(80))
@given(data=st.data())
def test_swapping_relu_and_max_pooling_changes_no_bit(data: st.DataObject) -> None:
    kernel = data.draw(st.integers(1, 4), "kernel")
    pool = nn.MaxPool2d(kernel, data.draw(st.integers(1, 3), "stride"), data.draw(st.integers(0, kernel // 2), "padding"))
    side = data.draw(st.integers(kernel, 8), "side")
    generator = torch.Generator().manual_seed(data.draw(st.integers(0, 1000), "seed"))
    images = torch.randint(-2, 3, (1, 2, side, side), generator=generator).float()  # many ties and zeros
    swapped = Network(nn.ReLU(), pool)
    assert execution_order(list(swapped)) == [1, 0]
    assert_same_bits(output_and_gradients(swapped, images), output_and_gradients(plain(swapped), images))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")], ids=["nan", "inf", "minus-inf"])
def test_swapping_relu_and_max_pooling_keeps_non_finite_values(value: float) -> None:
    images = torch.randn(1, 1, 4, 4)
    images[0, 0, 1, 1] = value
    swapped = Network(nn.ReLU(), nn.MaxPool2d(2))
    assert torch.equal(swapped(images).nan_to_num(nan=-7), plain(swapped)(images).nan_to_num(nan=-7))


def test_swapping_relu_and_max_pooling_is_exact_for_windows_over_padding_only() -> None:
    layers = (LayerSpec("ReLU"), LayerSpec("MaxPool2d", {"kernel_size": 2, "padding": 1, "dilation": 8}))
    spec = NetworkSpec("test", (1, 7, 7), layers)
    if not trace(spec)[1].error:  # to refuse such a layer is as good
        images = torch.randn(1, 1, 7, 7)
        assert torch.equal(build(spec)(images), plain(build(spec))(images))


def test_only_relu_before_max_pooling_is_swapped() -> None:
    layers = [nn.MaxPool2d(2), nn.ReLU(), nn.AvgPool2d(2), nn.ReLU(), nn.MaxPool2d(2), nn.ReLU(), nn.MaxPool2d(2), nn.Tanh(), nn.MaxPool2d(2)]
    assert execution_order(layers) == [0, 1, 2, 4, 3, 6, 5, 7, 8]


def test_every_layer_runs_once() -> None:
    layers = [nn.ReLU(), nn.ReLU(), nn.MaxPool2d(2), nn.MaxPool2d(2), nn.ReLU(), nn.MaxPool2d(2)]
    assert sorted(execution_order(layers)) == list(range(len(layers)))


def test_a_slice_of_a_network_has_the_same_layers() -> None:
    network = build(PRESETS["mnist-mlp"], seed=0).eval()
    images = torch.randn(2, 1, 28, 28)
    assert torch.equal(network[:3](images), plain(network)[:3](images))


@each_preset
def test_a_seed_determines_the_weights(name: str) -> None:
    first, again, other = (build(PRESETS[name], seed=seed).state_dict() for seed in (3, 3, 4))
    assert_same_bits(dict(first), dict(again))
    assert any(not torch.equal(first[key], other[key]) for key in first)


def test_building_with_a_seed_does_not_change_torchs_generator() -> None:
    torch.manual_seed(1)
    before = torch.get_rng_state()
    build(PRESETS["cifar-resnet"], seed=5)
    assert torch.equal(before, torch.get_rng_state())


@each_preset
@pytest.mark.parametrize("seed", [0, None], ids=["seed", "generator-as-it-stands"])
def test_weights_are_those_of_torchs_initialisation(name: str, seed: int | None) -> None:
    spec = PRESETS[name]
    torch.manual_seed(0)
    written = nn.Sequential(*[construct(step.layer, step.in_shape) for step in trace(spec)])
    torch.manual_seed(0)
    assert_same_bits(dict(build(spec, seed=seed).state_dict()), dict(written.state_dict()))


def test_a_network_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ShapeError, match="Layer 0"):
        build(NetworkSpec("test", (10,), (LayerSpec("Conv2d"),)))


@pytest.mark.parametrize(("name", "convolutional"), [("mnist-mlp", False), ("tutorial-cnn", True), ("cifar-resnet", True)])
def test_networks_with_convolutions_are_recognised(name: str, convolutional: bool) -> None:
    assert is_convolutional(build(PRESETS[name])) is convolutional
