"""The rules of the design that a reader of one file cannot see: which way imports run, and what is called nowhere."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from playground.environment import ROOT

BASE = {"errors", "settings", "device", "environment", "installation", "forking", "untrusted", "typography"}
MAY_IMPORT = {
    "errors": set(),
    "settings": set(),
    "environment": {"errors"},
    "device": {"errors", "environment"},
    "installation": {"errors"},
    "forking": {"environment"},
    "untrusted": {"errors"},
    "typography": set(),
    "tensors": BASE,
    "autograd": BASE | {"tensors", "network", "data"},
    "network": BASE | {"data"},
    "data": BASE,
    "training": BASE | {"network", "data"},
    "runs": BASE | {"network", "data", "training"},
    "inference": BASE | {"network", "data", "training", "runs"},
}
"""What each domain package may import besides itself; `cli`, `__main__` and `ui` may import all."""
OUTER = {"cli", "server", "ui", "__main__"}
SCREEN = {"streamlit", "plotly"}

SOURCES = sorted([*(ROOT / "playground").rglob("*.py"), *(ROOT / "pages").rglob("*.py"), ROOT / "streamlit_app.py"])


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def module_of(path: Path) -> str:
    return name_of(path).removesuffix(".py").removesuffix("/__init__").replace("/", ".")


MODULES = {module_of(path): ast.parse(path.read_text(encoding="utf-8"), name_of(path)) for path in SOURCES}
PLAYGROUND = [module for module in MODULES if module.startswith("playground.")]


def part_of(module: str) -> str:
    """`playground.runs.execution.worker` → `runs`"""
    return module.split(".")[1]


def imported(module: str) -> Iterator[tuple[str, int]]:
    """Every module that a module names in an import, wherever the import stands, with its line."""
    for node in ast.walk(MODULES[module]):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}, line {node.lineno}: imports are absolute"
            for alias in node.names:
                deeper = f"{node.module}.{alias.name}"
                yield (deeper if deeper in MODULES else str(node.module)), node.lineno


def calls(module: str) -> Iterator[tuple[str, ast.Call]]:
    """Every call with the dotted name of what is called."""
    for node in ast.walk(MODULES[module]):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def test_there_is_something_to_look_at() -> None:
    assert {"playground.cli", "playground.training.loop", "playground.ui.shell.app", "pages.train", "streamlit_app"} <= MODULES.keys()


@pytest.mark.parametrize("module", [module for module in PLAYGROUND if part_of(module) != "ui"])
def test_the_domain_knows_no_screen(module: str) -> None:
    assert [found for found in imported(module) if found[0].split(".")[0] in SCREEN] == []


@pytest.mark.parametrize("part", sorted({part_of(module) for module in PLAYGROUND}))
def test_every_part_has_its_place(part: str) -> None:
    assert part in MAY_IMPORT or part in OUTER, "say in MAY_IMPORT what it may import"


@pytest.mark.parametrize("module", [module for module in PLAYGROUND if part_of(module) in MAY_IMPORT])
def test_arrows_run_one_way(module: str) -> None:
    allowed = MAY_IMPORT[part_of(module)] | {part_of(module)}
    foreign = [(target, line) for target, line in imported(module) if target.startswith("playground.") and part_of(target) not in allowed]
    assert foreign == []
    assert not any(target.split(".")[0] in ("pages", "streamlit_app", "tests", "benchmarks") for target, _ in imported(module))


def test_the_table_of_arrows_has_no_circle() -> None:
    TopologicalSorter(MAY_IMPORT).prepare()


def test_modules_have_no_circle() -> None:
    graph = {module: {target for target, _ in imported(module) if target in MODULES and target != module} for module in PLAYGROUND}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" → ".join(error.args[1]))


@pytest.mark.parametrize("module", MODULES)
def test_nothing_is_evaluated_from_text(module: str) -> None:
    forbidden = {"eval", "exec", "builtins.eval", "builtins.exec", "__import__"}
    assert [(name, node.lineno) for name, node in calls(module) if name in forbidden] == []


@pytest.mark.parametrize("module", MODULES)
def test_pickles_are_opened_as_weights_only(module: str) -> None:
    wrong = []
    for name, node in calls(module):
        if name == "torch.load":
            options = {keyword.arg: keyword.value for keyword in node.keywords}
            safe = options.get("weights_only")
            if not (isinstance(safe, ast.Constant) and safe.value is True):
                wrong.append((name, node.lineno))
        elif name in ("pickle.load", "pickle.loads", "pickle.Unpickler", "joblib.load", "load_pickle"):
            wrong.append((name, node.lineno))
    assert wrong == []
    assert not any(target.startswith("torch.serialization") for target, _ in imported(module))


@pytest.mark.parametrize("module", [module for module in MODULES if module != "playground.device"])
def test_only_the_device_module_asks_which_hardware_there_is(module: str) -> None:
    asked = {"torch.cuda.is_available", "torch.cuda.device_count", "torch.accelerator.is_available", "torch.accelerator.current_accelerator"}
    found = [
        (name, node.lineno)
        for node in ast.walk(MODULES[module])
        if isinstance(node, ast.Attribute) and ((name := ast.unparse(node)) in asked or name.startswith("torch.backends.mps"))
    ]
    assert found == []
