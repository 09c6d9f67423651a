"""Data classes of a script: `__init__`, `__repr__` and `__eq__` made from the names with a type in the body of a class.

Source: https://docs.python.org/3/library/dataclasses.html
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from playground.tensors.language.classes import Class, Instance, write
from playground.tensors.language.errors import OperationFailed
from playground.tensors.language.functions import Function, Own, bind
from playground.tensors.language.modules import PythonFunction
from playground.tensors.language.operations import Operations
from playground.tensors.language.scopes import NOTHING, Scope

_NOWHERE = ast.Pass()


@dataclass(frozen=True)
class Field(Own):
    """What `field(…)` returns: the default of a name, or what makes it."""

    defaults: tuple[Any, ...] = ()
    """The default, if there is one."""
    factory: Any = None


class DataClasses:
    """Makes the data classes of one script.

    Args:
        operations: writes and compares the values of fields.
        call: calls a function of the script.
    """

    def __init__(self, operations: Operations, call: Callable[..., Any]) -> None:
        self._operations, self._call = operations, call

    def field(self, *, default_factory: Any = None, **options: Any) -> Field:
        """Return the default of a name, as `dataclasses.field` does."""
        return Field((options["default"],) if "default" in options else (), default_factory)

    def dataclass(self, *classes: Any, **_options: Any) -> Any:
        """Give a class the methods that its fields define; without a class, return what does so."""
        if not classes:
            return PythonFunction("dataclasses.dataclass", self.dataclass)
        (kind,) = classes
        if not isinstance(kind, Class):
            raise OperationFailed("TypeError: dataclass() takes a class")  # no text: as Python's messages
        names = tuple(dict.fromkeys(name for each in (*reversed(kind.order), kind) if isinstance(each, Class) for name in each.annotated))
        methods = {"__init__": self._begin(kind, names), "__repr__": self._text(names), "__eq__": self._equal(kind, names)}
        kind.members.update({name: PythonFunction(f"{kind.name}.{name}", method) for name, method in methods.items() if name not in kind.members})
        return kind

    def _begin(self, kind: Class, names: tuple[str, ...]) -> Callable[..., None]:
        defaults = {name: kind.lookup(name) for name in names}
        optional = [name for name, (value, exists) in defaults.items() if exists and not (isinstance(value, Field) and value == Field())]
        if [*names[len(names) - len(optional) :]] != optional:
            late = next(name for name in names if name not in optional and names.index(name) > names.index(optional[0]))
            raise OperationFailed(f"TypeError: non-default argument '{late}' follows default argument")  # no text: Python's message
        parameters = ast.arguments(posonlyargs=[], args=[ast.arg(name) for name in ("self", *names)], kwonlyargs=[], kw_defaults=[], defaults=[])
        given = tuple(defaults[name][0] for name in optional)
        function = Function(f"{kind.name}.__init__", parameters, [], Scope({}), NOTHING, given)

        def begin(instance: Instance, *args: Any, **kwargs: Any) -> None:
            values = bind(function, (instance, *args), kwargs)
            for name in names:
                value = values[name]
                if isinstance(value, Field):
                    value = value.defaults[0] if value.defaults else self._call(value.factory, (), {}, _NOWHERE)
                write(instance, name, value)
            after, exists = instance.kind.lookup("__post_init__")
            if exists:
                self._call(after, (instance,), {}, _NOWHERE)

        return begin

    def _text(self, names: tuple[str, ...]) -> Callable[..., str]:
        def text(instance: Instance) -> str:
            parts = [f"{name}={self._operations.text(instance.attributes.get(name), 'r')}" for name in names]
            return f"{instance.kind.name}({', '.join(parts)})"

        return text

    def _equal(self, kind: Class, names: tuple[str, ...]) -> Callable[..., bool]:
        def equal(one: Instance, other: Any) -> bool:
            if not isinstance(other, Instance) or other.kind is not kind:
                return False
            pairs = [(one.attributes.get(name), other.attributes.get(name)) for name in names]
            return all(a is b or self._operations.truth(self._operations.compare("==", a, b, _NOWHERE), _NOWHERE) for a, b in pairs)

        return equal
