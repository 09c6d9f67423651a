"""Attribution: every method against its formula and against captum."""

from __future__ import annotations

import base64
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier, Event
from typing import Any

import numpy as np
import pytest
import torch
from captum.attr import IntegratedGradients, LayerGradCam, Occlusion, Saliency
from torch import Tensor, nn
from torch.nn import functional as F

from playground.data.catalogue import dataset_info
from playground.data.input_scaling import STANDARDISED
from playground.data.load import load
from playground.errors import CheckpointError, ConfigError, ShapeError, UnknownName
from playground.inference.attribution import METHODS, Attribution, as_json, attribute, contrast, methods_for
from playground.inference.models import DEFAULT_MODEL, Model, load_model
from playground.network.build import Network, build
from playground.network.presets import load_presets, preset
from playground.network.spec import LayerSpec, NetworkSpec

from ..support.tiers import repetitions

IMAGES = {name: spec for name, spec in load_presets().networks.items() if len(spec.input_shape) == 3}
each_method = pytest.mark.parametrize("method", sorted(METHODS))
each_network = pytest.mark.parametrize("name", ["mnist-cnn", "cifar-cnn", "cifar-resnet"])


def model_of(spec: NetworkSpec, network: Network | None = None) -> Model:
    """A network that has learnt nothing, as `load_model` would hand it out."""
    info = dataset_info("mnist-5k" if spec.input_shape[0] == 1 else "shapes")
    ready = (network or build(spec, seed=3)).eval().requires_grad_(False)
    return Model(spec.name, spec, info, STANDARDISED, ready, torch.device("cpu"))


def noise(spec: NetworkSpec, seed: int = 1) -> Tensor:
    return torch.randint(0, 256, spec.input_shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))


def digits(count: int) -> tuple[Model, Tensor]:
    return load_model(DEFAULT_MODEL), load("mnist-5k").test_images[:count]


def logits(model: Model, images: Tensor) -> Tensor:
    with torch.no_grad():
        answers: Tensor = model.network(images)
    return answers


def gradient(model: Model, inputs: Tensor, target: int, against: int | None = None) -> Tensor:
    """Of the sum over a batch, which is that of each image for itself."""
    inputs = inputs.detach().clone().requires_grad_()
    answers = model.network(inputs)
    score = answers[:, target] if against is None else answers[:, target] - answers[:, against]
    return torch.autograd.grad(score.sum(), inputs)[0]


def black(model: Model) -> Tensor:
    return model.prepare(torch.zeros(1, *model.info.input_shape, dtype=torch.uint8))


def riemann(model: Model, image: Tensor, target: int, steps: int = 1024) -> Tensor:
    """Integrated gradients by midpoints of equal steps."""
    start, path = black(model), model.prepare(image[None]) - black(model)
    places = (torch.arange(steps) + 0.5) / steps
    total = sum(gradient(model, start + part.view(-1, 1, 1, 1) * path, target).sum(dim=0) for part in places.split(128))
    assert isinstance(total, Tensor)
    return (total / steps * path[0]).sum(dim=0)


def grad_cam(model: Model, image: Tensor, place: int, target: int, against: int | None = None) -> Tensor:
    """By hooks, in the order of the stack, on a network that nobody else asks."""
    network, outputs = build(model.spec), []
    network.load_state_dict(model.network.state_dict())
    network.eval().keeps_order = True
    network[place].register_forward_hook(lambda _layer, _inputs, output: outputs.append(output))
    answers = network(model.prepare(image[None]))[0]
    score = answers[target] if against is None else answers[target] - answers[against]
    weights = torch.autograd.grad(score, outputs[0])[0].mean(dim=(2, 3), keepdim=True)
    maps = (weights * outputs[0]).sum(dim=1, keepdim=True).clamp(min=0)
    return F.interpolate(maps, image.shape[1:], mode="bilinear", align_corners=False)[0, 0].detach()


def occlusion(model: Model, image: Tensor, side: int, stride: int, target: int) -> Tensor:
    """The mean over all patches that cover a pixel; the last of a row ends at the edge."""
    inputs, paper = model.prepare(image[None]), black(model)
    _, height, width = image.shape
    before = logits(model, inputs)[0, target]
    falls, counts = torch.zeros(height, width), torch.zeros(height, width)
    for top in range(0, height - side + stride, stride):
        for left in range(0, width - side + stride, stride):
            covered, patch = inputs.clone(), (slice(top, top + side), slice(left, left + side))
            covered[0, :, *patch] = paper[0, :, *patch]
            falls[patch] += before - logits(model, covered)[0, target]
            counts[patch] += 1
    return falls / counts


