"""The ways to make a layer fit what arrives at it, best first; the trace tries them and offers those that work.

Proposals know the rules of thumb, not whether they succeed: a smaller kernel here may still be too large for what a later layer needs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Any

from playground.network.catalogue import layer_type
from playground.network.spec import LayerSpec
from playground.network.types import Shape, Value

POOLS = ("MaxPool2d", "AvgPool2d")
NORM_OF_RANK = {1: "BatchNorm1d", 2: "LayerNorm", 3: "BatchNorm2d"}
"""The normalisation that one takes for vectors, tokens and images."""
LARGEST_PATCH, LARGEST_ADAPTIVE = 32, 64
"""Where the catalogue's patch_size and output_size end."""
SCORES_STAY = ("Softmax", "Dropout", "Flatten")
"""Layers behind the last Linear layer that leave it the one that makes the scores."""


@dataclass(frozen=True)
class Fix:
    """A way to make a network fit, ready to be applied."""

    title: str
    layers: tuple[LayerSpec, ...]
    """All layers of the mended network."""


@dataclass(frozen=True)
class Place:
    """One layer of a stack, and the edits that can be made there."""

    layers: tuple[LayerSpec, ...]
    index: int

    @property
    def layer(self) -> LayerSpec:
        return self.layers[self.index]

    @property
    def settings(self) -> dict[str, Any]:
        """Every parameter's value, the defaults included."""
        return layer_type(self.layer.type).settings(self.layer.params)

    def with_params(self, **changes: Value) -> Fix:
        """The layer with other parameters."""
        title = ", ".join(f"Set {name} to {value}" if number == 0 else f"{name} to {value}" for number, (name, value) in enumerate(changes.items()))
        return self.instead(title, LayerSpec(self.layer.type, {**self.layer.params, **changes}))

    def instead(self, title: str, *others: LayerSpec) -> Fix:
        """Other layers, or none, in the place of this one."""
        return Fix(title, (*self.layers[: self.index], *others, *self.layers[self.index + 1 :]))

    def after(self, title: str, *others: LayerSpec) -> Fix:
        """Layers put behind this one."""
        return self.instead(title, self.layer, *others)

    def before(self, title: str, *others: LayerSpec) -> Fix:
        """Layers put in front of this one."""
        return self.instead(title, *others, self.layer)

    def earlier(self, *types: str) -> Place | None:
        """The nearest layer in front of this one that is of one of these kinds."""
        found = [index for index, layer in enumerate(self.layers[: self.index]) if layer.type in types]
        return Place(self.layers, found[-1]) if found else None

    def moved_to(self, other: Place) -> Fix:
        """This layer in front of an earlier one."""
        rest = (*self.layers[: self.index], *self.layers[self.index + 1 :])
        title = f"Move this layer in front of layer {other.index} ({other.layer.type})"
        return Fix(title, (*rest[: other.index], self.layer, *rest[other.index :]))


def propose_fixes(layers: tuple[LayerSpec, ...], index: int, shape: Shape) -> Iterator[Fix]:
    """What may make layer `index` fit the input of shape `shape` (one sample) that it refuses, best first; not yet tried."""
    place = Place(layers, index)
    kind = layer_type(place.layer.type)
    if len(shape) not in kind.ranks:
        yield from _for_rank(place, kind.ranks, shape)
    elif "kernel_size" in place.settings:
        yield from _for_window(place, shape)
    elif kind.name == "PatchEmbedding":
        yield from _for_patches(place, shape)
    elif kind.name == "TransformerEncoderLayer":
        yield from _for_heads(place, shape)
    yield place.instead("Leave this layer out")


def propose_output_fixes(layers: tuple[LayerSpec, ...], out_shape: Shape, classes: int) -> Iterator[Fix]:
    """What may make a network that ends in `out_shape` end in `classes` scores, best first; not yet tried."""
    head = LayerSpec("Linear", {"out_features": classes})
    before = {1: (), 2: (LayerSpec("TokenMean"),), 3: (LayerSpec("Flatten"),)}[len(out_shape)]
    words = " and ".join([*(layer.type for layer in before), "Linear"])
    last = Place(layers, len(layers) - 1)
    added = last.after(f"Add {words} with {classes} outputs at the end", *before, head)
    makes_scores = last if last.layer.type == "Linear" else last.earlier("Linear")
    changed = [makes_scores.instead(f"Set out_features of layer {makes_scores.index} to {classes}", _resized(makes_scores, classes))] if makes_scores else []
    finished = makes_scores and all(layer.type in SCORES_STAY for layer in layers[makes_scores.index + 1 :])
    yield from [*changed, added] if finished else [added, *changed]


def divisors(number: int, most: int) -> list[int]:
    """The whole numbers up to `most` that divide `number`, in order."""
    return [size for size in range(1, min(number, most) + 1) if number % size == 0]


def _resized(place: Place, classes: int) -> LayerSpec:
    return LayerSpec(place.layer.type, {**place.layer.params, "out_features": classes})


