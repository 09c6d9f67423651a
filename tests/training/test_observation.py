"""Observations and snapshots equal values computed by plain PyTorch and NumPy, and stay within their budget."""

from __future__ import annotations

import base64
import copy
import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

from playground.data.images import ImageSet, normalise
from playground.training.events import Observed, Snapshot, from_json
from playground.training.instruments.iteration import Iteration
from playground.training.instruments.observation import (
    BINS,
    FILTERS,
    GALLERY,
    HEAD_START,
    OBSERVATIONS,
    SAMPLE,
    SHARE,
    SNAPSHOTS,
    Observer,
    filters,
    gallery_of,
    observe,
    snapshot,
)
from playground.training.loop import Training

from ..support.tiers import repetitions
from .tiny import CONFIG, CONV, DENSE, RESIDUAL, Always, observed_training

POOLED = replace(CONV, layers=tuple(layer for layer in CONV.layers if layer.type != "Dropout"))
SPECS = {"dense": DENSE, "conv": POOLED, "residual": RESIDUAL}


def sgd_iteration(module: nn.Sequential, inputs: Tensor, targets: Tensor, rate: float = 0.1) -> Iteration:
    """Take a step of plain SGD; return it as an iteration."""
    iteration = Iteration(module, 1)
    optimizer = torch.optim.SGD(module.parameters(), rate)
    with torch.enable_grad():
        logits = inputs
        for index, layer in enumerate(module):
            logits = layer(logits)
            iteration.outputs[index] = logits.detach()
        loss = F.cross_entropy(logits, targets)
    loss.backward()
    optimizer.step()
    iteration.inputs, iteration.targets, iteration.logits, iteration.loss = inputs, targets, logits.detach(), loss.detach()
    return iteration


def norm_of(tensors: list[Tensor]) -> float | None:
    """Compute the Euclidean norm of all tensors together with NumPy; None if there are none."""
    return float(np.linalg.norm(np.concatenate([tensor.detach().numpy().ravel() for tensor in tensors]))) if tensors else None


def dead_share(layer: nn.Module, output: np.ndarray[Any, Any]) -> float | None:
    """Compute the share of units, channels or features that are 0 for the whole batch."""
    if not isinstance(layer, nn.ReLU) and type(layer).__name__ != "ResidualBlock":
        return None
    units = np.moveaxis(output, 1 if output.ndim == 4 else -1, 0).reshape(output.shape[1 if output.ndim == 4 else -1], -1)
    return float((units == 0).all(axis=1).mean())


def is_close(actual: Sequence[float | None], expected: Sequence[float | None], rel: float) -> bool:
    """Return whether the numbers are equal up to rounding, and None in the same places."""
    return [number and pytest.approx(number, rel=rel, abs=1e-6) for number in expected] == list(actual)


@pytest.mark.parametrize("name", SPECS)
def test_observations_equal_those_of_plain_pytorch(name: str, digits: ImageSet) -> None:
    training = Training(SPECS[name], replace(CONFIG, optimizer="sgd", schedule="constant", momentum=0.0), digits)
    module = nn.Sequential(*(copy.deepcopy(layer) for layer in training.network)).train()
    observed = observe(training.iterate())

    index = torch.randperm(len(digits.train_images), generator=torch.Generator().manual_seed(CONFIG.seed << 20))[: CONFIG.batch_size]
    inputs = normalise(digits.train_images[index], digits.info)
    before = [[parameter.detach().clone() for parameter in layer.parameters()] for layer in module]
    optimizer = torch.optim.SGD(module.parameters(), CONFIG.learning_rate)
    outputs, value = [], inputs
    for layer in module:
        value = layer(value)
        outputs.append(value)
    F.cross_entropy(value, digits.train_labels[index]).backward()
    optimizer.step()
    arrays = [output.detach().numpy() for output in outputs]
    assert is_close(observed.gradient, [norm_of([parameter.grad for parameter in layer.parameters()]) for layer in module], 1e-4)
    assert is_close(observed.weight, [norm_of(layer) for layer in before], 1e-5)
    updates = [[after - start for after, start in zip(layer.parameters(), start, strict=True)] for layer, start in zip(module, before, strict=True)]
    assert is_close(observed.update, [norm_of(layer) for layer in updates], 1e-3)
    assert is_close(observed.mean, [array.mean(dtype=float) for array in arrays], 1e-4)
    assert is_close(observed.std, [array.std(dtype=float, ddof=1) for array in arrays], 1e-4)
    assert is_close(observed.dead, [dead_share(layer, array) for layer, array in zip(module, arrays, strict=True)], 1e-5)
    assert (observed.input_mean, observed.input_std) == pytest.approx((inputs.numpy().mean(), inputs.numpy().std(ddof=1)), rel=1e-4)


