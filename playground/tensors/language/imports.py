"""The modules of a script: what it imports, and what a dotted name that begins with a module refers to."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import Any

from playground.tensors.language import calls
from playground.tensors.language.classes import BASES
from playground.tensors.language.modules import ABSENT, GIVEN, PYTHON, PYTORCH, SCRIPTS, Absent, Module, Namespace, PythonFunction, PythonModules
from playground.tensors.language.objects import NAMES, Maker
from playground.tensors.language.scopes import Scope
from playground.tensors.language.special import READABLE
from playground.tensors.language.syntax import internal


class Imports:
    """Looks up the names of modules.

    Args:
        library: functions that work on values of the script, by their full names.
    """

    def __init__(self, library: Mapping[str, Callable[..., Any]]) -> None:
        self._library, self._python = library, PythonModules()
        self.replaced: dict[str, Any] = {}
        """Values that stand for others, by their full names."""
        self.load_script: Callable[[str], Namespace] = lambda name: Namespace(name, {})
        """Runs a module that is a script. The interpreter sets it."""

    def full_name(self, node: ast.expr, scope: Scope) -> str:
        """Return the full name of what a dotted name refers to, `torch.linalg.norm` for `t.linalg.norm`; empty unless it begins with a module."""
        if isinstance(node, ast.Name):
            value = scope.read(node.id) if node.id in scope else Module(GIVEN[node.id]) if node.id in GIVEN else None
            return value.name if isinstance(value, Module) else ""
        owner = self.full_name(node.value, scope) if isinstance(node, ast.Attribute) else ""
        return f"{owner}.{node.attr}" if owner and owner not in calls.constants() and isinstance(node, ast.Attribute) else ""

    def member(self, full: str, node: ast.expr, *, called: bool = False) -> Any:
        """Return what a full name refers to: a value, a function or a module.

        Args:
            node: what an error refers to.
            called: whether a function is wanted rather than a value of the same name.

        Raises:
            Refused: scripts have nothing of that name.
        """
        module, _, name = full.rpartition(".")
        if name.startswith("_") and name not in READABLE:
            raise internal(name, node)
        if full in self.replaced:
            return self.replaced[full]
        if full in self._library:
            return PythonFunction(full, self._library[full])
        if full in PYTHON:
            return Module(full)
        if module in PYTHON:
            return self._member_of_python(module, name, node)
        if full in NAMES or full in BASES:
            return Maker(full) if full in NAMES else BASES[full]
        functions, constants = calls.functions(), calls.constants()
        for table in (functions, constants) if called else (constants, functions):
            if full in table:
                return table[full]
        if full in PYTORCH.values() or any(each.startswith(f"{full}.") for each in functions):
            return Module(full)
        raise calls.unknown_name(ast.unparse(node), full, [*functions, *constants, *NAMES, *self._library])

    def _member_of_python(self, module: str, name: str, node: ast.expr) -> Any:
        try:
            return self._python.member(module, name)
        except KeyError:
            raise calls.unknown_name(ast.unparse(node), f"{module}.{name}", [f"{module}.{each}" for each in self._python.names(module)]) from None

    def import_module(self, name: str, alias: str, scope: Scope) -> None:
        """Bind a module to a name."""
        if name in SCRIPTS:
            scope.write(alias, self.load_script(name))
        elif name.partition(".")[0] in ABSENT:
            scope.write(alias, Absent(name))
        elif GIVEN.get(alias) != PYTORCH.get(name, name) or alias in scope:
            scope.write(alias, Module(PYTORCH.get(name, name)))

    def import_all(self, module: str, node: ast.AST, scope: Scope) -> None:
        """Bind everything that a module has to its name, as `from … import *` does."""
        if module.partition(".")[0] in ABSENT:
            raise Absent(f"{module}.*").refusal(node)
        if module in SCRIPTS:
            names: list[str] = [name for name in self.load_script(module).names if not name.startswith("_")]
        elif module in PYTHON:
            names = [*self._python.names(module), *(full.rpartition(".")[2] for full in self._library if full.rpartition(".")[0] == module)]
        else:
            root = PYTORCH.get(module, module)
            tables = (NAMES, BASES, calls.functions(), calls.constants(), self._library)
            names = [full.rpartition(".")[2] for table in tables for full in table if full.rpartition(".")[0] == root]
        for name in dict.fromkeys(names):
            written = ast.copy_location(ast.Attribute(ast.Name(module), name), node)
            self.import_name(module, name, name, written, scope)

    def import_name(self, module: str, name: str, alias: str, node: ast.expr, scope: Scope) -> None:
        """Bind a part of a module to a name."""
        full = f"{PYTORCH.get(module, module)}.{name}"
        if full in SCRIPTS:
            scope.write(alias, self.load_script(full))
        elif module in SCRIPTS:
            scope.write(alias, self.load_script(module).read(name, node))
        elif module.partition(".")[0] in ABSENT:
            scope.write(alias, Absent(full))
        elif GIVEN.get(alias) != full or alias in scope:
            scope.write(alias, self.member(full, node, called=True))
