"""What an untrained network makes of one batch, layer by layer: how activations are distributed, and the feature maps of one image."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d

from playground import device as devices
from playground.data.sample_batch import draw_batch
from playground.errors import ConfigError
from playground.network.build import build
from playground.network.initialise import initialise
from playground.network.spec import NetworkSpec, from_dict
from playground.network.trace import check

BATCH = 64
BINS = 41
MAPS, SIDE, CELLS = 12, 32, 160
"""Feature maps of a layer that are shown, their longest side, and values of a vector."""


def run_batch(request: Mapping[str, Any]) -> dict[str, Any]:
    """Send a batch through a network that has learnt nothing: a task for a process of its own.

    Args:
        request: `network`, as `NetworkSpec.to_dict` writes it; `initialisation`, one of `INITIALISATIONS`; `seed`; `device`;
            `dataset`, where the images come from (empty: a built-in set of the right shape).

    Returns:
        `layers`, as `layer_statistics` tells them; `image`, the first sample as `feature_maps` tells it; `data`, where the batch comes from, in a sentence.

    Raises:
        ConfigError: this is no network.
        ShapeError: a layer does not fit.
        UnknownName: there is no such data set, initialisation or device.
    """
    spec, seed = from_dict(request.get("network")), request.get("seed", 0)
    if type(seed) is not int or not 0 <= seed < 2**31:
        raise ConfigError(["A seed is a whole number from 0 to 2³¹."])
    where = torch.device(devices.get(request.get("device", devices.BEST)).name)
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        drawn = draw_batch(spec.input_shape, _units(spec), BATCH, str(request.get("dataset") or ""))
        network = build(spec, seed=seed)
        initialise(network, str(request.get("initialisation", "default")), seed)
        layers = layer_statistics(network.to(where), drawn.inputs.to(where))
    return {"layers": layers, "image": feature_maps(drawn.inputs[0]), "data": drawn.text}


def layer_statistics(network: nn.Sequential, inputs: Tensor) -> list[dict[str, Any]]:
    """Each layer's activations while a batch goes through, in training mode: `mean`, `std`, `zeros` (the share of exact zeros),
    `low`, `high` and `counts` of a histogram, and `maps` of the first sample.

    Args:
        network: its layers in their order.
        inputs: (N, …), what it takes.
    """
    seen: dict[int, Tensor] = {}
    handles = [layer.register_forward_hook(partial(_keep, seen, place)) for place, layer in enumerate(network)]
    try:
        with torch.no_grad():
            value = inputs
            for layer in network:  # in the order of the stack, not in the cheapest
                value = layer(value)
    finally:
        for handle in handles:
            handle.remove()
    return [{"index": place, "type": type(network[place]).__name__, **_told(seen[place]), "maps": feature_maps(seen[place][0])} for place in sorted(seen)]


def feature_maps(sample: Tensor) -> dict[str, Any]:
    """The values of one sample as they are drawn: `shape` of the whole, and `planes`, each with `width`, `height` and `values` from 0 to 255.

    Args:
        sample: (C, H, W), of which the first maps are told; (T, F), one plane; or (F,), one row.
    """
    planes = sample.detach().float().cpu()
    if planes.dim() == 3:
        planes = planes[:MAPS]
        if max(planes.shape[1:]) > SIDE:
            planes = adaptive_avg_pool2d(planes, (min(SIDE, planes.shape[1]), min(SIDE, planes.shape[2])))
    else:
        planes = planes[None, :CELLS] if planes.dim() == 1 else planes[:SIDE, :CELLS]
        planes = planes[None]
    finite = planes[planes.isfinite()]
    low, high = (finite.min(), finite.max()) if finite.numel() else (torch.zeros(()), torch.zeros(()))
    scaled = ((planes - low) / (high - low).clamp(min=1e-12) * 255).nan_to_num(0, 255, 0).round().to(torch.uint8)
    told = [{"width": plane.shape[1], "height": plane.shape[0], "values": plane.flatten().tolist()} for plane in scaled]
    return {"shape": list(sample.shape), "low": low.item(), "high": high.item(), "planes": told}


def _told(values: Tensor) -> dict[str, Any]:
    flat = values.detach().flatten().double().cpu()
    flat = flat[flat.isfinite()]
    if not flat.numel():
        return {"mean": None, "std": None, "zeros": 0.0, "low": 0.0, "high": 0.0, "counts": [0] * BINS}
    low, high = flat.min().item(), flat.max().item()
    spread = (low, high) if high > low else (low - 0.5, high + 0.5)
    counts = torch.histc(flat, BINS, *spread).int().tolist()
    std, mean = torch.std_mean(flat, correction=0)
    return {"mean": mean.item(), "std": std.item(), "zeros": (flat == 0).double().mean().item(), "low": spread[0], "high": spread[1], "counts": counts}


def _keep(seen: dict[int, Tensor], place: int, _layer: nn.Module, _inputs: Any, output: Tensor) -> None:
    seen[place] = output


def _units(spec: NetworkSpec) -> int:
    """How many numbers the network ends in, for random labels that nobody looks at."""
    return (check(spec)[-1].out_shape or (1,))[-1]
