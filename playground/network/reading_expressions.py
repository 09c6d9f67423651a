"""Expressions of read code: looked up and added together, never run. What is not on the list is refused by name."""

from __future__ import annotations

import ast
import operator
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from playground.network.reading_layers import BLOCKS, KINDS, PASSING
from playground.network.reading_values import (
    TRAINING,
    WHAT_CAN,
    Chain,
    CodeError,
    Function,
    Instance,
    Layer,
    Method,
    Ref,
    Signal,
    Sized,
    Sizes,
    Unread,
    cannot,
    line_of,
)  # fmt: skip

MAX_ITEMS = 1000
"""Elements of a list; a network has 200 layers at the most."""
STEPS, ALL_STEPS = 5_000, 25_000
"""Expressions and statements looked at, for one statement of the file and for all of it."""
LARGEST = 10**15
KEEPS = {"to", "cuda", "cpu", "eval", "train", "float", "requires_grad_", "apply"}
"""Methods of a module that give back that module."""
MUTATES = {"append", "extend", "insert", "pop", "update", "add_module"}
"""Methods that change what they are called on."""
_SKIP = "adds two results, and the playground has such a connection only inside a ResidualBlock."

_BUILTIN = {name: Ref(f"builtins.{name}") for name in ("len", "int", "range", "list", "tuple", "super", "print", "setattr")}
_USUAL = {"torch": "torch", "nn": "torch.nn", "F": "torch.nn.functional", "OrderedDict": "collections.OrderedDict", "math": "math", "np": "numpy"}
DEFAULTS: dict[str, object] = {
    **{name: Ref(f"torch.nn.{name}") for name in [*KINDS, *PASSING, "Sequential", "Module", "ModuleList"]},
    **{name: Ref(f".{name}") for name in BLOCKS},
    **{name: Ref(path) for name, path in _USUAL.items()},
    **_BUILTIN,
    "__name__": "__main__",
}
"""Names that mean something where the code does not say it: pasted pieces often lack their imports."""

_NUMBERS: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod, ast.Pow: operator.pow,
}  # fmt: skip
_COMPARES: Mapping[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge,
    ast.Is: operator.eq, ast.IsNot: operator.ne,
}  # fmt: skip


@dataclass
class Frame:
    """The names of a function, a class or the file."""

    names: dict[str, object] = field(default_factory=dict)


