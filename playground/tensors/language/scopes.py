"""Scopes: where a name of a script is looked up and assigned, by Python's rules.

Source: https://docs.python.org/3/reference/executionmodel.html#naming-and-binding
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_FUNCTIONS = (ast.FunctionDef, ast.Lambda)


@dataclass(frozen=True)
class Bindings:
    """The names that the body of a function binds."""

    own: frozenset[str]
    """Those of the function itself."""
    of_script: frozenset[str]
    """Those that it declares `global`."""
    of_outer: frozenset[str]
    """Those that it declares `nonlocal`."""


NOTHING = Bindings(frozenset(), frozenset(), frozenset())


class Unbound(Exception):
    """A name of a function is read before it has a value."""


class Scope:
    """The names of a script, of one call of a function, or of a comprehension.

    Args:
        names: the values, which the scope changes.
        outer: the scope around it; None for that of the script.
        bindings: which names are its own; the script owns all of them.
    """

    def __init__(self, names: dict[str, Any], outer: Scope | None = None, bindings: Bindings = NOTHING) -> None:
        self.names, self.outer, self._bindings = names, outer, bindings

    def __contains__(self, name: str) -> bool:
        return name in self._owner(name).names

    def read(self, name: str) -> Any:
        """Return the value of a name.

        Raises:
            KeyError: it has none.
            Unbound: it is the function's own, and has none yet.
        """
        owner = self._owner(name)
        if name not in owner.names and owner.outer is not None:
            raise Unbound(name)
        return owner.names[name]

    def write(self, name: str, value: Any) -> None:
        self._owner(name).names[name] = value

    def delete(self, name: str) -> None:
        """Raises KeyError where it has no value."""
        del self._owner(name).names[name]

    def is_of_script(self, name: str) -> bool:
        """Whether the name belongs to the script itself, not to a function or a comprehension."""
        return self._owner(name).outer is None

    def visible(self) -> Iterator[str]:
        """Yield every name that can be read here, the nearest first."""
        scope: Scope | None = self
        while scope is not None:
            yield from scope.names
            scope = scope.outer

    def _owner(self, name: str) -> Scope:
        """Return the scope that a name is read from and written to."""
        scope, is_of_script = self, False
        while scope.outer is not None and (is_of_script or name not in scope._bindings.own):
            is_of_script = is_of_script or name in scope._bindings.of_script
            scope = scope.outer
        return scope


class ClassScope(Scope):
    """The names of the body of a class. Functions in it do not see them."""

    def _owner(self, name: str) -> Scope:
        assert self.outer is not None
        return self if name in self.names or name not in self.outer else self.outer

    def write(self, name: str, value: Any) -> None:
        self.names[name] = value

    def read(self, name: str) -> Any:
        assert self.outer is not None
        return self.names[name] if name in self.names else self.outer.read(name)


def bindings_of(function: ast.FunctionDef | ast.Lambda) -> Bindings:
    """Return the names that a function binds: its parameters and what its body assigns, without inner functions."""
    arguments = function.args
    parameters = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, *filter(None, [arguments.vararg, arguments.kwarg])]
    body = function.body if isinstance(function, ast.FunctionDef) else [function.body]
    of_script, of_outer = (frozenset(name for node in _inside(body) if isinstance(node, kind) for name in node.names) for kind in (ast.Global, ast.Nonlocal))
    bound = {parameter.arg for parameter in parameters} | {name for node in _inside(body) for name in names_bound_by(node)}
    return Bindings(frozenset(bound - of_script - of_outer), of_script, of_outer)


def targets_of(generators: list[ast.comprehension]) -> Bindings:
    """Return the names that a comprehension binds."""
    names = {part.id for each in generators for part in ast.walk(each.target) if isinstance(part, ast.Name)}
    return Bindings(frozenset(names), frozenset(), frozenset())


def _inside(nodes: Iterable[ast.AST], in_comprehension: bool = False) -> Iterator[ast.AST]:
    """Yield the nodes that bind names of the function around them; in a comprehension only `:=` does."""
    for node in nodes:
        if not in_comprehension or isinstance(node, ast.NamedExpr):
            yield node
        if isinstance(node, ast.NamedExpr):
            yield node.target
        if isinstance(node, (*_FUNCTIONS, ast.ClassDef)):
            yield from _inside(_evaluated_outside(node), in_comprehension)
        else:
            yield from _inside(ast.iter_child_nodes(node), in_comprehension or isinstance(node, COMPREHENSIONS))


def _evaluated_outside(node: ast.FunctionDef | ast.Lambda | ast.ClassDef) -> list[ast.expr]:
    """Return what is evaluated where a function or a class is defined: decorators, default values and base classes."""
    decorators = [] if isinstance(node, ast.Lambda) else node.decorator_list
    if isinstance(node, ast.ClassDef):
        return [*decorators, *node.bases]
    return [*decorators, *node.args.defaults, *filter(None, node.args.kw_defaults)]


def names_bound_by(node: ast.AST) -> list[str]:
    """Return the names that a node itself binds."""
    match node:
        case ast.Name(ctx=ast.Store() | ast.Del()):
            return [node.id]
        case ast.FunctionDef() | ast.ClassDef():
            return [node.name]
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)) | ast.MatchMapping(rest=str(name)):
            return [name]
        case ast.alias():
            return [node.asname or node.name.split(".")[0]]
    return []
