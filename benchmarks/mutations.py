"""Small faults planted in the core, one at a time: how many the tests of their package find, and in which tier.

`python -m benchmarks.mutations 50` plants fifty and prints each; `python -m benchmarks.mutations 50 quick` runs only the
tests of `make test`. What was found is kept in a file of the system's temporary folder, so that a measurement that was
interrupted goes on where it ended.
"""

from __future__ import annotations

import ast
import copy
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from playground.environment import ROOT

COUNT, SEED = 50, 0
CORE = {
    "tests/tensors": ("tensors/language/*.py", "tensors/xray/*.py"),
    "tests/autograd": ("autograd/*.py",),
    "tests/network": (
        "network/trace.py",
        "network/formulas.py",
        "network/receptive_fields.py",
        "network/totals.py",
        "network/differences.py",
        "network/spec.py",
        "network/fixes.py",
    ),
    "tests/training": ("training/loop.py", "training/optimizers.py", "training/config.py"),
    "tests/runs": ("runs/journal.py", "runs/checkpoints.py", "runs/history.py"),
    "tests/data": ("data/preprocessing.py",),
    "tests/inference": ("inference/metrics.py",),
}
"""The modules into which faults are planted, by the folder of their tests."""
TIERS = {"quick": 1800, "full": 5400}
"""Seconds after which the tests of a package are ended; a fault that makes them hang is found."""
OPPOSITES: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.And: ast.Or, ast.Or: ast.And,
}  # fmt: skip
NOT_RUN = ("annotation", "returns", "decorator_list", "type_comment")
"""Parts of a function that no test can run."""

Outcome = Literal["killed by quick", "killed by full", "survived"]


@dataclass(frozen=True)
class Mutation:
    """One fault: where it is planted, and the source before and after."""

    path: str
    tests: str
    line: int
    before: str
    after: str
    start: int
    """Bytes from the beginning of the file."""

    def apply(self, tree: Path) -> None:
        """Plant it in a copy of the repository."""
        file = tree / self.path
        source, before = file.read_bytes(), self.before.encode()
        assert source[self.start : self.start + len(before)] == before
        file.write_bytes(source[: self.start] + self.after.encode() + source[self.start + len(before) :])

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {' '.join(self.before.split())} → {self.after}"


def mutations(count: int = COUNT, seed: int = SEED) -> list[Mutation]:
    """Choose faults, always the same for the same source and seed; each file is as likely as any other."""
    generator = random.Random(seed)
    files = {
        path: candidates
        for tests, patterns in CORE.items()
        for pattern in patterns
        for path in sorted((ROOT / "playground").glob(pattern))
        if (candidates := list(_candidates(path, tests)))
    }
    chosen: dict[Mutation, None] = {}
    while len(chosen) < min(count, sum(map(len, files.values()))):
        chosen[generator.choice(files[generator.choice(list(files))])] = None
    return list(chosen)


def _candidates(path: Path, tests: str) -> Iterator[Mutation]:
    """Every fault that can be planted in a module."""
    source = path.read_text(encoding="utf-8")
    starts = [0]
    for line in source.encode().splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    for function in ast.walk(ast.parse(source)):
        if not isinstance(function, ast.FunctionDef):
            continue
        for node in _executed(function):
            if node is not function and (changed := _changed(node)):
                before = ast.get_source_segment(source, node)
                assert before is not None and isinstance(node, ast.expr | ast.stmt)
                yield Mutation(str(path.relative_to(ROOT)), tests, node.lineno, before, changed, starts[node.lineno - 1] + node.col_offset)


