"""Networks that hypothesis makes: stacks of any layers, with sizes so small that PyTorch really runs them at once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from hypothesis import strategies as st
from torch import Tensor

from playground.network.catalogue import LAYERS, layer_type
from playground.network.spec import LayerSpec, NetworkSpec
from playground.network.trace import construct, trace
from playground.network.types import Param

Layer = LayerSpec
BATCH = 2


def network(input_shape: tuple[int, ...], *layers: Layer) -> NetworkSpec:
    return NetworkSpec("test", input_shape, layers)


def value(param: Param) -> st.SearchStrategy[Any]:
    """Small ones, so that networks stay quick to run."""
    if param.kind == "int":
        return st.integers(int(param.low), min(int(param.high), int(param.low) + 6))
    if param.kind == "float":
        return st.floats(param.low, param.high)
    return st.booleans() if param.kind == "bool" else st.sampled_from(param.choices)


def layer_of(name: str) -> st.SearchStrategy[Layer]:
    params = {param.name: value(param) for param in layer_type(name).params}
    return st.fixed_dictionaries({}, optional=params).map(lambda values: Layer(name, values))


layers = st.sampled_from([kind.name for kind in LAYERS]).flatmap(layer_of)
vectors = st.tuples(st.integers(1, 12))
images = st.tuples(st.integers(1, 3), st.integers(1, 16), st.integers(1, 16))
square_images = st.tuples(st.integers(1, 3), st.integers(1, 16)).map(lambda size: (size[0], size[1], size[1]))
shapes = st.one_of(vectors, images, square_images)
any_stacks = st.builds(lambda shape, stack: network(shape, *stack), shapes, st.lists(layers, min_size=1, max_size=6))


@st.composite
def token_stacks(draw: st.DrawFn) -> NetworkSpec:
    """Layers for tokens behind patches that tile the image, which seldom come together by themselves."""
    patch, count = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    first = Layer("PatchEmbedding", {"patch_size": patch, "embed_dim": draw(st.integers(1, 12))})
    rest = st.sampled_from([kind.name for kind in LAYERS if 2 in kind.ranks]).flatmap(layer_of)
    return network((draw(st.integers(1, 3)), patch * count, patch * count), first, *draw(st.lists(rest | layer_of("TransformerEncoderLayer"), max_size=4)))


stacks = any_stacks | any_stacks | any_stacks | token_stacks()


def run(layers: Iterable[Layer], shape: tuple[int, ...]) -> Tensor:
    """What PyTorch makes of a batch of samples of `shape`; raises where it refuses a layer."""
    values = torch.randn(BATCH, *shape)
    for layer in layers:
        values = construct(layer, tuple(values.shape[1:]))(values)
    return values


def without_misfits(spec: NetworkSpec) -> NetworkSpec | None:
    """The stack with each layer left out that does not fit."""
    fitting: tuple[Layer, ...] = ()
    for layer in spec.layers:
        if not trace(spec.with_layers((*fitting, layer)))[-1].error:
            fitting = (*fitting, layer)
    return spec.with_layers(fitting) if fitting else None
