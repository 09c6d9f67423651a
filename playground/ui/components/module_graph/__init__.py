"""The graph component: a network's autograd graph, folded by module, with the norm of the gradient at each part."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from playground.ui.components import register

if TYPE_CHECKING:
    from playground.autograd.module_graph import ModuleGraph  # it needs PyTorch

_component = register(Path(__file__).parent, styles=("lab", "graph"))


def module_graph(graph: ModuleGraph, key: str) -> None:
    """Show a graph."""
    _component(key=key, data=graph)
