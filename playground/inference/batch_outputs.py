"""Activations of an untrained network on one batch: a histogram for each layer, and the picture of the network at work on the first sample."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, TypedDict

import torch
from torch import Tensor, nn

from playground import device as devices
from playground.data.sample_batch import draw_batch
from playground.errors import ConfigError
from playground.inference.network_picture import NetworkPicture, View, draw_network, view_named
from playground.messages import msg
from playground.network.build import Network, build
from playground.network.initialise import initialise
from playground.network.spec import NetworkSpec, from_dict
from playground.network.trace import check

BATCH = 64
BINS = 41


class Statistics(TypedDict):
    """A histogram of finite values."""

    mean: float | None
    """None where no value is finite."""
    std: float | None
    zeros: float
    """The share of exact zeros."""
    low: float
    """Where the first bin begins."""
    high: float
    """Where the last bin ends."""
    counts: list[int]


class LayerStatistics(Statistics):
    """The activations of a layer on a batch."""

    index: int
    type: str


class BatchOutputs(TypedDict):
    """One batch through an untrained network."""

    layers: list[LayerStatistics]
    picture: NetworkPicture
    """The network at work on the first sample, in evaluation mode."""
    classes: list[str]
    """Of the data set; empty for random samples."""
    data: str
    """One sentence about the source of the batch."""


def run_batch(request: Mapping[str, Any]) -> BatchOutputs:
    """Run the forward pass of an untrained network on one batch; meant for a separate process.

    Args:
        request: `network`, as `NetworkSpec.to_dict` writes it; `initialisation`, one of `INITIALISATIONS`; `seed`; `device`;
            `dataset`, the source of the images (empty: a built-in data set of the right shape); `view`, what the picture shows.

    Raises:
        ConfigError: `network` is not a valid network, or `seed` not a valid seed.
        ShapeError: a layer does not fit.
        UnknownName: there is no such data set, initialisation, device or view.
    """
    spec, seed = from_dict(request.get("network")), request.get("seed", 0)
    if type(seed) is not int or not 0 <= seed < 2**31:
        raise ConfigError([msg("The seed must be a whole number from 0 to {most:,}, not {seed:.40}.", most=2**31 - 1, seed=repr(seed))])
    device = torch.device(devices.get(request.get("device", devices.BEST)).name)
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        samples = draw_batch(spec.input_shape, _output_size(spec), BATCH, str(request.get("dataset") or ""))
        network = build(spec, seed=seed)
        initialise(network, str(request.get("initialisation", "default")), seed)
        picture = _picture(network, samples.inputs[0], view_named(str(request.get("view", ""))))
        layers = layer_statistics(network.to(device), samples.inputs.to(device))
    classes = list(samples.info.classes) if samples.info else []
    return {"layers": layers, "picture": picture, "classes": classes, "data": samples.description}


def layer_statistics(network: nn.Sequential, inputs: Tensor) -> list[LayerStatistics]:
    """Describe each layer's activations on a batch, in training mode.

    Args:
        network: the layers in order.
        inputs: ``(N, …)``, the batch.
    """
    outputs: dict[int, Tensor] = {}
    handles = [layer.register_forward_hook(partial(_store_output, outputs, index)) for index, layer in enumerate(network)]
    try:
        with torch.no_grad():
            value = inputs
            for layer in network:  # in the order of the specification, not in the cheapest order
                value = layer(value)
    finally:
        for handle in handles:
            handle.remove()
    return [{**_statistics(outputs[index]), "index": index, "type": type(network[index]).__name__} for index in sorted(outputs)]


def _picture(network: Network, sample: Tensor, view: View) -> NetworkPicture:
    """Draw the network at work on a sample; outputs that are no vector are drawn as one. The mode of the network stays."""
    low, high = sample.min(), sample.max()
    image = ((sample - low) / (high - low).clamp(min=1e-12) * 255).round().to(torch.uint8)
    network.eval()
    picture = draw_network([*network, nn.Flatten()] if network(sample[None]).dim() > 2 else list(network), image, sample[None], view=view)
    network.train()
    return picture


def _statistics(values: Tensor) -> Statistics:
    flat = values.detach().flatten().double().cpu()
    flat = flat[flat.isfinite()]
    if not flat.numel():
        return {"mean": None, "std": None, "zeros": 0.0, "low": 0.0, "high": 0.0, "counts": [0] * BINS}
    low, high = flat.min().item(), flat.max().item()
    spread = (low, high) if high > low else (low - 0.5, high + 0.5)
    counts = torch.histc(flat, BINS, *spread).int().tolist()
    std, mean = torch.std_mean(flat, correction=0)
    return {"mean": mean.item(), "std": std.item(), "zeros": (flat == 0).double().mean().item(), "low": spread[0], "high": spread[1], "counts": counts}


def _store_output(outputs: dict[int, Tensor], index: int, _layer: nn.Module, _inputs: object, output: Tensor) -> None:
    outputs[index] = output


def _output_size(spec: NetworkSpec) -> int:
    """Return the size of the last dimension of the output, for random labels."""
    return (check(spec)[-1].out_shape or (1,))[-1]
