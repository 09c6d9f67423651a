"""Functions of a script with a backward pass of its own: subclasses of `torch.autograd.Function`.

Source: https://docs.pytorch.org/docs/stable/notes/extending.html
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

import torch

from playground.tensors.language import allowed
from playground.tensors.language.calls import Entry
from playground.tensors.language.classes import Class, Wrapped
from playground.tensors.language.errors import OperationFailed
from playground.tensors.language.held import Context
from playground.tensors.language.operations import Operations


def applied(kind: Class, args: tuple[Any, ...], node: ast.AST, operations: Operations, call: Callable[..., Any]) -> Any:
    """Call `kind.apply(…)`: PyTorch calls its `forward` now, and its `backward` in the backward pass.

    Args:
        call: calls a function of the script.
    """

    def static(name: str) -> Any:
        member, exists = kind.lookup(name)
        if not exists:
            raise OperationFailed(f"NotImplementedError: You must implement {name} for custom autograd.Function.", "", node)  # no text: as PyTorch's message
        return member.function if isinstance(member, Wrapped) else member

    contexts: dict[int, Context] = {}

    def forward(ctx: Any, *inputs: Any) -> Any:
        context = contexts[id(ctx)] = Context(ctx)
        return call(static("forward"), (context, *inputs), {}, node)

    def backward(ctx: Any, *gradients: Any) -> Any:
        return call(static("backward"), (contexts[id(ctx)], *gradients), {}, node)

    function: Any = type(kind.name, (torch.autograd.Function,), {"forward": staticmethod(forward), "backward": staticmethod(backward)})
    given = [value for value in args if isinstance(value, torch.Tensor)]

    def perform(*operands: Any) -> Any:
        tensors = [value for value in operands if isinstance(value, torch.Tensor)]
        if any(one is not other for one, other in zip(tensors, given, strict=True)):
            raise NotImplementedError  # what the script does with other values is not asked
        return function.apply(*operands)

    return operations.perform(Entry(f"{kind.name}.apply", allowed.AUTOGRAD, perform), node, args)
