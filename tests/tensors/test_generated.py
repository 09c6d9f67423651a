"""Generated programs with functions, generators, dictionaries and exceptions, each compared with Python itself."""

from __future__ import annotations

import contextlib
import io
import sys
import textwrap
import traceback
from typing import Any

import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from playground.tensors.language.bounds import Bounds
from playground.tensors.language.errors import BoundsExceeded, OperationFailed
from playground.tensors.language.functions import Own
from playground.tensors.language.interpreter import run

from ..support.tiers import is_quick

NAMES = ("a", "b", "c", "x", "xs", "d")
FUNCTIONS = ("f", "g", "h")
HEAD = "a, b, c, x, xs, d = 1, 2, 3, torch.arange(3.0), [1, 2], {'a': 1}\n"
PARAMETERS = ("", "a", "a, b=2", "a, *rest", "*, a=1", "a, /, b=0", "a, **more", "a=[]")
ARGUMENTS = ("", "1", "a", "1, 2", "a=1", "*xs", "**d", "b=2", "x")

names, functions = st.sampled_from(NAMES), st.sampled_from(FUNCTIONS)
atoms = st.one_of(names, st.integers(-2, 4).map(str), st.sampled_from(["'k'", "[1, 2]", "{'a': 1, 'b': 2}", "torch.ones(3)", "None", "{1, 2}"]))


def deeper(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.builds("({} {} {})".format, inner, st.sampled_from(["+", "-", "*", "//", "%", "==", "<", "and", "or", "in", "is"]), inner),
        st.builds("{}({})".format, functions, st.sampled_from(ARGUMENTS)),
        st.builds("({} if {} else {})".format, inner, inner, inner),
        st.builds("[{} for {} in {} if {}]".format, inner, names, inner, inner),
        st.builds("{{{}: {} for {} in {}}}".format, inner, inner, names, inner),
        st.builds("list(map(lambda {}: {}, {}))".format, names, inner, inner),
        st.builds("sorted({}, key=lambda {}: {})".format, inner, names, inner),
        st.builds("sum({} for {} in {})".format, inner, names, inner),
        st.builds("(lambda {}: {})({})".format, st.sampled_from(PARAMETERS), inner, st.sampled_from(ARGUMENTS)),
        st.builds("({} := {})".format, names, inner),
        st.builds("{}[{}]".format, inner, inner),
        st.builds("{}({})".format, st.sampled_from(["len", "list", "abs", "not", "str", "next", "iter", "max", "bool", "type"]), inner),
    )


expressions = st.recursive(atoms, deeper, max_leaves=5)


def blocks(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    body = st.lists(inner, min_size=1, max_size=3).map(lambda lines: textwrap.indent("\n".join(lines), "    "))
    return st.one_of(
        st.builds("if {}:\n{}\nelse:\n{}".format, expressions, body, body),
        st.builds("for {} in {}:\n{}\nelse:\n{}".format, names, expressions, body, body),
        st.builds("for a in range(3):\n{}\n    {}".format, body, st.sampled_from(["break", "continue", "pass"])),
        st.builds("def {}({}):\n{}\n    return {}".format, functions, st.sampled_from(PARAMETERS), body, expressions),
        st.builds("def {}({}):\n{}\n    yield {}\n    yield from {}".format, functions, st.sampled_from(PARAMETERS), body, expressions, expressions),
        st.builds("def {}({}):\n    global {}\n{}".format, functions, st.sampled_from(["", "x"]), st.sampled_from(["b", "c"]), body),
        st.builds(
            "try:\n{}\nexcept {} as c:\n{}\nfinally:\n{}".format, body, st.sampled_from(["TypeError", "(ValueError, KeyError)", "Exception"]), body, body
        ),
        st.builds("try:\n{}\nexcept ZeroDivisionError:\n    raise\nelse:\n{}".format, body, body),
    )


simple = st.one_of(
    st.builds("{} = {}".format, names, expressions),
    st.builds("{} = {}".format, names, expressions),
    st.builds("{} += {}".format, names, expressions),
    st.builds("{}, *{} = {}".format, names, names, expressions),
    st.builds("{}[{}] = {}".format, names, expressions, expressions),
    st.builds("print({}, {})".format, expressions, expressions),
    st.builds("del {}".format, names),
    st.builds("xs.append({})".format, expressions),
    st.builds("raise {}({})".format, st.sampled_from(["ValueError", "KeyError"]), expressions),
    expressions,
)
programs = st.lists(st.recursive(simple, blocks, max_leaves=6), min_size=1, max_size=6).map(lambda lines: HEAD + "\n".join(lines) + "\n")


def plain(value: Any, depth: int = 0) -> Any:
    if isinstance(value, Own) or callable(value) or hasattr(value, "__next__"):
        return "of Python" if not isinstance(value, type) else value
    if isinstance(value, torch.Tensor):
        return ("tensor", value.dtype, str(value.tolist()))
    if isinstance(value, Exception):
        return type(value).__name__
    if depth > 4:
        return "…"
    if isinstance(value, dict):
        return {str(key): plain(part, depth + 1) for key, part in value.items()}
    return [plain(part, depth + 1) for part in value] if isinstance(value, (list, tuple, set)) else value


class _Endless(Exception):
    """Python itself would take too long."""


def python(source: str) -> tuple[dict[str, Any], str, Exception | None, int]:
    """Run a program in Python: its names, what it printed, its error and the line of it."""
    given: dict[str, Any] = {"torch": torch}
    found, output, error, line, steps = dict(given), io.StringIO(), None, 0, 0

    def count(_frame: Any, _event: str, _argument: Any) -> Any:
        nonlocal steps
        steps += 1
        if steps > 3000:
            raise _Endless
        return count

    with contextlib.redirect_stdout(output):
        try:
            code = compile(source, "script", "exec")
            sys.settrace(count)
            exec(code, found)  # noqa: S102 (programs of this file)
        except SyntaxError:
            raise _Endless from None
        except Exception as raised:
            sys.settrace(None)
            if isinstance(raised, (_Endless, RecursionError)):
                raise _Endless from None
            error = raised
            line = [frame.lineno for frame in traceback.extract_tb(raised.__traceback__) if frame.filename == "script"][-1] or 0
        finally:
            sys.settrace(None)
    return {name: found[name] for name in NAMES if name in found}, output.getvalue(), error, line


@given(programs)
@settings(max_examples=60 if is_quick() else 2000, suppress_health_check=list(HealthCheck))
def test_generated_programs_do_what_they_do_in_python(source: str) -> None:
    try:
        wanted, output, error, line = python(source)
    except _Endless:
        return
    execution = run(source, bounds=Bounds(seconds=20))
    if isinstance(execution.error, BoundsExceeded):
        return
    if error is None:
        assert execution.error is None, f"{execution.error!r}\n{source}"
    else:
        assert execution.error is not None, f"Python says {error!r}\n{source}"
        assert type(execution.error.exception) is type(error) or not isinstance(execution.error, OperationFailed), f"{error!r} {execution.error!r}\n{source}"
        assert getattr(execution.error.node, "lineno", 0) == line, source
    if "0x" not in output:
        assert execution.output == output, source
    assert {name: plain(execution.names[name]) for name in wanted if name in execution.names} == {name: plain(value) for name, value in wanted.items()}, source