def _for_rank(place: Place, ranks: tuple[int, ...], shape: Shape) -> Iterator[Fix]:
    """The layer takes data of another rank."""
    norm = NORM_OF_RANK[len(shape)]
    if place.layer.type in NORM_OF_RANK.values():
        yield place.instead(f"Use {norm} here", LayerSpec(norm))
    if len(shape) == 2 and 1 in ranks:
        yield place.before("Put a TokenMean layer before it: the average of all tokens", LayerSpec("TokenMean"))
    if 1 in ranks:
        yield place.before(f"Put a Flatten layer before it: {prod(shape)} values in one row", LayerSpec("Flatten"))
    if 2 in ranks and len(shape) == 3:
        yield place.before("Put a PatchEmbedding layer before it", _patches(place, shape))
    flatten = place.earlier("Flatten")
    if flatten:
        yield flatten.instead(f"Leave out layer {flatten.index} (Flatten)")
    if flatten and 3 not in ranks:
        yield flatten.instead(f"Use PatchEmbedding in place of layer {flatten.index} (Flatten)", _patches(place, shape))
    if (row := place.earlier("Flatten", "PatchEmbedding")) and 3 in ranks:
        yield place.moved_to(row)


def _patches(place: Place, shape: Shape) -> LayerSpec:
    """Patches that tile an image of `shape`, with features that can be shared out among the heads of the layer at `place`."""
    sizes = [size for size in divisors(shape[-1], LARGEST_PATCH) if size >= 4] if len(shape) == 3 else []
    heads = place.settings.get("nhead", 1)
    params: dict[str, Value] = {"patch_size": sizes[0]} if sizes and sizes[0] != 4 else {}
    return LayerSpec("PatchEmbedding", params if 64 % heads == 0 else {**params, "embed_dim": _multiple(64, heads)})


def _multiple(number: int, of: int) -> int:
    """The smallest multiple of `of` that is not below `number`."""
    return -(-number // of) * of


def _for_window(place: Place, shape: Shape) -> Iterator[Fix]:
    """A convolution or pooling whose window or padding is too large for the image; single changes first, then all at once."""
    now = place.settings
    kernel, padding, dilation = now["kernel_size"], now["padding"], now.get("dilation", 1)
    smallest, pools = min(shape[1:]), place.layer.type in POOLS
    room = smallest + 2 * padding
    if pools:
        yield place.instead("Leave this pooling layer out")
    if dilation > 1 and kernel > 1:
        yield place.with_params(dilation=max(1, (room - 1) // (kernel - 1)))
    fitting = max(1, (room - 1) // dilation + 1)
    if fitting < kernel and not (pools and fitting == 1):
        yield place.with_params(kernel_size=fitting)
    enough = max(0, -(-(dilation * (kernel - 1) + 1 - smallest) // 2))
    if enough > padding:
        yield place.with_params(padding=enough)
    limits = {"reflect": smallest - 1, "circular": smallest}
    yield from (place.with_params(padding=most) for most in (kernel // 2, limits.get(str(now.get("padding_mode")), padding)) if most < padding)
    if "padding_mode" in now:
        yield place.with_params(padding_mode="zeros")
    if pool := place.earlier(*POOLS):
        yield pool.instead(f"Leave out layer {pool.index} ({pool.layer.type}), so that the image stays larger")
    plain: dict[str, Value] = {"kernel_size": min(kernel, smallest), "padding": 0}
    yield place.with_params(**plain, **({"dilation": 1} if "dilation" in now else {}))


def _for_patches(place: Place, shape: Shape) -> Iterator[Fix]:
    """Squares that do not tile the image, or an image that is no square."""
    patch, (height, width) = place.settings["patch_size"], shape[1:]
    if height == width:
        sizes = divisors(height, LARGEST_PATCH)
        smaller, larger = [size for size in sizes if size < patch], [size for size in sizes if size > patch]
        yield from (place.with_params(patch_size=size) for size in (*smaller[-1:], *larger[:1]))
    side = max(patch, min(height, width, LARGEST_ADAPTIVE) // patch * patch)
    yield place.before(f"Put an AdaptiveAvgPool2d layer before it: {side}×{side} pixels", LayerSpec("AdaptiveAvgPool2d", {"output_size": side}))


def _for_heads(place: Place, shape: Shape) -> Iterator[Fix]:
    """Features that cannot be shared out equally among the heads."""
    heads, features = place.settings["nhead"], shape[-1]
    counts = divisors(features, 64)
    fewer, more = [count for count in counts if count < heads], [count for count in counts if count > heads]
    yield from (place.with_params(nhead=count) for count in (*fewer[-1:], *more[:1]))
    if source := place.earlier("PatchEmbedding", "Linear"):
        name = "embed_dim" if source.layer.type == "PatchEmbedding" else "out_features"
        wide = LayerSpec(source.layer.type, {**source.layer.params, name: _multiple(features, heads)})
        yield source.instead(f"Set {name} of layer {source.index} to {_multiple(features, heads)}", wide)