def state(model: Model) -> tuple[Any, ...]:
    """All of a shared network that a request could leave changed."""
    modules, parameters = list(model.network.modules()), list(model.network.parameters())
    values = [value.numpy().tobytes() for value in model.network.state_dict().values()]
    hooks = [len(hooks) for module in modules for name, hooks in vars(module).items() if "hooks" in name]
    flags = [(parameter.requires_grad, parameter.grad is None, parameter.data_ptr()) for parameter in parameters]
    return values, hooks, flags, [module.training for module in modules], model.network.keeps_order, [id(module) for module in modules]


@each_network
def test_saliency_is_the_largest_gradient_over_the_channels(name: str) -> None:
    model = model_of(preset(name))
    image = noise(model.spec)
    expected = gradient(model, model.prepare(image[None]), 4)[0].abs().amax(dim=0)
    attribution = attribute(model, image, "saliency", 4)
    assert torch.equal(attribution.values, expected) and expected.max() > 0
    assert attribution.bound == expected.max() and not attribution.signed and attribution.note == "" and attribution.total is attribution.difference is None


def test_integrated_gradients_are_those_of_a_fine_riemann_sum() -> None:
    model, images = digits(2)
    for image in images:
        target = int(model.probabilities(image[None]).argmax())
        expected = riemann(model, image, target)
        attribution = attribute(model, image, "integrated-gradients", target)
        assert (attribution.values - expected).abs().sum() < 0.03 * expected.abs().sum() and attribution.signed


def test_integrated_gradients_add_up_to_the_difference_of_the_logits() -> None:
    model, images = digits(repetitions(10))
    for image in images:
        target = int(model.probabilities(image[None]).argmax())
        attribution = attribute(model, image, "integrated-gradients", target)
        expected = float(logits(model, model.prepare(image[None]))[0, target] - logits(model, black(model))[0, target])
        assert attribution.total == pytest.approx(float(attribution.values.sum()), rel=1e-4)
        assert attribution.difference == pytest.approx(expected, rel=1e-3, abs=1e-4)
        assert attribution.total == pytest.approx(expected, rel=0.0101)
        assert f"{attribution.total:.3g}".replace("-", "−") in attribution.note and f"{attribution.difference:.3g}".replace("-", "−") in attribution.note


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 32, 32)], ids=str)
def test_a_linear_networks_integrated_gradients_are_weight_times_input(shape: tuple[int, int, int]) -> None:
    model = model_of(NetworkSpec("linear", shape, (LayerSpec("Flatten"), LayerSpec("Linear", {"out_features": 10}))))
    image = noise(model.spec)
    weight = model.network[1].weight
    assert isinstance(weight, Tensor)
    expected = (weight[7].view(shape) * (model.prepare(image[None]) - black(model))[0]).sum(dim=0)
    attribution = attribute(model, image, "integrated-gradients", 7)
    torch.testing.assert_close(attribution.values, expected, rtol=1e-5, atol=1e-6)


def test_grad_cam_of_the_shipped_network_is_that_computed_with_hooks() -> None:
    model, images = digits(6)
    attributions = []
    for image in images:
        target = int(model.probabilities(image[None]).argmax())
        attributions.append(attribute(model, image, "grad-cam", target))
        torch.testing.assert_close(attributions[-1].values, grad_cam(model, image, 7, target))
    assert not any(attribution.signed or attribution.values.min() < 0 for attribution in attributions)
    assert {bool(attribution.values.any()): "3×3" in attribution.note for attribution in attributions} == {True: True, False: False}


@pytest.mark.parametrize(("name", "place"), [("cifar-resnet", 5), ("tutorial-cnn", 3), ("cifar-cnn", 3), ("lenet-5", 3)])
def test_grad_cam_uses_the_last_convolution_with_more_than_one_position(name: str, place: int) -> None:
    model = model_of(preset(name))
    images = [noise(model.spec, seed) for seed in range(4)]
    attributions = [attribute(model, image, "grad-cam", 2).values for image in images]
    torch.testing.assert_close(attributions, [grad_cam(model, image, place, 2) for image in images])
    assert max(values.max() for values in attributions) > 0


@pytest.mark.parametrize(("name", "side", "stride"), [("mnist-cnn", 4, 2), ("cifar-cnn", 5, 2)])
def test_occlusion_is_the_mean_drop_of_the_logit_over_the_patches_that_cover_a_pixel(name: str, side: int, stride: int) -> None:
    model = load_model(DEFAULT_MODEL) if name == DEFAULT_MODEL else model_of(preset(name))
    image = load("mnist-5k").test_images[0] if name == DEFAULT_MODEL else noise(model.spec)
    attribution = attribute(model, image, "occlusion", 2)
    torch.testing.assert_close(attribution.values, occlusion(model, image, side, stride, 2), rtol=1e-3, atol=1e-5)
    assert attribution.signed and attribution.bound > 1e-3 and attribution.note == ""


