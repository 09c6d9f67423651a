"""Rules of the design that no single file shows: the direction of imports, and calls that are forbidden."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from graphlib import CycleError, TopologicalSorter

from playground.environment import PACKAGE, ROOT

GROUND = {"messages", "errors", "settings", "device", "environment", "installation", "forking", "untrusted", "typography"}
RUNS = GROUND | {"network", "data", "training", "runs"}
DOMAIN = RUNS | {
    "runs.views", "runs.sharing", "runs.execution", "runs.coach", "inference", "pasted", "autograd", "tensors", "tensors.help", "tensors.exercises", "glossary",
}  # fmt: skip
ROOMS: dict[str, set[str]] = {
    "messages": set(),
    "errors": {"messages"},
    "settings": {"messages"},
    "typography": set(),
    "environment": {"messages", "errors"},
    "device": {"messages", "errors", "environment"},
    "installation": {"messages", "errors"},
    "forking": {"environment"},
    "untrusted": {"messages", "errors"},
    "locales": {"environment"},
    "tensors.language": GROUND | {"data"},
    "tensors.help": GROUND | {"tensors.language"},
    "tensors.xray": GROUND | {"tensors.language", "tensors.help"},
    "tensors.exercises": GROUND | {"tensors.language", "tensors.xray"},
    "tensors": GROUND | {"tensors.language", "tensors.xray"},
    "data": GROUND,
    "network": GROUND | {"data"},
    "pasted": GROUND | {"network", "data", "training", "tensors.language"},
    "autograd": GROUND | {"tensors", "tensors.language", "tensors.xray", "network", "data"},
    "glossary": GROUND | {"tensors", "autograd"},
    "training.instruments": GROUND | {"network", "data"},
    "training": GROUND | {"network", "data", "training.instruments"},
    "runs": GROUND | {"network", "data", "training"},
    "runs.execution": RUNS | {"training.instruments"},
    "runs.views": RUNS | {"training.instruments"},
    "runs.sharing": RUNS,
    "runs.coach": RUNS,
    "inference.arithmetic": GROUND | {"network"},
    "inference": RUNS | {"runs.views", "runs.sharing", "inference.arithmetic"},
    "server": DOMAIN,
    "server.routes": DOMAIN | {"inference.arithmetic", "server"},
    "ui.state": {"environment"},
    "ui.shared": DOMAIN | {"server", "ui.state"},
    "ui.shell": DOMAIN | {"server", "ui.state", "ui.shared"},
    "ui.components": DOMAIN | {"server", "ui.state", "ui.shared", "ui.shell"},
    "ui.pages": DOMAIN | {"server", "ui.state", "ui.shared", "ui.shell", "ui.components"},
    "pages": {"ui.pages"},
    "streamlit_app": {"server"},
    "cli": DOMAIN | {"server"},
    "__main__": {"messages", "environment", "cli"},
}
"""Every room, and which other rooms it may import. A module belongs to the room of the longest name that its own begins with."""
EXCEPTIONS = {
    ("inference.arithmetic", "inference"): "the arithmetic of a number asks `receptive_field`, a leaf, which inputs it has",
    ("training.instruments", "training"): "observations are reported as events of the training; finding where a NaN began repeats its steps",
    ("server", "server.routes"): "`asgi`, which nothing imports but the entry, puts the application together",
}
"""Imports against the arrows, with their reason; between modules they make no circle."""
WITHOUT_CODE = {"playground", "playground.ui"}
"""Packages that are in no room: they hold rooms, and no code."""
SCREEN = {"streamlit", "plotly"}

SOURCES = sorted([*(ROOT / "playground").rglob("*.py"), *(ROOT / "pages").rglob("*.py"), ROOT / "streamlit_app.py"])
MODULES = {path.relative_to(ROOT).as_posix().removesuffix(".py").removesuffix("/__init__").replace("/", "."): path for path in SOURCES}


@cache
def tree(module: str) -> ast.Module:
    return ast.parse(MODULES[module].read_text(encoding="utf-8"))


def room(module: str) -> str:
    """`playground.runs.execution.worker` → `runs.execution`; empty for a module that is in none."""
    name = module.removeprefix("playground.")
    while name and name not in ROOMS:
        name = name.rpartition(".")[0]
    return name


def imported(module: str) -> Iterator[tuple[str, int]]:
    """Every module that a module names in an import, wherever the import stands, with its line."""
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                deeper = f"{node.module}.{alias.name}"
                yield (deeper if deeper in MODULES else str(node.module)), node.lineno


@cache
def imports() -> list[tuple[str, str, int]]:
    """Every import of every module: who, what, and the line."""
    return [(module, target, line) for module in MODULES for target, line in imported(module)]


@cache
def calls() -> list[tuple[str, str, ast.Call]]:
    """Every call of every module: who, the dotted name of what is called, and the call."""
    return [(module, ast.unparse(node.func), node) for module in MODULES for node in ast.walk(tree(module)) if isinstance(node, ast.Call)]


def circle(graph: Mapping[str, Iterable[str]]) -> str:
    """A circle in a graph as a text; empty where it has none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return " → ".join(error.args[1])
    return ""