class Expressions(ABC):
    """Gives expressions their values, and keeps what is to be told about them."""

    def __init__(self) -> None:
        self.globals = Frame()
        self.notes: dict[tuple[int, str], None] = {}
        self.steps, self.all_steps = STEPS, ALL_STEPS
        self._values: dict[type[ast.AST], Callable[[Any, Frame], object]] = {
            ast.Constant: self._constant, ast.Name: self._name, ast.Attribute: self._attribute, ast.Call: self.call, ast.Subscript: self._subscript,
            ast.Tuple: lambda node, frame: tuple(self._items(node, frame)), ast.List: self._items, ast.Dict: self._dict,
            ast.BinOp: self._binary, ast.UnaryOp: self._unary, ast.Compare: self._compare, ast.BoolOp: self._boolean, ast.IfExp: self._choice,
        }  # fmt: skip

    @abstractmethod
    def call(self, node: ast.Call, frame: Frame) -> object:
        """What a call gives back."""

    def value(self, node: ast.expr, frame: Frame) -> object:
        """What an expression stands for.

        Raises:
            CodeError: it cannot be read.
        """
        self.step(node)
        if type(node) not in self._values:
            raise cannot(node)
        return self._values[type(node)](node, frame)

    def step(self, node: ast.AST) -> None:
        self.steps, self.all_steps = self.steps - 1, self.all_steps - 1
        if self.steps < 0 or self.all_steps < 0:
            raise CodeError("The code takes too many steps to read.", "Leave in only the network.", line_of(node))

    def note(self, text: str, node: ast.AST) -> None:
        if text:
            self.notes[line_of(node), text] = None

    def truth(self, node: ast.expr, frame: Frame) -> bool:
        """Whether a condition holds that does not depend on the data."""
        return self._holds(self.value(node, frame), node)

    def _holds(self, value: object, node: ast.expr) -> bool:
        if value is TRAINING:
            raise cannot(node, "tells training from use, and cannot be read here.", "Dropout and batch norm know by themselves whether it is training.")
        if value is not None and not isinstance(value, (bool, int, float, str, list, tuple)):
            raise cannot(node, "is a condition that cannot be read here.", WHAT_CAN)
        return bool(value)

    def _constant(self, node: ast.Constant, _: Frame) -> object:
        if node.value is not None and not isinstance(node.value, (bool, int, float, str)):
            raise cannot(node)
        return node.value

    def _name(self, node: ast.Name, frame: Frame) -> object:
        for names in (frame.names, self.globals.names, DEFAULTS):
            if node.id in names:
                found = names[node.id]
                if isinstance(found, Unread):
                    raise found.error
                return found
        raise cannot(node, "is defined nowhere in this code.", "Paste the lines that define it, too.")

    def _attribute(self, node: ast.Attribute, frame: Frame) -> object:
        owner = self.value(node.value, frame)
        if isinstance(owner, Instance):
            return self._member(owner, node)
        if isinstance(owner, Ref):
            return Ref(f"{owner.path}.{node.attr}")
        if isinstance(owner, Signal) and node.attr == "shape":
            return Sizes(owner)
        if isinstance(owner, (Signal, Layer, Chain, Sizes, list)):
            return Method(owner, node.attr)
        raise cannot(node)

    def _member(self, owner: Instance, node: ast.Attribute) -> object:
        found = owner.attributes.get(node.attr)
        if isinstance(found, Unread):
            raise found.error
        if node.attr in owner.attributes:
            return found
        if node.attr == "training":
            return TRAINING
        if node.attr in owner.of.methods:
            return Function(owner.of.methods[node.attr], owner)
        if node.attr in KEEPS | {"add_module"}:
            return Method(owner, node.attr)
        raise cannot(node, f"is set nowhere in the class {owner.of.node.name}.", "Set it in __init__.")

    def _items(self, node: ast.Tuple | ast.List, frame: Frame) -> list[object]:
        return self._spread(node.elts, frame)

    def _spread(self, nodes: list[ast.expr], frame: Frame) -> list[object]:
        """Elements one by one, `*items` taken apart."""
        found: list[object] = []
        for node in nodes:
            if not isinstance(node, ast.Starred):
                found.append(self.value(node, frame))
                continue
            items = self.value(node.value, frame)
            items = items.items if isinstance(items, Chain) else items
            if not isinstance(items, (list, tuple)) or len(items) + len(found) > MAX_ITEMS:
                raise cannot(node, hint="A star may stand before a list of layers that is written out.")
            found += items
        return found

    def _dict(self, node: ast.Dict, frame: Frame) -> dict[str, object]:
        keys = [self.value(key, frame) if key else None for key in node.keys]
        values = [self.value(value, frame) for value in node.values]
        if not all(isinstance(key, str) for key in keys):
            raise cannot(node)
        return {str(key): value for key, value in zip(keys, values, strict=True)}

    def _binary(self, node: ast.BinOp, frame: Frame) -> object:
        return self.combine(node, node.op, self.value(node.left, frame), self.value(node.right, frame))

    def combine(self, node: ast.AST, sign: ast.operator, left: object, right: object) -> object:
        """`left + right` and its like, for numbers, sizes and lists."""
        if isinstance(left, Signal) and isinstance(right, Signal):
            raise cannot(node, _SKIP if isinstance(sign, ast.Add) else "puts two results together, and cannot be read here.", "Use the block ResidualBlock.")
        if isinstance(sign, ast.Mult) and isinstance(left, Sized) and isinstance(right, Sized) and left.signal is right.signal:
            if left.dims is None or right.dims is None:
                raise cannot(node)
            return Sized(left.signal, (*left.dims, *right.dims))
        if isinstance(sign, ast.Add) and isinstance(left, list) and isinstance(right, list) and len(left) + len(right) <= MAX_ITEMS:
            return left + right
        if not isinstance(left, (int, float)) or not isinstance(right, (int, float)) or type(sign) not in _NUMBERS:
            raise cannot(node)
        if isinstance(sign, ast.Pow) and (abs(left) > 10**4 or not 0 <= right <= 16):
            raise cannot(node, "is too large.", "")
        try:
            result: float = _NUMBERS[type(sign)](left, right)
        except (ArithmeticError, ValueError):
            raise cannot(node, "has no value.", "") from None
        if not abs(result) <= LARGEST:
            raise cannot(node, "is too large.", "")
        return result

    def _unary(self, node: ast.UnaryOp, frame: Frame) -> object:
        if isinstance(node.op, ast.Not):
            return not self.truth(node.operand, frame)
        value = self.value(node.operand, frame)
        if not isinstance(node.op, (ast.USub, ast.UAdd)) or not isinstance(value, (int, float)):
            raise cannot(node)
        return -value if isinstance(node.op, ast.USub) else value

    def _compare(self, node: ast.Compare, frame: Frame) -> bool:
        values = [self.value(part, frame) for part in (node.left, *node.comparators)]
        plain = all(value is None or isinstance(value, (bool, int, float, str)) for value in values)
        if not plain or any(type(sign) not in _COMPARES for sign in node.ops):
            raise cannot(node)
        try:
            return all(_COMPARES[type(sign)](left, right) for sign, left, right in zip(node.ops, values, values[1:], strict=False))
        except TypeError:
            raise cannot(node) from None

    def _boolean(self, node: ast.BoolOp, frame: Frame) -> object:
        """As in Python, the value that decides: `hidden or 128`."""
        value: object = None
        for part in node.values:
            value = self.value(part, frame)
            if self._holds(value, part) is isinstance(node.op, ast.Or):
                break
        return value

    def _choice(self, node: ast.IfExp, frame: Frame) -> object:
        return self.value(node.body if self.truth(node.test, frame) else node.orelse, frame)

    def _subscript(self, node: ast.Subscript, frame: Frame) -> object:
        owner = self.value(node.value, frame)
        items = owner.items if isinstance(owner, Chain) else owner
        if isinstance(node.slice, ast.Slice):
            bounds = [self.value(part, frame) if part else None for part in (node.slice.lower, node.slice.upper)]
            if isinstance(owner, Sizes) and owner.start == 0 and bounds == [1, None] and not node.slice.step:
                return Sizes(owner.signal, 1)
        else:
            index = self.value(node.slice, frame)
            if isinstance(owner, Sizes) and isinstance(index, int) and (index >= 0 or owner.start == 0):
                return Sized(owner.signal, (owner.start + index,))
            if isinstance(items, (list, tuple)) and isinstance(index, int) and -len(items) <= index < len(items):
                return items[index]
        raise cannot(node)
