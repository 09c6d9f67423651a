"""A network's autograd graph, folded by module, with the size of the gradient that arrived at each part."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playground.ui.components import register

_component = register(Path(__file__).parent, styles=("lab", "graph"))


def module_graph(graph: dict[str, Any], key: str) -> None:
    """Show a graph as `playground.autograd.modules.observe` gives it."""
    _component(key=key, data={"graph": graph})