def _executed(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a function, without annotations, decorators, docstrings and inner functions."""
    yield node
    for name, value in ast.iter_fields(node):
        if name in NOT_RUN:
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not isinstance(child, ast.FunctionDef | ast.JoinedStr):
                yield from _executed(child)


def _changed(node: ast.AST) -> str | None:
    """The node with a fault, as source; None where this kind of node gets none."""
    changed = copy.deepcopy(node)
    match changed:
        case ast.Compare(ops=[operator]) if type(operator) in OPPOSITES:
            changed.ops = [OPPOSITES[type(operator)]()]  # type: ignore[list-item]
        case ast.BinOp() | ast.BoolOp() if type(changed.op) in OPPOSITES:
            changed.op = OPPOSITES[type(changed.op)]()  # type: ignore[assignment]
        case ast.Constant(value=int(value)) if not isinstance(value, bool):
            return str(value + 1)
        case ast.IfExp():
            changed.test = ast.UnaryOp(ast.Not(), changed.test)
        case ast.UnaryOp(op=ast.Not()):
            return f"({ast.unparse(changed.operand)})"
        case ast.Expr(value=ast.Call()) | ast.AugAssign() | ast.Raise() | ast.Continue():
            return "pass"
        case _:
            return None
    return f"({ast.unparse(changed)})"


def outcome(mutation: Mutation, tiers: Collection[str]) -> Outcome:
    """Run the tests of the fault's package, in one tier after another, on a copy of the repository that has it."""
    with tempfile.TemporaryDirectory() as folder:
        tree = _copied(Path(folder) / "tree")
        mutation.apply(tree)
        for tier in tiers:
            if not _passes(tree, mutation.tests, tier):
                return "killed by quick" if tier == "quick" else "killed by full"
    return "survived"


@cache
def _is_sound(tests: str) -> bool:
    """Whether the tests of a package pass without any fault; otherwise they would find every one."""
    with tempfile.TemporaryDirectory() as folder:
        return _passes(_copied(Path(folder) / "tree"), tests, "quick")


def _copied(tree: Path) -> Path:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, tree / name)
    return tree


def _passes(tree: Path, tests: str, tier: str) -> bool:
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", tests]
    variables = {**os.environ, "HYPOTHESIS_PROFILE": tier, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    with subprocess.Popen(command, cwd=tree, env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True) as process:
        try:
            return process.wait(TIERS[tier]) == 0
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return False


def measure(count: int = COUNT, seed: int = SEED, tiers: Collection[str] = TIERS.keys()) -> Iterator[tuple[Mutation, Outcome]]:
    """Plant one fault after another; what an earlier measurement of the same source and tiers found is not measured again."""
    record = _record(tiers)
    known = {json.dumps(line["mutation"]): line["outcome"] for line in map(json.loads, record.read_text().splitlines())} if record.exists() else {}
    for mutation in mutations(count, seed):
        outcome_name = known.get(json.dumps(asdict(mutation)))
        if outcome_name is None:
            if not _is_sound(mutation.tests):
                raise RuntimeError(f"{mutation.tests} fails without any fault")
            outcome_name = outcome(mutation, tiers)
            with record.open("a") as file:
                file.write(json.dumps({"mutation": asdict(mutation), "outcome": outcome_name}) + "\n")
        yield mutation, outcome_name


def _record(tiers: Collection[str]) -> Path:
    """The file of outcomes for the present source and tests."""
    digest = hashlib.sha256()
    for path in sorted([*(ROOT / "playground").rglob("*.py"), *(ROOT / "tests").rglob("*.py")]):
        digest.update(path.read_bytes())
    return Path(tempfile.gettempdir()) / f"playground-mutations-{'-'.join(tiers)}-{digest.hexdigest()[:12]}.jsonl"


def rows() -> list[tuple[str, str, str]]:
    """The row of the benchmarks' table."""
    outcomes = [outcome_name for _mutation, outcome_name in measure()]
    killed = len(outcomes) - outcomes.count("survived")
    value = f"{killed} of {len(outcomes)}, {outcomes.count('killed by quick')} of them by `make test`"
    return [("Small faults planted in the core that the tests find", value, "≥ 45 of 50")]


if __name__ == "__main__":
    for planted, outcome_name in measure(int(sys.argv[1]) if len(sys.argv) > 1 else COUNT, tiers=sys.argv[2:] or TIERS.keys()):
        print(f"{outcome_name}: {planted}", flush=True)
