"""Calls in read code: layers that are made, and layers, functions and classes that the network's input goes through."""

from __future__ import annotations

import ast
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager

from playground.network.reading_expressions import KEEPS, LARGEST, MAX_ITEMS, Expressions, Frame
from playground.network.reading_layers import BLOCKS, FUNCTIONS, IN_TENSOR, IN_TORCH, NOTHING, WEIGHTED, function, make, not_a_layer
from playground.network.reading_values import Chain, Class, CodeError, Function, Instance, Layer, Method, Module, Ref, Signal, Sized, Sizes, cannot, line_of

DEPTH = 20
"""Functions and layers inside one another."""


class Calls(Expressions):
    """Gives calls their values, and keeps which layers the network's input went through."""

    def __init__(self) -> None:
        super().__init__()
        self.signals: list[Signal] = []
        self.used: set[Layer] = set()
        self.depth = 0
        self.flowing = False
        """Whether this is `forward`, or what it calls."""

    @abstractmethod
    def inline(self, called: Function, args: list[object], keywords: dict[str, object], node: ast.AST) -> object:
        """What a function of the code gives back."""

    @abstractmethod
    def instance(self, of: Class, args: list[object], keywords: dict[str, object], node: ast.AST) -> Instance:
        """What a class of the code makes."""

    def call(self, node: ast.Call, frame: Frame) -> object:
        called = self.value(node.func, frame)
        if isinstance(called, Method) and isinstance(called.owner, (Layer, Chain, Instance)) and called.name in KEEPS:
            self.note("`apply` is left out: the playground draws the starting weights itself." if called.name == "apply" else "", node)
            return called.owner
        if isinstance(called, Method) and isinstance(called.owner, Signal) and called.name in NOTHING:
            return called.owner
        args = self._spread(node.args, frame)
        if any(keyword.arg is None for keyword in node.keywords):
            raise cannot(node, hint="Write the arguments out instead of `**`.")
        keywords = {str(keyword.arg): self.value(keyword.value, frame) for keyword in node.keywords}
        if isinstance(called, (Layer, Chain, Instance)):
            return self.apply(called, args, keywords, node)
        if isinstance(called, Class):
            return self.instance(called, args, keywords, node)
        if isinstance(called, Function):
            return self.inline(called, args, keywords, node)
        if isinstance(called, Method):
            return self._method(called, args, keywords, node)
        if isinstance(called, Ref):
            return self._reference(called.path, args, keywords, node)
        raise cannot(node)

    def apply(self, module: Module, args: list[object], keywords: dict[str, object], node: ast.AST) -> object:
        """What leaves a module; an instance of a class of the code may be given, and give back, more than a tensor."""
        self.step(node)
        if isinstance(module, Instance):
            if "forward" not in module.of.methods:
                raise cannot(node, f"calls {module.of.node.name}, which has no `forward`.", "")
            return self.inline(Function(module.of.methods["forward"], module), args, keywords, node)
        signal = args[0] if len(args) == 1 and not keywords else None
        if not isinstance(signal, Signal):
            raise cannot(node, "must be called on what comes through the network, and on that alone.", "")
        if isinstance(module, Layer):
            return self.place(module, signal, node)
        result: object = signal
        with self.inside(node):
            for item in list(module.items):
                result = self.apply(item, [result], {}, node)
        return result

    @contextmanager
    def inside(self, node: ast.AST) -> Iterator[None]:
        """One function or layer further in."""
        if self.depth >= DEPTH:
            raise CodeError("The code calls too many functions or layers inside one another.", "Write the layers one after another.", line_of(node))
        self.depth += 1
        try:
            yield
        finally:
            self.depth -= 1

    def place(self, layer: Layer, signal: Signal, node: ast.AST) -> Signal:
        """The tensor behind a layer."""
        self.note(layer.note, node)
        if layer.spec is None and not layer.claims:
            return signal
        if layer.spec and layer.spec.type in WEIGHTED and layer in self.used:
            raise cannot(node, f"uses the weights of line {layer.line} again.", "The playground shares no weights: make a layer of its own for each use.")
        self.used.add(layer)
        self.signals.append(Signal(signal, layer, node))
        if len(self.signals) > MAX_ITEMS:
            raise CodeError("The code calls more layers than the playground can read.", "A network has at most 200.", line_of(node))
        return self.signals[-1]

    def _method(self, called: Method, args: list[object], keywords: dict[str, object], node: ast.Call) -> object:
        owner, name = called.owner, called.name
        if isinstance(owner, Signal) and name == "size" and not keywords and len(args) <= 1 and all(type(arg) is int for arg in args):
            return Sized(owner, (args[0],)) if args and isinstance(args[0], int) else Sizes(owner)
        if isinstance(owner, Signal) and name in IN_TENSOR:
            return self._function(name, owner, args, keywords, node)
        if isinstance(owner, Sizes) and name == "numel" and owner.start == 1 and not args:
            return Sized(owner.signal, None)
        if isinstance(owner, (list, Chain)) and name in ("append", "extend", "add_module") and args and not keywords:
            items = owner.items if isinstance(owner, Chain) else owner
            added = args[0] if name == "extend" else args[-1:]
            if isinstance(added, list) and len(items) + len(added) <= MAX_ITEMS:
                items += [self.layer(item, node) for item in added] if isinstance(owner, Chain) else list(added)
                return owner if isinstance(owner, Chain) else None
        if isinstance(owner, Instance) and name == "add_module" and len(args) == 2 and isinstance(args[0], str):
            owner.attributes[args[0]] = self.layer(args[1], node)
            return None
        raise cannot(node)

    def layer(self, value: object, node: ast.AST) -> Module:
        """A value that must be a layer."""
        if isinstance(value, (Layer, Chain, Instance)):
            return value
        raise not_a_layer(value, node)

    def _reference(self, path: str, args: list[object], keywords: dict[str, object], node: ast.Call) -> object:
        """A call of something imported."""
        module, _, name = path.rpartition(".")
        if path == "torch.nn.Sequential" and not keywords:
            given = args[0] if len(args) == 1 and isinstance(args[0], dict) else dict(enumerate(args))
            parts = node.args if len(node.args) == len(given) else [node] * len(given)
            return Chain([self.layer(item, part) for item, part in zip(given.values(), parts, strict=True)], node)
        if name in BLOCKS and module != "torch.nn":
            note = "" if module == "playground.network.blocks" else f"{name} is not defined here; it is read as the playground’s own."
            self.note(note, node)
            return self._made(name, args, keywords, node)
        if module == "torch.nn" and name not in ("ModuleList", "DataParallel"):
            return self._made(name, args, keywords, node)
        if (module == "torch.nn.functional" and name in FUNCTIONS) or (module == "torch" and name in IN_TORCH):
            signal = args.pop(0) if args else keywords.pop("input", None)
            if not isinstance(signal, Signal):
                raise cannot(node, "is called on something that does not come through the network.", "")
            return self._function(name, signal, args, keywords, node)
        return self._helper(path, args, node)

    def _made(self, name: str, args: list[object], keywords: dict[str, object], node: ast.Call) -> Layer:
        layer = make(name, args, keywords, node)
        if self.flowing and name in WEIGHTED:
            layer.note = f"{name} is made in `forward`, where each call would create it again with new weights. It is read as created once, in __init__."
        return layer

    def _function(self, name: str, signal: Signal, args: list[object], keywords: dict[str, object], node: ast.Call) -> Signal:
        spread = [size for arg in [*args, *keywords.values()] for size in (arg if isinstance(arg, (list, tuple)) else [arg])]
        if any(isinstance(size, Sized) and not size.is_batch and size.signal is not signal for size in spread):
            raise cannot(node, "takes the sizes of another tensor.", "")
        for layer in function(name, args, keywords, node):
            signal = self.place(layer, signal, node)
        return signal

    def _helper(self, path: str, args: list[object], node: ast.Call) -> object:
        """The few functions that code uses to put a network together."""
        first = args[0] if args else None
        if path in ("torch.nn.DataParallel", "torch.compile") and isinstance(first, (Layer, Chain, Instance)):
            return first
        if path == "builtins.len" and isinstance(first, Signal):
            return Sized(first, (0,))
        if path == "builtins.len" and isinstance(first, (list, tuple, Chain)):
            return len(first.items if isinstance(first, Chain) else first)
        if path == "builtins.int" and (isinstance(first, Sized) or (isinstance(first, (int, float)) and abs(first) <= LARGEST)):
            return first if isinstance(first, Sized) else int(first)
        if path in ("math.prod", "numpy.prod") and isinstance(first, Sizes) and first.start == 1:
            return Sized(first.signal, None)
        if path == "builtins.range" and 1 <= len(args) <= 3 and args[2:] != [0]:
            bounds = [arg for arg in args if isinstance(arg, int) and abs(arg) <= LARGEST]
            if len(bounds) == len(args) and len(range(*bounds)) <= MAX_ITEMS:
                return list(range(*bounds))
        if path in ("torch.nn.ModuleList", "builtins.list", "builtins.tuple") and isinstance(first, (list, tuple, type(None))):
            return list(first or [])
        if path == "collections.OrderedDict":
            return _named(first, node)
        raise cannot(node)


def _named(items: object, node: ast.Call) -> dict[str, object]:
    """What `OrderedDict([("conv", …), …])` holds."""
    if items is None and not node.args:
        return {}
    if isinstance(items, dict):
        return dict(items)
    if isinstance(items, list) and all(isinstance(item, tuple) and len(item) == 2 and isinstance(item[0], str) for item in items):
        return dict(items)
    raise cannot(node)
