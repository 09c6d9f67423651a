"""Proposed changes that may make a layer fit its input, best first; the trace verifies them and shows only those that work.

A proposal follows a rule of thumb: a smaller kernel, for example, may make this layer fit and leave a later one without enough pixels. So the trace puts
those first after which every layer fits.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import prod

from playground.messages import joined, listed, msg
from playground.network.catalogue import DROPOUTS, Settings, layer_type
from playground.network.spec import LayerSpec, NetworkSpec
from playground.network.types import Shape, Value

POOLS = ("MaxPool2d", "AvgPool2d")
NORM_OF_RANK = {1: "BatchNorm1d", 2: "LayerNorm", 3: "BatchNorm2d"}
"""Normalisation layer for vectors, tokens and images, by the rank of their shape."""
LARGEST_PATCH, LARGEST_ADAPTIVE = 32, 64
"""Largest `patch_size` of PatchEmbedding and `output_size` of AdaptiveAvgPool2d in the catalogue."""
AFTER_SCORES = ("Softmax", *DROPOUTS, "Flatten")
"""Layers that can follow the Linear layer that computes the scores."""


@dataclass(frozen=True)
class Fix:
    """A change of a network that solves one problem."""

    title: str
    layers: tuple[LayerSpec, ...]
    """All layers of the changed network."""
    input_shape: Shape | None = None
    """Its input shape; None where it stays."""

    def apply(self, spec: NetworkSpec) -> NetworkSpec:
        """Return the changed network; `spec` is the one that the fix was proposed for."""
        return replace(spec, layers=self.layers, input_shape=self.input_shape or spec.input_shape)


@dataclass(frozen=True)
class Position:
    """The position of one layer in a stack, with the edits that can be made there."""

    layers: tuple[LayerSpec, ...]
    index: int

    @property
    def layer(self) -> LayerSpec:
        return self.layers[self.index]

    @property
    def settings(self) -> Settings:
        """Values of all parameters, defaults included."""
        return self.layer.settings

    def with_params(self, **changes: Value) -> Fix:
        """Set parameters of the layer; those that it has already are not mentioned."""
        changes = {name: value for name, value in changes.items() if self.settings.get(name) != value}
        settings = joined([msg("{name} to {value}", name=name, value=value) for name, value in changes.items()], ", ")
        return self.replace_with(msg("Set {settings}", settings=settings), LayerSpec(self.layer.type, {**self.layer.params, **changes}))

    def replace_with(self, title: str, *others: LayerSpec) -> Fix:
        """Replace the layer by others, or remove it where there are none."""
        return Fix(title, (*self.layers[: self.index], *others, *self.layers[self.index + 1 :]))

    def insert_after(self, title: str, *others: LayerSpec) -> Fix:
        """Insert layers after this one."""
        return self.replace_with(title, self.layer, *others)

    def insert_before(self, title: str, *others: LayerSpec) -> Fix:
        """Insert layers before this one."""
        return self.replace_with(title, *others, self.layer)

    def find_earlier(self, *types: str) -> Position | None:
        """Return the nearest earlier layer of one of these types, or None."""
        indices = [index for index, layer in enumerate(self.layers[: self.index]) if layer.type in types]
        return Position(self.layers, indices[-1]) if indices else None

    def move_before(self, other: Position) -> Fix:
        """Move the layer before an earlier one."""
        rest = (*self.layers[: self.index], *self.layers[self.index + 1 :])
        title = msg("Move this layer before layer {index} ({type})", index=other.index, type=other.layer.type)
        return Fix(title, (*rest[: other.index], self.layer, *rest[other.index :]))


def propose_fixes(layers: tuple[LayerSpec, ...], index: int, shape: Shape) -> Iterator[Fix]:
    """Yield changes that may make layer `index` fit its input, best first and unverified.

    Args:
        layers: all layers of the network.
        index: the layer that does not fit.
        shape: its input shape, without the batch.
    """
    position = Position(layers, index)
    kind = layer_type(position.layer.type)
    if len(shape) not in kind.ranks:
        yield from _fix_rank(position, kind.ranks, shape)
    elif "kernel_size" in position.settings:
        yield from _fix_window(position, shape)
    elif kind.name == "PatchEmbedding":
        yield from _fix_patches(position, shape)
    elif kind.name == "TransformerEncoderLayer":
        yield from _fix_heads(position, shape)
    yield position.replace_with(msg("Leave this layer out"))


def propose_output_fixes(layers: tuple[LayerSpec, ...], out_shape: Shape, classes: int) -> Iterator[Fix]:
    """Yield changes that may make a network with output shape `out_shape` end in `classes` scores, best first and unverified."""
    head = LayerSpec("Linear", {"out_features": classes})
    to_vector = {1: (), 2: (LayerSpec("TokenMean"),), 3: (LayerSpec("Flatten"),)}[len(out_shape)]
    names = listed([*(layer.type for layer in to_vector), "Linear"])
    last = Position(layers, len(layers) - 1)
    addition = last.insert_after(msg("Add {layers} with {classes} outputs at the end", layers=names, classes=classes), *to_vector, head)
    last_linear = last if last.layer.type == "Linear" else last.find_earlier("Linear")
    if last_linear is None:
        yield addition
        return
    resized = LayerSpec("Linear", {**last_linear.layer.params, "out_features": classes})
    resizing = last_linear.replace_with(_setting_title("out_features", last_linear, classes), resized)
    computes_scores = all(layer.type in AFTER_SCORES for layer in layers[last_linear.index + 1 :])
    yield from (resizing, addition) if computes_scores else (addition, resizing)


def propose_input_fixes(layers: tuple[LayerSpec, ...], shape: Shape, wanted: Shape) -> Iterator[Fix]:
    """Yield changes that let a network with inputs of `shape` take inputs of shape `wanted`, best first and unverified.

    The best one pads images so that every layer behind the first keeps its shapes: a network for 32×32 pixels then takes 28×28.
    """
    first = Position(layers, 0)
    if len(shape) == len(wanted) == 3 and "padding" in first.settings:
        missing = [before - after for before, after in zip(shape[1:], wanted[1:], strict=True)]
        padding = first.settings["padding"] + missing[0] // 2
        if missing[0] == missing[1] and missing[0] % 2 == 0 and padding >= 0:
            title = msg("Set the input shape to {shape} and padding of layer 0 to {padding}", shape=wanted, padding=padding)
            yield replace(first.with_params(padding=padding), title=title, input_shape=wanted)
    yield Fix(msg("Set the input shape to {shape}", shape=wanted), layers, wanted)
    if len(shape) < len(wanted):
        title = msg("Set the input shape to {shape} and put a Flatten layer first", shape=wanted)
        yield replace(first.insert_before(title, LayerSpec("Flatten")), input_shape=wanted)


def divisors(number: int, largest: int) -> list[int]:
    """List the divisors of `number` up to `largest`, in ascending order."""
    return [size for size in range(1, min(number, largest) + 1) if number % size == 0]


def _fix_rank(position: Position, ranks: tuple[int, ...], shape: Shape) -> Iterator[Fix]:
    """Yield changes for a layer that takes inputs of another rank."""
    norm = NORM_OF_RANK[len(shape)]
    if position.layer.type in NORM_OF_RANK.values():
        yield position.replace_with(msg("Use {layer} here", layer=norm), LayerSpec(norm))
    if len(shape) == 2 and 1 in ranks:
        yield position.insert_before(msg("Put a TokenMean layer before it: the mean of all tokens"), LayerSpec("TokenMean"))
    if 1 in ranks:
        yield position.insert_before(msg("Put a Flatten layer before it: a vector of {count} values", count=prod(shape)), LayerSpec("Flatten"))
    if 2 in ranks and len(shape) == 3:
        yield position.insert_before(msg("Put a PatchEmbedding layer before it"), _fitting_patch_embedding(position, shape))
    flatten = position.find_earlier("Flatten")
    if flatten:
        yield flatten.replace_with(msg("Leave out layer {index} (Flatten)", index=flatten.index))
    if flatten and 3 not in ranks:
        title = msg("Use PatchEmbedding in place of layer {index} (Flatten)", index=flatten.index)
        yield flatten.replace_with(title, _fitting_patch_embedding(position, shape))
    if (reshaping := position.find_earlier("Flatten", "PatchEmbedding")) and 3 in ranks:
        yield position.move_before(reshaping)


def _fitting_patch_embedding(position: Position, shape: Shape) -> LayerSpec:
    """Return a PatchEmbedding whose patches tile an image of `shape` and whose features the layer at `position` can divide among its heads."""
    sizes = [size for size in divisors(shape[-1], LARGEST_PATCH) if size >= 4] if len(shape) == 3 else []
    heads = position.settings.get("nhead", 1)
    params: dict[str, Value] = {"patch_size": sizes[0]} if sizes and sizes[0] != 4 else {}
    return LayerSpec("PatchEmbedding", params if 64 % heads == 0 else {**params, "embed_dim": _round_up(64, heads)})


def _setting_title(name: str, position: Position, value: int) -> str:
    return msg("Set {name} of layer {index} to {value}", name=name, index=position.index, value=value)


def _round_up(number: int, factor: int) -> int:
    """Return the smallest multiple of `factor` that is at least `number`."""
    return -(-number // factor) * factor


def _fix_window(position: Position, shape: Shape) -> Iterator[Fix]:
    """Yield changes for a convolution or pooling layer whose window or padding is too large for the image; single changes first, then all at once."""
    params = position.settings
    kernel_size, padding, dilation = params["kernel_size"], params["padding"], params.get("dilation", 1)
    shorter_side, pools = min(shape[1:]), position.layer.type in POOLS
    padded_side = shorter_side + 2 * padding
    if pools:
        yield position.replace_with(msg("Leave this pooling layer out"))
    if dilation > 1 and kernel_size > 1:
        yield position.with_params(dilation=max(1, (padded_side - 1) // (kernel_size - 1)))
    largest_kernel = max(1, (padded_side - 1) // dilation + 1)
    if largest_kernel < kernel_size and not (pools and largest_kernel == 1):
        yield position.with_params(kernel_size=largest_kernel)
    usual_kernel = int(layer_type(position.layer.type).settings({})["kernel_size"])
    if usual_kernel < min(kernel_size, largest_kernel):
        yield position.with_params(kernel_size=usual_kernel)
    smallest_padding = max(0, -(-(dilation * (kernel_size - 1) + 1 - shorter_side) // 2))
    if smallest_padding > padding:
        yield position.with_params(padding=smallest_padding)
    limits = {"reflect": shorter_side - 1, "circular": shorter_side}
    yield from (position.with_params(padding=limit) for limit in (kernel_size // 2, limits.get(str(params.get("padding_mode")), padding)) if limit < padding)
    if "padding_mode" in params:
        yield position.with_params(padding_mode="zeros")
    if pool := position.find_earlier(*POOLS):
        yield pool.replace_with(msg("Leave out layer {index} ({type})", index=pool.index, type=pool.layer.type))
    changes: dict[str, Value] = {"kernel_size": min(kernel_size, shorter_side), "padding": 0}
    yield position.with_params(**changes, **({"dilation": 1} if "dilation" in params else {}))


def _fix_patches(position: Position, shape: Shape) -> Iterator[Fix]:
    """Yield changes for a PatchEmbedding whose patches do not tile the image, or whose image is not square."""
    patch, (height, width) = position.settings["patch_size"], shape[1:]
    if height == width:
        sizes = divisors(height, LARGEST_PATCH)
        smaller, larger = [size for size in sizes if size < patch], [size for size in sizes if size > patch]
        yield from (position.with_params(patch_size=size) for size in (*smaller[-1:], *larger[:1]))
    side = max(patch, min(height, width, LARGEST_ADAPTIVE) // patch * patch)
    title = msg("Put an AdaptiveAvgPool2d layer before it: {side}×{side} pixels", side=side)
    yield position.insert_before(title, LayerSpec("AdaptiveAvgPool2d", {"output_size": side}))


def _fix_heads(position: Position, shape: Shape) -> Iterator[Fix]:
    """Yield changes for an encoder layer that cannot divide the features equally among its heads."""
    heads, features = position.settings["nhead"], shape[-1]
    counts = divisors(features, 64)
    fewer, more = [count for count in counts if count < heads], [count for count in counts if count > heads]
    yield from (position.with_params(nhead=count) for count in (*fewer[-1:], *more[:1]))
    if source := position.find_earlier("PatchEmbedding", "Linear"):
        name = "embed_dim" if source.layer.type == "PatchEmbedding" else "out_features"
        width = _round_up(features, heads)
        yield source.replace_with(_setting_title(name, source, width), LayerSpec(source.layer.type, {**source.layer.params, name: width}))
