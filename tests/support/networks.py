"""Networks as the browser sends them, valid or not."""

from __future__ import annotations

from typing import Any


def network(shape: list[Any], *layers: dict[str, Any], name: Any = "mine") -> dict[str, Any]:
    """Return a network, unchecked."""
    return {"name": name, "input_shape": shape, "layers": list(layers)}


def layer(layer_type: Any, **params: Any) -> dict[str, Any]:
    """Return a layer, unchecked."""
    return {"type": layer_type, **params}
