"""Gradients through networks equal those of the exported script."""

from __future__ import annotations

import json
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from playground.autograd import gradient_flow
from playground.autograd.gradient_flow import EXPLODES_ABOVE, VANISHES_BELOW, measure_gradient_flow, verdict
from playground.data.catalogue import dataset_info
from playground.data.images import normalise
from playground.data.load import load
from playground.errors import ConfigError, PlaygroundError, ShapeError, UnknownName
from playground.network.catalogue import ACTIVATIONS
from playground.network.initialisations import INITIALISATIONS
from playground.network.presets import load_presets
from playground.network.spec import LayerSpec, NetworkSpec

PRESETS = load_presets().networks
Answer = dict[str, Any]


def measure(**request: Any) -> Answer:
    return json.loads(json.dumps(measure_gradient_flow({"device": "cpu", "batch": 8, **request}), allow_nan=False))


def execute(code: str) -> dict[str, Any]:
    """Run the script in Python; return its names."""
    assert "playground" not in code
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102 (our own code)
    return names


def weights(answer: Answer) -> dict[str, Answer]:
    return {f"{layer['name']}.{path}": weight for layer in answer["layers"] for path, weight in layer["weights"].items()}


def norms(network: nn.Module) -> dict[str, float]:
    return {name: parameter.detach().double().norm().item() for name, parameter in network.named_parameters()}


def gradients(network: nn.Module) -> dict[str, float]:
    return {name: parameter.grad.double().norm().item() for name, parameter in network.named_parameters()}


@pytest.mark.parametrize(
    ("request_", "kind", "words"),
    [
        ({"depth": 30, "activation": "Sigmoid"}, "vanishing", "times smaller"),
        ({"depth": 30, "activation": "Sigmoid", "initialisation": "small"}, "vanishing", "exactly 0"),
        ({"depth": 20, "initialisation": "large"}, "exploding", "10¹⁵ times larger"),
        ({"depth": 20, "initialisation": "kaiming"}, "fine", "every layer can learn"),
        ({"depth": 30, "activation": "Tanh", "initialisation": "xavier"}, "fine", "every layer can learn"),
        ({"depth": 30, "activation": "Sigmoid", "normalised": True}, "fine", "every layer can learn"),
        ({"depth": 30, "activation": "none", "width": 256, "initialisation": "large"}, "nan", "no longer a finite number"),
        ({"initialisation": "zeros"}, "dead", "No gradient reaches the first layer"),
        ({"network": "cifar-resnet", "initialisation": "zeros"}, "dead", "No gradient reaches the first layer"),
    ],
    ids=["sigmoid", "underflow", "large", "kaiming", "xavier", "batch norm", "overflow", "zeros", "zeros in a ResNet"],
)
def test_the_verdict_depends_on_depth_activation_and_initialisation(request_: dict[str, Any], kind: str, words: str) -> None:
    answer = measure(**{"batch": 64, **request_})
    assert answer["verdict"]["kind"] == kind, answer["verdict"]
    assert words in answer["verdict"]["text"] and answer["verdict"]["text"].endswith(".")


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_the_verdict_on_every_preset_is_fine(name: str) -> None:
    assert measure(network=name, batch=32)["verdict"]["kind"] == "fine"


def layers(*sizes: float | str | None) -> Answer:
    weighted = [{"gradient_mean": size, "weights": {"weight": {}}} for size in sizes]
    return {"loss": 1.0, "layers": [{"gradient_mean": None, "weights": {}}, *weighted, {"gradient_mean": 1e9, "weights": {}}]}


