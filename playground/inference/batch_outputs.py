"""Activations of an untrained network on one batch: a histogram for each layer, the picture of the network at work on the first sample, and the
calculation of single values."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, TypedDict

import torch
from torch import Tensor, nn

from playground import device as devices
from playground.data.sample_batch import Batch, draw_batch
from playground.errors import ConfigError, ShapeError
from playground.inference.arithmetic import CalculationJson, as_json, write_out
from playground.inference.network_picture import NetworkPicture, View, draw_network, view_named
from playground.messages import msg
from playground.network.build import Network, build
from playground.network.initialise import initialise
from playground.network.spec import NetworkSpec, from_dict
from playground.network.trace import check

BATCH = 64
BINS = 41
MAX_CELLS = 4096
"""Of the largest feature map that is sent whole."""


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


class BatchValue(TypedDict):
    """One value of a layer's output for the first sample of the batch."""

    place: list[int]
    calculation: CalculationJson
    map: list[list[float]] | None
    """The feature map that it lies in; null where the output has none, or a very large one."""


def run_batch(request: Mapping[str, Any]) -> BatchOutputs:
    """Run the forward pass of an untrained network on one batch; meant for a separate process.

    Args:
        request: `network`, as `NetworkSpec.to_dict` writes it; `initialisation`, one of `INITIALISATIONS`; `seed`; `device`;
            `dataset`, the source of the images (empty: a built-in data set of the right shape); `view`, what the picture shows;
            `unfolded`, the index of a layer that gets a column of its own in it, or null.

    Raises:
        ConfigError: `network` is not a valid network, or `seed` not a valid seed.
        ShapeError: a layer does not fit.
        UnknownName: there is no such data set, initialisation, device or view.
    """
    device = torch.device(devices.get(request.get("device", devices.BEST)).name)
    with torch.random.fork_rng(devices=[]):
        network, samples = _prepare(request)
        picture = _picture(network, samples.inputs[0], view_named(str(request.get("view", ""))), request.get("unfolded"))
        layers = layer_statistics(network.to(device), samples.inputs.to(device))
    classes = list(samples.info.classes) if samples.info else []
    return {"layers": layers, "picture": picture, "classes": classes, "data": samples.description}


def write_value(request: Mapping[str, Any]) -> BatchValue:
    """Write out how one value of an untrained network is computed, in evaluation mode; meant for a separate process.

    Args:
        request: as for `run_batch`; also `layer`, the index of a layer, and `place`, the index of a value in its output or only the beginning
            of one, such as a feature map: then the strongest value there.

    Raises:
        ConfigError, UnknownName: as `run_batch`.
        ShapeError: as `run_batch`, or there is no such layer or place.
    """
    with torch.random.fork_rng(devices=[]):
        network, samples = _prepare(request)
    index, place = request.get("layer"), request.get("place")
    if type(index) is not int or not 0 <= index < len(network):
        raise ShapeError(msg("There is no layer {index:.40}; the layers are numbered from 0 to {last}.", index=repr(index), last=len(network) - 1))
    network.eval()
    value, output = samples.inputs[:1], samples.inputs[:1]
    with torch.no_grad():
        for layer in network[: index + 1]:
            value, output = output, layer(output.clone())  # a layer may work in place
    found = _complete(output[0], place, index)
    return {"place": list(found), "calculation": as_json(write_out(network[index], value, found)), "map": _map(output[0], found)}


def _complete(output: Tensor, place: object, index: int) -> tuple[int, ...]:
    """Return the place of a value; of the strongest one where only its beginning is given."""
    shape = tuple(output.shape)
    indices = tuple(place) if isinstance(place, list) and all(type(at) is int for at in place) else ()
    if not 0 < len(indices) <= len(shape) or not all(0 <= at < size for at, size in zip(indices, shape, strict=False)):
        raise ShapeError(msg("The output of layer {index} has shape {shape}; {place:.40} is no place in it.", index=index, shape=shape, place=repr(place)))
    part = output[indices].nan_to_num().abs()
    return (*indices, *(int(at) for at in torch.unravel_index(part.argmax(), part.shape)))


def _map(output: Tensor, place: tuple[int, ...]) -> list[list[float]] | None:
    if output.dim() != 3 or output[0].numel() > MAX_CELLS:
        return None
    rows: list[list[float]] = output[place[0]].nan_to_num().tolist()
    return [[float(f"{value:.3g}") for value in row] for row in rows]


def _prepare(request: Mapping[str, Any]) -> tuple[Network, Batch]:
    """Build the network of a request and draw its batch; both depend on its seed, which torch's global generator gets."""
    spec, seed = from_dict(request.get("network")), request.get("seed", 0)
    if type(seed) is not int or not 0 <= seed < 2**31:
        raise ConfigError([msg("The seed must be a whole number from 0 to {most:,}, not {seed:.40}.", most=2**31 - 1, seed=repr(seed))])
    torch.default_generator.manual_seed(seed)
    samples = draw_batch(spec.input_shape, _output_size(spec), BATCH, str(request.get("dataset") or ""))
    network = build(spec, seed=seed)
    initialise(network, str(request.get("initialisation", "default")), seed)
    return network, samples


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


def _picture(network: Network, sample: Tensor, view: View, unfolded: object) -> NetworkPicture:
    """Draw the network at work on a sample; outputs that are no vector are drawn as one. The mode of the network stays."""
    low, high = sample.min(), sample.max()
    image = ((sample - low) / (high - low).clamp(min=1e-12) * 255).round().to(torch.uint8)
    network.eval()
    layers = [*network, nn.Flatten()] if network(sample[None]).dim() > 2 else list(network)
    picture = draw_network(layers, image, sample[None], unfolded if isinstance(unfolded, int) else None, view)
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
