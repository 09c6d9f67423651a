"""The pitfalls by name, and the task that compares a learner's script with and without one of them."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypedDict

import torch

from playground import device
from playground.autograd.pitfalls import mistakes
from playground.autograd.pitfalls.learner_script import LearnerScript
from playground.autograd.pitfalls.mistakes import Comparison
from playground.autograd.pitfalls.source_edits import Version
from playground.errors import UnknownName
from playground.messages import msg
from playground.tensors.xray.report import Fault, summary


@dataclass(frozen=True)
class Pitfall:
    """A mistake that can be made in a script."""

    name: str
    title: str
    make: Callable[[LearnerScript], Comparison]
    """Makes the mistake; raises `PlaygroundError` where the script offers no place for it."""


class VersionRun(TypedDict):
    """A version of a script, and its run."""

    title: str
    source: str
    changed: list[int]
    """Lines that differ from the learner's."""
    removed: list[str]
    output: str
    warnings: list[str]
    error: Fault | None
    pytorch_error: str | None
    """PyTorch's own message."""
    gradients: dict[str, Any]
    """By name, as nested lists; null where there is none."""


class PitfallReport(TypedDict):
    """A script as it is, with a mistake, and corrected."""

    pitfall: str
    title: str
    seed: int
    original: VersionRun
    wrong: VersionRun
    right: list[VersionRun]
    meaning: str
    """Why the results differ."""
    rule: str
    """What to do instead."""


def compare(request: Mapping[str, Any]) -> PitfallReport:
    """Run a script as it is, with a mistake, and corrected: a task of the sandbox.

    Args:
        request: `source`; `pitfall`, a name in `PITFALLS`; `device` (default: the best) and `seed` (default: random).

    Raises:
        PlaygroundError: the script fails by itself, or offers no place for this pitfall.
    """
    name = str(request["pitfall"])
    if name not in PITFALLS:
        raise UnknownName(msg("pitfall"), name, PITFALLS)
    seed = int(request.get("seed", random.randrange(2**32))) % 2**63
    where = torch.device(device.get(request.get("device", device.BEST)).name)
    script = LearnerScript(str(request["source"]), {"device": where}, seed)
    comparison = PITFALLS[name].make(script)
    return {
        "pitfall": name,
        "title": PITFALLS[name].title,
        "seed": seed,
        "original": _version(script, script.original, comparison),
        "wrong": _version(script, comparison.wrong, comparison),
        "right": [_version(script, version, comparison) for version in comparison.right],
        "meaning": comparison.meaning,
        "rule": comparison.rule,
    }


def _version(script: LearnerScript, version: Version, comparison: Comparison) -> VersionRun:
    execution = script.run(version)
    return {
        "title": version.title,
        "source": version.source,
        "changed": list(version.changed),
        "removed": list(version.removed),
        "output": execution.output,
        "warnings": execution.warnings,
        "error": summary(execution)["error"] if execution.error else None,
        "pytorch_error": script.pytorch_error(version),
        "gradients": script.gradients(version, comparison.watched),
    }


PITFALLS = {
    pitfall.name: pitfall
    for pitfall in (
        Pitfall("zero_grad", msg("Forget zero_grad"), mistakes.zero_grad),
        Pitfall("backward_twice", msg("Backward twice"), mistakes.backward_twice),
        Pitfall("retain_graph", msg("Backward twice, with retain_graph"), mistakes.retain_graph),
        Pitfall("in_place", msg("Change a saved tensor in place"), mistakes.in_place),
        Pitfall("detach", msg("Detach an intermediate tensor"), mistakes.detach),
        Pitfall("no_grad", msg("Compute under no_grad"), mistakes.no_grad),
        Pitfall("non_leaf", msg("Look at a non-leaf’s .grad"), mistakes.non_leaf),
        Pitfall("integer", msg("Integers with requires_grad"), mistakes.integer),
        Pitfall("non_scalar", msg("Backward from several numbers"), mistakes.non_scalar),
    )
}
