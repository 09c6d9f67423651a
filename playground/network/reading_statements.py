"""Statements of read code, and the functions and classes that are made of them.

Code around a network is full of what has nothing to do with its layers. So outside `forward` a statement that cannot be
read is no error yet: the names that it sets are marked, and the error is raised when one of them is needed.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass

from playground.network.reading_calls import Calls
from playground.network.reading_expressions import STEPS, Frame
from playground.network.reading_layers import BLOCKS
from playground.network.reading_nodes import is_block, own_nodes, targets
from playground.network.reading_values import (
    WHAT_CAN,
    Chain,
    Class,
    CodeError,
    Function,
    Instance,
    Layer,
    Ref,
    Signal,
    Sized,
    Sizes,
    Unread,
    cannot,
    dotted,
    line_of,
)

_IGNORED = (ast.Pass, ast.Assert, ast.Global, ast.Nonlocal)
_SPECIAL = {"__call__", "__getattr__", "__getattribute__", "__setattr__", "__new__"}
"""Methods that change what a call or an attribute means."""
_BASES = ("Module", "LightningModule")


@dataclass(frozen=True)
class Returned:
    """What a function gives back."""

    value: object


class Statements(Calls):
    """Goes through statements in their order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.lines = text.split("\n")
        self.assigned: list[tuple[ast.expr, object]] = []
        """What the file's own statements set, with the expression that made it."""
        self._statements: dict[type[ast.AST], Callable[..., Returned | None]] = {
            ast.Assign: self._assign, ast.AnnAssign: self._annotated, ast.AugAssign: self._augmented, ast.Expr: self._expression, ast.If: self._if,
            ast.For: self._for, ast.With: self._block, ast.Try: self._block, ast.Import: self._import, ast.ImportFrom: self._import_from,
            ast.FunctionDef: self._function_definition, ast.ClassDef: self._class_definition,
        }  # fmt: skip

    def run(self, body: list[ast.stmt], frame: Frame, strict: bool) -> Returned | None:
        """The statements one after another.

        Args:
            body: the statements.
            frame: where their names live.
            strict: whether what cannot be read is an error at once, as it is where the network's input goes through.

        Raises:
            CodeError: a statement cannot be read, and nobody can say what follows it.
        """
        for statement in body:
            if frame is self.globals:
                self.steps = STEPS
            try:
                done = self._statement(statement, frame, strict)
            except CodeError as error:
                nodes = list(own_nodes(statement))
                if strict or self.all_steps < 0 or any(isinstance(node, (ast.Return, ast.Break, ast.Continue)) for node in nodes):
                    raise
                self._mark(nodes, frame, error)
                if frame is self.globals and isinstance(statement, (ast.Assign, ast.AnnAssign, ast.Expr)) and statement.value:
                    self.assigned.append((statement.value, Unread(error)))
                continue
            if done:
                return done
        return None

    def inline(self, called: Function, args: list[object], keywords: dict[str, object], node: ast.AST) -> object:
        frame = self._bound(called, args, keywords, node)
        strict = any(isinstance(arg, Signal) for arg in [*args, *keywords.values()])
        flowing, self.flowing = self.flowing, strict
        try:
            with self.inside(node):
                done = self.run(called.node.body, frame, strict)
        finally:
            self.flowing = flowing
        return done.value if done else None

    def instance(self, of: Class, args: list[object], keywords: dict[str, object], node: ast.AST) -> Instance:
        if of.problem:
            raise of.problem
        made = Instance(of, dict(of.attributes))
        if "__init__" in of.methods:
            self.inline(Function(of.methods["__init__"], made), args, keywords, node)
        elif args or keywords:
            raise cannot(node, f"gives {of.node.name} arguments, and it takes none.", "")
        return made

    def _bound(self, called: Function, args: list[object], keywords: dict[str, object], node: ast.AST) -> Frame:
        """The arguments of a call by their names."""
        names, given = called.node.args, dict(keywords)
        places = [*names.posonlyargs, *names.args]
        values = [called.owner, *args] if called.owner else args
        if len(values) > len(places) and not names.vararg:
            raise cannot(node, f"gives {called.node.name} more arguments than it takes.", "")
        frame = Frame(dict(zip([place.arg for place in places], values, strict=False)))
        defaults = dict(zip([place.arg for place in places[::-1]], names.defaults[::-1], strict=False))
        defaults |= {place.arg: default for place, default in zip(names.kwonlyargs, names.kw_defaults, strict=True) if default}
        for place in [*places[len(values) :], *names.kwonlyargs]:
            if place.arg in given:
                frame.names[place.arg] = given.pop(place.arg)
            elif place.arg in defaults:
                frame.names[place.arg] = self._later(defaults[place.arg], self.globals)
            else:
                raise CodeError(*_missing(called, place.arg), line_of(called.node))
        for rest in filter(None, (names.vararg, names.kwarg)):
            frame.names[rest.arg] = Unread(cannot(rest, "stands for arguments that the code does not say.", "Write the arguments out."))
        if given and not names.kwarg:
            raise cannot(node, f"gives {called.node.name} an argument that it does not take: {next(iter(given))}.", "")
        return frame

    def _later(self, node: ast.expr, frame: Frame) -> object:
        try:
            return self.value(node, frame)
        except CodeError as error:
            return Unread(error)

    def _statement(self, node: ast.stmt, frame: Frame, strict: bool) -> Returned | None:
        self.step(node)
        if isinstance(node, _IGNORED):
            return None
        if isinstance(node, ast.Return):
            return Returned(self.value(node.value, frame) if node.value else None)
        if type(node) not in self._statements or (strict and isinstance(node, (ast.With, ast.Try))):
            raise self._unread(node)
        return self._statements[type(node)](node, frame, strict)

    def _unread(self, node: ast.stmt) -> CodeError:
        line = self.lines[node.lineno - 1].strip()[:80]
        return CodeError(f"`{line}` cannot be read here.", WHAT_CAN, node.lineno)

    def _assign(self, node: ast.Assign, frame: Frame, _: bool) -> None:
        value = self.value(node.value, frame)
        for target in node.targets:
            self._bind(target, value, frame)
        if frame is self.globals:
            self.assigned.append((node.value, value))

    def _annotated(self, node: ast.AnnAssign, frame: Frame, _: bool) -> None:
        if node.value:
            value = self.value(node.value, frame)
            self._bind(node.target, value, frame)
            if frame is self.globals:
                self.assigned.append((node.value, value))

    def _augmented(self, node: ast.AugAssign, frame: Frame, _: bool) -> None:
        if not isinstance(node.target, (ast.Name, ast.Attribute)):
            raise self._unread(node)
        old, new = self.value(node.target, frame), self.value(node.value, frame)
        value = self.combine(node, node.op, old, new)
        if isinstance(old, list) and isinstance(value, list):  # += changes the list itself, under all of its names
            old[:] = value
            value = old
        self._bind(node.target, value, frame)

    def _bind(self, target: ast.expr, value: object, frame: Frame) -> None:
        if isinstance(target, ast.Name):
            frame.names[target.id] = value
            return
        if isinstance(target, ast.Attribute):
            owner = self.value(target.value, frame)
            if isinstance(owner, Instance):
                owner.attributes[target.attr] = value
                return
        if isinstance(target, (ast.Tuple, ast.List)):
            parts = [Sized(value.signal, (value.start + index,)) for index in range(len(target.elts))] if isinstance(value, Sizes) else value
            if isinstance(parts, (list, tuple)) and len(parts) == len(target.elts):
                for part, item in zip(target.elts, parts, strict=True):
                    self._bind(part, item, frame)
                return
        raise cannot(target)

    def _expression(self, node: ast.Expr, frame: Frame, strict: bool) -> None:
        if isinstance(node.value, ast.Constant):  # a docstring
            return
        if isinstance(node.value, ast.Call):
            called = node.value.func
            if (isinstance(called, ast.Name) and called.id == "print") or (isinstance(called, ast.Attribute) and called.attr == "__init__"):
                return
            if not strict and dotted(called).startswith(("nn.init.", "torch.nn.init.", "init.")):
                self.note("The starting weights are left out: the playground draws them itself.", node)
                return
        value = self.value(node.value, frame)
        if frame is self.globals and isinstance(value, (Chain, Layer, Instance)):
            self.assigned.append((node.value, value))

    def _if(self, node: ast.If, frame: Frame, strict: bool) -> Returned | None:
        return self.run(node.body if self.truth(node.test, frame) else node.orelse, frame, strict)

    def _for(self, node: ast.For, frame: Frame, strict: bool) -> Returned | None:
        if frame is self.globals:  # a training loop
            raise self._unread(node)
        items = self.value(node.iter, frame)
        if isinstance(items, Sizes):
            self._product(node, items, frame)
            return None
        items = items.items if isinstance(items, Chain) else items
        if not isinstance(items, (list, tuple)) or node.orelse:
            raise self._unread(node)
        for item in list(items):
            self._bind(node.target, item, frame)
            done = self.run(node.body, frame, strict)
            if done:
                return done
        return None

    def _product(self, node: ast.For, sizes: Sizes, frame: Frame) -> None:
        """`for s in x.size()[1:]: number *= s`, as an old tutorial counts the values of a sample.

        Source: https://pytorch.org/tutorials/beginner/blitz/neural_networks_tutorial.html (until 2021)
        """
        match node:
            case ast.For(ast.Name(each), _, [ast.AugAssign(ast.Name(name), ast.Mult(), ast.Name(factor))], []) if factor == each != name:
                if sizes.start == 1 and frame.names.get(name) == 1:
                    frame.names[name] = Sized(sizes.signal, None)
                    return
        raise self._unread(node)

    def _block(self, node: ast.With | ast.Try, frame: Frame, strict: bool) -> Returned | None:
        return self.run(node.body, frame, strict)

    def _import(self, node: ast.Import, frame: Frame, _: bool) -> None:
        for alias in node.names:
            frame.names[alias.asname or alias.name.split(".")[0]] = Ref(alias.name if alias.asname else alias.name.split(".")[0])

    def _import_from(self, node: ast.ImportFrom, frame: Frame, _: bool) -> None:
        for alias in node.names:
            if alias.name != "*":  # what torch.nn exports has its meaning anyway
                frame.names[alias.asname or alias.name] = Ref(f"{'.' * node.level}{node.module or ''}.{alias.name}")

    def _function_definition(self, node: ast.FunctionDef, frame: Frame, _: bool) -> None:
        problem = cannot(node.decorator_list[0], "changes what it stands before, and cannot be read here.", "Leave it out.") if node.decorator_list else None
        frame.names[node.name] = Unread(problem) if problem else Function(node)

    def _class_definition(self, node: ast.ClassDef, frame: Frame, _: bool) -> None:
        if node.name in BLOCKS and is_block(node):
            frame.names[node.name] = Ref(f"playground.network.blocks.{node.name}")
            return
        body = Frame()
        self.run(node.body, body, strict=False)
        methods = {name: value.node for name, value in body.names.items() if isinstance(value, Function)}
        attributes = {name: value for name, value in body.names.items() if name not in methods}
        frame.names[node.name] = Class(node, self._class_problem(node, methods, frame), methods, attributes, self._is_module(node, frame))

    def _class_problem(self, node: ast.ClassDef, methods: dict[str, ast.FunctionDef], frame: Frame) -> CodeError | None:
        if node.keywords:
            return CodeError(f"The class {node.name} has arguments that cannot be read here.", "Leave in its base alone.", node.lineno)
        if node.decorator_list:
            return cannot(node.decorator_list[0], "changes the class, and cannot be read here.", "Leave it out.")
        special = next((methods[name] for name in methods if name in _SPECIAL), None)
        if special:
            return CodeError(f"`{special.name}` changes what calls or names mean, and cannot be read here.", "Leave it out.", special.lineno)
        if any(isinstance(self._later(base, frame), Class) for base in node.bases):
            return CodeError(f"{node.name} builds on another class of this code, which cannot be read here.", "Put both into one class.", node.lineno)
        return None

    def _is_module(self, node: ast.ClassDef, frame: Frame) -> bool:
        bases = [self._later(base, frame) for base in node.bases]
        return any(isinstance(base, Ref) and base.path.rsplit(".", 1)[-1] in _BASES for base in bases) or any(isinstance(base, Class) for base in bases)

    def _mark(self, nodes: list[ast.AST], frame: Frame, error: CodeError) -> None:
        """The names that a statement would have set mean nothing any more; neither does a list that it would have changed."""
        for name, attribute in targets(nodes):
            owner = frame.names.get(name)
            if attribute and isinstance(owner, Instance):
                owner.attributes[attribute] = Unread(error)
            else:
                frame.names[name] = Unread(error)
        for node in nodes:
            if isinstance(node, ast.Name) and _holds_layers(frame.names.get(node.id)):
                frame.names[node.id] = Unread(error)


def _holds_layers(value: object) -> bool:
    """Whether this is a list of layers, which any function that is given it may change."""
    return isinstance(value, list) and all(isinstance(item, (Layer, Chain, Instance)) for item in value)


def _missing(called: Function, name: str) -> tuple[str, str]:
    if called.node.name == "forward":
        return f"`forward` takes {name} as well, and the playground’s networks take one input.", "Leave it out."
    return f"`{called.node.name}` takes {name}, and the code does not say its value.", f"Give it one: {name}=128."
