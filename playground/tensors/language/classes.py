"""Classes of a script and their instances: values of the interpreter. A subclass of `nn.Module` has a module of PyTorch inside, which holds its layers.

Source: https://docs.python.org/3/reference/datamodel.html, https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from playground.messages import msg
from playground.tensors.language import objects
from playground.tensors.language.errors import OperationFailed, Refused
from playground.tensors.language.functions import Function, Own
from playground.tensors.language.objects import Layer

METHODS = {
    "+": ("__add__", "__radd__"), "-": ("__sub__", "__rsub__"), "*": ("__mul__", "__rmul__"), "/": ("__truediv__", "__rtruediv__"), "//": ("__floordiv__", ""),
    "%": ("__mod__", ""), "**": ("__pow__", ""), "@": ("__matmul__", ""), "==": ("__eq__", "__eq__"), "!=": ("__ne__", "__ne__"), "<": ("__lt__", "__gt__"),
    "<=": ("__le__", "__ge__"), ">": ("__gt__", "__lt__"), ">=": ("__ge__", "__le__"), "in": ("", "__contains__"),
}  # fmt: skip
"""The methods of an operator, of its left and of its right operand."""


_OF_MODULE = frozenset(vars(nn.Module()))
"""Attributes that every module of PyTorch has for itself."""


@dataclass(frozen=True)
class Base(Own):
    """A class of Python or PyTorch that a script may derive from."""

    name: str

    def __repr__(self) -> str:
        return f"<class '{self.name}'>"


FUNCTION = Base("torch.autograd.function.Function")
OBJECT, MODULE, DATASET = Base("object"), Base("torch.nn.modules.module.Module"), Base("torch.utils.data.dataset.Dataset")
SEQUENTIAL = Base("torch.nn.modules.container.Sequential")
BASES = {"torch.nn.Module": MODULE, "torch.nn.Sequential": SEQUENTIAL, "torch.utils.data.Dataset": DATASET, "torch.autograd.Function": FUNCTION}
"""Classes of PyTorch that scripts derive from, by their full names."""


@dataclass(frozen=True, eq=False)
class Class(Own):
    """A class that a script defined."""

    name: str
    order: tuple[Class | Base, ...] = field(repr=False)
    """Where its methods are looked up, without the class itself."""
    members: dict[str, Any] = field(repr=False)
    annotated: tuple[str, ...] = ()
    """Names with a type in its body: the fields of a data class."""

    def __repr__(self) -> str:
        return f"<class '__main__.{self.name}'>"

    @property
    def is_module(self) -> bool:
        return MODULE in self.order

    def lookup(self, name: str, after: Class | None = None) -> tuple[Any, bool]:
        """Return a member of the class or of one it derives from, and whether there is one; with `after` only of those behind that class."""
        chain: list[Class | Base] = [self, *self.order]
        for each in chain[chain.index(after) + 1 if after else 0 :]:
            if isinstance(each, Class) and name in each.members:
                return each.members[name], True
        return None, False

    def derives_from(self, other: Any) -> bool:
        return other is self or other in self.order


@dataclass(frozen=True, eq=False)
class Instance(Own):
    """An object of a class of a script."""

    kind: Class
    attributes: dict[str, Any] = field(default_factory=dict, repr=False)
    modules: list[nn.Module] = field(default_factory=list, repr=False)
    """PyTorch's module, once `super().__init__()` has made it."""

    def __repr__(self) -> str:
        return repr(self.modules[0]) if self.modules else f"<__main__.{self.kind.name} object at {id(self):#x}>"  # no text: as Python has it

    @property
    def layer(self) -> Layer:
        """Its module as a layer.

        Raises:
            OperationFailed: it has none yet.
        """
        if not self.modules:
            raise OperationFailed(f"AttributeError: '{self.kind.name}' object has no attribute '_modules'")  # no text: PyTorch's message
        return Layer(self.modules[0])


@dataclass(frozen=True, eq=False)
class Method(Own):
    """A function of a class with the object that it is called for."""

    function: Any
    owner: Any

    def __repr__(self) -> str:
        return f"<bound method {getattr(self.function, 'name', '')} of {self.owner!r}>"  # no text: as Python has it


@dataclass(frozen=True, eq=False)
class Wrapped(Own):
    """A function behind `@staticmethod`, `@classmethod` or `@property`."""

    kind: str
    function: Any


@dataclass(frozen=True, eq=False)
class Super(Own):
    """What `super()` returns: the members behind a class, for an object."""

    after: Class
    instance: Instance


def linearised(bases: list[Class | Base]) -> tuple[Class | Base, ...]:
    """Return the order in which the bases of a class are looked up: https://docs.python.org/3/howto/mro.html

    Raises:
        OperationFailed: the bases contradict each other.
    """
    behind = {OBJECT: [], SEQUENTIAL: [MODULE, OBJECT]}
    chains: list[list[Class | Base]] = [[base, *(base.order if isinstance(base, Class) else behind.get(base, [OBJECT]))] for base in bases]
    chains.append([*bases])
    order: list[Class | Base] = []
    while chains := [chain for chain in chains if chain]:
        head = next((chain[0] for chain in chains if not any(chain[0] in other[1:] for other in chains)), None)
        if head is None:
            raise OperationFailed("TypeError: Cannot create a consistent method resolution order (MRO)")  # no text: Python's message
        order.append(head)
        chains = [[each for each in chain if each is not head] for chain in chains]
    return tuple(order)


