"""Makes and calls objects of PyTorch and torchvision for a script: layers, optimizers, loaders, transforms, and functions with a backward pass of its own.

Where PyTorch calls back, it gets a function of ours that calls the script's.
"""

from __future__ import annotations

import ast
import weakref
from collections.abc import Callable
from typing import Any

from torch import nn, optim

from playground.messages import msg
from playground.tensors.language import allowed, classes, datasets, objects, sizing, values
from playground.tensors.language.bounds import Meter
from playground.tensors.language.calls import Entry
from playground.tensors.language.classes import Instance
from playground.tensors.language.datasets import Transform
from playground.tensors.language.errors import OperationFailed, Refused
from playground.tensors.language.functions import Function, Iteration, WithMethods
from playground.tensors.language.held import mapped
from playground.tensors.language.objects import Layer, Maker, Stepper
from playground.tensors.language.operations import Operations

MOST_HOOKS = 100


class Handle(WithMethods):
    """What registering a hook returns.

    Args:
        remove: takes the hook away.
    """

    def __init__(self, remove: Callable[[], None]) -> None:
        self._remove = remove

    def method(self, name: str) -> Callable[..., Any]:
        return self._remove if name == "remove" else super().method(name)


def _passed(maker: Maker, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Any]:
    """Return what a class is called with, without the dictionaries in which PyTorch takes layers by name and the groups of an optimizer."""
    if maker.name in ("torch.nn.Sequential", "torch.nn.ModuleDict") and args and isinstance(args[0], dict):
        return [*args[0].values()]
    passed = [*args, *kwargs.values()]
    if not issubclass(maker.kind, optim.Optimizer):
        return passed
    groups = [each for part in passed if isinstance(part, list) for each in part if isinstance(each, dict)]
    others = [each for part in passed for each in (part if isinstance(part, list) else [part]) if not any(each is group for group in groups)]
    return [*others, *(value for group in groups for value in group.values())]


def _check_layers(args: tuple[Any, ...]) -> None:
    """Check that what is put into a sequence are layers.

    Raises:
        OperationFailed: one is none; the message is PyTorch's.
    """
    for part in args:
        if isinstance(part, Maker):
            name = f"{part.kind.__module__}.{part.kind.__qualname__}"
            hint = msg("This is the class, and its brackets are missing: write `nn.{name}()`.", name=part.kind.__name__)
        elif isinstance(part, Entry):
            name, hint = part.name, msg("This is a function, and `nn.Sequential` takes layers, such as `nn.ReLU()`.")
        elif isinstance(part, (list, tuple)):
            name, hint = type(part).__name__, msg("Write a star before it, `nn.Sequential(*layers)`: it takes its layers one by one.")
        else:
            continue
        raise OperationFailed(f"TypeError: {name} is not a Module subclass", hint)  # no text: PyTorch's message