@pytest.mark.parametrize(
    ("spec", "layer", "expected"),
    [
        pytest.param(DENSE, 2, [0.0, 0.25, 1.0], id="units"),
        pytest.param(POOLED, 2, [0.0, 0.25, 1.0], id="channels"),
    ],
)
def test_the_share_of_dead_units_is_counted(spec: Any, layer: int, expected: list[float], digits: ImageSet) -> None:
    """Dead units are below 0 for every image; the others are slightly above 0."""
    for share in expected:
        training = Training(spec, replace(CONFIG, learning_rate=1e-9), digits)
        weight, bias = training.network[layer - 1].parameters()
        with torch.no_grad():
            weight.zero_()
            bias.fill_(1e-6)
            bias[: round(share * len(bias))] = -1e-6
        assert observe(training.iterate()).dead[layer] == share


def test_non_finite_values_are_none_and_every_observation_can_be_serialised(digits: ImageSet) -> None:
    training = Training(DENSE, CONFIG, digits)
    with torch.no_grad():
        training.network[1].weight[0, 0] = torch.inf  # type: ignore[union-attr, index, operator]
    observed = observe(training.iterate())
    assert observed.weight[1] is None and observed.mean[1] is None
    assert from_json(observed.to_json()) == observed
    assert None not in (observed.input_mean, observed.input_std, observed.mean[0], observed.weight[3])


