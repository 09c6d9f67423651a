"""What stands behind a dot: attributes of all values, and the classes and objects of a script."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from torch import nn

from playground.messages import msg
from playground.tensors.language import classes, objects, own_functions, values
from playground.tensors.language.calls import Entry
from playground.tensors.language.classes import FUNCTION, SEQUENTIAL, Class, Instance, Method, Super, Wrapped
from playground.tensors.language.errors import OperationFailed, Refused
from playground.tensors.language.functions import Function, Own
from playground.tensors.language.held import Context, Held
from playground.tensors.language.imports import Imports
from playground.tensors.language.modules import Absent, Module, Namespace, PythonFunction
from playground.tensors.language.objects import Layer, Maker
from playground.tensors.language.of_pytorch import OfPyTorch
from playground.tensors.language.operations import Operations
from playground.tensors.language.syntax import internal


class Members:
    """Reads attributes and calls methods.

    Args:
        operations: reads the attributes of tensors and of plain values.
        of_pytorch: calls the methods of layers.
        imports: looks up what modules have.
        call: calls a function of the script.
    """

    def __init__(self, operations: Operations, of_pytorch: OfPyTorch, imports: Imports, call: Callable[..., Any]) -> None:
        self._operations, self._of_pytorch, self._imports, self._call = operations, of_pytorch, imports, call
        self.frames: list[tuple[Function, Any]] = []
        """Functions that are called now, each with its first argument."""

    def attribute(self, owner: Any, name: str, node: ast.expr) -> Any:
        """Return `owner.name`."""
        if isinstance(owner, Absent):
            raise owner.refusal(node)
        if isinstance(owner, Context):
            return owner.read(name)
        if isinstance(owner, Namespace):
            return owner.read(name, node)
        if isinstance(owner, Module):
            return self._imports.member(f"{owner.name}.{name}", node, called=True)
        if isinstance(owner, Class) and name == "apply" and FUNCTION in owner.order:
            return PythonFunction(f"{owner.name}.apply", lambda *args: own_functions.applied(owner, args, node, self._operations, self._call))
        if name == "__name__":
            return _name_of(owner, node)
        if name == "__class__":
            return _class_of(owner, node)
        if name == "_modules":
            return objects.Parts.of(owner)
        if isinstance(owner, (Instance, Class, Super)):
            return self._member(owner, name)
        return self._operations.get_attribute(owner, name, node)

    def by_name(self, name: str, node: ast.AST, owner: Any, attribute: Any, *more: Any) -> Any:
        """Call `getattr`, `hasattr` or `setattr`, which reach what a script reaches by a dot."""
        if not isinstance(attribute, str) or not attribute.isidentifier() or attribute.startswith("_"):
            raise Refused(msg("`{name}` takes a name that a script could write behind a dot.", name=name), "", node)
        written = ast.copy_location(ast.Attribute(ast.Name("value"), attribute), node)
        if name == "setattr":
            (value,) = more
            return self._operations.set_attribute(owner, attribute, value, written)
        is_missing = isinstance(owner, Layer) and not hasattr(owner.module, attribute)
        try:
            if is_missing:
                raise OperationFailed(f"AttributeError: '{values.type_of(owner).__name__}' object has no attribute '{attribute}'")  # no text: Python's message
            found = self._imports.member(f"{owner.name}.{attribute}", written) if isinstance(owner, Module) else self.attribute(owner, attribute, written)
        except Refused:
            if name == "hasattr" and isinstance(owner, Own) and not isinstance(owner, Module):
                return False
            raise
        except OperationFailed as error:
            if name == "hasattr" or (more and isinstance(error.exception, AttributeError)):
                return more[0] if name == "getattr" else False
            raise
        return True if name == "hasattr" else found

    def instance(self, kind: Class, args: tuple[Any, ...], kwargs: dict[str, Any], node: ast.AST) -> Instance:
        """Make an instance of a class of the script."""
        made = Instance(kind)
        begin, exists = kind.lookup("__init__")
        if exists:
            self._call(begin, (made, *args), kwargs, node)
        elif (args or kwargs) and SEQUENTIAL not in kind.order:
            raise OperationFailed(f"TypeError: {kind.name}() takes no arguments", "", node)  # no text: Python's message
        else:
            classes.begin_module(made, self._forward, args)
        self._operations.tracer.made(made, node)
        return made

    def call_instance(self, instance: Instance, args: tuple[Any, ...], kwargs: dict[str, Any], node: ast.AST) -> Any:
        """Call `instance(…)`: its `__call__`, or the `forward` of a network."""
        for name in ("__call__", *(["forward"] if instance.kind.is_module else [])):
            function, exists = instance.kind.lookup(name)
            if exists:
                result = self._call(function, (instance, *args), kwargs, node)
                return self._of_pytorch.after(instance.modules[0], args, result, node) if instance.modules else result
        if SEQUENTIAL in instance.kind.order and instance.modules and len(args) == 1:
            return self._of_pytorch.through_parts(instance.layer, args[0], node)
        if instance.kind.is_module:
            message = f'NotImplementedError: Module [{instance.kind.name}] is missing the required "forward" function'  # no text: PyTorch's message
            raise OperationFailed(message, "", node)
        raise OperationFailed(f"TypeError: '{instance.kind.name}' object is not callable", "", getattr(node, "func", node))  # no text: Python's message

    def _forward(self, instance: Instance, *args: Any, **kwargs: Any) -> Any:
        """Call a network of the script that stands inside one of PyTorch's modules."""
        return self.call_instance(instance, args, kwargs, ast.Pass())

    def super(self, args: tuple[Any, ...]) -> Super:
        """Return what `super()` means in the function that is called now."""
        function, first = self.frames[-1] if self.frames else (None, None)
        after, instance = args if len(args) == 2 else (function.home[0] if function and function.home else None, first)
        if not isinstance(after, Class) or not isinstance(instance, Instance):
            raise OperationFailed("RuntimeError: super(): no arguments")  # no text: Python's message
        return Super(after, instance)

    def call_member(self, owner: Instance | Class | Super, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], node: ast.Call) -> Any:
        """Call `owner.name(…)`."""
        if isinstance(owner, Super) and name == "__init__" and not owner.instance.kind.lookup(name, owner.after)[1]:
            return classes.begin_module(owner.instance, self._forward, args)
        if isinstance(owner, Class) and name == "apply" and FUNCTION in owner.order:
            return own_functions.applied(owner, args, node, self._operations, self._call)
        if isinstance(owner, Instance) and owner.modules and hasattr(nn.Module, name) and not self._has(owner, name):
            return self._of_pytorch.call_method(owner.layer, name, node, args, kwargs)
        return self._call(self._member(owner, name), args, kwargs, node)

    @staticmethod
    def _has(instance: Instance, name: str) -> bool:
        try:
            classes.read(instance, name)
        except OperationFailed:
            return False
        return True

    def _member(self, owner: Instance | Class | Super, name: str) -> Any:
        """Return `owner.name`."""
        if isinstance(owner, Instance):
            found = classes.read(owner, name)
            return self._call(found.function, (owner,), {}, ast.Pass()) if isinstance(found, Wrapped) and found.kind == "property" else found
        kind, after = (owner.instance.kind, owner.after) if isinstance(owner, Super) else (owner, None)
        member, exists = kind.lookup(name, after)
        if not exists:
            raise OperationFailed(f"AttributeError: type object '{kind.name}' has no attribute '{name}'")  # no text: Python's message
        if isinstance(owner, Super):
            return classes.bound(member, owner.instance)
        if isinstance(member, Wrapped):
            return Method(member.function, owner) if member.kind == "classmethod" else member.function
        return member


def _class_of(value: Any, node: ast.expr) -> Any:
    """Return the class of a value, as `type` does.

    Raises:
        Refused: it is a value of the interpreter that Python does not have.
    """
    if isinstance(value, Own) and not isinstance(value, (Instance, Layer, Held)):
        raise internal("__class__", node)
    return value.kind if isinstance(value, Instance) else values.check_kind(values.type_of(value))


def _name_of(value: Any, node: ast.expr) -> str:
    """Return the name of a class or a function.

    Raises:
        Refused: the value is neither.
    """
    if isinstance(value, (Class, Function)):
        return value.name.rpartition(".")[2]
    if isinstance(value, Maker):
        return value.kind.__name__
    if isinstance(value, type):
        return value.__name__
    if isinstance(value, Entry):
        return value.short
    raise internal("__name__", node)