class OfPyTorch:
    """Makes and calls PyTorch's objects.

    Args:
        operations: performs what they compute.
        meter: stops the script at its limits.
        call: calls a function of the script.
    """

    def __init__(self, operations: Operations, meter: Meter, call: Callable[..., Any]) -> None:
        self._operations, self._meter, self._call = operations, meter, call
        self._hooks: weakref.WeakKeyDictionary[nn.Module, list[Any]] = weakref.WeakKeyDictionary()

    def call(self, function: Layer | Maker | Transform, node: ast.AST, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call a layer, a transform, or a class."""
        if isinstance(function, Transform):
            if len(args) != 1 or kwargs:
                raise OperationFailed(f"TypeError: {type(function.inner).__name__} takes one image", "", node)  # no text: the message is one
            return self._operations.taken(values.attempt(datasets.apply, function, args[0], self._meter.reserve))
        return self.perform(function, node, args, kwargs) if isinstance(function, Layer) else self.make(function, node, args, kwargs)

    def make(self, maker: Maker, node: ast.AST, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Make an object of a class."""
        self._meter.check_length(sizing.count_leaves([args, kwargs]))
        args, kwargs = (self._listed(part, node) for part in (args, kwargs))
        if maker.name in datasets.NAMES:
            kwargs = {name: part for name, part in kwargs.items() if name not in datasets.IGNORED}
        if maker.name in datasets.NAMES or maker.name in objects.WITH_FUNCTIONS:
            args, kwargs = (self.given(part, node) for part in (args, kwargs))
        if maker.name in objects.WITH_ACTIVATION:
            kwargs = {name: part.short if isinstance(part, Entry) and part.short in ("relu", "gelu") else part for name, part in kwargs.items()}
        if maker.name in objects.OF_LAYERS:
            _check_layers(args)
        args, kwargs = objects.inside(args), objects.inside(kwargs)
        values.check_passable(maker.name.rpartition(".")[2], _passed(maker, args, kwargs))
        if maker.name in datasets.NAMES and self._meter.bounds.is_without_values:
            raise Refused(msg("Data sets are not read here."), "", node)
        if maker.name in datasets.NAMES:
            return values.attempt(lambda: datasets.make(maker.name, args, kwargs, self._meter.reserve))
        made = values.attempt(lambda: objects.make(maker, args, kwargs, self._meter.reserve))
        tensors = [tensor for _, tensor in made.tensors()] if isinstance(made, Layer) else made.parameters
        if not isinstance(made, Layer):
            self._meter.reserve(2 * sum(tensor.nbytes for tensor in tensors))  # such as the moments of Adam
        self._meter.track(tensors)
        self._operations.tracer.made(made, node)
        return made

    def given(self, value: Any, node: ast.AST) -> Any:
        """Replace functions of the script, and its objects that have samples, by what loaders, transforms and schedulers take, also inside lists."""
        if isinstance(value, Instance) and value.kind.lookup("__getitem__")[1]:
            return datasets.OfScript(value, lambda name, *args: self._by_script(value.kind.lookup(name)[0], (value, *args), node))
        if isinstance(value, Function) or (isinstance(value, Instance) and not value.modules):
            return lambda *args: self._by_script(value, args, node)
        return mapped(value, lambda part: self.given(part, node))

    def _by_script(self, function: Any, args: tuple[Any, ...], node: ast.AST) -> Any:
        """Call a function of the script for PyTorch."""
        return objects.inside(self._call(function, datasets.outside(args), {}, node))

    def _listed(self, value: Any, node: ast.AST) -> Any:
        """Replace iterators by lists, also inside lists and dictionaries, as PyTorch does with `net.parameters()`."""
        if isinstance(value, Iteration):
            return self._operations.collect(value, node)
        return mapped(value, lambda part: self._listed(part, node))

    def call_method(self, value: Layer | Stepper, name: str, node: ast.AST, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call a method of a layer, an optimizer or a scheduler, or a layer inside a layer."""
        self._meter.check_length(sizing.count_leaves([args, kwargs]))
        self._operations.tracer.called(value, name, node)
        if isinstance(value, Layer):
            if name in value.module._modules:
                return self.perform(objects.attribute(value, name), node, args, kwargs)
            if name in ("apply", "register_forward_hook") and len(args) == 1:
                return self._apply(value, args[0], node) if name == "apply" else self._hook(value, args[0])
        method = objects.method(value, name)
        if name == "step" and isinstance(value, Stepper) and value.is_optimizer:
            return self._step(value, node, kwargs.get("closure", args[0] if args else None))
        if name != "load_state_dict":  # which takes a dictionary, and nothing else
            values.check_passable(name, [*objects.inside(args), *kwargs.values()])
        return values.check_kind(values.attempt(lambda: method(*objects.inside(args), **objects.inside(kwargs))))

    def _step(self, optimizer: Stepper, node: ast.AST, closure: Any) -> Any:
        """Let an optimizer change its parameters, perhaps with a closure of the script that computes the loss again."""
        parameters = optimizer.parameters
        closures = [] if closure is None else [lambda: self._call(closure, (), {}, node)]

        def step(*operands: Any) -> Any:
            if any(operand is not parameter for operand, parameter in zip(operands, parameters, strict=True)):
                raise NotImplementedError  # what it does to other values is not asked: it would change the optimizer
            return optimizer.inner.step(*closures)

        return self._operations.perform(Entry(f"{type(optimizer.inner).__name__}.step", allowed.AUTOGRAD, step), node, tuple(parameters))

    def _apply(self, layer: Layer, function: Any, node: ast.AST) -> Any:
        """Call a function of the script for each layer inside a layer, and then for itself, as `nn.Module.apply` does."""
        for child in layer.module.children():
            self._apply(Layer(child), function, node)
        self._call(function, (objects.outside(layer.module),), {}, node)
        return objects.outside(layer.module)

    def _hook(self, layer: Layer, function: Any) -> Handle:
        """Call a function of the script whenever a layer has computed something, as `register_forward_hook` does."""
        hooks = self._hooks.setdefault(layer.module, [])
        if len(hooks) >= MOST_HOOKS:
            raise Refused(msg("A layer in a script has at most {limit} hooks.", limit=MOST_HOOKS))
        hooks.append(function)
        return Handle(lambda: hooks.remove(function) if function in hooks else None)

    def perform(self, layer: Layer, node: ast.AST, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call a layer; a sequence with hooks or networks of the script inside part by part, so that each of them is interpreted once, and seen."""
        parts = [*layer.module.modules()][1:]
        is_apart = self._operations.tracer.sees_parts or any(isinstance(part, classes.ScriptModule) or part in self._hooks for part in parts)
        if isinstance(layer.module, nn.Sequential) and is_apart and len(args) == 1:
            return self.through_parts(layer, args[0], node)
        if any(part in self._hooks for part in parts):
            raise Refused(msg("A hook of a layer inside `{name}` is never called in a script.", name=type(layer.module).__name__), "", node)
        entry, operands, options = layer.call(args, kwargs)
        result = self._operations.perform(entry, node, operands, options)
        return self.after(layer.module, args, result, node)

    def through_parts(self, sequence: Layer, value: Any, node: ast.AST) -> Any:
        """Call the layers of a sequence one after another."""
        result = value
        for part in objects.parts(sequence):
            result = self._call(part, (result,), {}, node)
        return self.after(sequence.module, (value,), result, node)

    def after(self, module: nn.Module, args: tuple[Any, ...], result: Any, node: ast.AST) -> Any:
        """Call the hooks of a module, and return its result, or what a hook returns instead."""
        for function in [*self._hooks.get(module, ())]:
            instead = self._call(function, (objects.outside(module), args, result), {}, node)
            result = result if instead is None else instead
        self._operations.tracer.returned(module, args, result, node)
        return result
