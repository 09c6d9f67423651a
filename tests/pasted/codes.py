"""Code as a text, and networks in a form that can be compared."""

from __future__ import annotations

from typing import Any

from playground.network.catalogue import layer_type
from playground.network.spec import NetworkSpec
from playground.network.types import Shape
from playground.pasted.reading import read

Layers = list[tuple[str, dict[str, Any]]]


def layers_of(spec: NetworkSpec) -> Layers:
    """Every layer with all of its settings, defaults written out."""
    return [(layer.type, layer_type(layer.type).settings(layer.params)) for layer in spec.layers]


def full(*layers: tuple[Any, ...]) -> Layers:
    """`("Conv2d", 6, 5)` as a layer: the catalogue's parameters in their order, the others at their defaults."""
    result = []
    for name, *values in layers:
        kind = layer_type(name)
        result.append((name, kind.settings(dict(zip([param.name for param in kind.params], values, strict=False)))))
    return result


def in_class(init: str, forward: str, head: str = "") -> str:
    lines = ["class Net(nn.Module):", "    def __init__(self):", "        super().__init__()"]
    lines += [f"        {line}" for line in init.split("\n")]
    lines += ["", "    def forward(self, x):", *[f"        {line}" for line in forward.split("\n")]]
    return head + "\n".join(lines) + "\n"


def types(text: str, shape: Shape | None = None) -> list[str]:
    return [layer.type for layer in read(text, shape).spec.layers]