@each_method
def test_a_contrast_explains_the_difference_of_two_logits(method: str) -> None:
    model, images = digits(1)
    image, (first, second) = images[0], (2, 7)
    attribution = contrast(model, image, method, first, second)
    assert (attribution.target, attribution.versus) == (first, second) and attribution.bound > 0
    if method == "saliency":
        assert torch.equal(attribution.values, gradient(model, model.prepare(image[None]), first, second)[0, 0].abs())
    elif method == "grad-cam":
        torch.testing.assert_close(attribution.values, grad_cam(model, image, 7, first, second))
    elif method == "occlusion":
        expected = attribute(model, image, method, first).values - attribute(model, image, method, second).values
        torch.testing.assert_close(attribution.values, expected, rtol=1e-3, atol=1e-4)
    else:
        expected = riemann(model, image, first) - riemann(model, image, second)
        assert (attribution.values - expected).abs().sum() < 0.04 * expected.abs().sum() and "first class" in attribution.note


@pytest.mark.parametrize("name", sorted(IMAGES))
@each_method
def test_every_preset_can_be_explained(name: str, method: str) -> None:
    model = model_of(IMAGES[name])
    image = noise(model.spec)
    if name in ("mnist-mlp", "tiny-vit") and method == "grad-cam":
        assert methods_for(model) == ["saliency", "integrated-gradients", "occlusion"]
        with pytest.raises(ShapeError, match=f"“{name}” has none"):
            attribute(model, image, method, 0)
        return
    before = state(model)
    attribution = attribute(model, image, method, 9)
    assert (
        attribution.values.shape == image.shape[1:]
        and attribution.values.dtype == torch.float32
        and attribution.values.isfinite().all()
        and not attribution.values.requires_grad
    )
    assert attribution.bound > 0 or "there is none" in attribution.note
    assert method in methods_for(model) and state(model) == before


def test_the_explained_presets_are_all_presets_for_images() -> None:
    assert set(load_presets().networks) - set(IMAGES) == {"two-layers"} and {spec.input_shape[0] for spec in IMAGES.values()} == {1, 3}


@each_method
def test_attribution_in_several_threads_does_not_change_a_shared_network(method: str) -> None:
    model, images = digits(8)
    alone = [attribute(model, image, method, 3).values for image in images[:2]]
    before, done, start = state(model), Event(), Barrier(3)

    def explain(place: int) -> list[Tensor]:
        start.wait(30)
        return [attribute(model, images[place], method, 3).values for _ in range(repetitions(12))]

    def predict() -> int:
        start.wait(30)
        count = 0
        while not done.is_set():
            model.probabilities(images)
            count += 1
        return count

    with ThreadPoolExecutor(3) as threads:
        other = threads.submit(predict)
        try:
            explained = list(threads.map(explain, range(2), timeout=120))
        finally:
            done.set()
    assert other.result() > 0
    for expected, repeated in zip(alone, explained, strict=True):
        assert all(torch.equal(values, expected) for values in repeated)
    assert state(model) == before


@each_method
def test_in_place_layers_do_not_change_the_attribution(method: str) -> None:
    layers = tuple(
        LayerSpec(*layer) for layer in (("ReLU",), ("Conv2d", {"out_channels": 4}), ("ReLU",), ("MaxPool2d",), ("Flatten",), ("Linear", {"out_features": 10}))
    )
    spec = NetworkSpec("in-place", (1, 28, 28), layers)
    usual, network = model_of(spec), build(spec, seed=3)
    for layer in network:
        if isinstance(layer, nn.ReLU):
            layer.inplace = True
    image = noise(spec)
    torch.testing.assert_close(attribute(model_of(spec, network), image, method, 5).values, attribute(usual, image, method, 5).values)


@each_method
@pytest.mark.parametrize("keeps_order", [False, True])
def test_the_order_of_execution_is_respected(method: str, keeps_order: bool) -> None:
    model = model_of(preset("tutorial-cnn"))
    image = noise(model.spec)
    usual = attribute(model, image, method, 1)
    model.network.keeps_order = keeps_order
    torch.testing.assert_close(attribute(model, image, method, 1).values, usual.values)
    assert model.network.keeps_order is keeps_order


@each_method
def test_attribution_works_where_gradients_are_disabled(method: str) -> None:
    model, images = digits(1)
    with torch.no_grad():
        attribution = attribute(model, images[0], method, 3)
    assert torch.equal(attribution.values, attribute(model, images[0], method, 3).values)


@pytest.mark.parametrize("method", ["integrated-gradients", "occlusion"])
def test_the_attribution_of_a_black_image_is_zero(method: str) -> None:
    attribution = attribute(load_model(DEFAULT_MODEL), torch.zeros(1, 28, 28, dtype=torch.uint8), method, 0)
    assert attribution.bound == 0 and set(base64.b64decode(as_json(attribution)["values"])) == {0}


