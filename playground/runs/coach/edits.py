"""Edit a run's network for the coach's remedies. Each edit returns a network for the same data, or None if it changes nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from playground.errors import ConfigError
from playground.network.advice import AFFINE_LAYERS
from playground.network.catalogue import DROPOUTS, layer_type
from playground.network.fixes import NORM_OF_RANK
from playground.network.spec import LayerSpec, NetworkSpec
from playground.runs.coach.record import PLAIN, WEIGHTED

RANK_BEHIND = {"Flatten": 1, "TokenMean": 1, "PatchEmbedding": 2}
"""Number of dimensions of one sample's output, for the layers that change it."""
SQUASHING = ("Sigmoid", "Tanh", "Softmax")
TRANSPARENT = ("Dropout", "Dropout2d", "Flatten")
"""Layers after the output layer that do not change its logits."""
USUAL_DROPOUT, LIGHT_DROPOUT = 0.5, 0.2
"""Probability of dropout: the usual one for hidden layers, and a light one to try first: https://jmlr.org/papers/v15/srivastava14a.html."""
LEAK = {"negative_slope": 0.1}
"""Ten times PyTorch's default, so that an inactive unit becomes active again within a short run."""
WIDTHS = {"Linear": ("out_features", 64), "Conv2d": ("out_channels", 16), "ResidualBlock": ("out_channels", 32), "PatchEmbedding": ("embed_dim", 64)}
"""For each layer type the parameter for its width, and a width to try first."""
LARGEST_WIDTH = 512


def last_weighted(spec: NetworkSpec) -> int:
    """Return the index of the output layer; -1 if no layer has weights."""
    return max((index for index, layer in enumerate(spec.layers) if layer.type in WEIGHTED), default=-1)


def output_activations(spec: NetworkSpec) -> list[int]:
    """Return the indices of the activations after the output layer."""
    groups = [layer_type(layer.type).group if layer.type not in TRANSPARENT else "" for layer in spec.layers]
    last = max((index for index, group in enumerate(groups) if group not in ("Activation", "")), default=-1)
    return [index for index, group in enumerate(groups) if index > last and group == "Activation"]


def without_output_activation(spec: NetworkSpec) -> NetworkSpec | None:
    """Remove the activations after the output layer."""
    behind = output_activations(spec)
    layers = (layer for index, layer in enumerate(spec.layers) if index not in behind)
    return _made(spec, "scores", "scores as they are", layers)  # no text: titles are stored in English


def normalised(spec: NetworkSpec) -> NetworkSpec | None:
    """Add a normalisation after every linear layer and convolution but the last: batch norm for vectors and images, layer norm for tokens."""
    layers: list[LayerSpec] = []
    last, rank = last_weighted(spec), len(spec.input_shape)
    for index, layer in enumerate(spec.layers):
        rank = RANK_BEHIND.get(layer.type, rank)
        layers.append(layer)
        following = spec.layers[index + 1].type if index + 1 < len(spec.layers) else ""
        if layer.type in PLAIN and index < last and following not in NORM_OF_RANK.values():
            layers.append(LayerSpec(NORM_OF_RANK[rank]))
    return _made(spec, "normalised", "with normalisation", layers)  # no text: titles are stored in English


def with_relus(spec: NetworkSpec) -> NetworkSpec | None:
    """Replace the sigmoid and tanh activations of hidden layers by ReLU."""
    last = last_weighted(spec)
    relu = LayerSpec("ReLU")
    layers = (relu if layer.type in SQUASHING and index < last else layer for index, layer in enumerate(spec.layers))
    return _made(spec, "relu", "with ReLU", layers)  # no text: titles are stored in English


def leaky(spec: NetworkSpec) -> NetworkSpec | None:
    """Replace ReLU by leaky ReLU."""
    layers = (LayerSpec("LeakyReLU", LEAK) if layer.type == "ReLU" else layer for layer in spec.layers)
    return _made(spec, "leaky", "with leaky ReLU", layers)  # no text: titles are stored in English