class ScriptModule(nn.Module):
    """PyTorch's side of an instance whose class derives from `nn.Module`.

    Args:
        instance: the script's side.
        forward: calls the `forward` of the script.
    """

    def __init__(self, instance: Instance, forward: Callable[..., Any]) -> None:
        super().__init__()
        self.__dict__["_script_instance"], self.__dict__["_script_forward"] = instance, forward  # names that no script can use

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        call: Callable[..., Any] = self.__dict__["_script_forward"]
        return call(self.__dict__["_script_instance"], *args, **kwargs)


class ScriptSequence(ScriptModule, nn.Sequential):
    """The same, of a class that derives from `nn.Sequential`."""


def begin_module(instance: Instance, forward: Callable[..., Any], layers: tuple[Any, ...] = ()) -> None:
    """Make the module of an instance, as `nn.Module.__init__` does.

    Args:
        layers: those of a sequence.
    """
    if not instance.kind.is_module:
        return
    module = type(instance.kind.name, (ScriptSequence if SEQUENTIAL in instance.kind.order else ScriptModule,), {})(instance, forward)
    named = layers[0].items() if len(layers) == 1 and isinstance(layers[0], dict) else ((str(place), layer) for place, layer in enumerate(layers))
    for name, layer in named:
        try:
            module.add_module(name, objects.inside(layer))
        except (TypeError, KeyError) as error:
            raise OperationFailed(f"{type(error).__name__}: {error}") from error
    instance.modules[:] = [module]


def as_layer(value: Any) -> Any:
    """Return the module of an instance that is a sequence without an iteration of its own, as a layer; any other value as it is."""
    is_sequence = isinstance(value, Instance) and value.modules and isinstance(value.modules[0], nn.Sequential)
    return value.layer if is_sequence and not any(value.kind.lookup(name)[1] for name in ("__iter__", "__getitem__", "__len__")) else value


def read(instance: Instance, name: str) -> Any:
    """Return an attribute of an instance, or a method that waits for its arguments.

    Raises:
        OperationFailed: there is none.
    """
    if name in instance.attributes:
        return instance.attributes[name]
    if instance.modules:
        module = instance.modules[0]
        for table in (module._parameters, module._buffers, module._modules):
            if name in table:
                return objects.outside(table[name])
        if name == "training":
            return module.training
    member, exists = instance.kind.lookup(name)
    if not exists:
        raise OperationFailed(f"AttributeError: '{instance.kind.name}' object has no attribute '{name}'")  # no text: Python's message
    return bound(member, instance)


def bound(member: Any, instance: Instance) -> Any:
    """Return a member of a class as an instance has it."""
    if isinstance(member, Function):
        return Method(member, instance)
    if isinstance(member, Wrapped) and member.kind == "classmethod":
        return Method(member.function, instance.kind)
    return member.function if isinstance(member, Wrapped) and member.kind == "staticmethod" else member


def write(instance: Instance, name: str, value: Any) -> None:
    """Assign an attribute. A module keeps parameters and layers, as in PyTorch.

    Raises:
        OperationFailed: the module is not there yet.
    """
    inner = objects.inside(value)
    is_kept = isinstance(inner, (nn.Module, nn.Parameter)) and instance.kind.is_module
    if is_kept and name in _OF_MODULE:
        raise Refused(msg("`.{name}` cannot be set.", name=name))
    if is_kept and not instance.modules:
        what = "module" if isinstance(inner, nn.Module) else "parameters"
        raise OperationFailed(f"AttributeError: cannot assign {what} before Module.__init__() call")  # no text: PyTorch's message
    if is_kept or (instance.modules and (name in instance.modules[0]._parameters or name in instance.modules[0]._buffers)):
        instance.attributes.pop(name, None)
        try:
            setattr(instance.modules[0], name, inner)
        except (TypeError, KeyError) as error:
            raise OperationFailed(f"{type(error).__name__}: {error}") from error
    else:
        instance.attributes[name] = value


def base_of(value: Any) -> Class | Base:
    """Return a value as a class to derive from.

    Raises:
        Refused: it is none that scripts can derive from.
    """
    if isinstance(value, (Class, Base)):
        return value
    if value is object:
        return OBJECT
    if getattr(value, "name", "") in BASES:
        return BASES[value.name]
    raise Refused(msg("Scripts can derive classes from their own ones, from `nn.Module` and from `Dataset`."))


def tensors(instance: Instance) -> Iterator[tuple[str, torch.Tensor]]:
    """Yield the parameters and buffers of an instance, and its tensors."""
    if instance.modules:
        yield from Layer(instance.modules[0]).tensors()
    yield from ((name, value) for name, value in instance.attributes.items() if isinstance(value, torch.Tensor))
