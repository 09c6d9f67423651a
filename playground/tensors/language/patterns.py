"""The patterns of `match` statements.

Source: https://docs.python.org/3/reference/compound_stmts.html#the-match-statement
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from playground.tensors.language.errors import OperationFailed
from playground.tensors.language.operations import Operations

WHOLE = (bool, float, int, str, list, tuple, dict, set)
"""Classes whose single positional pattern is for the value itself."""


class Patterns:
    """Matches values with patterns.

    Args:
        operations: compares values.
        evaluate: returns the value of an expression.
        call: calls a function: `isinstance`, `getattr`.
    """

    def __init__(self, operations: Operations, evaluate: Callable[[ast.expr], Any], call: Callable[[str, Any, Any, ast.AST], Any]) -> None:
        self._operations, self._evaluate, self._call = operations, evaluate, call

    def match(self, pattern: ast.pattern, value: Any) -> dict[str, Any] | None:
        """Return the names that a pattern binds; None where the value does not fit."""
        names: dict[str, Any] = {}
        return names if self._fits(pattern, value, names) else None

    def _fits(self, pattern: ast.pattern, value: Any, names: dict[str, Any]) -> bool:
        fits: Callable[[Any, Any, dict[str, Any]], bool] = getattr(self, f"_{type(pattern).__name__}")
        return fits(pattern, value, names)

    def _MatchValue(self, pattern: ast.MatchValue, value: Any, _names: dict[str, Any]) -> bool:
        return self._operations.truth(self._operations.compare("==", value, self._evaluate(pattern.value), pattern), pattern)

    def _MatchSingleton(self, pattern: ast.MatchSingleton, value: Any, _names: dict[str, Any]) -> bool:
        return value is pattern.value

    def _MatchAs(self, pattern: ast.MatchAs, value: Any, names: dict[str, Any]) -> bool:
        if pattern.pattern is not None and not self._fits(pattern.pattern, value, names):
            return False
        if pattern.name is not None:
            names[pattern.name] = value
        return True

    def _MatchOr(self, pattern: ast.MatchOr, value: Any, names: dict[str, Any]) -> bool:
        return any(self._fits(each, value, names) for each in pattern.patterns)

    def _MatchSequence(self, pattern: ast.MatchSequence, value: Any, names: dict[str, Any]) -> bool:
        if not isinstance(value, (list, tuple, range)):
            return False
        parts = list(value)
        star = next((place for place, each in enumerate(pattern.patterns) if isinstance(each, ast.MatchStar)), None)
        if star is None:
            return len(parts) == len(pattern.patterns) and all(self._fits(each, part, names) for each, part in zip(pattern.patterns, parts, strict=True))
        extra = len(parts) - len(pattern.patterns) + 1
        if extra < 0:
            return False
        parts[star : star + extra] = [parts[star : star + extra]]
        return all(self._fits(each, part, names) for each, part in zip(pattern.patterns, parts, strict=True))

    def _MatchStar(self, pattern: ast.MatchStar, value: Any, names: dict[str, Any]) -> bool:
        if pattern.name is not None:
            names[pattern.name] = value
        return True

    def _MatchMapping(self, pattern: ast.MatchMapping, value: Any, names: dict[str, Any]) -> bool:
        keys = [self._evaluate(key) for key in pattern.keys]
        if not isinstance(value, dict) or not all(key in value for key in keys):
            return False
        if pattern.rest is not None:
            names[pattern.rest] = {key: part for key, part in value.items() if key not in keys}
        return all(self._fits(each, value[key], names) for key, each in zip(keys, pattern.patterns, strict=True))

    def _MatchClass(self, pattern: ast.MatchClass, value: Any, names: dict[str, Any]) -> bool:
        kind = self._evaluate(pattern.cls)
        if not self._call("isinstance", value, kind, pattern):
            return False
        if pattern.patterns and (kind not in WHOLE or len(pattern.patterns) > 1):
            most, name = int(kind in WHOLE), getattr(kind, "name", getattr(kind, "__name__", ""))
            plural = "s" * (most != 1)
            message = f"TypeError: {name}() accepts {most} positional sub-pattern{plural} ({len(pattern.patterns)} given)"  # no text: Python's message
            raise OperationFailed(message, "", pattern)
        parts = [(each, value) for each in pattern.patterns]
        for name, each in zip(pattern.kwd_attrs, pattern.kwd_patterns, strict=True):
            if not self._call("hasattr", value, name, pattern):
                return False
            parts.append((each, self._call("getattr", value, name, pattern)))
        return all(self._fits(each, part, names) for each, part in parts)