def with_activations(spec: NetworkSpec) -> NetworkSpec | None:
    """Add a ReLU between layers with weights that have no activation between them."""
    layers: list[LayerSpec] = []
    is_straight = False
    for layer in spec.layers:
        if layer.type in PLAIN and is_straight:
            layers.append(LayerSpec("ReLU"))
        is_straight = layer.type in (*PLAIN, "PatchEmbedding") or (is_straight and layer.type in AFFINE_LAYERS)
        layers.append(layer)
    return _made(spec, "bent", "with activations", layers)  # no text: titles are stored in English


def with_dropout(spec: NetworkSpec) -> NetworkSpec | None:
    """Add dropout before the linear layers that read features, not pixels; None if the network has dropout."""
    if any(layer.type in DROPOUTS for layer in spec.layers):
        return None
    layers: list[LayerSpec] = []
    rank, weighted = len(spec.input_shape), 0
    for layer in spec.layers:
        if layer.type == "Linear" and rank == 1 and weighted:
            layers.append(LayerSpec("Dropout", {"p": USUAL_DROPOUT}))
        rank = RANK_BEHIND.get(layer.type, rank)
        weighted += layer.type in WEIGHTED
        layers.append(layer)
    return _made(spec, "dropout", "with dropout", layers)  # no text: titles are stored in English


def with_light_dropout(spec: NetworkSpec) -> NetworkSpec | None:
    """Limit the probability of dropout to `LIGHT_DROPOUT`."""
    layers = (_at_most(layer, "p", LIGHT_DROPOUT) if layer.type in DROPOUTS else layer for layer in spec.layers)
    return _made(spec, "light-dropout", "with less dropout", layers)  # no text: titles are stored in English


def wider(spec: NetworkSpec) -> NetworkSpec | None:
    """Widen the hidden layers at least twofold and to the widths in `WIDTHS`; add a hidden layer if there is none."""
    last = last_weighted(spec)
    if last_weighted(spec.with_layers(spec.layers[:last])) < 0 if last > 0 else True:
        return _with_hidden_layer(spec, last)
    return _made(spec, "wider", "wider", (_widened(layer) if index < last else layer for index, layer in enumerate(spec.layers)))


def _with_hidden_layer(spec: NetworkSpec, last: int) -> NetworkSpec | None:
    if last < 0 or spec.layers[last].type != "Linear":
        return None
    hidden = (LayerSpec("Linear", {"out_features": 128}), LayerSpec("ReLU"))
    return _made(spec, "hidden", "with a hidden layer", (*spec.layers[:last], *hidden, *spec.layers[last:]))  # no text: titles are stored in English


def _widened(layer: LayerSpec) -> LayerSpec:
    if layer.type not in WIDTHS:
        return layer
    name, enough = WIDTHS[layer.type]
    now: Any = layer_type(layer.type).settings(layer.params)[name]
    factor = max(2, -(-enough // now))  # a multiple, so that attention heads can still share the features out
    return LayerSpec(layer.type, {**layer.params, name: now * factor}) if now * factor <= LARGEST_WIDTH else layer


def _at_most(layer: LayerSpec, name: str, most: float) -> LayerSpec:
    now: Any = layer_type(layer.type).settings(layer.params)[name]
    return LayerSpec(layer.type, {**layer.params, name: min(now, most)})


def _made(spec: NetworkSpec, suffix: str, words: str, layers: Iterable[LayerSpec]) -> NetworkSpec | None:
    """Return the network with these layers under a new name; None if they are the same, or too many."""
    changed = tuple(layers)
    if changed == spec.layers:
        return None
    try:
        return replace(spec, name=f"{spec.name}-{suffix}", title=f"{spec.title or spec.name}, {words}", layers=changed)
    except ConfigError:
        return None