@pytest.mark.parametrize(
    ("sizes", "kind", "words"),
    [
        ((VANISHES_BELOW * 0.99, 1.0), "vanishing", "about 10⁴ times smaller"),
        ((VANISHES_BELOW * 1.01, 1.0), "fine", "0.00010 times"),
        ((EXPLODES_ABOVE * 0.99, 1.0), "fine", "99 times"),
        ((EXPLODES_ABOVE * 1.01, 1.0), "exploding", "about 10² times larger"),
        ((0.0, 1e-9, 1.0), "vanishing", "exactly 0"),
        ((0.0, 0.5, 1.0), "dead", "exactly 0"),
        ((0.0, 0.0), "dead", "exactly 0"),
        ((2.0,), "fine", "1.0 times"),
        (("inf", 1.0), "nan", "float32"),
        ((1.0, "nan", 1.0), "nan", "float32"),
    ],
)
def test_the_verdict_follows_from_the_first_and_the_last_layer(sizes: tuple[float | str, ...], kind: str, words: str) -> None:
    result = verdict(layers(*sizes))
    assert result["kind"] == kind and words in result["text"]


@pytest.mark.parametrize("loss", ["nan", "inf"])
def test_a_non_finite_loss_has_the_verdict_nan(loss: str) -> None:
    assert verdict({**layers(1.0, 1.0), "loss": loss})["kind"] == "nan"


@pytest.mark.parametrize("initialisation", INITIALISATIONS)
@pytest.mark.parametrize("name", [*sorted(PRESETS), "stack"])
def test_the_script_runs_and_has_the_same_weights(name: str, initialisation: str, capsys: pytest.CaptureFixture[str]) -> None:
    answer = measure(network=name, initialisation=initialisation, seed=3)
    network = execute(answer["code"])["network"]
    assert norms(network) == pytest.approx({path: each["norm"] for path, each in weights(answer).items()})
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].startswith("loss ") and [line.split()[0] for line in printed[1:]] == list(gradients(network))


@pytest.mark.parametrize("initialisation", INITIALISATIONS)
def test_the_script_gives_the_same_gradients_for_a_random_batch(initialisation: str, capsys: pytest.CaptureFixture[str]) -> None:
    answer = measure(network="two-layers", initialisation=initialisation, seed=5)
    names = execute(answer["code"])
    assert answer["loss"] == names["loss"].item()
    assert {path: each["gradient"] for path, each in weights(answer).items()} == pytest.approx(gradients(names["network"]))
    assert "(10,)" in answer["data"] and answer["data"].endswith(".")


@pytest.mark.parametrize(("name", "data"), [("stack", "mnist-5k"), ("tiny-vit", "mnist-5k"), ("cifar-resnet", "shapes")])
def test_the_batch_has_normalised_training_images(name: str, data: str) -> None:
    answer = measure(network=name, seed=2, batch=16, initialisation="kaiming")
    start, end = answer["code"].split("inputs = ")
    names = execute(start)
    images = load(data)
    chosen = torch.randperm(len(images.train_images))[:16]
    names |= {"inputs": normalise(images.train_images[chosen], images.info), "labels": images.train_labels[chosen]}
    exec("loss = " + end.split("loss = ")[1].split("print")[0], names)  # noqa: S102 (our own code)
    assert answer["loss"] == names["loss"].item()
    assert {path: each["gradient"] for path, each in weights(answer).items()} == pytest.approx(gradients(names["network"]))
    assert dataset_info(data).title in answer["data"] and "16" in answer["data"]


@pytest.mark.parametrize("normalised", [False, True])
@pytest.mark.parametrize("activation", ["", "none", *ACTIVATIONS])
def test_a_stack_has_the_requested_layers(activation: str, normalised: bool, capsys: pytest.CaptureFixture[str]) -> None:
    answer = measure(depth=3, width=12, activation=activation, normalised=normalised)
    block = ["Linear", *(["BatchNorm1d"] if normalised else []), *([] if activation == "none" else [activation or "ReLU"])]
    assert [layer["title"] for layer in answer["layers"]] == ["Flatten", *(block * 3), "Linear"]
    assert [layer["out_shape"] for layer in answer["layers"]] == [[8, 784], *([[8, 12]] * len(block) * 3), [8, 10]]
    expected = 784 * 12 + 12 + 2 * (12 * 12 + 12) + 12 * 10 + 10 + (3 * 2 * 12 if normalised else 0)
    assert sum(group["parameters"] for group in answer["graph"]["groups"] if group["parent"] is None) == expected
    assert sum(parameter.numel() for parameter in execute(answer["code"])["network"].parameters()) == expected
    assert "3 × " in answer["title"] and "12" in answer["title"] and all(name in answer["title"] for name in block)