def test_every_module_is_in_a_room() -> None:
    assert {"playground.training.loop", "playground.ui.shell.app", "pages.train", "streamlit_app"} <= MODULES.keys()
    assert [module for module in MODULES if module not in WITHOUT_CODE and not room(module)] == [], "say in ROOMS what it may import"
    assert ROOMS.keys() - {room(module) for module in MODULES} == set(), "no module is in these rooms"


def test_imports_follow_the_rooms() -> None:
    wrong = [
        f"{module}, line {line}: {room(module)} may not import {target}"
        for module, target, line in imports()
        if target in MODULES.keys() - WITHOUT_CODE
        and room(target) not in {*ROOMS.get(room(module), ()), room(module)}
        and (room(module), room(target)) not in EXCEPTIONS
    ]
    assert wrong == []


def test_rooms_and_modules_have_no_import_cycle() -> None:
    assert circle(ROOMS) == ""
    assert circle({module: {target for target, _ in imported(module) if target in MODULES and target != module} for module in MODULES}) == ""


def test_every_exception_is_needed() -> None:
    used = {(room(module), room(target)) for module, target, _ in imports() if target in MODULES}
    assert EXCEPTIONS.keys() - used == set()


def test_imports_are_absolute_and_none_is_of_tests() -> None:
    relative = [(module, node.lineno) for module in MODULES for node in ast.walk(tree(module)) if isinstance(node, ast.ImportFrom) and node.level]
    assert relative == []
    assert [found for found in imports() if found[1].split(".")[0] in ("tests", "benchmarks")] == []


def test_the_domain_does_not_import_streamlit_or_plotly() -> None:
    below = {name for name in ROOMS if not name.startswith("ui") and name != "streamlit_app"}
    assert [found for found in imports() if room(found[0]) in below and found[1].split(".")[0] in SCREEN] == []


def test_eval_and_exec_are_not_called() -> None:
    forbidden = {"eval", "exec", "builtins.eval", "builtins.exec", "__import__"}
    assert [(module, name, node.lineno) for module, name, node in calls() if name in forbidden] == []


def test_pickles_are_opened_as_weights_only() -> None:
    openers = {"pickle.load", "pickle.loads", "pickle.Unpickler", "joblib.load", "load_pickle"}
    wrong = [(module, name, node.lineno) for module, name, node in calls() if name in openers or (name == "torch.load" and not _is_weights_only(node))]
    assert wrong == []
    assert [found for found in imports() if found[1].startswith("torch.serialization")] == []


def _is_weights_only(call: ast.Call) -> bool:
    safe = next((keyword.value for keyword in call.keywords if keyword.arg == "weights_only"), None)
    return isinstance(safe, ast.Constant) and safe.value is True


def test_only_the_device_module_queries_hardware() -> None:
    queries = {"torch.cuda.is_available", "torch.cuda.device_count", "torch.accelerator.is_available", "torch.accelerator.current_accelerator"}
    uses = [
        (module, name, node.lineno)
        for module in MODULES
        for node in ast.walk(tree(module))
        if isinstance(node, ast.Attribute) and ((name := ast.unparse(node)) in queries or name.startswith("torch.backends.mps"))
    ]
    assert [each for each in uses if each[0] != "playground.device"] == []


def late_imports() -> Iterator[tuple[str, int, str]]:
    """Every import inside a function: file, line, and the comment of the first of the imports that stand together."""
    for path in (path for path in SOURCES if path.is_relative_to(PACKAGE)):
        text = path.read_text(encoding="utf-8")
        lines = text.splitlines()
        functions = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
        numbers = sorted({node.lineno for function in functions for node in ast.walk(function) if isinstance(node, ast.Import | ast.ImportFrom)})
        for number in numbers:
            first = number
            while first - 1 in numbers:
                first -= 1
            yield path.relative_to(PACKAGE).as_posix(), number, lines[first - 1].partition("#")[2].strip()


def test_imports_inside_functions_are_few_and_have_a_reason() -> None:
    late = list(late_imports())
    assert len(late) < 30
    assert [(name, line) for name, line, reason in late if not reason] == []


def test_the_server_and_the_first_page_start_without_torch() -> None:
    code = "import sys, playground.server.asgi, playground.ui.pages.home, playground.training.config, playground.cli; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False"]
