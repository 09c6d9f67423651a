"""The graph component: a network's autograd graph, folded by module, with the norm of the gradient at each part."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playground.ui.components import register

_component = register(Path(__file__).parent, styles=("lab", "graph"))


def module_graph(graph: dict[str, Any], key: str) -> None:
    """Show a graph in the form that `playground.autograd.module_graph.observe` returns."""
    _component(key=key, data={"graph": graph})