@pytest.mark.parametrize("name", SPECS)
def test_histograms_equal_those_of_numpy(name: str, digits: ImageSet) -> None:
    """Each count up to one value, because PyTorch computes the edges in float32."""
    training = Training(SPECS[name], CONFIG, digits)
    iteration = training.iterate()
    observed = snapshot(iteration, training._gallery)
    assert len(observed.histograms) == len(training.network)
    for layer, drawn in enumerate(observed.histograms):
        tensors = {"weights": iteration.parameters[layer], "gradients": iteration.gradients(layer), "outputs": [iteration.outputs[layer]]}
        assert set(drawn) == {kind for kind, those in tensors.items() if those}
        for kind, bars in drawn.items():
            values = np.concatenate([tensor.detach().numpy().ravel()[:: (tensor.numel() // SAMPLE) | 1] for tensor in tensors[kind]]).astype(float)
            counts, edges = np.histogram(values, BINS, (values.min(), values.max()))
            assert (bars["low"], bars["high"]) == pytest.approx((values.min(), values.max()), rel=1e-5)
            assert sum(bars["counts"]) == len(values) and len(bars["counts"]) == BINS == len(edges) - 1
            assert np.abs(np.cumsum(bars["counts"]) - np.cumsum(counts)).max() <= 1 + 1e-4 * len(values)


@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e30, 1e38], ids=str)
def test_values_of_any_magnitude_have_a_histogram(scale: float, digits: ImageSet) -> None:
    """Also those of an exploding network: finite values are all counted."""
    values = torch.linspace(-3.0, 3.0, 5000) * scale
    iteration = sgd_iteration(nn.Sequential(nn.Linear(2, 2)), torch.randn(3, 2), torch.tensor([0, 1, 1]))
    iteration.outputs = [values]
    bars = snapshot(iteration, torch.randn(1, 2)).histograms[0]["outputs"]
    expected, _ = np.histogram(values.numpy().astype(float), BINS)
    assert np.abs(np.array(bars["counts"]) - expected).max() <= 1


@given(st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=200))
@settings(max_examples=repetitions(100))
def test_every_value_is_counted_in_the_histogram(values: list[float]) -> None:
    iteration = sgd_iteration(nn.Sequential(nn.Linear(2, 2)), torch.randn(3, 2), torch.tensor([0, 1, 1]))
    iteration.outputs = [torch.tensor(values)]
    bars = snapshot(iteration, torch.randn(1, 2)).histograms[0]["outputs"]
    assert sum(bars["counts"]) == len(values) and min(bars["counts"]) >= 0
    assert bars["low"] == pytest.approx(min(values), rel=1e-5) and bars["high"] == pytest.approx(max(values), rel=1e-5)


def test_a_large_tensor_is_sampled_in_every_column_and_row(digits: ImageSet) -> None:
    values = torch.arange(300.0).repeat(1000, 1) + 1000 * torch.arange(1000.0).unsqueeze(1)
    iteration = sgd_iteration(nn.Sequential(nn.Linear(2, 2)), torch.randn(3, 2), torch.tensor([0, 1, 1]))
    iteration.outputs = [values]
    counts = snapshot(iteration, torch.randn(1, 2)).histograms[0]["outputs"]["counts"]
    assert sum(counts) <= 2 * SAMPLE
    assert max(counts) - min(counts) <= 0.02 * max(counts)  # the values are spread evenly, so is the sample


def test_non_finite_values_have_no_histogram(digits: ImageSet) -> None:
    training = Training(DENSE, CONFIG, digits)
    with torch.no_grad():
        training.network[1].weight[0, 0] = torch.nan  # type: ignore[union-attr, index, operator]
    observed = snapshot(training.iterate(), training._gallery)
    assert observed.histograms[0].keys() == {"outputs"} and observed.histograms[1] == {}
    assert from_json(observed.to_json()) == observed
    assert all(0 <= share <= 1000 for row in observed.gallery for share in row)


def decoded(drawn: dict[str, Any]) -> np.ndarray[Any, Any]:
    """Decode filters as the page does."""
    pixels = np.frombuffer(base64.b64decode(drawn["pixels"]), dtype=np.uint8).reshape(drawn["shape"])
    assert pixels.min() >= 1
    return (pixels.astype(float) - 128) / 127 * drawn["bound"]


@pytest.mark.parametrize(
    ("layers", "shape", "count"),
    [
        pytest.param([nn.Conv2d(1, 6, 5)], (1, 28, 28), 6, id="grey"),
        pytest.param([nn.ReLU(), nn.Conv2d(3, 6, 3)], (3, 32, 32), 6, id="colour-behind-another-layer"),
        pytest.param([nn.Conv2d(3, 100, 3).to(memory_format=torch.channels_last)], (3, 32, 32), FILTERS, id="many-and-channels-last"),
        pytest.param([nn.Flatten(), nn.Linear(784, 100)], (1, 28, 28), FILTERS // 2, id="linear"),
        pytest.param([nn.Flatten(), nn.Linear(3072, 4)], (3, 32, 32), 4, id="linear-colour"),
    ],
)
def test_filters_equal_the_first_weights_up_to_rounding(layers: list[nn.Module], shape: tuple[int, ...], count: int) -> None:
    module = nn.Sequential(*layers)
    drawn = filters(module, shape)
    assert drawn is not None
    weight = layers[-1].weight.detach()  # type: ignore[union-attr, operator]
    expected = weight[:count].reshape(count, shape[0], *(weight.shape[2:] or shape[1:])).numpy()
    assert drawn["bound"] == pytest.approx(np.abs(expected).max())
    assert np.abs(decoded(drawn) - expected).max() <= drawn["bound"] / 254 * 1.001


@pytest.mark.parametrize(
    "module",
    [
        pytest.param(nn.Sequential(nn.Flatten()), id="no-weights"),
        pytest.param(nn.Sequential(nn.AvgPool2d(2), nn.Flatten(), nn.Linear(196, 10)), id="weights-that-see-no-image"),
        pytest.param(nn.Sequential(nn.Conv2d(2, 3, 3)), id="two-channels"),
    ],
)
def test_weights_that_are_no_images_have_no_filters(module: nn.Module) -> None:
    assert filters(module, (1, 28, 28)) is None


@pytest.mark.parametrize("value", [0.0, math.nan, math.inf])
def test_zero_and_non_finite_weights_have_no_filters(value: float) -> None:
    module = nn.Sequential(nn.Conv2d(1, 2, 3))
    nn.init.constant_(module[0].weight, value)  # type: ignore[arg-type]
    assert filters(module, (1, 28, 28)) is None


@given(st.lists(st.integers(0, 9), max_size=60), st.integers(1, 30))
@settings(max_examples=repetitions(100))
def test_the_gallery_has_every_class_and_then_the_first_images(labels: list[int], more: int) -> None:
    chosen = gallery_of(torch.tensor(labels, dtype=torch.long))
    firsts = [labels.index(label) for label in sorted(set(labels))]
    rest = [index for index in range(len(labels)) if index not in firsts]
    assert chosen == (firsts + rest)[:GALLERY]
    if len(set(labels)) == 10 and len(chosen) == GALLERY:  # more images change nothing
        assert gallery_of(torch.tensor(labels + [0] * more)) == chosen


def test_the_gallery_keeps_its_images_and_has_probabilities_of_evaluation(digits: ImageSet) -> None:
    training = observed_training(CONV, CONFIG, digits, Always)
    shown = normalise(digits.test_images[gallery_of(digits.test_labels)], digits.info)
    count = 0
    for event in training.events():
        if isinstance(event, Snapshot):
            assert training.network.training
            module = copy.deepcopy(training.network).eval()
            with torch.no_grad():
                expected = 1000 * module(shown).softmax(dim=1)
            assert np.abs(np.array(event.gallery) - expected.numpy()).max() <= 0.501
            count += 1
    assert count == training.total_steps


costs = st.floats(0.0001, 0.2)


@given(total=st.integers(1, 5000), step_seconds=st.floats(0.0001, 0.05), observing=costs, picturing=costs, share=st.sampled_from([0.0, 0.01, SHARE, 1.0]))
@settings(max_examples=repetitions(100))
def test_observing_keeps_within_its_share_of_time_and_its_number(total: int, step_seconds: float, observing: float, picturing: float, share: float) -> None:
    observer, seconds = Observer(total, share), 0.0
    observer.start(0.0)
    looks, pictures = [], []
    for step in range(total):
        pictured = observer.is_snapshot_due(step, seconds)
        if pictured or observer.is_due(step, seconds):
            looks.append(seconds)
            observer.add_observation(step + 1, observing)
        if pictured:
            pictures.append(seconds)
            observer.add_snapshot(step + 1, picturing)
        seconds += step_seconds
    allowed = HEAD_START + share * seconds
    assert observing * (len(looks) - 3 - len(pictures)) <= allowed  # but for the first two, the last, and those that pictures bring along
    assert picturing * (len(pictures) - 3) <= allowed
    assert len(looks) <= 2 * OBSERVATIONS + len(pictures) and len(pictures) <= 2 * SNAPSHOTS + 1
    assert looks[0] == pictures[0] == 0.0  # the first step always
    assert pictures[-1] == pytest.approx((total - 1) * step_seconds)  # and the last


def test_a_long_run_is_seen_at_its_beginning() -> None:
    """A fixed distance between two pictures would leave the first seconds without any."""
    observer, pictured = Observer(60_000, share=1.0), []
    for step in range(2000):
        if observer.is_snapshot_due(step, float(step)):
            observer.add_snapshot(step, 0.0)
            pictured.append(step)
    assert all(later - earlier <= max(1, later / 8) for earlier, later in pairwise(pictured))
    assert len(pictured) < 1.5 * SNAPSHOTS


def test_the_first_and_the_last_step_are_recorded(digits: ImageSet) -> None:
    events = list(Training(CONV, CONFIG, digits).events())
    for kind in (Observed, Snapshot):
        recorded_steps = [event.step for event in events if isinstance(event, kind)]
        assert recorded_steps[0] == 1 and recorded_steps[-1] == 12 and recorded_steps == sorted(set(recorded_steps))
