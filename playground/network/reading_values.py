"""What the names in read code stand for. Nothing of it can be run: a layer is data, and a tensor is the layers it went through."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from math import prod
from typing import Protocol

from playground.errors import PlaygroundError
from playground.network.spec import LayerSpec
from playground.network.types import Shape

WHAT_CAN = "What can be read: the playground’s layers in nn.Sequential or in a class, and calls such as F.relu(x), F.max_pool2d(x, 2) and torch.flatten(x, 1)."
_LONGEST = 60


class CodeError(PlaygroundError):
    """Code that is no stack of the playground's layers.

    Args:
        message: what is wrong, without its line.
        hint: what to do about it.
        line: where it is, from 1; None where no line can be named.
    """

    def __init__(self, message: str, hint: str = "", line: int | None = None) -> None:
        super().__init__(f"Line {line}: {message}" if line else message, hint)
        self.line = line


class Claim(Protocol):
    """What the code says about the data that arrives at a layer."""

    def problem(self, shape: Shape) -> tuple[str, str]:
        """Why data of `shape` cannot be meant, and what to do; two empty texts where it can."""


@dataclass(frozen=True)
class Ref:
    """Something imported, by its full name: `torch.nn.Linear`."""

    path: str


TRAINING = Ref("self.training")


@dataclass(eq=False)
class Layer:
    """One layer that the code makes or calls."""

    name: str
    """As the code calls it: `Linear`, `max_pool2d`."""
    spec: LayerSpec | None
    """None for what the playground needs no layer for."""
    node: ast.AST
    claims: tuple[Claim, ...] = ()
    last: bool = False
    """Whether nothing may follow it."""
    inplace: bool = False
    """Whether it changes what it is given."""
    note: str = ""
    """What is told if it is used."""

    @property
    def line(self) -> int:
        return line_of(self.node)


@dataclass(eq=False)
class Chain:
    """An `nn.Sequential`."""

    items: list[Module]
    node: ast.AST


@dataclass(eq=False)
class Class:
    """A class that the code defines."""

    node: ast.ClassDef
    problem: CodeError | None
    """Why nothing can be made of it."""
    methods: dict[str, ast.FunctionDef] = field(default_factory=dict)
    attributes: dict[str, object] = field(default_factory=dict)
    """What the class itself sets."""
    is_module: bool = True
    """Whether it builds on `nn.Module`."""

    @property
    def is_network(self) -> bool:
        return self.is_module and ("forward" in self.methods or self.problem is not None)


@dataclass(eq=False)
class Instance:
    """What was made of such a class."""

    of: Class
    attributes: dict[str, object] = field(default_factory=dict)


Module = Layer | Chain | Instance


@dataclass(eq=False)
class Function:
    """A function of the code, or a method of `owner`."""

    node: ast.FunctionDef
    owner: Instance | None = None


@dataclass(eq=False)
class Method:
    """What stands before the brackets in `x.view(…)`."""

    owner: object
    name: str


@dataclass(eq=False)
class Signal:
    """A tensor on its way: what it was before, and the layer that it went through last."""

    before: Signal | None = None
    layer: Layer | None = None
    node: ast.AST | None = None

    def path(self) -> list[Signal]:
        """All from the network's input to here, the input left out."""
        found: list[Signal] = []
        signal = self
        while signal.before is not None:
            found.append(signal)
            signal = signal.before
        return found[::-1]


@dataclass(frozen=True)
class Sizes:
    """`x.size()[start:]`"""

    signal: Signal
    start: int = 0


@dataclass(frozen=True)
class Sized:
    """The product of some of a tensor's sizes: `x.size(0)`, `x.size(1) * x.size(2)`."""

    signal: Signal
    dims: tuple[int, ...] | None
    """As PyTorch counts them, the batch being 0; None for all but the batch."""

    @property
    def is_batch(self) -> bool:
        return self.dims == (0,)

    def of(self, shape: Shape) -> int | None:
        """Its value where the tensor's sample has `shape`; None where it has no such size, or the batch is among them."""
        if self.dims is None:
            return prod(shape)
        places = [dim if dim >= 0 else dim + len(shape) + 1 for dim in self.dims]
        return prod(shape[place - 1] for place in places) if all(1 <= place <= len(shape) for place in places) else None


@dataclass(frozen=True)
class Unread:
    """What a name stands for whose value could not be read: an error that waits until the name is needed."""

    error: CodeError


def line_of(node: ast.AST) -> int:
    return int(getattr(node, "lineno", 0))


def dotted(node: ast.AST) -> str:
    """`torch.nn.Linear` as a text; empty where the expression is no such name."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *parts[::-1]]) if isinstance(node, ast.Name) else ""


def show(node: ast.AST) -> str:
    """An expression as one short line."""
    text = dotted(node) or " ".join(ast.unparse(node).split())  # unparsing takes its time, and much that is not read is a name
    if len(text) > _LONGEST and isinstance(node, ast.Call):
        text = f"{' '.join(ast.unparse(node.func).split())}(…)"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def cannot(node: ast.AST, why: str = "", hint: str = WHAT_CAN) -> CodeError:
    """The error for an expression that cannot be read, or, with `why`, for one that says something impossible."""
    return CodeError(f"`{show(node)}` {why or 'cannot be read here.'}", hint, line_of(node))