@each_method
def test_json_has_a_byte_for_each_pixel(method: str) -> None:
    model, images = digits(1)
    attribution = attribute(model, images[0], method, 7)
    packed = as_json(attribution)
    values = np.frombuffer(base64.b64decode(packed["values"]), dtype=np.int8).reshape(packed["height"], packed["width"])
    assert np.abs(values.astype(int)).max() == 127 and (values.min() < 0) == attribution.signed == packed["signed"]
    np.testing.assert_allclose(values / 127 * packed["bound"], attribution.values.numpy(), atol=attribution.bound / 254 * 1.001)
    assert packed["note"] == attribution.note and set(packed) == {"values", "width", "height", "signed", "bound", "note"}


def test_json_of_a_rectangular_image_is_in_row_major_order() -> None:
    packed = as_json(Attribution("occlusion", 0, None, torch.tensor([[1.0, -2.0, 0.0], [0.5, 0.0, 2.0]]), True))
    assert (packed["width"], packed["height"], packed["bound"]) == (3, 2, 2.0)
    assert np.frombuffer(base64.b64decode(packed["values"]), dtype=np.int8).tolist() == [64, -127, 0, 32, 0, 127]


def test_unknown_methods_classes_and_shapes_are_refused() -> None:
    model, images = digits(1)
    with pytest.raises(UnknownName, match="integrated-gradients"):
        attribute(model, images[0], "guesswork", 0)
    for target in (-1, 10):
        with pytest.raises(ConfigError, match="from 0 to 9"):
            attribute(model, images[0], "saliency", target)
        with pytest.raises(ConfigError, match="from 0 to 9"):
            contrast(model, images[0], "saliency", 0, target)
    with pytest.raises(ConfigError, match="two different classes"):
        contrast(model, images[0], "saliency", 3, 3)
    with pytest.raises(ShapeError, match=r"3×32×32.*1×28×28"):
        attribute(model, torch.zeros(3, 32, 32, dtype=torch.uint8), "saliency", 0)


@each_method
def test_a_network_with_non_finite_outputs_is_refused(method: str) -> None:
    model = model_of(preset("mnist-fast"))
    network = build(model.spec, seed=3)
    assert isinstance(network[-1].bias, Tensor) and isinstance(network[-1].weight, Tensor)
    network[-1].weight.data.fill_(float("nan"))
    with pytest.raises(CheckpointError, match="not finite"):
        attribute(replace(model, network=network.eval().requires_grad_(False)), noise(model.spec), method, 0)


def test_each_method_has_a_description_and_a_source() -> None:
    assert list(METHODS) == ["saliency", "integrated-gradients", "grad-cam", "occlusion"]
    for method in METHODS.values():
        assert method.description.endswith(".") and method.description[0].isupper() and method.source.startswith("https://arxiv.org/abs/")


def captums(model: Model, image: Tensor, method: str, target: int) -> Tensor:
    """The same attribution, computed by captum."""
    inputs, start = model.prepare(image[None]), black(model)
    if method == "saliency":
        return Saliency(model.network).attribute(inputs.requires_grad_(), target)[0].amax(dim=0)
    if method == "integrated-gradients":
        return IntegratedGradients(model.network).attribute(inputs, start, target, n_steps=2000, method="riemann_middle", internal_batch_size=250)[0].sum(dim=0)
    if method == "grad-cam":
        network = build(model.spec)
        network.load_state_dict(model.network.state_dict())
        network.eval().keeps_order = True
        maps = LayerGradCam(network, network[7]).attribute(inputs, target, relu_attributions=True)
        return F.interpolate(maps, image.shape[1:], mode="bilinear", align_corners=False)[0, 0].detach()
    return Occlusion(model.network).attribute(inputs, (1, 4, 4), (1, 2, 2), start, target)[0, 0]


@pytest.mark.parametrize(
    ("method", "tolerance"),
    [
        pytest.param("saliency", 1e-6, id="saliency"),
        pytest.param("integrated-gradients", 0.03, id="integrated-gradients"),
        pytest.param("grad-cam", 1e-5, id="grad-cam"),
        pytest.param("occlusion", 1e-3, id="occlusion"),
    ],
)
def test_every_method_agrees_with_captum(method: str, tolerance: float) -> None:
    model, images = digits(repetitions(10))
    for image in images:
        target = int(model.probabilities(image[None]).argmax())
        expected = captums(model, image, method, target)
        attribution = attribute(model, image, method, target).values
        assert (attribution - expected).abs().sum() <= tolerance * expected.abs().sum() and expected.abs().sum() > 0