@pytest.mark.parametrize(("name", "own"), [("tutorial-cnn", "ReLU"), ("lenet-5", "Tanh")])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation_of_a_preset_is_replaced(activation: str, name: str, own: str) -> None:
    plain, answer = measure(network=name), measure(network=name, activation=activation)
    assert {layer["title"] for layer in plain["layers"]} & set(ACTIVATIONS) == {own}
    assert {layer["title"] for layer in answer["layers"]} & set(ACTIVATIONS) == {activation}
    assert len(answer["layers"]) == len(plain["layers"])
    assert f"nn.{activation}(" in answer["code"] and activation in answer["title"]


def test_equal_requests_have_equal_results_and_another_seed_another() -> None:
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first, second, other = measure(network="tiny-vit", seed=1), measure(network="tiny-vit", seed=1), measure(network="tiny-vit", seed=2)
    assert torch.equal(before, torch.get_rng_state())
    assert first == second
    assert first["loss"] != other["loss"]


def test_missing_values_have_their_defaults() -> None:
    assert measure_gradient_flow({}) == measure_gradient_flow(dict(gradient_flow.DEFAULTS))


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ({"network": "vgg"}, "no network called “vgg”"),
        ({"network": None}, "network must be a text"),
        ({"network": ["stack"]}, "network must be a text"),
        ({"activation": "Softmax"}, "no activation called “Softmax”"),
        ({"activation": "relu"}, "Known:"),
        ({"network": "mnist-mlp", "activation": "none"}, "Only a stack"),
        ({"initialisation": "he"}, "no initialisation called “he”"),
        ({"initialisation": 1}, "initialisation must be a text"),
        ({"depth": 0}, "depth must be a whole number from 1 to 30, not 0"),
        ({"depth": 31}, "not 31"),
        ({"depth": 2.0}, "not 2.0"),
        ({"depth": "3"}, "not '3'"),
        ({"depth": True}, "not True"),
        ({"width": 7}, "width must be a whole number from 8 to 256"),
        ({"width": 257}, "not 257"),
        ({"batch": 1}, "batch must be a whole number from 2 to 256"),
        ({"batch": float("nan")}, "not nan"),
        ({"seed": -1}, "seed must be a whole number"),
        ({"seed": 2**31}, "seed must be a whole number"),
        ({"normalised": 1}, "normalised must be true or false"),
        ({"device": "abacus"}, "no device called “abacus”"),
        ({"depth": 0, "width": 0}, "width must be"),
    ],
    ids=str,
)
def test_invalid_values_are_refused_with_their_limits(request_: dict[str, Any], words: str) -> None:
    with pytest.raises((ConfigError, UnknownName)) as caught:
        measure_gradient_flow({"device": "cpu", "batch": 4, **request_})
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("spec", "error", "words"),
    [
        (NetworkSpec("open", (3, 8, 8), (LayerSpec("Conv2d"),)), ConfigError, "ends in shape"),
        (NetworkSpec("few", (1, 28, 28), (LayerSpec("Flatten"), LayerSpec("Linear", {"out_features": 4}))), ShapeError, "10 classes"),
        (NetworkSpec("bare", (6,), (LayerSpec("Tanh"),)), PlaygroundError, "no weights"),
    ],
    ids=["no vector", "too few classes", "no weights"],
)
def test_a_network_that_does_not_fit_is_refused(spec: NetworkSpec, error: type[PlaygroundError], words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gradient_flow, "preset", lambda _name: spec)
    with pytest.raises(error, match=words):
        measure(network=spec.name)


def test_exhausted_memory_is_explained_and_other_errors_are_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gradient_flow, "observe", lambda *_arguments: torch.empty(2**58))
    with pytest.raises(PlaygroundError, match="more memory"):
        measure()

    def broken(*_arguments: Tensor) -> Answer:
        raise RuntimeError("a bug")

    monkeypatch.setattr(gradient_flow, "observe", broken)
    with pytest.raises(RuntimeError, match="a bug"):
        measure()
